// Stores of earlier versions: every later build opens them with their rows, or leaves them as they were.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "unit/runtime/store_fixture.hpp"

namespace ekiden::runtime {
namespace {

using store::Table;

/// A file that version 1 has made. Never made anew: it stands for those that are out there.
constexpr const char* kVersion1 = "tests/unit/runtime/fixtures/v1.db";

/// What is in it.
store::Batch rows_of_version_1() {
  store::Batch batch;
  for (const Table table : {Table::meta, Table::contacts, Table::records, Table::sessions, Table::windows}) {
    const auto number = static_cast<Byte>(table);
    batch.put(table, as_bytes("a name"), Bytes{number, 1});
    batch.put(table, ByteView{}, Bytes(300, number));
    batch.put(table, Bytes(store::kMaxName, 0xff), Bytes{});
  }
  for (const Table table : {Table::prekeys, Table::outbox, Table::inbox, Table::history}) {
    const auto number = static_cast<Byte>(table);
    batch.put(table, 0, Bytes{});
    batch.put(table, 7, Bytes(5000, number));
    batch.put(table, ~std::uint64_t{0}, Bytes{number, 2});
  }
  return batch;
}

class MigrationTest : public ::testing::Test {
 protected:
  void SetUp() override { put_back(); }

  void put_back() const {
    for (const char* suffix : {"", "-wal"}) std::filesystem::remove(path_.string() + suffix);
    std::filesystem::copy_file(kVersion1, path_);
  }

  static std::vector<store::Row> sorted(std::vector<store::Row> rows) {
    std::ranges::sort(rows, [](const store::Row& a, const store::Row& b) { return a.key < b.key; });
    return rows;
  }

  static std::vector<store::Row> expected() {
    store::MemoryStore model;
    model.apply(rows_of_version_1());
    return model.rows();
  }

  /// With a file layer of its own, whose syncs take no time.
  Result<std::vector<store::Row>> read(Migrations steps) const {
    const FaultyVfs vfs;
    EKIDEN_ASSIGN(Database database, open_store(path_, vfs.name(), steps));
    EKIDEN_ASSIGN(TableWriter writer, TableWriter::make(std::move(database)));
    EKIDEN_ASSIGN(auto rows, read_all(writer));
    return sorted(std::move(rows));
  }

  std::uint64_t version() const {
    const FaultyVfs vfs;
    auto database = Database::open(path_, vfs.name());
    if (!database || !database->execute("PRAGMA locking_mode = EXCLUSIVE")) return 0;
    return database->query_number("PRAGMA user_version").value_or(0);
  }

  void expect_rows(Migrations steps, const std::string& where) const {
    const auto rows = read(steps);
    ASSERT_TRUE(rows) << where << ": " << rows.error().message;
    EXPECT_EQ(*rows, expected()) << where;
  }

  /// At every call that changes a file: a step fails and leaves what was there before it, or it has happened.
  void fail_everywhere(Fault fault, Loss loss) const {
    for (std::uint64_t nth = 0;; ++nth) {
      const std::string where = "fault at call " + std::to_string(nth);
      put_back();
      FaultyVfs vfs;
      vfs.fail(fault, nth);
      bool opened = false;
      {
        const auto database = open_store(path_, vfs.name(), next_);
        opened = database.has_value();
        if (!opened) {
          const Errc expected = fault == Fault::full ? Errc::storage_full : Errc::storage_failed;
          EXPECT_EQ(database.error().code, expected) << where << ": " << database.error().message;
          EXPECT_NE(database.error().message.find("to version "), std::string::npos) << database.error().message;
        }
        EXPECT_NE(opened, vfs.failed()) << where;
        vfs.die();
      }
      vfs.crash(loss);
      // What a failed sync has left of the last write, nobody knows: it may be there.
      if (!opened && fault != Fault::sync_error) {
        EXPECT_LT(version(), next_.size()) << where;
        expect_rows(released_, where);
      }
      expect_rows(next_, where);
      if (opened || HasFailure()) {
        EXPECT_GT(nth, fault == Fault::sync_error ? 0u : 2u);
        return;
      }
    }
  }

  test::TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_ / "ekiden.db";

  /// This build's steps with one more.
  static std::vector<const char*> released_and(const char* step) {
    std::vector<const char*> steps(released_migrations().begin(), released_migrations().end());
    steps.push_back(step);
    return steps;
  }

