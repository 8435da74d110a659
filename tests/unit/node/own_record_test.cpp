// The record that a node shows: current by the wall clock, and never one that the disk does not know.
#include <gtest/gtest.h>

#include "unit/node/harness.hpp"

namespace ekiden::node {
namespace {

identity::PeerRecord record_of(Harness& net, std::size_t i = 0) {
  return *identity::verify_record_ignoring_time(net[i].node->own_record());
}

TEST(OwnRecord, CountsUpOverRestartsAndIsRenewedInTime) {
  Harness net(1);
  const auto first = record_of(net);
  net.crash(0);
  net.boot(0);
  const auto second = record_of(net);
  EXPECT_GT(second.sequence, first.sequence);
  net.advance(hours(23));
  EXPECT_EQ(record_of(net), second);
  net.advance(hours(2));
  EXPECT_GT(record_of(net).sequence, second.sequence);
}

TEST(OwnRecord, IsMadeAnewSoonAfterAClockThatWasAheadIsSetBack) {
  Harness net(2);
  net.introduce(0, 1, "bob");
  net.crash(0);
  net.set_clock(kStartOfTime + hours(5));
  net.boot(0);
  const auto ahead = record_of(net);
  net.set_clock(kStartOfTime);
  net.send(0, 1, "hello");
  EXPECT_TRUE(net[1].up.empty()) << "the record is from the future";
  net.advance(minutes(2));
  const auto corrected = record_of(net);
  EXPECT_LE(corrected.issued_at, net.now().wall);
  EXPECT_GT(corrected.sequence, ahead.sequence) << "or peers would keep the one from the future";
  EXPECT_EQ(net[1].arrivals.size(), 1U);
}

TEST(OwnRecord, IsMadeAnewSoonAfterASleepThatOutlastedIt) {
  Harness net(1);
  net.set_clock(kStartOfTime + days(8));
  ASSERT_FALSE(identity::verify_record(net[0].node->own_record(), net.now().wall));
  net.advance(minutes(1));
  EXPECT_TRUE(identity::verify_record(net[0].node->own_record(), net.now().wall));
}

TEST(OwnRecord, IsNotMadeAnewForAClockThatIsSteered) {
  Harness net(1);
  const auto first = record_of(net);
  net.set_clock(kStartOfTime - seconds(60));
  net.feed(0, Tick{});
  net.pump();
  EXPECT_EQ(record_of(net), first);
  net.set_clock(kStartOfTime - milliseconds(60'001));
  net.feed(0, Tick{});
  net.pump();
  EXPECT_GT(record_of(net).sequence, first.sequence);
}

TEST(OwnRecord, IsNotShownBeforeItIsOnDiskThoughAnEarlierOneIs) {
  Harness net(1);
  Harness::Peer& peer = net[0];
  const auto first = record_of(net);
  peer.disk_syncs = false;
  std::vector<store::PersistToken> tokens;
  for (const int hours_on : {25, 50}) {
    net.set_clock(kStartOfTime + hours(hours_on));
    net.feed(0, Tick{});
    net.pump();
    tokens.push_back(peer.unsynced.back().token);
  }
  EXPECT_EQ(record_of(net), first);
  net.feed(0, Persisted{tokens[0]});
  net.pump();
  EXPECT_EQ(record_of(net).issued_at, kStartOfTime + hours(25)) << "the one that is on disk";
  net.feed(0, Persisted{tokens[1]});
  net.pump();
  EXPECT_EQ(record_of(net).issued_at, kStartOfTime + hours(50));
}

}  // namespace
}  // namespace ekiden::node
