#include "identity/peer_record.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "identity/cose_sign.hpp"
#include "support/arbitrary_message.hpp"
#include "support/golden.hpp"
#include "support/hostile.hpp"
#include "testing.hpp"
#include "wire/cbor.hpp"

namespace ekiden::identity {
namespace {

const ByteView kRecordPurpose = as_bytes("ekiden record 1");

Bytes signed_record(const std::function<void(PeerRecord&)>& change = [](PeerRecord&) {}) {
  const Identity alice = test_identity(1);
  PeerRecord record = test_record(alice);
  change(record);
  // Signed without the checks of sign_record, as a hostile node would.
  return cose_sign(alice, kRecordPurpose, wire::encode(record));
}

Error error_of(ByteView bytes, WallTime now = test_time()) {
  const auto record = verify_record(bytes, now);
  EXPECT_FALSE(record) << "accepted";
  return record ? Error{} : record.error();
}

TEST(PeerRecord, HasItsGoldenBytes) {
  test::check_golden(test_record(test_identity(1)));
  test::check_golden(Prekey{42, test_identity(0x77).noise_key().public_key});
  const auto bytes = sign_record(test_identity(1), test_record(test_identity(1)));
  ASSERT_TRUE(bytes) << bytes.error().message;
  test::check_golden_bytes("signed_peer_record", *bytes);
}

TEST(PeerRecord, DescriptionSurvivesHostileInput) {
  test::check_hostile_input(test_record(test_identity(1)));
  test::check_round_trips<PeerRecord>(2, 100);
}

TEST(PeerRecord, VerifiesWhatWasSigned) {
  const Identity alice = test_identity(1);
  const PeerRecord record = test_record(alice);
  const auto bytes = sign_record(alice, record);
  ASSERT_TRUE(bytes) << bytes.error().message;
  const auto verified = verify_signed_record(*bytes, test_time() + minutes(5));
  ASSERT_TRUE(verified) << verified.error().message;
  EXPECT_EQ(verified->record, record);
  EXPECT_EQ(verified->signed_bytes, *bytes);
  EXPECT_EQ(verified->record.id(), alice.id());
}

TEST(PeerRecord, RefusesEveryChangedBitAndEveryTruncation) {
  const Bytes bytes = signed_record();
  test::for_each_bit_flip(bytes, [](ByteView flipped) { EXPECT_FALSE(verify_record(flipped, test_time())); });
  test::for_each_truncation(bytes, [](ByteView cut) { EXPECT_FALSE(verify_record(cut, test_time())); });
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_EQ(error_of(longer).code, Errc::malformed);
}

TEST(PeerRecord, RefusesTheSignatureOfAnotherNode) {
  const Bytes payload = wire::encode(test_record(test_identity(1)));
  const Error error = error_of(cose_sign(test_identity(2), kRecordPurpose, payload));
  EXPECT_EQ(error.code, Errc::unauthenticated);
  EXPECT_NE(error.message.find("the peer record is not valid"), std::string::npos);
}

TEST(PeerRecord, RefusesASignatureMadeForAnotherPurpose) {
  const Identity alice = test_identity(1);
  const Bytes payload = wire::encode(test_record(alice));
  EXPECT_EQ(error_of(cose_sign(alice, as_bytes("ekiden receipt 1"), payload)).code, Errc::unauthenticated);
  EXPECT_EQ(error_of(cose_sign(alice, {}, payload)).code, Errc::unauthenticated);
}

TEST(PeerRecord, RefusesKeysAsWhichAnybodyCouldSign) {
  PeerRecord record = test_record(test_identity(1));
  record.public_key = {};
  record.public_key.bytes[0] = 1;  // The identity point: R = identity and S = 0 satisfy the plain equation.
  Bytes signature(64, 0);
  signature[0] = 1;
  EXPECT_EQ(error_of(wire::build_sign1(wire::encode(record), signature)).code, Errc::unauthenticated);
}

TEST(PeerRecord, RefusesHeadersThatTheSignatureDoesNotCover) {
  const Identity alice = test_identity(1);
  const Bytes payload = wire::encode(test_record(alice));
  const auto signature = alice.sign(wire::sig_structure(wire::eddsa_protected_header(), kRecordPurpose, payload));
  Bytes bytes;
  wire::Encoder out(bytes);
  out.tag(18);
  out.array(4);
  out.bytes(wire::eddsa_protected_header());
  out.map(1);
  out.integer(4);
  out.bytes(as_bytes("kid"));
  out.bytes(payload);
  out.bytes(signature.view());
  EXPECT_EQ(error_of(bytes).code, Errc::malformed);
}

TEST(PeerRecord, SkipsFieldsOfNewerVersions) {
  const Identity alice = test_identity(1);
  Bytes payload = wire::encode(test_record(alice));
  ASSERT_EQ(payload[0], 0xab);  // A map of eleven pairs: one more, at its end.
  payload[0] = 0xac;
  append(payload, from_hex("0c8201a10203").value());
  const auto record = verify_record(cose_sign(alice, kRecordPurpose, payload), test_time());
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(*record, test_record(alice));
}

TEST(PeerRecord, AllowsClocksToDifferByTenMinutes) {
  const Bytes bytes = signed_record();
  EXPECT_TRUE(verify_record(bytes, test_time() - minutes(10)));
  const Error error = error_of(bytes, test_time() - minutes(10) - milliseconds(1));
  EXPECT_EQ(error.code, Errc::refused);
  EXPECT_NE(error.message.find("10 minutes in the future"), std::string::npos);
}

TEST(PeerRecord, EndsWithItsLifetime) {
  const Bytes bytes = signed_record();
  EXPECT_TRUE(verify_record(bytes, test_time() + hours(24) - milliseconds(1)));
  const Error error = error_of(bytes, test_time() + hours(24));
  EXPECT_EQ(error.code, Errc::expired);
  EXPECT_EQ(error_of(bytes, test_time() + hours(48)).message, "the record expired 1 day ago");
}

TEST(PeerRecord, SuspectsTheClocksWhenTheTimesAreYearsApart) {
  const Bytes bytes = signed_record();
  EXPECT_EQ(error_of(bytes, test_time() - days(3 * 365 + 20)).message,
            "the record was issued 3 years in the future: check the clock of this machine or of the peer");
  EXPECT_EQ(error_of(bytes, test_time() + days(5 * 365)).message,
            "the record expired 4 years ago: check the clock of this machine or of the peer");
  EXPECT_TRUE(verify_record_ignoring_time(bytes));
  // The very ends of what a clock or a record can say.
  EXPECT_EQ(error_of(bytes, WallTime{}).code, Errc::refused);
  EXPECT_EQ(error_of(bytes, from_unix_ms(kMaxUnixMs)).code, Errc::expired);
  const Bytes last = signed_record([](PeerRecord& record) { record.issued_at = from_unix_ms(kMaxUnixMs); });
  EXPECT_EQ(error_of(last).code, Errc::refused);
  EXPECT_TRUE(verify_record(last, from_unix_ms(kMaxUnixMs)));
}

TEST(PeerRecord, ClampsItsLifetimeToSevenDays) {
  const Bytes bytes = signed_record([](PeerRecord& record) { record.ttl_seconds = UINT32_MAX; });
  const auto record = verify_record(bytes, test_time());
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(record->ttl_seconds, 7U * 86'400);
  EXPECT_EQ(record->expires_at(), test_time() + days(7));
  EXPECT_EQ(error_of(bytes, test_time() + days(7)).code, Errc::expired);
  EXPECT_EQ(error_of(signed_record([](PeerRecord& r) { r.ttl_seconds = 0; })).code, Errc::expired);
}

TEST(PeerRecord, RefusesContentOutsideItsBounds) {
  EXPECT_EQ(error_of(signed_record([](PeerRecord& r) { r.version = 0; })).code, Errc::malformed);
  EXPECT_EQ(error_of(signed_record([](PeerRecord& r) { r.capabilities = {"UPPER"}; })).code, Errc::malformed);
  EXPECT_EQ(error_of(signed_record([](PeerRecord& r) { r.endpoints = {"tcp://\x1b[31m:1"}; })).code, Errc::malformed);
  EXPECT_EQ(error_of(signed_record([](PeerRecord& r) { r.endpoints = {""}; })).code, Errc::malformed);
  const Bytes huge(kMaxRecordSize + 1, 0);
  EXPECT_EQ(error_of(huge).code, Errc::too_large);
}

/// One element more than the description allows, written by hand since the encoder refuses to.
TEST(PeerRecord, RefusesListsThatAreTooLong) {
  const Identity alice = test_identity(1);
  Bytes payload = wire::encode(test_record(alice));
  const Bytes relays = from_hex("0a81").value();  // Key 10, a list of one id.
  const auto at = std::search(payload.begin(), payload.end(), relays.begin(), relays.end());
  ASSERT_NE(at, payload.end());
  const auto position = at - payload.begin();
  payload[static_cast<std::size_t>(position) + 1] = 0x85;
  Bytes ids;
  for (int i = 0; i < 4; ++i) {
    append(ids, from_hex("5820").value());
    append(ids, test_identity(2).id().bytes);
  }
  payload.insert(payload.begin() + position + 2, ids.begin(), ids.end());
  const Error error = error_of(cose_sign(alice, kRecordPurpose, payload));
  EXPECT_EQ(error.code, Errc::too_large);
  EXPECT_NE(error.message.find("peer_record.relays"), std::string::npos) << error.message;
}

TEST(PeerRecord, KeepsEndpointsOfUnknownTransportsButOffersOnlyKnownOnes) {
  const Bytes bytes =
      signed_record([](PeerRecord& r) { r.endpoints = {"quic9://a.b:1", "tcp://a.example:2", "junk"}; });
  const auto record = verify_record(bytes, test_time());
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(record->endpoints.size(), 3U);
  ASSERT_EQ(record->known_endpoints().size(), 1U);
  EXPECT_EQ(record->known_endpoints()[0].text(), "tcp://a.example:2");
}

TEST(SignRecord, RefusesToSignWhatOthersWouldNotAccept) {
  const Identity alice = test_identity(1);
  const auto code = [&](const std::function<void(PeerRecord&)>& change) {
    PeerRecord record = test_record(alice);
    change(record);
    const auto bytes = sign_record(alice, record);
    EXPECT_FALSE(bytes);
    return bytes ? Errc::internal : bytes.error().code;
  };
  EXPECT_EQ(code([](PeerRecord& r) { r.public_key = test_identity(2).public_key(); }), Errc::invalid_argument);
  EXPECT_EQ(code([](PeerRecord& r) { r.version = 0; }), Errc::invalid_argument);
  EXPECT_EQ(code([](PeerRecord& r) { r.ttl_seconds = 0; }), Errc::invalid_argument);
  EXPECT_EQ(code([](PeerRecord& r) { r.ttl_seconds = 7 * 86'400 + 1; }), Errc::invalid_argument);
  EXPECT_EQ(code([](PeerRecord& r) { r.endpoints = {"somewhere"}; }), Errc::invalid_argument);
  EXPECT_EQ(code([](PeerRecord& r) { r.capabilities = {"a//b"}; }), Errc::invalid_argument);
  EXPECT_EQ(code([](PeerRecord& r) { r.endpoints.resize(9, "tcp://a.example:1"); }), Errc::too_large);
  EXPECT_EQ(code([](PeerRecord& r) { r.endpoints = {"tcp://" + std::string(120, 'a') + ".example:1"}; }),
            Errc::too_large);
  EXPECT_EQ(code([](PeerRecord& r) { r.capabilities.resize(17, "a"); }), Errc::too_large);
  EXPECT_EQ(code([](PeerRecord& r) { r.capabilities = {std::string(65, 'a')}; }), Errc::too_large);
  EXPECT_EQ(code([](PeerRecord& r) { r.relays.resize(5); }), Errc::too_large);
  EXPECT_EQ(code([](PeerRecord& r) { r.mailboxes.resize(5); }), Errc::too_large);
  // Each list within its bounds, all together over the limit of the whole.
  EXPECT_EQ(code([](PeerRecord& r) { r.capabilities.resize(16, std::string(64, 'a')); }), Errc::too_large);
}

TEST(PeerRecord, IsReplacedByAHigherSequenceOfTheSameNode) {
  PeerRecord older = test_record(test_identity(1));
  PeerRecord newer = older;
  newer.sequence++;
  newer.issued_at -= days(1);  // The sequence decides, not the clock.
  EXPECT_TRUE(is_newer(newer, older));
  EXPECT_FALSE(is_newer(older, newer));
  EXPECT_FALSE(is_newer(older, older));
  newer.public_key = test_identity(2).public_key();
  EXPECT_FALSE(is_newer(newer, older));
}

TEST(Capability, IsAPathOfPlainSegments) {
  for (const char* name : {"a", "mailbox", "translate/ja-en", "llm/v1.2/small_model", "0"})
    EXPECT_TRUE(is_capability(name));
  EXPECT_TRUE(is_capability(std::string(64, 'a')));
  for (const char* name : {"", "/", "/a", "a/", "a//b", "A", "a b", "a\n", "\xc3\xbc", "a:b", "a,b"}) {
    EXPECT_FALSE(is_capability(name)) << name;
  }
  EXPECT_FALSE(is_capability(std::string(65, 'a')));
}

}  // namespace
}  // namespace ekiden::identity
