#include "runtime/sqlite_store.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.hpp"

namespace ekiden::runtime {
namespace {

bool may_pass(Errc code) { return code == Errc::storage_full || code == Errc::busy; }

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(StoreOptions options) {
  EKIDEN_ASSIGN(Database database, open_store(options.path, options.vfs));
  EKIDEN_ASSIGN(TableWriter writer, TableWriter::make(std::move(database)));
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(options), std::move(writer)));
}

SqliteStore::SqliteStore(StoreOptions options, TableWriter writer)
    : options_(std::move(options)), writer_(std::move(writer)) {}

SqliteStore::~SqliteStore() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<std::vector<store::Row>> SqliteStore::load() {
  CHECK(!thread_.joinable());
  return writer_.load();
}

void SqliteStore::start(StoreEvents events) {
  CHECK(!thread_.joinable());
  events_ = std::move(events);
  thread_ = std::thread([this] { run(); });
}

void SqliteStore::persist(store::PersistToken token, store::Batch batch) {
  CHECK(token > persisting_to_);
  persisting_.push_back(std::move(batch));
  persisting_to_ = token;
}

void SqliteStore::submit() {
  if (persisting_.empty()) return;
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    was_empty = queue_.empty();
    if (was_empty) {
      queue_.swap(persisting_);
    } else {
      queue_.insert(queue_.end(), std::make_move_iterator(persisting_.begin()),
                    std::make_move_iterator(persisting_.end()));
    }
    queued_ = persisting_to_;
  }
  persisting_.clear();
  if (was_empty) work_.notify_one();
}

bool SqliteStore::drain(Duration patience) {
  submit();
  std::unique_lock lock(mutex_);
  const store::PersistToken last = queued_;
  idle_.wait_for(lock, patience, [&] { return committed_ >= last || ended_; });
  return committed_ >= last;
}

void SqliteStore::run() {
  if (go_on(writer_.extend_log(options_.log_pages))) {
    while (wait_for_work() && commit_gathered() && checkpoint_if_due()) {
    }
  }
  const std::lock_guard lock(mutex_);
  ended_ = true;
  idle_.notify_all();
}

bool SqliteStore::wait_for_work() {
  std::unique_lock lock(mutex_);
  if (log_to_erase_ && !erase_log_when_idle(lock)) return false;
  work_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
  if (stopping_) return false;
  gathered_.swap(queue_);
  gathering_ = queued_;
  return true;
}

/// Returns when there is work or the log has been erased; false if the disk failed.
bool SqliteStore::erase_log_when_idle(std::unique_lock<std::mutex>& lock) {
  if (work_.wait_until(lock, erase_at_, [this] { return stopping_ || !queue_.empty(); })) return true;
  lock.unlock();
  auto erased = writer_.erase_log();
  log_to_erase_ = !erased;
  erase_at_ = std::chrono::steady_clock::now() + options_.erase_interval;
  const bool may_go_on = go_on(std::move(erased));
  lock.lock();
  return may_go_on;
}

bool SqliteStore::commit_gathered() {
  Duration pause = options_.retry_min;
  bool stalled = false;
  while (true) {
    auto done = writer_.apply(gathered_);
    if (done) break;
    if (!may_pass(done.error().code)) {
      events_.on_failed(std::move(done).error());
      return false;
    }
    if (!stalled) events_.on_stalled(std::move(done).error());
    stalled = true;
    if (!pause_before_retry(pause)) return false;
    pause = std::min(pause * 2, options_.retry_max);
  }
  if (stalled) events_.on_resumed();
  log_to_erase_ = true;
  {
    const std::lock_guard lock(mutex_);
    committed_ = gathering_;
  }
  events_.on_persisted(gathering_);
  idle_.notify_all();
  gathered_.clear();  // Now, and not while the next ones wait for it.
  return true;
}

bool SqliteStore::pause_before_retry(Duration pause) {
  std::unique_lock lock(mutex_);
  return !work_.wait_for(lock, pause, [this] { return stopping_; });
}

bool SqliteStore::checkpoint_if_due() {
  if (writer_.log_pages() < options_.log_pages / 4 * 3) return true;
  return go_on(writer_.checkpoint());
}

/// After work that no acknowledgement waits for: want of space is no reason to end.
bool SqliteStore::go_on(Status done) {
  if (done || may_pass(done.error().code)) return true;
  events_.on_failed(std::move(done).error());
  return false;
}

}  // namespace ekiden::runtime
