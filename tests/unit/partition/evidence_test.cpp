// What other engines tell the detector: items that are missing, replicas that differ, what was signed just now, what
// was merged.
#include <gtest/gtest.h>

#include "net.hpp"

namespace ekiden::partition {
namespace {

constexpr std::size_t kFew = 20;

/// Nodes 0 to 9 on one side.
void split_in_half(Net& net) {
  net.split([](std::size_t node) { return node / 10; });
  net.run_for(seconds(15));
}

Reason reason_of(Net& net, std::size_t i) { return net.at(i).history().back().reason; }

std::size_t some_neighbour(Net& net, std::size_t of) {
  for (const std::size_t other : net[of].links) {
    if (other / 10 == of / 10) return other;
  }
  CHECK(false);
}

TEST(Evidence, ItemsOfOnePublisherSayNothingAndOfTwoRaiseSuspicion) {
  Net net(kFew, 1);
  Detector& detector = net.at(0);
  for (int i = 0; i < 5; ++i) {
    detector.on_gap(net.now(), net.id(5));
    net.run_for(seconds(1));
  }
  EXPECT_EQ(detector.state(), State::whole);
  detector.on_gap(net.now(), net.id(6));
  net.run_for(seconds(1));
  EXPECT_EQ(detector.state(), State::suspected);
  EXPECT_EQ(reason_of(net, 0), Reason::items_missing);
  net.run_for(seconds(20));
  EXPECT_EQ(detector.state(), State::whole);
  EXPECT_EQ(net.ever(State::split), 0U);
}

TEST(Evidence, ReplicasHaveToStayBehindWithTwoNeighboursForHalfAMinute) {
  Net net(kFew, 2);
  Detector& detector = net.at(0);
  const auto compare = [&](Replicas first, Replicas second) {
    detector.on_compared(net.now(), net.id(1), first);
    detector.on_compared(net.now(), net.id(2), second);
    net.run_for(seconds(5));
  };
  for (int i = 0; i < 12; ++i) {  // Once in a while with each of them it is as it should be.
    compare(i % 4 == 0 ? Replicas::same : Replicas::caught_up, i % 4 == 2 ? Replicas::same : Replicas::differ);
  }
  EXPECT_EQ(net.ever(State::suspected), 0U);
  compare(Replicas::same, Replicas::same);
  for (int i = 0; i < 5; ++i) compare(Replicas::caught_up, Replicas::differ);
  EXPECT_EQ(detector.state(), State::whole);
  compare(Replicas::caught_up, Replicas::differ);
  compare(Replicas::caught_up, Replicas::differ);
  EXPECT_EQ(detector.state(), State::suspected);
  EXPECT_EQ(reason_of(net, 0), Reason::replicas_differ);
  compare(Replicas::same, Replicas::same);
  EXPECT_EQ(detector.state(), State::whole);
}

TEST(Evidence, OnlyWhatWasSignedJustNowShowsThatSomebodyIsThere) {
  Net net(kFew, 3);
  net.run_for(minutes(1));
  net.crash(15);
  net.run_for(seconds(10));
  ASSERT_EQ(net.at(0).status(net.now()).missing, 1U);
  const auto missing_after = [&](const identity::PeerId& via, milliseconds ago) {
    Effects out;
    net.at(0).on_heard(net.now(), net.id(15), via, net.now().wall - ago, out);
    return net.at(0).status(net.now()).missing;
  };
  const identity::PeerId near = net.id(some_neighbour(net, 0));
  EXPECT_EQ(missing_after(near, seconds(3)), 1U);   // It may have been on its way for so long …
  EXPECT_EQ(missing_after(near, -seconds(3)), 1U);  // … or longer, by a clock that is wrong.
  EXPECT_EQ(missing_after(near, seconds(1)), 0U);
}

/// What was signed on the other side may come through where nothing goes back.
TEST(Evidence, BringsNobodyBackWhoIsAway) {
  Net net(kFew, 3);
  split_in_half(net);
  ASSERT_EQ(net.at(0).state(), State::split);
  Effects out;
  for (const identity::PeerId& via : {net.id(some_neighbour(net, 0)), net.id(16)}) {
    net.at(0).on_heard(net.now(), net.id(15), via, net.now().wall, out);
  }
  EXPECT_TRUE(out.take().empty());
  EXPECT_EQ(net.at(0).state(), State::split);
  EXPECT_EQ(net.at(0).status(net.now()).away, 10U);
}

TEST(Evidence, CountsWhatWasMerged) {
  Net net(kFew, 4);
  Detector& detector = net.at(0);
  const auto take = [&](std::size_t author, milliseconds ago, bool conflict = false) {
    detector.on_taken(net.id(author), net.now().wall - ago, conflict);
  };
  take(15, seconds(0));  // The network is whole: that is how entries come.
  split_in_half(net);
  net.run_for(minutes(1));
  take(5, seconds(30));   // Of this side.
  take(15, minutes(10));  // From long before.
  take(15, seconds(30));  // The first of the other side, before anybody there was heard.
  net.heal();
  while (detector.state() == State::split) net.run_for(milliseconds(10));
  ASSERT_EQ(detector.state(), State::healing);
  net.run_for(milliseconds(100));
  take(16, seconds(30), /*conflict=*/true);
  take(17, seconds(30));
  take(17, seconds(0));  // Written since.
  net.run_for(seconds(15));
  ASSERT_EQ(detector.state(), State::whole);
  ASSERT_EQ(net[0].healed.size(), 1U);
  EXPECT_EQ(net[0].healed[0].merged, 3U);
  EXPECT_EQ(net[0].healed[0].conflicts, 1U);
  take(16, seconds(30));
  split_in_half(net);  // The next split begins with nothing.
  net.heal();
  net.run_for(seconds(15));
  ASSERT_EQ(net[0].healed.size(), 2U);
  EXPECT_EQ(net[0].healed[1].merged, 0U);
}

TEST(Evidence, HealingWaitsForReplicasButNotForever) {
  for (const bool lies : {false, true}) {
    Net net(kFew, 5);
    Detector& detector = net.at(0);
    split_in_half(net);
    net.heal();
    while (detector.state() == State::split) net.run_for(milliseconds(10));
    for (int i = 0; i < 5; ++i) {
      detector.on_compared(net.now(), net.id(15), Replicas::differ);
      net.run_for(seconds(5));
    }
    EXPECT_EQ(detector.state(), State::healing);
    EXPECT_EQ(net.count(State::whole), kFew - 1);
    if (lies) {
      for (int i = 0; i < 8; ++i) {
        detector.on_compared(net.now(), net.id(15), Replicas::differ);
        net.run_for(seconds(5));
      }
    } else {
      detector.on_compared(net.now(), net.id(15), Replicas::caught_up);
      net.run_for(seconds(1));
    }
    EXPECT_EQ(detector.state(), State::whole) << lies;
    ASSERT_EQ(net[0].healed.size(), 1U) << lies;
    EXPECT_GE(net[0].healed[0].took, lies ? minutes(1) : seconds(25));
    EXPECT_LE(net[0].healed[0].took, lies ? seconds(66) : seconds(27));
  }
}

}  // namespace
}  // namespace ekiden::partition
