#include "runtime/sqlite_store.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>
#include <utility>

#include "runtime/schema.hpp"
#include "unit/runtime/store_fixture.hpp"

namespace ekiden::runtime {
namespace {

using store::Batch;
using store::PersistToken;
using store::Table;

class SqliteStoreTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(create_store(path_)); }

  std::unique_ptr<SqliteStore> open() {
    auto store = SqliteStore::open({.path = path_});
    EXPECT_TRUE(store) << store.error().message;
    return store ? std::move(*store) : nullptr;
  }

  test::TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_ / "ekiden.db";
};

TEST_F(SqliteStoreTest, RowsOfEveryTableSurviveAReopen) {
  Batch batch;
  store::MemoryStore model;
  for (const TableLayout& layout : table_layouts()) {
    if (layout.numbered) {
      batch.put(layout.table, 7, Bytes{1, 2, 3});
      batch.put(layout.table, ~std::uint64_t{0}, Bytes{});
    } else {
      batch.put(layout.table, as_bytes("a name"), Bytes{4});
      batch.put(layout.table, ByteView{}, Bytes(5000, 9));
    }
  }
  model.apply(batch);
  {
    StoreWatch watch;
    const auto store = open();
    store->start(watch.events());
    store->persist(PersistToken{1}, batch);
    ASSERT_TRUE(store->drain(kPatience));
    EXPECT_EQ(watch.persisted(), PersistToken{1});
  }
  auto rows = read_store(path_);
  ASSERT_TRUE(rows) << rows.error().message;
  std::sort(rows->begin(), rows->end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  EXPECT_EQ(*rows, model.rows());
}

TEST_F(SqliteStoreTest, FetchedRowsAreWhatIsCommitted) {
  Batch batch;
  for (std::uint64_t i = 1; i <= 100; ++i) batch.put(Table::bodies, i, Bytes(1000, static_cast<Byte>(i)));
  batch.put(Table::bodies, 101, Bytes{});
  StoreWatch watch;
  const auto store = open();
  EXPECT_TRUE(store->load()->empty());
  store->start(watch.events());
  store->persist(PersistToken{1}, batch);
  ASSERT_TRUE(store->drain(kPatience));
  Batch erase;
  erase.erase(Table::bodies, 7);
  store->persist(PersistToken{2}, erase);
  ASSERT_TRUE(store->drain(kPatience));
  store->fetch({.table = Table::bodies, .numbers = {100, 7, 3}});
  store->fetch({.table = Table::bodies, .numbers = {101, 102}});
  store->submit();
  const auto fetched = watch.wait_for_fetched(2);
  ASSERT_EQ(fetched.size(), 2U);
  EXPECT_EQ(fetched[0].rows,
            (std::vector<store::FetchedRow>{{100, Bytes(1000, 100)}, {7, std::nullopt}, {3, Bytes(1000, 3)}}));
  EXPECT_EQ(fetched[1].rows, (std::vector<store::FetchedRow>{{101, Bytes{}}, {102, std::nullopt}}));
  EXPECT_EQ(watch.persisted(), PersistToken{2});
}

TEST_F(SqliteStoreTest, BatchesThatGatherBecomeOneCommitInWhichTheLastOperationWins) {
  const Script script = make_script(200, 300);
  StoreWatch watch;
  const auto store = open();
  // Queued before the thread runs: all of them are one commit.
  for (std::size_t i = 0; i < script.batches.size(); ++i) store->persist(PersistToken{i + 1}, script.batches[i]);
  store->start(watch.events());
  ASSERT_TRUE(store->drain(kPatience));
  EXPECT_EQ(watch.persisted(), PersistToken{200});
  EXPECT_FALSE(watch.failure());
}

TEST_F(SqliteStoreTest, ARowThatCameAndWentWithinOneCommitIsNeverWritten) {
  auto database = open_store(path_);
  ASSERT_TRUE(database) << database.error().message;
  auto writer = TableWriter::make(std::move(*database));
  ASSERT_TRUE(writer);
  ASSERT_TRUE(read_all(*writer));
  std::vector<Batch> batches(2);
  batches[0].put(Table::outbox, 5, Bytes(1000, 1));
  batches[1].erase(Table::outbox, 5);
  ASSERT_TRUE(writer->apply(batches));
  EXPECT_EQ(writer->log_pages(), 0);

  ASSERT_TRUE(writer->apply(std::span(batches).first(1)));
  EXPECT_GT(writer->log_pages(), 0);
  ASSERT_TRUE(writer->apply(std::span(batches).last(1)));
  auto rows = read_all(*writer);
  ASSERT_TRUE(rows);
  EXPECT_TRUE(rows->empty());
}

/// Rows that follow each other are erased together, and no other row goes with them.
TEST_F(SqliteStoreTest, OfManyRowsThoseGoThatAreErased) {
  constexpr std::uint64_t kMiddle = std::uint64_t{1} << 63U;  // Above it, numbers are negative to SQLite.
  const std::vector<std::uint64_t> numbers = {0,           1,           2,       3,           5,
                                              kMiddle - 2, kMiddle - 1, kMiddle, kMiddle + 1, kMiddle + 3};
  rc::check([&] {
    const auto erased = *rc::gen::container<std::vector<bool>>(2 * numbers.size(), rc::gen::arbitrary<bool>());
    const auto scratch = directory_ / "scratch.db";
    std::filesystem::remove(scratch);
    RC_ASSERT(create_store(scratch).has_value());
    auto writer = TableWriter::make(open_store(scratch).value());
    RC_ASSERT(writer.has_value());
    std::vector<Batch> batches(2);
    for (const std::uint64_t number : numbers) {
      batches[0].put(Table::outbox, number, Bytes{1});
      batches[0].put(Table::inbox, number, Bytes{2});
    }
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (erased[i]) batches[1].erase(Table::outbox, numbers[i]);
      if (erased[numbers.size() + i]) batches[1].erase(Table::inbox, numbers[i]);
    }
    store::MemoryStore model;
    for (const Batch& batch : batches) {
      RC_ASSERT(writer->apply(std::span(&batch, 1)).has_value());
      model.apply(batch);
    }
    auto rows = read_all(*writer).value();
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
    RC_ASSERT(rows == model.rows());
  });
}

