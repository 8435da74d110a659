// The engine alone, its transport played by hand: who gets into the table, who may store, what is believed, what is
// written.
#include "dht/dht.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "dht/rows.hpp"
#include "store/memory_store.hpp"
#include "testing.hpp"

namespace ekiden::dht {
namespace {

class DhtTest : public ::testing::Test {
 protected:
  DhtTest() { make({}); }

  void make(Config config) {
    config_ = config;
    dht_ = std::make_unique<Dht>(self_.id(), config_, Rng(seed_of(3)));
    dht_->start(now(), out_);
  }

  Now now() const { return at(time_); }
  std::vector<Dht::Effect> effects() { return out_.take(); }
  std::vector<Ask> asks() {
    auto all = effects();
    return take<Ask>(all);
  }

  static identity::NodeInfo info_of(const identity::Identity& identity, std::size_t address) {
    return {.public_key = identity.public_key(), .at = test_address(address)};
  }

  void answer(QueryId id, const Reply& reply = {}) { dht_->on_answer(now(), id, wire::encode(reply), out_); }

  /// Brings a node into the table in the regular way.
  void admit(const identity::NodeInfo& node) {
    dht_->on_candidate(now(), node, out_);
    for (const Ask& ask : asks()) {
      if (ask.to == node) answer(ask.id);
    }
    dht_->on_confirmed(now(), node, out_);
    silence();
  }

  /// Whatever is under way fails.
  void silence() {
    for (auto waiting = asks(); !waiting.empty(); waiting = asks()) {
      for (const Ask& ask : waiting) {
        const bool is_known =
            std::ranges::any_of(dht_->closest(self_.id(), 1000), [&](const auto& one) { return one == ask.to; });
        if (is_known) {
          answer(ask.id);
        } else {
          dht_->on_failed(now(), ask.id, {Errc::timed_out, "no answer"}, out_);
        }
      }
    }
  }

  Outcome ask_to_store(const identity::NodeInfo& from, bool proven, ValueKind kind, const Key& key,
                       const Bytes& value) {
    static_cast<void>(effects());
    dht_->on_query(
        now(), QueryToken{1}, from, proven,
        wire::encode(Query{.kind = QueryKind::store, .target = key, .value_kind = kind, .value = ByteView(value)}),
        out_);
    auto all = effects();
    const auto answers = take<Answer>(all);
    EXPECT_EQ(answers.size(), 1U);
    return answers.empty() ? Outcome::malformed : decode_reply(answers[0].body)->outcome;
  }

  std::size_t nodes() const { return dht_->status().nodes; }

