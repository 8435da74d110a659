// Messages to peers without a link, to whom relays know a way, and what relays bring.
#include <gtest/gtest.h>

#include <array>

#include "identity/cose_sign.hpp"
#include "router/receipts.hpp"
#include "support/identities.hpp"
#include "world.hpp"

namespace ekiden::router::test {
namespace {

class RelayedTest : public ::testing::Test {
 protected:
  MessageId send(DeliveryClass delivery = DeliveryClass::durable) {
    Draft draft;
    draft.to = bob().id();
    draft.body = to_bytes(as_bytes("hello"));
    draft.delivery = delivery;
    const RequestId request = alice().submit(world_.now, draft);
    alice().sync(world_.now);
    return alice().answer(request);
  }

  void route(bool up) {
    alice().call([&](auto& out) { alice().router().on_route(world_.now, bob().id(), up, out); }, world_.now);
    alice().sync(world_.now);
  }

  /// As relays bring it, over one of them.
  Status bring(const Forward& forward, bool with_path = true) {
    const crypto::Digest subject(ByteArray<32>{9});
    const identity::PeerId relay = relay_.id();
    const WallTime at = world_.now.wall;
    path::Hops hops;
    const std::array first{path::leaf_of(subject, {}, alice().id(), relay, at)};
    hops.push_back(path::sign_hops(alice().self(), at, first).front());
    const std::array second{path::leaf_of(subject, path::last_leaf(subject, relay, hops), relay, bob().id(), at)};
    hops.push_back(path::sign_hops(relay_, at, second).front());
    if (!with_path) hops.clear();
    Status status;
    bob().call(
        [&](auto& out) {
          status = bob().router().on_routed(world_.now, alice().id(), forward.id, forward.message,
                                            ByteView(*forward.message).subspan(1), subject, hops, out);
        },
        world_.now);
    bob().sync(world_.now);
    return status;
  }

  Status give_receipt(ByteView receipt) {
    Status status;
    alice().call(
        [&](auto& out) {
          status = alice().router().on_receipt_parcel(world_.now, bob().id(), bob().self().public_key(), receipt, out);
        },
        world_.now);
    alice().sync(world_.now);
    return status;
  }

  Station& alice() { return world_[0]; }
  Station& bob() { return world_[1]; }
  static Config with_mailboxes() {
    Config config;
    config.mailboxes = true;
    return config;
  }
  World world_{2, with_mailboxes()};
  identity::Identity relay_ = ekiden::test::make_identity(42);
};

TEST_F(RelayedTest, AMessageGoesByTheRouteAndItsReceiptTellsTheWay) {
  const MessageId id = send();
  EXPECT_TRUE(alice().forwards.empty());
  route(true);
  ASSERT_EQ(alice().forwards.size(), 1U);
  ASSERT_TRUE(bring(alice().forwards.front()));
  ASSERT_EQ(bob().arrivals.size(), 1U);
  ASSERT_EQ(bob().parcels_settled.size(), 1U);
  EXPECT_TRUE(bob().parcels_settled.front().done);
  world_.pass(kAnswerDelay);
  ASSERT_EQ(bob().receipt_forwards.size(), 1U);
  ASSERT_TRUE(give_receipt(*bob().receipt_forwards.front().receipt));
  const auto trace = alice().router().trace(id);
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->state, MessageState::delivered);
  ASSERT_EQ(trace->path.size(), 2U);
  EXPECT_EQ(identity::PeerId::of(trace->path[1].by), relay_.id());
  EXPECT_TRUE(alice().deposits.empty());
}

TEST_F(RelayedTest, AReceiptWithAPathThatIsNotProvenSettlesNothing) {
  const MessageId id = send();
  route(true);
  Receipt receipt{.by = bob().id(), .to = alice().id(), .at = world_.now.wall, .delivered = {id}};
  const std::array leaf{path::leaf_of({}, {}, alice().id(), relay_.id(), world_.now.wall)};
  receipt.paths =
      ProvenPaths{{{.item = 0, .subject = {}, .hops = path::sign_hops(alice().self(), world_.now.wall, leaf)}}};
  const auto sign = [&] { return identity::cose_sign(bob().self(), as_bytes(kReceiptPurpose), wire::encode(receipt)); };
  EXPECT_FALSE(give_receipt(sign()));
  receipt.paths->paths.front().item = 1;
  EXPECT_FALSE(give_receipt(sign()));
  EXPECT_EQ(alice().router().trace(id)->state, MessageState::in_flight);
  receipt.paths.reset();
  EXPECT_TRUE(give_receipt(sign()));
  EXPECT_EQ(alice().router().trace(id)->state, MessageState::delivered);
}

TEST_F(RelayedTest, WithoutAReceiptItGoesAgainAndToMailboxes) {
  send();
  route(true);
  ASSERT_EQ(alice().forwards.size(), 1U);
  world_.pass(alice().config().retry_min + alice().config().retry_min / 4);
  EXPECT_EQ(alice().forwards.size(), 2U);
  EXPECT_TRUE(alice().deposits.empty());
  world_.pass(alice().config().deposit_after);
  EXPECT_EQ(alice().deposits.size(), 1U);
}

TEST_F(RelayedTest, WhatNoRelayHasIsLeftWithMailboxesAtOnce) {
  const MessageId id = send();
  route(true);
  alice().call([&](auto&) { alice().router().on_returned(world_.now, id); }, world_.now);
  route(false);
  world_.pass(milliseconds(100));
  EXPECT_EQ(alice().deposits.size(), 1U);
}

TEST_F(RelayedTest, ALinkIsPreferredAndItsEndSendsTheFlightByTheRoute) {
  send();
  route(true);
  ASSERT_EQ(alice().forwards.size(), 1U);
  world_.link(0, 1);
  EXPECT_EQ(alice().forwards.size(), 1U);
  world_.unlink(0, 1);
  world_.pass(milliseconds(1));
  EXPECT_EQ(alice().forwards.size(), 2U);
}

TEST_F(RelayedTest, VolatileMessagesGoByTheRouteOnce) {
  const MessageId id = send(DeliveryClass::volatile_);
  route(true);
  ASSERT_EQ(alice().forwards.size(), 1U);
  EXPECT_EQ(alice().router().trace(id)->state, MessageState::sent);
  ASSERT_TRUE(bring(alice().forwards.front(), false));
  EXPECT_EQ(bob().arrivals.size(), 1U);
  EXPECT_FALSE(bring(alice().forwards.front(), true));
}

}  // namespace
}  // namespace ekiden::router::test
