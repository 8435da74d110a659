// The graceful end of a pool, and what always holds in it.
#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "link/pool_state.hpp"

namespace ekiden::link {

void LinkPool::State::shut_down(Now now, Out& out) {
  shutting_down = true;
  std::vector<identity::PeerId> wanted_peers;
  for (const auto& [id, peer] : peers) {
    if (peer.wanted) wanted_peers.push_back(id);
  }
  for (const auto& id : wanted_peers) unwant(id, /*is_over=*/true);
  std::vector<ConnId> all;
  for (const auto& [id, conn] : conns) all.push_back(id);
  const Error why{Errc::closed, "this node is stopping"};
  for (const auto id : all) {
    auto* conn = find(id);
    if (conn == nullptr) continue;
    if (conn->link) {
      conn->link->close(now, CloseReason::going_away, why);
      settle(now, id, out);
    } else {
      hang_up(now, id, why, out);
    }
  }
}

void LinkPool::State::check_invariants() const {
  for (const auto& [id, conn] : conns) {
    CHECK(conn.id == id && timers.at(id).has_value());
    check_conn(conn);
  }
  CHECK(timers.size() == conns.size());
  check_counts();
  check_peers();
}

void LinkPool::State::check_conn(const Conn& conn) const {
  CHECK(conn.dialled == (static_cast<std::uint64_t>(conn.id) < kFirstAccepted));
  CHECK(conn.dialled != conn.prefix.has_value());
  CHECK(conn.link || conn.dialled);
  CHECK(!conn.opened || (conn.link && conn.peer && !conn.half_open));
  CHECK(!conn.dialled || conn.peer);
  CHECK(conn.dialled || !conn.probe);
  if (!conn.link) return;
  conn.link->check_invariants();
  CHECK(!conn.link->is_finished());
  CHECK(!conn.link->has_output() || conn.write_said);  // Otherwise nobody would ever pull it.
  CHECK(*timers.at(conn.id) <= conn.link->deadline());
  CHECK(conn.counted_queued == conn.link->queued_bytes());
  if (!conn.opened) return;
  const auto& links = peers.at(*conn.peer).links;
  CHECK(std::count(links.begin(), links.end(), conn.id) == 1);
}

void LinkPool::State::check_counts() const {
  Counts half_open_from;
  Counts opened_from;
  std::size_t half_opens = 0;
  std::size_t opens = 0;
  std::size_t bytes = 0;
  for (const auto& [id, conn] : conns) {
    if (conn.half_open) ++half_open_from[*conn.prefix];
    if (conn.opened && conn.prefix) ++opened_from[*conn.prefix];
    half_opens += conn.half_open ? 1 : 0;
    opens += conn.opened ? 1 : 0;
    bytes += conn.counted_queued;
  }
  CHECK(half_open_from == half_open_by_prefix && half_opens == half_open && half_open <= config.max_half_open);
  CHECK(opened_from == opened_by_prefix && opens == opened && opened <= config.max_links);
  for (const auto& [prefix, count] : opened_by_prefix) CHECK(count <= config.max_links_per_prefix);
  gate.check_invariants();
  CHECK(bytes == queued && queued <= config.max_queued_total);
}

void LinkPool::State::check_peers() const {
  std::size_t counted_wanted = 0;
  for (const auto& [id, peer] : peers) {
    CHECK(id != local.self.id());
    counted_wanted += peer.wanted ? 1 : 0;
    CHECK(peer.wanted || peer.dialling || !peer.links.empty());
    CHECK(peer.links.size() <= config.max_links_per_peer);
    CHECK(peer.links.empty() == !peer.sequence.has_value());
    std::size_t open = 0;
    for (const auto link : peer.links) {
      const auto& conn = conns.at(link);
      CHECK(conn.opened && conn.peer == id);
      open += conn.link->is_open() ? 1 : 0;
    }
    if (local.self.id() < id) CHECK(open <= 1);  // The chooser has chosen.
    if (peer.dialling) CHECK(conns.at(*peer.dialling).peer == id && !conns.at(*peer.dialling).opened);
    const bool waits = peer.wanted && !peer.dialling && peer.links.empty();
    if (redials.at(id)) CHECK(waits);
    if (waits && !peer.endpoints.empty()) CHECK(redials.at(id));  // Otherwise nobody would ever dial it again.
  }
  CHECK(counted_wanted == wanted && wanted <= config.max_wanted);
  CHECK(redials.size() <= peers.size());
}

}  // namespace ekiden::link
