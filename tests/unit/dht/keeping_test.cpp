// What the engine keeps for others, stored and asked for as others do it, by queries.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "dht/dht.hpp"
#include "testing.hpp"

namespace ekiden::dht {
namespace {

class KeepingTest : public ::testing::Test {
 protected:
  KeepingTest() { dht_.start(now(), out_); }

  Now now() const {
    Now now = at(time_);
    now.wall += set_;
    return now;
  }

  Reply ask(const identity::NodeInfo& from, const Query& query) {
    static_cast<void>(out_.take());
    dht_.on_query(now(), QueryToken{1}, from, /*proven=*/true, wire::encode(query), out_);
    dht_.check_invariants();
    auto all = out_.take();
    auto answers = take<Answer>(all);
    EXPECT_EQ(answers.size(), 1U);
    body_ = std::move(answers.at(0).body);
    return decode_reply(body_).value();
  }

  Outcome store(ValueKind kind, const Key& key, const Bytes& value, std::size_t network = 2, Byte host = 1) {
    identity::NodeInfo from = fake_node(next_sender_++);
    from.at = test_address(network, host);
    return ask(from, {.kind = QueryKind::store, .target = key, .value_kind = kind, .value = ByteView(value)}).outcome;
  }

  std::vector<Bytes> told(ValueKind kind, const Key& key) {
    const Reply reply = ask(fake_node(1), {.kind = QueryKind::find_value, .target = key, .value_kind = kind});
    std::vector<Bytes> values;
    for (const ByteView value : reply.values) values.push_back(to_bytes(value));
    return values;
  }

  Outcome announce(std::uint64_t owner, std::size_t network, std::uint64_t sequence = 1) {
    return store(ValueKind::announcement, key_, announcement_of(test_identity(owner), "mail", sequence, now().wall),
                 network);
  }

  std::vector<identity::PeerId> told_owners() {
    std::vector<identity::PeerId> owners;
    for (const Bytes& value : told(ValueKind::announcement, key_)) {
      auto known = verified_.find(value);
      if (known == verified_.end()) {
        known = verified_.emplace(value, identity::verify_announcement(value, now().wall)->owner()).first;
      }
      owners.push_back(known->second);
    }
    return owners;
  }

  /// A reply has some of them, by lot: after so many none is missing.
  std::set<identity::PeerId> owners() {
    std::set<identity::PeerId> found;
    for (int i = 0; i < 3000; ++i) {
      for (const identity::PeerId& owner : told_owners()) found.insert(owner);
    }
    return found;
  }

  std::size_t count_of(const std::set<identity::PeerId>& found, std::uint64_t first, std::uint64_t last) {
    std::size_t count = 0;
    for (std::uint64_t owner = first; owner <= last; ++owner) count += found.count(test_identity(owner).id());
    return count;
  }

