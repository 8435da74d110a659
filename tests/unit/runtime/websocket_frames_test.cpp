// What a server and a client make of frames, whole and in single bytes.
#include "unit/runtime/websocket_frames.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "runtime/websocket.hpp"
#include "unit/runtime/memory_stream.hpp"

namespace ekiden::runtime {
namespace {

constexpr MaskKey kMaskingKey = {0x37, 0xfa, 0x21, 0x3d};

/// A frame with any first byte, masked as a client's.
Bytes client_frame(Byte first, ByteView payload) {
  Bytes frame = frame_of(Opcode::binary, payload, kMaskingKey);
  frame[0] = first;
  return frame;
}

Bytes client_frame(Opcode opcode, ByteView payload, bool final = true) {
  return client_frame(static_cast<Byte>(static_cast<Byte>(opcode) | (final ? 0x80 : 0)), payload);
}

Bytes joined(const std::vector<Bytes>& parts) {
  Bytes all;
  for (const Bytes& part : parts) append(all, part);
  return all;
}

/// One side of an upgraded connection, alone with what comes.
struct Reading {
  explicit Reading(bool is_server) {
    auto below = std::make_unique<MemoryStream>(in, out);
    stream = is_server ? WebSocket::server(std::move(below), shared)
                       : WebSocket::client(std::move(below), shared, "node.example");
    if (is_server) {
      in.bytes = to_bytes(as_bytes(upgrade_request()));
    } else {
      EXPECT_TRUE(stream->open(buffer).has_value());
      in.bytes = to_bytes(as_bytes(upgrade_answer(key_of(as_text(out.bytes)))));
    }
    EXPECT_EQ(stream->open(buffer), Wait::nothing);
    out.bytes.clear();
  }

  void feed(ByteView bytes, std::size_t piece = SIZE_MAX) {
    for (std::size_t at = 0; at < bytes.size(); at += std::min(piece, bytes.size() - at)) {
      append(in.bytes, bytes.subspan(at, std::min(piece, bytes.size() - at)));
      while (!in.bytes.empty() && !end) {
        auto outcome = stream->read(buffer);
        append(payload, outcome.bytes);
        end = std::move(outcome.end);
      }
      if (end) return;
    }
  }
  std::vector<Frame> said() {
    while (stream->has_output()) stream->write({});
    return frames_in(out.bytes);
  }

  Channel in;
  Channel out;
  WebSocket::Shared shared;
  std::unique_ptr<WebSocket> stream;
  Bytes buffer = Bytes(4096);
  Bytes payload;
  std::optional<Error> end;
};

/// The code with which the bytes end the connection.
std::optional<CloseCode> broken_by(ByteView bytes, bool is_server = true) {
  // A mebibyte in single bytes takes ten seconds under a sanitizer.
  const std::size_t small = bytes.size() > 100'000 ? 61 : 1;
  std::optional<CloseCode> code;
  for (const std::size_t piece : {small, SIZE_MAX}) {
    Reading reading(is_server);
    reading.feed(bytes, piece);
    const auto said = close_code_in(reading.said());
    EXPECT_EQ(said.has_value(), reading.end.has_value());
    EXPECT_TRUE(piece == small || said == code) << "not the same in small pieces and whole";
    code = said;
  }
  return code;
}

TEST(WebSocketFramesTest, TheExamplesOfTheStandardAreRead) {
  // RFC 6455 section 5.7, with the opcode of binary messages in place of text.
  Reading server(true);
  server.feed(*from_hex("828537fa213d7f9f4d5158"));
  EXPECT_EQ(as_text(server.payload), "Hello");
  Reading client(false);
  client.feed(*from_hex("020348656c80026c6f"));
  EXPECT_EQ(as_text(client.payload), "Hello");
  client.feed(*from_hex("890548656c6c6f"));
  const auto said = client.said();
  ASSERT_EQ(said.size(), 1U);
  EXPECT_EQ(said[0].opcode(), Opcode::pong);
  EXPECT_TRUE(said[0].masked);
  EXPECT_EQ(as_text(said[0].payload), "Hello");
  server.feed(*from_hex("8a8537fa213d7f9f4d5158"));
  EXPECT_TRUE(server.said().empty());
  EXPECT_FALSE(client.end || server.end);
}

TEST(WebSocketFramesTest, EveryLengthIsRead) {
  for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 65'535U, 65'536U, 1U << 20}) {
    const Bytes sent(size, 7);
    Reading client(false);
    client.feed(frame_of(Opcode::binary, sent, std::nullopt), 977);
    EXPECT_EQ(client.payload, sent);
    EXPECT_FALSE(client.end);
  }
}

