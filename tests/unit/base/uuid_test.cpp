#include "base/uuid.hpp"

#include <gtest/gtest.h>

#include <set>

namespace ekiden {
namespace {

TEST(Uuid, IsRandomWithVersionFourAndTheRfcVariant) {
  Rng rng(Rng::Seed{1});
  std::set<Uuid> seen;
  for (int i = 0; i < 1000; ++i) {
    const Uuid uuid = Uuid::random(rng);
    EXPECT_EQ(uuid.bytes[6] >> 4, 4);
    EXPECT_EQ(uuid.bytes[8] >> 6, 2);
    EXPECT_TRUE(seen.insert(uuid).second);
    EXPECT_EQ(Uuid::from_bytes(uuid.bytes), uuid);
    EXPECT_EQ(Uuid::parse(uuid.text()), uuid);
  }
}

TEST(Uuid, IsWrittenInGroupsAndReadInBothCases) {
  const auto uuid = Uuid::parse("919108F7-52d1-4320-9bac-f847db4148a8");
  ASSERT_TRUE(uuid);
  EXPECT_EQ(uuid->text(), "919108f7-52d1-4320-9bac-f847db4148a8");
  EXPECT_EQ(uuid->bytes[0], 0x91);
  EXPECT_EQ(uuid->bytes[15], 0xa8);
}

TEST(Uuid, RefusesOtherFormsVersionsAndVariants) {
  for (const char* text : {
           "",
           "919108f752d143209bacf847db4148a8",
           "919108f7-52d1-4320-9bac-f847db4148a",
           "919108f7-52d1-4320-9bac-f847db4148a80",
           "919108f7-52d1-4320-9bac_f847db4148a8",
           "919108f75-2d1-4320-9bac-f847db4148a8",
           "919108g7-52d1-4320-9bac-f847db4148a8",
           "919108f7-52d1-1320-9bac-f847db4148a8",  // version 1
           "919108f7-52d1-7320-9bac-f847db4148a8",  // version 7
           "919108f7-52d1-4320-cbac-f847db4148a8",  // Microsoft's variant
           "00000000-0000-0000-0000-000000000000",
           "{19108f7-52d1-4320-9bac-f847db4148a8}",
       }) {
    const auto uuid = Uuid::parse(text);
    ASSERT_FALSE(uuid) << text;
    EXPECT_EQ(uuid.error().code, Errc::malformed);
  }
  EXPECT_FALSE(Uuid::from_bytes(Bytes(15, 0x44)));
  EXPECT_FALSE(Uuid::from_bytes(Bytes(17, 0x44)));
  EXPECT_FALSE(Uuid::from_bytes(Bytes(16, 0)));
}

}  // namespace
}  // namespace ekiden
