// Two nodes with several links settle on one, whatever happens in whatever order.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

#include "link/pool.hpp"
#include "world.hpp"

namespace ekiden::link {
namespace {

using test::World;

const LinkStatus* carrier(const std::vector<LinkStatus>& links) {
  const auto found = std::ranges::find_if(links, [](const auto& link) { return link.carries_traffic; });
  return found == links.end() ? nullptr : &*found;
}
/// One open link on each side, the same, which both would use; messages flow both ways.
void expect_converged(World& world, bool messages) {
  const auto left = world.links(0);
  const auto right = world.links(1);
  RC_ASSERT(left.size() == 1U);
  RC_ASSERT(right.size() == 1U);
  const auto* mine = carrier(left);
  const auto* theirs = carrier(right);
  RC_ASSERT(mine != nullptr && theirs != nullptr);
  RC_ASSERT(mine->initiated_by_us != theirs->initiated_by_us);
  if (!messages) return;
  world.nodes[0]->messages.clear();
  world.nodes[1]->messages.clear();
  RC_ASSERT(world.send(0, 1, "there").has_value());
  RC_ASSERT(world.send(1, 0, "back").has_value());
  world.run();
  RC_ASSERT(world.nodes[0]->messages.size() == 1U);
  RC_ASSERT(world.nodes[1]->messages.size() == 1U);
}

RC_GTEST_PROP(SimultaneousDials, SettleOnOneLinkInEveryOrderAndLoseNothing, (bool knows_key)) {
  World world(2);
  std::array<std::multiset<Bytes>, 2> sent;
  std::array<std::size_t, 2> counter{};
  world.want(0, 1, knows_key);
  world.want(1, 0, knows_key);
  const auto choices = *rc::gen::container<std::vector<std::pair<std::uint8_t, std::uint8_t>>>(
      60, rc::gen::arbitrary<std::pair<std::uint8_t, std::uint8_t>>());
  for (const auto& [what, amount] : choices) {
    const std::size_t from = what % 2;
    if (amount % 4 == 0 && world.pool(from).is_up(world.id(1 - from))) {
      const auto message = "m" + std::to_string(counter[from]++) + std::string(amount, 'x');
      RC_ASSERT(world.send(from, 1 - from, message).has_value());
      sent[1 - from].insert(to_bytes(as_bytes(message)));
    }
    const auto actions = world.actions();
    if (actions.empty()) break;
    world.perform(actions[what % actions.size()], amount % 2 == 0 ? 40 : ~std::size_t{0});
  }
  world.run();
  for (std::size_t i = 0; i < 2; ++i) {
    std::multiset<Bytes> received;
    for (const auto& [from, message] : world.nodes[i]->messages) received.insert(message);
    RC_ASSERT(received == sent[i]);
    RC_ASSERT(world.nodes[i]->ups.size() == world.nodes[i]->downs.size() + 1);
  }
  expect_converged(world, true);
}

TEST(SimultaneousDials, ThatOpenInOppositeOrdersSettleOnOneLink) {
  World world(2);
  world.want(0, 1);
  world.want(1, 0);
  world.perform(world.actions()[0]);  // Both connections are made before any byte moves.
  world.perform(world.actions()[0]);
  world.run();
  EXPECT_EQ(world.links(0).size(), 1U);
  EXPECT_EQ(world.links(1).size(), 1U);
  EXPECT_TRUE(world.nodes[0]->downs.empty());
  EXPECT_TRUE(world.nodes[1]->downs.empty());
}

RC_GTEST_PROP(Restarts, AreNoticedAtOnceByTheSideThatIsDialled, (bool smaller_restarts)) {
  World world(2);
  const std::size_t smaller = world.id(0) < world.id(1) ? 0 : 1;
  const std::size_t restarted = smaller_restarts ? smaller : 1 - smaller;
  const std::size_t other = 1 - restarted;
  const bool first_by_restarted = *rc::gen::arbitrary<bool>();
  world.want(first_by_restarted ? restarted : other, first_by_restarted ? other : restarted);
  world.run();
  world.restart(restarted);
  world.want(restarted, other);
  world.run();
  RC_ASSERT(world.send(other, restarted, "after the restart").has_value());
  world.run();
  RC_ASSERT(world.nodes[restarted]->messages.size() == 1U);
  RC_ASSERT(world.nodes[other]->downs.empty());
  world.run_for(seconds(80));
  expect_converged(world, true);
}

TEST(Pools, NeverKeepMoreLinksToAPeerThanAllowed) {
  World world(2);
  world.want(0, 1);
  world.run();
  for (int i = 0; i < 6; ++i) {
    world.restart(0);
    world.want(0, 1);
    world.run();
    EXPECT_LE(world.links(1).size(), world.config.max_links_per_peer);
    ASSERT_TRUE(world.send(1, 0, "here"));
    world.run();
    EXPECT_EQ(world.nodes[0]->messages.size(), static_cast<std::size_t>(i + 1));
  }
}

}  // namespace
}  // namespace ekiden::link
