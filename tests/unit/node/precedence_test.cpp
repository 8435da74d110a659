// Contacts come before strangers: who has to wait, for whom, and for what.
#include <gtest/gtest.h>

#include "unit/node/harness.hpp"

namespace ekiden::node {
namespace {

/// Node 0 has a link to its contact and to a stranger.
class Precedence : public testing::Test {
 protected:
  static constexpr std::size_t kContact = 1;
  static constexpr std::size_t kStranger = 2;

  Precedence() {
    net.introduce(0, kContact, "alice");
    for (const std::size_t other : {kContact, kStranger}) {
      net.introduce(other, 0, "bob");
      net.send(other, 0, "hello");
    }
    net.advance(seconds(10));
  }

  ConnId conn_of(std::size_t node) {
    for (const link::LinkStatus& link : net[0].node->status().links) {
      if (link.peer == net[node].id) return link.conn;
    }
    return {};
  }
  bool may_read(std::size_t node) { return net[0].node->may_read(net.now(), conn_of(node)); }
  void write_much(std::size_t from) {
    for (int i = 0; i < 100; ++i) net.send(from, 0, "news");
  }
  /// How long the stranger waits once it has to.
  Duration wait() {
    const Instant since = net.now().mono;
    net[0].resumed.clear();
    if (may_read(kStranger)) return Duration(0);
    while (net[0].resumed.empty()) net.advance(milliseconds(1));
    EXPECT_TRUE(may_read(kStranger)) << "it has its turn";
    return net.now().mono - since;
  }

  Harness net{3};
};

TEST_F(Precedence, AStrangerWaitsLongerWhileAContactWantsSomething) {
  write_much(kStranger);
  const Duration quiet = wait();
  EXPECT_GT(quiet, Duration(0));
  net.advance(seconds(10));
  write_much(kStranger);
  net.send(kContact, 0, "and what about me?");
  EXPECT_TRUE(may_read(kContact));
  EXPECT_GT(wait(), quiet + milliseconds(150));
}

TEST_F(Precedence, WhatAContactOnlyReceivesMakesNobodyWait) {
  net.send(0, kContact, "news");  // What the owner sends does, and that is over …
  net.advance(seconds(1));
  write_much(kStranger);
  const Duration quiet = wait();
  net.advance(seconds(10));
  net[kContact].disk_syncs = false;
  net.send(0, kContact, "more news");
  net.advance(seconds(1));
  write_much(kStranger);
  net[kContact].disk_syncs = true;  // … when the receipt comes.
  net.pump();
  ASSERT_EQ(net[0].states.back().state, router::MessageState::delivered);
  EXPECT_LE(wait(), quiet + milliseconds(10));
}

TEST_F(Precedence, NobodyWaitsWhereNoContactHasALink) {
  net.crash(kContact);
  write_much(kStranger);
  write_much(kStranger);
  EXPECT_TRUE(may_read(kStranger));
}

TEST_F(Precedence, WhoIsNoContactAnyMoreWaits) {
  net.introduce(0, kStranger, "carol");
  write_much(kStranger);
  EXPECT_TRUE(may_read(kStranger));
  net.feed(0, RemoveContact{net.next_request(), net[kStranger].id});
  net.pump();
  write_much(kStranger);
  EXPECT_FALSE(may_read(kStranger));
}

TEST_F(Precedence, WhomTheOwnerWritesToIsReadAtOnce) {
  net.send(0, kStranger, "who are you?");
  write_much(kStranger);
  EXPECT_TRUE(may_read(kStranger));
  net.advance(minutes(2));
  write_much(kStranger);
  EXPECT_FALSE(may_read(kStranger)) << "nobody waits for it any more";
}

}  // namespace
}  // namespace ekiden::node
