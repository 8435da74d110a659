// The ratchet alone: positions, keys, gaps.
#include "session/ratchet.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "unit/session/agent.hpp"

namespace ekiden::session {
namespace {

constexpr std::size_t kMaxGap = 20;

struct Pair {
  Pair() {
    const auto prekey = pair_of(2);
    a.emplace(*Ratchet::initiate(crypto::ChainKey(seed_of(1)), prekey.public_key, pair_of(3), kMaxGap));
    b.emplace(
        *Ratchet::respond(crypto::ChainKey(seed_of(1)), prekey.secret, a->state().own.public_key, pair_of(4), kMaxGap));
  }

  std::optional<Ratchet> a, b;
};

/// Receives at `position` and returns the key.
std::expected<MessageKey, Misfit> receive(Ratchet& ratchet, const Position& position, std::size_t max_gap = kMaxGap) {
  auto incoming = ratchet.prepare(position, max_gap);
  if (!incoming) return std::unexpected(incoming.error());
  const MessageKey key = incoming->key;
  ratchet.commit(std::move(*incoming));
  ratchet.check_invariants();
  return key;
}

/// One message that arrives.
void pass(Ratchet& from, Ratchet& to) {
  const auto [position, key] = from.next_to_send();
  EXPECT_EQ(receive(to, position), key);
}

TEST(Ratchet, EveryMessageHasAKeyOfItsOwn) {
  Pair pair;
  std::set<Bytes> keys;
  for (int i = 0; i < 100; ++i) keys.insert(to_bytes(pair.a->next_to_send().second.view()));
  for (int i = 0; i < 100; ++i) keys.insert(to_bytes(pair.b->next_to_send().second.view()));
  EXPECT_EQ(keys.size(), 200U);
}

TEST(Ratchet, PreparingChangesNothing) {
  Pair pair;
  pair.a->skip_sending_to(5);
  const auto [position, key] = pair.a->next_to_send();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pair.b->prepare(position, kMaxGap)->key, key);
  EXPECT_EQ(pair.b->skipped().size(), 0U);
  EXPECT_EQ(receive(*pair.b, position), key);
  EXPECT_EQ(pair.b->skipped().size(), 5U);
}

TEST(Ratchet, AGapUpToTheBoundIsTakenAndOneMoreIsNot) {
  Pair pair;
  pair.a->skip_sending_to(kMaxGap);
  EXPECT_TRUE(receive(*pair.b, pair.a->next_to_send().first).has_value());
  pair.a->skip_sending_to(2 * kMaxGap + 2);
  EXPECT_EQ(receive(*pair.b, pair.a->next_to_send().first).error(), Misfit::too_far);
}

TEST(Ratchet, AGapIsCountedOverTheEndOfTheOldChainAndTheBeginningOfTheNew) {
  for (const std::uint32_t in_new : {10U, 11U}) {
    Pair pair;
    pass(*pair.a, *pair.b);
    pass(*pair.b, *pair.a);
    pair.a->skip_sending_to(11);  // Ten more than have arrived.
    ASSERT_TRUE(pair.a->step(pair_of(9)).has_value());
    pair.a->skip_sending_to(in_new);
    const auto received = receive(*pair.b, pair.a->next_to_send().first);
    EXPECT_EQ(received.has_value(), in_new == 10);
    EXPECT_EQ(pair.b->skipped().size(), in_new == 10 ? kMaxGap : 0);
  }
}

TEST(Ratchet, OverTheBoundTheOldestKeysAreDroppedAndTheirMessagesAreNotCalledDuplicates) {
  Pair pair;
  std::vector<Position> late;
  for (std::uint32_t i = 0; i < 30; ++i) {
    late.push_back(pair.a->next_to_send().first);
    pass(*pair.a, *pair.b);
  }
  EXPECT_EQ(pair.b->skipped().size(), kMaxGap);
  for (std::uint32_t i = 0; i < 30; ++i) {
    const auto received = receive(*pair.b, late[i]);
    EXPECT_EQ(received.has_value(), i >= 10) << i;
    EXPECT_TRUE(received || received.error() == Misfit::too_far);
  }
  EXPECT_EQ(receive(*pair.b, late[29]).error(), Misfit::used);
}

TEST(Ratchet, TheSideThatHasNotSeenANewKeyCannotHaveSteppedItself) {
  Pair pair;
  pass(*pair.a, *pair.b);
  pass(*pair.b, *pair.a);
  ASSERT_TRUE(pair.a->step(pair_of(9)).has_value());
  pass(*pair.a, *pair.b);
  // B has not stepped since, so a third key of A is a forgery, whatever it says.
  Position forged = pair.a->next_to_send().first;
  forged.ratchet.bytes[0] ^= 1;
  forged = {.ratchet = forged.ratchet, .previous = 1, .number = 0, .sequence = 3};
  EXPECT_EQ(receive(*pair.b, forged).error(), Misfit::impossible);
}

TEST(Ratchet, PositionsThatContradictThemselvesAreRefused) {
  Pair pair;
  pass(*pair.a, *pair.b);
  pass(*pair.b, *pair.a);
  const Position good = pair.a->next_to_send().first;
  const auto with = [&](auto change) {
    Position bad = good;
    change(bad);
    return receive(*pair.b, bad).error();
  };
  EXPECT_EQ(with([](Position& p) { p.sequence = 0; }), Misfit::impossible);
  EXPECT_EQ(with([](Position& p) { ++p.sequence; }), Misfit::impossible);
  EXPECT_EQ(with([](Position& p) { ++p.number; }), Misfit::impossible);
  EXPECT_EQ(with([](Position& p) { p.sequence = UINT64_MAX; }), Misfit::impossible);
  EXPECT_EQ(with([](Position& p) { p.number = UINT32_MAX; }), Misfit::impossible);
  EXPECT_EQ(with([](Position& p) { p.sequence = 1, p.number = 0; }), Misfit::used);
  EXPECT_EQ(with([](Position& p) { p.ratchet.bytes = {}; }), Misfit::impossible);  // A point of low order.
  EXPECT_TRUE(receive(*pair.b, good).has_value());
}

TEST(Ratchet, ALowOrderKeyOfThePeerIsRefused) {
  EXPECT_FALSE(Ratchet::initiate(crypto::ChainKey(seed_of(1)), {}, pair_of(3), kMaxGap).has_value());
  EXPECT_FALSE(
      Ratchet::respond(crypto::ChainKey(seed_of(1)), crypto::X25519SecretKey(seed_of(2)), {}, pair_of(3), kMaxGap)
          .has_value());
}

/// Both sides send, step and receive in any order; what arrives has the key it was sealed with, once.
RC_GTEST_PROP(Ratchet, AnyOrderOfMessagesAndStepsAgrees, (const std::vector<std::uint16_t>& script)) {
  Pair pair;
  Ratchet* const sides[] = {&*pair.a, &*pair.b};
  std::vector<std::pair<Position, MessageKey>> under_way[2];
  std::vector<Position> arrived[2];
  Byte last_key = 10;
  for (const std::uint16_t command : script) {
    const std::size_t from = command % 2;
    auto& letters = under_way[from];
    switch (command / 2 % 4) {
      case 0:
        if (letters.size() < kMaxGap) letters.push_back(sides[from]->next_to_send());
        break;
      case 1:
        if (sides[from]->state().step_pending) RC_ASSERT(sides[from]->step(pair_of(++last_key)).has_value());
        break;
      case 2: {
        if (letters.empty()) break;
        const auto letter = letters.begin() + static_cast<std::ptrdiff_t>(command / 8 % letters.size());
        const auto received = receive(*sides[1 - from], letter->first);
        RC_ASSERT(received.has_value());
        RC_ASSERT(*received == letter->second);
        arrived[from].push_back(letter->first);
        letters.erase(letter);
        break;
      }
      case 3:
        if (arrived[from].empty()) break;
        const Position& again = arrived[from][command / 8 % arrived[from].size()];
        RC_ASSERT(receive(*sides[1 - from], again).error() == Misfit::used);
    }
  }
}

}  // namespace
}  // namespace ekiden::session
