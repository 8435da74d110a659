#include "runtime/log_file.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <utility>

#include "runtime/schema.hpp"
#include "unit/runtime/store_fixture.hpp"

namespace ekiden::runtime {
namespace {

using store::Batch;
using store::PersistToken;
using store::Table;

constexpr std::size_t kSteps = 6;

class LogFileTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(create_store(path_)); }

  static bool contains(const std::filesystem::path& path, const Bytes& value) {
    std::ifstream in(path, std::ios::binary);
    const Bytes all{std::istreambuf_iterator<char>(in), {}};
    return std::ranges::search(all, value).begin() != all.end();
  }

  TableWriter open_writer(const char* vfs = nullptr) const {
    auto database = open_store(path_, vfs);
    EXPECT_TRUE(database) << database.error().message;
    auto writer = TableWriter::make(std::move(*database));
    EXPECT_TRUE(writer) << writer.error().message;
    EXPECT_TRUE(read_all(*writer));
    return std::move(*writer);
  }

  static Batch put(const Bytes& value) {
    Batch batch;
    batch.put(Table::sessions, as_bytes("session"), value);
    return batch;
  }

  static Status apply(TableWriter& writer, const Batch& batch) { return writer.apply(std::span(&batch, 1)); }

  std::uintmax_t log_size() const { return std::filesystem::file_size(log_); }

  test::TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_ / "ekiden.db";
  std::filesystem::path log_ = path_.string() + "-wal";
  const Bytes secret_ = to_bytes(as_bytes("a key that was erased long ago"));
};

TEST_F(LogFileTest, CommitsDoNotLengthenALogThatHasRoom) {
  StoreWatch watch;
  auto store = SqliteStore::open({.path = path_, .log_pages = 200});
  ASSERT_TRUE(store);
  (*store)->start(watch.events());
  (*store)->persist(PersistToken{1}, Batch{});
  ASSERT_TRUE((*store)->drain(kPatience));
  const auto before = log_size();
  EXPECT_GE(before, 200u * static_cast<unsigned>(kPageSize));
  for (std::uint64_t token = 2; token < 22; ++token) {
    (*store)->persist(PersistToken{token}, put(Bytes(100, static_cast<Byte>(token))));
    ASSERT_TRUE((*store)->drain(kPatience));
  }
  EXPECT_EQ(log_size(), before);
}

TEST_F(LogFileTest, ACommitIsOneWriteAndOneSync) {
  FaultyVfs vfs;
  TableWriter writer = open_writer(vfs.name());
  ASSERT_TRUE(apply(writer, put(secret_)));  // The first one writes the header of the log, too.
  const auto before = vfs.calls();
  Batch batch;
  for (std::uint64_t number = 1; number <= 60; ++number) batch.put(Table::outbox, number, Bytes(1000, 1));
  ASSERT_TRUE(apply(writer, batch));
  EXPECT_EQ(vfs.calls(), before + 2);
}

TEST_F(LogFileTest, ALogThatIsLongEnoughIsLeftAlone) {
  TableWriter writer = open_writer();
  ASSERT_TRUE(apply(writer, put(secret_)));
  ASSERT_TRUE(writer.extend_log(10));
  const auto size = log_size();
  ASSERT_TRUE(writer.extend_log(5));
  EXPECT_EQ(log_size(), size);
  EXPECT_TRUE(contains(log_, secret_));
}

TEST_F(LogFileTest, WhatWasErasedIsGoneFromTheLogAndTheDatabase) {
  TableWriter writer = open_writer();
  ASSERT_TRUE(apply(writer, put(secret_)));
  ASSERT_TRUE(writer.checkpoint());
  ASSERT_TRUE(contains(path_, secret_));
  Batch erase;
  erase.erase(Table::sessions, as_bytes("session"));
  ASSERT_TRUE(apply(writer, erase));
  ASSERT_TRUE(writer.checkpoint());
  EXPECT_FALSE(contains(path_, secret_));

  ASSERT_TRUE(apply(writer, put(secret_)));
  ASSERT_TRUE(apply(writer, put(Bytes(40, 1))));
  ASSERT_TRUE(contains(log_, secret_));
  const auto size = log_size();
  ASSERT_TRUE(writer.erase_log());
  EXPECT_FALSE(contains(log_, secret_));
  EXPECT_FALSE(contains(path_, secret_));
  EXPECT_EQ(log_size(), size);
  EXPECT_EQ(writer.log_pages(), 0);
  const auto rows = read_all(writer);
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ(rows->front().value, Bytes(40, 1));
}

