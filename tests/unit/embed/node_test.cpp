// The C++ API as a program uses it: two nodes in this process, over real sockets and disks.
#include <gtest/gtest.h>

#include <atomic>
#include <ekiden/ekiden.hpp>
#include <future>
#include <set>
#include <thread>
#include <vector>

#include "support/temporary_directory.hpp"

namespace ekiden {
namespace {

using namespace std::chrono_literals;

/// Only a failure takes so long.
constexpr auto kPatience = 20s;
constexpr auto kAtOnce = 1ms;

class EmbedTest : public ::testing::Test {
 protected:
  Node start(const std::string& name) {
    auto node = Node::start({.data_dir = directory_ / name, .listen = {"tcp://127.0.0.1:0"}, .strangers = strangers_});
    if (!node) throw std::runtime_error(node.error().message);
    return std::move(*node);
  }

  /// Two nodes; alice knows where bob is.
  void SetUp() override {
    alice_ = start("alice");
    bob_ = start("bob");
    ASSERT_TRUE(alice_->add_contact("bob", bob_->id(), bob_->listening()));
  }

  std::string send(const std::string& body) {
    const auto id = alice_->send({.to = bob_->id(), .body = body});
    EXPECT_TRUE(id) << id.error().message;
    return id.value_or("");
  }

