#include "dht/messages.hpp"

#include <algorithm>
#include <array>

#include "base/check.hpp"

namespace ekiden::dht {
namespace {

constexpr std::size_t kMappedPrefix = 12;

bool is_v4(const identity::NodeInfo& node) { return node.at.ip.family == identity::IpAddress::Family::v4; }

/// Key, address, port.
void write_node(MutableBytes to, const identity::NodeInfo& node) {
  const ByteView address = ByteView(node.at.ip.bytes).subspan(is_v4(node) ? kMappedPrefix : 0);
  std::ranges::copy(node.public_key.bytes, to.begin());
  std::ranges::copy(address, to.begin() + 32);
  put_be(to.last(2), node.at.port);
}

identity::NodeInfo read_node(ByteView from) {
  identity::NodeInfo node;
  node.public_key.bytes = take_array<32>(from);
  const ByteView address = from.subspan(32);
  node.at.ip = from.size() == kNode4Size ? identity::IpAddress::v4(take_array<4>(address))
                                         : identity::IpAddress::v6(take_array<16>(address));
  node.at.port = get_be<std::uint16_t>(from.last(2));
  return node;
}

std::unexpected<Error> incomplete(std::string_view field) {
  return fail(Errc::malformed, "dht_query." + std::string(field) + " is missing");
}

}  // namespace

Result<Query> decode_query(ByteView body) {
  if (body.size() > kMaxBody) return fail(Errc::too_large, "the query has more than 1200 bytes");
  EKIDEN_ASSIGN(Query query, wire::decode<Query>(body));
  const bool names_value = query.kind == QueryKind::find_value || query.kind == QueryKind::store;
  if (query.kind != QueryKind::ping && !query.target) return incomplete("target");
  if (names_value && !query.value_kind) return incomplete("value_kind");
  if (query.kind == QueryKind::store && !query.value) return incomplete("value");
  return query;
}

Result<Reply> decode_reply(ByteView body) {
  if (body.size() > kMaxBody) return fail(Errc::too_large, "the reply has more than 1200 bytes");
  EKIDEN_ASSIGN(Reply reply, wire::decode<Reply>(body));
  if (reply.nodes4.size() % kNode4Size != 0 || reply.nodes6.size() % kNode6Size != 0) {
    return fail(Errc::malformed, "dht_reply: its last node is cut off");
  }
  if (reply.observed && reply.observed->size() != kAddress4Size && reply.observed->size() != kAddress6Size) {
    return fail(Errc::malformed, "dht_reply: observed is not an address");
  }
  return reply;
}

bool NodePacker::add(const identity::NodeInfo& node) {
  if (is_v4(node)) {
    if (size4_ + kNode4Size > four_.size()) return false;
    write_node(MutableBytes(four_).subspan(size4_, kNode4Size), node);
    size4_ += kNode4Size;
  } else {
    if (size6_ + kNode6Size > six_.size()) return false;
    write_node(MutableBytes(six_).subspan(size6_, kNode6Size), node);
    size6_ += kNode6Size;
  }
  return true;
}

std::size_t NodePacker::size_of(const identity::NodeInfo& node) { return is_v4(node) ? kNode4Size : kNode6Size; }

std::size_t pack_address(const identity::SocketAddress& address, ByteArray<kAddress6Size>& to) {
  const bool is_short = address.ip.family == identity::IpAddress::Family::v4;
  const ByteView ip = ByteView(address.ip.bytes).subspan(is_short ? kMappedPrefix : 0);
  std::ranges::copy(ip, to.begin());
  put_be(MutableBytes(to).subspan(ip.size(), 2), address.port);
  return ip.size() + 2;
}

std::optional<identity::SocketAddress> observed_in(const Reply& reply) {
  if (!reply.observed) return std::nullopt;
  const ByteView bytes = *reply.observed;
  const auto ip = bytes.size() == kAddress4Size ? identity::IpAddress::v4(take_array<4>(bytes))
                                                : identity::IpAddress::v6(take_array<16>(bytes));
  return identity::SocketAddress{ip, get_be<std::uint16_t>(bytes.last(2))};
}

std::size_t count_nodes(const Reply& reply) {
  return reply.nodes4.size() / kNode4Size + reply.nodes6.size() / kNode6Size;
}

identity::NodeInfo node_at(const Reply& reply, std::size_t index) {
  CHECK(index < count_nodes(reply));
  const std::size_t fours = reply.nodes4.size() / kNode4Size;
  if (index < fours) return read_node(reply.nodes4.subspan(index * kNode4Size, kNode4Size));
  return read_node(reply.nodes6.subspan((index - fours) * kNode6Size, kNode6Size));
}

std::string_view outcome_text(Outcome outcome) {
  constexpr std::array<std::string_view, 8> kTexts = {
      "done",      "the query was malformed", "not supported",   "the session was not proven",
      "not close", "too many stores",         "a newer is kept", "the value is not valid"};
  return kTexts[static_cast<std::size_t>(outcome)];
}

}  // namespace ekiden::dht