TEST(WebSocketFramesTest, ReservedBitsAndKindsEndIt) {
  for (const unsigned bits : {0x10U, 0x20U, 0x30U, 0x40U, 0x50U, 0x60U, 0x70U}) {
    for (const Opcode opcode : {Opcode::binary, Opcode::ping, Opcode::close}) {
      const auto first = static_cast<Byte>(0x80 | bits | static_cast<Byte>(opcode));
      EXPECT_EQ(broken_by(client_frame(first, {})), CloseCode::protocol_error);
    }
  }
  for (const unsigned opcode : {3U, 4U, 5U, 6U, 7U, 11U, 12U, 13U, 14U, 15U}) {
    EXPECT_EQ(broken_by(client_frame(static_cast<Byte>(0x80 | opcode), Bytes{1})), CloseCode::protocol_error);
  }
}

TEST(WebSocketFramesTest, WhoMasksIsSettled) {
  const Bytes unmasked = frame_of(Opcode::binary, Bytes{1}, std::nullopt);
  EXPECT_EQ(broken_by(unmasked), CloseCode::protocol_error);
  EXPECT_EQ(broken_by(unmasked, false), std::nullopt);
  EXPECT_EQ(broken_by(client_frame(Opcode::binary, Bytes{1}), false), CloseCode::protocol_error);
}

TEST(WebSocketFramesTest, LengthsStandInTheirShortestForm) {
  EXPECT_EQ(broken_by(*from_hex("82fe007d37fa213d")), CloseCode::protocol_error);
  EXPECT_EQ(broken_by(*from_hex("82ff000000000000ffff37fa213d")), CloseCode::protocol_error);
}

TEST(WebSocketFramesTest, TextIsRefused) {
  EXPECT_EQ(broken_by(client_frame(Opcode::text, as_bytes("hello"))), CloseCode::unsupported_data);
}

TEST(WebSocketFramesTest, ControlFramesAreShortAndWhole) {
  EXPECT_EQ(broken_by(client_frame(Opcode::ping, Bytes(125))), std::nullopt);
  EXPECT_EQ(broken_by(client_frame(Opcode::ping, Bytes(126))), CloseCode::protocol_error);
  EXPECT_EQ(broken_by(client_frame(Opcode::close, Bytes(126))), CloseCode::protocol_error);
  for (const Opcode opcode : {Opcode::ping, Opcode::pong, Opcode::close}) {
    EXPECT_EQ(broken_by(client_frame(opcode, {}, false)), CloseCode::protocol_error);
  }
}

TEST(WebSocketFramesTest, FragmentsContinueWhatBegan) {
  const Bytes good = joined({client_frame(Opcode::binary, Bytes{1}, false), client_frame(Opcode::ping, Bytes{9}),
                             client_frame(Opcode::continuation, Bytes{2}, false),
                             client_frame(Opcode::continuation, {}), client_frame(Opcode::binary, Bytes{3})});
  for (const std::size_t piece : {1U, 2U, 3U, 1000U}) {
    Reading server(true);
    server.feed(good, piece);
    EXPECT_EQ(server.payload, (Bytes{1, 2, 3}));
    const auto said = server.said();
    ASSERT_EQ(said.size(), 1U);
    EXPECT_EQ(said[0].payload, (Bytes{9}));
    EXPECT_FALSE(server.end);
  }
  EXPECT_EQ(broken_by(client_frame(Opcode::continuation, Bytes{1})), CloseCode::protocol_error);
  EXPECT_EQ(broken_by(client_frame(Opcode::continuation, Bytes{1}, false)), CloseCode::protocol_error);
  EXPECT_EQ(broken_by(joined({client_frame(Opcode::binary, Bytes{1}, false), client_frame(Opcode::binary, Bytes{1})})),
            CloseCode::protocol_error);
}

