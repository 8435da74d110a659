// Conversations, from both sides: what comes too early, what never comes, what comes late, and what restarts leave.

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "forger.hpp"
#include "world.hpp"

namespace ekiden::router {
namespace {

using test::Forger;
using test::Mail;
using test::World;

Draft in_conversation(std::string_view text, std::string_view name, Duration ttl = hours(1)) {
  Draft draft;
  draft.body = to_bytes(as_bytes(text));
  draft.conversation = name;
  draft.ttl = ttl;
  return draft;
}

/// What was announced, as "text", "text-2" (two missing before it) and "text!" (late).
std::vector<std::string> heard(World& world, std::size_t i) {
  std::vector<std::string> all;
  for (const auto& message : world[i].arrivals) {
    std::string text(as_text(message->body));
    if (message->missing > 0) text += "-" + std::to_string(message->missing);
    all.push_back(text + (message->late ? "!" : ""));
  }
  return all;
}
using Heard = std::vector<std::string>;

/// Sends and commits; what leaves stays in the mail.
RequestId post(World& world, Draft draft) {
  const RequestId request = world.send(0, 1, std::move(draft));
  world.sync(0);
  return request;
}

/// Delivers the newest letter alone, and commits what it brings.
void deliver_last(World& world) {
  world.deliver(world.mail().size() - 1);
  world.sync(1);
}

/// Two stations with a link; "b" has come and is on disk, "a" before it is lost.
void lose_first(World& world, Duration ttl_of_first) {
  world.link(0, 1);
  post(world, in_conversation("a", "", ttl_of_first));
  post(world, in_conversation("b", "", hours(72)));
  deliver_last(world);
  world.unlink(0, 1);
}

TEST(Order, HoldsWhatComesTooEarly) {
  World world(2);
  world.link(0, 1);
  post(world, in_conversation("a", ""));
  const RequestId second = post(world, in_conversation("b", ""));
  post(world, in_conversation("c", ""));
  ASSERT_EQ(world.mail().size(), 3u);
  deliver_last(world);
  world.deliver(1);
  world.sync(1);
  EXPECT_EQ(heard(world, 1), Heard{});
  EXPECT_TRUE(world[1].router().inbox(0, 10).empty());
  EXPECT_EQ(world[1].router().status().inbox_messages, 2u);
  const auto trace = world[1].router().trace(world[0].answer(second));
  ASSERT_TRUE(trace);
  EXPECT_NE(trace->steps.back().what.find("waits for earlier messages of its conversation"), std::string::npos);

  world.flow();
  EXPECT_EQ(heard(world, 1), (Heard{"a", "b", "c"}));
  EXPECT_EQ(world[0].settled.at(world[0].answer(second)), MessageState::delivered);
  const auto inbox = world[1].router().inbox(0, 10);
  ASSERT_EQ(inbox.size(), 3u);
  EXPECT_EQ(as_text(inbox[0]->body), "a");
  EXPECT_EQ(as_text(inbox[2]->body), "c");
}

TEST(Order, ReceiptsWhatItHolds) {
  World world(2);
  world.link(0, 1);
  const RequestId first = post(world, in_conversation("a", ""));
  const RequestId second = post(world, in_conversation("b", ""));
  deliver_last(world);
  const Mail lost = world.mail().front();
  world.mail().pop_front();
  world.flow();
  EXPECT_EQ(world[0].settled.at(world[0].answer(second)), MessageState::delivered);
  EXPECT_FALSE(world[0].settled.contains(world[0].answer(first)));
  EXPECT_EQ(heard(world, 1), Heard{});
  world.inject(lost);
  world.flow();
  EXPECT_EQ(heard(world, 1), (Heard{"a", "b"}));
}

TEST(Order, HoldsNothingElseBack) {
  World world(2);
  world.link(0, 1);
  post(world, in_conversation("a", ""));
  post(world, in_conversation("tea", "tea"));
  deliver_last(world);
  Draft unordered = in_conversation("b", "");
  unordered.unordered = true;
  post(world, unordered);
  deliver_last(world);
  Draft request = in_conversation("c", "");
  request.exchange = Exchange{};
  post(world, request);
  deliver_last(world);
  EXPECT_EQ(heard(world, 1), (Heard{"tea", "b", "c"}));
  EXPECT_EQ(world[1].arrivals[0]->order->conversation, "tea");
  EXPECT_FALSE(world[1].arrivals[1]->order);
}

TEST(Order, IsTheSameForAllPriorities) {
  Config config;
  config.max_in_flight = 1;
  World world(2, config);
  world.link(0, 1);
  world.send(0, 1, in_conversation("first", ""));
  for (const auto priority : {wire::Priority::background, wire::Priority::critical, wire::Priority::normal}) {
    Draft draft = in_conversation(wire::priority_name(priority), "");
    draft.priority = priority;
    world.send(0, 1, draft);
  }
  world.flow();
  EXPECT_EQ(heard(world, 1), (Heard{"first", "background", "critical", "normal"}));
}

TEST(Order, HoldsOverARestart) {
  World world(2);
  lose_first(world, hours(1));
  world.crash(1);
  world.boot(1);
  EXPECT_EQ(heard(world, 1), Heard{});
  EXPECT_EQ(world[1].router().status().inbox_messages, 1u);
  world.link(0, 1);
  world.flow();
  EXPECT_EQ(heard(world, 1), (Heard{"a", "b"}));
  world.crash(1);
  world.boot(1);
  EXPECT_EQ(heard(world, 1), (Heard{"a", "b", "a", "b"})) << "announced again, in the same order";
}

TEST(Order, AnnouncesNothingUnderANumberThatIsNotOnDisk) {
  World world(2);
  lose_first(world, hours(1));
  world.link(0, 1);
  world.sync(0);
  world.deliver(0);
  EXPECT_EQ(heard(world, 1), Heard{});
  world.crash(1, world[1].unsynced() - 1);
  world.boot(1);
  world.link(0, 1);
  world.flow();
  EXPECT_EQ(heard(world, 1), (Heard{"a", "b"}));
}

TEST(Order, StallsNoLongerThanTheLostOneLives) {
  World world(2);
  lose_first(world, seconds(10));
  world.pass(milliseconds(9'900));
  EXPECT_EQ(heard(world, 1), Heard{});
  world.pass(milliseconds(200));
  EXPECT_EQ(heard(world, 1), Heard{"b-1"});
  ASSERT_EQ(world[1].router().inbox(0, 10).size(), 1u);
  EXPECT_EQ(world[1].router().inbox(0, 10)[0]->missing, 1u);
  world.crash(1);
  world.boot(1);
  EXPECT_EQ(heard(world, 1), (Heard{"b-1", "b-1"})) << "what was told stays told";
}

TEST(Order, MeasuresTheWaitOverARestart) {
  World world(2);
  lose_first(world, seconds(10));
  world.crash(1);
  world.pass(seconds(20));
  world.boot(1);
  world.pass(milliseconds(20));
  EXPECT_EQ(heard(world, 1), Heard{"b-1"});
}

TEST(Order, MeasuresTheWaitWithAClockOfItsOwn) {
  for (const milliseconds skew : {milliseconds(hours(24)), milliseconds(-hours(24))}) {
    World world(2);
    world[1].skew = skew;
    lose_first(world, hours(48));
    world.pass(hours(23));
    EXPECT_EQ(heard(world, 1), Heard{}) << "with a clock a day off, either way";
    world.pass(hours(26));
    EXPECT_EQ(heard(world, 1), Heard{"b-1"});
  }
}

TEST(Order, WaitsForTheOneThatIsMissingAndNotForThoseBefore) {
  World world(2);
  world.link(0, 1);
  post(world, in_conversation("long", "", hours(48)));
  world.deliver(0, true);  // Its receipt stays away, so the sender counts on it all the same.
  world.sync(1);
  world.mail().clear();
  post(world, in_conversation("short", "", seconds(10)));
  post(world, in_conversation("b", ""));
  deliver_last(world);
  world.unlink(0, 1);
  EXPECT_EQ(heard(world, 1), Heard{"long"});
  world.pass(seconds(11));
  EXPECT_EQ(heard(world, 1), (Heard{"long", "b-1"}));
}

TEST(Order, BelievesTheSenderThatItHasGivenUp) {
  World world(2);
  lose_first(world, hours(1));
  world[0].skew = hours(2);
  world.pass(minutes(2));
  world[0].skew = {};
  EXPECT_EQ(heard(world, 1), Heard{});
  Draft unordered = in_conversation("u", "");
  unordered.unordered = true;
  world.send(0, 1, unordered);
  world.link(0, 1);
  world.flow();
  EXPECT_EQ(heard(world, 1), (Heard{"u", "b-1"})) << "the floor is told by any message";
}

TEST(Order, TellsThatAMessageIsLate) {
  World world(2);
  lose_first(world, seconds(10));
  world[0].skew = -minutes(5);
  world.pass(seconds(11));
  EXPECT_EQ(heard(world, 1), Heard{"b-1"});
  world.link(0, 1);
  world.pass(seconds(5));
  EXPECT_EQ(heard(world, 1), (Heard{"b-1", "a!"}));
  const auto inbox = world[1].router().inbox(0, 10);
  ASSERT_EQ(inbox.size(), 2u);
  EXPECT_LT(inbox[0]->number, inbox[1]->number);
  world[1].take(world.now, {inbox[0]->number});
  world.sync(1);
  world.crash(1);
  world.boot(1);
  EXPECT_EQ(heard(world, 1), (Heard{"b-1", "a!", "a!"}));
}

TEST(Order, TellsWhatExpiredBeforeItCouldBeSent) {
  World world(2);
  world.send(0, 1, in_conversation("a", "", seconds(5)));
  world.send(0, 1, in_conversation("b", "", seconds(5)));
  world.send(0, 1, in_conversation("tea", "tea", seconds(5)));
  world.pass(minutes(2));
  world.crash(0);
  world.boot(0);
  world.send(0, 1, in_conversation("c", ""));
  world.link(0, 1);
  world.flow();
  world.send(0, 1, in_conversation("d", ""));
  world.flow();
  EXPECT_EQ(heard(world, 1), (Heard{"c-2", "d"}));
}

TEST(Order, TellsNoGapAfterRestarts) {
  World world(2);
  world.link(0, 1);
  for (const std::size_t who : {0u, 1u}) {
    for (int i = 0; i < 3; ++i) world.send(0, 1, in_conversation("x", ""));
    world.pass(seconds(1));
    world.take_all(1);
    world.flow();
    world.crash(who);
    world.boot(who);
    world.link(0, 1);
    world.send(0, 1, in_conversation("y", "tea"));
    world.pass(seconds(1));
    world.take_all(1);
  }
  world.send(0, 1, in_conversation("x", ""));
  world.flow();
  EXPECT_EQ(heard(world, 1), (Heard{"x", "x", "x", "y", "x", "x", "x", "y", "x"}));
}

TEST(Order, TellsNoGapWhereItHasForgotten) {
  Config config;
  config.max_conversations = 2;
  World world(2, config);
  world.link(0, 1);
  for (int round = 0; round < 2; ++round) {
    for (const auto name : {"a", "b", "c"}) {
      world.send(0, 1, in_conversation(name, name));
      world.pass(seconds(1));
      world.take_all(1);
      world.flow();
    }
  }
  EXPECT_EQ(heard(world, 1), (Heard{"a", "b", "c", "a", "b", "c"}));
}

/// Sends, delivers and loses at random, and with random lives. Whatever happens, each announcement says exactly how
/// many of those accepted before it have not come since the one announced before.
TEST(Order, TellsEveryGapAndNoOther) {
  std::uint64_t gaps = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Rng::Seed bytes{};
    put_be(bytes, seed);
    Rng rng(bytes);
    World world(2);
    world.link(0, 1);
    const auto lose_or_bring = [&] {
      auto& mail = world.mail();
      if (mail.empty()) return;
      const auto which = static_cast<std::size_t>(rng.below(mail.size()));
      if (rng.below(2) == 0) return world.deliver(which);
      mail.erase(mail.begin() + static_cast<std::ptrdiff_t>(which));
    };
    for (std::uint64_t n = 1; n <= 40; ++n) {
      const Duration ttl = rng.below(2) == 0 ? Duration(seconds(1 + rng.below(20))) : Duration(hours(1));
      post(world, in_conversation(std::to_string(n), n % 3 == 0 ? "tea" : "", ttl));
      for (auto i = rng.below(5); i > 0; --i) lose_or_bring();
      world.sync(1);
      world.sync(0);
      if (rng.below(3) == 0) world.pass(seconds(rng.below(6)), false);
    }
    world.pass(hours(2));

    std::map<std::string, std::uint64_t> last;
    std::set<std::uint64_t> come;
    for (const auto& message : world[1].arrivals) {
      const std::uint64_t number = std::stoull(std::string(as_text(message->body)));
      come.insert(number);
      if (message->late) continue;
      std::uint64_t missing = 0;
      const bool is_tea = message->order->conversation == "tea";
      for (std::uint64_t n = last[message->order->conversation] + 1; n < number; ++n) {
        missing += (n % 3 == 0) == is_tea && !come.contains(n) ? 1 : 0;
      }
      ASSERT_EQ(message->missing, missing) << "seed " << seed << ", message " << number;
      last[message->order->conversation] = number;
      gaps += missing;
    }
  }
  EXPECT_GT(gaps, 50u) << "something is lost";
}

TEST(Order, HoldsBackAConversationTooManyAtTheSender) {
  Config config;
  config.max_conversations = 2;
  World world(2, config);
  post(world, in_conversation("a", "one"));
  post(world, in_conversation("b", "two"));
  const RequestId third = post(world, in_conversation("c", "three"));
  ASSERT_FALSE(world[0].answers.at(third));
  EXPECT_EQ(world[0].answers.at(third).error().code, Errc::limit_exceeded);
  EXPECT_NE(world[0].answers.at(third).error().message.find("messages of 2 conversations"), std::string::npos);
  EXPECT_TRUE(world[0].answers.at(post(world, in_conversation("d", "one"))));
  world.link(0, 1);
  world.pass(seconds(1));
  EXPECT_TRUE(world[0].answers.at(post(world, in_conversation("e", "three"))));
  world.flow();
  EXPECT_EQ(heard(world, 1), (Heard{"a", "b", "d", "e"}));
}

TEST(Order, AnnouncesStrangersInOrderOnceTheyAreKnown) {
  World world(2);
  world[1].set_contact(world[0].id(), false);
  lose_first(world, hours(1));
  world.link(0, 1);
  world.flow();
  EXPECT_EQ(heard(world, 1), Heard{});
  world[1].set_contact(world[0].id(), true);
  EXPECT_EQ(heard(world, 1), (Heard{"a", "b"}));
}

TEST(Order, AcceptsAStrangerWhoseMessagesWaitForOthers) {
  World world(2);
  world[1].set_contact(world[0].id(), false);
  lose_first(world, hours(1));
  world[1].set_contact(world[0].id(), true);
  EXPECT_EQ(heard(world, 1), Heard{});
  world.link(0, 1);
  world.flow();
  EXPECT_EQ(heard(world, 1), (Heard{"a", "b"}));
}

TEST(Order, DropsWhatWaitsOfABlockedPeer) {
  World world(2);
  lose_first(world, seconds(10));
  world[1].block(world.now, world[0].id());
  EXPECT_EQ(world[1].router().status().inbox_messages, 0u);
  world.pass(seconds(20));
  EXPECT_EQ(heard(world, 1), Heard{});
}

TEST(Order, EndsAllWaitsWithANewOutboxOfTheSender) {
  World world(2);
  world.link(0, 1);
  Forger forger{world};
  Content early = forger.content(9, 1);
  early.order = Order{.conversation = "", .place = 5, .previous = 7, .delivered = 1, .wait_ms = 3'600'000};
  forger.send(forger.envelope(1), wire::encode(early));
  EXPECT_EQ(heard(world, 1), Heard{});
  Content anew = forger.content(1, 1);
  anew.epoch = 6;
  anew.body = as_bytes("new");
  anew.order = Order{.conversation = "", .place = 1, .previous = 0, .delivered = 0};
  forger.send(forger.envelope(2), wire::encode(anew));
  EXPECT_EQ(heard(world, 1), (Heard{"new", "forged-3"}));
}

TEST(Order, BoundsWhatASenderMakesItRemember) {
  Config config;
  config.max_conversations = 2;
  World world(2, config);
  world.link(0, 1);
  Forger forger{world};
  for (Byte n = 1; n <= 3; ++n) {
    Content early = forger.content(n * 10u, 1);
    early.order = Order{.conversation = std::string(1, static_cast<char>('a' + n)),
                        .place = 2,
                        .previous = n * 10u - 1,
                        .delivered = 0,
                        .wait_ms = UINT64_MAX};
    forger.send(forger.envelope(n), wire::encode(early));
  }
  EXPECT_EQ(world[1].router().status().inbox_messages, 2u);
  EXPECT_EQ(world[1].router().status().refused, 1u);
  world.pass(hours(24 * 30) + minutes(1));
  EXPECT_EQ(heard(world, 1), (Heard{"forged-1", "forged-1"}));
}

TEST(Order, RefusesAPlaceThatMakesNoSense) {
  World world(2);
  world.link(0, 1);
  Forger forger{world};
  const Order orders[] = {{.conversation = "", .place = 0},
                          {.conversation = "", .place = 3, .previous = 5},
                          {.conversation = "", .place = 3, .previous = 1, .delivered = 3}};
  Byte n = 0;
  for (const Order& order : orders) {
    Content content = forger.content(5, 1);
    content.order = order;
    forger.send(forger.envelope(++n), wire::encode(content));
  }
  Content request = forger.content(5, 1);
  request.exchange = Exchange{};
  request.order = Order{.conversation = "", .place = 1};
  forger.send(forger.envelope(++n), wire::encode(request));
  EXPECT_EQ(world[1].router().status().refused, 4u);
  EXPECT_EQ(world[1].router().status().inbox_messages, 0u);
}

TEST(Order, RefusesDraftsThatMakeNoSense) {
  World world(2);
  const auto refused = [&](auto change) {
    Draft bad = in_conversation("x", "tea");
    change(bad);
    const auto answer = world[0].answers.at(post(world, bad));
    return !answer && answer.error().code == Errc::invalid_argument;
  };
  EXPECT_TRUE(refused([](Draft& draft) { draft.unordered = true; }));
  EXPECT_TRUE(refused([](Draft& draft) { draft.delivery = DeliveryClass::volatile_; }));
  EXPECT_TRUE(refused([](Draft& draft) { draft.exchange = Exchange{}; }));
  EXPECT_TRUE(refused([](Draft& draft) { draft.conversation = std::string(65, 'x'); }));
  EXPECT_TRUE(refused([](Draft& draft) { draft.conversation = "\xff"; }));
  EXPECT_FALSE(refused([](Draft& draft) { draft.conversation = std::string(64, 'x'); }));
}

TEST(Order, IsPartOfWhatMakesAMessage) {
  World world(2);
  Draft draft = in_conversation("x", "tea");
  draft.id = Uuid::parse("0f8fad5b-d9cb-469f-a165-70867728950e").value();
  post(world, draft);
  EXPECT_TRUE(world[0].answers.at(post(world, draft)));
  Draft other = draft;
  other.conversation = "coffee";
  EXPECT_EQ(world[0].answers.at(post(world, other)).error().code, Errc::already_exists);
  other.conversation.clear();
  EXPECT_EQ(world[0].answers.at(post(world, other)).error().code, Errc::already_exists);
  other.unordered = true;
  EXPECT_EQ(world[0].answers.at(post(world, other)).error().code, Errc::already_exists);
}

}  // namespace
}  // namespace ekiden::router