  const Migrations released_ = released_migrations();
  const std::vector<const char*> next_ = released_and(
      "CREATE TABLE copies (n INTEGER PRIMARY KEY, value BLOB NOT NULL);"
      "INSERT INTO copies SELECT n, value FROM inbox;"
      "INSERT INTO copies SELECT n + 10, value FROM outbox WHERE n > 0;");
};

TEST_F(MigrationTest, AStoreOfVersion1OpensWithItsRows) {
  EXPECT_EQ(version(), 1u);
  expect_rows(released_, "this build");
  EXPECT_EQ(version(), released_.size());
}

/// Of which no parcel is dead.
TEST_F(MigrationTest, AStoreOfVersion7KeepsItsParcels) {
  std::filesystem::remove(path_);
  ASSERT_TRUE(create_store(path_, nullptr, released_.first(7)));
  {
    const FaultyVfs vfs;
    auto database = Database::open(path_, vfs.name());
    ASSERT_TRUE(database && database->execute("PRAGMA locking_mode = EXCLUSIVE"));
    ASSERT_TRUE(database->execute("INSERT INTO parcels VALUES (1, x'0a'), (300, x'0b')"));
    ASSERT_TRUE(database->execute("INSERT INTO bodies VALUES (1, x'0c'), (300, x'0d')"));
  }
  EXPECT_EQ(version(), 7u);
  const auto rows = read(released_);
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(*rows, (std::vector<store::Row>{{{.table = Table::parcels, .number = 1, .name = {}}, {0x0a}},
                                            {{.table = Table::parcels, .number = 300, .name = {}}, {0x0b}},
                                            {{.table = Table::bodies, .number = 1, .name = {}}, {0x0c}},
                                            {{.table = Table::bodies, .number = 300, .name = {}}, {0x0d}}}));
  EXPECT_EQ(version(), released_.size());
}

TEST_F(MigrationTest, AStepKeepsTheRowsAndIsTakenOnce) {
  expect_rows(next_, "first");
  EXPECT_EQ(version(), next_.size());
  expect_rows(next_, "again");
  auto database = open_store(path_, nullptr, next_);
  ASSERT_TRUE(database) << database.error().message;
  EXPECT_EQ(*database->query_number("SELECT count(*) FROM copies"), 4u);
}

TEST_F(MigrationTest, AStepThatFailsHalfWayLeavesTheVersionBeforeIt) {
  const auto broken = released_and("DELETE FROM inbox; INSERT INTO nowhere VALUES (1);");
  const auto opened = open_store(path_, nullptr, broken);
  ASSERT_FALSE(opened);
  const std::string step = "version " + std::to_string(broken.size());
  EXPECT_NE(opened.error().message.find(step), std::string::npos) << opened.error().message;
  EXPECT_NE(opened.error().message.find("nowhere"), std::string::npos) << opened.error().message;
  EXPECT_EQ(version(), released_.size());
  expect_rows(released_, "after the failure");
}

TEST_F(MigrationTest, AnOlderBuildLeavesANewerStoreAlone) {
  expect_rows(next_, "newer");
  const auto older = open_store(path_, nullptr, released_);
  ASSERT_FALSE(older);
  EXPECT_EQ(older.error().code, Errc::unsupported) << older.error().message;
  expect_rows(next_, "after the refusal");
}

TEST_F(MigrationTest, ANewStoreHasTakenEveryStep) {
  std::filesystem::remove(path_);
  ASSERT_TRUE(create_store(path_, nullptr, next_));
  EXPECT_EQ(version(), next_.size());
  EXPECT_TRUE(open_store(path_, nullptr, next_));
}

TEST_F(MigrationTest, AFullDiskAtAnyWriteLeavesTheVersionBefore) {
  fail_everywhere(Fault::full, Loss::nothing);
  fail_everywhere(Fault::full, Loss::everything);
}

TEST_F(MigrationTest, AFailingWriteAnywhereLeavesTheVersionBefore) {
  fail_everywhere(Fault::write_error, Loss::nothing);
  fail_everywhere(Fault::write_error, Loss::every_other);
}

TEST_F(MigrationTest, AFailingSyncAnywhereLosesNothing) {
  fail_everywhere(Fault::sync_error, Loss::nothing);
  fail_everywhere(Fault::sync_error, Loss::everything);
}

}  // namespace
}  // namespace ekiden::runtime
