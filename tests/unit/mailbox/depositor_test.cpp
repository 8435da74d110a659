#include "mailbox/depositor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "identity/cose_sign.hpp"
#include "mailbox/statement.hpp"
#include "mailbox/wire_form.hpp"

namespace ekiden::mailbox {
namespace {

const identity::PeerId kOwner{{0xc0}};

identity::Identity mailbox_identity(std::size_t i) {
  return identity::Identity(crypto::Ed25519Seed(ByteArray<32>{static_cast<Byte>(i + 1)}));
}

class DepositorTest : public ::testing::Test {
 protected:
  DepositorTest() {
    for (std::size_t i = 0; i < 6; ++i) mailboxes_.push_back(mailbox_identity(i));
  }

  const identity::PeerId& id(std::size_t i) const { return mailboxes_[i].id(); }

  std::vector<identity::PeerId> ids(std::size_t from, std::size_t to) const {
    std::vector<identity::PeerId> all;
    for (std::size_t i = from; i < to; ++i) all.push_back(id(i));
    return all;
  }

  static Uuid uuid(Byte number) {
    Uuid id;
    id.bytes[0] = number;
    id.bytes[6] = 0x40;
    id.bytes[8] = 0x80;
    return id;
  }

  void deposit(Byte number = 1, Byte fill = 1) {
    const Bytes payload(100, fill);
    depositor_.deposit(now_, {.id = uuid(number), .from = self_, .to = kOwner, .expires = {}, .payload = payload},
                       out_);
    run();
  }

  void up(std::size_t i, bool offers = true) {
    depositor_.on_link_up(now_, id(i), mailboxes_[i].public_key(), offers, out_);
    run();
  }

  void down(std::size_t i) {
    depositor_.on_link_down(now_, id(i), out_);
    run();
  }

  void say_stored(std::size_t i, Byte number = 1) {
    const Statement statement{.by = id(i), .to = self_, .at = {}, .stored = {{uuid(number), kOwner, WallTime{}}}};
    ASSERT_TRUE(depositor_.on_stored(now_, id(i), sign_statement(mailboxes_[i], statement), out_));
    run();
  }

