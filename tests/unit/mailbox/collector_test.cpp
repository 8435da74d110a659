#include "mailbox/collector.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "mailbox/wire_form.hpp"

namespace ekiden::mailbox {
namespace {

identity::PeerId node(Byte number) { return identity::PeerId{{number}}; }
const identity::PeerId kSelf = node(0xaa);
const identity::PeerId kSender = node(0x51);

class CollectorTest : public ::testing::Test {
 protected:
  void start() {
    collector_.start(now_, out_);
    run();
    advance(kFirstLook);
  }

  void up(Byte number, bool offers = true) {
    collector_.on_link_up(now_, node(number), offers, out_);
    run();
  }

  void advance(Duration by) {
    const Instant end = now_.mono + by;
    while (collector_.deadline() && *collector_.deadline() <= end) {
      now_.mono = std::max(now_.mono, *collector_.deadline());
      collector_.on_deadline(now_, out_);
      run();
    }
    now_.mono = end;
  }

  static Uuid uuid(Byte number) {
    Uuid id;
    id.bytes[0] = number;
    id.bytes[6] = 0x40;
    id.bytes[8] = 0x80;
    return id;
  }

  Status receive(Byte mailbox, std::uint64_t number, Byte id, const identity::PeerId& to = kSelf) {
    const Bytes payload{1, 2, 3};
    const Bytes parcel =
        wire::encode(Parcel{.id = uuid(id), .from = kSender, .to = to, .expires = {}, .payload = payload});
    const auto buffer = std::make_shared<const Bytes>(wire::encode(Delivery{.number = number, .parcel = parcel}));
    const Status status = collector_.on_parcel(node(mailbox), buffer, *buffer, out_);
    run();
    return status;
  }

  void run() {
    for (Effect& effect : out_.take()) {
      if (const auto* want = std::get_if<Want>(&effect)) {
        EXPECT_TRUE(want->wanted ? wanted_.insert(want->peer).second : wanted_.erase(want->peer) > 0);
      } else if (const auto* transmit = std::get_if<Transmit>(&effect)) {
        const auto type = static_cast<wire::MessageType>((*transmit->message)[0]);
        if (type == wire::MessageType::collect) ++collects_[transmit->to];
        if (type == wire::MessageType::collected) {
          const auto collected = wire::decode<Collected>(ByteView(*transmit->message).subspan(1));
          for (const std::uint64_t number : collected->numbers) confirmed_[transmit->to].push_back(number);
        }
      } else if (std::get_if<FindMailboxes>(&effect)) {
        ++looks_;
        collector_.on_mailboxes(now_, near_, out_);
        return run();
      } else if (const auto* persist = std::get_if<Persist>(&effect)) {
        row_ = persist->batch.operations().back().value;
      } else if (std::get_if<OwnChanged>(&effect)) {
        ++announced_;
      } else if (std::get_if<Arrived>(&effect)) {
        ++arrived_;
      }
    }
    collector_.check_invariants();
  }

