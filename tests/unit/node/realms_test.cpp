// Realms through whole nodes: members find each other and share topics and a registry; nobody else joins or reads.
#include <gtest/gtest.h>

#include <algorithm>

#include "gossip/messages.hpp"
#include "realm/members.hpp"
#include "registry/messages.hpp"
#include "support/identities.hpp"
#include "unit/node/harness.hpp"
#include "unit/node/stranger.hpp"
#include "wire/link_message.hpp"

namespace ekiden::node {
namespace {

using How = EnterRealm::How;
using Texts = std::vector<std::string>;

const std::string kKitchen = "kitchen";

class RealmsOfNodes : public testing::Test {
 protected:
  Status enter(std::size_t i, const std::string& name, How how, std::optional<realm::Realm> invitation = {}) {
    return done(i, net.request<EnterRealm>(i, name, how, std::move(invitation)));
  }
  Status leave(std::size_t i, const std::string& name) { return done(i, net.request<LeaveRealm>(i, name)); }
  /// As an invitation would tell it.
  realm::Realm realm_of(std::size_t i) { return net[i].node->realms().front().realm; }
  realm::Realm guess(std::size_t i) {
    realm::Realm guessed = realm_of(i);
    guessed.key = realm::RealmKey(ByteArray<32>{1});
    return guessed;
  }
  /// Node 0 makes a closed realm, and lets some in.
  void make_closed(std::initializer_list<std::size_t> others) {
    ASSERT_TRUE(enter(0, kKitchen, How::create_closed));
    for (const std::size_t i : others) ASSERT_TRUE(enter(i, kKitchen, How::invited, realm_of(0)));
    net.advance(minutes(2));
  }

  Status put(std::size_t i, const std::string& name, const std::string& value) {
    registry::Draft draft;
    draft.name = name;
    draft.value = to_bytes(as_bytes(value));
    return done(i, net.request<PutEntry>(i, draft, kKitchen));
  }
  std::string value_at(std::size_t i, std::size_t owner, const std::string& name) {
    const registry::Registry* registry = net[i].node->registry_of(kKitchen);
    if (registry == nullptr) return "no member";
    const auto view = registry->get(net.now(), net[owner].id, name);
    return !view || view->values.empty() ? "" : std::string(as_text(view->values.front().value));
  }

  void listen(std::size_t i) { ASSERT_TRUE(done(i, net.request<SubscribeTopic>(i, std::string("news"), kKitchen))); }
  void say(std::size_t i, const std::string& text) {
    net.request<PublishInTopic>(i, std::string("news"), to_bytes(as_bytes(text)), kKitchen);
    net.advance(seconds(12));
  }
  Texts texts_at(std::size_t i) {
    Texts all;
    for (const TopicMessage& message : net[i].topic_messages) {
      EXPECT_EQ(message.realm, kKitchen);
      all.emplace_back(as_text(message.payload));
    }
    return all;
  }
  std::size_t members_at(std::size_t i) { return net[i].node->realms().front().members; }

  Harness net = make_network(6);