  void refuse(std::size_t i, Byte number = 1) {
    const NotStored refusal{
        .id = uuid(number), .owner = kOwner, .reason = RefusalReason::full, .retry_after_ms = 300'000};
    ASSERT_TRUE(depositor_.on_not_stored(now_, id(i), wire::encode(refusal), out_));
    run();
  }

  void advance(Duration by) {
    const Instant end = now_.mono + by;
    while (depositor_.deadline() && *depositor_.deadline() <= end) {
      now_.mono = std::max(now_.mono, *depositor_.deadline());
      depositor_.on_deadline(now_, out_);
      run();
    }
    now_.mono = end;
  }

  void run() {
    while (!out_.empty()) {
      for (Effect& effect : out_.take()) {
        if (const auto* want = std::get_if<Want>(&effect)) {
          EXPECT_EQ(want->wanted ? wanted_.insert(want->peer).second : wanted_.erase(want->peer) > 0, true);
        } else if (const auto* transmit = std::get_if<Transmit>(&effect)) {
          ++sent_[transmit->to];
        } else if (const auto* find = std::get_if<FindMailboxes>(&effect)) {
          looks_.push_back(find->far);
          depositor_.on_mailboxes(now_, find->owner, find->far ? far_ : near_, out_);
        } else if (std::get_if<Placed>(&effect)) {
          ++placed_;
        }
      }
    }
    depositor_.check_invariants();
  }

  const identity::PeerId self_{{0xaa}};
  Config config_;
  std::vector<identity::Identity> mailboxes_{};
  std::vector<identity::PeerId> near_{};
  std::vector<identity::PeerId> far_{};
  Now now_{Instant(seconds(100)), WallTime(milliseconds(1'767'225'600'000))};
  Effects out_{};
  Depositor depositor_{self_, config_};
  std::set<identity::PeerId> wanted_{};
  std::map<identity::PeerId, std::size_t> sent_{};
  std::vector<bool> looks_{};
  std::size_t placed_ = 0;
};

TEST_F(DepositorTest, LeavesThreeCopiesWhereTheRecordSays) {
  near_ = ids(0, 4);
  deposit();
  EXPECT_EQ(wanted_.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) up(i);
  EXPECT_EQ(sent_.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) say_stored(i);
  EXPECT_EQ(placed_, 3U);
  EXPECT_EQ(depositor_.status().parcels, 0U);
  EXPECT_TRUE(wanted_.empty());
  EXPECT_EQ(looks_, std::vector{false});
}

TEST_F(DepositorTest, LooksInTheNetworkWhenTheRecordNamesTooFew) {
  near_ = ids(0, 1);
  far_ = ids(0, 5);
  for (std::size_t i = 0; i < 5; ++i) up(i);
  deposit();
  EXPECT_EQ(looks_, (std::vector{false, true}));
  EXPECT_EQ(sent_.size(), 3U);
  EXPECT_EQ(sent_[id(0)], 1U);
}

TEST_F(DepositorTest, PassesOverThoseThatAreNotThere) {
  near_ = ids(0, 5);
  deposit();
  up(1);
  up(2);
  say_stored(1);
  say_stored(2);
  advance(config_.answer_timeout);
  EXPECT_TRUE(wanted_.contains(id(3))) << "in place of the first";
  EXPECT_FALSE(wanted_.contains(id(0)));
  up(3);
  say_stored(3);
  EXPECT_EQ(placed_, 3U);
  EXPECT_EQ(depositor_.status().parcels, 0U);
}

TEST_F(DepositorTest, PassesOverThoseThatTakeItAndSayNothing) {
  near_ = ids(0, 4);
  for (std::size_t i = 0; i < 4; ++i) up(i);
  deposit();
  say_stored(0);
  say_stored(1);
  EXPECT_EQ(sent_.count(id(3)), 0U);
  advance(config_.answer_timeout);
  EXPECT_EQ(sent_.count(id(3)), 1U);
}

TEST_F(DepositorTest, ARefusalSendsItElsewhere) {
  near_ = ids(0, 4);
  for (std::size_t i = 0; i < 4; ++i) up(i);
  deposit();
  refuse(1);
  EXPECT_EQ(sent_[id(3)], 1U);
  EXPECT_EQ(depositor_.status().refused, 1U);
  deposit(2);
  EXPECT_EQ(sent_[id(1)], 1U) << "it is not asked again before its time";
}

TEST_F(DepositorTest, WhoOffersNoMailboxIsPassedOver) {
  near_ = ids(0, 4);
  deposit();
  up(0, /*offers=*/false);
  EXPECT_TRUE(wanted_.contains(id(3)));
  EXPECT_FALSE(wanted_.contains(id(0)));
}

TEST_F(DepositorTest, TriesAgainWhenTooFewTakeIt) {
  near_ = ids(0, 2);
  deposit();
  up(0);
  say_stored(0);
  advance(minutes(2));
  EXPECT_GE(looks_.size(), 3U);
  far_ = ids(2, 5);
  for (std::size_t i = 2; i < 5; ++i) up(i);
  advance(config_.look_max);
  EXPECT_EQ(sent_.count(id(2)), 1U);
  EXPECT_EQ(sent_.count(id(3)), 1U);
}

TEST_F(DepositorTest, ALostLinkIsUsedAgain) {
  near_ = ids(0, 3);
  deposit();
  up(0);
  down(0);
  up(0);
  EXPECT_EQ(sent_[id(0)], 2U);
  say_stored(0);
  EXPECT_EQ(placed_, 1U);
}

TEST_F(DepositorTest, WhatIsForgottenIsNotSent) {
  near_ = ids(0, 3);
  deposit();
  depositor_.forget(now_, kOwner, uuid(1), out_);
  run();
  EXPECT_TRUE(wanted_.empty());
  for (std::size_t i = 0; i < 3; ++i) up(i);
  EXPECT_TRUE(sent_.empty());
  EXPECT_FALSE(depositor_.deadline().has_value());
}

TEST_F(DepositorTest, BelievesOnlyWhoWasAsked) {
  near_ = ids(0, 3);
  deposit();
  for (std::size_t i = 0; i < 4; ++i) up(i);
  say_stored(3);
  EXPECT_EQ(placed_, 0U);
  const Statement forged{.by = id(0), .to = self_, .at = {}, .stored = {{uuid(1), kOwner, WallTime{}}}};
  Bytes signed_by_another = identity::cose_sign(mailboxes_[1], as_bytes(kStatementPurpose), wire::encode(forged));
  EXPECT_FALSE(depositor_.on_stored(now_, id(0), signed_by_another, out_));
  EXPECT_EQ(placed_, 0U);
}

TEST_F(DepositorTest, AnotherPayloadStartsAfresh) {
  near_ = ids(0, 3);
  for (std::size_t i = 0; i < 3; ++i) up(i);
  deposit(1, 1);
  deposit(1, 1);
  EXPECT_EQ(sent_[id(0)], 1U);
  deposit(1, 2);
  EXPECT_EQ(sent_[id(0)], 2U);
  EXPECT_EQ(depositor_.status().parcels, 1U);
}

TEST_F(DepositorTest, OneMailboxIsNotFlooded) {
  near_ = ids(0, 3);
  for (std::size_t i = 0; i < 3; ++i) up(i);
  for (int i = 0; i < 250; ++i) deposit(static_cast<Byte>(i));
  EXPECT_LT(sent_[id(0)] * 100, kMaxUnanswered);
  for (int round = 0; round < 250; ++round) {
    for (std::size_t i = 0; i < 3; ++i) say_stored(i, static_cast<Byte>(round));
  }
  EXPECT_EQ(placed_, 750U);
  EXPECT_EQ(depositor_.status().parcels, 0U);
}

TEST_F(DepositorTest, KeepsToItsBounds) {
  config_.max_deposits = 5;
  near_ = ids(0, 3);
  for (int i = 0; i < 9; ++i) deposit(static_cast<Byte>(i));
  EXPECT_EQ(depositor_.status().parcels, 5U);
}

}  // namespace
}  // namespace ekiden::mailbox
