// Reading: whose bytes are taken now, and what taking them has cost.
#include "base/check.hpp"
#include "link/pool_state.hpp"

namespace ekiden::link {
namespace {

// What is done for bytes before anybody knows what they say, rounded up. Measured on one core of 2.5 GHz or so; a
// slower machine gives strangers a larger share of it.
constexpr Duration kHandshakeWork = microseconds(400);  ///< four X25519, a signature, a record to sign and to write
constexpr Duration kReadWork = microseconds(10);
constexpr Duration kKilobyteWork = microseconds(1);

std::optional<identity::AddressPrefix> origin_of(const auto& conn) {
  if (conn.prefix) return conn.prefix;
  return conn.address ? std::optional(identity::prefix_of(conn.address->ip)) : std::nullopt;
}

}  // namespace

/// Those for whom others wait, whom we want, and whoever we cannot tell from where it comes: we have dialled it.
bool LinkPool::State::is_ours_to_read(const Conn& conn) const {
  if (!guarded || !origin_of(conn)) return true;
  return conn.peer && is_ours(*conn.peer);
}

bool LinkPool::State::may_read(Now now, ConnId id) {
  Conn* conn = find(id);
  if (conn == nullptr || !conn->link) return true;
  bool is_read = is_ours_to_read(*conn);
  if (is_read) {
    if (conn->unread) stop_waiting(*conn);
  } else {
    is_read = gate.admits(now.mono, *origin_of(*conn), id);
    gate_at = gate.deadline(now.mono);
  }
  conn->unread = !is_read;
  conn->link->set_unread(now, !is_read);
  timers.set_no_later_than(id, conn->link->deadline());
  return is_read;
}

void LinkPool::State::stop_waiting(const Conn& conn) {
  if (const auto origin = origin_of(conn)) gate.forget(*origin, conn.id);
}

void LinkPool::State::charge(Now now, const Conn& conn, Duration work) {
  if (!is_ours_to_read(conn)) gate.charge(now.mono, *origin_of(conn), work);
}

void LinkPool::State::charge_handshake(Now now, ConnId id) { charge(now, *find(id), kHandshakeWork); }

void LinkPool::State::charge_read(Now now, ConnId id, std::size_t bytes) {
  if (const Conn* conn = find(id))
    charge(now, *conn, kReadWork + kKilobyteWork * static_cast<std::int64_t>(bytes / 1024));
}

/// One after the other: each pays for its read before the next one has its turn, unless its prefix owes little.
void LinkPool::State::resume_waiting(Now now, Out& out) {
  if (!gate_at || *gate_at > now.mono) return;
  while (const auto id = gate.next(now.mono)) out.push(Resume{*id});
  gate_at = gate.deadline(now.mono);
}

}  // namespace ekiden::link
