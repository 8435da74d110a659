// Two replicas that differ, what it costs to make them equal, and a neighbour that lies.
#include "registry/comparison.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <deque>

#include "registry/answers.hpp"
#include "samples.hpp"

namespace ekiden::registry {
namespace {

using test::kWall;

constexpr Instant kStart{hours(1)};

Config config_of_test() {
  Config config;
  config.max_entries_per_author = 200'000;
  config.max_bytes_per_author = 64 << 20;
  return config;
}

/// What moved between the two, and how often one had to wait for the other.
struct Cost {
  std::size_t bytes = 0;    ///< of all messages
  std::size_t entries = 0;  ///< bytes of the entries in them
  std::size_t round_trips = 0;
  std::size_t answers = 0;
};

class Two {
 public:
  const Config config = config_of_test();
  Replica ours{config, test::make_rng(1)};
  Replica theirs{config, test::make_rng(2)};

  /// Nobody looks at the signatures here.
  static void add(Replica& replica, const Entry& entry) {
    ASSERT_TRUE(replica.put(kWall, entry, unsigned_entry(entry)));
  }

  /// One comparison. A round trip is what the asker sends at once, and all answers to it; what they wanted of ours has
  /// none.
  Cost compare() {
    Cost cost;
    flow::TokenBucket bucket(flow::Rate{.per_second = 1, .burst = 1'000'000'000});
    Comparison comparison(config, ours, 5, {9, 9});
    Messages asked = comparison.begin();
    while (!asked.empty()) {
      const std::size_t said = cost.answers;
      Messages next;
      for (const auto& message : asked) {
        for (const auto& answer : answered(*message, cost, bucket)) {
          const Messages more = listened(comparison, *answer, cost);
          next.insert(next.end(), more.begin(), more.end());
        }
      }
      asked = std::move(next);
      if (cost.answers > said) ++cost.round_trips;
    }
    EXPECT_TRUE(comparison.is_over());
    cut = comparison.is_cut();
    return cost;
  }

  bool are_equal() const { return ours.trie().digest({}) == theirs.trie().digest({}); }
  bool cut = false;

 private:
  Messages answered(ByteView message, Cost& cost, flow::TokenBucket& bucket) {
    cost.bytes += message.size();
    const ByteView body = message.subspan(1);
    switch (static_cast<wire::MessageType>(message[0])) {
      case wire::MessageType::registry_ask:
        return *answer_ask(theirs.trie(), body, {bucket, kStart});
      case wire::MessageType::registry_want:
        return *answer_want(theirs, body, {bucket, kStart});
      default:
        take(theirs, body, cost);
        return {};
    }
  }

  Messages listened(Comparison& comparison, ByteView message, Cost& cost) {
    cost.bytes += message.size();
    ++cost.answers;
    EXPECT_LE(message.size(), 34'816U);
    const ByteView body = message.subspan(1);
    if (message[0] == static_cast<Byte>(wire::MessageType::registry_places)) return *comparison.on_places(body);
    take(ours, body, cost);
    return *comparison.on_entries(*wire::decode<Entries>(body));
  }

  static void take(Replica& replica, ByteView body, Cost& cost) {
    const auto message = wire::decode<Entries>(body);
    for (const ByteView signed_bytes : message->entries) {
      cost.entries += signed_bytes.size();
      ASSERT_TRUE(replica.put(kWall, *read_entry(signed_bytes), to_bytes(signed_bytes)));
    }
  }
};

const identity::Identity kNamer = test::make_identity(1);

Entry numbered(std::size_t number, Stamp stamp = {to_unix_ms(kWall), 0}) {
  Entry entry = sample_entry(kNamer, "service/" + std::to_string(number), stamp);
  entry.value.resize(100);
  return entry;
}

/// A third of the differences is unknown to us, a third to them, and of a third they have another version.
void differ(Two& two, std::size_t differences) {
  for (std::size_t i = 0; i < differences; ++i) {
    const Entry fresh = numbered(1'000'000 + i);
    const Entry changed = numbered(i * 7, {to_unix_ms(kWall), 1});
    if (i % 3 == 0) two.add(two.ours, fresh);
    if (i % 3 == 1) two.add(two.theirs, fresh);
    if (i % 3 == 2) two.add(i % 2 == 0 ? two.ours : two.theirs, changed);
  }
}

TEST(Comparison, CostsAsMuchAsTheDifferenceIsLarge) {
  constexpr std::size_t kEntries = 100'000;
  Two two;
  for (std::size_t i = 0; i < kEntries; ++i) {
    const Entry entry = numbered(i);
    two.add(two.ours, entry);
    two.add(two.theirs, entry);
  }
  EXPECT_TRUE(two.are_equal());
  EXPECT_LE(two.compare().bytes, 250U);
  for (const std::size_t differences : {1U, 10U, 100U, 1000U}) {
    differ(two, differences);
    EXPECT_FALSE(two.are_equal());
    const Cost cost = two.compare();
    EXPECT_TRUE(two.are_equal());
    EXPECT_LE(cost.bytes - cost.entries, 2560 + 600 * differences) << differences;
    EXPECT_LE(cost.round_trips, 6U) << differences;  // log16(100,000) is 4.15
  }
}

TEST(Comparison, FillsAnEmptyReplicaInEitherDirection) {
  for (const bool ours_is_empty : {false, true}) {
    Two two;
    for (std::size_t i = 0; i < 10'000; ++i) two.add(ours_is_empty ? two.theirs : two.ours, numbered(i));
    for (int rounds = 0; rounds < 4 && !two.are_equal(); ++rounds) {
      two.compare();
      EXPECT_TRUE(two.cut || two.are_equal());
    }
    EXPECT_TRUE(two.are_equal());
  }
}

TEST(Comparison, OfSmallReplicasIsDoneInTwoRoundTrips) {
  Two two;
  two.add(two.ours, numbered(1));
  two.add(two.theirs, numbered(2));
  EXPECT_EQ(two.compare().round_trips, 2U);
  EXPECT_TRUE(two.are_equal());
}

/// Of two entries with one stamp both sides end with the same.
TEST(Comparison, SettlesAnEquivocation) {
  Two two;
  Entry entry = numbered(1);
  two.add(two.ours, entry);
  entry.value[0] = 1;
  two.add(two.theirs, entry);
  two.compare();
  EXPECT_TRUE(two.are_equal());
}

class LyingNeighbour : public ::testing::Test {
 protected:
  LyingNeighbour() {
    for (std::size_t i = 0; i < 100; ++i) Two::add(two_.ours, numbered(i));
    static_cast<void>(comparison_.begin());
  }

  Result<Messages> says(std::vector<Place> places) {
    return comparison_.on_places(wire::encode(Places{.round = 5, .places = std::move(places)}));
  }

  Two two_;
  Comparison comparison_{two_.config, two_.ours, 5, {9, 9}};
};

TEST_F(LyingNeighbour, CannotAnswerWhatWasNotAsked) {
  EXPECT_FALSE(says({{.path = {1, 2}, .is_leaf = true, .shorts = {}}}));
}

TEST_F(LyingNeighbour, CannotAnswerTwice) {
  EXPECT_TRUE(says({{.path = {}, .is_leaf = true, .shorts = {}}}));
  EXPECT_FALSE(says({{.path = {}, .is_leaf = true, .shorts = {}}}));
}

TEST_F(LyingNeighbour, CannotSendParts) { EXPECT_FALSE(says({{.path = {}, .is_leaf = true, .shorts = Bytes(9)}})); }

TEST_F(LyingNeighbour, CannotHaveFifteenChildren) {
  EXPECT_FALSE(says({{.path = {}, .is_leaf = false, .shorts = Bytes(120)}}));
}

TEST_F(LyingNeighbour, CannotWantWhatWasNotOffered) {
  ASSERT_TRUE(says({{.path = {}, .is_leaf = true, .shorts = {}}}));
  EXPECT_FALSE(comparison_.on_entries({.round = 5, .last = true, .entries = {}, .wanted = {EntryId{}}}));
}

TEST_F(LyingNeighbour, CannotWantTheSameTwice) {
  ASSERT_TRUE(says({{.path = {}, .is_leaf = true, .shorts = {}}}));
  const EntryId id = numbered(1).id();
  EXPECT_TRUE(comparison_.on_entries({.round = 5, .last = false, .entries = {}, .wanted = {id}}));
  EXPECT_FALSE(comparison_.on_entries({.round = 5, .last = false, .entries = {}, .wanted = {id}}));
}

/// One that always says that everything differs is asked so often, and no more.
TEST_F(LyingNeighbour, CannotGoOnForEver) {
  std::deque<Bytes> asked = {{1}};
  std::size_t answers = 0;
  while (!asked.empty()) {
    ++answers;
    auto more = says({{.path = asked.front(), .is_leaf = false, .shorts = Bytes(128, 1)}});
    const bool is_last_level = asked.front().size() == EntryId::kNibbles;
    asked.pop_front();
    if (is_last_level) {
      EXPECT_FALSE(more);
      return;
    }
    ASSERT_TRUE(more);
    for (const auto& message : *more) {
      const auto ask = wire::decode<Ask>(ByteView(*message).subspan(1));
      if (!ask) continue;
      asked.insert(asked.end(), ask->paths.begin(), ask->paths.end());
    }
  }
  EXPECT_LE(answers, two_.config.max_asked + 1);
  EXPECT_TRUE(comparison_.is_cut());
}

TEST(Answers, CostTheirAskerTokens) {
  Two two;
  flow::TokenBucket bucket(flow::Rate{.per_second = 1, .burst = 5});
  const Bytes body = wire::encode(Ask{.round = 1, .salt = {}, .paths = std::vector<Bytes>(1000), .shorts = {}});
  std::size_t places = 0;
  for (int i = 0; i < 3; ++i) {
    const Messages answer = *answer_ask(two.theirs.trie(), body, {bucket, kStart});
    for (const auto& message : answer) {
      places += wire::decode<Places>(ByteView(*message).subspan(1))->places.size();
    }
  }
  EXPECT_EQ(places, 5U);
}

TEST(Answers, GiveOnlyWhatLiesInALeaf) {
  Two two;
  for (std::size_t i = 0; i < 100; ++i) two.add(two.theirs, numbered(i));
  flow::TokenBucket bucket(flow::Rate{.per_second = 1, .burst = 1000});
  Bytes shorts;
  for (const Trie::Item& item : two.theirs.trie().items({}, 32)) append(shorts, short_of({}, item.digest));
  const Want want{.round = 1, .salt = {}, .wanted = {{.path = {}, .shorts = shorts}}, .have = {}};
  const Messages answer = *answer_want(two.theirs, wire::encode(want), {bucket, kStart});
  ASSERT_EQ(answer.size(), 1U);
  EXPECT_TRUE(wire::decode<Entries>(ByteView(*answer[0]).subspan(1))->entries.empty());
}

}  // namespace
}  // namespace ekiden::registry
