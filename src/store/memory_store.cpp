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

std::vector<Row> MemoryStore::rows(Reading reading) const {
  std::vector<Row> some;
  for (const auto& [key, value] : rows_) {
    if (reading_of(key.table) == reading) some.push_back({key, value});
  }
  return some;
}

Fetched MemoryStore::fetch(const Fetch& wanted) const {
  Fetched fetched{.table = wanted.table, .rows = {}};
  for (const std::uint64_t number : wanted.numbers) {
    const auto found = rows_.find({.table = wanted.table, .number = number, .name = {}});
    fetched.rows.push_back({number, found == rows_.end() ? std::nullopt : std::optional(found->second)});
  }
  return fetched;
}

}  // namespace ekiden::store
