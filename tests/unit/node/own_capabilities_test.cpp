// Why a node announces a capability, and what of it finds room.
#include "node/own_capabilities.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace ekiden::node {
namespace {

using Reason = OwnCapabilities::Reason;
using Signed = std::vector<std::pair<std::string, bool>>;

constexpr milliseconds kRefresh = hours(8);

class OwnCapabilitiesTest : public testing::Test {
 protected:
  /// What is signed now: a capability, and whether it ends.
  Signed due() {
    Signed all;
    for (const auto& [capability, ends] : own_.due(wall_, kRefresh)) all.emplace_back(capability, ends);
    return all;
  }

  OwnCapabilities own_{4};
  WallTime wall_ = from_unix_ms(1'900'000'000'000);
};

TEST_F(OwnCapabilitiesTest, AnnouncesOnceForAllReasonsAndEndsWithTheLast) {
  own_.add("ocr", Reason::entry);
  EXPECT_EQ(due(), (Signed{{"ocr", false}}));
  own_.add("ocr", Reason::entry);
  own_.add("ocr", Reason::offered);
  own_.add("ocr", Reason::topic);
  EXPECT_EQ(due(), Signed());
  own_.remove("ocr", Reason::entry);
  own_.remove("ocr", Reason::offered);
  own_.remove("ocr", Reason::topic);
  EXPECT_TRUE(own_.has("ocr", Reason::entry));
  EXPECT_EQ(due(), Signed());
  own_.remove("ocr", Reason::entry);
  EXPECT_FALSE(own_.is_announced("ocr"));
  EXPECT_EQ(due(), (Signed{{"ocr", true}}));
  EXPECT_EQ(due(), Signed());
}

TEST_F(OwnCapabilitiesTest, SaysNothingOfWhatEndedBeforeItWasAnnounced) {
  own_.add("ocr", Reason::offered);
  own_.remove("ocr", Reason::offered);
  EXPECT_EQ(due(), Signed());
  own_.add("ocr", Reason::offered);
  EXPECT_EQ(due().size(), 1U);
  own_.remove("ocr", Reason::offered);
  own_.add("ocr", Reason::entry);
  EXPECT_EQ(due(), (Signed{{"ocr", false}})) << "it goes on";
}

TEST_F(OwnCapabilitiesTest, AnnouncesAgainInTimeAndAfterAClockWasAhead) {
  own_.add("ocr", Reason::offered);
  EXPECT_EQ(due().size(), 1U);
  wall_ += kRefresh - milliseconds(1);
  EXPECT_EQ(due(), Signed());
  wall_ += milliseconds(1);
  EXPECT_EQ(due(), (Signed{{"ocr", false}}));
  wall_ -= days(1);
  EXPECT_EQ(due(), (Signed{{"ocr", false}}));
  own_.announce_again();
  EXPECT_EQ(due(), (Signed{{"ocr", false}}));
}

TEST_F(OwnCapabilitiesTest, WaitsForRoom) {
  for (const std::string name : {"a", "b", "c", "d", "e"}) own_.add(name, Reason::entry);
  EXPECT_EQ(due(), (Signed{{"a", false}, {"b", false}, {"c", false}, {"d", false}}));
  own_.add("topic", Reason::topic);
  EXPECT_EQ(due(), (Signed{{"topic", false}})) << "it has room of its own";
  own_.remove("b", Reason::entry);
  EXPECT_EQ(due(), (Signed{{"b", true}, {"e", false}}));
}

TEST_F(OwnCapabilitiesTest, AnnouncesTheSameAgainWhenThereIsNoRoom) {
  for (const std::string name : {"b", "c", "d", "e"}) own_.add(name, Reason::entry);
  EXPECT_EQ(due().size(), 4U);
  own_.add("a", Reason::entry);
  own_.announce_again();
  EXPECT_EQ(due(), (Signed{{"b", false}, {"c", false}, {"d", false}, {"e", false}}));
  EXPECT_FALSE(own_.is_announced("a"));
}

TEST_F(OwnCapabilitiesTest, TriesWhatIsShorter) {
  for (const std::string name : {"a", "b", "c/d/e", "f"}) own_.add(name, Reason::entry);
  EXPECT_EQ(due(), (Signed{{"a", false}, {"b", false}, {"f", false}}));
}

TEST_F(OwnCapabilitiesTest, IsLookedAtOnceAMinute) {
  EXPECT_TRUE(own_.is_time(Instant(seconds(5))));
  EXPECT_FALSE(own_.is_time(Instant(seconds(64))));
  EXPECT_TRUE(own_.is_time(Instant(seconds(65))));
  EXPECT_FALSE(own_.is_time(Instant(seconds(66))));
}

TEST_F(OwnCapabilitiesTest, GivesWayToWhatIsOffered) {
  for (const std::string name : {"a", "b", "c", "d"}) own_.add(name, Reason::entry);
  EXPECT_EQ(due().size(), 4U);
  own_.set_holders("d", 7);
  ASSERT_TRUE(own_.fits("x/y")) << "entries count for nothing here";
  own_.add("x/y", Reason::offered);
  EXPECT_EQ(due(), (Signed{{"c", true}, {"d", true}, {"x/y", false}}));
  EXPECT_EQ(own_.holders("d"), 0U);
  EXPECT_TRUE(own_.fits("x/z") && own_.fits("b/c"));
  EXPECT_FALSE(own_.fits("b/c/d"));
  own_.remove("x/y", Reason::offered);
  EXPECT_EQ(due(), (Signed{{"x/y", true}, {"c", false}, {"d", false}}));
}

TEST_F(OwnCapabilitiesTest, SharesThePartsOfPaths) {
  own_.add("a/b", Reason::offered);
  for (const std::string name : {"a", "a/c", "a/d", "a/e"}) own_.add(name, Reason::entry);
  EXPECT_EQ(due(), (Signed{{"a", false}, {"a/b", false}, {"a/c", false}, {"a/d", false}}));
}

TEST_F(OwnCapabilitiesTest, EndsAll) {
  own_.add("a", Reason::offered);
  own_.add("b", Reason::entry);
  EXPECT_EQ(due().size(), 2U);
  own_.remove("b", Reason::entry);
  own_.add("c", Reason::topic);
  EXPECT_EQ(own_.end(), (std::vector<std::string>{"b", "a"}));
  EXPECT_FALSE(own_.is_announced("a"));
}

TEST_F(OwnCapabilitiesTest, TellsWhenEntriesNameOtherCapabilities) {
  EXPECT_FALSE(own_.take_entries_changed());
  own_.add("a", Reason::entry);
  EXPECT_TRUE(own_.take_entries_changed());
  own_.add("a", Reason::entry);
  own_.add("b", Reason::offered);
  own_.remove("a", Reason::entry);
  EXPECT_FALSE(own_.take_entries_changed());
  own_.remove("a", Reason::entry);
  EXPECT_TRUE(own_.take_entries_changed());
  EXPECT_EQ(own_.with(Reason::offered), std::vector<std::string>{"b"});
  EXPECT_TRUE(own_.with(Reason::entry).empty());
}

}  // namespace
}  // namespace ekiden::node