TEST_F(SqliteStoreTest, ADropBeforeTheThreadRanLosesOnlyWhatWasNotPersisted) {
  const Script script = make_script(10, 50);
  {
    StoreWatch watch;
    const auto store = open();
    store->start(watch.events());
    for (std::size_t i = 0; i < 5; ++i) store->persist(PersistToken{i + 1}, script.batches[i]);
    ASSERT_TRUE(store->drain(kPatience));
  }
  {
    const auto store = open();
    for (std::size_t i = 5; i < 10; ++i) store->persist(PersistToken{i + 1}, script.batches[i]);
  }
  auto rows = read_store(path_);
  ASSERT_TRUE(rows);
  EXPECT_EQ(*rows, script.states[5]);
}

TEST_F(SqliteStoreTest, DrainSaysNoWhenTheDiskDoesNotCome) {
  const auto store = open();
  store->persist(PersistToken{1}, Batch{});
  EXPECT_FALSE(store->drain(Duration::zero()));
}

TEST_F(SqliteStoreTest, TheLogIsCopiedBackAndBoundedUnderLoad) {
  StoreWatch watch;
  auto opened = SqliteStore::open({.path = path_, .log_pages = 32});
  ASSERT_TRUE(opened);
  const auto store = std::move(*opened);
  store->start(watch.events());
  const Script script = make_script(400, 900);
  for (std::size_t i = 0; i < script.batches.size(); ++i) {
    store->persist(PersistToken{i + 1}, script.batches[i]);
    store->submit();
    if (i % 4 == 0) {
      ASSERT_TRUE(store->drain(kPatience));
    }
  }
  ASSERT_TRUE(store->drain(kPatience));
  const auto log_size = std::filesystem::file_size(path_.string() + "-wal");
  EXPECT_LT(log_size, 200u * static_cast<unsigned>(kPageSize));  // 400 steps would have written far over 1,000 pages
  EXPECT_FALSE(watch.failure());
}

RC_GTEST_FIXTURE_PROP(SqliteStoreTest, AgreesWithTheStoreInMemory, ()) {
  test::TemporaryDirectory directory;
  RC_ASSERT(create_store(directory / "ekiden.db").has_value());
  store::MemoryStore model;
  std::uint64_t token = 0;
  const auto runs = *rc::gen::inRange(1, 4);
  for (int run = 0; run < runs; ++run) {
    StoreWatch watch;
    auto opened = SqliteStore::open({.path = directory / "ekiden.db", .log_pages = 4});
    RC_ASSERT(opened.has_value());
    auto loaded = read_all(**opened);
    RC_ASSERT(loaded.has_value());
    RC_ASSERT(*loaded == model.rows());
    const auto batches = *rc::gen::inRange(0, 30);
    for (int i = 0; i < batches; ++i) {
      Batch batch;
      for (int j = *rc::gen::inRange(0, 6); j > 0; --j) {
        const auto number = *rc::gen::inRange<std::uint64_t>(0, 9);
        const Bytes name = {static_cast<Byte>(number)};
        switch (*rc::gen::inRange(0, 4)) {
          case 0:
            batch.put(Table::inbox, number, Bytes(*rc::gen::inRange<std::size_t>(0, 9000), 1));
            break;
          case 1:
            batch.erase(Table::inbox, number);
            break;
          case 2:
            batch.put(Table::contacts, name, Bytes(*rc::gen::inRange<std::size_t>(0, 90), 2));
            break;
          default:
            batch.erase(Table::contacts, name);
        }
      }
      model.apply(batch);
      (*opened)->persist(PersistToken{++token}, std::move(batch));
      if (*rc::gen::arbitrary<bool>()) (*opened)->submit();
      if (i == batches / 2) (*opened)->start(watch.events());
    }
    if (batches > 0) RC_ASSERT((*opened)->drain(kPatience));
  }
}

}  // namespace
}  // namespace ekiden::runtime
