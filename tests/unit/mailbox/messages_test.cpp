#include "mailbox/messages.hpp"

#include <gtest/gtest.h>

#include "mailbox/rows.hpp"
#include "mailbox/statement.hpp"
#include "mailbox/wire_form.hpp"
#include "support/golden.hpp"

namespace ekiden::mailbox {
namespace {

const Uuid kId = *Uuid::parse("0f8fad5b-d9cb-469f-a165-70867728950e");
constexpr WallTime kWhen{milliseconds(1'767'830'400'000)};

identity::PeerId parcel_peer(Byte first) {
  identity::PeerId id;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) id.bytes[i] = static_cast<Byte>(first + i);
  return id;
}

const Bytes kPayload = {0xde, 0xad, 0xbe, 0xef};

Parcel sample_parcel() {
  return {.id = kId,
          .from = parcel_peer(0x10),
          .to = parcel_peer(0x60),
          .expires = kWhen,
          .priority = wire::Priority::high,
          .kind = ParcelKind::envelope,
          .payload = kPayload};
}

TEST(Parcel, HasItsGoldenBytes) {
  const Bytes encoded = wire::encode(sample_parcel());
  test::check_golden_bytes("parcel", encoded);
  const auto parcel = wire::decode<Parcel>(encoded);
  ASSERT_TRUE(parcel);
  EXPECT_EQ(to_bytes(parcel->payload), kPayload);
  EXPECT_EQ(parcel->to, parcel_peer(0x60));
}

TEST(Parcel, TheLargestFitsIntoOneLinkMessage) {
  const Bytes payload(kMaxPayload, 7);
  Parcel parcel = sample_parcel();
  parcel.expires = from_unix_ms(kMaxUnixMs);
  parcel.payload = payload;
  const Bytes encoded = wire::encode(parcel);
  EXPECT_LE(encoded.size(), kMaxParcel);
  const auto message =
      link_message(wire::MessageType::parcel, Delivery{.number = ~std::uint64_t{0}, .parcel = encoded});
  EXPECT_LE(message->size(), 34'816U);
}

TEST(Statement, HasItsGoldenBytes) {
  test::check_golden(
      Statement{.by = parcel_peer(0x20),
                .to = parcel_peer(0x10),
                .at = kWhen,
                .stored = {{.id = kId, .owner = parcel_peer(0x60), .until = kWhen + milliseconds(days(1))}}});
}

TEST(Statement, IsBelievedFromItsMailboxAlone) {
  const identity::Identity mailbox(crypto::Ed25519Seed(ByteArray<32>{1}));
  const identity::Identity other(crypto::Ed25519Seed(ByteArray<32>{2}));
  Statement statement{.by = mailbox.id(), .to = parcel_peer(0x10), .at = kWhen, .stored = {}};
  statement.stored.resize(kMaxStatementItems, {.id = kId, .owner = parcel_peer(0x60), .until = kWhen});
  const Bytes cose = sign_statement(mailbox, statement);
  const auto opened = open_statement(cose, mailbox.id(), mailbox.public_key(), parcel_peer(0x10));
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(*opened, statement);
  EXPECT_FALSE(open_statement(cose, mailbox.id(), mailbox.public_key(), parcel_peer(0x11)));
  EXPECT_FALSE(open_statement(cose, other.id(), mailbox.public_key(), parcel_peer(0x10)));
  EXPECT_FALSE(open_statement(cose, mailbox.id(), other.public_key(), parcel_peer(0x10)));
  Bytes changed = cose;
  changed[changed.size() / 2] ^= 1;
  EXPECT_FALSE(open_statement(changed, mailbox.id(), mailbox.public_key(), parcel_peer(0x10)));
}

TEST(NotStored, HasItsGoldenBytes) {
  test::check_golden(
      NotStored{.id = kId, .owner = parcel_peer(0x60), .reason = RefusalReason::owner_full, .retry_after_ms = 300'000});
}

TEST(Collect, HasItsGoldenBytes) { test::check_golden(Collect{.window = 64}); }

TEST(Delivery, HasItsGoldenBytes) {
  const Bytes parcel = wire::encode(sample_parcel());
  const Bytes encoded = wire::encode(Delivery{.number = 41, .parcel = parcel});
  test::check_golden_bytes("delivery", encoded);
  const auto delivery = wire::decode<Delivery>(encoded);
  ASSERT_TRUE(delivery);
  EXPECT_EQ(to_bytes(delivery->parcel), parcel);
}

TEST(Collected, HasItsGoldenBytes) { test::check_golden(Collected{.numbers = {41, 42, 1'000'000}}); }

TEST(ParcelRow, HasItsGoldenBytes) {
  const Parcel parcel = sample_parcel();
  test::check_golden(row_of(parcel, wire::encode(parcel), {4, 203, 0, 113, 0, 0, 0, 0}, kWhen));
}

TEST(WholeParcelRow, HasItsGoldenBytes) {
  const Bytes parcel = wire::encode(sample_parcel());
  const Bytes encoded =
      wire::encode(WholeParcelRow{.prefix = {4, 203, 0, 113, 0, 0, 0, 0}, .until = kWhen, .parcel = parcel});
  test::check_golden_bytes("whole_parcel_row", encoded);
  ASSERT_TRUE(wire::decode<WholeParcelRow>(encoded));
  EXPECT_FALSE(wire::decode<ParcelRow>(encoded));
}

TEST(DeadRow, HasItsGoldenBytes) {
  DeadRow row;
  row.dead[0] = 0x81;
  row.dead[31] = 0x10;
  row.count = count_bits(row.dead);
  row.since = kWhen;
  EXPECT_EQ(row.count, 3U);
  test::check_golden(row);
}

TEST(OwnRow, HasItsGoldenBytes) {
  test::check_golden(OwnRow{.own = {parcel_peer(0x20), parcel_peer(0x30)}, .former = {parcel_peer(0x40)}});
}

}  // namespace
}  // namespace ekiden::mailbox
