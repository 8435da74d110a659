#include "store/batch.hpp"

#include <sodium/utils.h>

#include <iterator>
#include <utility>

#include "base/check.hpp"

namespace ekiden::store {

Batch::~Batch() {
  for (Operation& operation : operations_) {
    if (holds_secrets(operation.key.table)) sodium_memzero(operation.value.data(), operation.value.size());
  }
}

void Batch::put(Table table, std::uint64_t number, Bytes value) {
  operations_.push_back({.key = {.table = table, .number = number, .name = {}}, .value = std::move(value)});
}

void Batch::put(Table table, ByteView name, Bytes value) {
  CHECK(name.size() <= kMaxName);
  operations_.push_back({.key = {.table = table, .name = to_bytes(name)}, .value = std::move(value)});
}

void Batch::erase(Table table, std::uint64_t number) {
  operations_.push_back({.key = {.table = table, .number = number, .name = {}}, .erase = true, .value = {}});
}

void Batch::erase(Table table, ByteView name) {
  CHECK(name.size() <= kMaxName);
  operations_.push_back({.key = {.table = table, .name = to_bytes(name)}, .erase = true, .value = {}});
}

void Batch::append(Batch other) {
  if (operations_.empty()) {
    operations_ = std::move(other.operations_);
    return;
  }
  operations_.insert(operations_.end(), std::make_move_iterator(other.operations_.begin()),
                     std::make_move_iterator(other.operations_.end()));
}

std::size_t Batch::byte_size() const {
  std::size_t total = 0;
  for (const Operation& op : operations_) total += op.key.name.size() + sizeof op.key.number + op.value.size();
  return total;
}

}  // namespace ekiden::store
