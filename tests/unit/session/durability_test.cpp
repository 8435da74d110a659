// What is on disk when, and what a crash may cost.
#include <algorithm>

#include "session/header.hpp"
#include "unit/session/testing.hpp"

namespace ekiden::session {
namespace {

std::uint32_t number_of(ByteView sealed) { return parse_sealed(sealed)->header.position.number; }

Config quick() {
  Config config;
  config.reserve_block = 8;
  config.flush_messages = 4;
  return config;
}

TEST(Durability, ADurableMessageAlwaysWaitsForTheDisk) {
  Agent alice(1), bob(2);
  for (int i = 0; i < 10; ++i) {
    const auto sealed = alice.seal(at({}), bob.record(at({})), Durability::durable, "x");
    EXPECT_TRUE(sealed->must_persist);
    EXPECT_EQ(alice.pending.size(), 1U);
    alice.persist();
  }
}

TEST(Durability, VolatileMessagesWaitOnlyForTheirFirstBlockOfNumbers) {
  Agent alice(1, quick()), bob(2);
  std::size_t waited = 0, written = 0;
  for (int i = 0; i < 100; ++i) {
    const auto sealed = alice.seal(at({}), bob.record(at({})), Durability::volatile_, "x");
    waited += sealed->must_persist ? 1 : 0;
    written += alice.pending.size();
    alice.persist();
  }
  EXPECT_EQ(waited, 1U);
  EXPECT_LE(written, 1 + 100 / 4U);  // A block of eight is extended when half of it is used.
}

TEST(Durability, WithoutWordFromTheDiskEveryVolatileMessageWaits) {
  Agent alice(1, quick()), bob(2);
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(alice.seal(at({}), bob.record(at({})), Durability::volatile_, "x")->must_persist);
  }
}

TEST(Durability, ABlockCountsOnlyOnceItIsOnDisk) {
  Agent alice(1, quick()), bob(2);
  const auto record = bob.record(at({}));
  const auto waits = [&] { return alice.seal(at({}), record, Durability::volatile_, "x")->must_persist; };
  EXPECT_TRUE(waits());
  EXPECT_TRUE(waits());
  alice.persist(1);  // The first of the two rows holds numbers up to 8.
  std::size_t free = 0;
  while (!waits()) ++free;
  EXPECT_EQ(free, 7U);  // 2 to 8; the rows that extend the block are still under way.
}

TEST(Durability, ABurstOfDurableMessagesReservesNumbersForTheNext) {
  Agent alice(1, quick()), bob(2);
  const auto record = bob.record(at({}));
  const auto has_reserved = [&] { return alice.engine->has_reserved(at({}), bob.id()); };
  for (int i = 0; i < 3; ++i) {
    sealed_by(at({}), alice, bob, "one at a time");
    EXPECT_FALSE(has_reserved());
  }
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(alice.seal(at({}), record, Durability::durable, "burst"));
  EXPECT_FALSE(has_reserved()) << "not on disk yet";
  alice.persist();
  ASSERT_TRUE(has_reserved());

  Bytes last;
  for (int i = 0; has_reserved(); ++i) {
    ASSERT_LT(i, 16) << "without a batch the block is used up";
    const auto sealed = alice.seal(at({}), record, Durability::reserved, "next");
    EXPECT_FALSE(sealed->must_persist);
    last = sealed->sealed;
  }
  EXPECT_TRUE(alice.pending.empty());
  EXPECT_TRUE(alice.seal(at({}), record, Durability::reserved, "too late")->must_persist);
  alice.crash(at({}));
  const Bytes after = sealed_by(at({}), alice, bob, "after");
  EXPECT_GT(number_of(after), number_of(last));
  expect_opens(at({}), bob, alice, last, "next");
}

TEST(Durability, ABlockGrowsWithWhateverIsWrittenNext) {
  Agent alice(1, quick()), bob(2);
  const auto record = bob.record(at({}));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(alice.seal(at({}), record, Durability::durable, "burst"));
  alice.persist();
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(alice.seal(at({}), record, Durability::reserved, "x")->must_persist) << i;
    EXPECT_FALSE(alice.engine->wants_batch());
    alice.collect_and_persist();
  }
}

