// Topics as a whole, on engines that are linked with each other.
#include "net.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace ekiden::gossip {
namespace {

const std::string kNews = "news/local";

void join_all(Net& net) {
  for (std::size_t i = 0; i < net.size(); ++i) {
    net.subscribe(i, kNews);
    net.run_for(milliseconds(100));
  }
  net.run_for(minutes(2));
}

std::size_t delivered(Net& net) {
  std::size_t all = 0;
  for (std::size_t i = 0; i < net.size(); ++i) all += net[i].delivered.size();
  return all;
}

void publish_some(Net& net, std::size_t publisher, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    net.publish(publisher, kNews, "item " + std::to_string(i));
    net.run_for(milliseconds(100));
  }
  net.run_for(seconds(5));
}

Bytes body_of(const std::shared_ptr<const Bytes>& signed_item, std::uint32_t round = 1) {
  return wire::encode(Gossiped{.topic = TopicId::of(kNews), .round = round, .item = *signed_item});
}

/// Two neighbours, and an identity that is neither.
struct Pair {
  Net net{2};
  identity::Identity other = test::make_identity(77);

  Pair() { join_all(net); }
  Bytes item(std::uint64_t run, std::uint64_t sequence, std::string_view text = "x") const {
    return sign_item(other, {.topic = TopicId::of(kNews),
                             .public_key = other.public_key(),
                             .run = run,
                             .sequence = sequence,
                             .at = test::kWall,
                             .payload = as_bytes(text)});
  }
  Status bring(const Bytes& item, std::uint32_t round = 1) {
    return net.receive(0, 1, wire::MessageType::topic_gossip, body_of(std::make_shared<const Bytes>(item), round));
  }
};

TEST(Topics, EveryMemberGetsEachItemOnceAndAboutOneCopy) {
  Net net(60);
  join_all(net);
  publish_some(net, 0, 10);  // The first items find the tree.
  const std::size_t before = delivered(net);
  net.messages.clear();
  publish_some(net, 0, 30);
  const std::size_t after = delivered(net) - before;
  EXPECT_EQ(after, 30 * (net.size() - 1));
  EXPECT_LE(net.messages[wire::MessageType::topic_gossip] * 10, after * 11);
  EXPECT_LE(net.messages[wire::MessageType::topic_gossip] + net.messages[wire::MessageType::topic_announce], after * 2);
  net.check_invariants();
}

TEST(Topics, EachPublisherHasATreeOfItsOwn) {
  constexpr std::size_t kPublishers = 4;
  Net net(64);
  join_all(net);
  const auto publish_in_turn = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      net.publish(i % kPublishers, kNews, "item " + std::to_string(i));
      net.run_for(milliseconds(500));
    }
    net.run_for(seconds(5));
  };
  publish_in_turn(240);  // The trees become shorter step by step.
  net.messages.clear();
  std::uint64_t ids = 0;
  for (std::size_t i = 0; i < net.size(); ++i) {
    net[i].delivered.clear();
    ids += net.status(i).announcements;
  }
  publish_in_turn(40);
  std::map<std::pair<identity::PeerId, std::uint64_t>, std::uint32_t> last;
  std::uint64_t announced = 0;
  for (std::size_t i = 0; i < net.size(); ++i) {
    announced += net.status(i).announcements;
    for (const Delivered& each : net[i].delivered) {
      auto& hops = last[{each.publisher, each.sequence}];
      hops = std::max(hops, each.hops);
    }
  }
  announced -= ids;
  const std::size_t after = delivered(net);
  EXPECT_EQ(after, 40 * (net.size() - 1));
  EXPECT_LE(net.messages[wire::MessageType::topic_gossip] * 10, after * 11);
  EXPECT_LE(net.messages[wire::MessageType::topic_gossip] + announced, after * 2);
  std::uint64_t hops = 0;
  for (const auto& [item, most] : last) hops += most;
  EXPECT_LE(hops, last.size() * 6);
  net.check_invariants();
}

