#include "router/history.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "router/steps.hpp"
#include "store/memory_store.hpp"
#include "world.hpp"

namespace ekiden::router {
namespace {

MessageId id_of(std::uint64_t n) {
  MessageId id{};
  put_be(MutableBytes(id.bytes).first(8), n << 16 >> 16 << 16);
  id.bytes[5] = static_cast<Byte>(n);
  id.bytes[4] = static_cast<Byte>(n >> 8);
  id.bytes[6] = 0x40;
  id.bytes[8] = 0x80;
  return id;
}

HistoryRow group(std::uint64_t first, std::uint64_t count) {
  HistoryRow row{.peer = {}, .at = from_unix_ms(first), .receipt = {1, 2, 3}, .entries = {}};
  for (std::uint64_t i = 0; i < count; ++i) row.entries.emplace_back().id = id_of(first + i);
  return row;
}

TEST(History, KeepsTheLatestWholeGroupsInMemoryAndOnDisk) {
  History history(10);
  store::MemoryStore disk;
  for (std::uint64_t i = 0; i < 20; ++i) {
    store::Batch batch;
    history.add(group(i * 4, 4), &batch);
    disk.apply(batch);
    history.check_invariants();
  }
  EXPECT_EQ(history.size(), 8u);
  EXPECT_EQ(disk.size(), 2u);
  EXPECT_TRUE(history.trace(id_of(79)));
  EXPECT_FALSE(history.trace(id_of(71)));

  History again(10);
  for (const auto& row : disk.rows()) ASSERT_TRUE(again.load_row(row.key.number, row.value));
  again.check_invariants();
  EXPECT_EQ(again.size(), 8u);
  const auto trace = again.trace(id_of(76));
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->receipt, (Bytes{1, 2, 3}));
}

TEST(History, ShrinksToALowerLimit) {
  History history(100);
  store::MemoryStore disk;
  for (std::uint64_t i = 0; i < 10; ++i) {
    store::Batch batch;
    history.add(group(i * 5, 5), &batch);
    disk.apply(batch);
  }
  History smaller(12);
  for (const auto& row : disk.rows()) ASSERT_TRUE(smaller.load_row(row.key.number, row.value));
  store::Batch batch;
  smaller.trim(&batch);
  disk.apply(batch);
  smaller.check_invariants();
  EXPECT_EQ(smaller.size(), 10u);
  EXPECT_EQ(disk.size(), 2u);
}

TEST(History, KeepsTheStoryOfAMessageAcrossRestarts) {
  test::World world(2);
  world.link(0, 1);
  const RequestId request = world.send(0, 1, "a");
  world.flow();
  const MessageId id = world[0].answer(request);
  const Trace before = *world[0].router().trace(id);
  world.crash(0);
  world.boot(0);
  const Trace after = *world[0].router().trace(id);
  EXPECT_EQ(after.state, MessageState::delivered);
  EXPECT_EQ(after.receipt, before.receipt);
  EXPECT_EQ(after.delivered, before.delivered);
  EXPECT_EQ(after.attempts, before.attempts);
  ASSERT_EQ(after.steps.size(), before.steps.size());
  for (std::size_t i = 0; i < after.steps.size(); ++i) EXPECT_EQ(after.steps[i].what, before.steps[i].what);
}

TEST(History, KeepsVolatileMessagesApart) {
  Config config;
  config.max_history = 2;
  test::World world(2, config);
  world.link(0, 1);
  const RequestId durable = world.send(0, 1, "a");
  world.flow();
  Draft fleeting;
  fleeting.delivery = DeliveryClass::volatile_;
  for (int i = 0; i < 2000; ++i) world.send(0, 1, fleeting);
  world.mail().clear();
  EXPECT_TRUE(world[0].router().trace(world[0].answer(durable)));
  EXPECT_EQ(world[0].rows_in(store::Table::history), 1u);
}

TEST(Steps, KeepTheFirstAndTheLatest) {
  Steps steps;
  Now now{.mono = {}, .wall = from_unix_ms(1000)};
  steps.add(now, StepKind::accepted);
  for (std::uint64_t i = 1; i <= 100; ++i) {
    now.wall += milliseconds(10);
    steps.add(now, StepKind::transmitted, i);
  }
  const auto told = steps.describe({});
  ASSERT_EQ(told.size(), kMaxTraceSteps);
  EXPECT_EQ(told.front().what, "accepted and stored");
  EXPECT_EQ(told.back().what, "sent over the link again (attempt 100)");
}

RC_GTEST_PROP(Steps, PackAndUnpack, ()) {
  const auto kinds = *rc::gen::container<std::vector<std::uint8_t>>(rc::gen::inRange<std::uint8_t>(0, kStepKinds));
  Steps steps;
  for (const std::uint8_t kind : kinds) {
    const auto at = *rc::gen::inRange<std::int64_t>(-1'000'000, 1'000'000'000'000);
    steps.add({.mono = {}, .wall = WallTime(milliseconds(at))}, static_cast<StepKind>(kind),
              *rc::gen::arbitrary<std::uint64_t>());
  }
  const WallTime from = from_unix_ms(500'000);
  const auto again = Steps::unpack(steps.pack(from), from);
  RC_ASSERT(again.has_value());
  RC_ASSERT(again->all().size() == steps.all().size());
  for (std::size_t i = 0; i < steps.all().size(); ++i) {
    RC_ASSERT(again->all()[i].at == steps.all()[i].at);
    RC_ASSERT(again->all()[i].kind == steps.all()[i].kind);
    RC_ASSERT(again->all()[i].number == steps.all()[i].number);
  }
}

TEST(Steps, RefuseWhatIsNotPacked) {
  EXPECT_FALSE(Steps::unpack({1, 2}, {}));
  EXPECT_FALSE(Steps::unpack({1, UINT64_MAX, 0}, {}));
  const auto newer = Steps::unpack({200, 0, 0, 0, 0, 0}, {});
  ASSERT_TRUE(newer) << "a kind that a newer build wrote";
  EXPECT_EQ(newer->all().size(), 1u);
}

}  // namespace
}  // namespace ekiden::router
