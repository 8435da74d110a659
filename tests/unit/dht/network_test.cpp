// Networks of hundreds of nodes: what a user of the DHT may rely on.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "world.hpp"

namespace ekiden::dht {
namespace {

/// Nodes that have joined one after another and had time to get to know each other.
void grow(World& world, std::size_t nodes) {
  for (std::size_t i = 0; i < nodes; ++i) {
    world.add();
    world.run_for(milliseconds(200));
  }
  world.run_for(minutes(2));
}

TEST(Network, FindsWhatIsThereDespiteLoss) {
  constexpr std::size_t kNodes = 300;
  World world(1, {.loss_per_mille = 10, .config = {}});
  grow(world, kNodes);
  for (std::size_t i = 0; i < kNodes; i += 2) world.publish(i, 1);
  world.run_for(minutes(1));
  std::size_t found = 0;
  constexpr std::size_t kSearches = 2000;
  std::size_t asked = 0;
  for (std::size_t i = 0; i < kSearches; ++i) {
    const std::size_t wanted = 2 * world.rng().below(kNodes / 2);
    const LookupDone done = world.find(world.random_honest(), world.node(wanted).id());
    asked += done.trail.asked;
    const bool is_right = done.record && done.record->record.id() == world.node(wanted).id();
    found += is_right ? 1 : 0;
  }
  RecordProperty("asked", static_cast<int>(asked));
  std::printf("found %zu of %zu, %zu queries each, largest body %zu\n", found, kSearches, asked / kSearches,
              world.largest_body());
  EXPECT_GE(found * 1000, kSearches * 999);
  EXPECT_LE(world.largest_body(), kMaxBody);
}

}  // namespace
}  // namespace ekiden::dht
