// Priorities, back-pressure, timers and goodbyes of one link.
#include <gtest/gtest.h>

#include "link/link.hpp"
#include "pair.hpp"
#include "wire/message_type.hpp"

namespace ekiden::link {
namespace {

using test::Pair;
using test::text;
using wire::Priority;

class LinkFlow : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Link, LinkFlow, testing::Bool(), [](const auto& which) { return which.param ? "IK" : "XX"; });

// Priorities and back-pressure. ---------------------------------------------------------------------------------------

TEST(Links, ACriticalMessageOvertakesAllBulkButTheRecordUnderWay) {
  Pair pair(true);
  pair.run();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(pair.send(Pair::client, Priority::background, Bytes(32 * 1024, 1)));
  const auto under_way = pair.link(Pair::client).to_send(pair.now());
  EXPECT_LE(under_way.size(), kRecordOverhead + FrameQueue::kMaxBlock);
  append(pair.ends[Pair::client].wire, under_way);
  ASSERT_TRUE(pair.send(Pair::client, Priority::critical, text("now")));
  pair.link(Pair::client).mark_sent(pair.now(), under_way.size());
  pair.run();
  const auto& messages = pair.ends[Pair::server].messages;
  ASSERT_EQ(messages.size(), 11U);
  EXPECT_EQ(messages[1], text("now"));
}

TEST(Links, NoRecordIsSealedBeforeTheOneBeforeWasTaken) {
  Pair pair(true);
  pair.run();
  ASSERT_TRUE(pair.send(Pair::client, Priority::normal, text("one")));
  const auto size = pair.link(Pair::client).to_send(pair.now()).size();
  ASSERT_TRUE(pair.send(Pair::client, Priority::normal, text("two")));
  EXPECT_EQ(pair.link(Pair::client).to_send(pair.now()).size(), size);
  pair.link(Pair::client).mark_sent(pair.now(), size - 1);
  EXPECT_EQ(pair.link(Pair::client).to_send(pair.now()).size(), 1U);
}

TEST(Links, AReaderThatTakesNothingFillsTheQueueAndIsCutOff) {
  Config config;
  config.max_queued_bytes = 100'000;
  Pair pair(true, config);
  pair.run();
  Status status;
  while (status) status = pair.send(Pair::client, Priority::normal, Bytes(1000, 1));
  EXPECT_EQ(status.error().code, Errc::limit_exceeded);
  EXPECT_LE(pair.link(Pair::client).queued_bytes(), config.max_queued_bytes);
  ASSERT_FALSE(pair.link(Pair::client).to_send(pair.now()).empty());
  // It goes on sending, so it is not silent; it only takes nothing.
  for (int i = 0; i < 2; ++i) {
    pair.advance(config.keepalive_interval * 9 / 10);
    ASSERT_TRUE(pair.send(Pair::server, Priority::normal, text("still here")));
    pair.pull(Pair::server);
    pair.deliver(Pair::server, 100'000);
  }
  EXPECT_EQ(pair.ends[Pair::client].messages.size(), 2U);
  pair.advance(config.keepalive_interval * 2 / 10);
  EXPECT_EQ(pair.link(Pair::client).why().message, "the other side does not take what we send");
  EXPECT_TRUE(pair.link(Pair::client).is_finished());
}

// Timers. -------------------------------------------------------------------------------------------------------------

TEST_P(LinkFlow, AHandshakeThatStallsEndsAtItsDeadline) {
  Pair pair(GetParam());
  pair.pull(Pair::client);
  pair.deliver(Pair::client, 20);
  EXPECT_EQ(pair.link(Pair::server).deadline(), pair.now().mono + pair.config.handshake_timeout);
  pair.advance(pair.config.handshake_timeout - nanoseconds(1));
  EXPECT_EQ(pair.link(Pair::server).stage(), Link::Stage::handshake);
  pair.advance(nanoseconds(1));
  for (const auto& end : pair.ends) {
    EXPECT_TRUE(end.link->is_finished());
    EXPECT_EQ(end.link->why().code, Errc::timed_out);
  }
}

TEST(Links, ARecordThatDripsEndsTheLink) {
  Pair pair(true);
  pair.run();
  pair.ends[Pair::client].link->set_wanted(true);
  ASSERT_TRUE(pair.send(Pair::client, Priority::normal, Bytes(1000, 1)));
  pair.pull(Pair::client);
  for (Duration passed{}; passed <= pair.config.record_timeout; passed += seconds(1)) {
    pair.deliver(Pair::client, 1);
    pair.advance(seconds(1));
  }
  EXPECT_EQ(pair.link(Pair::server).why().code, Errc::timed_out);
  EXPECT_NE(pair.link(Pair::server).why().message.find("record"), std::string::npos);
}

TEST(Links, PingsKeepASilentLinkAndMeasureIt) {
  Pair pair(true);
  pair.run();
  pair.link(Pair::client).set_wanted(true);
  for (int i = 0; i < 100; ++i) {
    pair.advance(pair.config.keepalive_interval);
    pair.pull(Pair::client);
    pair.pull(Pair::server);
    pair.elapsed += milliseconds(20);
    pair.deliver(Pair::client, 1000);
    pair.deliver(Pair::server, 1000);
    pair.pull(Pair::client);
    pair.pull(Pair::server);
    pair.elapsed += milliseconds(20);
    pair.deliver(Pair::client, 1000);
    pair.deliver(Pair::server, 1000);
    ASSERT_TRUE(pair.both_open()) << i;
  }
  const auto round_trip = pair.link(Pair::client).round_trip();
  ASSERT_TRUE(round_trip);
  EXPECT_GT(*round_trip, milliseconds(30));
  EXPECT_LT(*round_trip, milliseconds(50));
}

/// Receives messages and has nothing to say, as a recipient does in a burst: a link that is never silent.
TEST(Links, TheReceivingEndOfABusyLinkMeasuresItToo) {
  Pair pair(true);
  pair.run();
  ASSERT_FALSE(pair.link(Pair::server).round_trip()) << "the other side dialled, and it has pinged";
  const auto exchange = [&](Duration delay) {
    pair.pull(Pair::client);
    pair.pull(Pair::server);
    pair.elapsed += delay;
    pair.deliver(Pair::client, 100'000);
    pair.deliver(Pair::server, 100'000);
  };
  std::size_t wrote = 0;
  for (int second = 0; second < 600; ++second) {
    ASSERT_TRUE(pair.send(Pair::client, Priority::normal, text("more")));
    const auto before = pair.link(Pair::server).bytes_out();
    for (int i = 0; i < 4; ++i) exchange(second < 300 ? milliseconds(10) : milliseconds(200));
    wrote += pair.link(Pair::server).bytes_out() > before ? 1 : 0;
    if (second == 0) {
      EXPECT_EQ(pair.link(Pair::server).round_trip(), milliseconds(20));
    }
    pair.advance(seconds(1) - (second < 300 ? milliseconds(40) : milliseconds(800)));
  }
  EXPECT_EQ(pair.ends[Pair::server].messages.size(), 600U);
  const auto measured = pair.link(Pair::server).round_trip();
  ASSERT_TRUE(measured);
  EXPECT_GT(*measured, milliseconds(100)) << "the way has become longer";
  EXPECT_LE(wrote, 40U) << "a ping in a minute, and answers to those of the other side";
}

TEST(Links, ADeadPeerIsNoticed) {
  Pair pair(true);
  pair.run();
  pair.advance(pair.config.keepalive_interval);
  EXPECT_TRUE(pair.link(Pair::client).has_output());  // The ping, which nobody will read.
  pair.advance(pair.config.keepalive_interval);
  EXPECT_EQ(pair.link(Pair::client).why().code, Errc::timed_out);
  EXPECT_TRUE(pair.link(Pair::client).is_finished());
}

/// Lets time pass with working keepalive until the client's link is no longer open, or for `limit`.
Duration idle_for(Pair& pair, Duration limit) {
  const auto start = pair.elapsed;
  while (pair.both_open() && pair.elapsed - start < limit) {
    pair.advance(seconds(1));
    pair.run();
  }
  return pair.elapsed - start;
}

TEST(Links, ALinkThatNobodyWantsClosesAfterIdlingOnBothSides) {
  Pair pair(true);
  pair.run();
  EXPECT_EQ(idle_for(pair, hours(1)), pair.config.idle_timeout);
  pair.run();
  for (const auto& end : pair.ends) EXPECT_TRUE(end.link->is_finished());
}

TEST(Links, ALinkThatEitherSideWantsStays) {
  for (const auto side : {Pair::client, Pair::server}) {
    Pair pair(true);
    pair.link(side).set_wanted(true);
    pair.run();
    idle_for(pair, minutes(2));  // Pings have told the other side.
    EXPECT_GE(idle_for(pair, minutes(30)), minutes(30));
    pair.link(side).set_wanted(false);
    EXPECT_LT(idle_for(pair, minutes(30)), minutes(6));
  }
}

TEST(Links, MessagesKeepALinkAwake) {
  Pair pair(true);
  pair.run();
  for (int i = 0; i < 10; ++i) {
    idle_for(pair, minutes(4));
    ASSERT_TRUE(pair.send(Pair::server, Priority::low, text("x")));
  }
  EXPECT_TRUE(pair.both_open());
}

TEST(Links, WhatGoesToWhoeverIsLinkedKeepsNoLinkAwake) {
  for (const auto type :
       {wire::MessageType::partition_heartbeat, wire::MessageType::partition_statement, wire::MessageType::registry_ask,
        wire::MessageType::registry_places, wire::MessageType::registry_entries, wire::MessageType::realm_message}) {
    Pair pair(true);
    pair.run();
    const Bytes message{static_cast<Byte>(type), 1};
    Duration idle{};
    while (pair.both_open() && idle < hours(1)) {
      idle += idle_for(pair, minutes(1));
      if (!pair.both_open()) break;
      ASSERT_TRUE(pair.send(Pair::server, Priority::low, message));
    }
    EXPECT_EQ(idle, pair.config.idle_timeout) << static_cast<int>(type);
  }
}

TEST(Links, KeysChangeByBytesAndByAge) {
  Config config;
  config.rekey_bytes = 1000;
  Pair pair(true, config);
  pair.run();
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(pair.send(Pair::client, Priority::normal, Bytes(400, static_cast<Byte>(i))));
    ASSERT_TRUE(pair.send(Pair::server, Priority::normal, Bytes(400, static_cast<Byte>(i))));
    pair.run();
    pair.elapsed += minutes(1);
  }
  ASSERT_TRUE(pair.both_open());
  EXPECT_EQ(pair.ends[Pair::server].messages.size(), 30U);
  EXPECT_GE(pair.link(Pair::client).rekeys(), 7U);
  const auto before = pair.link(Pair::server).rekeys();
  pair.elapsed += config.rekey_age;
  ASSERT_TRUE(pair.send(Pair::server, Priority::normal, text("an hour later")));
  pair.run();
  EXPECT_EQ(pair.link(Pair::server).rekeys(), before + 1);
  EXPECT_TRUE(pair.both_open());
}

// Closing. ------------------------------------------------------------------------------------------------------------

TEST(Links, AGracefulCloseLosesNothingInEitherDirection) {
  Pair pair(true);
  pair.run();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(pair.send(Pair::client, Priority::low, Bytes(32 * 1024, static_cast<Byte>(i))));
    ASSERT_TRUE(pair.send(Pair::server, Priority::low, Bytes(32 * 1024, static_cast<Byte>(i))));
  }
  pair.link(Pair::client).close(pair.now(), CloseReason::going_away, {Errc::closed, "stopping"});
  pair.run();
  EXPECT_EQ(pair.ends[Pair::server].messages.size(), 5U);
  EXPECT_EQ(pair.ends[Pair::client].messages.size(), 5U);
  for (const auto& end : pair.ends) EXPECT_TRUE(end.link->is_finished());
  EXPECT_EQ(pair.link(Pair::client).why().message, "stopping");
  EXPECT_EQ(pair.link(Pair::server).why().message, "the other side closed the link: it is stopping");
}

TEST(Links, ACloseThatIsNotGracefulIsHeardAndEndsBoth) {
  Pair pair(true);
  pair.run();
  ASSERT_TRUE(pair.send(Pair::client, Priority::low, text("dropped")));
  pair.link(Pair::client).close(pair.now(), CloseReason::cut, {Errc::malformed, "nonsense"});
  pair.run();
  EXPECT_TRUE(pair.ends[Pair::server].messages.empty());
  for (const auto& end : pair.ends) EXPECT_TRUE(end.link->is_finished());
  EXPECT_NE(pair.link(Pair::server).why().message.find("misbehave"), std::string::npos);
}

TEST(Links, AGoodbyeThatIsNotAnsweredEndsAtItsDeadline) {
  Pair pair(true);
  pair.run();
  pair.link(Pair::client).close(pair.now(), CloseReason::idle, {Errc::closed, "idle"});
  pair.pull(Pair::client);
  EXPECT_FALSE(pair.link(Pair::client).is_finished());
  pair.advance(pair.config.close_timeout);
  EXPECT_TRUE(pair.link(Pair::client).is_finished());
}

}  // namespace
}  // namespace ekiden::link
