// Wanting peers: their endpoints are dialled in order, one at a time; after all failed, again after a back-off.
#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "link/pool_state.hpp"

namespace ekiden::link {

void LinkPool::State::want(Now now, const identity::PeerId& id, std::vector<identity::Endpoint> endpoints,
                           std::optional<identity::PeerRecord> record, Out& out) {
  if (shutting_down) return;
  const auto refuse = [&](Errc code, std::string why) {
    out.push(DialFailed{id, {code, std::move(why)}, now.mono + config.redial_max});
  };
  if (id == local.self.id()) return refuse(Errc::invalid_argument, "that is this node itself");
  auto& peer = peers[id];
  if (!peer.wanted && wanted >= config.max_wanted) {
    forget_if_idle(id);
    return refuse(Errc::limit_exceeded, "this node already keeps links to as many peers as it may");
  }
  const bool news = !peer.wanted || peer.endpoints != endpoints || (record && !peer.public_key);
  if (!peer.wanted) ++wanted;
  peer.wanted = true;
  peer.endpoints = std::move(endpoints);
  if (record && record->id() == id) peer.public_key = record->public_key;
  const auto links = peer.links;  // A copy: settling may remove links.
  for (const auto conn : links) {
    find(conn)->link->set_wanted(true);
    settle(now, conn, out);
  }
  if (news) dial_now(now, id, out);
}

void LinkPool::State::unwant(const identity::PeerId& id, bool is_over) {
  auto* peer = find(id);
  if (peer == nullptr || !peer->wanted) return;
  peer->wanted = false;
  peer->is_awaited = false;
  --wanted;
  redials.cancel(id);
  for (const auto conn : peer->links) {
    find(conn)->link->set_idle_timeout(is_over ? config.brief_idle_timeout : config.idle_timeout);
    find(conn)->link->set_wanted(false);
    timers.set_no_later_than(conn, find(conn)->link->deadline());
  }
  forget_if_idle(id);
}

void LinkPool::State::set_awaited(const identity::PeerId& id, bool awaited) {
  auto* peer = find(id);
  if (peer != nullptr && peer->wanted) peer->is_awaited = awaited;
}

/// Starts a round over the endpoints, unless there is a link or a dial already.
void LinkPool::State::dial_now(Now now, const identity::PeerId& id, Out& out) {
  auto* peer = find(id);
  if (shutting_down || peer == nullptr || !peer->wanted || peer->dialling || !peer->links.empty()) return;
  redials.cancel(id);
  if (peer->next_endpoint >= peer->endpoints.size()) peer->next_endpoint = 0;
  if (peer->endpoints.empty()) return;
  peer->dialling = start_dial(now, id, peer->endpoints[peer->next_endpoint], out);
}

ConnId LinkPool::State::start_dial(Now now, const identity::PeerId& id, const identity::Endpoint& endpoint, Out& out) {
  const ConnId conn{next_conn++};
  conns[conn] = Conn{.id = conn,
                     .remote = endpoint.text(),
                     .transport = endpoint.transport,
                     .dialled = true,
                     .since = now.mono,
                     .peer = id};
  timers.set(conn, now.mono + config.connect_timeout);
  out.push(Dial{conn, endpoint, id});
  return conn;
}

ConnId LinkPool::State::probe(Now now, const identity::PeerId& id, const identity::Endpoint& endpoint,
                              const std::optional<crypto::Ed25519PublicKey>& key, Out& out) {
  CHECK(id != local.self.id());
  const ConnId conn = start_dial(now, id, endpoint, out);
  conns[conn].probe = true;
  if (key && identity::PeerId::of(*key) == id) conns[conn].key = key;
  if (shutting_down) hang_up(now, conn, {Errc::closed, "this node is stopping"}, out);
  return conn;
}

void LinkPool::State::connected(Now now, ConnId id, const std::optional<identity::SocketAddress>& address, Out& out) {
  auto* conn = find(id);
  if (conn == nullptr || conn->link || !conn->dialled) return;
  CHECK(!local.record.empty());
  conn->address = address;
  conn->link = Link::dial(now, config, local, *conn->peer, noise_key_for(*conn), rng.bytes<32>());
  const auto* peer = find(*conn->peer);
  CHECK(peer != nullptr || conn->probe);
  conn->link->set_wanted(peer != nullptr && peer->wanted);
  timers.cancel(id);
  settle(now, id, out);
}

/// Without a key that is good for Noise the handshake is XX, and ends with the id that answers.
std::optional<crypto::X25519PublicKey> LinkPool::State::noise_key_for(const Conn& conn) {
  auto* peer = find(*conn.peer);
  if (peer != nullptr && peer->noise_key && !conn.probe) return peer->noise_key;
  const auto& known = conn.probe || peer == nullptr ? conn.key : peer->public_key;
  if (!known) return std::nullopt;
  const auto key = local.verified.noise_key(*known);
  if (!key) return std::nullopt;
  if (peer != nullptr) peer->noise_key = *key;
  return *key;
}

/// One endpoint did not work: the next, or the end of the round.
void LinkPool::State::attempt_failed(Now now, const identity::PeerId& id, Error why, Out& out) {
  auto* peer = find(id);
  CHECK(peer != nullptr);
  peer->dialling.reset();
  if (!peer->wanted) return forget_if_idle(id);
  ++peer->next_endpoint;
  if (!peer->links.empty()) return;  // It came to us in the meantime.
  if (peer->next_endpoint < peer->endpoints.size()) return dial_now(now, id, out);
  end_round(now, id, *peer, std::move(why), out);
}

void LinkPool::State::end_round(Now now, const identity::PeerId& id, Peer& peer, Error why, Out& out) {
  if (++peer.failures == 1) peer.failing_since = now.mono;
  const auto at = schedule_redial(now, id, peer);
  out.push(DialFailed{id, std::move(why), at});
}

/// Doubles with each failure. Jitter of half: nodes that lost the same neighbour at the same moment come back spread.
Instant LinkPool::State::schedule_redial(Now now, const identity::PeerId& id, Peer& peer) {
  peer.next_endpoint = 0;
  auto delay = config.redial_min;
  for (unsigned i = 1; i < peer.failures && delay < config.redial_max; ++i) delay *= 2;
  const bool is_soon = peer.is_awaited && now.mono - peer.failing_since < config.redial_soon_for;
  delay = std::min(delay, is_soon ? std::min(config.redial_soon, config.redial_max) : config.redial_max);
  auto at = now.mono + rng.between(delay / 2, delay);
  if (peer.not_before) at = std::max(at, *peer.not_before);
  redials.set(id, at);
  return at;
}

/// Gives up a dial of which the other side cannot know yet. Rationale: one that has begun to shake hands may be the
/// link that the other side chose.
void LinkPool::State::stop_dialling(Peer& peer, Out& out) {
  if (!peer.dialling || find(*peer.dialling)->link) return;
  out.push(Hangup{*peer.dialling});
  timers.cancel(*peer.dialling);
  conns.erase(*peer.dialling);
  peer.dialling.reset();
}

void LinkPool::State::cut(Now now, const identity::PeerId& id, const Error& why, Out& out) {
  auto* peer = find(id);
  if (peer == nullptr) return;
  peer->not_before = now.mono + config.redial_max;
  const bool was_dialling = peer->dialling.has_value();
  stop_dialling(*peer, out);
  if (was_dialling && !peer->dialling && peer->wanted && peer->links.empty()) end_round(now, id, *peer, why, out);
  const auto links = peer->links;
  for (const auto conn : links) {
    find(conn)->link->close(now, CloseReason::cut, why);
    settle(now, conn, out);
  }
  forget_if_idle(id);
}

void LinkPool::State::forget_if_idle(const identity::PeerId& id) {
  const auto found = peers.find(id);
  if (found == peers.end()) return;
  const auto& peer = found->second;
  if (peer.wanted || peer.dialling || !peer.links.empty()) return;
  redials.cancel(id);
  peers.erase(found);
}

}  // namespace ekiden::link