TEST(WebSocketFramesTest, AMessageIsBoundedFromTheHeaderOn) {
  EXPECT_EQ(broken_by(*from_hex("82ff000000000010000137fa213d")), CloseCode::too_big);
  const Bytes half = client_frame(Opcode::binary, Bytes(600'000), false);
  EXPECT_EQ(broken_by(joined({half, client_frame(Opcode::continuation, Bytes(600'000))})), CloseCode::too_big);
  EXPECT_EQ(broken_by(joined({half, client_frame(Opcode::continuation, Bytes(400'000))})), std::nullopt);
}

TEST(WebSocketFramesTest, FramesThatOutweighWhatTheyCarryEndIt) {
  const auto many = [](const Bytes& frame, std::size_t count) {
    Bytes all = client_frame(Opcode::binary, Bytes{1}, false);
    for (std::size_t i = 0; i < count; ++i) append(all, frame);
    return all;
  };
  for (const Bytes& frame :
       {client_frame(Opcode::ping, {}), client_frame(Opcode::pong, {}), client_frame(Opcode::continuation, {}, false),
        client_frame(Opcode::continuation, Bytes{1}, false)}) {
    EXPECT_EQ(broken_by(many(frame, 1000)), std::nullopt);
    EXPECT_EQ(broken_by(many(frame, 5000)), CloseCode::policy);
  }
  // What carries as much as it costs may be in as many frames as it likes.
  EXPECT_EQ(broken_by(many(client_frame(Opcode::continuation, Bytes(10), false), 5000)), std::nullopt);
}

TEST(WebSocketFramesTest, ClosesAreAnsweredWithTheirCode) {
  for (const unsigned code : {1000U, 1001U, 1002U, 1003U, 1007U, 1011U, 3000U, 4999U}) {
    const auto sent = static_cast<CloseCode>(code);
    EXPECT_EQ(broken_by(client_frame(Opcode::close, close_payload(sent, "why"))), sent);
  }
  for (const unsigned code : {0U, 999U, 1004U, 1005U, 1006U, 1016U, 2999U}) {
    EXPECT_EQ(broken_by(client_frame(Opcode::close, close_payload(static_cast<CloseCode>(code), ""))),
              CloseCode::protocol_error)
        << code;
  }
  EXPECT_EQ(broken_by(client_frame(Opcode::close, Bytes{3})), CloseCode::protocol_error);
  EXPECT_EQ(broken_by(client_frame(Opcode::close, close_payload(CloseCode::normal, "\xff"))),
            CloseCode::protocol_error);
}

TEST(WebSocketFramesTest, WhatIsBehindACloseIsDropped) {
  Reading server(true);
  server.feed(joined({client_frame(Opcode::binary, Bytes{1}), client_frame(Opcode::close, {}),
                      client_frame(Opcode::binary, Bytes{2})}));
  EXPECT_EQ(server.payload, Bytes{1});
  ASSERT_TRUE(server.end);
  EXPECT_EQ(server.end->code, Errc::closed);
}

RC_GTEST_PROP(WebSocketFramesTest, WhatIsFramedIsReadInAnyPieces, (const std::vector<Bytes>& messages)) {
  const bool is_server = *rc::gen::arbitrary<bool>();
  Bytes wire;
  Bytes expected;
  for (const Bytes& message : messages) {
    const auto key = is_server ? std::optional(*rc::gen::arbitrary<MaskKey>()) : std::nullopt;
    append(wire, frame_of(Opcode::binary, message, key));
    if (message.size() <= kMaxControlPayload) append(wire, frame_of(Opcode::ping, message, key));
    append(expected, message);
  }
  Reading reading(is_server);
  reading.feed(wire, *rc::gen::inRange<std::size_t>(1, 200));
  RC_ASSERT(reading.payload == expected);
  RC_ASSERT(!reading.end);
}

}  // namespace
}  // namespace ekiden::runtime
