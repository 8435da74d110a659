#include "partition/messages.hpp"

#include <gtest/gtest.h>

#include "partition/statement.hpp"
#include "support/golden.hpp"
#include "support/hostile.hpp"
#include "support/identities.hpp"

namespace ekiden::partition {
namespace {

const identity::Identity& author() {
  static const identity::Identity signer = test::make_identity(1);
  return signer;
}

Statement sample() {
  return {.public_key = author().public_key(),
          .sequence = 1'800'000'000'000,
          .silent = {test::make_identity(2).id(), test::make_identity(3).id()},
          .leaving = false};
}

TEST(PartitionMessages, HaveTheirGoldenBytes) {
  test::check_golden(Heartbeat{.sequence = 1'800'000'000'007, .echo = 1'800'000'000'005});
  test::check_golden(sample());
  test::check_golden_bytes("signed_partition_statement", sign_statement(author(), sample()));
}

TEST(PartitionMessages, SurviveHostileInput) {
  test::check_hostile_input(Heartbeat{.sequence = 7, .echo = 5});
  test::check_hostile_input(sample());
}

TEST(Statement, IsReadAsItWasSigned) {
  const Bytes bytes = sign_statement(author(), sample());
  const auto read = read_statement(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, sample());
  EXPECT_TRUE(verify_statement(bytes, *read));
  EXPECT_EQ(read->author(), author().id());
}

TEST(Statement, WithABitWrongIsRefused) {
  const Bytes bytes = sign_statement(author(), sample());
  test::for_each_bit_flip(bytes, [](ByteView flipped) {
    const auto read = read_statement(flipped);
    EXPECT_FALSE(read && verify_statement(flipped, *read));
  });
  test::for_each_truncation(bytes, [](ByteView cut) { EXPECT_FALSE(read_statement(cut)); });
}

TEST(Statement, FitsWithAllThatItMayName) {
  Statement full = sample();
  full.silent.assign(kMaxSilent, author().id());
  full.sequence = kMaxSequence;
  EXPECT_LE(sign_statement(author(), full).size(), kMaxStatementSize);
}

}  // namespace
}  // namespace ekiden::partition
