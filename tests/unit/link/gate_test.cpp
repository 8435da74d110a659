#include "link/gate.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace ekiden::link {
namespace {

Instant at(Duration since) { return Instant(hours(1) + since); }

identity::AddressPrefix prefix(int number) {
  return identity::prefix_of(*identity::IpAddress::parse("192.0." + std::to_string(number) + ".1"));
}

ConnId conn(std::uint64_t number) { return ConnId{kFirstAccepted + number}; }

/// A hundredth of the time while somebody is busy, a half otherwise.
Config knobs() {
  Config config;
  config.spare = {.busy_permille = 10, .idle_permille = 500, .hold = seconds(10)};
  config.spare_burst = milliseconds(10);
  return config;
}

TEST(Gates, AdmitWhoOwesLittleAndLetOthersWaitForTheirTurn) {
  const Config config = knobs();
  Gate gate(config);
  const Instant now = at(seconds(0));
  gate.occupy(now);
  EXPECT_TRUE(gate.admits(now, prefix(1), conn(1)));
  gate.charge(now, prefix(1), milliseconds(10));
  EXPECT_TRUE(gate.admits(now, prefix(1), conn(1)));
  gate.charge(now, prefix(1), milliseconds(10));
  EXPECT_FALSE(gate.admits(now, prefix(1), conn(1)));
  EXPECT_FALSE(gate.admits(now, prefix(1), conn(2)));
  EXPECT_FALSE(gate.admits(now, prefix(1), conn(1))) << "asking again gives no better place";
  EXPECT_EQ(gate.waiting(), 2U);
  gate.check_invariants();
  EXPECT_FALSE(gate.next(now));

  const auto due = gate.deadline(now);
  ASSERT_TRUE(due);
  EXPECT_GE(*due, at(milliseconds(1000))) << "ten milliseconds of work at a hundredth";
  EXPECT_LE(*due, at(milliseconds(1001)));
  EXPECT_EQ(gate.next(*due), conn(1));
  EXPECT_FALSE(gate.next(*due)) << "one at a time: what its read costs is not known yet";
  EXPECT_FALSE(gate.admits(*due, prefix(1), conn(2)));
  EXPECT_TRUE(gate.admits(*due, prefix(1), conn(1)));
  EXPECT_FALSE(gate.admits(*due, prefix(1), conn(1))) << "one read, then it stands behind the others";
  EXPECT_EQ(gate.next(*due), conn(2));
  EXPECT_TRUE(gate.admits(*due, prefix(1), conn(2)));
  EXPECT_EQ(gate.next(*due), conn(1));
  gate.check_invariants();
}

TEST(Gates, PayOffSoonerWhenNobodyWantsAnything) {
  const Config config = knobs();
  Gate gate(config);
  gate.charge(at(seconds(0)), prefix(1), milliseconds(510));
  ASSERT_FALSE(gate.admits(at(seconds(0)), prefix(1), conn(1)));
  EXPECT_LE(*gate.deadline(at(seconds(0))), at(milliseconds(1001)));
  gate.occupy(at(seconds(0)));
  EXPECT_GT(*gate.deadline(at(seconds(0))), at(seconds(10)));
}

TEST(Gates, GiveTheNextTurnToTheNetworkThatOwesLeast) {
  Config config = knobs();
  config.all_spare = 1000;
  Gate gate(config);
  const Instant now = at(seconds(0));
  gate.charge(now, prefix(1), milliseconds(300));
  gate.charge(now, prefix(2), milliseconds(200));
  for (std::uint64_t i = 1; i <= 3; ++i) EXPECT_FALSE(gate.admits(now, prefix(1), conn(i)));
  EXPECT_FALSE(gate.admits(now, prefix(2), conn(9)));
  EXPECT_TRUE(gate.admits(now, prefix(3), conn(10))) << "another network has nothing to do with it";
  const Instant later = at(seconds(1));
  EXPECT_EQ(gate.next(later), conn(9));
  EXPECT_EQ(gate.next(later), conn(1));
  gate.check_invariants();
}

TEST(Gates, LetAllNetworksTogetherHaveTheirPartAndNoMore) {
  Config config = knobs();
  config.all_spare = 2;
  Gate gate(config);
  const Instant now = at(seconds(0));
  for (int i = 1; i <= 10; ++i) gate.charge(now, prefix(i), milliseconds(10));
  EXPECT_FALSE(gate.admits(now, prefix(1), conn(1))) << "it owes little itself, but all together do not";
  EXPECT_FALSE(gate.admits(now, prefix(11), conn(2)));
  const auto due = gate.deadline(now);
  ASSERT_TRUE(due);
  EXPECT_NEAR(static_cast<double>((*due - now).count()), 80e6, 1e6) << "100 ms, halved, but for the burst, at a half";
}

TEST(Gates, ForgetWhoIsGone) {
  const Config config = knobs();
  Gate gate(config);
  const Instant now = at(seconds(0));
  gate.charge(now, prefix(1), milliseconds(20));
  for (std::uint64_t i = 1; i <= 3; ++i) EXPECT_FALSE(gate.admits(now, prefix(1), conn(i)));
  gate.forget(prefix(1), conn(2));
  const Instant later = at(seconds(1));
  EXPECT_EQ(gate.next(later), conn(1));
  gate.forget(prefix(1), conn(1));
  EXPECT_EQ(gate.next(later), conn(3)) << "the turn of one that is gone is over";
  gate.forget(prefix(1), conn(3));
  EXPECT_FALSE(gate.next(later));
  EXPECT_FALSE(gate.deadline(later));
  gate.check_invariants();
}

/// However many connections ask, and whenever: what is done for one network is its part of the time, what may be owed,
/// and the one read that went over it.
RC_GTEST_PROP(Gates, KeepANetworkWithinItsPart, ()) {
  Config config = knobs();
  config.spare = {.busy_permille = 25, .idle_permille = 25, .hold = milliseconds(1)};
  Gate gate(config);
  Duration since{};
  Duration worked{};
  Duration most{};
  for (const int step : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 100'000))) {
    since += microseconds(step % 1000);
    if (step % 3 == 0) gate.occupy(at(since));
    const ConnId who = conn(static_cast<std::uint64_t>(step % 7));
    if (const auto turn = gate.next(at(since))) RC_ASSERT(gate.admits(at(since), prefix(1), *turn));
    if (gate.admits(at(since), prefix(1), who)) {
      const Duration work = microseconds(step);
      gate.charge(at(since), prefix(1), work);
      worked += work;
      most = std::max(most, work);
    }
    if (step % 11 == 0) gate.forget(prefix(1), who);
    gate.check_invariants();
    RC_ASSERT(worked <= config.spare_burst + most + since / 40);
  }
}

}  // namespace
}  // namespace ekiden::link
