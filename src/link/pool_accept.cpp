// Connections from outside: what is admitted before anybody has proven anything, and what is told about the rest.
#include <string>
#include <utility>

#include "base/check.hpp"
#include "identity/node_info.hpp"
#include "link/pool_state.hpp"

namespace ekiden::link {

/// The limits count handshakes under way, per customer-sized prefix and in total. Attack: connections that never
/// finish a handshake (slowloris) would otherwise use up descriptors and memory; with the prefix limit one network
/// cannot use up the places of all others, and the deadline of the handshake gives each place back.
Status LinkPool::State::admit(const identity::AddressPrefix& prefix) const {
  if (half_open >= config.max_half_open) {
    return fail(Errc::limit_exceeded, "refused: " + std::to_string(half_open) + " handshakes are under way");
  }
  const auto found = half_open_by_prefix.find(prefix);
  if (found != half_open_by_prefix.end() && found->second >= config.max_half_open_per_prefix) {
    return fail(Errc::limit_exceeded,
                "refused: " + std::to_string(found->second) + " handshakes are under way from " + prefix.text());
  }
  return {};
}

void LinkPool::State::accept(Now now, ConnId id, const identity::SocketAddress& from,
                             identity::Endpoint::Transport transport, Out& out) {
  CHECK(static_cast<std::uint64_t>(id) >= kFirstAccepted && !conns.contains(id));
  const auto prefix = identity::prefix_of(from.ip);
  auto admitted = shutting_down ? fail(Errc::closed, "refused: this node is stopping") : admit(prefix);
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
