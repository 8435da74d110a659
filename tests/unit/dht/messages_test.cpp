#include "dht/messages.hpp"

#include <gtest/gtest.h>

#include "dht/rows.hpp"
#include "support/arbitrary_message.hpp"
#include "support/golden.hpp"
#include "support/hostile.hpp"
#include "testing.hpp"

namespace ekiden::dht {
namespace {

identity::NodeInfo node6(std::size_t number) {
  identity::NodeInfo node = fake_node(number);
  node.at.ip = *identity::IpAddress::parse("2a01:4f8::" + std::to_string(number + 1));
  return node;
}

Bytes sample_store() {
  static const Bytes kValue = {1, 2, 3};
  return wire::encode(Query{.kind = QueryKind::store,
                            .target = Key::of(fake_node(1).id()),
                            .value_kind = ValueKind::announcement,
                            .value = ByteView(kValue)});
}

Bytes sample_reply() {
  NodePacker packer;
  packer.add(fake_node(1));
  packer.add(node6(2));
  const Bytes value = {4, 5, 6};
  return wire::encode(Reply{
      .outcome = Outcome::done, .nodes4 = packer.nodes4(), .nodes6 = packer.nodes6(), .values = {ByteView(value)}});
}

Bytes sample_pong(const identity::SocketAddress& address) {
  ByteArray<kAddress6Size> packed;
  const std::size_t size = pack_address(address, packed);
  return wire::encode(Reply{.observed = ByteView(packed).first(size)});
}

TEST(Messages, HaveTheirGoldenBytes) {
  test::check_golden_bytes("dht_store", sample_store());
  test::check_golden_bytes("dht_reply", sample_reply());
  test::check_golden_bytes("dht_ping", wire::encode(Query{}));
  test::check_golden_bytes("dht_pong", sample_pong(fake_node(1).at));
}

TEST(Messages, TheAddressOfTheAskerSurvivesBeingPacked) {
  for (const identity::SocketAddress& address : {fake_node(1).at, node6(2).at}) {
    const Bytes body = sample_pong(address);
    const auto reply = decode_reply(body);
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(observed_in(*reply), address);
  }
  EXPECT_FALSE(observed_in(Reply{}));
  const Bytes odd(7);
  EXPECT_FALSE(decode_reply(wire::encode(Reply{.observed = ByteView(odd)})));
}

TEST(Messages, NodesSurviveBeingPacked) {
  NodePacker packer;
  const std::vector<identity::NodeInfo> nodes = {fake_node(1), fake_node(2), node6(3), node6(4)};
  for (const auto& node : nodes) ASSERT_TRUE(packer.add(node));
  const Bytes body = wire::encode(Reply{.nodes4 = packer.nodes4(), .nodes6 = packer.nodes6()});
  const auto reply = decode_reply(body);
  ASSERT_TRUE(reply) << reply.error().message;
  ASSERT_EQ(count_nodes(*reply), nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) EXPECT_EQ(node_at(*reply, i), nodes[i]);
}

TEST(Messages, TwentyNodesAndTheLargestValueFit) {
  NodePacker packer;
  for (std::size_t i = 0; i < kMaxNodes; ++i) ASSERT_TRUE(packer.add(node6(i)));
  EXPECT_FALSE(packer.add(node6(99)));
  EXPECT_LE(wire::encode(Reply{.nodes6 = packer.nodes6()}).size(), kMaxBody);
  const Bytes value(kMaxValue, 7);
  const Bytes store = wire::encode(
      Query{.kind = QueryKind::store, .target = Key{}, .value_kind = ValueKind::record, .value = ByteView(value)});
  EXPECT_LE(store.size(), kMaxBody);
}

TEST(Messages, AQueryNeedsWhatItsKindNeeds) {
  const auto refused = [](const Query& query) { return !decode_query(wire::encode(query)); };
  EXPECT_FALSE(refused({.kind = QueryKind::ping}));
  EXPECT_TRUE(refused({.kind = QueryKind::find_node}));
  EXPECT_FALSE(refused({.kind = QueryKind::find_node, .target = Key{}}));
  EXPECT_TRUE(refused({.kind = QueryKind::find_value, .target = Key{}}));
  EXPECT_FALSE(refused({.kind = QueryKind::find_value, .target = Key{}, .value_kind = ValueKind::record}));
  EXPECT_TRUE(refused({.kind = QueryKind::store, .target = Key{}, .value_kind = ValueKind::record}));
}

TEST(Messages, RefusesCutNodesUnknownKindsAndTooMuch) {
  const Bytes cut(kNode4Size + 1, 0);
  EXPECT_EQ(decode_reply(wire::encode(Reply{.nodes4 = ByteView(cut)})).error().code, Errc::malformed);
  EXPECT_EQ(decode_query(from_hex("a10004").value()).error().code, Errc::unsupported);
  EXPECT_EQ(decode_query(Bytes(kMaxBody + 1, 0)).error().code, Errc::too_large);
  EXPECT_EQ(decode_reply(Bytes(kMaxBody + 1, 0)).error().code, Errc::too_large);
}

TEST(Messages, EveryTruncationIsRefused) {
  test::for_each_truncation(sample_store(), [](ByteView cut) { EXPECT_FALSE(decode_query(cut)); });
  test::for_each_truncation(sample_reply(), [](ByteView cut) { EXPECT_FALSE(decode_reply(cut)); });
}

TEST(Rows, SurviveHostileInputAndRoundTrips) {
  test::check_round_trips<NodeRow>(1);
  test::check_round_trips<ValueRow>(2);
  test::check_hostile_input(NodeRow{.public_key = {}, .is_v4 = true, .address = {}, .port = 7});
}

}  // namespace
}  // namespace ekiden::dht
