// For every call to a file while a store is made or opened, that call fails: the error says so, and nothing is lost.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "unit/runtime/store_fixture.hpp"

namespace ekiden::runtime {
namespace {

constexpr std::uint64_t kForEver = ~std::uint64_t{0} / 2;
constexpr std::size_t kCrashSteps = 12;

Bytes content(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class OpeningFaultsTest : public ::testing::Test {
 protected:
  /// A store as a crash leaves it: some of its rows are in the file, the later ones in the log alone.
  void crash_a_store() {
    ASSERT_TRUE(create_store(made_));
    FaultyVfs vfs;
    {
      StoreWatch watch;
      auto opened = SqliteStore::open({.path = made_, .log_pages = 12, .vfs = vfs.name()});
      ASSERT_TRUE(opened) << opened.error().message;
      (*opened)->start(watch.events());
      for (std::size_t step = 1; step <= kCrashSteps; ++step) {
        (*opened)->persist(store::PersistToken{step}, script_.batches[step - 1]);
        ASSERT_TRUE((*opened)->drain(kPatience));
      }
      vfs.die();
    }
    ASSERT_GT(std::filesystem::file_size(made_.string() + "-wal"), 0u);
  }

  void put_back() const {
    for (const std::string suffix : {"", "-wal"}) {
      std::filesystem::remove(path_.string() + suffix);
      std::filesystem::copy_file(made_.string() + suffix, path_.string() + suffix);
    }
  }

  /// Opens, reads and closes the crashed store with one fault more; false once there was nothing left to fail.
  bool open_with(Fault fault, std::uint64_t nth, std::uint64_t times) const {
    const std::string where = "fault at call " + std::to_string(nth);
    put_back();
    FaultyVfs vfs;
    vfs.fail(fault, nth, times);
    {
      auto opened = SqliteStore::open({.path = path_, .vfs = vfs.name()});
      auto rows = opened ? read_all(**opened) : std::unexpected(opened.error());
      if (rows) {
        EXPECT_EQ(*rows, script_.states[kCrashSteps]) << where;
      } else {
        EXPECT_TRUE(vfs.failed()) << where << ": " << rows.error().message;
        const Errc code = rows.error().code;
        EXPECT_TRUE(code == Errc::storage_failed || code == Errc::storage_corrupt) << where << ": " << errc_name(code);
        EXPECT_NE(rows.error().message.find(path_.string()), std::string::npos) << rows.error().message;
      }
    }
    const bool hit = vfs.failed();
    const auto after = read_store(path_);
    EXPECT_TRUE(after) << where << ": " << after.error().message;
    if (after) {
      EXPECT_EQ(*after, script_.states[kCrashSteps]) << where;
    }
    return hit;
  }

  std::uint64_t open_with_each(Fault fault, std::uint64_t times) {
    crash_a_store();
    std::uint64_t nth = 0;
    while (!HasFailure() && open_with(fault, nth, times)) ++nth;
    return nth;
  }

  test::TemporaryDirectory directory_;
  std::filesystem::path made_ = directory_ / "made.db";
  std::filesystem::path path_ = directory_ / "ekiden.db";
  const Script script_ = make_script(kCrashSteps, 3'000);
};

TEST_F(OpeningFaultsTest, AFailingReadAnywhereIsSaidAndLosesNothing) {
  EXPECT_GT(open_with_each(Fault::read_error, 1), 20u);
}

TEST_F(OpeningFaultsTest, ADiskThatReadsNoMoreIsSaidAndLosesNothing) {
  EXPECT_GT(open_with_each(Fault::read_error, kForEver), 20u);
}

TEST_F(OpeningFaultsTest, AFullDiskWhileTheLogIsCopiedBackLosesNothing) {
  EXPECT_GT(open_with_each(Fault::full, 1), 0u);
}

TEST_F(OpeningFaultsTest, AFailingWriteWhileTheLogIsCopiedBackLosesNothing) {
  EXPECT_GT(open_with_each(Fault::write_error, kForEver), 0u);
}

TEST_F(OpeningFaultsTest, AFailingSyncWhileTheLogIsCopiedBackLosesNothing) {
  EXPECT_GT(open_with_each(Fault::sync_error, 1), 0u);
}

class CreationFaultsTest : public ::testing::Test {
 protected:
  /// Until there is nothing left to fail: nothing is made, nothing is left, and the next attempt succeeds.
  void fail_everywhere(Fault fault, Errc code) const {
    std::uint64_t nth = 0;
    for (;; ++nth) {
      const std::string where = "fault at call " + std::to_string(nth);
      FaultyVfs vfs;
      vfs.fail(fault, nth);
      const auto made = create_store(path_, vfs.name());
      if (!vfs.failed()) break;
      ASSERT_FALSE(made) << where;
      EXPECT_EQ(made.error().code, code) << where << ": " << made.error().message;
      EXPECT_NE(made.error().message.find(path_.string()), std::string::npos) << made.error().message;
      ASSERT_TRUE(std::filesystem::is_empty(directory_.path())) << where;
    }
    EXPECT_GT(nth, 3u);
    const auto rows = read_store(path_);
    ASSERT_TRUE(rows) << rows.error().message;
    EXPECT_TRUE(rows->empty());
  }

  test::TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_ / "ekiden.db";
};

TEST_F(CreationFaultsTest, AFullDiskLeavesNoHalfMadeStore) { fail_everywhere(Fault::full, Errc::storage_full); }

TEST_F(CreationFaultsTest, AFailingWriteLeavesNoHalfMadeStore) {
  fail_everywhere(Fault::write_error, Errc::storage_failed);
}

TEST_F(CreationFaultsTest, AFailingSyncLeavesNoHalfMadeStore) {
  fail_everywhere(Fault::sync_error, Errc::storage_failed);
}

TEST_F(CreationFaultsTest, AFailingReadLeavesNoHalfMadeStore) {
  fail_everywhere(Fault::read_error, Errc::storage_failed);
}

TEST_F(CreationFaultsTest, WhatGetsTheNameOfTheStoreHasBeenSynced) {
  FaultyVfs vfs;
  ASSERT_TRUE(create_store(path_, vfs.name()));
  vfs.die();
  vfs.crash(Loss::everything);
  // The layer has not heard of the renaming: it puts back what was synced under the name before.
  EXPECT_EQ(content(path_.string() + ".new"), content(path_));
}

}  // namespace
}  // namespace ekiden::runtime