  test::TemporaryDirectory directory_;
  std::string strangers_ = "accept";
  std::optional<Node> alice_;
  std::optional<Node> bob_;
};

TEST_F(EmbedTest, ATopicReachesItsSubscribers) {
  send("hello");
  ASSERT_TRUE(bob_->receive(kPatience));  // The link is there.
  std::promise<TopicMessage> heard;
  ASSERT_TRUE(bob_->subscribe("weather/tokyo", [&](const TopicMessage& message) { heard.set_value(message); }));
  EXPECT_EQ(bob_->subscribe("weather/tokyo", {}).error().code, Errc::already_exists);
  EXPECT_EQ(bob_->subscribe("No Topic", {}).error().code, Errc::invalid_argument);
  const auto published = alice_->publish("weather/tokyo", "sunny");
  ASSERT_TRUE(published) << published.error().message;
  EXPECT_EQ(published->sequence, 1U);
  EXPECT_EQ(published->neighbours, 1U);
  auto item = heard.get_future();
  ASSERT_EQ(item.wait_for(kPatience), std::future_status::ready);
  const TopicMessage message = item.get();
  EXPECT_EQ(message.from, alice_->id());
  EXPECT_EQ(message.body, "sunny");
  EXPECT_EQ(message.topic, "weather/tokyo");
  EXPECT_TRUE(bob_->unsubscribe("weather/tokyo"));
  EXPECT_EQ(bob_->unsubscribe("weather/tokyo").error().code, Errc::not_found);
}

TEST_F(EmbedTest, TheRegistryIsSharedAndWatched) {
  std::promise<std::string> heard;
  bob_->watch([&, first = true](const PeerId&, const std::string& name) mutable {
    if (std::exchange(first, false)) heard.set_value(name);
  });
  const auto put = alice_->put({.name = "printers/third-floor",
                                .value = "tcp://10.0.3.9:631",
                                .capability = "print/colour",
                                .metadata = {{"paper", "a4"}}});
  ASSERT_TRUE(put) << put.error().message;
  EXPECT_EQ(alice_->put({.name = "No Name"}).error().code, Errc::invalid_argument);
  send("hello");
  ASSERT_TRUE(bob_->receive(kPatience));  // The link is there.
  auto name = heard.get_future();
  ASSERT_EQ(name.wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(name.get(), "printers/third-floor");
  const auto found = bob_->entries({.capability = "print", .metadata = {{"paper", "a4"}}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].value, "tcp://10.0.3.9:631");
  EXPECT_EQ(found[0].owner, alice_->id());
  EXPECT_TRUE(bob_->entries({.capability = "print", .metadata = {{"paper", "a3"}}}).empty());
  EXPECT_EQ(bob_->remove("printers/third-floor").error().code, Errc::not_found);
  bob_->watch({});
  EXPECT_TRUE(alice_->remove("printers/third-floor"));
  EXPECT_TRUE(alice_->entries().empty());
}

TEST_F(EmbedTest, AClosedRealmIsEnteredByInvitationAndHasARegistryOfItsOwn) {
  const auto invitation = alice_->create_realm("kitchen");
  ASSERT_TRUE(invitation) << invitation.error().message;
  ASSERT_TRUE(bob_->enter_realm(*invitation));
  EXPECT_EQ(bob_->invitation("kitchen"), *invitation);
  std::promise<std::string> heard;
  alice_->watch(
      [&, first = true](const PeerId&, const std::string& name) mutable {
        if (std::exchange(first, false)) heard.set_value(name);
      },
      "kitchen");
  std::atomic<int> elsewhere = 0;
  alice_->watch([&](const PeerId&, const std::string&) { ++elsewhere; });
  const auto put = bob_->put({.name = "oven/1", .value = "warm", .realm = "kitchen"});
  ASSERT_TRUE(put) << put.error().message;
  send("hello");
  ASSERT_TRUE(bob_->receive(kPatience));  // The link is there.
  auto name = heard.get_future();
  ASSERT_EQ(name.wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(name.get(), "oven/1");
  const auto found = alice_->entries({.realm = "kitchen"});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].owner, bob_->id());
  EXPECT_TRUE(alice_->entries().empty());
  const auto realms = alice_->realms();
  ASSERT_EQ(realms.size(), 1U);
  EXPECT_EQ(realms[0].name, "kitchen");
  EXPECT_TRUE(realms[0].closed);
  EXPECT_EQ(realms[0].members, 1U);
  EXPECT_EQ(realms[0].entries, 1U);
  alice_->watch({}, "kitchen");
  alice_->watch({});
  EXPECT_EQ(elsewhere, 0);
  ASSERT_TRUE(alice_->leave_realm("kitchen"));
  EXPECT_TRUE(alice_->realms().empty());
  EXPECT_TRUE(alice_->entries({.realm = "kitchen"}).empty());
  EXPECT_EQ(alice_->put({.name = "oven/2", .realm = "kitchen"}).error().code, Errc::not_found);
}

TEST_F(EmbedTest, InvitationsAreForClosedRealmsThatTheNodeIsIn) {
  EXPECT_EQ(alice_->invitation("kitchen").error().code, Errc::not_found);
  EXPECT_EQ(alice_->change_realm_key("kitchen").error().code, Errc::not_found);
  EXPECT_EQ(alice_->leave_realm("kitchen").error().code, Errc::not_found);
  ASSERT_TRUE(alice_->enter_realm("garden"));
  EXPECT_EQ(alice_->invitation("garden").error().code, Errc::invalid_argument);
  EXPECT_EQ(alice_->change_realm_key("garden").error().code, Errc::invalid_argument);
  EXPECT_EQ(alice_->enter_realm("No Name").error().code, Errc::invalid_argument);
  const auto first = alice_->create_realm("kitchen");
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(alice_->create_realm("kitchen").error().code, Errc::already_exists);
  const auto mistyped = bob_->enter_realm(first->substr(0, first->size() - 1));
  ASSERT_FALSE(mistyped);
  EXPECT_EQ(mistyped.error().code, Errc::malformed);
  EXPECT_EQ(mistyped.error().message.find(first->substr(8, 12)), std::string::npos) << "it is a secret";
  const auto second = alice_->change_realm_key("kitchen");
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_NE(*second, *first);
  EXPECT_EQ(alice_->invitation("kitchen"), *second);
}

TEST_F(EmbedTest, SubscriptionsInARealmEndWithIt) {
  ASSERT_TRUE(alice_->enter_realm("garden"));
  const auto ignore = [](const TopicMessage&) {};
  ASSERT_TRUE(alice_->subscribe("news", ignore, "garden"));
  EXPECT_EQ(alice_->subscribe("news", ignore, "garden").error().code, Errc::already_exists);
  EXPECT_TRUE(alice_->subscribe("news", ignore)) << "another topic of that name";
  ASSERT_TRUE(alice_->leave_realm("garden"));
  EXPECT_EQ(alice_->subscribe("news", ignore, "garden").error().code, Errc::not_found);
  EXPECT_EQ(alice_->unsubscribe("news", "garden").error().code, Errc::not_found);
  ASSERT_TRUE(alice_->enter_realm("garden"));
  EXPECT_TRUE(alice_->subscribe("news", ignore, "garden"));
  EXPECT_TRUE(alice_->unsubscribe("news", "garden"));
  EXPECT_TRUE(alice_->unsubscribe("news"));
}

TEST_F(EmbedTest, TheNetworkIsWholeWhileNobodyIsMissed) {
  std::atomic<int> changes = 0;
  alice_->on_network_change([&](const NetworkChange&) { ++changes; });
  send("hello");
  ASSERT_TRUE(bob_->receive(kPatience));
  // Heartbeats follow the link.
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (alice_->network().back().here < 2 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  const auto network = alice_->network();
  ASSERT_EQ(network.size(), 1U);
  EXPECT_EQ(network.back().state, NetworkState::whole);
  EXPECT_EQ(network.back().here, 2U);
  EXPECT_EQ(network.back().away, 0U);
  EXPECT_TRUE(network.back().other_side.empty() && !network.back().healed);
  alice_->on_network_change({});
  EXPECT_EQ(changes, 0);
}

TEST_F(EmbedTest, AMessageArrivesWithAllThatWasSaidAboutIt) {
  const auto before = std::chrono::system_clock::now() - 1s;
  const auto id = alice_->send({.to = bob_->id(),
                                .body = std::string("a\0b", 3),
                                .type = "greeting",
                                .content_type = "text/plain",
                                .in_reply_to = "7c9e6679-7425-40de-944b-e07fc1f90ae7",
                                .priority = Priority::high,
                                .conversation = "tea"});
  ASSERT_TRUE(id) << id.error().message;
  const auto message = bob_->receive(kPatience);
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(message->id, *id);
  EXPECT_EQ(message->from, alice_->id());
  EXPECT_EQ(message->body, std::string("a\0b", 3));
  EXPECT_EQ(message->type, "greeting");
  EXPECT_EQ(message->content_type, "text/plain");
  EXPECT_EQ(message->in_reply_to, "7c9e6679-7425-40de-944b-e07fc1f90ae7");
  EXPECT_EQ(message->priority, Priority::high);
  EXPECT_EQ(message->delivery, Delivery::durable);
  EXPECT_TRUE(message->ordered);
  EXPECT_EQ(message->conversation, "tea");
  EXPECT_EQ(message->missing, 0u);
  EXPECT_FALSE(message->late);
  EXPECT_GT(message->sent, before);
  EXPECT_GT(message->received, before);
  EXPECT_EQ(alice_->wait_settled(*id, kPatience), MessageState::delivered);
  EXPECT_TRUE(bob_->take(*message));
  EXPECT_EQ(bob_->take(*message).error().code, Errc::not_found);
}

TEST_F(EmbedTest, WhatAStrangerWritesWaitsUntilItIsAccepted) {
  bob_.reset();
  strangers_ = "queue";
  bob_ = start("bob");
  ASSERT_TRUE(alice_->add_contact("bob", bob_->id(), bob_->listening()));
  std::promise<Message> arrived;
  bob_->on_message([&](const Message& message) { arrived.set_value(message); });
  const auto id = send("may I come in?");
  EXPECT_EQ(alice_->wait_settled(id, kPatience), MessageState::delivered) << "it is on bob's disk";
  const auto waiting = bob_->contact_requests();
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_EQ(waiting[0].id, alice_->id());
  EXPECT_EQ(waiting[0].messages, 1U);
  EXPECT_EQ(waiting[0].first_body, "may I come in?");
  ASSERT_TRUE(bob_->accept(alice_->id(), "alice"));
  const auto message = arrived.get_future().get();
  EXPECT_EQ(message.id, id);
  EXPECT_EQ(message.tier, TrustTier::contact);
  EXPECT_TRUE(bob_->contact_requests().empty());
  ASSERT_TRUE(bob_->trust(alice_->id(), true));
  EXPECT_EQ(bob_->contacts().at(0).tier, TrustTier::trusted);
  ASSERT_TRUE(bob_->block(alice_->id()));
  ASSERT_TRUE(bob_->unblock(alice_->id()));
  EXPECT_EQ(bob_->unblock(alice_->id()).error().code, Errc::not_found);
}

TEST_F(EmbedTest, AQuestionIsAnsweredByAHandler) {
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  const auto handler = [&](const Request& request) -> Result<Reply> {
    most = std::max(most.load(), ++running);
    const std::string body = request.body;
    --running;
    if (body == "no") return std::unexpected(Error{Errc::refused, "I will not"});
    return Reply{.body = "re: " + body, .type = request.capability};
  };
  ASSERT_TRUE(bob_->serve("echo", 2, handler));
  EXPECT_EQ(bob_->serve("echo", 2, handler).error().code, Errc::already_exists);
  EXPECT_EQ(bob_->serve("x", 0, handler).error().code, Errc::invalid_argument);
  const auto answer = alice_->ask({.to = bob_->id(), .body = "hello", .timeout = kPatience});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "re: hello");
  EXPECT_EQ(answer->type, "echo");
  EXPECT_EQ(answer->from, bob_->id());

  std::vector<std::future<Result<Answer>>> answers;
  for (int i = 0; i < 20; ++i) {
    answers.push_back(alice_->ask_async({.capability = "echo", .body = std::to_string(i), .timeout = kPatience}));
  }
  for (int i = 0; i < 20; ++i) {
    const auto each = answers[static_cast<std::size_t>(i)].get();
    ASSERT_TRUE(each) << each.error().message;
    EXPECT_EQ(each->body, "re: " + std::to_string(i));
  }
  EXPECT_LE(most.load(), 2);
  const auto refused = alice_->ask({.to = bob_->id(), .body = "no", .timeout = kPatience});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), (Error{Errc::failed, "I will not"}));
  EXPECT_EQ(bob_->receive(kAtOnce).error().code, Errc::timed_out) << "requests are no messages";

