#include "sim/broadcasts.hpp"

#include <gtest/gtest.h>

namespace ekiden::sim {
namespace {

TEST(Broadcasts, CountWhatIsOwedAndHeard) {
  Broadcasts referee;
  const Bytes before = referee.publish(0, 100, {0, 1, 2}, /*measured=*/false);
  const Bytes item = referee.publish(0, 100, {0, 1, 2, 3}, /*measured=*/true);
  EXPECT_NE(item, before);
  EXPECT_TRUE(referee.heard(1, 1, 0, before, 9).empty());
  EXPECT_TRUE(referee.heard(1, 1, 0, item, 1).empty());
  EXPECT_TRUE(referee.heard(2, 1, 0, item, 3).empty());
  EXPECT_TRUE(referee.heard(5, 1, 0, item, 2).empty());  // Not owed, and welcome.
  Broadcasts::Totals totals = referee.totals();
  EXPECT_EQ(totals.published, 1U);
  EXPECT_EQ(totals.expected, 3U);
  EXPECT_EQ(totals.delivered, 2U);
  EXPECT_EQ(totals.hops_milli(), 3000U);
  EXPECT_EQ(totals.delivered_ppm(), 666'666U);
  referee.gone(3);
  EXPECT_EQ(referee.totals().delivered_ppm(), 1'000'000U);
  totals.copies = 3;
  totals.ids = 1;
  EXPECT_EQ(totals.copies_milli(), 1500U);
  EXPECT_EQ(totals.all_milli(), 2000U);
}

TEST(Broadcasts, BreachesAreNamed) {
  Broadcasts referee;
  const Bytes item = referee.publish(0, 16, {1}, true);
  EXPECT_TRUE(referee.heard(1, 1, 0, item, 1).empty());
  EXPECT_EQ(referee.heard(1, 1, 0, item, 1).size(), 1U);  // twice
  EXPECT_TRUE(referee.heard(1, 2, 0, item, 1).empty());   // but not since it booted
  EXPECT_EQ(referee.heard(2, 1, 3, item, 1).size(), 1U);  // by somebody else
  EXPECT_EQ(referee.heard(0, 1, 0, item, 1).size(), 1U);  // its own
  EXPECT_EQ(referee.heard(2, 1, 0, Bytes(8, 1), 1).size(), 1U);
  EXPECT_EQ(referee.heard(2, 1, 0, Bytes(3), 1).size(), 1U);
}

TEST(Broadcasts, AnIdealTreeIsALogarithm) {
  EXPECT_EQ(ideal_hops(1, 5), 0U);
  EXPECT_EQ(ideal_hops(4, 5), 1U);
  EXPECT_EQ(ideal_hops(100, 5), 4U);
  EXPECT_EQ(ideal_hops(1000, 5), 5U);
}

}  // namespace
}  // namespace ekiden::sim