 private:
  Status done(std::size_t i, std::uint64_t request) {
    net.advance(milliseconds(10));
    const auto& reply = net[i].replies.at(request);
    return reply ? Status() : std::unexpected(reply.error());
  }
};

TEST_F(RealmsOfNodes, AreForTheInvitedAndForNobodyElse) {
  make_closed({1, 2});
  // An open realm of the same name is another one, and so is that of whoever guesses.
  ASSERT_TRUE(enter(4, kKitchen, How::open));
  ASSERT_TRUE(enter(5, kKitchen, How::invited, guess(0)));
  for (const std::size_t i : {1U, 2U, 4U, 5U}) listen(i);
  net.advance(minutes(1));
  ASSERT_TRUE(put(1, "oven", "warm"));
  say(0, "soup");
  for (const std::size_t i : {0U, 1U, 2U}) {
    EXPECT_EQ(value_at(i, 1, "oven"), "warm") << i;
    EXPECT_GE(members_at(i), 1U) << i;
  }
  EXPECT_EQ(texts_at(1), Texts{"soup"});
  EXPECT_EQ(texts_at(2), Texts{"soup"});
  EXPECT_EQ(value_at(3, 1, "oven"), "no member");
  for (const std::size_t i : {4U, 5U}) {
    EXPECT_EQ(value_at(i, 1, "oven"), "") << i;
    EXPECT_EQ(members_at(i), 0U) << i;
    EXPECT_TRUE(texts_at(i).empty()) << i;
  }
  EXPECT_FALSE(net[3].node->registry().get(net.now(), net[1].id, "oven").has_value()) << "nor in that of all";
}

TEST_F(RealmsOfNodes, OutliveACrash) {
  make_closed({1, 2});
  ASSERT_TRUE(put(1, "oven", "warm"));
  ASSERT_TRUE(put(2, "sink", "full"));
  net.advance(seconds(5));
  net.crash(2);
  ASSERT_TRUE(put(1, "oven", "hot"));
  net.boot(2);
  EXPECT_EQ(value_at(2, 1, "oven"), "warm") << "from its disk";
  net.advance(minutes(2));
  EXPECT_EQ(value_at(2, 1, "oven"), "hot");
  ASSERT_TRUE(put(2, "sink", "empty"));
  net.advance(seconds(5));
  EXPECT_EQ(value_at(0, 2, "sink"), "empty");
}

TEST_F(RealmsOfNodes, WhoDoesNotGetTheNewKeyReadsNothingNew) {
  make_closed({1, 2});
  for (const std::size_t i : {1U, 2U}) listen(i);
  ASSERT_TRUE(put(1, "oven", "warm"));
  say(0, "soup");
  ASSERT_EQ(texts_at(2), Texts{"soup"});
  ASSERT_TRUE(enter(0, kKitchen, How::change_key));
  ASSERT_TRUE(enter(1, kKitchen, How::invited, realm_of(0)));
  net.advance(minutes(2));
  ASSERT_TRUE(put(0, "sink", "full"));
  ASSERT_TRUE(put(2, "floor", "wet"));
  say(0, "fish");
  EXPECT_EQ(texts_at(1), (Texts{"soup", "fish"})) << "who listens goes on with another key";
  EXPECT_EQ(texts_at(2), Texts{"soup"});
  EXPECT_EQ(value_at(1, 0, "sink"), "full");
  EXPECT_EQ(value_at(2, 0, "sink"), "");
  EXPECT_EQ(value_at(2, 1, "oven"), "warm") << "what it had, it has";
  EXPECT_EQ(value_at(0, 2, "floor"), "") << "nor is it heard";
  EXPECT_EQ(value_at(0, 1, "oven"), "warm") << "the entries stay when the key changes";
  EXPECT_EQ(members_at(2), 0U);
}

TEST_F(RealmsOfNodes, AreForgottenWhenTheyAreLeft) {
  make_closed({1, 2});
  const realm::Realm invitation = realm_of(0);
  ASSERT_TRUE(put(1, "oven", "warm"));
  listen(1);
  net.advance(seconds(5));
  ASSERT_EQ(value_at(2, 1, "oven"), "warm");
  ASSERT_TRUE(leave(2, kKitchen));
  EXPECT_EQ(leave(2, kKitchen).error().code, Errc::not_found);
  EXPECT_EQ(value_at(2, 1, "oven"), "no member");
  for (const store::Row& row : net[2].disk.rows()) {
    EXPECT_TRUE(row.key.table != store::Table::realms && row.key.table != store::Table::realm_registry);
  }
  EXPECT_TRUE(net[1].left_realms.empty());
  ASSERT_TRUE(leave(1, kKitchen));
  EXPECT_EQ(net[1].left_realms, Texts{kKitchen});
  EXPECT_TRUE(net[1].node->status().topics.empty());
  EXPECT_EQ(put(1, "oven", "cold").error().code, Errc::not_found);
  ASSERT_TRUE(enter(2, kKitchen, How::invited, invitation));
  net.advance(minutes(2));
  EXPECT_EQ(value_at(2, 1, "oven"), "warm") << "from node 0, where it lives until it expires";
  net.crash(2);
  net.boot(2);
  EXPECT_EQ(value_at(2, 1, "oven"), "warm");
}

TEST_F(RealmsOfNodes, OpenOnesAreForWhoeverKnowsTheName) {
  for (const std::size_t i : {1U, 4U}) ASSERT_TRUE(enter(i, kKitchen, How::open));
  net.advance(minutes(2));
  ASSERT_TRUE(put(1, "oven", "warm"));
  net.advance(seconds(5));
  EXPECT_EQ(value_at(4, 1, "oven"), "warm");
}

TEST_F(RealmsOfNodes, RefuseWhatCannotBe) {
  EXPECT_EQ(enter(0, "No Name", How::open).error().code, Errc::invalid_argument);
  EXPECT_EQ(enter(0, kKitchen, How::change_key).error().code, Errc::not_found);
  ASSERT_TRUE(enter(0, kKitchen, How::open));
  EXPECT_TRUE(enter(0, kKitchen, How::open)) << "again";
  EXPECT_EQ(enter(0, kKitchen, How::create_closed).error().code, Errc::already_exists);
  Rng rng = test::make_rng(9);
  const realm::Realm other = realm::Realm::make_closed(kKitchen, rng);
  EXPECT_EQ(enter(0, kKitchen, How::invited, other).error().code, Errc::already_exists);
  EXPECT_EQ(enter(0, "hall", How::invited, other).error().code, Errc::invalid_argument) << "to another realm";
  EXPECT_EQ(enter(0, "hall", How::invited).error().code, Errc::invalid_argument) << "without an invitation";
  EXPECT_EQ(enter(0, "hall", How::open, realm::Realm::open("hall")).error().code, Errc::invalid_argument);
  EXPECT_EQ(enter(0, kKitchen, How::change_key).error().code, Errc::invalid_argument);
  for (std::size_t i = 1; i < realm::kMaxRealms; ++i) ASSERT_TRUE(enter(0, "r" + std::to_string(i), How::open));
  EXPECT_EQ(enter(0, "one-more", How::open).error().code, Errc::limit_exceeded);
  const auto nowhere = net.request<SubscribeTopic>(0, std::string("news"), std::string("nowhere"));
  EXPECT_EQ(net[0].replies.at(nowhere).error().code, Errc::not_found);
}

TEST_F(RealmsOfNodes, AnotherOfTheSameNameDoesNotTakeTheirPlace) {
  make_closed({1});
  ASSERT_TRUE(enter(2, kKitchen, How::create_closed));
  EXPECT_EQ(enter(1, kKitchen, How::invited, realm_of(2)).error().code, Errc::already_exists);
  EXPECT_EQ(realm_of(1), realm_of(0));
  ASSERT_TRUE(enter(0, kKitchen, How::change_key));
  EXPECT_NE(realm_of(1), realm_of(0));
  EXPECT_TRUE(enter(1, kKitchen, How::invited, realm_of(0))) << "the same with another key does";
  EXPECT_EQ(realm_of(1), realm_of(0));
}

TEST_F(RealmsOfNodes, AnOldInvitationDoesNotBringBackAnOldKey) {
  make_closed({1});
  const realm::Realm old = realm_of(0);
  ASSERT_TRUE(enter(0, kKitchen, How::change_key));
  const realm::Realm now = realm_of(0);
  EXPECT_EQ(enter(0, kKitchen, How::invited, old).error().code, Errc::already_exists);
  realm::Realm made_up = now;
  made_up.key = old.key;
  EXPECT_EQ(enter(0, kKitchen, How::invited, made_up).error().code, Errc::already_exists) << "as new as ours";
  EXPECT_TRUE(enter(0, kKitchen, How::invited, now)) << "ours again";
  EXPECT_EQ(realm_of(0), now);
}

TEST_F(RealmsOfNodes, TwoRealmsWithOneTagAreTwo) {
  make_closed({1});
  ASSERT_TRUE(put(1, "oven", "warm"));
  net.advance(seconds(5));
  realm::Realm party = realm_of(1);
  party.name = "a-party";
  ASSERT_TRUE(enter(1, party.name, How::invited, party));
  net.crash(1);
  net.boot(1);
  EXPECT_EQ(value_at(1, 1, "oven"), "warm");
  EXPECT_EQ(net[1].node->registry_of(party.name)->replica().size(), 0U);
  ASSERT_TRUE(leave(1, party.name));
  net.crash(1);
  net.boot(1);
  EXPECT_EQ(value_at(1, 1, "oven"), "warm");
}

TEST_F(RealmsOfNodes, WhatWaitsToBePublishedFailsWithTheOldKey) {
  make_closed({});
  const auto request = net.request<PublishInTopic>(0, std::string("news"), to_bytes(as_bytes("soup")), kKitchen);
  net.advance(milliseconds(10));
  EXPECT_FALSE(net[0].published.contains(request)) << "nobody is there";
  ASSERT_TRUE(enter(0, kKitchen, How::change_key));
  ASSERT_TRUE(net[0].published.contains(request));
  EXPECT_EQ(net[0].published.at(request).error().code, Errc::closed);
}

TEST_F(RealmsOfNodes, WhatIsLeftBehindOnTheDiskKeepsNobodyFromStarting) {
  make_closed({1});
  ASSERT_TRUE(put(1, "oven", "warm"));
  net.advance(seconds(5));
  const auto rows = [&](store::Table table) {
    const auto all = net[1].disk.rows();
    return std::ranges::count_if(all, [&](const store::Row& row) { return row.key.table == table; });
  };
  ASSERT_GT(rows(store::Table::realm_registry), 0);
  net.crash(1);
  net.tune = [](std::size_t, Config& config) { config.hold_registry = false; };
  net.boot(1);
  ASSERT_TRUE(leave(1, kKitchen));
  EXPECT_EQ(rows(store::Table::realm_registry), 0) << "what was on the disk is erased unread";
  // Rows of a realm that nobody knows of are erased, too.
  store::Batch stray;
  stray.put(store::Table::realm_registry, ByteArray<32>{7}, {1, 2, 3});
  net[1].disk.apply(stray);
  net.crash(1);
  net.tune = {};
  net.boot(1);
  net.advance(seconds(1));
  EXPECT_EQ(rows(store::Table::realm_registry), 0);
}

TEST_F(RealmsOfNodes, WhatAMemberSaysIsOfNoUseElsewhere) {
  make_closed({1});
  ASSERT_TRUE(put(1, "oven", "warm"));
  net.advance(seconds(5));
  const auto held =
      net[0].node->registry_of(kKitchen)->replica().find(registry::EntryId::of(net[1].id, net[1].id, "oven"));
  ASSERT_NE(held, nullptr);
  const auto entry = registry::read_entry(held->signed_bytes());
  ASSERT_TRUE(entry);
  EXPECT_FALSE(registry::verify_entry(held->signed_bytes(), *entry)) << "in the registry of all";
  EXPECT_TRUE(registry::verify_entry(held->signed_bytes(), *entry, to_bytes(realm_of(0).domain())));
}

/// Somebody at a link who knows how a realm is called by its members, but not its key.
class RealmIntruder : public StrangerTest {
 protected:
  RealmIntruder() : StrangerTest(gossip::kGossipFeature | registry::kRegistryFeature | realm::kRealmFeature) {
    node_.handle(now_, EnterRealm{RequestId{1}, kKitchen, How::create_closed}, node_out_);
    node_.handle(now_, SubscribeTopic{RequestId{2}, "news", kKitchen}, node_out_);
    pump();
    registry::Draft draft;
    draft.name = "oven";
    node_.handle(now_, PutEntry{RequestId{3}, draft, kKitchen}, node_out_);
    pump();
    realm_ = node_.realms().front().realm;
  }