  identity::Identity self_ = test_identity(1);
  Config config_;
  std::unique_ptr<Dht> dht_;
  Outbox<Dht::Effect> out_;
  Duration time_{};
};

TEST_F(DhtTest, ACandidateIsPingedAndEntersOnlyWhenItHasAnsweredAndIsConfirmed) {
  dht_->on_candidate(now(), fake_node(1), out_);
  const auto pings = asks();
  ASSERT_EQ(pings.size(), 1U);
  EXPECT_EQ(decode_query(pings[0].body)->kind, QueryKind::ping);
  EXPECT_TRUE(pings[0].first_flight_allowed);
  answer(pings[0].id);
  EXPECT_EQ(nodes(), 0U);
  dht_->on_confirmed(now(), fake_node(1), out_);
  EXPECT_EQ(nodes(), 1U);
}

TEST_F(DhtTest, WhoOnlyContactsUsIsPingedFirstAndOnce) {
  for (int i = 0; i < 5; ++i) dht_->on_confirmed(now(), fake_node(1), out_);
  const auto pings = asks();
  ASSERT_EQ(pings.size(), 1U);
  EXPECT_EQ(nodes(), 0U);
  dht_->on_failed(now(), pings[0].id, {Errc::timed_out, "no answer"}, out_);
  for (int i = 0; i < 5; ++i) dht_->on_confirmed(now(), fake_node(1), out_);
  EXPECT_TRUE(asks().empty()) << "who never answers is not pinged for each packet";
  time_ += config_.fresh_for + seconds(1);
  dht_->on_confirmed(now(), fake_node(1), out_);
  const auto again = asks();
  ASSERT_EQ(again.size(), 1U);
  answer(again[0].id);
  EXPECT_EQ(nodes(), 1U);
}

TEST_F(DhtTest, AnAnswerAtOneAddressDoesNotConfirmAnother) {
  dht_->on_candidate(now(), fake_node(1), out_);
  answer(asks()[0].id);
  identity::NodeInfo elsewhere = fake_node(1);
  elsewhere.at = test_address(77);
  dht_->on_confirmed(now(), elsewhere, out_);
  EXPECT_EQ(nodes(), 0U);
}

TEST_F(DhtTest, PingsAreBounded) {
  for (std::size_t i = 0; i < 1000; ++i) dht_->on_candidate(now(), fake_node(i), out_);
  EXPECT_EQ(asks().size(), config_.max_probes);
  EXPECT_EQ(dht_->status().candidates, config_.max_candidates);
}

TEST_F(DhtTest, AFirstFlightIsAnsweredAndChangesNothing) {
  admit(fake_node(1));
  const auto reader = fake_node(2);
  dht_->on_query(now(), QueryToken{5}, reader, /*proven=*/false,
                 wire::encode(Query{.kind = QueryKind::find_node, .target = Key{}}), out_);
  auto all = effects();
  EXPECT_EQ(all.size(), 1U);
  const auto answers = take<Answer>(all);
  ASSERT_EQ(answers.size(), 1U);
  const auto reply = decode_reply(answers[0].body);
  ASSERT_EQ(count_nodes(*reply), 1U);
  EXPECT_EQ(node_at(*reply, 0), fake_node(1));
  const auto owner = test_identity(9);
  EXPECT_EQ(ask_to_store(reader, false, ValueKind::record, Key::of(owner.id()), record_of(owner, 1, now().wall)),
            Outcome::unproven);
  EXPECT_EQ(dht_->status().values, 0U);
}

TEST_F(DhtTest, KeepsWhatProvenSendersStoreAndTellsIt) {
  const auto owner = test_identity(9);
  const Key key = Key::of(owner.id());
  const Bytes record = record_of(owner, 1, now().wall);
  EXPECT_EQ(ask_to_store(fake_node(2), true, ValueKind::record, key, record), Outcome::done);
  EXPECT_EQ(ask_to_store(fake_node(3), true, ValueKind::record, key, record_of(owner, 0, now().wall)), Outcome::stale);
  dht_->on_query(now(), QueryToken{6}, fake_node(4), false,
                 wire::encode(Query{.kind = QueryKind::find_value, .target = key, .value_kind = ValueKind::record}),
                 out_);
  auto all = effects();
  const auto reply_bytes = take<Answer>(all).at(0).body;
  const auto reply = decode_reply(reply_bytes);
  ASSERT_EQ(reply->values.size(), 1U);
  EXPECT_EQ(to_bytes(reply->values[0]), record);
}

TEST_F(DhtTest, AForgeryCostsTheSenderItsPlace) {
  admit(fake_node(2));
  ASSERT_EQ(nodes(), 1U);
  const auto owner = test_identity(9);
  Bytes forged = record_of(owner, 1, now().wall);
  forged.back() ^= 1;
  EXPECT_EQ(ask_to_store(fake_node(2), true, ValueKind::record, Key::of(owner.id()), forged), Outcome::invalid);
  EXPECT_EQ(nodes(), 0U);
  dht_->on_query(now(), QueryToken{8}, fake_node(2), true, wire::encode(Query{}), out_);
  EXPECT_TRUE(effects().empty()) << "no answer while it is banned";
  time_ += config_.ban_time;
  dht_->on_query(now(), QueryToken{9}, fake_node(2), true, wire::encode(Query{}), out_);
  EXPECT_FALSE(effects().empty());
}

TEST_F(DhtTest, StoresAreLimitedBySenderAndByNetwork) {
  config_.max_stores_per_sender = 5;
  config_.max_stores_per_prefix = 8;
  make(config_);
  const auto owner = test_identity(9);
  const Bytes record = record_of(owner, 1, now().wall);
  const auto store = [&](std::size_t who) {
    identity::NodeInfo sender = fake_node(who);
    sender.at = test_address(1, static_cast<Byte>(who));
    return ask_to_store(sender, true, ValueKind::record, Key::of(owner.id()), record);
  };
  for (int i = 0; i < 5; ++i) EXPECT_EQ(store(2), Outcome::done);
  EXPECT_EQ(store(2), Outcome::too_many);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(store(3), Outcome::done);
  EXPECT_EQ(store(4), Outcome::too_many) << "another identity in the same network";
  time_ += minutes(1);
  EXPECT_EQ(store(2), Outcome::done);
}

TEST_F(DhtTest, RefusesKeysThatManyKnownNodesAreCloserTo) {
  for (std::size_t i = 0; i < 400; ++i) admit(fake_node(i));
  ASSERT_GT(nodes(), 60U);
  std::size_t refused_far = 0;
  std::size_t taken_near = 0;
  for (std::uint64_t who = 100; who < 200; ++who) {
    const auto owner = test_identity(who);
    const auto outcome = ask_to_store(fake_node(900 + who), true, ValueKind::record, Key::of(owner.id()),
                                      record_of(owner, 1, now().wall));
    const std::size_t shared = common_prefix(owner.id().bytes, self_.id().bytes);
    refused_far += shared == 0 && outcome == Outcome::not_close ? 1 : 0;
    taken_near += shared >= 4 && outcome == Outcome::done ? 1 : 0;
    if (shared >= 4) {
      EXPECT_EQ(outcome, Outcome::done);
    }
  }
  EXPECT_GT(refused_far, 30U);
  EXPECT_GT(taken_near, 0U);
}

TEST_F(DhtTest, NeverAsksAddressesThatOthersMayNotName) {
  admit(fake_node(1));
  dht_->find_peer(now(), LookupId{1}, fake_node(500).id(), out_);
  auto first = asks();
  ASSERT_EQ(first.size(), 1U);
  NodePacker packer;
  for (const char* address : {"127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.169.254", "224.0.0.1", "0.0.0.0"}) {
    identity::NodeInfo trap = fake_node(600);
    trap.at.ip = *identity::IpAddress::parse(address);
    packer.add(trap);
  }
  identity::NodeInfo mapped = fake_node(601);
  mapped.at.ip = *identity::IpAddress::parse("::ffff:10.0.0.1");
  packer.add(mapped);
  identity::NodeInfo no_port = fake_node(602);
  no_port.at.port = 0;
  packer.add(no_port);
  packer.add({.public_key = self_.public_key(), .at = test_address(3)});
  packer.add(fake_node(603));
  answer(first[0].id, {.nodes4 = packer.nodes4(), .nodes6 = packer.nodes6()});
  const auto second = asks();
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].to, fake_node(603));
}

