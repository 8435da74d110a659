// The sender's side, seen from outside: acceptance, quotas, flights, retries, expiry, restarts.

#include <gtest/gtest.h>

#include <string>

#include "world.hpp"

namespace ekiden::router {
namespace {

using test::Station;
using test::World;

Draft draft(std::string_view text, Duration ttl = hours(1)) {
  Draft made;
  made.body = to_bytes(as_bytes(text));
  made.ttl = ttl;
  return made;
}

MessageId some_id(Byte n) {
  MessageId id{};
  id.bytes[0] = n;
  id.bytes[6] = 0x40;
  id.bytes[8] = 0x80;
  return id;
}

Errc refusal_of(Station& station, RequestId request) {
  const auto found = station.answers.find(request);
  if (found == station.answers.end() || found->second) return Errc::internal;
  return found->second.error().code;
}

std::string story(Station& station, const MessageId& id) {
  const Trace trace = *station.router().trace(id);
  std::string all;
  for (const auto& step : trace.steps) all += step.what + "\n";
  return all;
}

TEST(Outbox, AcceptsOnlyWhatIsOnTheDisk) {
  World world(2);
  const RequestId request = world.send(0, 1, "hello");
  EXPECT_FALSE(world[0].answers.contains(request));
  world.sync(0);
  EXPECT_TRUE(world[0].answers.contains(request));
  EXPECT_EQ(world[0].rows_in(store::Table::outbox), 1u);
  EXPECT_EQ(world[0].router().status().accepted, 1u);
}

TEST(Outbox, WantsALinkWhileItHasSomethingToSend) {
  Config config;
  config.connect_linger = seconds(5);
  World world(2, config);
  world.send(0, 1, "hello");
  ASSERT_EQ(world[0].connects.size(), 1u);
  EXPECT_TRUE(world[0].connects[0].wanted);
  world.link(0, 1);
  world.flow();
  world.pass(seconds(4));
  EXPECT_EQ(world[0].connects.size(), 1u);
  world.pass(seconds(2));
  ASSERT_EQ(world[0].connects.size(), 2u);
  EXPECT_FALSE(world[0].connects[1].wanted);
}

TEST(Outbox, DeliversOverALinkWithTwoCommitsAndOneReceipt) {
  World world(2);
  world.link(0, 1);
  const RequestId request = world.send(0, 1, "hello");
  EXPECT_EQ(world[0].unsynced(), 4u) << "the epoch, the reserved counters, row and session: one commit in a node";
  EXPECT_TRUE(world.mail().empty()) << "nothing leaves before it is persisted";
  world.flow();
  const MessageId id = world[0].answer(request);
  ASSERT_EQ(world[1].arrivals.size(), 1u);
  EXPECT_EQ(as_text(world[1].arrivals[0]->body), "hello");
  EXPECT_EQ(world[0].settled.at(id), MessageState::delivered);
  EXPECT_EQ(world[0].rows_in(store::Table::outbox), 0u);
  const auto trace = world[0].router().trace(id);
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->state, MessageState::delivered);
  EXPECT_EQ(trace->attempts, 1u);
  EXPECT_FALSE(trace->receipt.empty());
  EXPECT_EQ(story(world[0], id),
            "accepted and stored\nsealed end to end, 99 bytes\nsent over the link\n"
            "receipt verified, signed by " +
                world[1].id().text() + "\n");
}

TEST(Outbox, RefusesDraftsThatMakeNoSense) {
  World world(2);
  Station& station = world[0];
  const auto refused = [&](auto change) {
    Draft bad = draft("x");
    bad.to = world[1].id();
    change(bad);
    return refusal_of(station, station.submit(world.now, bad));
  };
  EXPECT_EQ(refused([](Draft& d) { d.body.resize(kMaxBody + 1); }), Errc::too_large);
  EXPECT_EQ(refused([](Draft& d) { d.ttl = Duration::zero(); }), Errc::invalid_argument);
  EXPECT_EQ(refused([](Draft& d) { d.type = std::string(129, 'x'); }), Errc::invalid_argument);
  EXPECT_EQ(refused([](Draft& d) { d.type = "\xff"; }), Errc::invalid_argument);
  EXPECT_EQ(refused([](Draft& d) { d.content_type = "\xc0\x80"; }), Errc::invalid_argument);
  EXPECT_EQ(refused([&](Draft& d) { d.to = station.id(); }), Errc::invalid_argument);
  EXPECT_EQ(refused([](Draft& d) { d.priority = static_cast<wire::Priority>(5); }), Errc::invalid_argument);
  EXPECT_EQ(refused([](Draft& d) { d.id = MessageId{}; }), Errc::invalid_argument);
  EXPECT_EQ(refused([](Draft& d) { d.in_reply_to = MessageId{}; }), Errc::invalid_argument);
  EXPECT_EQ(station.router().status().outbox_messages, 0u);
}

TEST(Outbox, CutsALongTimeToLive) {
  World world(2);
  const RequestId request = world.send(0, 1, draft("x", hours(24 * 365)));
  world.sync(0);
  const auto trace = world[0].router().trace(world[0].answer(request));
  EXPECT_EQ(to_unix_ms(trace->expires) - to_unix_ms(world.now.wall), kMaxTtlMs);
}

TEST(Outbox, SaysWhichQuotaIsUsedUp) {
  Config config;
  config.max_outbox_messages = 3;
  config.max_outbox_messages_per_peer = 2;
  config.max_outbox_bytes = 1000;
  World world(4, config);
  world.send(0, 1, "a");
  world.send(0, 1, "b");
  const RequestId per_peer = world.send(0, 1, "c");
  ASSERT_EQ(refusal_of(world[0], per_peer), Errc::limit_exceeded);
  EXPECT_NE(world[0].answers.at(per_peer).error().message.find("max_outbox_messages_per_peer = 2"), std::string::npos);
  const RequestId bytes = world.send(0, 2, std::string(999, 'x'));
  ASSERT_EQ(refusal_of(world[0], bytes), Errc::limit_exceeded);
  EXPECT_NE(world[0].answers.at(bytes).error().message.find("max_outbox_bytes = 1000"), std::string::npos);
  world.send(0, 2, "d");
  const RequestId total = world.send(0, 3, "e");
  ASSERT_EQ(refusal_of(world[0], total), Errc::limit_exceeded);
  EXPECT_NE(world[0].answers.at(total).error().message.find("max_outbox_messages = 3"), std::string::npos);
}

TEST(Outbox, GivesTheSameAnswerToTheSameRequest) {
  World world(2);
  Draft first = draft("hello");
  first.id = some_id(1);
  const RequestId one = world.send(0, 1, first);
  const RequestId two = world.send(0, 1, first);
  EXPECT_TRUE(world[0].answers.empty()) << "the repeated request waits for the disk, too";
  world.sync(0);
  EXPECT_EQ(world[0].answer(one), some_id(1));
  EXPECT_EQ(world[0].answer(two), some_id(1));
  first.ttl = hours(2);
  EXPECT_EQ(world[0].answer(world.send(0, 1, first)), some_id(1));
  first.body.push_back('!');
  EXPECT_EQ(refusal_of(world[0], world.send(0, 1, first)), Errc::already_exists);
  first.body.pop_back();

  world.link(0, 1);
  world.flow();
  EXPECT_EQ(world[0].answer(world.send(0, 1, first)), some_id(1)) << "also when it is delivered";
  world.crash(0);
  world.boot(0);
  EXPECT_EQ(world[0].answer(world.send(0, 1, first)), some_id(1)) << "also after a restart";
  first.type = "other";
  EXPECT_EQ(refusal_of(world[0], world.send(0, 1, first)), Errc::already_exists);
  EXPECT_EQ(world[1].arrivals.size(), 1u);
}

TEST(Outbox, SealsAtMostOneFlight) {
  Config config;
  config.max_in_flight = 3;
  World world(2, config);
  world.link(0, 1);
  for (int i = 0; i < 10; ++i) world.send(0, 1, std::to_string(i));
  EXPECT_EQ(world[0].seals, 3u);
  world.sync(0);
  EXPECT_EQ(world.mail().size(), 3u);
  EXPECT_EQ(world[0].router().status().in_flight, 3u);
  world.flow();
  ASSERT_EQ(world[1].arrivals.size(), 10u);
  EXPECT_EQ(world[0].router().status().delivered, 10u);
}

TEST(Outbox, BoundsTheBytesOfAFlightButLetsAnySingleMessagePass) {
  Config config;
  config.max_in_flight_bytes = 100;
  World world(2, config);
  world.link(0, 1);
  world.send(0, 1, std::string(500, 'x'));
  world.send(0, 1, std::string(60, 'y'));
  world.send(0, 1, std::string(60, 'z'));
  EXPECT_EQ(world[0].seals, 1u);
  world.flow();
  EXPECT_EQ(world[1].arrivals.size(), 3u);
}

TEST(Outbox, SealsTheHighestPriorityFirst) {
  Config config;
  config.max_in_flight = 1;
  World world(2, config);
  world.link(0, 1);
  world.send(0, 1, "first");
  for (const auto& [text, priority] : {std::pair{"low", wire::Priority::low},
                                       {"critical", wire::Priority::critical},
                                       {"normal", wire::Priority::normal},
                                       {"normal too", wire::Priority::normal}}) {
    Draft next = draft(text);
    next.priority = priority;
    next.unordered = true;
    world.send(0, 1, next);
  }
  world.flow();
  std::vector<std::string> order;
  for (const auto& message : world[1].arrivals) order.emplace_back(as_text(message->body));
  EXPECT_EQ(order, (std::vector<std::string>{"first", "critical", "normal", "normal too", "low"}));
}

TEST(Outbox, SendsTheSameBytesAgainUntilAReceiptComes) {
  Config config;
  config.retry_min = seconds(2);
  config.retry_max = seconds(30);
  World world(2, config);
  world.link(0, 1);
  const RequestId request = world.send(0, 1, draft("hello", hours(24)));
  world.sync(0);
  ASSERT_EQ(world.mail().size(), 1u);
  const Bytes first = world.mail()[0].bytes;
  std::vector<Instant> sent_at;
  for (int i = 0; i < 8; ++i) {
    world.mail().clear();
    while (world.mail().empty()) {
      const Instant due = *world[0].router().deadline();
      world.advance(due - world.now.mono);
      world.tick(0);
    }
    ASSERT_EQ(world.mail().size(), 1u);
    EXPECT_EQ(world.mail()[0].bytes, first);
    sent_at.push_back(world.now.mono);
  }
  for (std::size_t i = 1; i < sent_at.size(); ++i) {
    const Duration gap = sent_at[i] - sent_at[i - 1];
    const Duration least = std::min<Duration>(seconds(2) * (1 << i), config.retry_max);
    EXPECT_GE(gap, least);
    EXPECT_LE(gap, least + least / 4 + milliseconds(1));
  }
  EXPECT_EQ(world[0].seals, 1u);
  world.flow();
  EXPECT_EQ(world[0].settled.at(world[0].answer(request)), MessageState::delivered);
  EXPECT_EQ(world[0].router().status().retransmitted, 8u);
}

TEST(Outbox, SendsEverythingInFlightWhenTheLinkIsBack) {
  World world(2);
  world.link(0, 1);
  world.send(0, 1, "a");
  world.send(0, 1, "b");
  world.sync(0);
  world.unlink(0, 1);
  EXPECT_TRUE(world.mail().empty());
  world.link(0, 1);
  EXPECT_EQ(world.mail().size(), 2u);
  EXPECT_EQ(world[0].seals, 2u) << "nothing is sealed twice";
  world.flow();
  EXPECT_EQ(world[1].arrivals.size(), 2u);
}

TEST(Outbox, TellsInTheTraceWhyThereIsNoLink) {
  World world(2);
  const RequestId request = world.send(0, 1, "hello");
  world.sync(0);
  const MessageId id = world[0].answer(request);
  world[0].router().on_unreachable(world.now, world[1].id(), {Errc::unreachable, "tcp://10.0.0.1:7420: refused"});
  EXPECT_EQ(story(world[0], id),
            "accepted and stored\nwaiting: no link to the recipient\n"
            "no link to the recipient: tcp://10.0.0.1:7420: refused\n");
  world.link(0, 1);
  world.flow();
  EXPECT_EQ(story(world[0], id).find("refused"), std::string::npos);
}

TEST(Outbox, WaitsWhenALinkTakesNoMore) {
  World world(2);
  world.link(0, 1);
  world[0].link_takes = false;
  world.send(0, 1, "a");
  world.sync(0);
  EXPECT_TRUE(world.mail().empty());
  world.send(0, 1, "b");
  EXPECT_EQ(world[0].seals, 1u) << "nothing more is sealed for a link that is full";
  world[0].link_takes = true;
  world.pass(seconds(1));
  EXPECT_EQ(world[1].arrivals.size(), 2u);
}

TEST(Outbox, TriesAgainWhatCouldNotBeSealed) {
  World world(2);
  world[0].can_seal = false;
  world.link(0, 1);
  const RequestId request = world.send(0, 1, "hello");
  world.send(0, 1, "again");
  EXPECT_EQ(world[0].seals, 1u) << "one attempt tells enough";
  world.sync(0);
  const MessageId id = world[0].answer(request);
  EXPECT_NE(story(world[0], id).find("cannot be sealed now: unreachable"), std::string::npos);
  world[0].can_seal = true;
  world.unlink(0, 1);
  world.link(0, 1);
  world.flow();
  EXPECT_EQ(world[1].arrivals.size(), 2u);
}

TEST(Outbox, TriesAgainWhatCouldNotBeSealedAlsoOverTheSameLink) {
  World world(2);
  world[0].can_seal = false;
  world.link(0, 1);
  world.send(0, 1, "hello");
  world.pass(seconds(20));
  EXPECT_GT(world[0].seals, 2u);
  EXPECT_LT(world[0].seals, 8u) << "it backs off";
  world[0].can_seal = true;
  world.pass(minutes(1));
  EXPECT_EQ(world[1].arrivals.size(), 1u);
}

TEST(Outbox, SealsAnewWhenTheSessionIsLost) {
  World world(2);
  world.link(0, 1);
  const RequestId request = world.send(0, 1, "hello");
  world.sync(0);
  world[1].session().lose(world[0].id(), world[0].session().generation(world[1].id()));
  world.flow();
  const MessageId id = world[0].answer(request);
  EXPECT_EQ(world[0].seals, 2u);
  EXPECT_EQ(world[0].settled.at(id), MessageState::delivered);
  EXPECT_NE(story(world[0], id).find("recipient has lost the session"), std::string::npos);
}

TEST(Outbox, SealsAnewAfterACrash) {
  World world(2);
  world.link(0, 1);
  const RequestId request = world.send(0, 1, "hello");
  world.sync(0);
  const MessageId id = world[0].answer(request);
  const Bytes before = world.mail()[0].bytes;
  world.crash(0);
  world.boot(0);
  EXPECT_TRUE(world[0].connects.back().wanted);
  world.link(0, 1);
  world.sync(0);
  ASSERT_EQ(world.mail().size(), 1u);
  EXPECT_NE(world.mail()[0].bytes, before);
  world.flow();
  EXPECT_EQ(world[0].settled.at(id), MessageState::delivered);
  const auto told = story(world[0], id);
  EXPECT_NE(told.find("restored from disk after a restart; what was tried before is not recorded"), std::string::npos);
}

TEST(Outbox, ForgetsWhatItNeverAccepted) {
  World world(2);
  world.link(0, 1);
  const RequestId request = world.send(0, 1, "hello");
  world.crash(0);
  world.boot(0);
  world.link(0, 1);
  world.flow();
  EXPECT_FALSE(world[0].answers.contains(request));
  EXPECT_TRUE(world[1].arrivals.empty());
}

TEST(Outbox, NumbersGoOnAboveAllNumbersOfEarlierRuns) {
  World world(2);
  world.link(0, 1);
  for (int run = 0; run < 5; ++run) {
    for (int i = 0; i < 3; ++i) world.send(0, 1, std::to_string(run * 3 + i));
    world.flow();
    world.crash(0, SIZE_MAX);
    world.boot(0);
    world.link(0, 1);
  }
  EXPECT_EQ(world[1].arrivals.size(), 15u) << "a number used again would be taken for a repetition";
  EXPECT_EQ(world[0].router().status().outbox_messages, 0u);
}

TEST(Outbox, ExpiresByTheWallClock) {
  World world(2);
  const RequestId request = world.send(0, 1, draft("hello", minutes(10)));
  world.sync(0);
  const MessageId id = world[0].answer(request);
  world.pass(minutes(10) - seconds(1));
  EXPECT_FALSE(world[0].settled.contains(id));
  world.pass(seconds(2));
  EXPECT_EQ(world[0].settled.at(id), MessageState::expired);
  EXPECT_EQ(world[0].rows_in(store::Table::outbox), 0u);
  EXPECT_EQ(world[0].router().trace(id)->state, MessageState::expired);
  EXPECT_EQ(world[0].router().status().expired, 1u);
}

TEST(Outbox, NoticesWithinAMinuteThatTheWallClockHasStepped) {
  World world(2);
  const RequestId forward = world.send(0, 1, draft("a", hours(5)));
  world.sync(0);
  world.now.wall += hours(6);
  world.pass(seconds(61));
  EXPECT_TRUE(world[0].settled.contains(world[0].answer(forward)));

  const RequestId back = world.send(0, 1, draft("b", minutes(5)));
  world.sync(0);
  world.now.wall -= hours(1);
  world.pass(minutes(30));
  EXPECT_FALSE(world[0].settled.contains(world[0].answer(back))) << "not before the clock says so";
  world.pass(minutes(36));
  EXPECT_TRUE(world[0].settled.contains(world[0].answer(back)));
}

TEST(Outbox, SurvivesClocksThatAreYearsOff) {
  for (const WallTime wall : {from_unix_ms(0), from_unix_ms(kMaxUnixMs), WallTime(milliseconds(-5'000'000))}) {
    World world(2);
    world.now.wall = wall;
    world.link(0, 1);
    world.send(0, 1, draft("x", hours(24 * 30)));
    world.flow();
    EXPECT_EQ(world[1].arrivals.size(), 1u) << to_unix_ms(wall);
  }
}

TEST(Outbox, RefusesNewMessagesWhileTheStoreFails) {
  World world(2);
  world[0].router().set_storage(world.now, fail(Errc::storage_full, "no space left on /data"));
  const RequestId refused = world.send(0, 1, "hello");
  EXPECT_EQ(refusal_of(world[0], refused), Errc::storage_full);
  Draft fleeting = draft("now");
  fleeting.delivery = DeliveryClass::volatile_;
  EXPECT_TRUE(world[0].answers.at(world.send(0, 1, fleeting))) << "a volatile message needs no store";
  world[0].router().set_storage(world.now, {});
  const RequestId accepted = world.send(0, 1, "hello");
  world.sync(0);
  EXPECT_TRUE(world[0].answers.at(accepted));
}

TEST(Outbox, SendsVolatileMessagesOnceAndWaitsForNoDisk) {
  World world(2);
  Draft fleeting = draft("now");
  fleeting.delivery = DeliveryClass::volatile_;
  const RequestId early = world.send(0, 1, fleeting);
  const MessageId waiting = world[0].answer(early);
  EXPECT_TRUE(world.mail().empty());
  world.link(0, 1);
  EXPECT_EQ(world.mail().size(), 1u);
  const MessageId direct = world[0].answer(world.send(0, 1, fleeting));
  EXPECT_EQ(world.mail().size(), 2u);
  EXPECT_EQ(world[0].settled.at(waiting), MessageState::sent);
  EXPECT_EQ(world[0].settled.at(direct), MessageState::sent);
  while (!world.mail().empty()) world.deliver(0);
  ASSERT_EQ(world[1].arrivals.size(), 2u);
  EXPECT_EQ(world[1].arrivals[0]->number, 0u);
  EXPECT_TRUE(world.mail().empty()) << "no receipt";
  EXPECT_EQ(world[0].router().trace(direct)->state, MessageState::sent);
}

TEST(Outbox, KeepsAVolatileMessageWhoseLinkGoesDownWhileItWaitsForTheDisk) {
  World world(2);
  world.link(0, 1);
  Draft fleeting = draft("now");
  fleeting.delivery = DeliveryClass::volatile_;
  const MessageId id = world[0].answer(world.send(0, 1, fleeting));
  world[0].volatile_waits = true;
  const MessageId late = world[0].answer(world.send(0, 1, fleeting));
  world.unlink(0, 1);
  world.sync(0);
  EXPECT_EQ(world[0].settled.at(id), MessageState::sent);
  EXPECT_FALSE(world[0].settled.contains(late)) << "it was never transmitted";
  EXPECT_EQ(world[0].router().trace(late)->state, MessageState::queued);
  world.link(0, 1);
  world.flow();
  EXPECT_EQ(world[0].settled.at(late), MessageState::sent);
  ASSERT_EQ(world[1].arrivals.size(), 1u);
  EXPECT_EQ(world[1].arrivals[0]->id, late);
}

TEST(Outbox, DropsVolatileMessagesThatFindNoLinkInTime) {
  World world(2);
  Draft fleeting = draft("now", seconds(5));
  fleeting.delivery = DeliveryClass::volatile_;
  const MessageId id = world[0].answer(world.send(0, 1, fleeting));
  world.pass(seconds(6));
  EXPECT_EQ(world[0].settled.at(id), MessageState::expired);
  world.link(0, 1);
  EXPECT_TRUE(world.mail().empty());
}

TEST(Outbox, BoundsVolatileMessages) {
  Config config;
  config.max_volatile = 2;
  World world(2, config);
  Draft fleeting = draft("now");
  fleeting.delivery = DeliveryClass::volatile_;
  world.send(0, 1, fleeting);
  world.send(0, 1, fleeting);
  EXPECT_EQ(refusal_of(world[0], world.send(0, 1, fleeting)), Errc::limit_exceeded);
}

TEST(Outbox, TriesNowWhenAsked) {
  World world(2);
  world.link(0, 1);
  world.send(0, 1, "hello");
  world.sync(0);
  world.mail().clear();
  world.retry_now(0, 1);
  EXPECT_EQ(world.mail().size(), 1u);
  world.flow();
  EXPECT_EQ(world[1].arrivals.size(), 1u);
}

TEST(Outbox, ListsTheNewestFirst) {
  World world(2);
  std::vector<MessageId> ids;
  for (int i = 0; i < 4; ++i) {
    const RequestId request = world.send(0, 1, std::to_string(i));
    world.sync(0);
    ids.push_back(world[0].answer(request));
    if (i == 1) world.link(0, 1);
    world.flow();
    if (i == 1) world.unlink(0, 1);
    world.advance(milliseconds(5));
  }
  const auto listed = world[0].router().outgoing(3);
  ASSERT_EQ(listed.size(), 3u);
  EXPECT_EQ(listed[0].id, ids[3]);
  EXPECT_EQ(listed[1].id, ids[2]);
  EXPECT_EQ(listed[2].id, ids[1]);
  EXPECT_EQ(listed[2].state, MessageState::delivered);
}

TEST(Outbox, ListsWhatIsAskedFor) {
  World world(3);
  const auto send = [&](std::size_t to, const std::string& type) {
    Draft draft;
    draft.type = type;
    world.send(0, to, std::move(draft));
    world.sync(0);
    world.advance(milliseconds(5));
  };
  send(1, "order");
  send(1, "");
  world.link(0, 1);
  world.flow();
  const WallTime later = world.now.wall;
  send(2, "order");
  const auto count = [&](const OutgoingFilter& filter) { return world[0].router().outgoing(10, filter).size(); };
  EXPECT_EQ(count({}), 3u);
  EXPECT_EQ(count({.to = world[1].id()}), 2u);
  EXPECT_EQ(count({.type = "order"}), 2u);
  EXPECT_EQ(count({.type = ""}), 1u);
  EXPECT_EQ(count({.state = MessageState::delivered}), 2u);
  EXPECT_EQ(count({.type = "order", .state = MessageState::delivered}), 1u);
  EXPECT_EQ(count({.since = later}), 1u);
  world.sync(0);
  world.crash(0);
  world.boot(0);
  EXPECT_EQ(count({.type = "order", .state = MessageState::delivered}), 1u) << "what is settled is remembered on disk";
}

TEST(Outbox, TellsARequestFromAMessageOfTheSameContent) {
  World world(2);
  const auto submit = [&](const std::string& capability) {
    Draft draft;
    draft.id = *Uuid::parse("0f8fad5b-d9cb-469f-a165-70867728950e");
    if (!capability.empty()) draft.exchange = Exchange{Exchange::Part::request, capability};
    const RequestId request = world.send(0, 1, std::move(draft));
    world.sync(0);
    return world[0].answers.at(request);
  };
  EXPECT_TRUE(submit("ocr"));
  EXPECT_TRUE(submit("ocr"));
  EXPECT_EQ(submit("").error().code, Errc::already_exists);
  EXPECT_EQ(submit("translate").error().code, Errc::already_exists);
}

TEST(Outbox, RefusesQuestionsThatMakeNoSense) {
  World world(2);
  const auto refusal = [&](Draft draft) {
    const RequestId request = world.send(0, 1, std::move(draft));
    world.sync(0);
    const auto result = world[0].answers.at(request);
    return result ? Errc::internal : result.error().code;
  };
  Draft hasty;
  hasty.exchange = Exchange{Exchange::Part::request, "ocr"};
  hasty.delivery = DeliveryClass::volatile_;
  EXPECT_EQ(refusal(hasty), Errc::invalid_argument);
  Draft nameless;
  nameless.exchange = Exchange{Exchange::Part::request, "Ocr"};
  EXPECT_EQ(refusal(nameless), Errc::invalid_argument);
  Draft reply;
  reply.exchange = Exchange{Exchange::Part::reply, ""};
  EXPECT_EQ(refusal(reply), Errc::invalid_argument);
}

}  // namespace
}  // namespace ekiden::router
