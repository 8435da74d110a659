#include "link/buffer_pool.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace ekiden::link {
namespace {

TEST(BufferPool, GivesABufferAgainWhenItsLastOwnerIsGone) {
  BufferPool pool;
  auto first = pool.take(100);
  const Byte* memory = first->data();
  const auto copy = std::exchange(first, nullptr);
  EXPECT_EQ(pool.kept(), 0u);
  auto second = pool.take(100);
  EXPECT_NE(second->data(), memory);
  second.reset();
  EXPECT_EQ(pool.kept(), 1u);
  EXPECT_EQ(pool.take(50)->size(), 50u);
}

TEST(BufferPool, KeepsNoMoreThanItsBound) {
  BufferPool pool;
  {
    std::vector<std::shared_ptr<Bytes>> taken;
    for (std::size_t i = 0; i < 2 * BufferPool::kMaxKept; ++i) taken.push_back(pool.take(10));
  }
  EXPECT_EQ(pool.kept(), BufferPool::kMaxKept);
}

TEST(BufferPool, ItsCopiesShareAndItsBuffersOutliveIt) {
  std::optional<BufferPool> pool(std::in_place);
  BufferPool copy = *pool;
  copy.take(10).reset();
  EXPECT_EQ(pool->kept(), 1u);
  const auto buffer = pool->take(20);
  copy = BufferPool();
  pool.reset();
  EXPECT_EQ(buffer->size(), 20u);
}

}  // namespace
}  // namespace ekiden::link