  ASSERT_TRUE(bob_->stop_serving("echo"));
  EXPECT_EQ(bob_->stop_serving("echo").error().code, Errc::not_found);
  EXPECT_EQ(alice_->ask({.to = bob_->id(), .body = "hello", .timeout = kPatience}).error().code, Errc::failed);
  EXPECT_EQ(alice_->ask({.capability = "nothing", .timeout = kPatience}).error().code, Errc::not_found);
}

TEST_F(EmbedTest, AMessageGoesToWhoeverOffers) {
  ASSERT_TRUE(bob_->serve("print/a4", 1, [](const Request&) { return Reply{}; }));
  ASSERT_TRUE(alice_->ask({.to = bob_->id(), .timeout = kPatience}));
  const auto placed = alice_->send_to_capability("print", {.body = "page"});
  ASSERT_TRUE(placed) << placed.error().message;
  EXPECT_EQ(placed->to, bob_->id());
  EXPECT_EQ(placed->capability, "print/a4");
  EXPECT_TRUE(placed->linked);
  EXPECT_EQ(bob_->receive(kPatience)->body, "page");
}

TEST_F(EmbedTest, WhatWasNotTakenComesAgainAfterARestartAndWhatWasTakenDoesNot) {
  const std::set<std::string> sent = {send("one"), send("two")};
  const auto first = bob_->receive(kPatience);
  const auto second = bob_->receive(kPatience);
  ASSERT_TRUE(first && second);
  EXPECT_EQ((std::set{first->id, second->id}), sent);
  ASSERT_TRUE(bob_->take(*first));
  bob_.reset();
  bob_ = start("bob");
  const auto again = bob_->receive(kPatience);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->id, second->id);
  EXPECT_EQ(again->number, second->number);
  EXPECT_EQ(bob_->receive(kAtOnce).error().code, Errc::timed_out);
}

