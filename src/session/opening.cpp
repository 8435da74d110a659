// Receiving: find or start the session, open, and commit what changed only after the message has verified.
#include <algorithm>
#include <utility>

#include "crypto/aead.hpp"
#include "crypto/ed25519.hpp"
#include "session/header.hpp"
#include "session/impl.hpp"

namespace ekiden::session {
namespace {

OpenFailure failure_of(Misfit misfit) {
  switch (misfit) {
    case Misfit::used:
      return OpenFailure::duplicate;
    case Misfit::too_far:
      return OpenFailure::too_far;
    case Misfit::impossible:
      return OpenFailure::bad;
  }
  return OpenFailure::bad;
}

}  // namespace

std::expected<Opened, OpenFailure> Sessions::Impl::open(Now now, const identity::PeerId& from, Durability durability,
                                                        ByteView associated, ByteView sealed, store::Batch& changes,
                                                        Effects& out) {
  const auto message = parse_sealed(sealed);
  if (!message || from == self.id()) return Unopened(OpenFailure::bad);
  const Header& header = message->header;
  const SessionKey key{.peer = from, .id = header.session};

  Session* session = table.find(key);
  std::optional<Session> fresh;
  if (session == nullptr) {
    if (table.was_closed(key)) return Unopened(OpenFailure::expired);
    if (!header.initiation) return Unopened(OpenFailure::unknown_session);
    auto made = respond(now, key, header);
    if (!made) return Unopened(made.error());
    fresh = std::move(*made);
  } else if (table.is_over(*session, now.wall)) {
    maintain_at = now.mono;
    return Unopened(OpenFailure::expired);
  }

  auto plaintext = decrypt(now, fresh ? *fresh : *session, *message, associated);
  if (!plaintext) return Unopened(plaintext.error());
  if (fresh) {
    session = &table.insert(std::move(*fresh), changes, out);
    out.push(Changed{.peer = from, .session = key.id, .state = State::established, .why = "started by the peer"});
  }
  note_received(now, *session, durability, changes, out);
  return Opened{
      .session = key.id, .from = from, .sequence = header.position.sequence, .plaintext = std::move(*plaintext)};
}

/// The session that an initial message asks for; not in the table before the message has verified.
std::expected<Session, OpenFailure> Sessions::Impl::respond(Now now, const SessionKey& key, const Header& header) {
  const Initiation& initiation = *header.initiation;
  if (identity::PeerId::of(initiation.sender) != key.peer) return Unopened(OpenFailure::bad);
  if (initiation.generation == 0 || initiation.generation == UINT32_MAX) return Unopened(OpenFailure::bad);
  if (!table.has_room(key.peer)) return Unopened(OpenFailure::full);
  const crypto::X25519SecretKey* const prekey = prekeys.find(initiation.prekey, now.wall);
  if (prekey == nullptr) return Unopened(OpenFailure::unknown_session);

  const auto their_identity = crypto::to_x25519(initiation.sender);
  if (!their_identity) return Unopened(OpenFailure::bad);
  const auto shared = x3dh_respond(self.noise_key().secret, *prekey, *their_identity, initiation.ephemeral);
  if (!shared) return Unopened(OpenFailure::bad);
  auto ratchet =
      Ratchet::respond(*shared, *prekey, header.position.ratchet, crypto::X25519KeyPair::draw(rng), config.max_skipped);
  if (!ratchet) return Unopened(OpenFailure::bad);
  return Session{.key = key,
                 .binding = binding_of(key.peer, self.id(), key.id),
                 .ratchet = std::move(*ratchet),
                 .established = true,
                 .generation = initiation.generation,
                 .created = now.wall,
                 .expires = now.wall + std::chrono::duration_cast<milliseconds>(config.lifetime),
                 .prekey = initiation.prekey,
                 .ephemeral = {},
                 .last_step = now.mono,
                 .renew_not_before = {},
                 .used = {}};
}

/// Opens the message and moves the ratchet; on failure nothing has changed.
std::expected<Bytes, OpenFailure> Sessions::Impl::decrypt(Now now, Session& session, const SealedView& message,
                                                          ByteView associated) {
  auto incoming = session.ratchet.prepare(message.header.position, max_gap(now, session.key.peer));
  if (!incoming) return Unopened(failure_of(incoming.error()));
  const Sealing sealing = sealing_of(incoming->key);
  const ByteView data = associated_data(session, message.header_bytes, associated);
  auto plaintext = crypto::open(sealing.key, sealing.nonce, data, message.ciphertext);
  if (!plaintext) return Unopened(OpenFailure::bad);
  spend_skips(now, session.key.peer, incoming->skipped.size());
  session.ratchet.commit(std::move(*incoming));
  return std::move(*plaintext);
}

/// Looks only: a message that has not verified does not move a peer up in the list either.
std::size_t Sessions::Impl::max_gap(Now now, const identity::PeerId& peer) const {
  const SkipBudget* const budget = skips.peek(peer);
  return budget == nullptr ? config.max_skipped : std::min(config.max_skipped, budget->left(now.mono));
}

void Sessions::Impl::spend_skips(Now now, const identity::PeerId& peer, std::size_t count) {
  if (count == 0) return;
  SkipBudget* budget = skips.find(peer);
  if (budget == nullptr) budget = &skips.put(peer, SkipBudget(config.max_skipped));
  budget->spend(now.mono, count);
}

void Sessions::Impl::note_received(Now now, Session& session, Durability durability, store::Batch& changes,
                                   Effects& out) {
  ++session.received;
  session.used = now.mono;
  if (!session.established) {
    session.established = true;
    session.ephemeral.reset();
    out.push(Changed{.peer = session.key.peer,
                     .session = session.key.id,
                     .state = State::established,
                     .why = "the peer has answered"});
  }
  ++session.unsaved_messages;
  if (durability == Durability::durable) {
    table.save_with_next(session);
    batch_wanted = true;
    return;
  }
  if (session.unsaved_messages >= config.flush_messages) return table.save(session, changes);
  table.defer(session);
  if (!flush_at) flush_at = now.mono + config.flush_interval;
}

}  // namespace ekiden::session
