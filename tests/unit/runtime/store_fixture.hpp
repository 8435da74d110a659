// What the tests of the store share: a script of batches with the states it leads through, and events made visible.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/schema.hpp"
#include "runtime/sqlite_store.hpp"
#include "store/memory_store.hpp"
#include "support/temporary_directory.hpp"
#include "unit/runtime/faulty_vfs.hpp"

namespace ekiden::runtime {

inline constexpr Duration kPatience = seconds(60);  ///< far over what any step takes; only a failing test waits it out

/// Batches and the rows on disk after each of them; states[0] is empty.
struct Script {
  std::vector<store::Batch> batches;
  std::vector<std::vector<store::Row>> states;
};

/// Messages that come and go, as a node's queues see them, with a session row that changes at every step.
Script make_script(std::size_t steps, std::size_t value_size);

/// Steps that each write all of `rows` numbered rows anew.
Script make_large_script(std::size_t steps, std::size_t rows, std::size_t value_size);

/// Records what the store says; every wait is bounded.
class StoreWatch {
 public:
  StoreEvents events();
  store::PersistToken persisted() const;
  std::vector<Error> stalls() const;
  std::size_t resumes() const;
  std::vector<Mended> mended() const;
  std::optional<Error> failure() const;
  /// What was fetched so far; at least the answers to so many questions, unless they did not come within kPatience.
  std::vector<store::Fetched> wait_for_fetched(std::size_t count);
  /// False if it did not stall within kPatience.
  bool wait_for_stall();
  bool wait_for_failure();

 private:
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    store::PersistToken persisted{};
    std::vector<store::Fetched> fetched;
    std::vector<Error> stalls;
    std::size_t resumes = 0;
    std::vector<Mended> mended;
    std::optional<Error> failure;
  };
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

/// The rows of every table, however it is read. REQUIRES: the store has not been started.
Result<std::vector<store::Row>> read_all(SqliteStore& store);
Result<std::vector<store::Row>> read_all(TableWriter& writer);
/// The rows of the store, or what is wrong with it. Makes a file layer of its own: of one that the caller has, nothing
/// is known afterwards.
Result<std::vector<store::Row>> read_store(const std::filesystem::path& path);

}  // namespace ekiden::runtime