TEST(Topics, WhoeverHasFewNeighboursAsksUrgently) {
  Net net(60);
  join_all(net);
  std::size_t with_few = 0;
  std::size_t with_enough = 0;
  net.passes = [&](std::size_t from, std::size_t, ByteView message) {
    if (message[0] != static_cast<Byte>(wire::MessageType::topic_neighbour)) return true;
    const auto asked = wire::decode<Neighbour>(message.subspan(1));
    const std::size_t neighbours = net.status(from).neighbours;
    // Whoever has enough is urgent only with those who have just joined.
    EXPECT_TRUE(asked->urgent || neighbours >= Config{}.min_active) << neighbours;
    if (asked->urgent && neighbours > 0 && neighbours < Config{}.min_active) ++with_few;
    if (!asked->urgent) ++with_enough;
    return true;
  };
  for (std::size_t i = 0; i < net.size(); ++i) {
    if (i % 3 != 0) net.crash(i);
  }
  net.run_for(minutes(2));
  EXPECT_GT(with_few, 0U);
  EXPECT_GT(with_enough, 0U);
  for (std::size_t i = 0; i < net.size(); i += 3) EXPECT_GE(net.status(i).neighbours, Config{}.min_active) << i;
}

TEST(Topics, WhoeverLacksANeighbourFindsOneAmongThoseWhoHaveEnough) {
  Net net(60);
  join_all(net);
  net.run_for(minutes(2));
  std::size_t with_enough = 0;
  std::size_t with_more = 0;
  for (std::size_t i = 0; i < net.size(); ++i) {
    const std::size_t neighbours = net.status(i).neighbours;
    EXPECT_LE(neighbours, Config{}.max_active + Config{}.spare_active);
    if (neighbours >= Config{}.max_active) ++with_enough;
    if (neighbours > Config{}.max_active) ++with_more;
  }
  EXPECT_GE(with_enough, net.size() - 1);
  EXPECT_GT(with_more, 0U);
}

TEST(Topics, SurviveTheLossOfHalfTheMembers) {
  Net net(60);
  join_all(net);
  publish_some(net, 0, 5);
  for (std::size_t i = 1; i < net.size(); i += 2) net.crash(i);
  net.run_for(3 * Config{}.shuffle_interval);
  const std::size_t before = delivered(net);
  publish_some(net, 0, 10);
  EXPECT_EQ(delivered(net) - before, 10 * (net.size() / 2 - 1));
  net.check_invariants();
}

TEST(Topics, AreOneAgainSoonAfterASplit) {
  for (const std::size_t count : {2U, 6U, 12U, 24U, 80U}) {
    for (Byte seed = 1; seed <= 4; ++seed) {
      SCOPED_TRACE(std::to_string(count) + " members, seed " + std::to_string(seed));
      Net net(count, {}, seed);
      join_all(net);
      net.split();
      net.run_for(minutes(5));
      publish_some(net, 0, 1);
      EXPECT_EQ(delivered(net), count / 2 - 1);
      net.heal();
      net.run_for(seconds(5));
      net.be_whole();
      publish_some(net, 0, 5);
      publish_some(net, count - 1, 5);
      EXPECT_EQ(delivered(net), 11 * (count - 1));  // What was said apart is heard, too.
      net.check_invariants();
    }
  }
}

TEST(Topics, WhoeverAcceptsTooLateIsToldSo) {
  Net net(24);
  join_all(net);
  const auto is_stranger = [&](std::size_t i) { return net[0].links.contains(i) && !net[0].wants.contains(i); };
  std::size_t late = 1;
  while (late < net.size() && !is_stranger(late)) ++late;
  ASSERT_LT(late, net.size());
  net.messages.clear();
  const Answer answer{TopicId::of(kNews), Verdict::accepted};
  EXPECT_TRUE(net.receive(0, late, wire::MessageType::topic_answer, wire::encode(answer)).has_value());
  net.run_for(milliseconds(100));
  EXPECT_EQ(net.messages[wire::MessageType::topic_disconnect], 1U);
}

TEST(Topics, ALostItemIsAskedForAndComes) {
  Net net(20);
  join_all(net);
  publish_some(net, 0, 5);
  std::size_t dropped = 0;
  net.passes = [&](std::size_t, std::size_t to, ByteView message) {
    const bool is_item = static_cast<wire::MessageType>(message[0]) == wire::MessageType::topic_gossip;
    if (!is_item || to != 7 || dropped == 3) return true;
    ++dropped;
    return false;
  };
  const std::size_t before = net[7].delivered.size();
  publish_some(net, 0, 5);
  EXPECT_EQ(dropped, 3u);
  EXPECT_EQ(net[7].delivered.size() - before, 5u);
}

TEST(Topics, WhoeverJoinsLateCatchesUp) {
  Net net(10);
  for (std::size_t i = 0; i < 9; ++i) net.subscribe(i, kNews);
  net.run_for(minutes(1));
  publish_some(net, 0, 5);
  net.subscribe(9, kNews);
  net.run_for(seconds(20));
  ASSERT_EQ(net[9].delivered.size(), 5u);
  for (std::uint64_t i = 0; i < 5; ++i) EXPECT_EQ(net[9].delivered[i].sequence, i + 1);
}

