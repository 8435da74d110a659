// The store as a value in memory: what a disk holds after a sequence of batches.
//
// The simulator keeps one as the synced state of each node's disk; tests restart engines from it. Not for production:
// it forgets with the process.
#pragma once

#include <map>
#include <vector>

#include "store/batch.hpp"
#include "store/reading.hpp"

namespace ekiden::store {

class MemoryStore {
 public:
  void apply(const Batch& batch);

  /// All rows, ordered by key.
  std::vector<Row> rows() const;
  /// Those of the tables that are read in this way.
  std::vector<Row> rows(Reading reading) const;
  Fetched fetch(const Fetch& wanted) const;
  std::size_t size() const { return rows_.size(); }

 private:
  std::map<Key, Bytes> rows_;
};

}  // namespace ekiden::store