TEST_F(DhtTest, DoesNotTellStrangersOfItsLocalNetwork) {
  identity::NodeInfo local = fake_node(1);
  local.at.ip = *identity::IpAddress::parse("192.168.1.7");
  admit(local);
  admit(fake_node(2));
  ASSERT_EQ(nodes(), 2U);
  const auto told_to = [&](const identity::NodeInfo& reader) {
    static_cast<void>(effects());
    dht_->on_query(now(), QueryToken{5}, reader, false,
                   wire::encode(Query{.kind = QueryKind::find_node, .target = Key{}}), out_);
    auto all = effects();
    const Bytes body = take<Answer>(all).at(0).body;
    return count_nodes(*decode_reply(body));
  };
  EXPECT_EQ(told_to(fake_node(3)), 1U);
  identity::NodeInfo neighbour = fake_node(4);
  neighbour.at.ip = *identity::IpAddress::parse("192.168.1.8");
  EXPECT_EQ(told_to(neighbour), 2U);
}

TEST_F(DhtTest, ASearchWithoutNodesSaysSo) {
  dht_->find_peer(now(), LookupId{1}, fake_node(5).id(), out_);
  auto all = effects();
  const auto done = take<LookupDone>(all);
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].status.error().code, Errc::unreachable);
}

TEST_F(DhtTest, OneNodeWithAnOldRecordDecidesNothing) {
  std::vector<identity::Identity> others;
  for (std::uint64_t i = 0; i < 12; ++i) {
    others.push_back(test_identity(50 + i));
    admit(info_of(others.back(), i));
  }
  const auto owner = test_identity(99);
  const Bytes old_record = record_of(owner, 1, now().wall);
  const Bytes new_record = record_of(owner, 2, now().wall);
  dht_->find_peer(now(), LookupId{1}, owner.id(), out_);
  std::vector<LookupDone> done;
  std::size_t asked = 0;
  std::set<std::size_t> repaired;
  for (auto all = effects(); !all.empty(); all = effects()) {
    for (auto& one : take<LookupDone>(all)) done.push_back(std::move(one));
    for (const Ask& ask : take<Ask>(all)) {
      const auto query = decode_query(ask.body);
      if (query->kind == QueryKind::store) {
        EXPECT_FALSE(ask.first_flight_allowed);
        EXPECT_EQ(to_bytes(*query->value), new_record);
        continue;
      }
      const Bytes& told = asked++ == 4 ? new_record : old_record;
      answer(ask.id, {.values = {ByteView(told)}});
    }
  }
  ASSERT_EQ(done.size(), 1U);
  ASSERT_TRUE(done[0].record);
  EXPECT_EQ(done[0].record->record.sequence, 2U);
  EXPECT_GE(asked, config_.quorum);
}