TEST(Topics, APublisherThatRestartsIsHeardAgain) {
  Net net(6);
  join_all(net);
  publish_some(net, 2, 2);
  net.crash(2);
  net.run_for(seconds(5));
  net.restart(2);
  net.subscribe(2, kNews);
  net.run_for(minutes(1));
  const std::size_t before = net[0].delivered.size();
  publish_some(net, 2, 2);
  EXPECT_EQ(net[0].delivered.size() - before, 2u);
  EXPECT_EQ(net[0].delivered.back().sequence, 2u);
}

TEST(Topics, APublisherThatHasLeftAndComesBackIsHeardAgain) {
  Net net(4);
  for (std::size_t i = 1; i < net.size(); ++i) net.subscribe(i, kNews);
  net.run_for(minutes(1));
  for (const char* text : {"first", "second", "third"}) {
    net.publish(0, kNews, text);
    net.run_for(minutes(2));
    ASSERT_EQ(net.engine(0).topics().size(), 0U) << "it does not subscribe";
  }
  for (std::size_t i = 1; i < net.size(); ++i) EXPECT_EQ(net[i].delivered.size(), 3U) << i;
}

TEST(Topics, APublicationWithoutAnybodyEndsAndIsKept) {
  Net net(2);
  net.publish(0, kNews, "early");
  net.run_for(Config{}.publish_wait + seconds(1));
  ASSERT_EQ(net[0].published.size(), 1u);
  ASSERT_TRUE(net[0].published.begin()->second);
  EXPECT_EQ(net[0].published.begin()->second->neighbours, 0u);
  net.subscribe(1, kNews);
  net.run_for(seconds(20));
  ASSERT_EQ(net[1].delivered.size(), 1u);
  EXPECT_EQ(as_text(net[1].delivered[0].payload), "early");
}

TEST(Realms, TopicsAreForThoseWhoHaveProvenToBeInThem) {
  const std::string realm = "kitchen";
  const auto name = [](Byte key) { return ByteArray<32>{key}; };
  Net net(3);
  const auto meet = [&](std::size_t a, std::size_t b) {
    net.act(a, [&](Gossip& engine, Effects& out) { engine.on_member_up(net.now(), realm, net.id(b), out); });
    net.act(b, [&](Gossip& engine, Effects& out) { engine.on_member_up(net.now(), realm, net.id(a), out); });
  };
  const auto listen = [&](std::size_t i) {
    net.act(i, [&](Gossip& engine, Effects& out) { EXPECT_TRUE(engine.subscribe(net.now(), "news", out, realm)); });
  };
  // All are linked for a topic of all.
  for (std::size_t i = 0; i < 3; ++i) {
    net.subscribe(i, "news");
    net.act(i, [&](Gossip& engine, Effects& out) {
      EXPECT_EQ(engine.subscribe(net.now(), "news", out, realm).error().code, Errc::not_found);
      engine.enter_realm(realm, name(1));
    });
    listen(i);
  }
  net.run_for(seconds(30));
  meet(0, 1);
  net.run_for(seconds(30));
  net.publish(0, "news", "soup", realm);
  net.run_for(seconds(5));
  ASSERT_EQ(net[1].delivered.size(), 1U);
  EXPECT_EQ(net[1].delivered[0].realm, realm);
  EXPECT_TRUE(net[2].delivered.empty());
  EXPECT_TRUE(net[1].heard.empty()) << "it says nothing about the network";

  // With another key the same who listened listen, once their neighbours have proven it anew.
  for (const std::size_t i : {0U, 1U}) {
    net.act(i, [&](Gossip& engine, Effects& out) { engine.change_realm(net.now(), realm, name(2), out); });
  }
  net.publish(0, "news", "nobody hears this yet", realm);
  net.run_for(seconds(5));
  EXPECT_EQ(net[1].delivered.size(), 1U);
  meet(0, 1);
  meet(0, 2);  // Of another name for the realm.
  net.run_for(seconds(30));
  net.publish(0, "news", "fish", realm);
  net.run_for(seconds(5));
  EXPECT_EQ(net[1].delivered.size(), 3U);
  EXPECT_TRUE(net[2].delivered.empty());
  net.check_invariants();

  net.act(1, [&](Gossip& engine, Effects& out) { engine.leave_realm(net.now(), realm, out); });
  EXPECT_EQ(net.engine(1).topics().size(), 1U) << "that of all";
  EXPECT_EQ(net.engine(0).topics().size(), 2U);
  net.check_invariants();
}

