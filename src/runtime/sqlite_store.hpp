// The store of a real node: batches made durable by SQLite, on a thread of its own, many to a commit.
//
// Inputs: persist(token, batch), fetch(rows) and submit(), from the loop's thread, in order. Outputs (StoreEvents, on
// the store's thread): persisted up to a token; fetched; stalled and resumed; failed.
//
// Group commit: while one commit is under way the next batches gather, and all of them become one transaction. Within
// it the last operation on a key wins before SQLite sees any of them; a numbered row that was never on disk and is gone
// again costs nothing at all.
//
// Rules, and why:
//  1. on_persisted follows the return of COMMIT under synchronous=FULL, never earlier: all above acknowledge on it.
//  2. A disk that is full, or a file that is locked, stalls: nothing is lost, the same commit is tried again with
//     growing pauses, until it succeeds or the node ends. Who persists must stop accepting meanwhile; that bounds the
//     queue.
//  3. Any other failure ends the store: on_failed, once, and then nothing. After a failed sync the kernel may have
//     dropped what it could not write and report success the next time: trying again would acknowledge what is not
//     there.
//  4. The write-ahead log gets its room in advance, and is copied back (checkpoint) before it outgrows that: a commit
//     that lengthens the file takes half as long again. Never between a commit and its on_persisted. A failure of it
//     for want of space only lets the log grow.
//  5. What has been erased leaves the disk, too: a deleted row is overwritten (secure_delete); and when nothing waits
//     and `erase_interval` has passed since the last time, the log, in which older pages stay behind newer ones, is
//     copied back and overwritten. The end of the process deletes it. Rationale: the forward secrecy of a session is
//     worth nothing where its old keys can still be read.
//
//  6. Rows are read between commits, the rows of one question at a time, so that what waits for a disk waits no longer
//     for a reader than that takes; while commits are tried again, too. (The file has one user, who keeps it locked:
//     there is no second connection that could read beside this one.)
//  7. Where SQLite finds damage, at the start or later, and it concerns the bodies of parcels alone, the store is
//  mended
//     (store_mending.hpp) and goes on: what cannot be read is missing then. Any other damage is a failure as in rule 3.
//
// Bounds: the queue holds what its user gives it (a Host reads nothing more from peers while that is much: see
// backlog.hpp); the log, `log_pages` and one commit; the page cache of SQLite, 4 MiB.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "runtime/store_mending.hpp"
#include "runtime/table_writer.hpp"
#include "store/batch.hpp"

namespace ekiden::runtime {

/// Called on the store's thread, without its lock held: they must hand over and return.
struct StoreEvents {
  std::function<void(store::PersistToken up_to)> on_persisted;
  std::function<void(store::Fetched rows)> on_fetched;
  std::function<void(Error why)> on_stalled;
  std::function<void()> on_resumed;
  std::function<void(const Mended& mended)> on_mended;
  std::function<void(Error why)> on_failed;
};

struct StoreOptions {
  std::filesystem::path path;
  Duration retry_min = milliseconds(50);
  Duration retry_max = seconds(2);
  int log_pages = 1'200;               ///< room of the log; it is copied back when it is three quarters full
  Duration erase_interval = hours(1);  ///< between two erasures of the log, if something was written
  const char* vfs = nullptr;           ///< SQLite's name of a file layer; tests inject faults with it
};

class SqliteStore {
 public:
  /// Mends it if it has to be. Errors: as open_store (runtime/schema.hpp).
  static Result<std::unique_ptr<SqliteStore>> open(StoreOptions options);
  /// Ends the thread after the commit under way; what is still queued is dropped, as in a crash.
  ~SqliteStore();

  /// What open() has mended.
  const std::optional<Mended>& mended() const { return mended_; }
  /// All rows of the tables that are gathered. REQUIRES: before start(), as the next. Errors: storage_corrupt,
  /// storage_failed.
  Result<std::vector<store::Row>> load();
  /// As TableWriter::load().
  Status load(store::Reading reading, const TableWriter::VisitRow& visit);
  /// Begins to commit. Call once.
  void start(StoreEvents events);

  /// Makes `batch` durable after all earlier ones, from the next submit() on. An empty batch is in order, too.
  /// REQUIRES: growing tokens.
  void persist(store::PersistToken token, store::Batch batch);
  /// Reads these rows some time after the next submit(); StoreEvents::on_fetched has them, in the order of the
  /// questions.
  void fetch(store::Fetch wanted);
  /// Hands what was persisted and what is to be read to the store's thread: once for all that one round of the loop has
  /// brought, so that it costs one lock, at most one wake-up, and usually one commit.
  void submit();

  /// The last token that was submitted. Of the thread that submits.
  store::PersistToken submitted() const { return submitted_; }

  /// Submits, and waits until everything persisted so far is on disk. False if that took longer than `patience`, or
  /// cannot be.
  bool drain(Duration patience);

 private:
  SqliteStore(StoreOptions options, TableWriter writer, std::optional<Mended> mended);

  void run();
  bool wait_for_work();
  bool erase_log_when_idle(std::unique_lock<std::mutex>& lock);
  bool commit_gathered();
  bool read_next();
  Result<store::Fetched> fetch_mending(const store::Fetch& wanted);
  Status apply_mending();
  Status mend(Error why);
  bool pause_before_retry(Duration pause);
  bool has_work() const { return !queue_.empty() || !to_read_.empty(); }
  bool checkpoint_if_due();
  bool go_on(Status done);

  const StoreOptions options_;
  std::optional<TableWriter> writer_;  ///< nothing only after a failure
  const std::optional<Mended> mended_;
  StoreEvents events_;

  // Of the loop's thread alone.
  std::vector<store::Batch> persisting_;  ///< since the last submit()
  store::PersistToken persisting_to_{};
  store::PersistToken submitted_{};
  std::vector<store::Fetch> asking_;  ///< likewise

  std::mutex mutex_;
  std::condition_variable work_;  ///< something was submitted, or the end was asked for
  std::condition_variable idle_;  ///< committed_ has grown, or the store has ended
  std::vector<store::Batch> queue_;
  std::deque<store::Fetch> to_read_;
  store::PersistToken queued_{};     ///< the last token in or before the queue
  store::PersistToken committed_{};  ///< the last token on disk
  bool stopping_ = false;
  bool ended_ = false;

  // Of the store's thread alone.
  std::vector<store::Batch> gathered_;
  store::PersistToken gathering_{};
  bool log_to_erase_ = true;  ///< what an earlier process left may be in it
  std::chrono::steady_clock::time_point erase_at_ = std::chrono::steady_clock::now() + options_.erase_interval;

  std::thread thread_;
};

}  // namespace ekiden::runtime
