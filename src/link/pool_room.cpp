// Room: how many links may be open and how many bytes may wait on them, and who gives way when there is none.
//
// Whom we want (somebody here has something for it) comes before everybody else. What the other side wants, its *keep*,
// counts for nothing here, for everybody can say it. Attack: one host with many identities opens all links of a node
// and keeps them busy, and the owner's contacts find no place.
#include <string>
#include <utility>

#include "base/check.hpp"
#include "link/pool_state.hpp"

namespace ekiden::link {

/// A place for one more open link.
Status LinkPool::State::make_room(Now now, const Conn& newcomer, bool is_wanted, Out& out) {
  if (newcomer.prefix) {
    const auto found = opened_by_prefix.find(*newcomer.prefix);
    const bool is_full = found != opened_by_prefix.end() && found->second >= config.max_links_per_prefix;
    if (is_full && !evict(now, newcomer.prefix, is_wanted, out)) {
      return fail(Errc::limit_exceeded, "refused: " + std::to_string(config.max_links_per_prefix) +
                                            " links are open from " + newcomer.prefix->text());
    }
  }
  if (opened >= config.max_links && !evict(now, std::nullopt, is_wanted, out)) {
    return fail(Errc::limit_exceeded, "refused: this node has as many links as it may");
  }
  return {};
}

/// Closes the link that has been without messages for longest, of those that nobody here wants (and, if given, of that
/// prefix). For a newcomer whom nobody wants either, only if that link had its minute of silence: who is connected and
/// in use stays, for the newcomer has done nothing for us yet. False if there is none.
bool LinkPool::State::evict(Now now, const std::optional<identity::AddressPrefix>& from, bool for_wanted, Out& out) {
  std::optional<ConnId> victim;
  Instant oldest = for_wanted ? now.mono : now.mono - 2 * config.keepalive_interval;
  for (const auto& [id, conn] : conns) {
    if (!conn.opened || (from && conn.prefix != from)) continue;
    if (peers.at(*conn.peer).wanted || conn.link->last_message() > oldest) continue;
    victim = id;
    oldest = conn.link->last_message();
  }
  if (victim) hang_up(now, *victim, {Errc::closed, "its place was needed for another link"}, out);
  return victim.has_value();
}

Status LinkPool::State::send(Now now, const identity::PeerId& to, wire::Priority priority, ByteView message, Out& out) {
  auto* conn = carrier(to);
  if (conn == nullptr) return fail(Errc::unreachable, "no link to " + to.short_text());
  EKIDEN_TRY(reserve(now, *conn, kFrameHeader + message.size(), out));
  EKIDEN_TRY(conn->link->send(now, priority, message));
  if (message[0] < sent_bytes.size()) sent_bytes[message[0]] += kFrameHeader + message.size();
  count_queued(*conn);
  if (!conn->write_said) {
    conn->write_said = true;
    out.push(WantWrite{conn->id});
  }
  return {};
}

/// Keeps what waits on all links within max_queued_total. Who takes least of what we send, and is wanted by nobody,
/// loses its link, unless it has no more than an even share of the whole. Attack: readers that are slow on purpose,
/// each within the limit of its own link, would otherwise fill the memory, or stop what is sent to everybody else.
Status LinkPool::State::reserve(Now now, const Conn& sender, std::size_t bytes, Out& out) {
  while (queued + bytes > config.max_queued_total) {
    const Conn* fullest = nullptr;
    std::size_t most = config.max_queued_total / config.max_links;
    for (const auto& [id, conn] : conns) {
      if (conn.counted_queued <= most || peers.at(*conn.peer).wanted) continue;
      fullest = &conn;
      most = conn.counted_queued;
    }
    if (fullest == nullptr || fullest->peer == sender.peer) {
      return fail(Errc::limit_exceeded, "the queues of the links are full: " + std::to_string(queued) +
                                            " bytes wait on all of them; try again later");
    }
    hang_up(now, fullest->id,
            {Errc::limit_exceeded, "the other side does not take what we send, and its room was needed"}, out);
  }
  return {};
}

void LinkPool::State::count_opened(Conn& conn) {
  CHECK(!conn.opened && !conn.half_open);
  conn.opened = true;
  ++opened;
  if (conn.prefix) ++opened_by_prefix[*conn.prefix];
}

/// After everything that may have changed the queue of the link.
void LinkPool::State::count_queued(Conn& conn) {
  queued -= conn.counted_queued;
  conn.counted_queued = conn.link->queued_bytes();
  queued += conn.counted_queued;
}

/// What a connection that ends has taken.
void LinkPool::State::release(Conn& conn) {
  release_half_open(conn);
  if (conn.unread) stop_waiting(conn);
  queued -= std::exchange(conn.counted_queued, 0);
  if (!conn.opened) return;
  --opened;
  if (!conn.prefix) return;
  const auto found = opened_by_prefix.find(*conn.prefix);
  CHECK(found != opened_by_prefix.end() && found->second > 0);
  if (--found->second == 0) opened_by_prefix.erase(found);
}

}  // namespace ekiden::link
