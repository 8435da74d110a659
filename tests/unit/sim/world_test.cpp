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

TEST(WorldTest, AMessageSealedUnderASessionThatExpiresIsSealedAnew) {
  World world(two_machines(), {.seed = 1});
  world.boot();
  Machine& sender = world.machine(0);
  Machine& recipient = world.machine(1);
  const auto days_pass = [&](int count) {
    for (const HostIndex host : {0U, 1U}) world.machine(host).step_wall(days(count));
  };
  const auto send_and_run = [&](Duration duration) {
    sender.send(recipient, router::DeliveryClass::durable, wire::Priority::normal, 64, days(30));
    world.run_until(world.schedule().now() + duration);
  };
  const auto arrived = [&] { return world.ledger().totals(world.schedule().now()).arrived; };
  world.run_until(Instant(seconds(5)));
  send_and_run(seconds(30));
  ASSERT_EQ(arrived(), 1U);

  // The records are renewed meanwhile, the session is not: it lives for 30 days and is renewed after 23.
  days_pass(21);
  world.run_until(world.schedule().now() + hours(25));
  recipient.stall_disk(true);
  send_and_run(minutes(1));
  // The link stays up, and the recipient refuses without opening until the sender has closed the session.
  days_pass(9);
  world.run_until(world.schedule().now() + hours(2));
  ASSERT_EQ(arrived(), 1U);
  recipient.stall_disk(false);
  world.run_until(world.schedule().now() + hours(1));
  EXPECT_EQ(arrived(), 2U);
}

}  // namespace
}  // namespace ekiden::sim
