// Receipts and refusals: how they are gathered, and what a receipt must be to be believed.

#include "router/receipts.hpp"

#include <gtest/gtest.h>

#include <string>

#include "identity/cose_sign.hpp"
#include "router/wire_form.hpp"
#include "world.hpp"

namespace ekiden::router {
namespace {

using test::Mail;
using test::World;

std::size_t count_of(World& world, wire::MessageType type) {
  std::size_t count = 0;
  for (const Mail& mail : world.mail()) count += mail.bytes[0] == static_cast<Byte>(type) ? 1 : 0;
  return count;
}

TEST(Receipts, OneSignatureCoversACommit) {
  World world(2);
  world.link(0, 1);
  for (int i = 0; i < 100; ++i) world.send(0, 1, std::to_string(i));
  world.sync(0);
  while (!world.mail().empty()) world.deliver(0);
  world.sync(1);
  EXPECT_EQ(count_of(world, wire::MessageType::receipt), 1u);
  world.flow();
  EXPECT_EQ(world[0].router().status().delivered, 100u);
  EXPECT_EQ(world[0].rows_in(store::Table::history), 1u);
}

TEST(Receipts, AreSplitOverTheirBound) {
  Config config;
  config.max_in_flight = 600;
  World world(2, config);
  world.link(0, 1);
  for (int i = 0; i < 600; ++i) world.send(0, 1, std::to_string(i));
  world.sync(0);
  while (!world.mail().empty()) world.deliver(0);
  world.sync(1);
  EXPECT_EQ(count_of(world, wire::MessageType::receipt), 3u);
  world.flow();
  EXPECT_EQ(world[0].router().status().delivered, 600u);
}

TEST(Receipts, ForRepetitionsAreGatheredForAMoment) {
  World world(2);
  world.link(0, 1);
  for (int i = 0; i < 50; ++i) world.send(0, 1, std::to_string(i));
  world.sync(0);
  const auto copies = world.mail();
  world.flow();
  world.mail() = copies;
  while (!world.mail().empty()) world.deliver(0);
  EXPECT_EQ(count_of(world, wire::MessageType::receipt), 0u);
  world.pass(milliseconds(11), false);
  EXPECT_EQ(count_of(world, wire::MessageType::receipt), 1u);
}

TEST(Receipts, AreKeptForAPeerWithoutALink) {
  World world(2);
  world.link(0, 1);
  const RequestId request = world.send(0, 1, "a");
  world.sync(0);
  world.deliver(0);
  world.unlink(0, 1);
  world.sync(1);
  EXPECT_TRUE(world.mail().empty());
  world.link(0, 1);
  EXPECT_EQ(count_of(world, wire::MessageType::receipt), 1u);
  world.flow();
  EXPECT_EQ(world[0].settled.at(world[0].answer(request)), MessageState::delivered);
}

class Belief : public testing::Test {
 protected:
  Belief() {
    world.link(0, 1);
    id = world[0].answer([&] {
      const RequestId request = world.send(0, 1, "a");
      world.sync(0);
      return request;
    }());
    world.mail().clear();
  }

  Receipt receipt() const { return {.by = peer.id(), .to = me.id(), .at = world.now.wall, .delivered = {id}}; }
  static Bytes sign(const identity::Identity& signer, const Receipt& receipt, std::string_view purpose) {
    return identity::cose_sign(signer, as_bytes(purpose), wire::encode(receipt));
  }
  Errc offer(ByteView body) {
    Bytes bytes{static_cast<Byte>(wire::MessageType::receipt)};
    append(bytes, body);
    world[0].receive(world.now, {peer.id(), me.id(), bytes});
    EXPECT_EQ(world[0].settled.contains(id), world[0].last_status.has_value());
    return world[0].last_status ? Errc::internal : world[0].last_status.error().code;
  }

  World world{3};
  const identity::Identity& me = world[0].self();
  const identity::Identity& peer = world[1].self();
  const identity::Identity& other = world[2].self();
  MessageId id;
};

TEST_F(Belief, TakesTheRecipientsReceipt) {
  EXPECT_EQ(offer(sign(peer, receipt(), kReceiptPurpose)), Errc::internal);
  EXPECT_EQ(world[0].settled.at(id), MessageState::delivered);
}

TEST_F(Belief, RefusesAnotherSigner) {
  EXPECT_EQ(offer(sign(other, receipt(), kReceiptPurpose)), Errc::unauthenticated);
}

TEST_F(Belief, RefusesASignatureMadeForAnotherPurpose) {
  EXPECT_EQ(offer(sign(peer, receipt(), "ekiden record 1")), Errc::unauthenticated);
}

TEST_F(Belief, RefusesAReceiptInAnotherName) {
  Receipt forged = receipt();
  forged.by = other.id();
  EXPECT_EQ(offer(sign(peer, forged, kReceiptPurpose)), Errc::refused);
}

TEST_F(Belief, RefusesAReceiptForSomebodyElse) {
  Receipt forged = receipt();
  forged.to = other.id();
  EXPECT_EQ(offer(sign(peer, forged, kReceiptPurpose)), Errc::refused);
}

TEST_F(Belief, RefusesAnyChangedBit) {
  const Bytes good = sign(peer, receipt(), kReceiptPurpose);
  for (std::size_t i = 0; i < good.size(); i += 3) {
    Bytes bad = good;
    bad[i] ^= 0x04;
    EXPECT_NE(offer(bad), Errc::internal) << i;
  }
}

TEST_F(Belief, LetsNoPeerSettleMessagesToAnother) {
  world.link(0, 2);
  Receipt forged = receipt();
  forged.by = other.id();
  Bytes bytes{static_cast<Byte>(wire::MessageType::receipt)};
  append(bytes, sign(other, forged, kReceiptPurpose));
  world[0].receive(world.now, {other.id(), me.id(), bytes});
  EXPECT_TRUE(world[0].last_status);
  EXPECT_FALSE(world[0].settled.contains(id));
}

TEST_F(Belief, IgnoresRefusalsOfOtherPeersMessages) {
  world.link(0, 2);
  const Refusal refusal{.reason = Refusal::Reason::window, .retry_after_ms = 1, .ids = {id}};
  world[0].receive(world.now, {other.id(), me.id(), link_message(wire::MessageType::refusal, refusal)});
  EXPECT_TRUE(world[0].last_status);
  const Trace trace = *world[0].router().trace(id);
  EXPECT_EQ(trace.steps.back().what, "sent over the link");
}

TEST_F(Belief, ClampsHowLongARefusalMayDelay) {
  const Refusal refusal{.reason = Refusal::Reason::inbox_full, .retry_after_ms = UINT32_MAX, .ids = {id}};
  world[0].receive(world.now, {peer.id(), me.id(), link_message(wire::MessageType::refusal, refusal)});
  world.pass(minutes(13));
  EXPECT_EQ(world[0].settled.at(id), MessageState::delivered);
}

TEST_F(Belief, NeedsALink) {
  world.unlink(0, 1);
  EXPECT_EQ(offer(sign(peer, receipt(), kReceiptPurpose)), Errc::unauthenticated);
}

}  // namespace
}  // namespace ekiden::router
