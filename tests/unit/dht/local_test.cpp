// Nodes that are heard on the local network, which is one prefix and of which nobody else may tell.
#include <gtest/gtest.h>

#include <set>

#include "dht/dht.hpp"
#include "testing.hpp"

namespace ekiden::dht {
namespace {

class LocalTest : public ::testing::Test {
 protected:
  LocalTest() { dht_.start(now_, out_); }

  static identity::NodeInfo local_node(Byte host) {
    identity::NodeInfo node = fake_node(host);
    node.at = {.ip = identity::IpAddress::v4({192, 168, 1, host}), .port = 4433};
    return node;
  }

  void hear(Byte count) {
    for (Byte host = 1; host <= count; ++host) dht_.on_local(now_, local_node(host), out_);
  }

  /// Who is asked for the providers of a capability. Everybody answers that there are none; pings go unanswered.
  std::set<identity::PeerId> asked_for_providers() {
    std::set<identity::PeerId> asked;
    dht_.find_capability(now_, LookupId{7}, "translate", 5, out_);
    for (auto effects = out_.take(); !effects.empty(); effects = out_.take()) {
      for (const Ask& ask : take<Ask>(effects)) {
        const auto query = wire::decode<Query>(ask.body);
        if (query->kind == QueryKind::ping) {
          dht_.on_failed(now_, ask.id, {Errc::timed_out, "no answer"}, out_);
          continue;
        }
        const bool is_new = query->kind != QueryKind::find_value || asked.insert(ask.to.id()).second;
        EXPECT_TRUE(is_new);
        dht_.on_answer(now_, ask.id, wire::encode(Reply{}), out_);
      }
    }
    return asked;
  }

  void admit(const identity::NodeInfo& node) {
    dht_.on_candidate(now_, node, out_);
    auto effects = out_.take();
    for (const Ask& ask : take<Ask>(effects)) {
      if (ask.to == node) dht_.on_answer(now_, ask.id, wire::encode(Reply{}), out_);
    }
    dht_.on_confirmed(now_, node, out_);
  }

  Outcome store(const identity::Identity& from, std::uint64_t sequence) {
    const identity::NodeInfo sender{.public_key = from.public_key(), .at = local_node(9).at};
    const Bytes record = record_of(from, sequence, now_.wall);
    const Query query{.kind = QueryKind::store,
                      .target = Key::of(from.id()),
                      .value_kind = ValueKind::record,
                      .value = ByteView(record)};
    dht_.on_query(now_, QueryToken{1}, sender, /*proven=*/true, wire::encode(query), out_);
    auto effects = out_.take();
    return decode_reply(take<Answer>(effects).at(0).body)->outcome;
  }

  const identity::Identity self_ = test_identity(1);
  const Config config_ = {.max_stores_per_prefix = 2};
  const Now now_ = at({});
  Outbox<Dht::Effect> out_;
  Dht dht_{self_.id(), config_, Rng(seed_of(3))};
};

TEST_F(LocalTest, WithoutTheInternetLookupsAskAsManyAsAreNear) {
  hear(60);
  const auto asked = asked_for_providers();
  EXPECT_EQ(asked.size(), config_.k);
  const Key target = capability_key("translate");
  std::size_t nearer = 0;
  Distance farthest{};
  for (const auto& id : asked) farthest = std::max(farthest, distance(target, id));
  for (Byte host = 1; host <= 60; ++host) nearer += distance(target, local_node(host).id()) <= farthest ? 1 : 0;
  EXPECT_EQ(nearer, config_.k);
}

TEST_F(LocalTest, WhoHasGoneIsNotAsked) {
  hear(3);
  dht_.on_local_gone(local_node(2).id());
  EXPECT_EQ(asked_for_providers(), (std::set{local_node(1).id(), local_node(3).id()}));
}

TEST_F(LocalTest, WhereThereIsTheInternetBeaconsDecideNothing) {
  const identity::NodeInfo far = fake_node(1000);
  admit(far);
  hear(60);
  EXPECT_EQ(asked_for_providers(), std::set{far.id()});
}

TEST_F(LocalTest, EachStoresForItselfAlone) {
  const auto alice = test_identity(20);
  const auto bob = test_identity(21);
  dht_.on_local(now_, {.public_key = alice.public_key(), .at = local_node(9).at}, out_);
  for (std::uint64_t i = 1; i <= 5; ++i) EXPECT_EQ(store(alice, i), Outcome::done);
  EXPECT_EQ(store(bob, 1), Outcome::done);
  EXPECT_EQ(store(bob, 2), Outcome::done);
  EXPECT_EQ(store(bob, 3), Outcome::too_many);
}

}  // namespace
}  // namespace ekiden::dht
