#include "sim/world.hpp"

#include <gtest/gtest.h>

namespace ekiden::sim {
namespace {

Scenario two_machines() {
  Scenario scenario;
  scenario.name = "two machines";
  scenario.workload.contacts = 1;
  return scenario;
}

TEST(WorldTest, ANodeThatBootsOnAFullDiskIsToldSoAndGoesOnWhenThereIsRoom) {
  World world(two_machines(), {.seed = 1});
  world.boot();
  world.run_until(Instant(seconds(5)));
  Machine& machine = world.machine(0);
  machine.stall_disk(true);
  machine.crash(false);
  machine.boot();
  const std::uint64_t commits = machine.disk().commits();
  machine.send(world.machine(1), router::DeliveryClass::durable, wire::Priority::normal, 64, hours(1));
  world.run_until(Instant(seconds(20)));
  ASSERT_TRUE(machine.node()->status().storage) << "the node has to know";
  EXPECT_EQ(machine.node()->status().storage->code, Errc::storage_full);
  EXPECT_EQ(machine.disk().commits(), commits);
  EXPECT_EQ(world.ledger().totals(world.schedule().now()).refused, 1U);

  machine.stall_disk(false);
  machine.send(world.machine(1), router::DeliveryClass::durable, wire::Priority::normal, 64, hours(1));
  world.settle(minutes(10));
  EXPECT_FALSE(machine.node()->status().storage);
  EXPECT_EQ(world.ledger().totals(world.schedule().now()).taken, 1U);
  EXPECT_TRUE(world.ledger().breaches().empty());
}

}  // namespace
}  // namespace ekiden::sim
