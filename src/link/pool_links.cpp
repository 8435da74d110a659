// Links open, carry traffic, and end. The rule of which one carries is in pool_state.hpp.
#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "link/pool_state.hpp"

namespace ekiden::link {

void LinkPool::State::receive(Now now, ConnId id, ByteView bytes, Out& out) {
  auto* conn = find(id);
  if (conn == nullptr || !conn->link) return;
  charge_read(now, id, bytes.size());
  conn->link->receive(now, bytes, events);
  events.drain([&](LinkEvent&& event) {
    std::visit(Overloaded{
                   [&](LinkOpened& open) { on_opened(now, id, std::move(open.remote), out); },
                   [&](Message& message) {
                     // The record that opened the link may carry messages; a link that was refused has none.
                     if (const auto* known = find(id); known != nullptr && known->opened) out.push(std::move(message));
                   },
                   [&](const PeerClosed&) {
                     if (const auto* known = find(id); known != nullptr && known->opened)
                       choose(now, *known->peer, out);
                   },
               },
               event);
  });
  settle(now, id, out);
}

void LinkPool::State::on_opened(Now now, ConnId id, RemoteParty remote, Out& out) {
  auto& conn = *find(id);
  release_half_open(conn);
  const auto* known = find(remote.id);
  if (auto room = make_room(now, conn, known != nullptr && known->wanted, out); !room) {
    if (!conn.dialled) notice(now, room.error(), conn.remote, out);
    conn.link->close(now, CloseReason::limit, std::move(room).error());
    return;
  }
  auto& peer = peers[remote.id];
  if (peer.dialling == id) peer.dialling.reset();
  stop_dialling(peer, out);
  redials.cancel(remote.id);
  count_opened(conn);
  conn.peer = remote.id;
  conn.since = now.mono;
  conn.link->set_wanted(peer.wanted);
  if (conn.dialled && !peer.wanted) conn.link->set_idle_timeout(config.brief_idle_timeout);
  peer.noise_key = remote.noise_key;
  peer.next_endpoint = 0;
  const bool first = peer.links.empty();
  peer.links.push_back(id);
  const auto sequence = remote.record.record.sequence;
  const bool is_news = first || sequence > peer.sequence.value_or(0);
  if (is_news) {
    peer.sequence = sequence;
    out.push(Up{remote.record, conn.dialled, remote.version, remote.features});
  }
  if (conn.probe) {
    out.push(Probed{id, ProbeAnswer{.record = std::move(remote.record),
                                    .round_trip = conn.link->round_trip().value_or(Duration(0)),
                                    .version = remote.version,
                                    .features = remote.features,
                                    .address = conn.address}});
  }
  choose(now, *conn.peer, out);
  trim(now, *conn.peer, out);
}

LinkPool::State::Conn* LinkPool::State::carrier(const identity::PeerId& id) {
  const auto* peer = find(id);
  if (peer == nullptr) return nullptr;
  Conn* fallback = nullptr;
  for (auto i = peer->links.rbegin(); i != peer->links.rend(); ++i) {
    Conn* conn = find(*i);
    if (!conn->link->is_open()) continue;
    if (!conn->link->peer_has_closed()) return conn;
    if (fallback == nullptr) fallback = conn;
  }
  return fallback;
}

const LinkPool::State::Conn* LinkPool::State::carrier(const identity::PeerId& id) const {
  return const_cast<State*>(this)->carrier(id);
}

/// Leaves all links but the carrier: every one if we are the chooser, else those that the chooser has left.
void LinkPool::State::choose(Now now, const identity::PeerId& id, Out& out) {
  Conn* best = carrier(id);
  if (best == nullptr) return;
  const bool is_chooser = local.self.id() < id;
  std::optional<ConnId> best_id;
  const auto links = find(id)->links;  // A copy: settling may remove links.
  for (const auto other : links) {
    auto* conn = find(other);
    if (conn == best) best_id = other;
    if (conn == best || !conn->link->is_open()) continue;
    if (!is_chooser && !conn->link->peer_has_closed()) continue;
    best->link->adopt(*conn->link);
    conn->link->close(now, CloseReason::superseded, {Errc::closed, "another link to the same node took over"});
    settle(now, other, out);
  }
  if (best_id) settle(now, *best_id, out);
}

/// More links than max_links_per_peer: the oldest is dead or about to be. Who is no chooser cannot close it politely.
void LinkPool::State::trim(Now now, const identity::PeerId& id, Out& out) {
  for (const auto* peer = find(id); peer != nullptr && peer->links.size() > config.max_links_per_peer;
       peer = find(id)) {
    const auto oldest = peer->links.front();
    if (auto* best = carrier(id); best != nullptr && best != find(oldest)) {
      best->link->adopt(*find(oldest)->link);
      count_queued(*best);
    }
    hang_up(now, oldest, {Errc::limit_exceeded, "newer links to the same node took its place"}, out);
  }
}

/// After every input to a link: what has become of it, what it wants to write, when to look at it again.
void LinkPool::State::settle(Now now, ConnId id, Out& out) {
  auto* conn = find(id);
  if (conn == nullptr || !conn->link) return;
  auto& link = *conn->link;
  count_queued(*conn);
  if (link.is_finished()) return hang_up(now, id, link.why(), out);
  if (link.has_output() && !conn->write_said) {
    conn->write_said = true;
    out.push(WantWrite{id});
  }
  timers.set_no_later_than(id, link.deadline());
}

void LinkPool::State::hang_up(Now now, ConnId id, Error why, Out& out) {
  out.push(Hangup{id});
  remove(now, id, std::move(why), out);
}

/// The connection is gone, or is given up.
void LinkPool::State::remove(Now now, ConnId id, Error why, Out& out) {
  const auto found = conns.find(id);
  CHECK(found != conns.end());
  Conn conn = std::move(found->second);
  conns.erase(found);
  timers.cancel(id);
  release(conn);
  if (conn.link) local.contexts.forget_keys();
  if (conn.opened) return peer_lost_link(now, id, conn, std::move(why), out);
  if (!conn.dialled) return notice(now, std::move(why), conn.remote, out);
  if (conn.probe) return out.push(Probed{id, fail(conn.remote, std::move(why))});
  attempt_failed(now, *conn.peer, fail(conn.remote, std::move(why)).error(), out);
}

void LinkPool::State::peer_lost_link(Now now, ConnId id, const Conn& conn, Error why, Out& out) {
  auto& peer = *find(*conn.peer);
  std::erase(peer.links, id);
  if (!peer.links.empty()) return choose(now, *conn.peer, out);
  peer.sequence.reset();
  out.push(Down{*conn.peer, std::move(why)});
  if (peer.wanted && !shutting_down) {
    // A link that lasted ends the series of failures; one that did not must not make us dial in a tight loop.
    const bool lasted = now.mono >= conn.since + config.keepalive_interval;
    if (lasted || peer.failures == 0) peer.failing_since = now.mono;
    peer.failures = lasted ? 0 : peer.failures + 1;
    if (!peer.dialling) schedule_redial(now, *conn.peer, peer);
  }
  forget_if_idle(*conn.peer);
}

LinkPool::State::Conn* LinkPool::State::find(ConnId id) {
  const auto found = conns.find(id);
  return found == conns.end() ? nullptr : &found->second;
}

LinkPool::State::Peer* LinkPool::State::find(const identity::PeerId& id) {
  const auto found = peers.find(id);
  return found == peers.end() ? nullptr : &found->second;
}

}  // namespace ekiden::link