TEST(Topics, ATopicWithoutSubscribersIsLeft) {
  Net net(2);
  net.publish(0, kNews, "once");
  net.run_for(Config{}.linger + Config{}.publish_wait);
  EXPECT_TRUE(net.engine(0).topics().empty());
  EXPECT_TRUE(net[0].shown.empty());
}

TEST(Topics, RefuseWhatIsNoTopicAndWhatIsTooLarge) {
  Net net(1);
  Effects out;
  EXPECT_EQ(net.engine(0).subscribe(net.now(), "No Topic", out).error().code, Errc::invalid_argument);
  EXPECT_EQ(net.engine(0).unsubscribe(net.now(), kNews).error().code, Errc::not_found);
  net.publish(0, kNews, std::string(kMaxPayload + 1, 'x'));
  EXPECT_EQ(net[0].published.begin()->second.error().code, Errc::too_large);
}

TEST(HostileMembers, AForgedItemIsNeitherDeliveredNorHandedOn) {
  Pair pair;
  Bytes forged = pair.item(1, 1);
  forged.back() ^= 1;
  EXPECT_FALSE(pair.bring(forged));
  EXPECT_TRUE(pair.net[0].delivered.empty());
  // Nothing has changed by it: the true one is new.
  EXPECT_TRUE(pair.bring(pair.item(1, 1)));
  EXPECT_EQ(pair.net[0].delivered.size(), 1u);
}

TEST(HostileMembers, ReplaysAndSecondItemsOfOneNumberAreNotDelivered) {
  Pair pair;
  EXPECT_TRUE(pair.bring(pair.item(1, 1, "first")));
  EXPECT_TRUE(pair.bring(pair.item(1, 1, "first")));
  EXPECT_TRUE(pair.bring(pair.item(1, 1, "another")));
  ASSERT_EQ(pair.net[0].delivered.size(), 1u);
  EXPECT_EQ(as_text(pair.net[0].delivered[0].payload), "first");
  EXPECT_EQ(pair.net.status(0).refused, 1u);
}

TEST(HostileMembers, TheLargestNumbersHarmOnlyWhoSaysThem) {
  Pair pair;
  EXPECT_TRUE(pair.bring(pair.item(UINT64_MAX, UINT64_MAX), UINT32_MAX));
  EXPECT_EQ(pair.net[0].delivered.back().hops, kMaxRound);
  pair.net.run_for(minutes(1));
  publish_some(pair.net, 1, 3);
  EXPECT_EQ(pair.net[0].delivered.size(), 4u);
  pair.net.check_invariants();
}

TEST(HostileMembers, AFloodOfOnePublisherIsCutToItsRate) {
  Pair pair;
  for (std::uint64_t i = 1; i <= 1500; ++i) EXPECT_TRUE(pair.bring(pair.item(1, i)));
  EXPECT_EQ(pair.net[0].delivered.size(), Config{}.publish_burst);
  EXPECT_EQ(pair.net[0].misdeeds.size(), 1U) << "named once";
  publish_some(pair.net, 1, 1);
  EXPECT_EQ(pair.net[0].delivered.size(), Config{}.publish_burst + 1);
}

TEST(HostileMembers, WhoeverAnnouncesWhatItDoesNotHaveIsGivenUp) {
  Pair pair;
  for (std::uint64_t i = 0; i < 80 && pair.net[0].misdeeds.empty(); ++i) {
    Announce phantom{.topic = TopicId::of(kNews), .history = false, .items = {}};
    Announced item{.id = {}, .round = UINT32_MAX};
    put_be(MutableBytes(item.id.bytes).first(8), i + 1);
    phantom.items.push_back(item);
    EXPECT_TRUE(pair.net.receive(0, 1, wire::MessageType::topic_announce, wire::encode(phantom)));
    pair.net.run_for(seconds(2));
  }
  EXPECT_EQ(pair.net[0].misdeeds.size(), 1u);
}

TEST(HostileMembers, WhoeverPrunesEverybodyHarmsNoOther) {
  Net net(20);
  join_all(net);
  for (std::size_t i = 0; i < net.size(); ++i) {
    if (net[5].links.contains(i)) {
      EXPECT_TRUE(
          net.receive(i, 5, wire::MessageType::topic_prune, wire::encode(Prune{TopicId::of(kNews), net.id(0)})));
    }
  }
  const std::size_t before = delivered(net);
  publish_some(net, 0, 10);
  EXPECT_EQ(delivered(net) - before, 10 * (net.size() - 1));
}

