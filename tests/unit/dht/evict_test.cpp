// Ping before evict: a newcomer to a full bucket gets the place of nobody who still answers.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "dht/dht.hpp"
#include "testing.hpp"

namespace ekiden::dht {
namespace {

class EvictTest : public ::testing::Test {
 protected:
  EvictTest() {
    dht_.start(now(), out_);
    for (std::size_t i = 0; nodes_.size() < 6; ++i) {
      if (common_prefix(self_.id().bytes, fake_node(i).id().bytes) == 0) nodes_.push_back(fake_node(i));
    }
    // Two more in the other half, so that the bucket of these is not the last one, which splits.
    for (std::size_t i = 100, near = 0; near < 2; ++i) {
      if (common_prefix(self_.id().bytes, fake_node(i).id().bytes) < 1) continue;
      meet(fake_node(i));
      ++near;
    }
    meet(nodes_[0]);
    meet(nodes_[1]);
  }

  Now now() const { return at(time_); }

  /// What is asked meanwhile: pings of `dead` fail, and everybody else answers.
  std::vector<identity::NodeInfo> play(const identity::NodeInfo* dead = nullptr) {
    std::vector<identity::NodeInfo> pinged;
    for (auto effects = out_.take(); !effects.empty(); effects = out_.take()) {
      for (const Ask& ask : take<Ask>(effects)) {
        const auto query = wire::decode<Query>(ask.body);
        if (query->kind == QueryKind::ping) pinged.push_back(ask.to);
        if (dead != nullptr && ask.to == *dead) {
          dht_.on_failed(now(), ask.id, {Errc::timed_out, "no answer"}, out_);
        } else {
          dht_.on_answer(now(), ask.id, wire::encode(Reply{}), out_);
        }
      }
    }
    return pinged;
  }

  std::vector<identity::NodeInfo> meet(const identity::NodeInfo& node, const identity::NodeInfo* dead = nullptr) {
    dht_.on_confirmed(now(), node, out_);
    return play(dead);
  }

  bool has(const identity::NodeInfo& node) const {
    const auto all = dht_.closest(self_.id(), 100);
    return std::ranges::find(all, node) != all.end();
  }

  const identity::Identity self_ = test_identity(1);
  const Config config_ = {.k = 2, .spares = 4};
  Duration time_{};
  std::vector<identity::NodeInfo> nodes_;
  Outbox<Dht::Effect> out_;
  Dht dht_{self_.id(), config_, Rng(seed_of(3))};
};

TEST_F(EvictTest, WhoWasSeenLatelyIsNotEvenPinged) {
  ASSERT_TRUE(has(nodes_[0]) && has(nodes_[1]));
  for (const identity::NodeInfo& pinged : meet(nodes_[2])) EXPECT_EQ(pinged, nodes_[2]);
  EXPECT_FALSE(has(nodes_[2]));
}

TEST_F(EvictTest, WhoStillAnswersKeepsItsPlace) {
  time_ += config_.fresh_for + seconds(1);
  const auto pinged = meet(nodes_[2]);
  EXPECT_NE(std::ranges::find(pinged, nodes_[0]), pinged.end()) << "the one seen longest ago";
  EXPECT_TRUE(has(nodes_[0]) && has(nodes_[1]));
  EXPECT_FALSE(has(nodes_[2]));
}

TEST_F(EvictTest, WhoAnswersNoMoreGivesItToAReplacement) {
  time_ += config_.fresh_for + seconds(1);
  meet(nodes_[2], &nodes_[0]);
  EXPECT_FALSE(has(nodes_[2])) << "one lost packet is not enough";
  meet(nodes_[3], &nodes_[0]);
  EXPECT_FALSE(has(nodes_[0]));
  EXPECT_TRUE(has(nodes_[1]));
  EXPECT_TRUE(has(nodes_[2]) || has(nodes_[3]));
}

}  // namespace
}  // namespace ekiden::dht
