#include "session/session.hpp"

#include <tuple>
#include <utility>

namespace ekiden::session {
namespace {

RatchetRow row_of(const Ratchet& ratchet) {
  const RatchetState& state = ratchet.state();
  RatchetRow row{.root = state.root.view(),
                 .own_secret = state.own.secret.view(),
                 .own_public = state.own.public_key,
                 .theirs = state.theirs,
                 .send_key = state.send.key.view(),
                 .send_next = state.send.next,
                 .send_previous = state.send.previous,
                 .send_base = state.send.base,
                 .receive_key = {},
                 .step_pending = state.step_pending,
                 .forgotten = ratchet.skipped().forgotten()};
  if (state.receive) {
    row.receive_key = state.receive->key.view();
    row.receive_next = state.receive->next;
    row.receive_base = state.receive->base;
  }
  return row;
}

bool is_sound(const RatchetRow& row) {
  const auto is_secret = [](ByteView view) { return view.size() == kSecretSize; };
  return is_secret(row.root) && is_secret(row.own_secret) && is_secret(row.send_key) &&
         (!row.receive_key || is_secret(*row.receive_key)) && (row.receive_key || !row.step_pending) &&
         row.send_next <= Ratchet::kMaxNumber && row.send_base < kMaxCount && row.receive_base < kMaxCount;
}

bool is_sound(const SessionRow& row) {
  const bool initial = row.initiated_by_us && !row.established;
  return is_sound(row.ratchet) && initial == row.ephemeral.has_value() && (initial || row.ratchet.receive_key) &&
         row.reserved <= Ratchet::kMaxNumber &&
         row.reserved <= std::uint64_t{row.ratchet.send_next} + kMaxReserveBlock && row.generation > 0 &&
         row.order < kMaxCount;
}

Ratchet ratchet_of(const RatchetRow& row, std::size_t max_skipped) {
  RatchetState state;
  state.root = crypto::ChainKey(row.root);
  state.own = {.secret = crypto::X25519SecretKey(row.own_secret), .public_key = row.own_public};
  state.theirs = row.theirs;
  state.send = {.key = crypto::ChainKey(row.send_key),
                .next = row.send_next,
                .previous = row.send_previous,
                .base = row.send_base};
  if (row.receive_key) {
    state.receive = {.key = crypto::ChainKey(*row.receive_key), .next = row.receive_next, .base = row.receive_base};
  }
  state.step_pending = row.step_pending;
  SkippedKeys skipped(max_skipped);
  skipped.restore_forgotten(row.forgotten);
  return {std::move(state), std::move(skipped)};
}

}  // namespace

State Session::state() const {
  if (over) return State::closed;
  if (renewing) return State::renewing;
  return established ? State::established : State::initiated;
}

bool is_preferred(const Session& a, const Session& b, const identity::PeerId& self) {
  if (a.over != b.over) return b.over;
  const auto initiator = [&](const Session& session) { return session.initiated_by_us ? self : session.key.peer; };
  if (a.generation != b.generation) return a.generation > b.generation;
  if (a.initiated_by_us != b.initiated_by_us) return initiator(a) < initiator(b);
  return a.order > b.order;
}

Bytes encode_row(const Session& session) {
  return encode_secret(SessionRow{.initiated_by_us = session.initiated_by_us,
                                  .established = session.established,
                                  .generation = session.generation,
                                  .order = session.order,
                                  .created = session.created,
                                  .expires = session.expires,
                                  .prekey = session.prekey,
                                  .ephemeral = session.ephemeral,
                                  .reserved = session.reserved,
                                  .received = session.received,
                                  .ratchet = row_of(session.ratchet)});
}

Result<Session> decode_row(const identity::PeerId& self, const SessionKey& key, ByteView value,
                           std::size_t max_skipped) {
  const auto row = wire::decode<SessionRow>(value);
  const auto corrupt = [&](std::string_view why) {
    return fail(Errc::storage_corrupt,
                "table sessions, session " + key.id.text() + " with " + key.peer.text() + ": " + std::string(why));
  };
  if (!row) return corrupt(row.error().message);
  if (!is_sound(*row)) return corrupt("its fields contradict each other");
  const auto& initiator = row->initiated_by_us ? self : key.peer;
  const auto& responder = row->initiated_by_us ? key.peer : self;
  return Session{.key = key,
                 .binding = binding_of(initiator, responder, key.id),
                 .ratchet = ratchet_of(row->ratchet, max_skipped),
                 .initiated_by_us = row->initiated_by_us,
                 .established = row->established,
                 .generation = row->generation,
                 .order = row->order,
                 .created = row->created,
                 .expires = row->expires,
                 .prekey = row->prekey,
                 .ephemeral = row->ephemeral,
                 .reserved = row->reserved,
                 .received = row->received,
                 .resuming = true,
                 .last_step = {},
                 .renew_not_before = {},
                 .used = {}};
}

}  // namespace ekiden::session
