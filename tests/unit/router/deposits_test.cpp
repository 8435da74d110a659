// Messages to peers without a link, which go to mailboxes, and what mailboxes bring.
#include <gtest/gtest.h>

#include <algorithm>

#include "router/receipts.hpp"
#include "router/wire_form.hpp"
#include "world.hpp"

namespace ekiden::router::test {
namespace {

Config with_mailboxes() {
  Config config;
  config.mailboxes = true;
  return config;
}

Draft draft_to(const identity::PeerId& to, std::string_view text = "hello") {
  Draft draft;
  draft.to = to;
  draft.body = to_bytes(as_bytes(text));
  return draft;
}

class DepositsTest : public ::testing::Test {
 protected:
  MessageId send(std::string_view text = "hello") {
    const RequestId request = alice().submit(world_.now, draft_to(bob().id(), text));
    alice().sync(world_.now);
    return alice().answer(request);
  }

  void advance(Duration by) { world_.pass(by); }

  /// As a mailbox brings it.
  Status bring(const Deposit& deposit) {
    const auto buffer = deposit.message;
    Status status;
    bob().call(
        [&](auto& out) {
          status =
              bob().router().on_parcel(world_.now, alice().id(), deposit.id, buffer, ByteView(*buffer).subspan(1), out);
        },
        world_.now);
    return status;
  }

  Status take_receipt(const Bytes& receipt) {
    Status status;
    alice().call(
        [&](auto& out) {
          status = alice().router().on_receipt_parcel(world_.now, bob().id(), bob().self().public_key(), receipt, out);
        },
        world_.now);
    return status;
  }

  static Uuid numbered(std::size_t i) {
    Uuid id;
    id.bytes = {static_cast<Byte>(i), static_cast<Byte>(i >> 8), 1, 1, 1, 1, 0x40, 1, 0x80};
    return id;
  }

  void store(const MessageId& id, Byte mailbox) {
    const StoredAt stored{.by = identity::PeerId{{mailbox}}, .until = world_.now.wall + milliseconds(days(7))};
    alice().call([&](auto& out) { alice().router().on_stored(world_.now, id, stored, out); }, world_.now);
    alice().sync(world_.now);
  }

