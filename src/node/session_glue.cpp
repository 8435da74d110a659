// The router's messages are sealed and opened by the session engine.
#include <algorithm>
#include <utility>

#include "node/impl.hpp"

namespace ekiden::node {
namespace {

constexpr std::size_t kSealedAtOnce = 16;

session::Durability durability_of(router::DeliveryClass delivery) {
  return delivery == router::DeliveryClass::durable ? session::Durability::durable : session::Durability::volatile_;
}

}  // namespace

void Node::Impl::on_session_effect(Now now, session::Sessions::Effect effect) {
  std::visit(Overloaded{
                 [&](const session::PrekeyChanged&) { renew_record(now); },
                 [&](session::Flush& flush) { batch.append(std::move(flush.batch)); },
                 [&](const session::Changed& changed) {
                   log(LogLevel::debug, "session",
                       changed.session.text() + " with " + changed.peer.text() + ": " +
                           std::string(session::state_name(changed.state)) + ", " + std::string(changed.why));
                   // What was sealed under it may never be opened, and a reset of a session that we no longer have is
                   // not believed: without this it would be sent again until it expires.
                   if (changed.state == session::State::closed) router.on_session_lost(now, changed.peer, router_out);
                 },
             },
             effect);
}

/// Sealing takes longer than all else that a message needs here. It is done while the disk writes the message, where no
/// other write has to follow.
void Node::Impl::seal(Now now, router::Seal&& request) {
  const auto may_wait = [&] {
    // Behind those to the same peer that wait already, for their order is that of the queue.
    const auto is_same = [&](const router::Seal& other) { return other.to == request.to; };
    return sessions.has_reserved(now, request.to) || std::ranges::any_of(sealing.waiting, is_same);
  };
  if (request.delivery == router::DeliveryClass::durable && may_wait()) {
    sealing.at = now.mono;
    sealing.waiting.push_back(std::move(request));
  } else {
    seal_now(now, request, durability_of(request.delivery));
  }
}

/// In portions: whoever shares our core comes in between, and the disk is not idle meanwhile.
void Node::Impl::seal_waiting(Now now) {
  for (std::size_t i = 0; i < kSealedAtOnce && !sealing.waiting.empty(); ++i) {
    const router::Seal request = std::move(sealing.waiting.front());
    sealing.waiting.pop_front();
    seal_now(now, request, session::Durability::reserved);
  }
  if (sealing.waiting.empty()) sealing.at.reset();
}

void Node::Impl::seal_now(Now now, const router::Seal& request, session::Durability durability) {
  const identity::PeerRecord* record_of_peer = record_of(request.to);
  if (record_of_peer == nullptr) {
    router.on_unsealable(now, request.message, {Errc::unreachable, "the peer's record is not known yet"});
    return;
  }
  store::Batch changes;
  auto sealed =
      sessions.seal(now, *record_of_peer, durability, request.associated, request.plaintext, changes, session_out);
  if (!sealed) {
    router.on_unsealable(now, request.message, sealed.error());
    return;
  }
  router.on_sealed(now, request.message, std::move(sealed->sealed), sealed->must_persist, std::move(changes),
                   router_out);
}

/// Over the peer's own link, or in what goes back by the way that the message came. Attack: who only brings messages
/// may change the number of one, so that it seems too far in a session that is fine.
void Node::Impl::refuse_session(Now now, const router::Envelope& envelope, session::OpenFailure why) {
  const auto id = session::Sessions::peek_session(envelope.sealed);
  if (id && links.is_up(envelope.from)) {
    send_message(now, envelope.from, wire::Priority::high, wire::MessageType::session_reset,
                 wire::encode(SessionReset{*id}));
  } else if (id && why != session::OpenFailure::too_far) {
    router.on_session_unknown(now, envelope.from, envelope.id, *id, router_out);
  }
  router.end_parcel(envelope.from, envelope.id, router_out);
}

void Node::Impl::open(Now now, const router::Open& request) {
  const router::Envelope& envelope = request.envelope;
  store::Batch changes;
  auto opened = sessions.open(now, envelope.from, durability_of(envelope.delivery), envelope.associated_data(),
                              envelope.sealed, changes, session_out);
  if (opened) {
    router.on_opened(now, envelope, opened->plaintext, std::move(changes), router_out);
    return;
  }
  switch (opened.error()) {
    case session::OpenFailure::duplicate:
      log(LogLevel::debug, "session",
          "message " + envelope.id.text() + " of " + envelope.from.text() + " came again: it is not opened twice");
      router.on_duplicate(now, envelope, router_out);
      return;
    case session::OpenFailure::unknown_session:
    case session::OpenFailure::too_far:
    case session::OpenFailure::expired:
      return refuse_session(now, envelope, opened.error());
    case session::OpenFailure::full:
      log(LogLevel::debug, "session",
          "message " + envelope.id.text() + " of " + envelope.from.text() + ": no room for another session");
      router.on_no_session(now, envelope, router_out);
      return;
    case session::OpenFailure::bad:
      if (request.from_mailbox) return router.end_parcel(envelope.from, envelope.id, router_out);
      // No answer: it would tell who probes with changed messages what became of each.
      count_bad_message(now, envelope.from, static_cast<std::uint8_t>(wire::MessageType::envelope),
                        {Errc::unauthenticated, "message " + envelope.id.text() + " cannot be decrypted"});
      return;
  }
}

}  // namespace ekiden::node
