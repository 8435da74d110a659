// Which records of peers a node holds, and that strangers cannot push out the one that it needs.
#include "node/peer_records.hpp"

#include <gtest/gtest.h>

#include <set>

#include "unit/node/harness.hpp"

namespace ekiden::node {
namespace {

identity::PeerId id(Byte number) { return {{number}}; }

struct Records {
  explicit Records(std::size_t max_records)
      : records(max_records, [this](const identity::PeerId& peer) { return needed.contains(peer); }) {}
  void put(Byte number) { records.put(id(number), {{}, {number}}); }

  std::set<identity::PeerId> needed;
  PeerRecords records;
};

TEST(PeerRecords, DropTheOneThatWasNotUsedForLongest) {
  Records all(2);
  all.put(1);
  all.put(2);
  EXPECT_NE(all.records.find(id(1)), nullptr);
  all.put(3);
  EXPECT_EQ(all.records.find(id(2)), nullptr);
  EXPECT_NE(all.records.find(id(1)), nullptr);
  EXPECT_EQ(all.records.size(), 2U);
}

TEST(PeerRecords, KeepThoseThatAreNeededHoweverManyOthersCome) {
  Records all(2);
  all.put(1);
  all.needed.insert(id(1));
  for (Byte number = 2; number < 100; ++number) all.put(number);
  EXPECT_NE(all.records.find(id(1)), nullptr);
  EXPECT_EQ(all.records.size(), 2U);
}

TEST(PeerRecords, GrowWithThoseThatAreNeededAndShrinkAgain) {
  Records all(2);
  for (Byte number = 1; number <= 5; ++number) {
    all.needed.insert(id(number));
    all.put(number);
  }
  EXPECT_EQ(all.records.size(), 5U);
  all.needed = {id(3)};
  all.put(6);
  EXPECT_EQ(all.records.size(), 2U);
  EXPECT_NE(all.records.find(id(3)), nullptr);
}

TEST(PeerRecords, NeedNoRoomToBeReplaced) {
  Records all(2);
  all.put(1);
  all.put(2);
  all.put(2);
  EXPECT_NE(all.records.find(id(1)), nullptr);
}

TEST(PeerRecords, AreAllRestored) {
  Records all(2);
  for (Byte number = 1; number <= 5; ++number) all.records.restore(id(number), {{}, {number}});
  EXPECT_EQ(all.records.size(), 5U);
}

TEST(PeerRecords, OfAPeerWithALinkStaysWhenManyStrangersPassBy) {
  Config config;
  config.max_peer_records = 2;
  Harness net(6, config);
  net.introduce(1, 0, "zero");
  net.send(1, 0, "hello");
  for (const std::size_t stranger : {2u, 3u, 4u, 5u}) {
    net.introduce(stranger, 0, "zero");
    net.send(stranger, 0, "hello");
    net.crash(stranger);
  }
  ASSERT_TRUE(net[0].up.contains(net[1].id));
  net.send(0, 1, "to a peer that is no contact");
  EXPECT_EQ(net[1].arrivals.size(), 1U);
}

}  // namespace
}  // namespace ekiden::node
