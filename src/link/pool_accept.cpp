// Connections from outside: what is admitted before anybody has proven anything, and what is told about the rest.
#include <optional>
#include <string>
#include <utility>

#include "base/check.hpp"
#include "identity/node_info.hpp"
#include "link/pool_state.hpp"

namespace ekiden::link {
namespace {

/// So long a handshake keeps its place when others wait, wherever it comes from: several round trips of a slow path.
constexpr Duration kPatience = seconds(2);

}  // namespace

/// The limits count handshakes under way, per customer-sized prefix and in total. Attack: connections that never
/// finish a handshake (slowloris) would otherwise use up descriptors and memory; with the prefix limit one network
/// cannot use up the places of all others, and the deadline of the handshake gives each place back. Who has enough
/// networks for all places loses one to each newcomer.
Status LinkPool::State::admit(Now now, const identity::AddressPrefix& prefix, Out& out) {
  const std::size_t own = handshakes_from(prefix);
  if (own >= config.max_half_open_per_prefix) {
    return fail(Errc::limit_exceeded,
                "refused: " + std::to_string(own) + " handshakes are under way from " + prefix.text());
  }
  if (half_open >= config.max_half_open && !free_half_open(now, own, out)) {
    return fail(Errc::limit_exceeded, "refused: " + std::to_string(half_open) + " handshakes are under way");
  }
  return {};
}

std::size_t LinkPool::State::handshakes_from(const identity::AddressPrefix& prefix) const {
  const auto found = half_open_by_prefix.find(prefix);
  return found == half_open_by_prefix.end() ? 0 : found->second;
}

/// Of the networks that have most handshakes under way, the oldest of these gives its place to a newcomer whose network
/// has `own`: at once if those have more than that one would have then, else once it has had the time of a slow
/// handshake. So whoever fills all places has to open new connections all the time, from ever more networks, and others
/// still come in. False if nobody gives way.
bool LinkPool::State::free_half_open(Now now, std::size_t own, Out& out) {
  std::optional<ConnId> victim;
  std::size_t most = 0;
  Instant oldest{};
  for (const auto& [id, conn] : conns) {
    if (!conn.half_open) continue;
    const std::size_t count = handshakes_from(*conn.prefix);
    if (count < most || (count == most && conn.since >= oldest)) continue;
    victim = id;
    most = count;
    oldest = conn.since;
  }
  if (!victim || (most <= own + 1 && now.mono - oldest < kPatience)) return false;
  hang_up(now, *victim, {Errc::limit_exceeded, "its handshake gave its place to another"}, out);
  return true;
}

void LinkPool::State::accept(Now now, ConnId id, const identity::SocketAddress& from,
                             identity::Endpoint::Transport transport, Out& out) {
  CHECK(static_cast<std::uint64_t>(id) >= kFirstAccepted && !conns.contains(id));
  const auto prefix = identity::prefix_of(from.ip);
  auto admitted = shutting_down ? fail(Errc::closed, "refused: this node is stopping") : admit(now, prefix, out);
  if (!admitted) {
    notice(now, std::move(admitted).error(), from.text(), out);
    out.push(Hangup{id});
    return;
  }
  CHECK(!local.record.empty());
  Conn conn{.id = id,
            .remote = from.text(),
            .transport = transport,
            .since = now.mono,
            .prefix = prefix,
            .half_open = true,
            .address = from};
  conn.link = Link::accept(now, config, local, rng.bytes<32>());
  conns.emplace(id, std::move(conn));
  ++half_open;
  ++half_open_by_prefix[prefix];
  charge_handshake(now, id);
  settle(now, id, out);
}

void LinkPool::State::release_half_open(Conn& conn) {
  if (!std::exchange(conn.half_open, false)) return;
  const auto found = half_open_by_prefix.find(*conn.prefix);
  CHECK(found != half_open_by_prefix.end() && found->second > 0 && half_open > 0);
  if (--found->second == 0) half_open_by_prefix.erase(found);
  --half_open;
}

void LinkPool::State::notice(Now now, Error what, const std::string& remote, Out& out) {
  if (notices.admit(now.mono, what.message)) out.push(Notice{std::move(what), remote});
}

}  // namespace ekiden::link