  Station& alice() { return world_[0]; }
  Station& bob() { return world_[1]; }
  World world_{2, with_mailboxes()};
};

TEST_F(DepositsTest, AMessageWaitsForALinkAndThenGoesToMailboxes) {
  send();
  advance(alice().config().deposit_after - milliseconds(1));
  EXPECT_TRUE(alice().deposits.empty());
  advance(milliseconds(1));
  ASSERT_EQ(alice().deposits.size(), 1U);
  EXPECT_EQ(alice().deposits[0].to, bob().id());
  send("another");
  EXPECT_EQ(alice().deposits.size(), 2U) << "nobody waits for who is known to be absent";
}

TEST_F(DepositsTest, WithoutMailboxesNothingIsSealedForWhoIsAbsent) {
  World plain(2);
  plain[0].submit(plain.now, draft_to(plain[1].id()));
  plain[0].sync(plain.now);
  plain.pass(minutes(1));
  EXPECT_TRUE(plain[0].deposits.empty());
  EXPECT_EQ(plain[0].seals, 0U);
}

TEST_F(DepositsTest, WhatAMailboxBringsIsDeliveredOnceAndReceiptedByMail) {
  const MessageId id = send();
  advance(seconds(3));
  const Deposit deposit = alice().deposits.at(0);
  for (int copy = 0; copy < 3; ++copy) ASSERT_TRUE(bring(deposit));
  EXPECT_TRUE(bob().parcels_settled.empty()) << "not on the disk yet";
  bob().sync(world_.now);
  ASSERT_EQ(bob().parcels_settled.size(), 1U);
  EXPECT_TRUE(bob().parcels_settled[0].done);
  EXPECT_EQ(bob().arrivals.size(), 1U);
  ASSERT_TRUE(bring(deposit));
  EXPECT_EQ(bob().parcels_settled.size(), 2U);
  EXPECT_EQ(bob().arrivals.size(), 1U);

  advance(seconds(2));
  ASSERT_EQ(bob().receipt_deposits.size(), 1U);
  const DepositReceipt& receipt = bob().receipt_deposits[0];
  EXPECT_EQ(receipt.to, alice().id());
  alice().call(
      [&](auto& out) {
        EXPECT_TRUE(alice().router().on_receipt_parcel(world_.now, bob().id(), bob().self().public_key(),
                                                       receipt.receipt, out));
      },
      world_.now);
  EXPECT_EQ(alice().router().trace(id)->state, MessageState::delivered);
}

TEST_F(DepositsTest, WhatCannotBePlacedIsSealedAnewWhenAReceiptSaysSo) {
  const MessageId id = send();
  advance(seconds(3));
  const Deposit first = alice().deposits.at(0);
  // Its key is used up, and nobody remembers for what.
  const auto envelope = wire::decode<Envelope>(ByteView(*first.message).subspan(1));
  store::Batch none;
  ASSERT_TRUE(bob().session().open(alice().id(), true, envelope->associated_data(), envelope->sealed, none));
  ASSERT_TRUE(bring(first));
  ASSERT_EQ(bob().parcels_settled.size(), 1U);
  EXPECT_TRUE(bob().parcels_settled[0].done);
  advance(seconds(2));
  ASSERT_EQ(bob().receipt_deposits.size(), 1U);
  const Bytes receipt = bob().receipt_deposits[0].receipt;
  for (int repetition = 0; repetition < 3; ++repetition) {
    EXPECT_TRUE(take_receipt(receipt));
    advance(alice().config().retry_min + seconds(1));
    alice().sync(world_.now);
    EXPECT_EQ(alice().seals, 2U) << "a repetition is older than what has been believed";
  }
  EXPECT_NE(alice().router().trace(id)->state, MessageState::delivered);

  ASSERT_EQ(alice().deposits.size(), 2U);
  ASSERT_NE(*alice().deposits[1].message, *first.message);
  ASSERT_TRUE(bring(alice().deposits[1]));
  bob().sync(world_.now);
  EXPECT_EQ(bob().arrivals.size(), 1U);
  advance(seconds(2));
  ASSERT_EQ(bob().receipt_deposits.size(), 2U);
  EXPECT_TRUE(take_receipt(bob().receipt_deposits[1].receipt));
  EXPECT_EQ(alice().router().trace(id)->state, MessageState::delivered);
}

TEST_F(DepositsTest, WhatIsMadeUpCostsNoMoreThanItsShareOfAnswers) {
  send();
  advance(seconds(3));
  const Deposit deposit = alice().deposits.at(0);
  auto envelope = wire::decode<Envelope>(ByteView(*deposit.message).subspan(1));
  for (std::size_t i = 0; i < 2 * kMaxUnopened; ++i) {
    Deposit made_up = deposit;
    made_up.id = numbered(i);
    envelope->id = made_up.id;
    made_up.message = std::make_shared<const Bytes>(link_message(wire::MessageType::envelope, *envelope, 256));
    ASSERT_TRUE(bring(made_up));
    bob().call(
        [&](auto& out) { bob().router().on_session_unknown(world_.now, alice().id(), made_up.id, numbered(i), out); },
        world_.now);
  }
  advance(seconds(2));
  EXPECT_LE(bob().receipt_deposits.size(), kMaxUnopened / kMaxLostSessions);
  EXPECT_GE(bob().receipt_deposits.size(), 1U);
}

TEST_F(DepositsTest, AReceiptGoesOverALinkIfThereIsOne) {
  send();
  advance(seconds(3));
  ASSERT_TRUE(bring(alice().deposits.at(0)));
  bob().sync(world_.now);
  world_.link(0, 1);
  advance(seconds(5));
  EXPECT_TRUE(bob().receipt_deposits.empty());
}

TEST_F(DepositsTest, IsLeftAgainAfterAWhileAsLongAsThereIsNoReceipt) {
  send();
  advance(seconds(3));
  advance(alice().config().deposit_again - seconds(1));
  EXPECT_EQ(alice().deposits.size(), 1U);
  advance(seconds(2));
  ASSERT_EQ(alice().deposits.size(), 2U);
  EXPECT_EQ(*alice().deposits[0].message, *alice().deposits[1].message) << "the same bytes, which mailboxes know";
}

TEST_F(DepositsTest, ARestartRemembersWhatMailboxesKeep) {
  const MessageId id = send();
  advance(seconds(3));
  for (const Byte mailbox : ByteArray<3>{1, 2, 3}) store(id, mailbox);
  EXPECT_EQ(alice().router().trace(id)->stored.size(), 3U);
  const auto seals = alice().seals;
  for (int i = 0; i < 4; ++i) {
    world_.crash(0, 100);
    world_.boot(0);
    advance(minutes(2));
  }
  EXPECT_EQ(alice().seals, seals) << "each would use up a key of the session";
  EXPECT_EQ(alice().router().trace(id)->stored.size(), 3U);
  advance(alice().config().deposit_again);
  EXPECT_EQ(alice().deposits.size(), 2U);
  world_.link(0, 1);
  world_.flow();
  EXPECT_EQ(alice().router().trace(id)->state, MessageState::delivered);
  EXPECT_EQ(alice().router().trace(id)->stored.size(), 3U) << "the history tells where it was";
  EXPECT_EQ(alice().rows_in(store::Table::deposits), 0U);
}

TEST_F(DepositsTest, AFullInboxLeavesTheMessageInTheMailbox) {
  Config small = with_mailboxes();
  small.max_inbox_messages = 1;
  World world(2, small);
  world[0].submit(world.now, draft_to(world[1].id(), "one"));
  world[0].submit(world.now, draft_to(world[1].id(), "two"));
  world.pass(seconds(4));
  ASSERT_EQ(world[0].deposits.size(), 2U);
  for (const Deposit& deposit : world[0].deposits) {
    world[1].call(
        [&](auto& out) {
          EXPECT_TRUE(world[1].router().on_parcel(world.now, world[0].id(), deposit.id, deposit.message,
                                                  ByteView(*deposit.message).subspan(1), out));
        },
        world.now);
    world[1].sync(world.now);
  }
  ASSERT_EQ(world[1].parcels_settled.size(), 2U);
  EXPECT_TRUE(world[1].parcels_settled[0].done);
  EXPECT_FALSE(world[1].parcels_settled[1].done);
}

TEST_F(DepositsTest, AParcelIsWhatItSaysOrWorthNothing) {
  send();
  advance(seconds(3));
  const auto buffer = alice().deposits.at(0).message;
  const MessageId id = alice().deposits.at(0).id;
  const ByteView body = ByteView(*buffer).subspan(1);
  bob().call(
      [&](auto& out) {
        Router& router = bob().router();
        EXPECT_FALSE(router.on_parcel(world_.now, identity::PeerId{{9}}, id, buffer, body, out));
        EXPECT_FALSE(router.on_parcel(world_.now, alice().id(), MessageId{}, buffer, body, out));
        EXPECT_FALSE(router.on_parcel(world_.now, alice().id(), id, buffer, body.first(body.size() - 1), out));
      },
      world_.now);
  EXPECT_TRUE(bob().parcels_settled.empty());
  EXPECT_EQ(bob().opens, 0U);
}

TEST_F(DepositsTest, AForgedReceiptOfAMailboxSettlesNothing) {
  const MessageId id = send();
  advance(seconds(3));
  ASSERT_TRUE(bring(alice().deposits.at(0)));
  bob().sync(world_.now);
  advance(seconds(2));
  Bytes receipt = bob().receipt_deposits.at(0).receipt;
  receipt[receipt.size() / 2] ^= 1;
  alice().call(
      [&](auto& out) {
        EXPECT_FALSE(
            alice().router().on_receipt_parcel(world_.now, bob().id(), bob().self().public_key(), receipt, out));
      },
      world_.now);
  EXPECT_NE(alice().router().trace(id)->state, MessageState::delivered);
}

}  // namespace
}  // namespace ekiden::router::test