TEST(Durability, WhatABlockHasGrownByCountsOnlyOnceItIsOnDisk) {
  Agent alice(1, quick()), bob(2);
  const auto record = bob.record(at({}));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(alice.seal(at({}), record, Durability::durable, "burst"));
  alice.persist();
  EXPECT_TRUE(alice.seal(at({}), record, Durability::durable, "under way to the disk"));
  const auto seal_free = [&] {
    std::uint32_t last = 0;
    while (alice.engine->has_reserved(at({}), bob.id())) {
      const auto sealed = alice.seal(at({}), record, Durability::reserved, "x");
      EXPECT_FALSE(sealed->must_persist);
      last = number_of(sealed->sealed);
    }
    return last;
  };
  const std::uint32_t first = seal_free();  // The block has grown meanwhile, and nothing took that along.
  EXPECT_GT(first, 0U);
  alice.persist();
  const std::uint32_t last = std::max(first, seal_free());
  alice.crash(at({}));
  EXPECT_GT(number_of(sealed_by(at({}), alice, bob, "after")), last);
}

TEST(Durability, AfterACrashSendingGoesOnBehindTheReservedNumbers) {
  Agent alice(1, quick()), bob(2);
  const auto record = bob.record(at({}));
  const Bytes last = [&] {
    Bytes body;
    for (int i = 0; i < 6; ++i) {
      body = alice.seal(at({}), record, Durability::volatile_, "before")->sealed;
      if (i == 0) alice.persist();
    }
    return body;
  }();
  alice.crash(at({}));
  const Bytes next = sealed_by(at({}), alice, bob, "after");
  EXPECT_GT(number_of(next), number_of(last));
  EXPECT_EQ(parse_sealed(next)->header.position.ratchet, parse_sealed(last)->header.position.ratchet);
  expect_opens(at({}), bob, alice, next, "after");
  expect_opens(at({}), bob, alice, last, "before", Durability::volatile_);
}

TEST(Durability, ANumberThatNeverLeftIsUsedAgainByTheSameKeyOnly) {
  Agent alice(1), bob(2);
  const auto record = bob.record(at({}));
  sealed_by(at({}), alice, bob, "kept");
  EXPECT_TRUE(alice.seal(at({}), record, Durability::durable, "lost")->must_persist);
  alice.crash(at({}));
  EXPECT_EQ(number_of(sealed_by(at({}), alice, bob, "again")), 1U);
}

TEST(Durability, ARatchetStepIsOnDiskBeforeAnythingLeavesUnderIt) {
  Agent alice(1), bob(2);
  converse(at({}), alice, bob);
  EXPECT_TRUE(alice.seal(at(seconds(1)), bob.record(at({})), Durability::volatile_, "x")->must_persist);
  const auto before = alice.active_with(bob.id());
  const Bytes stepped = alice.seal(at(seconds(1)), bob.record(at({})), Durability::volatile_, "y")->sealed;
  EXPECT_NE(parse_sealed(stepped)->header.position.previous, 0U);
  EXPECT_EQ(before.id, alice.active_with(bob.id()).id);
  alice.persist();
  EXPECT_FALSE(alice.seal(at(seconds(1)), bob.record(at({})), Durability::volatile_, "z")->must_persist);
}

TEST(Durability, AStepThatDidNotReachTheDiskIsTakenAnewWithAnotherKey) {
  Agent alice(1), bob(2);
  converse(at({}), alice, bob);
  const auto key_of = [](const Bytes& sealed) { return parse_sealed(sealed)->header.position.ratchet; };
  const auto lost = key_of(alice.seal(at(seconds(2)), bob.record(at({})), Durability::durable, "x")->sealed);
  alice.crash(at(seconds(2)));
  const Bytes body = sealed_by(at(seconds(2)), alice, bob, "x");
  EXPECT_NE(key_of(body), lost);
  expect_opens(at(seconds(2)), bob, alice, body, "x");
}

