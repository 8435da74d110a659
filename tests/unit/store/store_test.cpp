// Batches and the store in memory, against a plain map.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "store/batch.hpp"
#include "store/memory_store.hpp"

namespace ekiden::store {
namespace {

Key number_key(Table table, std::uint64_t number) { return {.table = table, .number = number, .name = {}}; }
Key name_key(Table table, std::string_view name) {
  return {.table = table, .number = 0, .name = to_bytes(as_bytes(name))};
}

TEST(Batch, KeepsItsOperationsInOrder) {
  Batch batch;
  EXPECT_TRUE(batch.empty());
  batch.put(Table::inbox, 7, {1});
  batch.put(Table::meta, as_bytes("node.record"), {2, 3});
  batch.erase(Table::inbox, 7);
  batch.erase(Table::meta, as_bytes("node.record"));
  const std::vector<Operation> expected = {
      {.key = number_key(Table::inbox, 7), .erase = false, .value = {1}},
      {.key = name_key(Table::meta, "node.record"), .erase = false, .value = {2, 3}},
      {.key = number_key(Table::inbox, 7), .erase = true, .value = {}},
      {.key = name_key(Table::meta, "node.record"), .erase = true, .value = {}},
  };
  EXPECT_EQ(batch.operations(), expected);
  EXPECT_FALSE(batch.empty());
}

TEST(Batch, CountsTheBytesOfKeysAndValues) {
  Batch batch;
  EXPECT_EQ(batch.byte_size(), 0U);
  batch.put(Table::inbox, 7, Bytes(100));
  const auto one = batch.byte_size();
  EXPECT_GE(one, 100U);
  batch.put(Table::meta, as_bytes("12345"), Bytes(10));
  EXPECT_EQ(batch.byte_size(), one + 8 + 5 + 10);
}

TEST(Batch, AppendingPutsTheOtherBehindAndAnEmptyOneChangesNothing) {
  Batch first, second;
  first.append({});
  EXPECT_TRUE(first.empty());
  second.put(Table::inbox, 2, {2});
  first.append(second);
  EXPECT_EQ(first.operations(), second.operations());
  Batch third;
  third.erase(Table::inbox, 2);
  first.append(third);
  ASSERT_EQ(first.operations().size(), 2U);
  EXPECT_TRUE(first.operations()[1].erase);
  first.append({});
  EXPECT_EQ(first.operations().size(), 2U);
}

TEST(BatchDeathTest, ANameThatIsTooLongIsOurOwnMistake) {
  Batch batch;
  batch.put(Table::meta, Bytes(kMaxName), {});
  EXPECT_DEATH(batch.put(Table::meta, Bytes(kMaxName + 1), {}), "kMaxName");
  EXPECT_DEATH(batch.erase(Table::meta, Bytes(kMaxName + 1)), "kMaxName");
}

TEST(MemoryStore, TheLastOperationOnAKeyWins) {
  Batch batch;
  batch.put(Table::inbox, 1, {1});
  batch.put(Table::inbox, 1, {2});
  batch.put(Table::inbox, 2, {3});
  batch.erase(Table::inbox, 2);
  batch.erase(Table::inbox, 3);
  batch.put(Table::inbox, 3, {4});
  MemoryStore disk;
  disk.apply(batch);
  const std::vector<Row> expected = {{number_key(Table::inbox, 1), {2}}, {number_key(Table::inbox, 3), {4}}};
  EXPECT_EQ(disk.rows(), expected);
  EXPECT_EQ(disk.size(), 2U);
}

TEST(MemoryStore, TablesAndKindsOfKeysAreApart) {
  Batch batch;
  batch.put(Table::inbox, 1, {1});
  batch.put(Table::outbox, 1, {2});
  batch.put(Table::meta, as_bytes("1"), {3});
  batch.put(Table::contacts, as_bytes("1"), {4});
  MemoryStore disk;
  disk.apply(batch);
  EXPECT_EQ(disk.size(), 4U);
}

/// Operations on few keys, so that they meet.
Batch arbitrary_batch() {
  Batch batch;
  const auto count = *rc::gen::inRange(0, 12);
  for (int i = 0; i < count; ++i) {
    const auto number = *rc::gen::inRange<std::uint64_t>(0, 4);
    const Bytes name(number, Byte{'n'});
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
        batch.put(Table::inbox, number, *rc::gen::arbitrary<Bytes>());
        break;
      case 1:
        batch.put(Table::meta, name, *rc::gen::arbitrary<Bytes>());
        break;
      case 2:
        batch.erase(Table::inbox, number);
        break;
      default:
        batch.erase(Table::meta, name);
    }
  }
  return batch;
}

RC_GTEST_PROP(MemoryStore, AgreesWithAMapAndAppendedBatchesWithBatchesInTurn, ()) {
  MemoryStore in_turn, at_once;
  std::map<Key, Bytes> model;
  Batch all;
  const auto batches = *rc::gen::inRange(0, 6);
  for (int i = 0; i < batches; ++i) {
    const Batch batch = arbitrary_batch();
    in_turn.apply(batch);
    all.append(batch);
    for (const Operation& op : batch.operations()) {
      model.erase(op.key);
      if (!op.erase) model.emplace(op.key, op.value);
    }
  }
  at_once.apply(all);
  RC_ASSERT(in_turn.rows() == at_once.rows());
  std::vector<Row> expected;
  for (const auto& [key, value] : model) expected.push_back({key, value});
  RC_ASSERT(in_turn.rows() == expected);
}

TEST(MemoryStore, GivesRowsByTheWayTheyAreRead) {
  Batch batch;
  batch.put(Table::inbox, 1, {1});
  batch.put(Table::parcels, 2, {2});
  batch.put(Table::bodies, 2, {3});
  MemoryStore store;
  store.apply(batch);
  EXPECT_EQ(store.rows().size(), 3U);
  EXPECT_EQ(store.rows(Reading::gathered), (std::vector<Row>{{number_key(Table::inbox, 1), {1}}}));
  EXPECT_EQ(store.rows(Reading::streamed), (std::vector<Row>{{number_key(Table::parcels, 2), {2}}}));
  const auto fetched = store.fetch({.table = Table::bodies, .numbers = {1, 2}});
  EXPECT_EQ(fetched.rows, (std::vector<FetchedRow>{{1, std::nullopt}, {2, Bytes{3}}}));
}

}  // namespace
}  // namespace ekiden::store
