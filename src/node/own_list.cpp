#include "node/own_list.hpp"

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
  if (!own_list.is_pending && !list_is_current(now, nodes)) renew_list(now, std::move(nodes));
  if (own_list.is_pending) {
    own_list.askers.insert(from);
  } else {
    send_list(now, from);
  }
  return {};
}

bool Node::Impl::list_is_current(Now now, const std::vector<bootstrap::ListedNode>& nodes) const {
  if (!own_list.made) return false;
  const auto half = std::chrono::duration_cast<milliseconds>(config.list_ttl) / 2;
  const bool is_of_now =
      now.wall < own_list.content.issued_at + half && own_list.content.issued_at <= now.wall + kMaxAhead;
  if (!is_of_now) return false;
  return now.mono - *own_list.made < config.list_interval || own_list.content.nodes == nodes;
}

void Node::Impl::renew_list(Now now, std::vector<bootstrap::ListedNode> nodes) {
  own_list.sequence = std::max(own_list.sequence + 1, to_unix_ms(now.wall));
  own_list.content = {
      .public_key = self.public_key(),
      .sequence = own_list.sequence,
      .issued_at = now.wall,
      .ttl_seconds = static_cast<std::uint32_t>(std::chrono::duration_cast<seconds>(config.list_ttl).count()),
      .nodes = std::move(nodes)};
  auto signed_list = bootstrap::sign_list(self, own_list.content);
  // The best nodes come first: those that do not fit are the worst.
  while (!signed_list && signed_list.error().code == Errc::too_large && !own_list.content.nodes.empty()) {
    own_list.content.nodes.resize(own_list.content.nodes.size() * 3 / 4);
    signed_list = bootstrap::sign_list(self, own_list.content);
  }
  CHECK(signed_list.has_value());  // Its nodes come from discovery, which lets no unusable one in.
  batch.put(store::Table::meta, as_bytes(kListRowName), wire::encode(RecordRow{own_list.sequence}));
  waiting.list = std::move(*signed_list);
  own_list.made = now.mono;
  own_list.is_pending = true;
}

void Node::Impl::publish_list(Now now, Bytes persisted) {
  own_list.signed_bytes = std::move(persisted);
  own_list.is_pending = false;
  for (const identity::PeerId& asker : std::exchange(own_list.askers, {})) send_list(now, asker);
}

void Node::Impl::send_list(Now now, const identity::PeerId& to) {
  if (links.is_up(to)) send_message(now, to, wire::Priority::low, wire::MessageType::list, own_list.signed_bytes);
}

}  // namespace ekiden::node
