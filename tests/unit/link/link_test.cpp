// One link at a time, between two ends that are wired by hand.
#include "link/link.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "pair.hpp"

namespace ekiden::link {
namespace {

using test::kWall;
using test::Pair;
using test::text;
using wire::Priority;

class AnyPattern : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Link, AnyPattern, testing::Bool(),
                         [](const auto& which) { return which.param ? "IK" : "XX"; });

TEST_P(AnyPattern, OpensOnBothSidesAndCarriesMessages) {
  Pair pair(GetParam());
  pair.run();
  ASSERT_TRUE(pair.both_open());
  EXPECT_EQ(pair.ends[Pair::client].opened->id, pair.parties[Pair::server].identity.id());
  EXPECT_EQ(pair.ends[Pair::server].opened->id, pair.parties[Pair::client].identity.id());
  EXPECT_EQ(pair.ends[Pair::server].opened->record.signed_bytes, pair.parties[Pair::client].local.record);
  EXPECT_EQ(pair.link(Pair::client).name(), pair.link(Pair::server).name());
  EXPECT_TRUE(pair.link(Pair::client).round_trip().has_value());
  ASSERT_TRUE(pair.send(Pair::client, Priority::normal, text("to the server")));
  ASSERT_TRUE(pair.send(Pair::server, Priority::normal, text("to the client")));
  pair.run();
  EXPECT_EQ(pair.ends[Pair::server].messages, std::vector<Bytes>{text("to the server")});
  EXPECT_EQ(pair.ends[Pair::client].messages, std::vector<Bytes>{text("to the client")});
}

TEST_P(AnyPattern, OpensAndTalksHoweverTheStreamIsCut) {
  for (const std::size_t piece : {1, 2, 3, 7, 9, 50, 200}) {
    Pair pair(GetParam());
    pair.run(piece);
    ASSERT_TRUE(pair.both_open()) << "in pieces of " << piece;
    ASSERT_TRUE(pair.send(Pair::client, Priority::normal, Bytes(5000, 8)));
    pair.run(piece);
    EXPECT_EQ(pair.ends[Pair::server].messages, std::vector<Bytes>{Bytes(5000, 8)});
  }
}

TEST_P(AnyPattern, TheResponderActsOnNothingBeforeTheFirstRecord) {
  Pair pair(GetParam());
  const int flights = GetParam() ? 1 : 2;
  for (int i = 0; i < flights; ++i) {
    pair.pull(Pair::client);
    if (i > 0) pair.ends[Pair::client].wire.resize(pair.ends[Pair::client].wire.size() - 30);  // Without the ping.
    pair.deliver(Pair::client, 5000);
    pair.pull(Pair::server);
    pair.deliver(Pair::server, 5000);
  }
  EXPECT_EQ(pair.link(Pair::server).stage(), Link::Stage::confirming);
  EXPECT_FALSE(pair.ends[Pair::server].opened);
  EXPECT_FALSE(pair.link(Pair::server).has_output());
}

/// Everything that one side sends until both are open.
Bytes recorded_flights(Pair& pair, Pair::Side side) {
  Bytes all;
  for (int i = 0; i < 4; ++i) {
    for (const auto from : {Pair::client, Pair::server}) {
      pair.pull(from);
      if (from == side) append(all, pair.ends[from].wire);
      pair.deliver(from, 5000);
    }
  }
  CHECK(pair.both_open());
  return all;
}

TEST_P(AnyPattern, AReplayedConversationOpensNothing) {
  Pair pair(GetParam());
  const auto recorded = recorded_flights(pair, Pair::client);
  pair.reconnect(GetParam(), pair.parties[Pair::server].identity.id());
  pair.receive(Pair::server, recorded);
  EXPECT_FALSE(pair.ends[Pair::server].opened);
  EXPECT_TRUE(pair.ends[Pair::server].messages.empty());
  EXPECT_FALSE(pair.link(Pair::server).is_open());
}

TEST_P(AnyPattern, AnyChangedByteOfTheHandshakeEndsIt) {
  for (const auto side : {Pair::client, Pair::server}) {
    Pair sample(GetParam());
    const auto total = recorded_flights(sample, side).size();
    for (std::size_t position = 0; position < total; ++position) {
      Pair pair(GetParam());
      std::size_t passed = 0;
      for (int i = 0; i < 4; ++i) {
        for (const auto from : {Pair::client, Pair::server}) {
          pair.pull(from);
          auto& wire = pair.ends[from].wire;
          if (from == side && position >= passed && position < passed + wire.size()) wire[position - passed] ^= 0x40;
          if (from == side) passed += wire.size();
          pair.deliver(from, 5000);
        }
      }
      // A length that grew makes the receiver wait, until its deadline.
      pair.advance(pair.config.handshake_timeout);
      const auto& receiver = pair.ends[side == Pair::client ? Pair::server : Pair::client];
      ASSERT_FALSE(pair.both_open()) << "side " << side << " position " << position;
      ASSERT_TRUE(receiver.link->stage() == Link::Stage::over || receiver.link->stage() == Link::Stage::closing);
      ASSERT_FALSE(receiver.link->why().message.empty());
      ASSERT_FALSE(receiver.opened && position + 30 < total);
    }
  }
}

TEST(Links, AnyChangedByteOfARecordEndsTheLinkWithoutAMessage) {
  Pair sample(true);
  sample.run();
  ASSERT_TRUE(sample.send(Pair::client, Priority::normal, text("payload")));
  sample.pull(Pair::client);
  const auto size = sample.ends[Pair::client].wire.size();
  for (std::size_t position = 0; position < size; ++position) {
    Pair pair(true);
    pair.run();
    ASSERT_TRUE(pair.send(Pair::client, Priority::normal, text("payload")));
    pair.pull(Pair::client);
    pair.ends[Pair::client].wire[position] ^= 1;
    pair.run();
    pair.advance(pair.config.record_timeout);
    EXPECT_TRUE(pair.ends[Pair::server].messages.empty());
    EXPECT_FALSE(pair.link(Pair::server).is_open()) << position;
  }
}

TEST(Links, ReorderedAndRepeatedRecordsEndTheLink) {
  for (const bool repeat : {false, true}) {
    Pair pair(true);
    pair.run();
    std::vector<Bytes> records;
    for (const auto* what : {"one", "two"}) {
      ASSERT_TRUE(pair.send(Pair::client, Priority::normal, text(what)));
      pair.pull(Pair::client);
      records.push_back(std::exchange(pair.ends[Pair::client].wire, {}));
    }
    if (repeat) {
      pair.receive(Pair::server, records[0]);
      pair.receive(Pair::server, records[0]);
      EXPECT_EQ(pair.ends[Pair::server].messages, std::vector<Bytes>{text("one")});
    } else {
      pair.receive(Pair::server, records[1]);
      pair.receive(Pair::server, records[0]);
      EXPECT_TRUE(pair.ends[Pair::server].messages.empty());
    }
    EXPECT_EQ(pair.link(Pair::server).why().code, Errc::unauthenticated);
  }
}

TEST(Links, ASkippedRecordEndsTheLink) {
  Pair pair(true);
  pair.run();
  ASSERT_TRUE(pair.send(Pair::client, Priority::normal, text("lost")));
  pair.pull(Pair::client);
  pair.ends[Pair::client].wire.clear();
  ASSERT_TRUE(pair.send(Pair::client, Priority::normal, text("next")));
  pair.run();
  EXPECT_TRUE(pair.ends[Pair::server].messages.empty());
  EXPECT_FALSE(pair.link(Pair::server).is_open());
}

// Who is at the other end. --------------------------------------------------------------------------------------------

TEST(Links, WithXxTheAnsweringIdentityMustBeTheWantedOne) {
  Pair pair(false);
  const auto wanted = test::make_identity(9).id();
  pair.reconnect(false, wanted);
  pair.run();
  const auto& why = pair.link(Pair::client).why();
  EXPECT_EQ(why.code, Errc::unauthenticated);
  EXPECT_NE(why.message.find(pair.parties[Pair::server].identity.id().text()), std::string::npos) << why.message;
  EXPECT_NE(why.message.find(wanted.text()), std::string::npos);
  // The caller did not show itself, and the other side heard why.
  EXPECT_NE(pair.link(Pair::server).why().message.find("another identity"), std::string::npos);
}

TEST(Links, WithIkAnotherNodeCannotAnswer) {
  Pair pair(true);
  const auto other = test::make_identity(9);
  pair.ends[Pair::client].link = Link::dial(pair.now(), pair.config, pair.parties[Pair::client].local, other.id(),
                                            other.noise_key().public_key, pair.rng.bytes<32>());
  pair.run();
  EXPECT_EQ(pair.link(Pair::client).why().code, Errc::refused);
  EXPECT_NE(pair.link(Pair::client).why().message.find("another identity"), std::string::npos);
  EXPECT_NE(pair.link(Pair::server).why().message.find("another node"), std::string::npos);
}

TEST_P(AnyPattern, ANodeDoesNotConnectToItself) {
  Pair pair(3, 3, GetParam());
  pair.run();
  EXPECT_FALSE(pair.both_open());
  EXPECT_NE(pair.link(Pair::client).why().message.find("itself"), std::string::npos);
}

TEST_P(AnyPattern, ARecordOfSomebodyElseIsRefused) {
  for (const auto liar : {Pair::client, Pair::server}) {
    Pair pair(GetParam());
    pair.parties[liar].local.record = test::make_record(test::make_identity(9));
    pair.reconnect(GetParam(), pair.parties[Pair::server].identity.id());
    pair.run();
    const auto& honest = pair.ends[liar == Pair::client ? Pair::server : Pair::client];
    EXPECT_FALSE(honest.opened);
    EXPECT_NE(honest.link->why().message.find("record of another node"), std::string::npos)
        << honest.link->why().message;
  }
}

TEST_P(AnyPattern, ClocksYearsApartAreNamedOnBothSides) {
  Pair pair(GetParam());
  pair.parties[Pair::client].local.record =
      test::make_record(pair.parties[Pair::client].identity, kWall - days(2 * 365));
  pair.reconnect(GetParam(), pair.parties[Pair::server].identity.id());
  pair.run();
  EXPECT_FALSE(pair.ends[Pair::server].opened);
  EXPECT_NE(pair.link(Pair::server).why().message.find("clock"), std::string::npos);
  EXPECT_NE(pair.link(Pair::client).why().message.find("clock"), std::string::npos);
  EXPECT_FALSE(pair.ends[Pair::client].opened);
}

TEST_P(AnyPattern, TwoNodesSpeakTheHighestVersionOfBoth) {
  Pair pair(GetParam());
  pair.parties[Pair::client].local.version_max = 7;
  pair.parties[Pair::server].local.version_max = 4;
  pair.parties[Pair::client].local.features = 0b0110;
  pair.parties[Pair::server].local.features = 0b0011;
  pair.reconnect(GetParam(), pair.parties[Pair::server].identity.id());
  pair.run();
  ASSERT_TRUE(pair.both_open());
  for (const auto& end : pair.ends) {
    EXPECT_EQ(end.opened->version, 4);
    EXPECT_EQ(end.opened->features, 0b0010U);
  }
}

TEST_P(AnyPattern, NoCommonVersionIsNamedOnBothSides) {
  Pair pair(GetParam());
  pair.parties[Pair::client].local.version_min = 5;
  pair.parties[Pair::client].local.version_max = 7;
  pair.reconnect(GetParam(), pair.parties[Pair::server].identity.id());
  pair.run();
  for (const auto& end : pair.ends) {
    EXPECT_FALSE(end.opened);
    EXPECT_NE(end.link->why().message.find("version"), std::string::npos) << end.link->why().message;
  }
}

TEST(Links, OtherProtocolsAreRecognisedAtTheirFirstByte) {
  Pair pair(true);
  pair.receive(Pair::server, text("G"));
  EXPECT_EQ(pair.link(Pair::server).stage(), Link::Stage::over);
  EXPECT_EQ(pair.link(Pair::server).why().code, Errc::malformed);
  EXPECT_TRUE(pair.link(Pair::server).is_finished());
}

TEST(Links, AnUnknownLinkFormatIsRefusedWithAReason) {
  Pair pair(true);
  pair.receive(Pair::server, Bytes{'E', 'K', 'I', 'D', 'E', 'N', 2, 1});
  EXPECT_EQ(pair.link(Pair::server).why().code, Errc::unsupported);
  pair.pull(Pair::server);
  EXPECT_EQ(pair.ends[Pair::server].wire, (Bytes{0, 0, static_cast<Byte>(CloseReason::version)}));
  EXPECT_TRUE(pair.link(Pair::server).is_finished());
}

TEST(Links, AHandshakeMessageOverTheBoundIsRefusedAtItsLength) {
  Pair pair(true);
  pair.receive(Pair::server, Bytes{'E', 'K', 'I', 'D', 'E', 'N', 1, 1, 8, 1});
  EXPECT_EQ(pair.link(Pair::server).why().code, Errc::too_large);
}

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

TEST_P(AnyPattern, AHandshakeThatStallsEndsAtItsDeadline) {
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

// What a correct node never sends. ------------------------------------------------------------------------------------

/// A client that shakes hands correctly and then sends records as the test writes them.
class RawClient {
 public:
  explicit RawClient(Pair& pair) : pair_(pair) {
    Bytes bytes;
    const auto& server = pair.parties[Pair::server].identity;
    auto handshake = Handshake::dial(pair.parties[Pair::client].local, server.id(), server.noise_key().public_key,
                                     pair.rng.bytes<32>(), bytes);
    pair.receive(Pair::server, bytes);
    pair.pull(Pair::server);
    ByteView answer = pair.ends[Pair::server].wire;
    bytes.clear();
    CHECK(handshake.receive(kWall, answer, bytes) && handshake.is_finished() && bytes.empty());
    pair.ends[Pair::server].wire.clear();
    auto ciphers = handshake.ciphers();
    writer_.emplace(std::move(ciphers.send));
    reader_.emplace(std::move(ciphers.receive));
  }

  void send(ByteView frames) {
    Bytes record(kRecordHeader);
    append(record, frames);
    CHECK(writer_->seal(record));
    pair_.receive(Pair::server, record);
  }

  /// The frames of all records that the server sent.
  Bytes answers() {
    pair_.pull(Pair::server);
    const Bytes wire = std::exchange(pair_.ends[Pair::server].wire, {});
    ByteView input = wire;
    Bytes all;
    while (!input.empty()) {
      auto record = reader_->next(input);
      CHECK(record);
      append(all, **record);
    }
    return all;
  }

 private:
  Pair& pair_;
  std::optional<RecordWriter> writer_;
  std::optional<RecordReader> reader_;
};

TEST(HostileLinks, AFloodOfPingsIsAnsweredOnce) {
  Pair pair(true);
  RawClient client(pair);
  Bytes pings;
  for (std::uint64_t i = 1; i <= 5000; ++i) append_probe(pings, FrameKind::ping, {.token = i, .keep = false});
  client.send(pings);
  Bytes expected;
  append_probe(expected, FrameKind::pong, {.token = 5000, .keep = false});
  EXPECT_EQ(client.answers(), expected);
}

TEST(HostileLinks, AnUnexpectedPongMeasuresNothing) {
  Pair pair(true);
  RawClient client(pair);
  Bytes pong;
  append_probe(pong, FrameKind::pong, {.token = 0, .keep = false});
  client.send(pong);
  EXPECT_TRUE(pair.link(Pair::server).is_open());
  EXPECT_FALSE(pair.link(Pair::server).round_trip().has_value());
}

TEST(HostileLinks, AFirstRecordMayCarryAMessage) {
  Pair pair(true);
  RawClient client(pair);
  Bytes frames;
  append_frame(frames, FrameKind::message, text("early"));
  client.send(frames);
  EXPECT_EQ(pair.ends[Pair::server].messages, std::vector<Bytes>{text("early")});
}

TEST(HostileLinks, ABrokenFirstRecordOpensNothingAndIsAnsweredWithAReason) {
  Pair pair(true);
  RawClient client(pair);
  client.send(Bytes{4, 0, 0});
  EXPECT_FALSE(pair.ends[Pair::server].opened);
  Bytes expected;
  append_close(expected, CloseReason::protocol);
  EXPECT_EQ(client.answers(), expected);
  EXPECT_TRUE(pair.link(Pair::server).is_finished());
}

TEST(HostileLinks, AFirstRecordThatSaysGoodbyeOpensNothing) {
  Pair pair(true);
  RawClient client(pair);
  Bytes frames;
  append_close(frames, CloseReason::idle);
  client.send(frames);
  EXPECT_FALSE(pair.ends[Pair::server].opened);
  EXPECT_TRUE(pair.link(Pair::server).is_finished());
}

TEST(HostileLinks, FramesBeforeABrokenOneCountAndThoseAfterDoNot) {
  Pair pair(true);
  RawClient client(pair);
  Bytes frames;
  append_frame(frames, FrameKind::message, text("good"));
  append(frames, Bytes{4, 0, 0});
  append_frame(frames, FrameKind::message, text("never"));
  client.send(frames);
  EXPECT_EQ(pair.ends[Pair::server].messages, std::vector<Bytes>{text("good")});
  EXPECT_EQ(pair.link(Pair::server).stage(), Link::Stage::closing);
}

TEST(HostileLinks, NothingIsHeardAfterAGoodbye) {
  Pair pair(true);
  RawClient client(pair);
  Bytes frames;
  append_close(frames, CloseReason::superseded);
  client.send(Bytes{99, 0, 0});
  client.send(frames);
  frames.clear();
  append_frame(frames, FrameKind::message, text("after"));
  client.send(frames);
  EXPECT_TRUE(pair.ends[Pair::server].messages.empty());
  EXPECT_EQ(pair.ends[Pair::server].closes, std::vector{CloseReason::superseded});
  EXPECT_TRUE(pair.link(Pair::server).is_open());  // Another link should take over; until the deadline.
  pair.advance(pair.config.close_timeout);
  EXPECT_TRUE(pair.link(Pair::server).is_finished());
}

TEST(HostileLinks, ARekeyInEveryRecordIsFollowed) {
  Pair pair(true);
  RawClient client(pair);
  Bytes frames;
  append_frame(frames, FrameKind::message, text("x"));
  client.send(frames);
  append_frame(frames, FrameKind::rekey, {});
  client.send(frames);
  client.send(frames);  // Still under the old key.
  EXPECT_EQ(pair.ends[Pair::server].messages.size(), 2U);
  EXPECT_EQ(pair.link(Pair::server).why().code, Errc::unauthenticated);
}

// Everything together. ------------------------------------------------------------------------------------------------

RC_GTEST_PROP(Links, DeliverEverythingInOrderWithinAPriority, (bool knows_key)) {
  Config config;
  config.rekey_bytes = 5000;
  Pair pair(knows_key, config);
  pair.run();
  std::array<std::array<std::vector<Bytes>, wire::kPriorities>, 2> sent;
  const auto steps = *rc::gen::container<std::vector<std::tuple<bool, std::uint8_t, std::uint16_t>>>(rc::gen::tuple(
      rc::gen::arbitrary<bool>(), rc::gen::inRange<std::uint8_t>(0, 8), rc::gen::inRange<std::uint16_t>(1, 9000)));
  for (const auto& [is_client, what, amount] : steps) {
    const auto side = is_client ? Pair::client : Pair::server;
    if (what < wire::kPriorities) {
      Bytes message(amount, static_cast<Byte>(sent[side][what].size()));
      message[0] = what;
      RC_ASSERT(pair.send(side, static_cast<Priority>(what), message).has_value());
      sent[side][what].push_back(message);
    } else if (what == 5) {
      pair.pull(side);
    } else {
      pair.deliver(side, amount);
    }
  }
  pair.run();
  for (const auto side : {Pair::client, Pair::server}) {
    std::array<std::vector<Bytes>, wire::kPriorities> received;
    for (const auto& message : pair.ends[1 - side].messages) received[message[0]].push_back(message);
    RC_ASSERT(received == sent[side]);
  }
}

}  // namespace
}  // namespace ekiden::link
