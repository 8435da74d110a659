#include "bootstrap/list.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "identity/cose_sign.hpp"
#include "support/arbitrary_message.hpp"
#include "support/golden.hpp"
#include "support/hostile.hpp"
#include "unit/bootstrap/testing.hpp"

namespace ekiden::bootstrap {
namespace {

using test::kWall;
using test::make_identity;

const ByteView kPurpose = as_bytes("ekiden bootstrap list 1");
using Change = std::function<void(NodeList&)>;

/// Signed without the checks of sign_list, as a hostile node would.
Bytes signed_list(const Change& change = [](NodeList&) {}) {
  NodeList list = sample_list(1);
  change(list);
  return identity::cose_sign(make_identity(1), kPurpose, wire::encode(list));
}

Error error_of(ByteView bytes, WallTime now = kWall) {
  const auto list = verify_list(bytes, now);
  EXPECT_FALSE(list) << "accepted";
  return list ? Error{} : list.error();
}

TEST(NodeList, HasItsGoldenBytes) {
  test::check_golden(sample_list(1));
  test::check_golden(sample_list(1).nodes[0]);
  const auto bytes = sign_list(make_identity(1), sample_list(1));
  ASSERT_TRUE(bytes) << bytes.error().message;
  test::check_golden_bytes("signed_bootstrap_list", *bytes);
}

TEST(NodeList, DescriptionSurvivesHostileInput) {
  test::check_hostile_input(sample_list(1));
  test::check_round_trips<NodeList>(3, 30);
}

TEST(NodeList, VerifiesWhatWasSigned) {
  const auto bytes = sign_list(make_identity(1), sample_list(1));
  ASSERT_TRUE(bytes) << bytes.error().message;
  const auto list = verify_list(*bytes, kWall + days(1));
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(*list, sample_list(1));
  EXPECT_EQ(list->signer(), make_identity(1).id());
  EXPECT_EQ(list->nodes[0].id(), make_identity(2).id());
}

TEST(NodeList, HasOneSignatureInBothForms) {
  const auto bytes = sign_list(make_identity(1), sample_list(1));
  ASSERT_TRUE(bytes);
  const auto signature = signature_of(*bytes);
  ASSERT_TRUE(signature);
  const auto again = sign1_of(sample_list(1), *signature);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, *bytes);
  NodeList changed = sample_list(1);
  changed.nodes[1].endpoints[0] = "tcp://203.0.113.1:1";
  EXPECT_EQ(error_of(*sign1_of(changed, *signature)).code, Errc::unauthenticated);
  changed.nodes.resize(kMaxListNodes + 1);
  EXPECT_EQ(sign1_of(changed, *signature).error().code, Errc::too_large);
}

TEST(NodeList, RefusesEveryChangedBitAndEveryTruncation) {
  const Bytes bytes = signed_list();
  test::for_each_bit_flip(bytes, [](ByteView flipped) { EXPECT_FALSE(verify_list(flipped, kWall)); });
  test::for_each_truncation(bytes, [](ByteView cut) { EXPECT_FALSE(verify_list(cut, kWall)); });
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_EQ(error_of(longer).code, Errc::malformed);
}

TEST(NodeList, RefusesTheSignatureOfAnotherOrForAnotherPurpose) {
  const Bytes payload = wire::encode(sample_list(1));
  EXPECT_EQ(error_of(identity::cose_sign(make_identity(2), kPurpose, payload)).code, Errc::unauthenticated);
  const auto record = identity::cose_sign(make_identity(1), as_bytes("ekiden record 1"), payload);
  EXPECT_EQ(error_of(record).code, Errc::unauthenticated);
  EXPECT_TRUE(error_of(record).message.starts_with("the bootstrap list is not valid"));
}

TEST(NodeList, RefusesAKeyAsWhichAnybodyCouldSign) {
  NodeList list = sample_list(1);
  list.public_key = {};
  list.public_key.bytes[0] = 1;  // The identity point: R = identity and S = 0 satisfy the plain equation.
  Bytes signature(64, 0);
  signature[0] = 1;
  EXPECT_EQ(error_of(wire::build_sign1(wire::encode(list), signature)).code, Errc::unauthenticated);
}

TEST(NodeList, HasItsTime) {
  const Bytes bytes = signed_list();
  EXPECT_TRUE(verify_list(bytes, kWall - minutes(10)));
  EXPECT_EQ(error_of(bytes, kWall - minutes(10) - milliseconds(1)).code, Errc::refused);
  EXPECT_TRUE(verify_list(bytes, kWall + days(30) - milliseconds(1)));
  EXPECT_EQ(error_of(bytes, kWall + days(30)).code, Errc::expired);
  EXPECT_NE(error_of(bytes, kWall + days(35)).message.find("5 days ago"), std::string::npos);
  EXPECT_TRUE(verify_list_ignoring_time(bytes));
  // The ends of what a list can say.
  const Bytes endless = signed_list([](NodeList& list) { list.ttl_seconds = UINT32_MAX; });
  EXPECT_TRUE(verify_list(endless, kWall + days(400) - milliseconds(1)));
  EXPECT_EQ(error_of(endless, kWall + days(400)).code, Errc::expired);
  EXPECT_EQ(error_of(signed_list([](NodeList& list) { list.issued_at = from_unix_ms(kMaxUnixMs); })).code,
            Errc::refused);
  EXPECT_EQ(error_of(signed_list([](NodeList& list) { list.ttl_seconds = 0; })).code, Errc::expired);
}

TEST(NodeList, RefusesContentOutsideItsBounds) {
  EXPECT_EQ(error_of(signed_list([](NodeList& list) { list.version = 2; })).code, Errc::unsupported);
  EXPECT_EQ(error_of(signed_list([](NodeList& list) { list.version = 0; })).code, Errc::unsupported);
  EXPECT_EQ(error_of(signed_list([](NodeList& list) { list.nodes[0].endpoints.clear(); })).code, Errc::malformed);
  EXPECT_EQ(error_of(signed_list([](NodeList& list) { list.nodes[0].endpoints[0] = "tcp://\x1b[31m:1"; })).code,
            Errc::malformed);
  EXPECT_EQ(error_of(signed_list([](NodeList& list) { list.nodes[0].note = "bell \x07"; })).code, Errc::malformed);
  EXPECT_EQ(error_of(signed_list([](NodeList& list) { list.nodes[1] = list.nodes[0]; })).code, Errc::malformed);
  EXPECT_EQ(error_of(Bytes(kMaxListSize + 1, 0)).code, Errc::too_large);
}

/// One node more than the description allows, written by hand since the encoder refuses to.
TEST(NodeList, RefusesMoreNodesThanItsBound) {
  Bytes payload;
  wire::Encoder out(payload);
  out.map(6);
  out.unsigned_integer(1);
  out.unsigned_integer(1);
  out.unsigned_integer(2);
  out.bytes(make_identity(1).public_key().bytes);
  out.unsigned_integer(3);
  out.unsigned_integer(1);
  out.unsigned_integer(4);
  out.unsigned_integer(to_unix_ms(kWall));
  out.unsigned_integer(5);
  out.unsigned_integer(3600);
  out.unsigned_integer(6);
  out.array(kMaxListNodes + 1);
  for (std::size_t i = 0; i <= kMaxListNodes; ++i) {
    out.map(2);
    out.unsigned_integer(1);
    out.bytes(make_identity(static_cast<Byte>(i)).public_key().bytes);
    out.unsigned_integer(2);
    out.array(1);
    out.text("tcp://a:1");
  }
  const Error error = error_of(identity::cose_sign(make_identity(1), kPurpose, payload));
  EXPECT_EQ(error.code, Errc::too_large);
  EXPECT_NE(error.message.find("bootstrap_list.nodes"), std::string::npos) << error.message;
}

TEST(NodeList, KeepsEndpointsOfUnknownTransportsButOffersOnlyKnownOnesOnce) {
  const auto list = verify_list(signed_list([](NodeList& l) {
                                  l.nodes[0].endpoints = {"quic9://a:1", "tcp://a.example:2", "tcp://A.example:2", "?"};
                                }),
                                kWall);
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->nodes[0].endpoints.size(), 4U);
  ASSERT_EQ(list->nodes[0].known_endpoints().size(), 1U);
  EXPECT_EQ(list->nodes[0].known_endpoints()[0].text(), "tcp://a.example:2");
}

