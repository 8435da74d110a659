#include "registry/trie.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "support/identities.hpp"

namespace ekiden::registry {
namespace {

/// Ids that are alike at the front, so that leaves split and join deep down.
EntryId close_id(std::uint32_t number) {
  EntryId id;
  id.bytes.fill(0xab);
  put_be(MutableBytes(id.bytes).subspan(12), number);
  return id;
}

Trie::Item item_of(const EntryId& id, Byte content) { return {.id = id, .digest = {content, 1}, .slot = content}; }

RC_GTEST_PROP(Trie, IsAMapWhoseDigestsFollowFromItsContent, ()) {
  Trie trie;
  std::map<EntryId, Byte> model;
  const auto range = *rc::gen::element<std::uint32_t>(40, 80, 400);
  const int steps = *rc::gen::inRange(0, 400);
  for (int i = 0; i < steps; ++i) {
    const EntryId id = close_id(*rc::gen::inRange<std::uint32_t>(0, range));
    if (*rc::gen::inRange(0, 3) == 0) {
      trie.erase(id);
      model.erase(id);
    } else {
      const auto content = static_cast<Byte>(*rc::gen::inRange(1, 200));
      trie.put(item_of(id, content));
      model.insert_or_assign(id, content);
    }
    if (i % 7 == 0) static_cast<void>(trie.digest({}));
  }
  trie.check_invariants();
  RC_ASSERT(trie.size() == model.size());
  Trie fresh;
  for (auto of = model.rbegin(); of != model.rend(); ++of) fresh.put(item_of(of->first, of->second));
  RC_ASSERT(trie.digest({}) == fresh.digest({}));
  const Trie::Item* at = trie.after({});
  for (const auto& [id, content] : model) {
    RC_ASSERT((trie.find(id) != nullptr && trie.find(id)->slot == content));
    RC_ASSERT((at != nullptr && at->id == id));
    at = trie.after(id);
  }
  RC_ASSERT(at == nullptr);
}

TEST(Trie, DigestsBelowALeafAreThoseOfATrieThatGoesDeeper) {
  Trie small;
  Trie large;
  Rng rng = test::make_rng(1);
  for (std::uint32_t i = 0; i < 600; ++i) {
    const EntryId id{rng.bytes<16>()};
    if (id.nibble(0) == 3) small.put(item_of(id, 1));
    large.put(item_of(id, 1));
  }
  for (Byte way = 0; way < Trie::kWays; ++way) {
    const Path below = Path().child(3).child(way);
    EXPECT_EQ(small.digest(below), large.digest(below));
    EXPECT_EQ(small.count(below), large.count(below));
    EXPECT_EQ(small.items(below, 100).size(), large.count(below));
  }
  EXPECT_EQ(small.digest(Path().child(4)), Digest{});
}

TEST(Trie, GivesNoMoreThanIsAskedFor) {
  Trie trie;
  for (std::uint32_t i = 0; i < 500; ++i) trie.put(item_of(close_id(i), 1));
  EXPECT_EQ(trie.items({}, 100).size(), 100U);
  EXPECT_EQ(trie.items({}, 100).front().id, close_id(0));
}

TEST(Path, ComesBackFromItsBytes) {
  const Path path = Path().child(1).child(15).child(0);
  EXPECT_EQ(Path::from_bytes(path.bytes()), path);
  EXPECT_FALSE(Path::from_bytes(Bytes{16}));
  EXPECT_TRUE(Path::from_bytes(Bytes(32, 15)));
  EXPECT_FALSE(Path::from_bytes(Bytes(33, 1)));
}

}  // namespace
}  // namespace ekiden::registry
