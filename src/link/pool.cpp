#include "link/pool.hpp"

#include <string>
#include <utility>

#include "base/check.hpp"
#include "link/pool_state.hpp"

namespace ekiden::link {

LinkPool::State::State(const identity::Identity& self, Config knobs, Rng random)
    : config(knobs),
      local{.self = self,
            .record = {},
            .features = knobs.features,
            .version_min = knobs.version_min,
            .version_max = knobs.version_max,
            .verified = RecordCache(knobs.max_verified_records)},
      rng(std::move(random)),
      notices(knobs.max_notices_per_second),
      gate(config) {}

LinkPool::LinkPool(const identity::Identity& self, Config config, Rng rng)
    : state_(std::make_unique<State>(self, config, std::move(rng))) {}

LinkPool::~LinkPool() = default;

void LinkPool::set_own_record(Bytes signed_record) {
  CHECK(!signed_record.empty() && signed_record.size() <= identity::kMaxRecordSize);
  state_->local.record = std::move(signed_record);
}

// Inputs. -------------------------------------------------------------------------------------------------------------

void LinkPool::want(Now now, const identity::PeerId& peer, std::vector<identity::Endpoint> endpoints,
                    std::optional<identity::PeerRecord> record, Outbox<Effect>& out) {
  state_->want(now, peer, std::move(endpoints), std::move(record), out);
}

void LinkPool::unwant(Now /*now*/, const identity::PeerId& peer, bool is_over) { state_->unwant(peer, is_over); }

void LinkPool::set_awaited(const identity::PeerId& peer, bool awaited) { state_->set_awaited(peer, awaited); }

void LinkPool::retry_now(Now now, const identity::PeerId& peer, Outbox<Effect>& out) {
  state_->dial_now(now, peer, out);
}

ConnId LinkPool::probe(Now now, const identity::PeerId& peer, const identity::Endpoint& endpoint,
                       const std::optional<crypto::Ed25519PublicKey>& key, Outbox<Effect>& out) {
  return state_->probe(now, peer, endpoint, key, out);
}

void LinkPool::on_accepted(Now now, ConnId conn, const identity::IpAddress& from, std::uint16_t port,
                           Outbox<Effect>& out, identity::Endpoint::Transport transport) {
  state_->accept(now, conn, {from, port}, transport, out);
}

void LinkPool::on_connected(Now now, ConnId conn, const std::optional<identity::SocketAddress>& address,
                            Outbox<Effect>& out) {
  state_->connected(now, conn, address, out);
}

void LinkPool::on_connect_failed(Now now, ConnId conn, const Error& why, Outbox<Effect>& out) {
  const auto* known = state_->find(conn);
  if (known == nullptr || known->link) return;
  // The transport begins with the endpoint, too, which is said once.
  const std::string name = known->remote + ": ";
  Error reason = why;
  if (reason.message.starts_with(name)) reason.message.erase(0, name.size());
  state_->remove(now, conn, fail("connecting", std::move(reason)).error(), out);
}

void LinkPool::on_bytes(Now now, ConnId conn, ByteView bytes, Outbox<Effect>& out) {
  state_->receive(now, conn, bytes, out);
}

void LinkPool::on_closed(Now now, ConnId conn, const Error& why, Outbox<Effect>& out) {
  const auto* known = state_->find(conn);
  if (known == nullptr) return;
  Error reason = why;
  if (!known->link) {
    reason = fail("connecting", why).error();
  } else if (known->link->stage() == Link::Stage::over || known->link->stage() == Link::Stage::closing) {
    reason = known->link->why();
  } else if (!known->opened) {
    reason = fail("closed during the handshake (is it an Ekiden node?)", why).error();
  } else if (reason.code == Errc::closed) {
    reason.code = Errc::unreachable;  // Neither side has said goodbye: closed is what somebody wanted.
  }
  state_->remove(now, conn, std::move(reason), out);
}

Status LinkPool::send(Now now, const identity::PeerId& to, wire::Priority priority, ByteView message,
                      Outbox<Effect>& out) {
  if (message.empty()) return fail(Errc::invalid_argument, "a message without a type byte");
  if (message.size() > kMaxMessage) {
    return fail(Errc::too_large, "a message of " + std::to_string(message.size()) + " bytes; at most " +
                                     std::to_string(kMaxMessage) + " fit in a frame");
  }
  return state_->send(now, to, priority, message, out);
}

void LinkPool::cut(Now now, const identity::PeerId& id, const Error& why, Outbox<Effect>& out) {
  state_->cut(now, id, why, out);
}

void LinkPool::guard(std::function<bool(const identity::PeerId&)> is_ours) { state_->is_ours = std::move(is_ours); }

void LinkPool::set_guarded(bool guarded) { state_->guarded = guarded && state_->is_ours != nullptr; }

void LinkPool::occupy(Now now) {
  if (state_->guarded) state_->gate.occupy(now.mono);
}

void LinkPool::charge(Now now, const identity::PeerId& from, Duration work) {
  if (const auto* conn = state_->carrier(from)) state_->charge(now, *conn, work);
}

void LinkPool::forgive(Now now, const identity::PeerId& from, Duration work) { charge(now, from, -work); }

void LinkPool::shut_down(Now now, Outbox<Effect>& out) { state_->shut_down(now, out); }

// Pulled. -------------------------------------------------------------------------------------------------------------

ByteView LinkPool::to_send(Now now, ConnId id) {
  auto* conn = state_->find(id);
  if (conn == nullptr || !conn->link) return {};
  const auto bytes = conn->link->to_send(now);
  if (bytes.empty()) conn->write_said = false;
  state_->count_queued(*conn);
  // Sealing starts the clock of slow readers.
  state_->timers.set_no_later_than(id, conn->link->deadline());
  return bytes;
}

void LinkPool::mark_sent(Now now, ConnId id, std::size_t bytes, Outbox<Effect>& out) {
  auto* conn = state_->find(id);
  if (conn == nullptr || !conn->link) return;
  conn->link->mark_sent(now, bytes);
  if (conn->link->is_between_records()) conn->write_said = false;
  state_->settle(now, id, out);
}

bool LinkPool::may_read(Now now, ConnId id) { return state_->may_read(now, id); }

// Timers. -------------------------------------------------------------------------------------------------------------

std::optional<Instant> LinkPool::deadline() const {
  return earlier(state_->gate_at, earlier(state_->timers.earliest(), state_->redials.earliest()));
}

void LinkPool::on_deadline(Now now, Outbox<Effect>& out) {
  while (const auto id = state_->timers.pop_due(now.mono)) {
    auto* conn = state_->find(*id);
    CHECK(conn != nullptr);
    if (!conn->link) {
      state_->hang_up(now, *id, {Errc::timed_out, "connecting: no answer in time"}, out);
      continue;
    }
    conn->link->on_deadline(now);
    state_->settle(now, *id, out);
  }
  state_->resume_waiting(now, out);
  while (const auto peer = state_->redials.pop_due(now.mono)) state_->dial_now(now, *peer, out);
}

// Queries. ------------------------------------------------------------------------------------------------------------

bool LinkPool::is_up(const identity::PeerId& peer) const { return state_->carrier(peer) != nullptr; }

std::optional<Duration> LinkPool::round_trip(const identity::PeerId& peer) const {
  const auto* conn = state_->carrier(peer);
  return conn == nullptr ? std::nullopt : conn->link->round_trip();
}

std::size_t LinkPool::queued_bytes(const identity::PeerId& peer) const {
  const auto* conn = state_->carrier(peer);
  return conn == nullptr ? 0 : conn->link->queued_bytes();
}

std::vector<LinkStatus> LinkPool::links() const {
  std::vector<LinkStatus> all;
  for (const auto& [id, conn] : state_->conns) {
    if (!conn.opened) continue;
    const auto& link = *conn.link;
    all.push_back({.peer = *conn.peer,
                   .conn = id,
                   .remote = conn.remote,
                   .transport = conn.transport,
                   .initiated_by_us = conn.dialled,
                   .carries_traffic = state_->carrier(*conn.peer) == &conn,
                   .since = conn.since,
                   .round_trip = link.round_trip(),
                   .bytes_in = link.bytes_in(),
                   .bytes_out = link.bytes_out(),
                   .queued_bytes = link.queued_bytes()});
  }
  return all;
}

std::vector<PeerAddress> LinkPool::addresses(const identity::PeerId& id) const {
  std::vector<PeerAddress> all;
  const auto* peer = state_->find(id);
  if (peer == nullptr) return all;
  for (auto link = peer->links.rbegin(); link != peer->links.rend(); ++link) {
    const auto* conn = state_->find(*link);
    if (conn->address && conn->link->is_open()) all.push_back({conn->address->ip, conn->dialled});
  }
  return all;
}

const SentBytes& LinkPool::sent_bytes() const { return state_->sent_bytes; }

std::size_t LinkPool::half_open() const { return state_->half_open; }

std::size_t LinkPool::unread() const { return state_->gate.waiting(); }

void LinkPool::check_invariants() const { state_->check_invariants(); }

}  // namespace ekiden::link
