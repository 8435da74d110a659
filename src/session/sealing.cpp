// Sending: choose or start a session, step the ratchet when it is time, seal, and say what must be on disk first.
#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "crypto/aead.hpp"
#include "crypto/ed25519.hpp"
#include "session/header.hpp"
#include "session/impl.hpp"

namespace ekiden::session {
namespace {

/// Chains are not used up: a session whose chain is this long is replaced, whatever its age.
constexpr std::uint32_t kLongChain = Ratchet::kMaxNumber / 2;

Header header_of(const Session& session, const Position& position, const identity::Identity& self) {
  Header header{.session = session.key.id, .position = position, .initiation = {}};
  if (session.ephemeral) {
    header.initiation = Initiation{.ephemeral = *session.ephemeral,
                                   .prekey = session.prekey,
                                   .generation = session.generation,
                                   .sender = self.public_key()};
  }
  return header;
}

}  // namespace

Result<Sealed> Sessions::Impl::seal(Now now, const identity::PeerRecord& to, Durability durability, ByteView associated,
                                    ByteView plaintext, store::Batch& changes, Effects& out) {
  EKIDEN_ASSIGN(Session* const session, session_for(now, to, changes, out));
  if (std::exchange(session->resuming, false)) session->ratchet.skip_sending_to(session->reserved);
  EKIDEN_TRY(step_if_due(now, *session));

  const auto [position, key] = session->ratchet.next_to_send();
  Sealed result{.session = session->key.id, .sequence = position.sequence, .sealed = {}, .must_persist = false};
  result.sealed.reserve(kInitialHeaderSize + plaintext.size() + crypto::kTagSize);
  append_header(header_of(*session, position, self), result.sealed);
  const ByteView data = associated_data(*session, result.sealed, associated);
  const Sealing sealing = sealing_of(key);
  crypto::seal(sealing.key, sealing.nonce, data, plaintext, result.sealed);

  session->used = now.mono;
  result.must_persist = secure_number(*session, position.number, durability, changes);
  return result;
}

Result<Session*> Sessions::Impl::session_for(Now now, const identity::PeerRecord& to, store::Batch& changes,
                                             Effects& out) {
  const identity::PeerId peer = to.id();
  if (peer == self.id()) return fail(Errc::invalid_argument, "a node does not send messages to itself");
  Session* const current = table.preferred(peer, now.wall);
  if (table.has_marked()) maintain_at = now.mono;
  if (current == nullptr) return initiate(now, to, changes, out);
  if (!wants_renewal(*current, now)) return current;

  // The old session still works: whatever speaks against a new one now, there is time to try again.
  const SessionKey old = current->key;
  auto fresh = initiate(now, to, changes, out);
  if (!fresh) {
    current->renew_not_before = now.mono + minutes(10);
    return current;
  }
  if (Session* const replaced = table.find(old)) {
    replaced->renewing = true;
    out.push(Changed{.peer = peer, .session = old.id, .state = State::renewing, .why = "a new session takes over"});
  }
  return fresh;
}

bool Sessions::Impl::wants_renewal(const Session& session, Now now) const {
  if (session.renew_not_before && now.mono < *session.renew_not_before) return false;
  const auto before = std::chrono::duration_cast<milliseconds>(config.renew_before);
  return session.expires - before <= now.wall || session.ratchet.state().send.next >= kLongChain;
}

Result<Session*> Sessions::Impl::initiate(Now now, const identity::PeerRecord& to, store::Batch& changes,
                                          Effects& out) {
  const SessionKey key{.peer = to.id(), .id = Uuid::random(rng)};
  const auto about = [&](std::string_view why) { return key.peer.text() + ": " + std::string(why); };
  if (to.expires_at() <= now.wall) return fail(Errc::expired, about("its record has expired; a newer one is needed"));
  if (!to.prekey) return fail(Errc::refused, about("its record has no prekey to start a session with"));
  if (!table.has_room(key.peer)) {
    return fail(Errc::limit_exceeded, about("no room for another session; all are in use"));
  }
  EKIDEN_ASSIGN(const auto their_identity, crypto::to_x25519(to.public_key));
  const auto ephemeral = crypto::X25519KeyPair::draw(rng);
  EKIDEN_ASSIGN(const auto shared,
                x3dh_initiate(self.noise_key().secret, ephemeral.secret, their_identity, to.prekey->public_key));
  EKIDEN_ASSIGN(Ratchet ratchet,
                Ratchet::initiate(shared, to.prekey->public_key, crypto::X25519KeyPair::draw(rng), config.max_skipped));

  Session session{.key = key,
                  .binding = binding_of(self.id(), key.peer, key.id),
                  .ratchet = std::move(ratchet),
                  .initiated_by_us = true,
                  .generation = table.next_generation(key.peer),
                  .created = now.wall,
                  .expires = now.wall + std::chrono::duration_cast<milliseconds>(config.lifetime),
                  .prekey = to.prekey->id,
                  .ephemeral = ephemeral.public_key,
                  .last_step = now.mono,
                  .renew_not_before = {},
                  .used = now.mono};
  out.push(Changed{.peer = key.peer, .session = key.id, .state = State::initiated, .why = "started by us"});
  return &table.insert(std::move(session), changes, out);
}

bool Sessions::Impl::has_reserved(Now now, const identity::PeerId& peer) {
  const Session* const session = table.preferred(peer, now.wall);
  if (table.has_marked()) maintain_at = now.mono;
  return session != nullptr && !session->resuming && !is_step_due(now, *session) &&
         session->ratchet.state().send.next < session->confirmed;
}

bool Sessions::Impl::is_step_due(Now now, const Session& session) const {
  const RatchetState& state = session.ratchet.state();
  if (!state.step_pending) return false;
  const bool is_time = !session.last_step || now.mono - *session.last_step >= config.dh_step_interval;
  return is_time || state.send.next >= config.dh_step_messages;
}

Status Sessions::Impl::step_if_due(Now now, Session& session) {
  if (!is_step_due(now, session)) return {};
  EKIDEN_TRY(session.ratchet.step(crypto::X25519KeyPair::draw(rng)));
  session.last_step = now.mono;
  table.forget_reservation(session);
  return {};
}

/// Makes sure that no crash lets this number be used again: by writing the session, or because its row already keeps
/// the number reserved. True if what was written has to be on disk before the message leaves.
bool Sessions::Impl::secure_number(Session& session, std::uint32_t number, Durability durability,
                                   store::Batch& changes) {
  if (durability == Durability::durable) {
    if (table.is_persisted(session)) session.burst = 0;
    if (++session.burst >= config.burst) reserve(session, number);
    table.save(session, changes);
    return true;
  }
  const bool must_wait = number >= session.confirmed;
  const bool has_grown = reserve(session, number);
  if (must_wait || (has_grown && durability == Durability::volatile_)) {
    table.save(session, changes);
  } else if (has_grown) {
    table.save_with_next(session);  // Half of the block is left, and each durable message brings a batch.
  }
  return must_wait;
}

/// Reserves a block behind the number that was used, if little of the last one is left. True if the row has to say so.
bool Sessions::Impl::reserve(Session& session, std::uint32_t number) const {
  const std::uint64_t next = std::uint64_t{number} + 1;
  const std::uint64_t block = std::min<std::uint64_t>(config.reserve_block, kMaxReserveBlock);
  if (session.reserved >= next + block / 2) return false;
  session.reserved = static_cast<std::uint32_t>(std::min<std::uint64_t>(next + block, Ratchet::kMaxNumber));
  return true;
}

}  // namespace ekiden::session
