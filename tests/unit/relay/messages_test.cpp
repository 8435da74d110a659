#include "relay/messages.hpp"

#include <gtest/gtest.h>

#include <array>

#include "relay/rows.hpp"
#include "support/golden.hpp"
#include "support/hostile.hpp"
#include "support/identities.hpp"

namespace ekiden::relay {
namespace {

identity::PeerId node(Byte number) { return ekiden::test::make_identity(number).id(); }

const Bytes kPayload = {0xde, 0xad, 0xbe, 0xef};

Packet sample() {
  Packet packet{.id = *Uuid::parse("0f8fad5b-d9cb-469f-a165-70867728950e"),
                .from = node(1),
                .to = node(4),
                .expires = ekiden::test::kWall,
                .priority = wire::Priority::high,
                .kind = PacketKind::envelope,
                .durable = true,
                .route = {node(3)},
                .payload = kPayload};
  const crypto::Digest leaf = path::leaf_of(packet.subject(), {}, node(1), node(2), ekiden::test::kWall);
  packet.path = path::sign_hops(ekiden::test::make_identity(1), ekiden::test::kWall, std::array{leaf});
  return packet;
}

TEST(Packet, HasItsGoldenBytes) {
  const Bytes encoded = wire::encode(sample());
  ekiden::test::check_golden_bytes("packet", encoded);
  const auto packet = wire::decode<Packet>(encoded);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->subject(), sample().subject());
}

TEST(Packet, TheSubjectIsWhatNoRelayMayChange) {
  const auto subject = sample().subject();
  const auto differs = [&](auto change) {
    Packet packet = sample();
    change(packet);
    return packet.subject() != subject;
  };
  EXPECT_TRUE(differs([](Packet& packet) { packet.id.bytes[0] ^= 1; }));
  EXPECT_TRUE(differs([](Packet& packet) { std::swap(packet.from, packet.to); }));
  EXPECT_TRUE(differs([](Packet& packet) { packet.kind = PacketKind::receipt; }));
  EXPECT_TRUE(differs([](Packet& packet) { packet.payload = ByteView(kPayload).subspan(1); }));
  EXPECT_FALSE(differs([](Packet& packet) { packet.route.clear(); }));
}

TEST(Taken, HasItsGoldenBytes) { ekiden::test::check_golden(Taken{{sample().subject()}}); }

TEST(NotTaken, HasItsGoldenBytes) {
  ekiden::test::check_golden(NotTaken{.subject = sample().subject(), .reason = Refusal::absent});
}

TEST(PacketRow, HasItsGoldenBytes) {
  const Bytes packet = wire::encode(sample());
  ekiden::test::check_golden_bytes(
      "packet_row", wire::encode(PacketRow{.giver = node(1), .until = ekiden::test::kWall, .packet = packet}));
}

}  // namespace
}  // namespace ekiden::relay