TEST(Durability, AMessageWhoseReceptionWasNotPersistedCanBeOpenedAgain) {
  Agent alice(1), bob(2);
  converse(at({}), alice, bob);
  const Bytes body = sealed_by(at({}), alice, bob, "important");
  expect_opens(at({}), bob, alice, body, "important");
  bob.crash(at({}));
  expect_opens(at({}), bob, alice, body, "important");
  bob.persist();
  bob.crash(at({}));
  expect_fails(at({}), bob, alice, body, OpenFailure::duplicate);
}

TEST(Durability, ReceptionOfVolatileMessagesIsWrittenByTheTimer) {
  Agent alice(1), bob(2);
  converse(at({}), alice, bob);
  const Bytes body = sealed_by(at({}), alice, bob, "x", Durability::volatile_);
  expect_opens(at({}), bob, alice, body, "x", Durability::volatile_);
  EXPECT_TRUE(bob.pending.empty());
  EXPECT_EQ(bob.engine->deadline(), at(seconds(1)).mono);
  bob.tick(at(milliseconds(999)));
  EXPECT_TRUE(bob.pending.empty());
  bob.tick(at(seconds(1)));
  EXPECT_EQ(bob.pending.size(), 1U);
  bob.persist();
  bob.crash(at(seconds(1)));
  expect_fails(at(seconds(1)), bob, alice, body, OpenFailure::duplicate, Durability::volatile_);
}

TEST(Durability, ReceptionOfVolatileMessagesIsWrittenByTheirNumber) {
  Agent alice(1), bob(2, quick());
  converse(at({}), alice, bob);
  for (int i = 1; i <= 12; ++i) {
    const Bytes body = sealed_by(at({}), alice, bob, "x", Durability::volatile_);
    expect_opens(at({}), bob, alice, body, "x", Durability::volatile_);
    EXPECT_EQ(bob.pending.size(), static_cast<std::size_t>(i / 4));
  }
  bob.persist();
  EXPECT_TRUE(bob.pending.empty());
}

TEST(Durability, SkippedKeysSurviveARestartAndAreErasedWithTheirRows) {
  Agent alice(1), bob(2);
  converse(at({}), alice, bob);
  const std::size_t rows = bob.disk.size();
  const Bytes late = sealed_by(at({}), alice, bob, "late");
  const Bytes later = sealed_by(at({}), alice, bob, "later");
  say(at({}), alice, bob);
  EXPECT_EQ(bob.disk.size(), rows + 2);
  bob.crash(at({}));
  expect_opens(at({}), bob, alice, late, "late");
  bob.persist();
  EXPECT_EQ(bob.disk.size(), rows + 1);
  bob.crash(at({}));
  expect_fails(at({}), bob, alice, late, OpenFailure::duplicate);
  expect_opens(at({}), bob, alice, later, "later");
  bob.persist();
  EXPECT_EQ(bob.disk.size(), rows);
}

TEST(Durability, WhatIsOnDiskIsTheWholeState) {
  Agent alice(1), bob(2);
  for (int i = 0; i < 5; ++i) converse(at(seconds(2 * i)), alice, bob);
  sealed_by(at(seconds(11)), alice, bob, "lost");
  say(at(seconds(11)), alice, bob);
  for (Agent* agent : {&alice, &bob}) {
    const auto state = agent->state();
    agent->crash(at(seconds(11)));
    EXPECT_EQ(agent->state(), state);
    std::vector<store::Row> rows;
    for (const auto& op : state) rows.push_back({op.key, op.value});
    std::ranges::sort(rows, {}, &store::Row::key);
    EXPECT_EQ(rows, agent->disk.rows());
  }
}

}  // namespace
}  // namespace ekiden::session
