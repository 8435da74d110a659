#include "store/memory_store.hpp"

namespace ekiden::store {

void MemoryStore::apply(const Batch& batch) {
  for (const Operation& op : batch.operations()) {
    if (op.erase) {
      rows_.erase(op.key);
    } else {
      rows_.insert_or_assign(op.key, op.value);
    }
  }
}

std::vector<Row> MemoryStore::rows() const {
  std::vector<Row> all;
  all.reserve(rows_.size());
  for (const auto& [key, value] : rows_) all.push_back({key, value});
  return all;
}

}  // namespace ekiden::store