TEST_F(LogFileTest, AnIdleStoreErasesItsLog) {
  StoreWatch watch;
  auto store = SqliteStore::open({.path = path_, .log_pages = 20, .erase_interval = Duration::zero()});
  ASSERT_TRUE(store);
  (*store)->start(watch.events());
  (*store)->persist(PersistToken{1}, put(secret_));
  ASSERT_TRUE((*store)->drain(kPatience));
  (*store)->persist(PersistToken{2}, put(Bytes(40, 1)));
  ASSERT_TRUE((*store)->drain(kPatience));
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (contains(log_, secret_) && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  EXPECT_FALSE(contains(log_, secret_));
  EXPECT_FALSE(watch.failure());
}

TEST_F(LogFileTest, AnEndedStoreLeavesNoLog) {
  {
    TableWriter writer = open_writer();
    ASSERT_TRUE(apply(writer, put(secret_)));
    ASSERT_TRUE(writer.erase_log());
    ASSERT_TRUE(apply(writer, put(Bytes(40, 1))));
  }
  EXPECT_FALSE(std::filesystem::exists(log_));
  EXPECT_FALSE(contains(path_, secret_));
}

/// A crash at any call while logs are extended, written, copied back and erased.
class LogFaultsTest : public LogFileTest {
 protected:
  /// Returns the steps that were acknowledged before the first error.
  std::size_t run(TableWriter& writer) const {
    if (!writer.extend_log(8)) return 0;
    for (std::size_t step = 1; step <= kSteps; ++step) {
      if (!apply(writer, script_.batches[step - 1])) return step - 1;
      if (step % 2 == 0 && !writer.erase_log()) return step;
    }
    return kSteps;
  }

  void crash_everywhere(Fault fault, Loss loss) const {
    std::uint64_t nth = 0;
    for (;; ++nth) {
      const std::string where = "fault at call " + std::to_string(nth);
      for (const char* suffix : {"", "-wal"}) std::filesystem::remove(path_.string() + suffix);
      std::filesystem::copy_file(made_, path_);
      FaultyVfs vfs;
      std::size_t acknowledged = 0;
      {
        TableWriter writer = open_writer(vfs.name());
        vfs.fail(fault, nth);
        acknowledged = run(writer);
        vfs.die();
      }
      const bool hit = vfs.failed();
      vfs.crash(loss);
      const auto rows = read_store(path_);
      ASSERT_TRUE(rows) << where << ": " << rows.error().message;
      const auto later = std::span(script_.states).subspan(acknowledged);
      ASSERT_NE(std::ranges::find(later, *rows), later.end()) << where << ", after step " << acknowledged;
      if (!hit) break;
    }
    EXPECT_GT(nth, fault == Fault::sync_error ? 15u : 40u);
  }

  void SetUp() override { ASSERT_TRUE(create_store(made_)); }

  std::filesystem::path made_ = directory_ / "made.db";
  const Script script_ = make_script(kSteps, 2'000);
};

TEST_F(LogFaultsTest, WritesThatFail) {
  crash_everywhere(Fault::write_error, Loss::nothing);
  crash_everywhere(Fault::write_error, Loss::everything);
  crash_everywhere(Fault::write_error, Loss::every_other);
}

TEST_F(LogFaultsTest, SyncsThatFail) {
  crash_everywhere(Fault::sync_error, Loss::everything);
  crash_everywhere(Fault::sync_error, Loss::every_other);
}

}  // namespace
}  // namespace ekiden::runtime