  Config config_;
  identity::Identity self_ = test_identity(1);
  Dht dht_{self_.id(), config_, Rng(seed_of(3))};
  Outbox<Dht::Effect> out_;
  Bytes body_;
  Duration time_{};
  milliseconds set_{};  ///< of the wall clock
  std::size_t next_sender_ = 100;
  const Key key_ = capability_key("mail");
  std::map<Bytes, identity::PeerId> verified_;
};

TEST_F(KeepingTest, WhatIsOverIsNotToldThoughNothingHasSweptItAway) {
  const auto owner = test_identity(9);
  const Key key = Key::of(owner.id());
  ASSERT_EQ(store(ValueKind::record, key, record_of(owner, 1, now().wall, seconds(30))), Outcome::done);
  ASSERT_EQ(store(ValueKind::announcement, key_, announcement_of(owner, "mail", 1, now().wall, seconds(30))),
            Outcome::done);
  ASSERT_TRUE(dht_.publish(now(), record_of(self_, 3, now().wall, seconds(30)), out_));
  ASSERT_TRUE(dht_.announce(now(), announcement_of(self_, "files", 4, now().wall, seconds(30)), out_));
  const auto told_now = [&] {
    return std::vector<std::size_t>{told(ValueKind::record, key).size(), told(ValueKind::announcement, key_).size(),
                                    told(ValueKind::record, Key::of(self_.id())).size(),
                                    told(ValueKind::announcement, capability_key("files")).size()};
  };
  time_ = seconds(30) - milliseconds(1);
  EXPECT_EQ(told_now(), (std::vector<std::size_t>{1, 1, 1, 1}));
  time_ = seconds(30);
  EXPECT_EQ(told_now(), (std::vector<std::size_t>{0, 0, 0, 0}));
  EXPECT_GT(dht_.status().value_bytes, 0U) << "nothing was swept";
}

/// A clock that is set back must not bring it back either, nor does it take room.
TEST_F(KeepingTest, OfWhatWasWithdrawnNothingIsLeftButItsNumber) {
  time_ = hours(1);
  const auto owner = test_identity(9);
  const Key key = Key::of(owner.id());
  const Bytes record = record_of(owner, 1, now().wall - hours(1));
  const Bytes announcement = announcement_of(owner, "mail", 2, now().wall - hours(1));
  ASSERT_EQ(store(ValueKind::record, key, record), Outcome::done);
  ASSERT_EQ(store(ValueKind::announcement, key_, announcement), Outcome::done);
  const WallTime then = now().wall - seconds(1);
  ASSERT_EQ(store(ValueKind::record, key, record_of(owner, 3, then, seconds(1))), Outcome::done);
  ASSERT_EQ(store(ValueKind::announcement, key_, announcement_of(owner, "mail", 4, then, seconds(1))), Outcome::done);
  EXPECT_EQ(dht_.status().values, 2U);
  EXPECT_EQ(dht_.status().value_bytes, 0U);
  for (const milliseconds set : {milliseconds(0), -milliseconds(minutes(30)), milliseconds(minutes(30))}) {
    set_ = set;
    EXPECT_TRUE(told(ValueKind::record, key).empty());
    EXPECT_TRUE(told(ValueKind::announcement, key_).empty());
  }
  set_ = {};
  EXPECT_EQ(store(ValueKind::record, key, record), Outcome::stale) << "a replay";
  EXPECT_EQ(store(ValueKind::announcement, key_, announcement), Outcome::stale);
}

TEST_F(KeepingTest, TheNextOwnerOfAnotherNetworkTakesThePlaceOfOneOfTheFirst) {
  const auto most = config_.max_owners_per_key;
  for (std::uint64_t owner = 1; owner <= most; ++owner) ASSERT_EQ(announce(100 + owner, 7), Outcome::done);
  ASSERT_EQ(owners().size(), most);
  EXPECT_EQ(announce(200, 8), Outcome::done);
  const auto found = owners();
  EXPECT_EQ(found.size(), most);
  EXPECT_TRUE(found.contains(test_identity(200).id()));
  EXPECT_EQ(count_of(found, 101, 100 + most), most - 1);
  EXPECT_EQ(dht_.status().values, most);
}

TEST_F(KeepingTest, OneNetworkWithManyOwnersDisplacesItselfAndNobodyElse) {
  for (std::uint64_t owner = 1; owner <= 32; ++owner) {
    ASSERT_EQ(announce(100 + owner, 10 + owner), Outcome::done);
  }
  for (std::uint64_t owner = 1; owner <= 200; ++owner) {
    announce(200 + owner, 7);
    if (owner % 100 == 0) time_ += minutes(1);
  }
  const auto found = owners();
  EXPECT_EQ(found.size(), config_.max_owners_per_key);
  EXPECT_EQ(count_of(found, 101, 132), 32U) << "each is the only one of its network";
  EXPECT_EQ(count_of(found, 201, 400), config_.max_owners_per_key - 32);
}

TEST_F(KeepingTest, AFloodFromOneNetworkIsInEachAnswerOnlyWhereThereIsRoom) {
  for (std::uint64_t owner = 1; owner <= 3; ++owner) ASSERT_EQ(announce(100 + owner, 10 + owner), Outcome::done);
  for (std::uint64_t owner = 1; owner <= 61; ++owner) ASSERT_EQ(announce(200 + owner, 7), Outcome::done);
  std::set<identity::PeerId> others;
  for (int i = 0; i < 1000; ++i) {
    const auto told = told_owners();
    ASSERT_GT(told.size(), 3U);
    ASSERT_EQ(count_of({told.begin(), told.end()}, 101, 103), 3U);
    others.insert(told.begin(), told.end());
  }
  EXPECT_EQ(others.size(), 64U) << "the room is not always of the same";
}

/// Neither the first nor the last are preferred.
TEST_F(KeepingTest, OwnersOfNetworksOfTheirOwnHaveEqualChancesWheneverTheyCome) {
  for (std::uint64_t owner = 1; owner <= 192; ++owner) announce(100 + owner, 10 + owner);
  const auto found = owners();
  EXPECT_EQ(found.size(), config_.max_owners_per_key);
  for (const std::uint64_t first : {101U, 165U, 229U}) {
    const std::size_t third = count_of(found, first, first + 63);
    EXPECT_GE(third, 10U) << first;
    EXPECT_LE(third, 34U) << first;
  }
}

TEST_F(KeepingTest, AnOwnerThatIsKeptIsRenewedThoughThereIsNoRoom) {
  for (std::uint64_t owner = 1; owner <= config_.max_owners_per_key; ++owner) announce(100 + owner, 7);
  const auto before = owners();
  time_ += minutes(1);
  EXPECT_EQ(announce(150, 8, 2), Outcome::done);
  EXPECT_EQ(owners(), before);
  const Bytes newest = announcement_of(test_identity(150), "mail", 2, now().wall);
  bool was_told = false;
  for (int i = 0; i < 400 && !was_told; ++i) {
    const auto values = told(ValueKind::announcement, key_);
    was_told = std::ranges::find(values, newest) != values.end();
  }
  EXPECT_TRUE(was_told);
}

}  // namespace
}  // namespace ekiden::dht
