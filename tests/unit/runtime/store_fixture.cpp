#include "unit/runtime/store_fixture.hpp"

#include <utility>

namespace ekiden::runtime {

Script make_script(std::size_t steps, std::size_t value_size) {
  Script script;
  store::MemoryStore model;
  script.states.push_back({});
  for (std::size_t step = 1; step <= steps; ++step) {
    store::Batch batch;
    batch.put(store::Table::outbox, step, Bytes(value_size, static_cast<Byte>(step)));
    batch.put(store::Table::sessions, as_bytes("session"), Bytes(64, static_cast<Byte>(step)));
    if (step % 3 == 0) batch.put(store::Table::windows, as_bytes("w" + std::to_string(step % 7)), Bytes(step % 5, 1));
    if (step > 2) batch.erase(store::Table::outbox, step - 2);
    if (step > 2) batch.put(store::Table::history, step - 2, Bytes(40, 2));
    model.apply(batch);
    script.batches.push_back(std::move(batch));
    script.states.push_back(model.rows());
  }
  return script;
}

Script make_large_script(std::size_t steps, std::size_t rows, std::size_t value_size) {
  Script script;
  store::MemoryStore model;
  script.states.push_back({});
  for (std::size_t step = 1; step <= steps; ++step) {
    store::Batch batch;
    for (std::size_t row = 1; row <= rows; ++row) {
      batch.put(store::Table::inbox, row, Bytes(value_size + step, static_cast<Byte>(row + step)));
    }
    batch.put(store::Table::sessions, as_bytes("session"), Bytes(64, static_cast<Byte>(step)));
    model.apply(batch);
    script.batches.push_back(std::move(batch));
    script.states.push_back(model.rows());
  }
  return script;
}

StoreEvents StoreWatch::events() {
  StoreEvents events;
  events.on_persisted = [shared = shared_](store::PersistToken up_to) {
    const std::lock_guard lock(shared->mutex);
    shared->persisted = up_to;
  };
  events.on_fetched = [shared = shared_](store::Fetched rows) {
    const std::lock_guard lock(shared->mutex);
    shared->fetched.push_back(std::move(rows));
    shared->changed.notify_all();
  };
  events.on_stalled = [shared = shared_](Error why) {
    const std::lock_guard lock(shared->mutex);
    shared->stalls.push_back(std::move(why));
    shared->changed.notify_all();
  };
  events.on_resumed = [shared = shared_] {
    const std::lock_guard lock(shared->mutex);
    ++shared->resumes;
  };
  events.on_mended = [shared = shared_](const Mended& mended) {
    const std::lock_guard lock(shared->mutex);
    shared->mended.push_back(mended);
  };
  events.on_failed = [shared = shared_](Error why) {
    const std::lock_guard lock(shared->mutex);
    shared->failure = std::move(why);
    shared->changed.notify_all();
  };
  return events;
}

store::PersistToken StoreWatch::persisted() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->persisted;
}

std::vector<Error> StoreWatch::stalls() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->stalls;
}

std::size_t StoreWatch::resumes() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->resumes;
}

std::vector<Mended> StoreWatch::mended() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->mended;
}

std::optional<Error> StoreWatch::failure() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->failure;
}

std::vector<store::Fetched> StoreWatch::wait_for_fetched(std::size_t count) {
  std::unique_lock lock(shared_->mutex);
  shared_->changed.wait_for(lock, kPatience, [&] { return shared_->fetched.size() >= count; });
  return shared_->fetched;
}

bool StoreWatch::wait_for_stall() {
  std::unique_lock lock(shared_->mutex);
  return shared_->changed.wait_for(lock, kPatience, [this] { return !shared_->stalls.empty(); });
}

bool StoreWatch::wait_for_failure() {
  std::unique_lock lock(shared_->mutex);
  return shared_->changed.wait_for(lock, kPatience, [this] { return shared_->failure.has_value(); });
}

Result<std::vector<store::Row>> read_store(const std::filesystem::path& path) {
  // A sync that reaches the disk would only take time, and closing the store makes some.
  const FaultyVfs vfs;
  EKIDEN_ASSIGN(const auto store, SqliteStore::open({.path = path, .vfs = vfs.name()}));
  return read_all(*store);
}

namespace {

template <class Store>
Result<std::vector<store::Row>> all_rows(Store& store) {
  std::vector<store::Row> rows;
  const auto collect = [&rows](store::Key key, ByteView value) -> Status {
    rows.push_back({std::move(key), to_bytes(value)});
    return {};
  };
  for (const auto reading : {store::Reading::gathered, store::Reading::streamed, store::Reading::on_demand}) {
    EKIDEN_TRY(store.load(reading, collect));
  }
  return rows;
}

}  // namespace

Result<std::vector<store::Row>> read_all(SqliteStore& store) { return all_rows(store); }
Result<std::vector<store::Row>> read_all(TableWriter& writer) { return all_rows(writer); }

}  // namespace ekiden::runtime
