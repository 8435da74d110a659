#include "identity/lan_beacon.hpp"

#include <gtest/gtest.h>

#include "identity/announcement.hpp"
#include "identity/cose_sign.hpp"
#include "identity/peer_record.hpp"
#include "support/arbitrary_message.hpp"
#include "support/golden.hpp"
#include "support/hostile.hpp"
#include "testing.hpp"

namespace ekiden::identity {
namespace {

const ByteView kBeaconPurpose = as_bytes("ekiden lan 1");

LanBeacon test_beacon() { return {test_identity(1).public_key(), 7420, 7421, true}; }

/// Signed without the checks of sign_lan_beacon, as a hostile node would.
Bytes signed_beacon(const LanBeacon& beacon) {
  return cose_sign(test_identity(1), kBeaconPurpose, wire::encode(beacon));
}

Errc beacon_refusal(ByteView bytes) {
  const auto beacon = verify_lan_beacon(bytes);
  EXPECT_FALSE(beacon) << "accepted";
  return beacon ? Errc::internal : beacon.error().code;
}

TEST(LanBeacon, HasItsGoldenBytes) {
  test::check_golden(test_beacon());
  const auto bytes = sign_lan_beacon(test_identity(1), test_beacon());
  ASSERT_TRUE(bytes) << bytes.error().message;
  test::check_golden_bytes("signed_lan_beacon", *bytes);
}

TEST(LanBeacon, DescriptionSurvivesHostileInput) {
  test::check_hostile_input(test_beacon());
  test::check_round_trips<LanBeacon>(3, 100);
}

TEST(LanBeacon, VerifiesWhatWasSigned) {
  const auto bytes = sign_lan_beacon(test_identity(1), test_beacon());
  ASSERT_TRUE(bytes) << bytes.error().message;
  const auto verified = verify_lan_beacon(*bytes);
  ASSERT_TRUE(verified) << verified.error().message;
  EXPECT_EQ(*verified, test_beacon());
  EXPECT_EQ(verified->id(), test_identity(1).id());
}

TEST(LanBeacon, RefusesEveryChangedBitAndEveryTruncation) {
  const Bytes bytes = signed_beacon(test_beacon());
  test::for_each_bit_flip(bytes, [](ByteView flipped) { EXPECT_FALSE(verify_lan_beacon(flipped)); });
  test::for_each_truncation(bytes, [](ByteView cut) { EXPECT_FALSE(verify_lan_beacon(cut)); });
}

TEST(LanBeacon, RefusesSignaturesOfOthersAndForOtherPurposes) {
  const Bytes payload = wire::encode(test_beacon());
  EXPECT_EQ(beacon_refusal(cose_sign(test_identity(2), kBeaconPurpose, payload)), Errc::unauthenticated);
  EXPECT_EQ(beacon_refusal(cose_sign(test_identity(1), as_bytes("ekiden record 1"), payload)), Errc::unauthenticated);
}

TEST(LanBeacon, IsNeitherARecordNorAnAnnouncementNorTheOtherWayRound) {
  const Bytes beacon = signed_beacon(test_beacon());
  EXPECT_FALSE(verify_record_ignoring_time(beacon));
  EXPECT_FALSE(verify_announcement_ignoring_time(beacon));
  const auto record = sign_record(test_identity(1), test_record(test_identity(1)));
  ASSERT_TRUE(record);
  EXPECT_FALSE(verify_lan_beacon(*record));
}

TEST(LanBeacon, RefusesKeysAsWhichAnybodyCouldSign) {
  LanBeacon beacon = test_beacon();
  beacon.public_key = {};
  beacon.public_key.bytes[0] = 1;
  Bytes signature(64, 0);
  signature[0] = 1;
  EXPECT_EQ(beacon_refusal(wire::build_sign1(wire::encode(beacon), signature)), Errc::unauthenticated);
}

TEST(LanBeacon, RefusesWhatIsTooLongOrNamesNoPort) {
  EXPECT_EQ(beacon_refusal(Bytes(kMaxLanBeaconSize + 1, 0)), Errc::too_large);
  LanBeacon beacon = test_beacon();
  beacon.udp_port = 0;
  EXPECT_EQ(beacon_refusal(signed_beacon(beacon)), Errc::malformed);
  beacon = test_beacon();
  beacon.tcp_port = 0;
  EXPECT_TRUE(verify_lan_beacon(signed_beacon(beacon)));
}

TEST(LanBeacon, SignsNothingThatOthersWouldRefuse) {
  LanBeacon beacon = test_beacon();
  beacon.udp_port = 0;
  EXPECT_EQ(sign_lan_beacon(test_identity(1), beacon).error().code, Errc::invalid_argument);
  EXPECT_EQ(sign_lan_beacon(test_identity(2), test_beacon()).error().code, Errc::invalid_argument);
}

}  // namespace
}  // namespace ekiden::identity