TEST(HostileMembers, WhoeverPrunesForStrangersChangesNothing) {
  Net net(12);
  join_all(net);
  publish_some(net, 0, 3);
  const std::size_t peer = *net[3].links.begin();
  const std::size_t eager = net.status(3).eager;
  for (Byte i = 0; i < 200; ++i) {
    const Prune prune{TopicId::of(kNews), test::make_identity(i).id()};
    EXPECT_TRUE(net.receive(3, peer, wire::MessageType::topic_prune, wire::encode(prune)));
    const Graft graft{.topic = TopicId::of(kNews), .tree = true, .ids = {}, .publisher = prune.publisher};
    EXPECT_TRUE(net.receive(3, peer, wire::MessageType::topic_graft, wire::encode(graft)));
  }
  EXPECT_EQ(net.status(3).eager, eager);
  const std::size_t before = delivered(net);
  publish_some(net, 0, 5);
  EXPECT_EQ(delivered(net) - before, 5 * (net.size() - 1));
}

/// Each publishes once: no later number shows what is missing.
TEST(HostileMembers, WhoeverSwallowsAllKeepsNothingFromOthers) {
  for (Byte seed = 1; seed <= 10; ++seed) {
    Net net(6, {}, seed);
    join_all(net);
    constexpr std::size_t kSwallows = 5;
    publish_some(net, kSwallows, 1);  // All its links are in the tree that those of others begin as.
    net.passes = [](std::size_t from, std::size_t, ByteView) { return from != kSwallows; };
    const std::size_t before = delivered(net) - net[kSwallows].delivered.size();
    for (std::size_t i = 0; i < kSwallows; ++i) publish_some(net, i, 1);
    net.run_for(seconds(10));
    EXPECT_EQ(delivered(net) - net[kSwallows].delivered.size() - before, kSwallows * (kSwallows - 1)) << int{seed};
  }
}

TEST(HostileMembers, WhatIsLostOfTheBeginningOfARunIsAskedFor) {
  Net net(6);
  join_all(net);
  net.passes = [](std::size_t, std::size_t to, ByteView message) {
    const auto type = static_cast<wire::MessageType>(message[0]);
    return to != 4 || (type != wire::MessageType::topic_gossip && type != wire::MessageType::topic_announce);
  };
  publish_some(net, 0, 2);
  EXPECT_EQ(net[4].delivered.size(), 0u);
  EXPECT_TRUE(net[4].missed.empty());
  net.passes = nullptr;
  publish_some(net, 0, 1);
  net.run_for(seconds(30));
  EXPECT_EQ(net[4].delivered.size(), 3u);
  EXPECT_EQ(net[4].missed, std::vector{net.id(0)});  // Told when it was asked for, and it came.
  EXPECT_TRUE(net[3].missed.empty());
}

TEST(Topics, TellOfWhomSomethingWasHeardAndOverWhom) {
  Net net(6);
  join_all(net);
  publish_some(net, 0, 3);
  for (std::size_t i = 1; i < net.size(); ++i) {
    ASSERT_EQ(net[i].heard.size(), 3u) << i;
    for (const Heard& heard : net[i].heard) {
      EXPECT_EQ(heard.publisher, net.id(0));
      EXPECT_EQ(heard.at, net.now().wall);
      EXPECT_TRUE(std::ranges::any_of(net[i].links, [&](std::size_t peer) { return net.id(peer) == heard.from; }));
    }
  }
  EXPECT_TRUE(net[0].heard.empty());
}

TEST(HostileMembers, AFloodOfJoinsIsGrantedWithinARate) {
  Config config;
  Net net(60, config);
  net.subscribe(0, kNews);
  for (std::size_t i = 1; i < net.size(); ++i) {
    net[i].links.insert(0);
    net[0].links.insert(i);
    Effects out;
    net.engine(0).on_link_up(net.now(), net.id(i), out);
    out.take();
  }
  std::size_t accepted = 0;
  net.passes = [&](std::size_t from, std::size_t, ByteView message) {
    if (from == 0 && static_cast<wire::MessageType>(message[0]) == wire::MessageType::topic_answer) {
      accepted += wire::decode<Answer>(message.subspan(1))->verdict == Verdict::accepted ? 1 : 0;
    }
    return true;
  };
  for (std::size_t i = 1; i < net.size(); ++i) {
    EXPECT_TRUE(net.receive(0, i, wire::MessageType::topic_join, wire::encode(Join{TopicId::of(kNews)})));
  }
  EXPECT_EQ(accepted, config.join_burst);
  net.check_invariants();
}

}  // namespace
}  // namespace ekiden::gossip
