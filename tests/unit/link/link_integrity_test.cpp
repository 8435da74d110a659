// A link opens, and whatever is changed, cut, repeated or replayed on its wire, nothing wrong comes out of it.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "link/link.hpp"
#include "pair.hpp"

namespace ekiden::link {
namespace {

using test::Pair;
using test::text;
using wire::Priority;

class LinkIntegrity : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Link, LinkIntegrity, testing::Bool(),
                         [](const auto& which) { return which.param ? "IK" : "XX"; });

TEST_P(LinkIntegrity, OpensOnBothSidesAndCarriesMessages) {
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

TEST_P(LinkIntegrity, OpensAndTalksHoweverTheStreamIsCut) {
  for (const std::size_t piece : {1u, 2u, 3u, 7u, 9u, 50u, 200u}) {
    Pair pair(GetParam());
    pair.run(piece);
    ASSERT_TRUE(pair.both_open()) << "in pieces of " << piece;
    ASSERT_TRUE(pair.send(Pair::client, Priority::normal, Bytes(5000, 8)));
    pair.run(piece);
    EXPECT_EQ(pair.ends[Pair::server].messages, std::vector<Bytes>{Bytes(5000, 8)});
  }
}

TEST_P(LinkIntegrity, TheResponderActsOnNothingBeforeTheFirstRecord) {
  Pair pair(GetParam());
  const std::size_t flights = GetParam() ? 1 : 2;
  for (std::size_t i = 0; i < flights; ++i) {
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

TEST_P(LinkIntegrity, AReplayedConversationOpensNothing) {
  Pair pair(GetParam());
  const auto recorded = recorded_flights(pair, Pair::client);
  pair.reconnect(GetParam(), pair.parties[Pair::server].identity.id());
  pair.receive(Pair::server, recorded);
  EXPECT_FALSE(pair.ends[Pair::server].opened);
  EXPECT_TRUE(pair.ends[Pair::server].messages.empty());
  EXPECT_FALSE(pair.link(Pair::server).is_open());
  const Error& why = pair.link(Pair::server).why();
  EXPECT_EQ(why.code, Errc::unauthenticated);
  EXPECT_EQ(why.message,
            GetParam()
                ? "its first record does not decrypt: a replayed or forged handshake"
                : "its part of the handshake does not decrypt: it is replayed, forged or was changed on the way");
}

TEST_P(LinkIntegrity, AnyChangedByteOfTheHandshakeEndsIt) {
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

TEST_P(LinkIntegrity, AnAnswerToAnotherHandshakeIsNamed) {
  Pair pair(GetParam());
  const auto recorded = recorded_flights(pair, Pair::server);
  pair.reconnect(GetParam(), pair.parties[Pair::server].identity.id());
  pair.pull(Pair::client);
  pair.receive(Pair::client, recorded);
  EXPECT_FALSE(pair.ends[Pair::client].opened);
  EXPECT_EQ(pair.link(Pair::client).why().code, Errc::unauthenticated);
  EXPECT_EQ(pair.link(Pair::client).why().message,
            "its part of the handshake does not decrypt: it is replayed, forged or was changed on the way");
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
    if (position < kRecordHeader) continue;  // Another length: it waits, or what follows does not decrypt.
    EXPECT_EQ(pair.link(Pair::server).why().code, Errc::unauthenticated);
    EXPECT_EQ(pair.link(Pair::server).why().message, "record 1 from it was changed, repeated or lost on the way");
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
    EXPECT_EQ(pair.link(Pair::server).why().message,
              std::string("record ") + (repeat ? "2" : "1") + " from it was changed, repeated or lost on the way");
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
  EXPECT_EQ(pair.link(Pair::server).why().message, "record 1 from it was changed, repeated or lost on the way");
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
