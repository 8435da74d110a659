#include "sim/scenario.hpp"

#include <gtest/gtest.h>

#include "sim/searches.hpp"

namespace ekiden::sim {
namespace {

TEST(ScenarioTest, ReadsWhatItSays) {
  const auto scenario =
      parse_scenario("name = \"x\"\nnodes = 7\n[network]\nloss_ppm = 12\n[faults]\ncut_max_s = 3\n", "x.toml");
  ASSERT_TRUE(scenario) << scenario.error().message;
  EXPECT_EQ(scenario->nodes, 7U);
  EXPECT_EQ(scenario->network.loss, 12U);
  EXPECT_EQ(scenario->faults.cut_max, Duration(seconds(3)));
}

TEST(ScenarioTest, AnUnknownKeyNamesItsLine) {
  const auto scenario = parse_scenario("name = \"x\"\n[network]\nlos_ppm = 12\n", "x.toml");
  ASSERT_FALSE(scenario);
  EXPECT_NE(scenario.error().message.find("x.toml:3"), std::string::npos) << scenario.error().message;
  EXPECT_NE(scenario.error().message.find("network.los_ppm"), std::string::npos);
}

TEST(ScenarioTest, RefusesWrongTypesRangesAndSyntax) {
  for (const char* text :
       {"name = 1", "name = \"x\"\nnodes = 1", "name = \"x\"\nnodes = \"7\"", "name = ", "nodes = 3",
        "name = \"x\"\n[workload]\nbody_min = 100\nbody_max = 10\n", "name = \"x\"\n[split]\nkind = \"odd\"\n",
        "name = \"x\"\nduration_s = 300\n[split]\nto_s = 200\nstep_s = 0\n",
        "name = \"x\"\nnodes = 10\n[realm]\nmembers = 6\nremoved = 1\nentries = 1\n"}) {
    EXPECT_FALSE(parse_scenario(text, "x.toml")) << text;
  }
}

TEST(ScenarioTest, TheBoundOfThe99thPercentileIsAShareOfTheMedian) {
  const Searches::Totals totals{.median = milliseconds(230)};
  EXPECT_EQ(totals.p99_bound(300, {}), Duration(milliseconds(690)));
  EXPECT_EQ(totals.p99_bound(300, milliseconds(700)), Duration(milliseconds(700)));
  EXPECT_EQ(totals.p99_bound(0, {}), Duration::max());
}

}  // namespace
}  // namespace ekiden::sim
