#include "runtime/gathering_vfs.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/rng.hpp"
#include "support/temporary_directory.hpp"
#include "unit/runtime/faulty_vfs.hpp"

namespace ekiden::runtime {
namespace {

/// A log opened as SQLite does, above the layer that counts calls and fails on demand.
class GatheringVfsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // SQLite gives a log the permissions of its database.
    std::ofstream(directory_ / "some.db") << '\n';
    vfs_ = sqlite3_vfs_find(gathering_vfs(faulty_.name()));
    ASSERT_NE(vfs_, nullptr);
    memory_.resize(static_cast<std::size_t>(vfs_->szOsFile) / sizeof(std::max_align_t) + 1);
    ASSERT_EQ(open(), SQLITE_OK);
  }
  void TearDown() override {
    if (file()->pMethods == nullptr) return;
    EXPECT_EQ(file()->pMethods->xClose(file()), SQLITE_OK);
  }

  int open() {
    constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_WAL;
    return vfs_->xOpen(vfs_, path_.c_str(), file(), kFlags, nullptr);
  }
  sqlite3_file* file() { return reinterpret_cast<sqlite3_file*>(memory_.data()); }
  int write(const Bytes& bytes, std::size_t at) {
    return file()->pMethods->xWrite(file(), bytes.data(), static_cast<int>(bytes.size()),
                                    static_cast<sqlite3_int64>(at));
  }
  int sync() { return file()->pMethods->xSync(file(), SQLITE_SYNC_NORMAL); }
  Bytes read(std::size_t at, std::size_t size) {
    Bytes bytes(size);
    file()->pMethods->xRead(file(), bytes.data(), static_cast<int>(size), static_cast<sqlite3_int64>(at));
    return bytes;
  }
  std::size_t size() {
    sqlite3_int64 size = -1;
    EXPECT_EQ(file()->pMethods->xFileSize(file(), &size), SQLITE_OK);
    return static_cast<std::size_t>(size);
  }

  FaultyVfs faulty_;
  test::TemporaryDirectory directory_;
  const std::string path_ = (directory_ / "some.db-wal").string();
  sqlite3_vfs* vfs_ = nullptr;
  std::vector<std::max_align_t> memory_;
};

TEST_F(GatheringVfsTest, WritesThatContinueEachOtherAreOneCall) {
  const std::uint64_t before = faulty_.calls();
  for (std::size_t i = 0; i < 28; ++i) ASSERT_EQ(write(Bytes(4120, static_cast<Byte>(i)), i * 4120), SQLITE_OK);
  EXPECT_EQ(faulty_.calls(), before);
  ASSERT_EQ(sync(), SQLITE_OK);
  EXPECT_EQ(faulty_.calls(), before + 2);
  EXPECT_EQ(read(27 * 4120, 4120), Bytes(4120, 27));
}

TEST_F(GatheringVfsTest, WhatHasGatheredIsSeenByReadsAndInTheSize) {
  ASSERT_EQ(write(Bytes(10, 1), 0), SQLITE_OK);
  EXPECT_EQ(read(0, 10), Bytes(10, 1));
  ASSERT_EQ(write(Bytes(10, 2), 10), SQLITE_OK);
  EXPECT_EQ(size(), 20u);
  ASSERT_EQ(write(Bytes(10, 3), 20), SQLITE_OK);
  ASSERT_EQ(file()->pMethods->xTruncate(file(), 25), SQLITE_OK);
  EXPECT_EQ(size(), 25u);
}

TEST_F(GatheringVfsTest, ClosingWritesWhatHasGathered) {
  ASSERT_EQ(write(Bytes(10, 1), 0), SQLITE_OK);
  ASSERT_EQ(file()->pMethods->xClose(file()), SQLITE_OK);
  EXPECT_EQ(std::filesystem::file_size(path_), 10u);
  ASSERT_EQ(open(), SQLITE_OK);
}

TEST_F(GatheringVfsTest, AnErrorOfTheWriteIsSaidByTheSyncAndNothingIsDropped) {
  ASSERT_EQ(write(Bytes(10, 1), 0), SQLITE_OK);
  faulty_.fail(Fault::full, 0, 2);
  EXPECT_EQ(sync(), SQLITE_FULL);
  EXPECT_EQ(write(Bytes(5, 2), 0), SQLITE_FULL);  // What waits goes first.
  ASSERT_EQ(write(Bytes(5, 2), 0), SQLITE_OK);
  ASSERT_EQ(sync(), SQLITE_OK);
  EXPECT_EQ(read(0, 5), Bytes(5, 2));
  EXPECT_EQ(read(5, 5), Bytes(5, 1));
}

TEST_F(GatheringVfsTest, AFileBelowThatCannotBeOpenedIsAnError) {
  ASSERT_EQ(file()->pMethods->xClose(file()), SQLITE_OK);
  const std::string missing = (directory_ / "no" / "such-wal").string();
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL;
  EXPECT_NE(vfs_->xOpen(vfs_, missing.c_str(), file(), kFlags, nullptr), SQLITE_OK);
  EXPECT_EQ(file()->pMethods, nullptr);
}

TEST_F(GatheringVfsTest, EveryMixOfWritesLeavesWhatAFileWithoutThisLayerWouldHold) {
  Rng rng(Rng::Seed{1});
  Bytes model;
  // Sizes of SQLite's own writes, and around the most that one system call may take.
  constexpr std::array<std::size_t, 5> kSizes = {24, 4096, 124 * 1024, 128 * 1024, 128 * 1024 + 1};
  for (int step = 0; step < 400; ++step) {
    const std::size_t size = kSizes[rng.chance(1, 10) ? 2 + rng.below(3) : rng.below(2)];
    const std::size_t at = rng.chance(8, 10) ? model.size() : rng.below(model.size() + 100);
    const Bytes bytes(size, static_cast<Byte>(step));
    ASSERT_EQ(write(bytes, at), SQLITE_OK);
    model.resize(std::max(model.size(), at + size));
    std::copy(bytes.begin(), bytes.end(), model.begin() + static_cast<std::ptrdiff_t>(at));
    if (rng.chance(1, 20)) {
      ASSERT_EQ(sync(), SQLITE_OK);
    }
  }
  ASSERT_EQ(sync(), SQLITE_OK);
  ASSERT_EQ(size(), model.size());
  EXPECT_EQ(read(0, model.size()), model);
}

TEST(GatheringVfs, IsRegisteredOnceAndOnlyAboveALayerThatExists) {
  EXPECT_EQ(gathering_vfs(nullptr), gathering_vfs(nullptr));
  EXPECT_EQ(gathering_vfs("no such layer"), nullptr);
}

}  // namespace
}  // namespace ekiden::runtime