TEST_F(DhtTest, RepairsCloseNodesThatKeepAnOldRecord) {
  for (std::uint64_t i = 0; i < 12; ++i) admit(fake_node(i));
  const auto owner = test_identity(99);
  const Bytes old_record = record_of(owner, 1, now().wall);
  const Bytes new_record = record_of(owner, 2, now().wall);
  dht_->find_peer(now(), LookupId{1}, owner.id(), out_);
  std::size_t asked = 0;
  std::size_t stores = 0;
  for (auto all = effects(); !all.empty(); all = effects()) {
    for (const Ask& ask : take<Ask>(all)) {
      if (decode_query(ask.body)->kind == QueryKind::store) {
        ++stores;
      } else {
        answer(ask.id, {.values = {ByteView(asked++ % 2 == 0 ? new_record : old_record)}});
      }
    }
  }
  EXPECT_EQ(stores, config_.max_repairs);
}

TEST_F(DhtTest, LookupsAreBoundedAndTheirIdsUnique) {
  config_.max_lookups = 3;
  make(config_);
  admit(fake_node(1));
  for (std::uint64_t i = 0; i < 3; ++i) dht_->find_peer(now(), LookupId{i}, fake_node(900).id(), out_);
  dht_->find_peer(now(), LookupId{9}, fake_node(900).id(), out_);
  dht_->find_peer(now(), LookupId{1}, fake_node(900).id(), out_);
  auto all = effects();
  const auto done = take<LookupDone>(all);
  ASSERT_EQ(done.size(), 2U);
  EXPECT_EQ(done[0].status.error().code, Errc::limit_exceeded);
  EXPECT_EQ(done[1].status.error().code, Errc::already_exists);
  dht_->find_capability(now(), LookupId{10}, "Not a name", 5, out_);
  auto refused = effects();
  EXPECT_EQ(take<LookupDone>(refused).at(0).status.error().code, Errc::invalid_argument);
}

TEST_F(DhtTest, WhatTheTransportForgetsEndsByItself) {
  admit(fake_node(1));
  dht_->find_peer(now(), LookupId{1}, fake_node(900).id(), out_);
  std::vector<LookupDone> done;
  for (int i = 0; i < 200 && done.empty(); ++i) {
    time_ = *dht_->deadline() - at(Duration{}).mono;
    dht_->on_deadline(now(), out_);
    auto all = effects();
    done = take<LookupDone>(all);
    dht_->check_invariants();
  }
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].status.error().code, Errc::unreachable);
}

