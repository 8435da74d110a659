#include "runtime/websocket.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "runtime/carriers.hpp"
#include "unit/runtime/memory_stream.hpp"
#include "unit/runtime/websocket_frames.hpp"

namespace ekiden::runtime {
namespace {

/// A client and a server, and the two directions between them.
struct Pair {
  Channel up;
  Channel down;
  WebSocket::Shared shared;
  std::unique_ptr<WebSocket> client =
      WebSocket::client(std::make_unique<MemoryStream>(down, up), shared, "node.example");
  std::unique_ptr<WebSocket> server = WebSocket::server(std::make_unique<MemoryStream>(up, down), shared);
  Bytes buffer = Bytes(4096);

  /// Both sides go on until nothing changes any more; true if both are open.
  bool open() {
    for (int i = 0; i < 10; ++i) {
      const auto here = client->open(buffer);
      const auto there = server->open(buffer);
      if (!here || !there) return false;
      if (*here == Wait::nothing && *there == Wait::nothing) return true;
    }
    return false;
  }
};

/// The user of one side: what it has to say, and what it has heard.
struct Talker {
  WebSocket& stream;
  Bytes to_say;
  Bytes heard;
  std::optional<Error> end = std::nullopt;

  /// Offers at most so many bytes; false if the socket takes no more.
  bool say(std::size_t at_most) {
    const auto outcome = stream.write(ByteView(to_say).first(std::min(at_most, to_say.size())));
    to_say.erase(to_say.begin(), to_say.begin() + static_cast<std::ptrdiff_t>(outcome.bytes));
    return !outcome.blocked;
  }
  void hear(Bytes& buffer) {
    auto outcome = stream.read(buffer);
    append(heard, outcome.bytes);
    if (outcome.end) end = std::move(outcome.end);
  }
};

TEST(WebSocketTest, OneMessageThatDoesNotFitIsKeptAndNoMore) {
  Pair pair;
  ASSERT_TRUE(pair.open());
  Talker client{.stream = *pair.client, .to_say = Bytes(100'000, 7), .heard = {}};
  pair.up.room = 3;  // within the header
  EXPECT_TRUE(client.say(SIZE_MAX));
  EXPECT_EQ(client.to_say.size(), 100'000U - WebSocket::kMaxPayload);
  EXPECT_FALSE(client.say(SIZE_MAX));
  EXPECT_EQ(client.to_say.size(), 100'000U - WebSocket::kMaxPayload);
  pair.up.room = SIZE_MAX;
  while (!client.to_say.empty()) ASSERT_TRUE(client.say(SIZE_MAX));
  Talker server{.stream = *pair.server, .to_say = {}, .heard = {}};
  while (!pair.up.bytes.empty()) server.hear(pair.buffer);
  EXPECT_EQ(server.heard, Bytes(100'000, 7));
  EXPECT_FALSE(pair.client->has_output());
}

TEST(WebSocketTest, AnAnswerComesBehindTheFrameThatIsOnItsWay) {
  Pair pair;
  ASSERT_TRUE(pair.open());
  Talker server{.stream = *pair.server, .to_say = Bytes(1000, 7), .heard = {}};
  pair.down.room = 500;
  EXPECT_TRUE(server.say(SIZE_MAX));
  append(pair.up.bytes, frame_of(Opcode::ping, as_bytes("beat"), MaskKey{1, 2, 3, 4}));
  server.hear(pair.buffer);
  pair.down.room = SIZE_MAX;
  while (pair.server->has_output()) ASSERT_TRUE(server.say(0));
  const auto frames = frames_in(pair.down.bytes);
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames[0].payload, Bytes(1000, 7));
  EXPECT_EQ(frames[1].opcode(), Opcode::pong);
  EXPECT_EQ(as_text(frames[1].payload), "beat");
}

TEST(WebSocketTest, SoDoTheLastWords) {
  Pair pair;
  ASSERT_TRUE(pair.open());
  Talker server{.stream = *pair.server, .to_say = Bytes(1000, 7), .heard = {}};
  pair.down.room = 500;
  server.say(SIZE_MAX);
  EXPECT_TRUE(pair.server->finish());
  pair.down.room = SIZE_MAX;
  while (pair.server->has_output()) ASSERT_TRUE(server.say(0));
  const auto frames = frames_in(pair.down.bytes);
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames[0].payload, Bytes(1000, 7));
  EXPECT_EQ(close_code_in(frames), CloseCode::normal);
}

/// Who asks without end and reads no answer is not answered without end.
TEST(WebSocketTest, AnswersThatNobodyReadsAreBounded) {
  Pair pair;
  ASSERT_TRUE(pair.open());
  pair.down.room = 0;
  Talker server{.stream = *pair.server, .to_say = {}, .heard = {}};
  std::size_t sent = 0;
  for (; !server.end && sent < 10'000; ++sent) {
    append(pair.up.bytes, frame_of(Opcode::ping, Bytes(125), MaskKey{1, 2, 3, 4}));
    append(pair.up.bytes, frame_of(Opcode::binary, Bytes(200), MaskKey{1, 2, 3, 4}));
    while (!pair.up.bytes.empty()) server.hear(pair.buffer);
    server.say(0);
  }
  ASSERT_TRUE(server.end);
  EXPECT_EQ(server.end->code, Errc::malformed);
  EXPECT_LT(sent * 127, WebSocket::kMaxPayload + WebSocket::kMaxOwnOutput + 1024);
}

/// Nor is it kept what was sent already, to one that reads just as much as comes.
TEST(WebSocketTest, WhatWasSentIsNotKept) {
  Pair pair;
  ASSERT_TRUE(pair.open());
  Talker server{.stream = *pair.server, .to_say = {}, .heard = {}};
  append(pair.up.bytes, frame_of(Opcode::ping, Bytes(125), MaskKey{1, 2, 3, 4}));
  server.hear(pair.buffer);
  for (int i = 0; i < 10'000 && !server.end; ++i) {
    append(pair.up.bytes, frame_of(Opcode::ping, Bytes(125), MaskKey{1, 2, 3, 4}));
    append(pair.up.bytes, frame_of(Opcode::binary, Bytes(300), MaskKey{1, 2, 3, 4}));
    while (!pair.up.bytes.empty()) server.hear(pair.buffer);
    server.heard.clear();
    pair.down.room = 127;
    server.say(0);
    pair.down.bytes.clear();
    ASSERT_LT(pair.server->kept(), 2 * WebSocket::kMaxPayload + WebSocket::kMaxOwnOutput);
  }
  EXPECT_FALSE(server.end);
}

/// What a proxy sees of a connection that one side alone keeps alive: for how long it was silent at most, in five
/// minutes. The other side may be a program that sends no pings of its own.
struct Watched {
  Pair pair;
  Talker client{.stream = *pair.client, .to_say = {}, .heard = {}};
  Talker server{.stream = *pair.server, .to_say = {}, .heard = {}};
  Duration last{};
  Duration longest{};

  void note(Duration now, const Channel& channel) {
    longest = std::max(longest, now - last);
    if (!channel.bytes.empty()) last = now;
  }

  /// What waits travels up, and then what waits or is the answer travels down.
  void carry(Duration now) {
    client.say(SIZE_MAX);
    note(now, pair.up);
    while (!pair.up.bytes.empty()) server.hear(pair.buffer);
    server.say(SIZE_MAX);
    note(now, pair.down);
    while (!pair.down.bytes.empty()) client.hear(pair.buffer);
    client.say(SIZE_MAX);  // The answer to a ping of the server.
    note(now, pair.up);
    while (!pair.up.bytes.empty()) server.hear(pair.buffer);
  }

  /// keep_alive() is called for the first time at `phase`; until `talks` the client has something to say each second.
  void watch(WebSocket& keeper, Duration phase, Duration talks) {
    constexpr Duration kStep = milliseconds(500);
    const Duration interval = WebOptions{}.keep_alive;
    Duration next = phase;
    for (Duration now{}; now < minutes(5); now += kStep) {
      if (now <= talks && now % seconds(1) == Duration::zero()) client.to_say = {7};
      if (now >= next) {
        keeper.keep_alive();
        next += interval;
      }
      carry(now);
    }
    EXPECT_FALSE(client.end || server.end);
  }
};

constexpr Duration kProxyPatience = seconds(30);  ///< that of the least patient in common use
constexpr Duration kOnTheWay = seconds(5);        ///< what a ping and its answer may take

TEST(WebSocketTest, AnIdleConnectionIsNeverSilentForAsLongAsAProxyWaits) {
  for (const bool by_client : {true, false}) {
    for (Duration phase{}; phase < WebOptions{}.keep_alive; phase += milliseconds(2500)) {
      for (const Duration talks : {seconds(0), seconds(7), seconds(100)}) {
        Watched watched;
        ASSERT_TRUE(watched.pair.open());
        watched.watch(by_client ? *watched.pair.client : *watched.pair.server, phase, talks);
        EXPECT_LE(watched.longest + kOnTheWay, kProxyPatience) << by_client << " " << phase << " " << talks;
      }
    }
  }
}

TEST(WebSocketTest, PingsOfAWeekAreNoFlood) {
  Watched watched;
  ASSERT_TRUE(watched.pair.open());
  for (auto left = hours(24 * 7) / WebOptions{}.keep_alive; left > 0; --left) {
    watched.pair.client->keep_alive();
    watched.pair.server->keep_alive();
    watched.carry({});
    ASSERT_FALSE(watched.client.end || watched.server.end) << left << " are left";
  }
}

TEST(WebSocketTest, WhoGivesUpAskingSaysNothing) {
  Pair pair;
  pair.up.room = 10;
  EXPECT_EQ(pair.client->open(pair.buffer), Wait::writable);
  EXPECT_FALSE(pair.client->finish());
}

TEST(WebSocketTest, MasksDifferFromFrameToFrame) {
  Pair pair;
  ASSERT_TRUE(pair.open());
  Talker client{.stream = *pair.client, .to_say = Bytes(2, 0), .heard = {}};
  ASSERT_TRUE(client.say(1) && client.say(1));
  const Bytes& wire = pair.up.bytes;
  ASSERT_EQ(wire.size(), 14U);
  EXPECT_NE(Bytes(wire.begin() + 2, wire.begin() + 6), Bytes(wire.begin() + 9, wire.begin() + 13));
}

/// Everything that is said is heard, in order, however little the sockets take and give at a time.
RC_GTEST_PROP(WebSocketTest, EverythingArrivesInOrder, ()) {
  Pair pair;
  RC_ASSERT(pair.open());
  Talker client{.stream = *pair.client, .to_say = *rc::gen::arbitrary<Bytes>(), .heard = {}};
  Talker server{.stream = *pair.server, .to_say = *rc::gen::arbitrary<Bytes>(), .heard = {}};
  const Bytes there = client.to_say;
  const Bytes back = server.to_say;
  const auto small = [] { return *rc::gen::inRange<std::size_t>(1, 40); };
  for (int step = 0; step < 100'000 && (client.heard.size() < back.size() || server.heard.size() < there.size());
       ++step) {
    for (Channel* channel : {&pair.up, &pair.down}) {
      channel->room = small();
      channel->piece = small();
    }
    pair.client->keep_alive();
    pair.server->keep_alive();
    client.say(small());
    server.say(small());
    client.hear(pair.buffer);
    server.hear(pair.buffer);
  }
  RC_ASSERT(server.heard == there);
  RC_ASSERT(client.heard == back);
  RC_ASSERT(!client.end && !server.end);
}

}  // namespace
}  // namespace ekiden::runtime
