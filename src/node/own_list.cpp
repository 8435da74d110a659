// The bootstrap list that we sign, for those who ask: the nodes that discovery itself has reached in this run.
//
// Like the own record it is shown to nobody before its sequence number is on disk, and the number is not below the wall
// clock (own_record.cpp tells why). It is made anew when somebody asks and the nodes have changed, at most once in
// list_interval, or half its lifetime is over.
//
// A link may ask once in list_pause; more requests are bad messages. Attack: a neighbour that asks all the time, for a
// byte each, to be sent 16 KiB.
#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "node/impl.hpp"

namespace ekiden::node {
Status Node::Impl::on_list_request(Now now, const identity::PeerId& from) {
  const auto neighbour = neighbours.find(from);
  if (neighbour == neighbours.end()) return {};  // It came with the end of the link.
  std::optional<Instant>& last = neighbour->second.list_asked;
  if (last && now.mono - *last < config.list_pause) {
    return fail(Errc::limit_exceeded, "the bootstrap list is asked for too often");
  }
  last = now.mono;
  auto nodes = bootstrap.listing(bootstrap::kMaxListNodes);
  if (!list_pending && !list_is_current(now, nodes)) renew_list(now, std::move(nodes));
  if (list_pending) {
    list_askers.insert(from);
  } else {
    send_list(now, from);
  }
  return {};
}

bool Node::Impl::list_is_current(Now now, const std::vector<bootstrap::ListedNode>& nodes) const {
  if (!list_made) return false;
  const auto half = std::chrono::duration_cast<milliseconds>(config.list_ttl) / 2;
  const bool is_of_now = now.wall < list_content.issued_at + half && list_content.issued_at <= now.wall + kMaxAhead;
  if (!is_of_now) return false;
  return now.mono - *list_made < config.list_interval || list_content.nodes == nodes;
}

void Node::Impl::renew_list(Now now, std::vector<bootstrap::ListedNode> nodes) {
  list_sequence = std::max(list_sequence + 1, to_unix_ms(now.wall));
  list_content = {
      .public_key = self.public_key(),
      .sequence = list_sequence,
      .issued_at = now.wall,
      .ttl_seconds = static_cast<std::uint32_t>(std::chrono::duration_cast<seconds>(config.list_ttl).count()),
      .nodes = std::move(nodes)};
  auto signed_list = bootstrap::sign_list(self, list_content);
  // The best nodes come first: those that do not fit are the worst.
  while (!signed_list && signed_list.error().code == Errc::too_large && !list_content.nodes.empty()) {
    list_content.nodes.resize(list_content.nodes.size() * 3 / 4);
    signed_list = bootstrap::sign_list(self, list_content);
  }
  CHECK(signed_list.has_value());  // Its nodes come from discovery, which lets no unusable one in.
  batch.put(store::Table::meta, as_bytes(kListRowName), wire::encode(RecordRow{list_sequence}));
  waiting.list = std::move(*signed_list);
  list_made = now.mono;
  list_pending = true;
}

void Node::Impl::publish_list(Now now, Bytes persisted) {
  list = std::move(persisted);
  list_pending = false;
  for (const identity::PeerId& asker : std::exchange(list_askers, {})) send_list(now, asker);
}

void Node::Impl::send_list(Now now, const identity::PeerId& to) {
  if (links.is_up(to)) send_message(now, to, wire::Priority::low, wire::MessageType::list, list);
}

}  // namespace ekiden::node
