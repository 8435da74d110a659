// A simulated disk under a node's store, with the promises of the real one and no more.
//
// Batches are applied in order, each all or nothing; rows are read one question after another, beside them. While one
// commit is under way, later batches gather for the next. A crash loses what was not committed; of the commit under
// way, an arbitrary prefix of its batches may have reached the disk (a torn commit). A full disk stalls commits until
// there is room again; a crash makes no room.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "base/rng.hpp"
#include "base/time.hpp"
#include "sim/schedule.hpp"
#include "store/batch.hpp"
#include "store/memory_store.hpp"

namespace ekiden::sim {

struct DiskModel {
  Duration sync_min = microseconds(200);
  Duration sync_max = milliseconds(3);
  Duration read_min = microseconds(20);  ///< for all rows that are asked for at once
  Duration read_max = milliseconds(2);
};

class Disk {
 public:
  /// `on_commit(token)` is called when everything up to the token is synced.
  Disk(Schedule& schedule, DiskModel model, Rng rng, std::function<void(store::PersistToken)> on_commit);

  void write(store::PersistToken token, store::Batch batch);

  /// Calls `done` with what is synced by then, in the order of the questions; not after a crash.
  void read(store::Fetch wanted, std::function<void(store::Fetched)> done);

  /// The machine stops: loses or tears what is not synced. Of the commit under way the first `reached` batches are on
  /// the disk, by default a random number of them. Nothing is called back afterwards until the next write.
  /// REQUIRES: *reached is at most the number of batches of that commit.
  void crash(std::optional<std::size_t> reached = {});

  /// While stalled no commit ends; what is written meanwhile waits.
  void set_stalled(bool stalled);
  bool is_stalled() const { return stalled_; }
  /// Every sync takes this much longer.
  void set_extra_latency(Duration extra) { extra_ = extra; }

  const store::MemoryStore& synced() const { return synced_; }
  bool idle() const { return committing_.empty() && gathering_.empty(); }
  std::uint64_t commits() const { return commits_; }

  /// Called as a commit is about to reach the disk, with its number (from 1) and how many batches it has; true means
  /// that crash() was called meanwhile. For tests that crash at every write point.
  std::function<bool(std::uint64_t commit, std::size_t batches)> crash_point;

 private:
  struct Write {
    store::PersistToken token;
    store::Batch batch;
  };

  struct Read {
    store::Fetch wanted;
    std::function<void(store::Fetched)> done;
  };

  void begin();
  void finish();
  void read_next();

  Schedule& schedule_;
  DiskModel model_;
  Rng rng_;
  std::function<void(store::PersistToken)> on_commit_;
  store::MemoryStore synced_;
  std::vector<Write> gathering_;
  std::vector<Write> committing_;
  std::deque<Read> reading_;  ///< the first of them now
  Duration extra_{};
  bool stalled_ = false;
  std::uint64_t commits_ = 0;
  std::uint64_t generation_ = 0;  ///< of the power: events of an earlier one are void
};

}  // namespace ekiden::sim
