// That rows with secrets are erased before their memory is given back: this program looks at all of it that goes.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <utility>

#include "store/batch.hpp"

namespace {

/// The memory that the test waits for, and the first byte in it when it came back.
void* awaited = nullptr;
int first_byte = -1;

}  // namespace

void* operator new(std::size_t size) {
  if (void* const block = std::malloc(size)) return block;
  std::abort();
}

void operator delete(void* block) noexcept {
  if (block != nullptr && block == std::exchange(awaited, block == awaited ? nullptr : awaited)) {
    first_byte = *static_cast<const volatile unsigned char*>(block);
  }
  std::free(block);
}

void operator delete(void* block, std::size_t /*size*/) noexcept { operator delete(block); }

namespace ekiden::store {
namespace {

/// A value of so many 0x5c; the memory of the last one is awaited.
Bytes awaited_value() {
  Bytes value(100, 0x5c);
  awaited = value.data();
  first_byte = -1;
  return value;
}

void expect_erased() {
  EXPECT_EQ(awaited, nullptr) << "it was never given back";
  EXPECT_EQ(first_byte, 0);
}

TEST(BatchErasure, RowsWithSecretsAreErasedWhenTheBatchDies) {
  for (const Table table : {Table::prekeys, Table::sessions}) {
    {
      Batch batch;
      batch.put(table, as_bytes("a"), awaited_value());
    }
    expect_erased();
  }
}

TEST(BatchErasure, AlsoThoseThatWentThroughOtherBatches) {
  {
    Batch first;
    first.put(Table::sessions, as_bytes("a"), awaited_value());
    Batch second;
    second.put(Table::inbox, 1, Bytes(10));
    second.append(std::move(first));
    const Batch third = std::move(second);
    EXPECT_NE(awaited, nullptr);
  }
  expect_erased();
}

TEST(BatchErasure, AlsoThoseThatABatchHadBeforeItWasAssignedTo) {
  Batch batch;
  batch.put(Table::sessions, as_bytes("a"), awaited_value());
  batch = Batch();
  expect_erased();
}

TEST(BatchErasure, OtherRowsCostNothing) {
  {
    Batch batch;
    batch.put(Table::inbox, 1, awaited_value());
  }
  EXPECT_EQ(awaited, nullptr);
  EXPECT_NE(first_byte, -1);
}

}  // namespace
}  // namespace ekiden::store
