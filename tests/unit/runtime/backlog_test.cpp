#include "runtime/backlog.hpp"

#include <gtest/gtest.h>

namespace ekiden::runtime {
namespace {

using store::PersistToken;

TEST(BacklogTest, IsCongestedOverItsLimitUntilHalfOfItIsOnDisk) {
  Backlog backlog(100);
  backlog.add(PersistToken{1}, 60);
  backlog.add(PersistToken{2}, 40);
  EXPECT_FALSE(backlog.congested());
  backlog.add(PersistToken{3}, 1);
  EXPECT_TRUE(backlog.congested());
  EXPECT_EQ(backlog.bytes(), 101u);
  backlog.add(PersistToken{4}, 10);
  backlog.persisted(PersistToken{1});
  EXPECT_TRUE(backlog.congested());
  EXPECT_EQ(backlog.bytes(), 51u);
  backlog.persisted(PersistToken{3});
  EXPECT_FALSE(backlog.congested());
  EXPECT_EQ(backlog.bytes(), 10u);
  backlog.persisted(PersistToken{4});
  EXPECT_EQ(backlog.bytes(), 0u);
}

TEST(BacklogTest, OneBatchOverTheLimitPassesOnceItIsOnDisk) {
  Backlog backlog(0);
  backlog.add(PersistToken{1}, 0);
  EXPECT_FALSE(backlog.congested());
  backlog.add(PersistToken{2}, 1);
  EXPECT_TRUE(backlog.congested());
  backlog.persisted(PersistToken{2});
  EXPECT_FALSE(backlog.congested());
}

}  // namespace
}  // namespace ekiden::runtime
