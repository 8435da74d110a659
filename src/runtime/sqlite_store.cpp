#include "runtime/sqlite_store.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.hpp"
#include "runtime/time_slice.hpp"

namespace ekiden::runtime {
namespace {

bool may_pass(Errc code) { return code == Errc::storage_full || code == Errc::busy; }

Result<TableWriter> open_writer(const StoreOptions& options) {
  EKIDEN_ASSIGN(Database database, open_store(options.path, options.vfs));
  return TableWriter::make(std::move(database));
}

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(StoreOptions options) {
  auto writer = open_writer(options);
  std::optional<Mended> mended;
  if (!writer && writer.error().code == Errc::storage_corrupt) {
    auto done = mend_store(options.path, options.vfs);
    // What was found first says it best.
    if (!done)
      return std::unexpected(may_pass(done.error().code) ? std::move(done).error() : std::move(writer).error());
    mended = *done;
    writer = open_writer(options);
  }
  if (!writer) return std::unexpected(std::move(writer).error());
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(options), std::move(*writer), mended));
}

SqliteStore::SqliteStore(StoreOptions options, TableWriter writer, std::optional<Mended> mended)
    : options_(std::move(options)), writer_(std::move(writer)), mended_(mended) {}

SqliteStore::~SqliteStore() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<std::vector<store::Row>> SqliteStore::load() {
  std::vector<store::Row> rows;
  EKIDEN_TRY(load(store::Reading::gathered, [&](store::Key key, ByteView value) -> Status {
    rows.push_back({std::move(key), to_bytes(value)});
    return {};
  }));
  return rows;
}

Status SqliteStore::load(store::Reading reading, const TableWriter::VisitRow& visit) {
  CHECK(!thread_.joinable());
  return writer_->load(reading, visit);
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

void SqliteStore::fetch(store::Fetch wanted) { asking_.push_back(std::move(wanted)); }

void SqliteStore::submit() {
  if (persisting_.empty() && asking_.empty()) return;
  bool may_wait = false;
  {
    const std::lock_guard lock(mutex_);
    // While a commit is tried again, the thread waits for questions alone.
    may_wait = !has_work() || (to_read_.empty() && !asking_.empty());
    if (queue_.empty()) {
      queue_.swap(persisting_);
    } else {
      queue_.insert(queue_.end(), std::make_move_iterator(persisting_.begin()),
                    std::make_move_iterator(persisting_.end()));
    }
    std::ranges::move(asking_, std::back_inserter(to_read_));
    queued_ = submitted_ = persisting_to_;
  }
  persisting_.clear();
  asking_.clear();
  if (may_wait) work_.notify_one();
}

bool SqliteStore::drain(Duration patience) {
  submit();
  std::unique_lock lock(mutex_);
  const store::PersistToken last = queued_;
  idle_.wait_for(lock, patience, [&] { return committed_ >= last || ended_; });
  return committed_ >= last;
}

void SqliteStore::run() {
  shorten_time_slice();
  if (go_on(writer_->extend_log(options_.log_pages))) {
    while (wait_for_work() && read_next() && commit_gathered() && checkpoint_if_due()) {
    }
  }
  const std::lock_guard lock(mutex_);
  ended_ = true;
  idle_.notify_all();
}

bool SqliteStore::wait_for_work() {
  std::unique_lock lock(mutex_);
  if (log_to_erase_ && !erase_log_when_idle(lock)) return false;
  work_.wait(lock, [this] { return stopping_ || has_work(); });
  if (stopping_) return false;
  gathered_.swap(queue_);
  gathering_ = queued_;
  return true;
}

/// Returns when there is work or the log has been erased; false if the disk failed.
bool SqliteStore::erase_log_when_idle(std::unique_lock<std::mutex>& lock) {
  if (work_.wait_until(lock, erase_at_, [this] { return stopping_ || has_work(); })) return true;
  lock.unlock();
  auto erased = writer_->erase_log();
  log_to_erase_ = !erased;
  erase_at_ = std::chrono::steady_clock::now() + options_.erase_interval;
  const bool may_go_on = go_on(std::move(erased));
  lock.lock();
  return may_go_on;
}

bool SqliteStore::commit_gathered() {
  if (gathered_.empty()) return true;
  Duration pause = options_.retry_min;
  bool stalled = false;
  while (true) {
    auto done = apply_mending();
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

/// What is asked for meanwhile is read. False if the end was asked for, or the disk failed.
bool SqliteStore::pause_before_retry(Duration pause) {
  const auto until = std::chrono::steady_clock::now() + pause;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (!work_.wait_until(lock, until, [this] { return stopping_ || !to_read_.empty(); })) return true;
      if (stopping_) return false;
    }
    if (!read_next()) return false;
  }
}

/// The rows of one question, if there is one.
bool SqliteStore::read_next() {
  store::Fetch wanted;
  {
    const std::lock_guard lock(mutex_);
    if (to_read_.empty()) return true;
    wanted = std::move(to_read_.front());
    to_read_.pop_front();
  }
  auto rows = fetch_mending(wanted);
  if (!rows) {
    events_.on_failed(std::move(rows).error());
    return false;
  }
  events_.on_fetched(std::move(*rows));
  return true;
}

Result<store::Fetched> SqliteStore::fetch_mending(const store::Fetch& wanted) {
  auto rows = writer_->fetch(wanted);
  if (rows || rows.error().code != Errc::storage_corrupt) return rows;
  EKIDEN_TRY(mend(std::move(rows).error()));
  return writer_->fetch(wanted);
}

Status SqliteStore::apply_mending() {
  auto done = writer_->apply(gathered_);
  if (done || done.error().code != Errc::storage_corrupt) return done;
  EKIDEN_TRY(mend(std::move(done).error()));
  return writer_->apply(gathered_);
}

/// Closes the store for it.
Status SqliteStore::mend(Error why) {
  writer_.reset();
  auto mended = mend_store(options_.path, options_.vfs);
  if (!mended) return std::unexpected(std::move(why));
  EKIDEN_ASSIGN(writer_, open_writer(options_));
  EKIDEN_TRY(writer_->extend_log(options_.log_pages));
  events_.on_mended(*mended);
  return {};
}

bool SqliteStore::checkpoint_if_due() {
  if (writer_->log_pages() < options_.log_pages / 4 * 3) return true;
  return go_on(writer_->checkpoint());
}

/// After work that no acknowledgement waits for: want of space is no reason to end.
bool SqliteStore::go_on(Status done) {
  if (done || may_pass(done.error().code)) return true;
  events_.on_failed(std::move(done).error());
  return false;
}

}  // namespace ekiden::runtime