TEST_F(EmbedTest, AHandlerGetsWhatWaitsAndThenWhatArrives) {
  send("before");
  ASSERT_TRUE(bob_->receive(kPatience));
  bob_.reset();
  bob_ = start("bob");
  ASSERT_TRUE(alice_->add_contact("bob", bob_->id(), bob_->listening()));
  std::promise<void> done;
  std::vector<std::string> bodies;
  bob_->on_message([&](const Message& message) {
    bodies.push_back(message.body);
    bob_->take(message, [](Status) {});
    if (message.body == "after") done.set_value();
  });
  send("after");
  ASSERT_EQ(done.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(bodies, (std::vector<std::string>{"before", "after"}));
}

TEST_F(EmbedTest, CallbacksMaySendAndStatesAreTold) {
  std::promise<std::string> answered;
  bob_->on_message([&](const Message& message) {
    bob_->send({.to = message.from, .body = "well met", .in_reply_to = message.id}, [](Result<std::string>) {});
  });
  alice_->on_message([&](const Message& message) { answered.set_value(message.in_reply_to); });
  std::promise<void> delivered;
  alice_->on_state([&](const std::string&, MessageState state) {
    if (state == MessageState::delivered) delivered.set_value();
  });
  const auto id = send("hello");
  auto answer = answered.get_future();
  ASSERT_EQ(answer.wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(answer.get(), id);
  EXPECT_EQ(delivered.get_future().wait_for(kPatience), std::future_status::ready);
}

TEST_F(EmbedTest, VolatileMessagesArriveAndNeedNoTaking) {
  send("brings up a link");
  ASSERT_TRUE(bob_->receive(kPatience));
  const auto id = alice_->send({.to = bob_->id(), .body = "now", .delivery = Delivery::volatile_});
  ASSERT_TRUE(id);
  EXPECT_EQ(alice_->wait_settled(*id, kPatience), MessageState::sent);
  const auto message = bob_->receive(kPatience);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->body, "now");
  EXPECT_EQ(message->delivery, Delivery::volatile_);
  EXPECT_TRUE(bob_->take(*message));
}

TEST_F(EmbedTest, ManyThreadsMaySendAtOnce) {
  constexpr int kThreads = 4;
  constexpr int kEach = 25;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kEach; ++i) send(std::to_string(thread * kEach + i));
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<std::string> bodies;
  for (int i = 0; i < kThreads * kEach; ++i) {
    const auto message = bob_->receive(kPatience);
    ASSERT_TRUE(message);
    bodies.insert(message->body);
  }
  EXPECT_EQ(bodies.size(), static_cast<std::size_t>(kThreads * kEach));
}

