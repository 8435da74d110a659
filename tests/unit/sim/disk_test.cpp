#include "sim/disk.hpp"

#include <gtest/gtest.h>

#include "sim/schedule.hpp"

namespace ekiden::sim {
namespace {

store::Batch one_row(std::uint64_t number) {
  store::Batch batch;
  batch.put(store::Table::outbox, number, Bytes{1});
  return batch;
}

class DiskTest : public ::testing::Test {
 protected:
  DiskTest() : disk_(schedule_, {}, Rng(Rng::Seed{7}), [this](store::PersistToken token) { synced_ = token; }) {}

  void run() {
    while (schedule_.step(schedule_.now() + hours(1))) {
    }
  }

  Schedule schedule_;
  store::PersistToken synced_{};
  Disk disk_;
};

TEST_F(DiskTest, WhatIsWrittenWhileACommitIsUnderWayGathersIntoTheNext) {
  for (std::uint64_t i = 1; i <= 10; ++i) disk_.write(store::PersistToken{i}, one_row(i));
  run();
  EXPECT_EQ(disk_.commits(), 2U);
  EXPECT_EQ(synced_, store::PersistToken{10});
  EXPECT_EQ(disk_.synced().size(), 10U);
}

TEST_F(DiskTest, ACrashKeepsAPrefixOfTheCommitUnderWayAndNothingOfTheRest) {
  std::set<std::size_t> kept;
  for (int round = 0; round < 200; ++round) {
    Schedule schedule;
    Rng::Seed seed{};
    seed[0] = static_cast<Byte>(round);
    Disk disk(schedule, {}, Rng(seed), [](store::PersistToken) { FAIL() << "called back after the crash"; });
    for (std::uint64_t i = 1; i <= 3; ++i) disk.write(store::PersistToken{i}, one_row(i));
    disk.crash();
    while (schedule.step(schedule.now() + hours(1))) {
    }
    // Only the first batch was in the commit under way; the others were gathering.
    EXPECT_LE(disk.synced().size(), 1U);
    kept.insert(disk.synced().size());
  }
  EXPECT_EQ(kept.size(), 2U) << "a torn commit has to come out both ways";
}

TEST_F(DiskTest, AFullDiskCommitsNothingUntilThereIsRoom) {
  disk_.set_stalled(true);
  disk_.write(store::PersistToken{1}, one_row(1));
  run();
  EXPECT_EQ(synced_, store::PersistToken{0});
  disk_.set_stalled(false);
  run();
  EXPECT_EQ(synced_, store::PersistToken{1});
}

TEST_F(DiskTest, ACrashDoesNotMakeRoomOnAFullDisk) {
  disk_.set_stalled(true);
  disk_.crash();
  EXPECT_TRUE(disk_.is_stalled());
  disk_.write(store::PersistToken{1}, one_row(1));
  run();
  EXPECT_EQ(synced_, store::PersistToken{0});
  disk_.set_stalled(false);
  run();
  EXPECT_EQ(synced_, store::PersistToken{1});
}

TEST_F(DiskTest, ACrashPointComesBeforeEachCommitAndDecidesHowMuchOfItReachesTheDisk) {
  for (const std::size_t reached : {0U, 1U, 2U, 3U}) {
    Schedule schedule;
    store::PersistToken synced{};
    Disk disk(schedule, {}, Rng(Rng::Seed{7}), [&](store::PersistToken token) { synced = token; });
    std::vector<std::size_t> sizes;
    disk.crash_point = [&](std::uint64_t commit, std::size_t batches) {
      sizes.push_back(batches);
      if (commit == 2) disk.crash(reached);
      return commit == 2;
    };
    // The first is alone in its commit; the others gather while it is under way.
    for (std::uint64_t i = 1; i <= 4; ++i) disk.write(store::PersistToken{i}, one_row(i));
    while (schedule.step(schedule.now() + hours(1))) {
    }
    EXPECT_EQ(sizes, (std::vector<std::size_t>{1, 3}));
    EXPECT_EQ(synced, store::PersistToken{1});
    EXPECT_EQ(disk.synced().size(), 1U + reached);
  }
}

TEST_F(DiskTest, AQuestionIsAnsweredWithWhatIsSynced) {
  std::vector<store::FetchedRow> rows;
  const auto keep = [&](const store::Fetched& fetched) {
    rows.insert(rows.end(), fetched.rows.begin(), fetched.rows.end());
  };
  disk_.write(store::PersistToken{1}, one_row(1));
  run();
  disk_.set_stalled(true);
  disk_.write(store::PersistToken{2}, one_row(2));
  disk_.read({.table = store::Table::outbox, .numbers = {2, 1}}, keep);
  disk_.read({.table = store::Table::outbox, .numbers = {3}}, keep);
  run();
  EXPECT_EQ(rows, (std::vector<store::FetchedRow>{{2, std::nullopt}, {1, Bytes{1}}, {3, std::nullopt}}));
}

TEST_F(DiskTest, NobodyAnswersAfterACrash) {
  disk_.read({.table = store::Table::outbox, .numbers = {1}}, [](const store::Fetched&) { FAIL() << "called back"; });
  disk_.crash();
  run();
}

}  // namespace
}  // namespace ekiden::sim