TEST_F(DhtTest, PublishesOnlyItsOwnValidValues) {
  const auto other = test_identity(2);
  EXPECT_EQ(dht_->publish(now(), record_of(other, 1, now().wall), out_).error().code, Errc::invalid_argument);
  EXPECT_EQ(dht_->publish(now(), Bytes{1, 2, 3}, out_).error().code, Errc::invalid_argument);
  EXPECT_EQ(dht_->announce(now(), announcement_of(other, "mail", 1, now().wall), out_).error().code,
            Errc::invalid_argument);
  EXPECT_EQ(dht_->withdraw(now(), record_of(self_, 2, now().wall), out_).error().code, Errc::not_found);
  EXPECT_EQ(dht_->unannounce(now(), announcement_of(self_, "mail", 2, now().wall), out_).error().code, Errc::not_found);
  ASSERT_TRUE(dht_->publish(now(), record_of(self_, 3, now().wall), out_));
  EXPECT_EQ(dht_->withdraw(now(), record_of(self_, 3, now().wall, seconds(1)), out_).error().code,
            Errc::invalid_argument)
      << "not newer";
}

TEST_F(DhtTest, OurOwnRecordIsToldToWhoAsksUs) {
  const Bytes record = record_of(self_, 3, now().wall);
  ASSERT_TRUE(dht_->publish(now(), record, out_));
  static_cast<void>(effects());
  dht_->on_query(now(), QueryToken{6}, fake_node(4), false,
                 wire::encode(Query{
                     .kind = QueryKind::find_value, .target = Key::of(self_.id()), .value_kind = ValueKind::record}),
                 out_);
  auto all = effects();
  const Bytes body = take<Answer>(all).at(0).body;
  ASSERT_EQ(decode_reply(body)->values.size(), 1U);
  EXPECT_EQ(to_bytes(decode_reply(body)->values[0]), record);
}

TEST_F(DhtTest, WithdrawingOneOfTwoCapabilitiesAsksToSignTheOtherAgain) {
  ASSERT_TRUE(dht_->announce(now(), announcement_of(self_, "translate/ja-en", 1, now().wall), out_));
  ASSERT_TRUE(dht_->announce(now(), announcement_of(self_, "translate/fr-en", 2, now().wall), out_));
  EXPECT_EQ(dht_->status().own_values, 3U);
  static_cast<void>(effects());
  ASSERT_TRUE(dht_->unannounce(now(), announcement_of(self_, "translate/fr-en", 3, now().wall, seconds(1)), out_));
  auto all = effects();
  const auto again = take<SignAgain>(all);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].capability, "translate/ja-en");
  EXPECT_EQ(dht_->status().own_values, 2U);
  ASSERT_TRUE(dht_->announce(now(), announcement_of(self_, "translate/ja-en", 4, now().wall), out_));
  EXPECT_EQ(dht_->status().own_values, 2U);
}

TEST_F(DhtTest, RemembersItsNodesAndWritesOnlyWhatChanges) {
  store::MemoryStore disk;
  for (std::size_t i = 0; i < 30; ++i) admit(fake_node(i));
  dht_->flush(now(), out_);
  auto all = effects();
  for (auto& write : take<Write>(all)) disk.apply(write.batch);
  EXPECT_EQ(disk.size(), nodes());
  dht_->flush(now(), out_);
  auto nothing = effects();
  EXPECT_TRUE(take<Write>(nothing).empty());

  Dht again(self_.id(), config_, Rng(seed_of(4)));
  ASSERT_TRUE(again.load(disk.rows()));
  Outbox<Dht::Effect> out;
  again.start(now(), out);
  auto started = out.take();
  EXPECT_EQ(take<Ask>(started).size(), config_.max_probes);
  EXPECT_EQ(again.status().nodes, 0U) << "what was on the disk is pinged first";
  again.flush(now(), out);
  EXPECT_TRUE(out.empty()) << "an empty table erases nothing";
}

TEST_F(DhtTest, DamagedRowsAreReported) {
  Dht again(self_.id(), config_, Rng(seed_of(4)));
  const store::Key key{.table = store::Table::nodes, .number = 0, .name = Bytes(32, 1)};
  EXPECT_EQ(again.load({{.key = key, .value = Bytes{1}}}).error().code, Errc::storage_corrupt);
  const NodeRow row{.public_key = fake_node(1).public_key, .is_v4 = true, .address = {}, .port = 1};
  EXPECT_EQ(again.load({{.key = key, .value = wire::encode(row)}}).error().code, Errc::storage_corrupt);
}

}  // namespace
}  // namespace ekiden::dht