TEST_F(EmbedTest, AnIdOfOnesOwnMakesSendingIdempotent) {
  const OutgoingMessage message{.to = bob_->id(), .body = "once", .id = "0f8fad5b-d9cb-469f-a165-70867728950e"};
  EXPECT_EQ(alice_->send(message), message.id);
  EXPECT_EQ(alice_->send(message), message.id);
  auto other = message;
  other.body = "twice";
  EXPECT_EQ(alice_->send(other).error().code, Errc::already_exists);
  ASSERT_TRUE(bob_->receive(kPatience));
  EXPECT_EQ(alice_->wait_settled(message.id, kPatience), MessageState::delivered);
  EXPECT_EQ(bob_->receive(kAtOnce).error().code, Errc::timed_out);
}

TEST_F(EmbedTest, WhatMakesNoSenseIsRefusedWithItsReason) {
  const auto error_of = [&](OutgoingMessage message) { return alice_->send(std::move(message)).error().code; };
  EXPECT_EQ(error_of({.to = bob_->id(), .body = std::string(40'000, 'x')}), Errc::too_large);
  EXPECT_EQ(error_of({.to = bob_->id(), .id = "no uuid"}), Errc::malformed);
  EXPECT_EQ(error_of({.to = alice_->id(), .body = "to myself"}), Errc::invalid_argument);
  EXPECT_EQ(error_of({.to = bob_->id(), .ttl = 0ms}), Errc::invalid_argument);
  EXPECT_FALSE(alice_->add_contact("carol", bob_->id(), {"nonsense"}));
  EXPECT_FALSE(PeerId::parse("ek1nonsense"));
  EXPECT_EQ(PeerId::parse(alice_->id().text()), alice_->id());
  EXPECT_EQ(alice_->wait_settled("no uuid", kAtOnce).error().code, Errc::malformed);
  EXPECT_EQ(alice_->wait_settled("0f8fad5b-d9cb-469f-a165-70867728950e", kAtOnce).error().code, Errc::not_found);
}

TEST_F(EmbedTest, WaitingForAPeerThatIsAwayTimesOutAndTheMessageStays) {
  bob_.reset();
  const auto id = alice_->send({.to = start("carol").id(), .body = "for later"});
  ASSERT_TRUE(id);
  EXPECT_EQ(alice_->wait_settled(*id, kAtOnce).error().code, Errc::timed_out);
}

TEST_F(EmbedTest, AMessageThatNobodyTookExpires) {
  bob_.reset();
  const PeerId carol = start("carol").id();
  auto id = alice_->send({.to = carol, .body = "short-lived", .ttl = 20ms});
  // On a slow disk it is over before it is accepted.
  for (auto ttl = 40ms; !id && id.error().code == Errc::expired; ttl *= 2) {
    id = alice_->send({.to = carol, .body = "short-lived", .ttl = ttl});
  }
  ASSERT_TRUE(id) << id.error().message;
  EXPECT_EQ(alice_->wait_settled(*id, kPatience), MessageState::expired);
}

TEST_F(EmbedTest, TheStoryOfAMessageIsToldOnBothSides) {
  const auto before = std::chrono::system_clock::now() - 1s;
  const auto id = send("hello");
  ASSERT_TRUE(bob_->receive(kPatience));
  ASSERT_EQ(alice_->wait_settled(id, kPatience), MessageState::delivered);
  const auto sent = alice_->trace(id);
  ASSERT_TRUE(sent) << sent.error().message;
  EXPECT_EQ(sent->id, id);
  EXPECT_EQ(sent->peer, bob_->id());
  EXPECT_TRUE(sent->outgoing);
  EXPECT_EQ(sent->state, MessageState::delivered);
  EXPECT_EQ(sent->size, 5u);
  EXPECT_GE(sent->attempts, 1u);
  EXPECT_GT(sent->accepted, before);
  EXPECT_GE(sent->delivered, sent->accepted);
  EXPECT_GT(sent->expires, sent->accepted + 24h * 6);
  EXPECT_FALSE(sent->receipt.empty());
  ASSERT_GE(sent->steps.size(), 2u);
  EXPECT_EQ(sent->steps.front().what, "accepted and stored");
  EXPECT_NE(sent->steps.back().what.find("receipt verified"), std::string::npos);
  EXPECT_GE(sent->steps.back().at, sent->steps.front().at);
  const auto arrived = bob_->trace(id);
  ASSERT_TRUE(arrived) << arrived.error().message;
  EXPECT_FALSE(arrived->outgoing);
  EXPECT_EQ(arrived->peer, alice_->id());
}

TEST_F(EmbedTest, AMessageForSomebodyWhoWasAwayIsTriedAgainAtOnce) {
  const auto address = bob_->listening();
  bob_.reset();
  const auto id = alice_->send({.to = alice_->contacts().front().id, .body = "for later"});
  ASSERT_TRUE(id);
  EXPECT_TRUE(alice_->trace(*id)->receipt.empty());
  auto bob = Node::start({.data_dir = directory_ / "bob", .listen = address});
  ASSERT_TRUE(bob) << bob.error().message;
  EXPECT_TRUE(alice_->retry(*id));
  EXPECT_EQ(alice_->wait_settled(*id, kPatience), MessageState::delivered);
}

TEST_F(EmbedTest, OnlyOutgoingMessagesThatAreKnownCanBeTriedAgain) {
  const auto id = send("hello");
  ASSERT_TRUE(bob_->receive(kPatience));
  EXPECT_EQ(bob_->retry(id).error().code, Errc::invalid_argument);
  EXPECT_EQ(bob_->wait_settled(id, kAtOnce).error().code, Errc::not_found);
  EXPECT_EQ(alice_->retry("no uuid").error().code, Errc::malformed);
  EXPECT_EQ(alice_->trace("no uuid").error().code, Errc::malformed);
  EXPECT_EQ(alice_->retry("0f8fad5b-d9cb-469f-a165-70867728950e").error().code, Errc::not_found);
  EXPECT_EQ(alice_->trace("0f8fad5b-d9cb-469f-a165-70867728950e").error().code, Errc::not_found);
}

TEST_F(EmbedTest, ContactsAreListedAndForgotten) {
  const auto contacts = alice_->contacts();
  ASSERT_EQ(contacts.size(), 1u);
  EXPECT_EQ(contacts[0].name, "bob");
  EXPECT_EQ(contacts[0].id, bob_->id());
  EXPECT_EQ(contacts[0].tier, TrustTier::contact);
  EXPECT_EQ(contacts[0].endpoints, bob_->listening());
  EXPECT_TRUE(bob_->contacts().empty());
  EXPECT_TRUE(alice_->remove_contact(bob_->id()));
  EXPECT_TRUE(alice_->contacts().empty());
  EXPECT_EQ(alice_->remove_contact(bob_->id()).error().code, Errc::not_found);
}

TEST_F(EmbedTest, OneNodeADirectoryAndNoneWithoutLeave) {
  const auto second = Node::start({.data_dir = directory_ / "alice", .listen = {"tcp://127.0.0.1:0"}});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::busy);
  const auto missing = Node::start({.data_dir = directory_ / "nobody", .create = false});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::not_found);
  const auto taken = Node::start({.data_dir = directory_ / "third", .listen = bob_->listening()});
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Errc::busy);
}

}  // namespace
}  // namespace ekiden
