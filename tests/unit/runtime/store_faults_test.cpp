// For every call that changes a file during a script, that call fails: what was acknowledged must be there afterwards.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "unit/runtime/store_fixture.hpp"

namespace ekiden::runtime {
namespace {

using store::PersistToken;

constexpr std::size_t kScriptSteps = 22;

class StoreFaultsTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(create_store(made_)); }

  struct Outcome {
    std::uint64_t calls = 0;       ///< changing calls of the whole script
    std::size_t acknowledged = 0;  ///< steps
    bool hit = false;              ///< the fault happened
    std::size_t stalls = 0;
    std::optional<Error> failure;
  };

  /// Runs the script against a new store, one commit a step, and leaves behind what a crash leaves.
  Outcome run(Fault fault, std::uint64_t nth, std::uint64_t times, Loss loss) {
    const std::size_t steps = script_.batches.size();
    // A copy, because making a store syncs for real, and this runs hundreds of times.
    for (const char* suffix : {"", "-wal"}) std::filesystem::remove(path_.string() + suffix);
    std::filesystem::copy_file(made_, path_);
    FaultyVfs vfs;
    Outcome outcome;
    {
      StoreWatch watch;
      auto opened = SqliteStore::open({.path = path_,
                                       .retry_min = microseconds(10),
                                       .retry_max = microseconds(100),
                                       .log_pages = 12,
                                       .vfs = vfs.name()});
      EXPECT_TRUE(opened) << opened.error().message;
      if (!opened) return outcome;
      const std::uint64_t before = vfs.calls();
      if (fault != Fault::none) vfs.fail(fault, nth, times);
      (*opened)->start(watch.events());
      // The last, empty step is done when the copying of the log after the one before is over.
      for (std::size_t step = 1; step <= steps + 1; ++step) {
        (*opened)->persist(PersistToken{step}, step <= steps ? script_.batches[step - 1] : store::Batch());
        if (!(*opened)->drain(kPatience)) break;
      }
      outcome.hit = vfs.failed();
      outcome.calls = vfs.calls() - before;
      outcome.acknowledged = std::min(steps, static_cast<std::size_t>(watch.persisted()));
      outcome.stalls = watch.stalls().size();
      outcome.failure = watch.failure();
      vfs.die();
    }
    vfs.crash(loss);
    return outcome;
  }

  /// The rows on disk are those after some step that is not before `acknowledged`.
  void expect_nothing_lost(std::size_t acknowledged, const std::string& where) {
    auto rows = read_store(path_);
    ASSERT_TRUE(rows) << where << ": " << rows.error().message;
    for (std::size_t step = acknowledged; step < script_.states.size(); ++step) {
      if (*rows == script_.states[step]) return;
    }
    FAIL() << where << ": the store holds " << rows->size() << " rows, which is no state from step " << acknowledged;
  }

  /// At every call, or at `most_calls` of them that lie evenly apart.
  void fail_everywhere(Fault fault, std::uint64_t times, Loss loss, std::uint64_t most_calls = 1'000) {
    const std::uint64_t calls = run(Fault::none, 0, 0, loss).calls;
    ASSERT_GT(calls, 100u);
    const std::uint64_t stride = calls / most_calls + 1;
    std::size_t runs = 0;
    std::size_t hits = 0;
    for (std::uint64_t nth = 0; nth < calls; nth += stride) {
      ++runs;
      const Outcome outcome = run(fault, nth, times, loss);
      const std::string where = "fault at call " + std::to_string(nth);
      hits += outcome.hit ? 1 : 0;
      if (fault == Fault::full) {
        ASSERT_EQ(outcome.acknowledged, script_.batches.size()) << where;
        ASSERT_FALSE(outcome.failure) << where << ": " << outcome.failure->message;
      } else {
        ASSERT_EQ(outcome.failure.has_value(), outcome.hit) << where;
        if (outcome.failure) {
          ASSERT_EQ(outcome.failure->code, Errc::storage_failed) << outcome.failure->message;
        }
      }
      expect_nothing_lost(outcome.acknowledged, where);
      if (HasFatalFailure()) return;
    }
    EXPECT_GT(hits, runs / 4);
  }

  test::TemporaryDirectory directory_;
  std::filesystem::path made_ = directory_ / "made.db";
  std::filesystem::path path_ = directory_ / "ekiden.db";
  Script script_ = make_script(kScriptSteps, 700);
};

TEST_F(StoreFaultsTest, WithoutFaultsEverythingIsThereAfterACrashOfTheMachine) {
  const Outcome outcome = run(Fault::none, 0, 0, Loss::everything);
  EXPECT_EQ(outcome.acknowledged, kScriptSteps);
  expect_nothing_lost(kScriptSteps, "crash");
}

TEST_F(StoreFaultsTest, AFullDiskAtAnyWriteLosesNothing) { fail_everywhere(Fault::full, 1, Loss::nothing); }

TEST_F(StoreFaultsTest, AFullDiskThatStaysFullForAWhileAndThenACrashLoseNothing) {
  fail_everywhere(Fault::full, 7, Loss::everything);
}

TEST_F(StoreFaultsTest, AFailingWriteAnywhereEndsTheStoreAndLosesNothing) {
  fail_everywhere(Fault::write_error, 1, Loss::every_other);
}

