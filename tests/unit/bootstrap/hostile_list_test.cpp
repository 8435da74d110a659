// Lists that lie, and the caps: each is told in a Notice, and none makes the node know more than it may.
#include <gtest/gtest.h>

#include "unit/bootstrap/world.hpp"

namespace ekiden::bootstrap {
namespace {

using Kind = Notice::Kind;

/// What the node at 1 gives as its list; the engine must refuse it and learn nothing.
void expect_refused(const Bytes& list, const std::string& words) {
  World world;
  world.host(1).list = list;
  world.host(2);
  world.seeds({1});
  world.run(minutes(1));
  EXPECT_EQ(world.count(Kind::list_refused), 1U) << words;
  EXPECT_EQ(world.count(Kind::list_taken), 0U) << words;
  EXPECT_NE(world.texts().find(words), std::string::npos) << world.texts();
  EXPECT_EQ(world.engine->size(), 1U) << words;
  EXPECT_EQ(world.probes.size(), 1U) << words;
  EXPECT_TRUE(world.status_of(1)->up) << words;  // It is there, whatever it says.
}

TEST(HostileList, IsRefusedWithoutAnyGrowth) {
  const auto with = [](const std::function<void(NodeList&)>& change) {
    NodeList list = list_of(1, {entry_of(2)});
    change(list);
    return list;
  };
  expect_refused(Bytes(kMaxListSize + 1, 0x80), "at most 16384 are allowed");
  expect_refused({}, "the bootstrap list is not valid");
  expect_refused(Bytes(300, 0xff), "the bootstrap list is not valid");
  expect_refused(signed_by(1, with([](NodeList& l) { l.issued_at -= days(31); })), "expired 1 day ago");
  expect_refused(signed_by(1, with([](NodeList& l) { l.issued_at += hours(1); })), "in the future");
  expect_refused(signed_by(1, with([](NodeList& l) { l.version = 2; })), "its version is 2");
  expect_refused(signed_by(1, with([](NodeList& l) { l.nodes.push_back(l.nodes[0]); })), "twice");
  expect_refused(signed_by(3, with([](NodeList&) {})), "the signature does not verify");
  expect_refused(list_bytes(3, {2}), "not by the node");
  Bytes damaged = list_bytes(1, {2});
  damaged[60] ^= 1;
  expect_refused(damaged, "");
}

TEST(HostileList, AnOldListDoesNotReplaceANewerOne) {
  World world;
  NodeList list = list_of(1, {entry_of(2)});
  list.sequence = 7;
  world.host(2);
  world.host(1).list = signed_by(1, list);
  world.seeds({1});
  world.run(minutes(1));
  list.sequence = 6;
  list.nodes = {entry_of(3)};
  world.host(1).list = signed_by(1, list);
  world.run(hours(9));
  EXPECT_EQ(world.count(Kind::list_refused), 1U) << world.texts();
  EXPECT_FALSE(world.status_of(3).has_value());
  list.sequence = 8;
  world.host(1).list = signed_by(1, list);
  world.host(3);
  world.run(hours(30));
  EXPECT_TRUE(world.status_of(3).has_value());
}

TEST(HostileList, ItsNodeIsAskedMoreAndMoreRarely) {
  World world;
  world.host(1).list = Bytes{1};
  world.host(2).list = list_bytes(2, {});
  world.seeds({1, 2});
  world.run(days(20));
  // 12, 24, 48 hours …, against four times a day.
  EXPECT_LE(world.count(Kind::list_refused), 7U);
  EXPECT_GE(world.count(Kind::list_refused), 4U);
  EXPECT_GE(world.count(Kind::list_taken), 60U);
}

TEST(HostileList, NeverMakesUsDialPrivateAddresses) {
  World world;
  world.host(1).list = signed_by(
      1, list_of(1, {entry_of(2, {"tcp://127.0.0.1:22", "tcp://[::1]:22"}), entry_of(3, {"tcp://192.168.1.1:80"}),
                     entry_of(4, {"udp://169.254.169.254:80"}), entry_of(5, {"tcp://[::ffff:10.0.0.1]:80"}),
                     entry_of(6, {"quic9://11.0.6.1:1"}), entry_of(7, {"tcp://10.0.0.1:80", address_of(7)})}));
  world.seeds({1});
  world.run(minutes(1));
  EXPECT_EQ(world.engine->size(), 2U);
  EXPECT_NE(world.texts().find("1 new, 5 without an address that may be dialled"), std::string::npos) << world.texts();
  EXPECT_EQ(world.last_probe(7)->endpoints, (std::vector{endpoint(address_of(7))}));
}

TEST(HostileList, ATestNetworkMayNamePrivateAddresses) {
  Config config;
  config.listed_as = identity::LearnedFrom::configuration;
  World world(config);
  world.host(1).list = signed_by(1, list_of(1, {entry_of(2, {"tcp://127.0.0.1:7422"})}));
  world.host(2, "tcp://127.0.0.1:7422");
  world.seeds({1});
  world.run(minutes(1));
  EXPECT_TRUE(world.up().contains(id_of(2)));
}

TEST(HostileList, ANameThatResolvesToAPrivateAddressIsNoAnswer) {
  World world;
  world.host(1).list = signed_by(1, list_of(1, {entry_of(2, {"tcp://rebind.example.org:22"})}));
  world.host(2, "tcp://rebind.example.org:22").ip = "127.0.0.1";
  world.seeds({1});
  world.run(seconds(10));
  EXPECT_FALSE(world.up().contains(id_of(2)));
  EXPECT_EQ(world.count(Kind::node_refused), 1U);
}

TEST(HostileList, OneNetworkGetsFewPlaces) {
  World world;
  std::vector<ListedNode> nodes;
  for (Byte i = 10; i < 30; ++i) {
    const std::string at = "tcp://11.5.5." + std::to_string(i) + ":1";
    world.host(i, at);
    nodes.push_back(entry_of(i, {at}));
  }
  world.host(1).list = signed_by(1, list_of(1, nodes));
  world.seeds({1});
  world.run(minutes(1));
  EXPECT_EQ(world.engine->size(), 1 + world.config().max_per_prefix);
  EXPECT_NE(world.texts().find("4 new, 16 over the limits"), std::string::npos) << world.texts();
}

TEST(HostileList, SoDoesOneNetworkBehindManyNames) {
  World world;
  std::vector<ListedNode> nodes;
  for (Byte i = 10; i < 30; ++i) {
    const std::string at = "tcp://a.n" + std::to_string(i) + ".example:1";
    world.host(i, at).ip = "11.5.5." + std::to_string(i);
    nodes.push_back(entry_of(i, {at}));
  }
  world.host(1).list = signed_by(1, list_of(1, nodes));
  world.seeds({1});
  world.run(minutes(1));
  EXPECT_EQ(world.up().size(), 1 + world.config().max_per_prefix);
  EXPECT_GE(world.count(Kind::node_refused), 16U) << world.texts();
}

TEST(HostileList, OneDomainGetsFewPlaces) {
  World world;
  std::vector<ListedNode> nodes;
  for (Byte i = 10; i < 40; ++i) nodes.push_back(entry_of(i, {"tcp://n" + std::to_string(i) + ".evil.example:1"}));
  world.host(1).list = signed_by(1, list_of(1, nodes));
  world.seeds({1});
  world.run(seconds(1));
  EXPECT_EQ(world.engine->size(), 1 + world.config().max_per_domain);
}

TEST(HostileList, ALongListIsCutAtTheCapOfItsSigner) {
  World world;
  std::vector<Byte> numbers;
  for (Byte i = 10; i < 10 + 64; ++i) numbers.push_back(i);
  world.host(1).list = list_bytes(1, numbers);
  world.seeds({1});
  world.run(seconds(10));
  EXPECT_EQ(world.engine->size(), 1 + world.config().max_per_signer);
}

TEST(HostileList, ClaimsInAnHonestNetworkDoNotKeepItOut) {
  // Four inventions in the /24 of the honest node 3, which is named later.
  World world;
  std::vector<ListedNode> inventions;
  for (Byte i = 10; i < 14; ++i) inventions.push_back(entry_of(i, {"tcp://11.0.3." + std::to_string(i) + ":1"}));
  world.host(1).list = signed_by(1, list_of(1, inventions));
  world.host(2).list = list_bytes(2, {3});
  world.host(2).round_trip = seconds(3);
  world.host(3);
  world.seeds({1, 2});
  world.run(seconds(10));
  EXPECT_TRUE(world.up().contains(id_of(3)));
}

TEST(HostileList, LiarsWithLongListsDoNotKeepOutWhoHasAShortOne) {
  Config config;
  config.max_per_depth = 40;
  config.max_nodes = 60;
  for (const bool table_is_full : {false, true}) {
    if (table_is_full) {
      config.max_per_depth = 100;
      config.max_nodes = 40;
    }
    World world(config);
    for (Byte liar = 1; liar <= 3; ++liar) {
      std::vector<Byte> inventions;
      for (Byte i = 0; i < 30; ++i) inventions.push_back(static_cast<Byte>(10 + 30 * liar + i));
      world.host(liar).list = list_bytes(liar, inventions);
    }
    world.host(4).list = list_bytes(4, {5, 6});
    world.host(4).round_trip = milliseconds(500);
    world.host(5);
    world.host(6);
    world.seeds({1, 2, 3, 4});
    world.run(minutes(2));
    EXPECT_TRUE(world.up().contains(id_of(5)));
    EXPECT_TRUE(world.up().contains(id_of(6)));
  }
}

TEST(HostileList, AFullTableMakesRoomForTheOwner) {
  Config config;
  config.max_nodes = 10;
  World world(config);
  std::vector<Byte> numbers;
  for (Byte i = 10; i < 30; ++i) {
    numbers.push_back(i);
    world.host(i);
  }
  world.host(1).list = list_bytes(1, numbers);
  world.host(2);
  world.seeds({1});
  world.run(minutes(1));
  EXPECT_EQ(world.up().size(), 10U);
  world.seeds({2});
  world.run(minutes(1));
  EXPECT_EQ(world.up().size(), 10U);
  EXPECT_TRUE(world.up().contains(id_of(2)));
  EXPECT_TRUE(world.up().contains(id_of(1)));
  EXPECT_EQ(world.disk.rows().size(), 10U);
}

TEST(HostileList, OneSourceOfTheConfigurationIsBoundedToo) {
  Config config;
  config.max_per_source = 5;
  World world(config);
  world.seeds({1, 2, 3, 4, 5, 6, 7}, "flag");
  world.seeds({8}, "environment");
  EXPECT_EQ(world.engine->size(), 6U);
  EXPECT_NE(world.texts().find("flag: 5 new, 2 over the limits"), std::string::npos) << world.texts();
}

TEST(HostileList, ListsNobodyAskedForAreIgnored) {
  Config config;
  config.list_interval_min = config.list_interval;
  World world(config);
  world.silent = true;
  world.host(1);
  world.seeds({1});
  world.engine->on_reached(world.now(), world.probes[0].probe,
                           {.public_key = identity_of(1).public_key(), .round_trip = milliseconds(1)}, world.out);
  world.settle();
  while (world.probes_of(1) < 2) world.run(seconds(10));  // The next probe does not want a list.
  ASSERT_EQ(world.probes_of(1), 2U);
  ASSERT_FALSE(world.last_probe(1)->want_list);
  world.engine->on_reached(world.now(), world.last_probe(1)->probe,
                           {.public_key = identity_of(1).public_key(), .list = list_bytes(1, {2})}, world.out);
  world.settle();
  EXPECT_EQ(world.engine->size(), 1U);
}

}  // namespace
}  // namespace ekiden::bootstrap