  Config config_;
  Now now_{Instant(seconds(100)), WallTime(milliseconds(1'767'225'600'000))};
  Effects out_{};
  Collector collector_{kSelf, config_};
  std::vector<identity::PeerId> near_{};
  std::set<identity::PeerId> wanted_{};
  std::map<identity::PeerId, int> collects_{};
  std::map<identity::PeerId, std::vector<std::uint64_t>> confirmed_{};
  Bytes row_{};
  int looks_ = 0;
  int announced_ = 0;
  int arrived_ = 0;
};

TEST_F(CollectorTest, ChoosesTheFirstThreeThatAreThereAndOffer) {
  for (Byte i = 1; i <= 6; ++i) near_.push_back(node(i));
  start();
  EXPECT_EQ(wanted_.size(), 4U) << "nobody has left anything yet: one more than are needed";
  up(1, /*offers=*/false);
  for (const Byte i : ByteArray<2>{4, 2}) up(i);
  advance(config_.look_min);
  EXPECT_EQ(wanted_.size(), 6U) << "the others, for there are too few";
  for (const Byte i : ByteArray<2>{6, 5}) up(i);
  EXPECT_EQ(collector_.own(), (std::vector{node(4), node(2), node(6)}));
  EXPECT_EQ(collects_[node(5)], 1) << "asked though it is not chosen";
  EXPECT_EQ(collects_[node(1)], 0);
  advance(kAnnounceDelay);
  EXPECT_EQ(announced_, 2);
  advance(config_.visit + config_.look_min);
  EXPECT_EQ(wanted_, (std::set{node(2), node(4), node(6)}));
  EXPECT_EQ(looks_, 2) << "there are enough";
}

TEST_F(CollectorTest, RemembersItsMailboxesOverARestartAndVisitsAllThatAreNear) {
  near_ = {node(1), node(2), node(3)};
  start();
  for (Byte i = 1; i <= 3; ++i) up(i);
  Collector again(kSelf, config_);
  ASSERT_TRUE(again.load_row(row_));
  Effects out;
  again.start(now_, out);
  EXPECT_EQ(again.own().size(), 3U);
  const auto count_wants = [&] {
    const auto effects = out.take();
    return std::ranges::count_if(effects, [](const Effect& e) { return std::holds_alternative<Want>(e); });
  };
  EXPECT_EQ(count_wants(), 3);
  for (Byte i = 4; i <= 20; ++i) near_.push_back(node(i));
  again.on_mailboxes(now_, near_, out);
  EXPECT_EQ(static_cast<std::size_t>(count_wants()), config_.max_visits);
  EXPECT_FALSE(again.load_row(Bytes{0xff}));
}

TEST_F(CollectorTest, ReplacesAMailboxThatIsGoneAndStillAsksItLater) {
  near_ = {node(1), node(2), node(3)};
  start();
  for (Byte i = 1; i <= 3; ++i) up(i);
  collector_.on_link_down(now_, node(2));
  near_ = {node(1), node(2), node(3), node(4)};
  advance(config_.replace_after - seconds(1));
  EXPECT_EQ(collector_.own().size(), 3U);
  advance(seconds(2));
  up(4);
  EXPECT_EQ(collector_.own(), (std::vector{node(1), node(3), node(4)}));
  const auto row = wire::decode<OwnRow>(row_);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->former, std::vector{node(2)});
  up(2);
  EXPECT_EQ(collects_[node(2)], 2);
}

TEST_F(CollectorTest, WhatTheOwnerHasPinnedStays) {
  config_.pinned = {node(9)};
  start();
  EXPECT_EQ(collector_.own(), std::vector{node(9)});
  advance(config_.replace_after * 2);
  EXPECT_EQ(collector_.own(), std::vector{node(9)});
}

TEST_F(CollectorTest, ConfirmsAllCopiesOnceTheMessageIsSettled) {
  start();
  for (Byte i = 1; i <= 3; ++i) {
    up(i);
    ASSERT_TRUE(receive(i, 40 + i, 7));
  }
  EXPECT_EQ(arrived_, 3);
  advance(seconds(1));
  EXPECT_TRUE(confirmed_.empty());
  collector_.settled(now_, kSender, uuid(7), true);
  advance(kConfirmDelay);
  EXPECT_EQ(confirmed_.size(), 3U);
  EXPECT_EQ(confirmed_[node(2)], std::vector<std::uint64_t>{42});
}

TEST_F(CollectorTest, WhatCouldNotBeKeptIsNotConfirmed) {
  start();
  up(1);
  ASSERT_TRUE(receive(1, 41, 7));
  collector_.settled(now_, kSender, uuid(7), false);
  advance(seconds(1));
  EXPECT_TRUE(confirmed_.empty());
  ASSERT_TRUE(receive(1, 41, 7));
  EXPECT_EQ(arrived_, 2);
}

TEST_F(CollectorTest, ParcelsForOthersAreRefused) {
  EXPECT_FALSE(receive(1, 41, 7, node(3)));
  EXPECT_EQ(arrived_, 0);
}

TEST_F(CollectorTest, HoldsNoMoreOpenThanItsBound) {
  config_.max_open = 3;
  up(1);
  for (Byte i = 0; i < 9; ++i) ASSERT_TRUE(receive(1, i, i));
  EXPECT_EQ(arrived_, 3);
}

TEST_F(CollectorTest, CanBeOff) {
  config_.collect = false;
  near_ = {node(1)};
  start();
  up(1);
  EXPECT_TRUE(wanted_.empty() && collects_.empty() && looks_ == 0);
}

}  // namespace
}  // namespace ekiden::mailbox
