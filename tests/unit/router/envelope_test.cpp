#include "router/envelope.hpp"

#include <gtest/gtest.h>

#include "router/rows.hpp"
#include "support/arbitrary_message.hpp"
#include "support/golden.hpp"
#include "support/hostile.hpp"

namespace ekiden::router {
namespace {

MessageId id_of(std::string_view text) { return *Uuid::parse(text); }
const MessageId kId = id_of("0f8fad5b-d9cb-469f-a165-70867728950e");
const MessageId kOther = id_of("7c9e6679-7425-40de-944b-e07fc1f90ae7");

identity::PeerId peer(Byte first) {
  identity::PeerId id;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) id.bytes[i] = static_cast<Byte>(first + i);
  return id;
}

const Bytes kSealed = {0xde, 0xad, 0xbe, 0xef};

Envelope sample_envelope() {
  return {.id = kId,
          .from = peer(0x10),
          .to = peer(0x60),
          .expires = from_unix_ms(1'767'830'400'000),
          .priority = wire::Priority::high,
          .delivery = DeliveryClass::durable,
          .sealed = kSealed};
}

Content sample_content() {
  return {.epoch = 1'767'225'600'000,
          .sequence = 41,
          .floor = 17,
          .sent = from_unix_ms(1'767'225'612'345),
          .type = "greeting",
          .content_type = "text/plain",
          .in_reply_to = kOther,
          .body = as_bytes("hello")};
}

Exchange sample_exchange() { return {.part = Exchange::Part::request, .capability = "translate/ja-en"}; }

/// What a request looks like on the wire: the content of a message, with its part in an exchange.
struct Request : Content {
  static constexpr std::string_view kName = "content_request";
};

Request sample_request() {
  Request request{sample_content()};
  request.exchange = sample_exchange();
  return request;
}

Order sample_order() {
  return {.conversation = "tea", .place = 9, .previous = 38, .delivered = 7, .wait_ms = 604'800'000, .earlier_ms = 0};
}

/// A message that has a place in a conversation.
struct Ordered : Content {
  static constexpr std::string_view kName = "content_ordered";
};

Ordered sample_ordered() {
  Ordered ordered{sample_content()};
  ordered.order = sample_order();
  return ordered;
}

Receipt sample_receipt() {
  return {.by = peer(0x60), .to = peer(0x10), .at = from_unix_ms(1'767'225'613'000), .delivered = {kId, kOther}};
}

/// A receipt that went back through relays: it tells by which way a message came, and what could not be opened.
struct Relayed : Receipt {
  static constexpr std::string_view kName = "receipt_relayed";
};

Relayed sample_relayed() {
  Relayed relayed{sample_receipt()};
  path::Hop hop;
  hop.by.bytes.fill(0x42);
  hop.at = from_unix_ms(1'767'225'612'500);
  hop.index = 1;
  hop.proof = Bytes(32, 0x43);
  hop.signature.bytes.fill(0x44);
  ProvenPath way{.item = 1, .subject = {}, .hops = {hop}};
  way.subject.bytes.fill(0x41);
  relayed.paths = ProvenPaths{{way}};
  relayed.unopened = Unopened{.sessions = {kOther}, .messages = {kId}};
  return relayed;
}

Refusal sample_refusal() { return {.reason = Refusal::Reason::window, .retry_after_ms = 30'000, .ids = {kId}}; }

TEST(Envelope, HasItsGoldenBytes) { ekiden::test::check_golden(sample_envelope()); }
TEST(Content, HasItsGoldenBytes) { ekiden::test::check_golden(sample_content()); }
TEST(Exchange, HasItsGoldenBytes) { ekiden::test::check_golden(sample_exchange()); }
TEST(Request, HasItsGoldenBytes) { ekiden::test::check_golden(sample_request()); }
TEST(Order, HasItsGoldenBytes) { ekiden::test::check_golden(sample_order()); }
TEST(Ordered, HasItsGoldenBytes) { ekiden::test::check_golden(sample_ordered()); }
TEST(Receipt, HasItsGoldenBytes) { ekiden::test::check_golden(sample_receipt()); }
TEST(Relayed, HasItsGoldenBytes) { ekiden::test::check_golden(sample_relayed()); }
TEST(Refusal, HasItsGoldenBytes) { ekiden::test::check_golden(sample_refusal()); }

TEST(Envelope, SurvivesHostileInput) { ekiden::test::check_hostile_input(sample_envelope()); }
TEST(Content, SurvivesHostileInput) { ekiden::test::check_hostile_input(sample_content()); }
TEST(Exchange, SurvivesHostileInput) { ekiden::test::check_hostile_input(sample_exchange()); }
TEST(Request, SurvivesHostileInput) { ekiden::test::check_hostile_input(sample_request()); }
TEST(Order, SurvivesHostileInput) { ekiden::test::check_hostile_input(sample_order()); }
TEST(Ordered, SurvivesHostileInput) { ekiden::test::check_hostile_input(sample_ordered()); }
TEST(Receipt, SurvivesHostileInput) { ekiden::test::check_hostile_input(sample_receipt()); }
TEST(Relayed, SurvivesHostileInput) { ekiden::test::check_hostile_input(sample_relayed()); }
TEST(Refusal, SurvivesHostileInput) { ekiden::test::check_hostile_input(sample_refusal()); }

TEST(Exchange, RoundTrips) { ekiden::test::check_round_trips<Exchange>(6); }
TEST(Order, RoundTrips) { ekiden::test::check_round_trips<Order>(7); }
TEST(Receipt, RoundTrips) { ekiden::test::check_round_trips<Receipt>(1); }
TEST(Refusal, RoundTrips) { ekiden::test::check_round_trips<Refusal>(2); }
TEST(Rows, RoundTrip) {
  ekiden::test::check_round_trips<MetaRow>(3);
  ekiden::test::check_round_trips<WindowRow>(4);
  ekiden::test::check_round_trips<HistoryRow>(5, 20);
}

TEST(Envelope, BindsEveryFieldButTheCiphertext) {
  const Bytes bound = sample_envelope().associated_data();
  EXPECT_TRUE(wire::validate(bound));
  Envelope changed = sample_envelope();
  changed.sealed = {};
  EXPECT_EQ(changed.associated_data(), bound);

  const auto differs = [&](auto change) {
    Envelope other = sample_envelope();
    change(other);
    return other.associated_data() != bound;
  };
  EXPECT_TRUE(differs([](Envelope& e) { e.id = kOther; }));
  EXPECT_TRUE(differs([](Envelope& e) { e.from = peer(0x11); }));
  EXPECT_TRUE(differs([](Envelope& e) { e.to = peer(0x61); }));
  EXPECT_TRUE(differs([](Envelope& e) { e.expires += milliseconds(1); }));
  EXPECT_TRUE(differs([](Envelope& e) { e.priority = wire::Priority::normal; }));
  EXPECT_TRUE(differs([](Envelope& e) { e.delivery = DeliveryClass::volatile_; }));
}

TEST(Envelope, RefusesACiphertextOverItsBound) {
  const Bytes sealed(kMaxSealed + 1);
  Bytes bytes;
  wire::Encoder encoder(bytes);
  encoder.map(7);
  encoder.unsigned_integer(1);
  encoder.bytes(kId.bytes);
  encoder.unsigned_integer(2);
  encoder.bytes(peer(1).bytes);
  encoder.unsigned_integer(3);
  encoder.bytes(peer(2).bytes);
  for (std::uint64_t key = 4; key <= 6; ++key) {
    encoder.unsigned_integer(key);
    encoder.unsigned_integer(1);
  }
  encoder.unsigned_integer(7);
  encoder.bytes(sealed);
  const auto decoded = wire::decode<Envelope>(bytes);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, Errc::too_large);
}

TEST(Receipt, RefusesMoreIdsThanItsBound) {
  Bytes bytes;
  wire::Encoder encoder(bytes);
  encoder.map(4);
  encoder.unsigned_integer(1);
  encoder.bytes(peer(1).bytes);
  encoder.unsigned_integer(2);
  encoder.bytes(peer(2).bytes);
  encoder.unsigned_integer(3);
  encoder.unsigned_integer(1);
  encoder.unsigned_integer(4);
  encoder.array(kMaxReceiptIds + 1);
  for (std::size_t i = 0; i <= kMaxReceiptIds; ++i) encoder.bytes(kId.bytes);
  const auto decoded = wire::decode<Receipt>(bytes);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, Errc::too_large);
}

}  // namespace
}  // namespace ekiden::router
