#include "identity/announcement.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "identity/cose_sign.hpp"
#include "support/arbitrary_message.hpp"
#include "support/golden.hpp"
#include "support/hostile.hpp"
#include "testing.hpp"

namespace ekiden::identity {
namespace {

const ByteView kAnnouncementPurpose = as_bytes("ekiden announcement 1");

Announcement test_announcement() { return {test_identity(1).public_key(), "translate/ja-en", 9, test_time(), 3600}; }

Bytes signed_announcement(const std::function<void(Announcement&)>& change = [](Announcement&) {}) {
  Announcement announcement = test_announcement();
  change(announcement);
  // Signed without the checks of sign_announcement, as a hostile node would.
  return cose_sign(test_identity(1), kAnnouncementPurpose, wire::encode(announcement));
}

Errc refusal_of(ByteView bytes, WallTime now = test_time()) {
  const auto announcement = verify_announcement(bytes, now);
  EXPECT_FALSE(announcement) << "accepted";
  return announcement ? Errc::internal : announcement.error().code;
}

TEST(Announcement, HasItsGoldenBytes) {
  test::check_golden(test_announcement());
  const auto bytes = sign_announcement(test_identity(1), test_announcement());
  ASSERT_TRUE(bytes) << bytes.error().message;
  test::check_golden_bytes("signed_announcement", *bytes);
}

TEST(Announcement, DescriptionSurvivesHostileInput) {
  test::check_hostile_input(test_announcement());
  test::check_round_trips<Announcement>(3, 100);
}

TEST(Announcement, VerifiesWhatWasSigned) {
  const auto bytes = sign_announcement(test_identity(1), test_announcement());
  ASSERT_TRUE(bytes) << bytes.error().message;
  const auto verified = verify_announcement(*bytes, test_time() + minutes(59));
  ASSERT_TRUE(verified) << verified.error().message;
  EXPECT_EQ(*verified, test_announcement());
  EXPECT_EQ(verified->owner(), test_identity(1).id());
  EXPECT_EQ(verified->expires_at(), test_time() + hours(1));
}

TEST(Announcement, FitsItsBoundWithTheLongestCapability) {
  Announcement announcement = test_announcement();
  announcement.capability = std::string(kMaxCapabilitySize, 'x');
  announcement.sequence = ~std::uint64_t{0};
  announcement.ttl_seconds = 86'400;
  ASSERT_TRUE(sign_announcement(test_identity(1), announcement));
}

TEST(Announcement, RefusesEveryChangedBitAndEveryTruncation) {
  const Bytes bytes = signed_announcement();
  test::for_each_bit_flip(bytes, [](ByteView flipped) { EXPECT_FALSE(verify_announcement(flipped, test_time())); });
  test::for_each_truncation(bytes, [](ByteView cut) { EXPECT_FALSE(verify_announcement(cut, test_time())); });
}

TEST(Announcement, RefusesSignaturesOfOthersAndForOtherPurposes) {
  const Bytes payload = wire::encode(test_announcement());
  EXPECT_EQ(refusal_of(cose_sign(test_identity(2), kAnnouncementPurpose, payload)), Errc::unauthenticated);
  EXPECT_EQ(refusal_of(cose_sign(test_identity(1), as_bytes("ekiden record 1"), payload)), Errc::unauthenticated);
}

TEST(Announcement, RefusesKeysAsWhichAnybodyCouldSign) {
  Announcement announcement = test_announcement();
  announcement.public_key = {};
  announcement.public_key.bytes[0] = 1;
  Bytes signature(64, 0);
  signature[0] = 1;
  EXPECT_EQ(refusal_of(wire::build_sign1(wire::encode(announcement), signature)), Errc::unauthenticated);
}

TEST(Announcement, RefusesWhatIsOverOrFromTheFutureOrHasABadName) {
  const Bytes bytes = signed_announcement();
  EXPECT_EQ(refusal_of(bytes, test_time() + hours(1)), Errc::expired);
  EXPECT_EQ(refusal_of(bytes, test_time() - minutes(11)), Errc::refused);
  EXPECT_TRUE(verify_announcement_ignoring_time(bytes));
  EXPECT_EQ(refusal_of(signed_announcement([](auto& a) { a.capability = "Not/One"; })), Errc::malformed);
  EXPECT_EQ(refusal_of(Bytes(kMaxAnnouncementSize + 1, 0)), Errc::too_large);
}

TEST(Announcement, ClampsALifetimeOverTheMaximum) {
  const Bytes bytes = signed_announcement([](auto& a) { a.ttl_seconds = 1'000'000; });
  EXPECT_TRUE(verify_announcement(bytes, test_time() + hours(23)));
  EXPECT_EQ(refusal_of(bytes, test_time() + hours(24)), Errc::expired);
}

TEST(Announcement, SignsNothingThatOthersWouldRefuse) {
  const auto refused = [](const std::function<void(Announcement&)>& change) {
    Announcement announcement = test_announcement();
    change(announcement);
    const auto made = sign_announcement(test_identity(1), announcement);
    return !made && made.error().code == Errc::invalid_argument;
  };
  EXPECT_TRUE(refused([](auto& a) { a.public_key = test_identity(2).public_key(); }));
  EXPECT_TRUE(refused([](auto& a) { a.ttl_seconds = 0; }));
  EXPECT_TRUE(refused([](auto& a) { a.ttl_seconds = 86'401; }));
  EXPECT_TRUE(refused([](auto& a) { a.capability = "a//b"; }));
  EXPECT_TRUE(refused([](auto& a) { a.capability = std::string(65, 'a'); }));
}

}  // namespace
}  // namespace ekiden::identity
