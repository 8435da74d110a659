// What survives a restart.
#include <gtest/gtest.h>

#include "bootstrap/rows.hpp"
#include "support/arbitrary_message.hpp"
#include "support/golden.hpp"
#include "support/hostile.hpp"
#include "unit/bootstrap/world.hpp"

namespace ekiden::bootstrap {
namespace {

NodeRow sample_row() {
  return {.public_key = identity_of(1).public_key(),
          .endpoints = std::vector<identity::Endpoint>(1, endpoint("tcp://boot.example.org:7420")),
          .named_by_owner = false,
          .depth = 2,
          .signer = id_of(2),
          .outcomes = 0b1011,
          .probes = 4,
          .latency_us = 23'000,
          .first_reached = test::kWall - days(3),
          .last_reached = test::kWall,
          .strikes = 0,
          .list_sequence = 9};
}

store::Row row_of(const NodeRow& row) {
  return {.key = {.table = store::Table::bootstrap,
                  .number = 0,
                  .name = to_bytes(identity::PeerId::of(row.public_key).view())},
          .value = wire::encode(row)};
}

TEST(Memory, RowsHaveTheirGoldenBytes) {
  test::check_golden(sample_row());
  test::check_hostile_input(sample_row());
}

TEST(Memory, ANodeThatHasRunBeforeNeedsNoList) {
  World world;
  world.host(1).list = list_bytes(1, {2, 3, 4});
  world.host(1).round_trip = milliseconds(300);
  world.host(2).round_trip = milliseconds(10);
  world.host(3).round_trip = milliseconds(100);
  world.seeds({1});
  world.run(hours(1));
  EXPECT_EQ(world.disk.rows().size(), 3U);
  const auto before = world.engine->snapshot();
  world.candidates.clear();
  world.probes.clear();

  world.restart(2);
  EXPECT_EQ(world.engine->snapshot().operations(), before.operations());
  ASSERT_EQ(world.candidates.size(), 3U);
  EXPECT_EQ(world.candidates[0].node, id_of(2));
  EXPECT_EQ(world.candidates[1].node, id_of(3));
  EXPECT_EQ(world.candidates[2].node, id_of(1));
  EXPECT_FALSE(world.candidates[0].reached);
  EXPECT_EQ(world.candidates[0].endpoints.front().text(), address_of(2));
  EXPECT_EQ(world.candidates[2].learned_from, identity::LearnedFrom::configuration);
  EXPECT_EQ(world.probes.size(), 3U);
  world.run(seconds(1));
  EXPECT_EQ(world.up().size(), 3U);
  EXPECT_EQ(world.status_of(2)->depth, 1U);
}

TEST(Memory, OnlyReachedNodesCostARow) {
  World world;
  world.host(1).list = list_bytes(1, {10, 11, 12, 13});
  world.seeds({1, 2});
  world.run(minutes(5));
  EXPECT_EQ(world.engine->size(), 6U);
  EXPECT_EQ(world.disk.rows().size(), 1U);
}

TEST(Memory, WritesAreGathered) {
  World world;
  std::vector<Byte> numbers;
  for (Byte i = 1; i <= 50; ++i) {
    world.host(i);
    numbers.push_back(i);
  }
  world.seeds(numbers);
  world.run(seconds(11));
  EXPECT_EQ(world.disk.rows().size(), 50U);
  EXPECT_EQ(world.writes, 1U);
  world.engine->flush(world.out);
  EXPECT_TRUE(world.out.empty());
}

TEST(Memory, WhatWasNotWrittenYetIsWrittenAtTheEnd) {
  World world;
  world.host(1);
  world.seeds({1});
  world.run(seconds(1));
  EXPECT_EQ(world.disk.rows().size(), 0U);
  world.engine->flush(world.out);
  world.settle();
  EXPECT_EQ(world.disk.rows().size(), 1U);
}

TEST(Memory, OffersFewButKeepsAll) {
  Config config;
  config.max_offered = 3;
  World world(config, 1, 3);
  std::vector<Byte> numbers;
  for (Byte i = 1; i <= 20; ++i) {
    world.host(i);
    numbers.push_back(i);
  }
  world.seeds(numbers);
  world.run(config.survey_interval + minutes(1));
  world.candidates.clear();
  world.probes.clear();
  world.restart();
  EXPECT_EQ(world.candidates.size(), 3U);
  EXPECT_EQ(world.probes.size(), 3U);
  world.run(hours(1));
  EXPECT_EQ(world.up().size(), 20U);
}

TEST(Memory, SmallerCapsDropTheWorst) {
  store::MemoryStore disk;
  for (Byte i = 1; i <= 10; ++i) {
    NodeRow row = sample_row();
    row.public_key = identity_of(i).public_key();
    row.latency_us = 1'000U * i;
    row.endpoints = std::vector<identity::Endpoint>(1, endpoint(address_of(i)));
    row.signer.reset();
    store::Batch batch;
    batch.put(store::Table::bootstrap, row_of(row).key.name, row_of(row).value);
    disk.apply(batch);
  }
  Config config;
  config.max_nodes = 4;
  Bootstrap engine(id_of(kSelf), config, test::make_rng(1));
  ASSERT_TRUE(engine.load(disk.rows()));
  Outbox<Bootstrap::Effect> out;
  engine.start(test::at({}), out);
  engine.check_invariants();
  const auto best = engine.best(10);
  ASSERT_EQ(best.size(), 4U);
  for (Byte i = 1; i <= 4; ++i) EXPECT_EQ(best[i - 1U].node, id_of(i));
  engine.on_deadline(test::at({}), out);
  for (const auto& effect : out.take()) {
    if (const auto* write = std::get_if<Write>(&effect)) disk.apply(write->batch);
  }
  EXPECT_EQ(disk.rows().size(), 4U);
}

TEST(Memory, ARememberedPrivateAddressOfAListIsNotDialled) {
  NodeRow row = sample_row();
  row.endpoints = std::vector<identity::Endpoint>(1, endpoint("tcp://192.168.1.1:80"));
  Bootstrap listed(id_of(kSelf), {}, test::make_rng(1));
  ASSERT_TRUE(listed.load({row_of(row)}));
  EXPECT_EQ(listed.size(), 0U);
  row.named_by_owner = true;
  row.depth = 0;
  Bootstrap own(id_of(kSelf), {}, test::make_rng(1));
  ASSERT_TRUE(own.load({row_of(row)}));
  EXPECT_EQ(own.size(), 1U);
}

TEST(Memory, ADamagedRowIsNamed) {
  const auto code_of = [](const store::Row& row) {
    Bootstrap engine(id_of(kSelf), {}, test::make_rng(1));
    const Status loaded = engine.load({row});
    EXPECT_FALSE(loaded);
    EXPECT_NE(loaded.error().message.find("table bootstrap"), std::string::npos) << loaded.error().message;
    return loaded.error().code;
  };
  const auto with = [](const std::function<void(NodeRow&)>& change) {
    NodeRow row = sample_row();
    change(row);
    return row_of(row);
  };
  store::Row row = row_of(sample_row());
  row.value.pop_back();
  EXPECT_EQ(code_of(row), Errc::storage_corrupt);
  row = row_of(sample_row());
  row.key.name[0] ^= 1;
  EXPECT_EQ(code_of(row), Errc::storage_corrupt);
  EXPECT_EQ(code_of(with([](NodeRow& r) { r.probes = 33; })), Errc::storage_corrupt);
  EXPECT_EQ(code_of(with([](NodeRow& r) { r.outcomes = 0xff; })), Errc::storage_corrupt);
  EXPECT_EQ(code_of(with([](NodeRow& r) { r.latency_us = 0; })), Errc::storage_corrupt);
  EXPECT_EQ(code_of(with([](NodeRow& r) { r.latency_us = ~std::uint64_t{0}; })), Errc::storage_corrupt);
  row = row_of(sample_row());
  row.key.table = store::Table::records;
  Bootstrap engine(id_of(kSelf), {}, test::make_rng(1));
  EXPECT_TRUE(engine.load({row}));
  EXPECT_EQ(engine.size(), 0U);
}

TEST(Memory, AClockThatLeapsForgetsNobodyWhoAnswers) {
  World world;
  world.host(1);
  world.host(2);
  world.seeds({1, 2});
  world.run(hours(1));
  world.restart();
  world.step_wall(days(3650));
  world.run(days(1));
  EXPECT_EQ(world.up().size(), 2U);
  world.step_wall(-days(7300));
  world.run(days(1));
  EXPECT_EQ(world.up().size(), 2U);
}

}  // namespace
}  // namespace ekiden::bootstrap
