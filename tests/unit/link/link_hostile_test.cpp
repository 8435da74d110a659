// What a correct node never sends.
#include <gtest/gtest.h>

#include "link/link.hpp"
#include "pair.hpp"

namespace ekiden::link {
namespace {

using test::kWall;
using test::Pair;
using test::text;

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

TEST(HostileLinks, AFirstRecordThatIsRandomIsARepeatedOrForgedHandshake) {
  Pair pair(true);
  RawClient client(pair);
  Bytes record(kRecordHeader + 40, 7);
  put_be(record, std::uint16_t{40});
  pair.receive(Pair::server, record);
  EXPECT_FALSE(pair.ends[Pair::server].opened);
  EXPECT_EQ(pair.link(Pair::server).why().code, Errc::unauthenticated);
  EXPECT_EQ(pair.link(Pair::server).why().message, "its first record does not decrypt: a replayed or forged handshake");
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
  EXPECT_EQ(pair.link(Pair::server).why().message, "record 2 from it was changed, repeated or lost on the way");
}

}  // namespace
}  // namespace ekiden::link