TEST(SignList, RefusesToSignWhatOthersWouldNotAccept) {
  const auto code = [](const Change& change) {
    NodeList list = sample_list(1);
    change(list);
    const auto bytes = sign_list(make_identity(1), list);
    EXPECT_FALSE(bytes);
    return bytes ? Errc::internal : bytes.error().code;
  };
  EXPECT_EQ(code([](NodeList& l) { l.public_key = make_identity(2).public_key(); }), Errc::invalid_argument);
  EXPECT_EQ(code([](NodeList& l) { l.version = 2; }), Errc::invalid_argument);
  EXPECT_EQ(code([](NodeList& l) { l.ttl_seconds = 0; }), Errc::invalid_argument);
  EXPECT_EQ(code([](NodeList& l) { l.ttl_seconds = 400 * 86'400 + 1; }), Errc::invalid_argument);
  EXPECT_EQ(code([](NodeList& l) { l.nodes[0].endpoints = {"somewhere"}; }), Errc::invalid_argument);
  EXPECT_EQ(code([](NodeList& l) { l.nodes[0].public_key = {}; }), Errc::invalid_argument);
  EXPECT_EQ(code([](NodeList& l) { l.nodes[1] = l.nodes[0]; }), Errc::invalid_argument);
  EXPECT_EQ(code([](NodeList& l) { l.nodes[0].endpoints.resize(5, "tcp://a:1"); }), Errc::too_large);
  EXPECT_EQ(code([](NodeList& l) { l.nodes[0].note = std::string(65, 'a'); }), Errc::too_large);
  EXPECT_EQ(code([](NodeList& l) { l.nodes.resize(65); }), Errc::too_large);
}

TEST(SignList, RefusesAListThatIsTooLargeAsAWhole) {
  NodeList list = sample_list(1);
  list.nodes.clear();
  const auto endpoint = [](int number) {
    return "tcp://" + std::string(60, 'a') + "." + std::string(40, 'b') + ".example:" + std::to_string(number);
  };
  for (Byte i = 10; i < 10 + 64; ++i) {
    list.nodes.push_back(listed(i, {endpoint(1), endpoint(2), endpoint(3)}));
  }
  const auto bytes = sign_list(make_identity(1), list);
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().code, Errc::too_large);
}

}  // namespace
}  // namespace ekiden::bootstrap
