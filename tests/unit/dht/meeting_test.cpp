// How nodes come into the table on the way of lookups, who is pinged for what, and what a newcomer is given.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

#include "testing.hpp"

namespace ekiden::dht {
namespace {

/// The engine alone, its transport played by hand.
struct Meeting {
  explicit Meeting(const Config& cfg = {}, std::uint64_t self_seed = 1)
      : self(test_identity(self_seed)), config(cfg), dht(self.id(), config, Rng(seed_of(3))) {
    dht.start(now(), out);
  }

  Now now() const { return at(time); }
  std::vector<Ask> asks() {
    auto all = out.take();
    return take<Ask>(all);
  }
  void answer(QueryId id, const Reply& reply = {}) { dht.on_answer(now(), id, wire::encode(reply), out); }
  std::size_t nodes() const { return dht.status().nodes; }

  /// Brings nodes into the table by pings. Whatever else is asked for fails.
  void fill(std::size_t first, std::size_t count) {
    for (std::size_t i = first; i < first + count; ++i) {
      dht.on_candidate(now(), fake_node(i), out);
      dht.on_confirmed(now(), fake_node(i), out);
      for (auto waiting = asks(); !waiting.empty(); waiting = asks()) {
        for (const Ask& ask : waiting) {
          if (decode_query(ask.body)->kind == QueryKind::ping) {
            answer(ask.id);
          } else {
            dht.on_failed(now(), ask.id, {Errc::timed_out, "no answer"}, out);
          }
        }
      }
    }
  }

  /// What is asked of nodes, by kind.
  std::vector<Ask> asks_of(QueryKind kind) {
    auto all = asks();
    std::erase_if(all, [&](const Ask& ask) { return decode_query(ask.body)->kind != kind; });
    return all;
  }

  identity::Identity self;
  Config config;
  Duration time{};
  Outbox<Dht::Effect> out;
  Dht dht;
};

/// Meets somebody on the way of a lookup: he answers, and the transport confirms him with the same packet.
void meet_on_a_lookup(Meeting& meeting, std::uint64_t lookup, std::size_t somebody) {
  const identity::NodeInfo stranger = fake_node(somebody);
  meeting.dht.find_peer(meeting.now(), LookupId{lookup}, stranger.id(), meeting.out, stranger);
  for (auto waiting = meeting.asks_of(QueryKind::find_value); !waiting.empty();
       waiting = meeting.asks_of(QueryKind::find_value)) {
    for (const Ask& ask : waiting) {
      meeting.answer(ask.id);
      meeting.dht.on_confirmed(meeting.now(), ask.to, meeting.out);
      if (ask.to == stranger) return;
    }
  }
  FAIL() << "the lookup asked somebody else";
}

TEST(Meeting, WhoHasAnsweredALookupIsNotPinged) {
  Meeting meeting;
  meeting.fill(1, meeting.config.min_observers);
  meet_on_a_lookup(meeting, 1, 20);
  EXPECT_EQ(meeting.nodes(), meeting.config.min_observers + 1);
  EXPECT_TRUE(meeting.asks_of(QueryKind::ping).empty());
}

TEST(Meeting, AFewArePingedInAMinuteToTellWhereTheySeeUs) {
  Meeting meeting;
  meeting.fill(1, meeting.config.min_observers);
  meeting.time += minutes(1);
  std::size_t pinged = 0;
  for (std::size_t i = 0; i < 2 * meeting.config.min_observers; ++i) {
    meet_on_a_lookup(meeting, 1 + i, 20 + i);
    for (const Ask& ping : meeting.asks_of(QueryKind::ping)) {
      EXPECT_EQ(ping.to, fake_node(20 + i));
      meeting.answer(ping.id);
      ++pinged;
    }
  }
  EXPECT_EQ(meeting.nodes(), 3 * meeting.config.min_observers);
  EXPECT_EQ(pinged, meeting.config.min_observers);
}

/// Of the nodes in the table, himself included, he is one of the k closest to the key, and of all but him and the
/// owner we are the closest of all.
bool is_for_newcomer(const Meeting& meeting, const identity::PeerId& owner, const identity::PeerId& newcomer) {
  const Key key = Key::of(owner);
  const Distance ours = distance(key, meeting.self.id());
  const Distance his = distance(key, newcomer);
  std::size_t closer = 0;
  std::size_t before_us = 0;
  for (const identity::NodeInfo& node : meeting.dht.closest(meeting.self.id(), 1000)) {
    const Distance its = distance(key, node.id());
    if (its < his) ++closer;
    if (its < ours && node.id() != newcomer && node.id() != owner) ++before_us;
  }
  return owner != newcomer && closer < meeting.config.k && before_us == 0;
}

RC_GTEST_PROP(Meeting, ANewcomerIsGivenWhatHeShouldKeepAndNothingElse, (std::uint16_t seed)) {
  Meeting meeting({.k = 4, .max_handoff = 64, .max_stores_under_way = 64}, 1 + seed);
  meeting.fill(std::size_t{seed}, 40);
  std::vector<identity::Identity> owners;
  for (std::uint64_t i = 0; i < 30; ++i) {
    owners.push_back(test_identity(100'000 + std::uint64_t{seed} * 100 + i));
    const Bytes record = record_of(owners.back(), 1, meeting.now().wall);
    meeting.dht.on_query(meeting.now(), QueryToken{i}, fake_node(std::size_t{seed}), /*proven=*/true,
                         wire::encode(Query{.kind = QueryKind::store,
                                            .target = Key::of(owners.back().id()),
                                            .value_kind = ValueKind::record,
                                            .value = ByteView(record)}),
                         meeting.out);
    auto all = meeting.out.take();
    const auto answers = take<Answer>(all);
    if (decode_reply(answers.at(0).body)->outcome != Outcome::done) owners.pop_back();
  }
  for (std::size_t i = 0; i < 20; ++i) {
    const identity::NodeInfo newcomer = fake_node(std::size_t{seed} + 1000 + i);
    meeting.dht.on_candidate(meeting.now(), newcomer, meeting.out);
    for (const Ask& ask : meeting.asks_of(QueryKind::ping)) meeting.answer(ask.id);
    meeting.dht.on_confirmed(meeting.now(), newcomer, meeting.out);
    const auto gifts = meeting.asks_of(QueryKind::store);
    std::set<Key> given;
    for (const Ask& gift : gifts) {
      RC_ASSERT(gift.to == newcomer);
      given.insert(*decode_query(gift.body)->target);
    }
    const auto table = meeting.dht.closest(meeting.self.id(), 1000);
    const bool is_admitted = std::ranges::find(table, newcomer) != table.end();
    for (const auto& owner : owners) {
      const bool is_due = is_admitted && is_for_newcomer(meeting, owner.id(), newcomer.id());
      RC_ASSERT(given.contains(Key::of(owner.id())) == is_due);
    }
    for (const Ask& gift : gifts) meeting.answer(gift.id);
    meeting.asks();
  }
}

}  // namespace
}  // namespace ekiden::dht