TEST_F(StoreFaultsTest, AFailingSyncAnywhereEndsTheStoreAndLosesNothing) {
  fail_everywhere(Fault::sync_error, 1, Loss::everything);
}

TEST_F(StoreFaultsTest, ATransactionLargerThanTheCacheIsNoDifferent) {
  constexpr std::uint64_t kRuns = 10;
  script_ = make_large_script(2, 350, 4000);
  fail_everywhere(Fault::full, 1, Loss::nothing, kRuns);
  fail_everywhere(Fault::full, 3, Loss::everything, kRuns);
  fail_everywhere(Fault::write_error, 1, Loss::every_other, kRuns);
}

TEST_F(StoreFaultsTest, AFullDiskIsSaidAndItsEndToo) {
  ASSERT_TRUE(create_store(path_));
  FaultyVfs vfs;
  StoreWatch watch;
  auto opened = SqliteStore::open(
      {.path = path_, .retry_min = microseconds(10), .retry_max = microseconds(100), .vfs = vfs.name()});
  ASSERT_TRUE(opened);
  vfs.fail(Fault::full, 0, ~std::uint64_t{0} / 2);
  (*opened)->start(watch.events());
  (*opened)->persist(PersistToken{1}, script_.batches[0]);
  (*opened)->submit();
  ASSERT_TRUE(watch.wait_for_stall());
  EXPECT_EQ(watch.persisted(), PersistToken{0});
  (*opened)->persist(PersistToken{2}, script_.batches[1]);
  vfs.fail(Fault::none, 0);
  ASSERT_TRUE((*opened)->drain(kPatience));
  EXPECT_EQ(watch.persisted(), PersistToken{2});
  EXPECT_EQ(watch.resumes(), 1u);
  ASSERT_EQ(watch.stalls().size(), 1u);
  EXPECT_EQ(watch.stalls()[0].code, Errc::storage_full);
  EXPECT_NE(watch.stalls()[0].message.find("free some space"), std::string::npos) << watch.stalls()[0].message;
}

TEST_F(StoreFaultsTest, RowsAreReadWhileTheDiskIsFull) {
  ASSERT_TRUE(create_store(path_));
  FaultyVfs vfs;
  StoreWatch watch;
  auto opened = SqliteStore::open({.path = path_, .retry_min = hours(1), .retry_max = hours(1), .vfs = vfs.name()});
  ASSERT_TRUE(opened);
  (*opened)->start(watch.events());
  store::Batch batch;
  batch.put(store::Table::bodies, 1, Bytes{7});
  (*opened)->persist(PersistToken{1}, batch);
  ASSERT_TRUE((*opened)->drain(kPatience));
  vfs.fail(Fault::full, 0, ~std::uint64_t{0} / 2);
  (*opened)->persist(PersistToken{2}, script_.batches[0]);
  (*opened)->submit();
  ASSERT_TRUE(watch.wait_for_stall());
  (*opened)->fetch({.table = store::Table::bodies, .numbers = {1}});
  (*opened)->submit();
  const auto fetched = watch.wait_for_fetched(1);
  ASSERT_EQ(fetched.size(), 1u);
  EXPECT_EQ(fetched[0].rows, (std::vector<store::FetchedRow>{{1, Bytes{7}}}));
  EXPECT_EQ(watch.persisted(), PersistToken{1});
}

TEST_F(StoreFaultsTest, AStoreEndsPromptlyWhileTheDiskIsFull) {
  ASSERT_TRUE(create_store(path_));
  FaultyVfs vfs;
  StoreWatch watch;
  auto opened = SqliteStore::open({.path = path_, .retry_min = hours(1), .retry_max = hours(1), .vfs = vfs.name()});
  ASSERT_TRUE(opened);
  vfs.fail(Fault::full, 0, ~std::uint64_t{0} / 2);
  (*opened)->start(watch.events());
  (*opened)->persist(PersistToken{1}, script_.batches[0]);
  (*opened)->submit();
  ASSERT_TRUE(watch.wait_for_stall());
  opened->reset();  // would wait an hour if the pause could not be cut short
  EXPECT_EQ(watch.persisted(), PersistToken{0});
}

TEST_F(StoreFaultsTest, AfterAFailureNothingIsAcknowledgedAnyMore) {
  ASSERT_TRUE(create_store(path_));
  FaultyVfs vfs;
  StoreWatch watch;
  auto opened = SqliteStore::open({.path = path_, .vfs = vfs.name()});
  ASSERT_TRUE(opened);
  vfs.fail(Fault::sync_error, 0, 1);
  (*opened)->start(watch.events());
  (*opened)->persist(PersistToken{1}, script_.batches[0]);
  (*opened)->submit();
  ASSERT_TRUE(watch.wait_for_failure());
  (*opened)->persist(PersistToken{2}, script_.batches[1]);
  EXPECT_FALSE((*opened)->drain(kPatience));
  EXPECT_EQ(watch.persisted(), PersistToken{0});
  EXPECT_EQ(watch.failure()->code, Errc::storage_failed);
}

}  // namespace
}  // namespace ekiden::runtime