  /// As the node would say it to a member.
  void say_hello(const realm::Realm& realm) {
    realm::Members members(stranger_.id());
    realm::Effects out;
    ASSERT_TRUE(members.enter(realm, out));
    members.on_link_up(node_.self().id(), out);
    for (const realm::Effect& effect : out.take()) {
      send(wire::MessageType::realm_hello, ByteView(*std::get<realm::Transmit>(effect).message).subspan(1));
    }
  }
  void ask() {
    answers_.clear();
    send(wire::MessageType::topic_join, wire::encode(gossip::Join{gossip::TopicId::of(realm_.id().bytes, "news")}));
    const auto question = wire::link_message(wire::MessageType::registry_ask, registry::Ask{});
    send(wire::MessageType::realm_message, wire::encode(realm::Carried{realm_.id(), *question}));
    pass(seconds(20));
  }
  bool was_answered(wire::MessageType type) const {
    return std::ranges::any_of(answers_, [&](const Bytes& each) { return each[0] == static_cast<Byte>(type); });
  }
  bool was_let_in() const {
    for (const Bytes& each : answers_) {
      if (each[0] != static_cast<Byte>(wire::MessageType::topic_answer)) continue;
      const auto answer = wire::decode<gossip::Answer>(ByteView(each).subspan(1));
      if (answer && answer->verdict == gossip::Verdict::accepted) return true;
    }
    return was_answered(wire::MessageType::realm_message);
  }

  realm::Realm realm_;
};

TEST_F(RealmIntruder, HearsNothing) {
  ask();
  EXPECT_FALSE(was_let_in());
  realm::Realm guessed = realm_;
  guessed.key = realm::RealmKey(ByteArray<32>{9});
  say_hello(guessed);
  ask();
  EXPECT_FALSE(was_let_in());
  EXPECT_EQ(node_.realms().front().members, 0U);
}

TEST_F(RealmIntruder, WithTheKeyIsAMember) {
  say_hello(realm_);
  EXPECT_EQ(node_.realms().front().members, 1U);
  ask();
  EXPECT_TRUE(was_let_in());
}

}  // namespace
}  // namespace ekiden::node
