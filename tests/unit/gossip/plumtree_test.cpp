#include "gossip/plumtree.hpp"

#include <gtest/gtest.h>

#include "support/identities.hpp"

namespace ekiden::gossip {
namespace {

identity::PeerId peer_of(Byte last) {
  identity::PeerId peer;
  peer.bytes[31] = last;
  return peer;
}

/// A member that has an item over one hop, and a lazy neighbour of larger id, which is the first to announce.
class Announcing : public testing::Test {
 protected:
  Announcing() {
    tree_.on_neighbour_up(kParent);
    tree_.on_neighbour_up(kLazy);
    tree_.accept(now_, ItemId{}, kParent, kParent, 1, effects_);
    tree_.on_prune(now_, kLazy, kParent);
    tree_.accept(now_, id_, kParent, kParent, 1, effects_);
    effects_.drain([](TreeEffect&&) {});
  }

  void hear(std::uint32_t round) {
    tree_.on_announce(now_, kLazy, {.topic = {}, .history = false, .items = {{.id = id_, .round = round}}}, effects_);
  }

  /// The rounds in which the lazy neighbour is told of the item within two seconds.
  std::vector<std::uint32_t> told() {
    now_.mono += seconds(2);
    tree_.on_deadline(now_, effects_);
    std::vector<std::uint32_t> rounds;
    effects_.drain([&](TreeEffect&& effect) {
      const auto* announced = std::get_if<AnnounceTo>(&effect);
      if (announced == nullptr || announced->to != kLazy) return;
      for (const Announced& item : announced->items) rounds.push_back(item.round);
    });
    return rounds;
  }

  static inline const identity::PeerId kParent = peer_of(1);
  static inline const identity::PeerId kLazy = peer_of(9);
  Config config_ = {.announced_in_16 = 16, .announce_all = seconds(6)};
  Now now_ = test::at({});
  ItemId id_{{7}};
  TreeEffects effects_;
  Plumtree tree_{peer_of(5), config_, test::make_rng(1)};
};

TEST_F(Announcing, WhoHasNotAnnouncedIsTold) { EXPECT_EQ(told(), std::vector<std::uint32_t>{2}); }

TEST_F(Announcing, WhoHasAnnouncedIsNotTold) {
  hear(3);
  EXPECT_EQ(told(), std::vector<std::uint32_t>{});
}

TEST_F(Announcing, WhoHasItByALongerWayIsTold) {
  hear(4);
  EXPECT_EQ(told(), std::vector<std::uint32_t>{2});
}

/// Of a member that announces nothing else.
class Left : public Announcing {
 protected:
  Left() {
    config_.announced_in_16 = 0;
    hear(3);
  }

  void item_after(Duration pause) {
    now_.mono += pause;
    id_.bytes[1] += 1;
    tree_.accept(now_, id_, kParent, kParent, 1, effects_);
  }
};

TEST_F(Left, WhoHasPrunedUsIsToldOfAllForAWhile) {
  item_after(seconds(5));
  EXPECT_EQ(told(), std::vector<std::uint32_t>{2});
}

TEST_F(Left, LaterItIsOneOfTheLazyOnes) {
  item_after(seconds(6));
  EXPECT_EQ(told(), std::vector<std::uint32_t>{});
}

}  // namespace
}  // namespace ekiden::gossip
