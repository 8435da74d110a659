#include "runtime/ws_frame.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "base/encoding.hpp"

namespace ekiden::runtime {
namespace {

using From = FrameReader::From;

constexpr MaskKey kMaskingKey = {0x37, 0xfa, 0x21, 0x3d};

/// A frame with any first byte, masked as a client's.
Bytes client_frame(Byte first, ByteView payload) {
  Bytes frame;
  append_frame_header(frame, Opcode::binary, payload.size(), kMaskingKey);
  frame[0] = first;
  append(frame, payload);
  apply_mask(MutableBytes(frame).last(payload.size()), kMaskingKey, 0);
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

/// Feeds in pieces of a size; returns the payload.
Bytes feed(FrameReader& reader, Bytes bytes, std::size_t piece = SIZE_MAX) {
  Bytes payload;
  for (std::size_t at = 0; at < bytes.size(); at += std::min(piece, bytes.size() - at)) {
    const auto part = MutableBytes(bytes).subspan(at, std::min(piece, bytes.size() - at));
    append(payload, part.first(reader.take(part)));
  }
  return payload;
}

/// The code with which the bytes end the connection.
std::optional<CloseCode> broken_by(const Bytes& bytes, From from = From::client, const FrameLimits& limits = {}) {
  std::optional<CloseCode> code;
  for (const std::size_t piece : {std::size_t{1}, SIZE_MAX}) {
    FrameReader reader(from, limits);
    feed(reader, bytes, piece);
    code = reader.broken() ? std::optional(reader.broken()->code) : std::nullopt;
  }
  return code;
}

TEST(WsFrameTest, ReadsTheExamplesOfTheStandard) {
  // RFC 6455 section 5.7, with the opcode of binary messages in place of text.
  FrameReader client(From::client);
  EXPECT_EQ(to_hex(feed(client, *from_hex("828537fa213d7f9f4d5158"))), "48656c6c6f");
  FrameReader server(From::server);
  EXPECT_EQ(to_hex(feed(server, *from_hex("020348656c80026c6f"))), "48656c6c6f");
  feed(server, *from_hex("890548656c6c6f"));
  EXPECT_EQ(server.take_ping(), to_bytes(as_bytes("Hello")));
  EXPECT_EQ(server.take_ping(), std::nullopt);
  feed(client, *from_hex("8a8537fa213d7f9f4d5158"));
  EXPECT_EQ(client.take_ping(), std::nullopt);
  EXPECT_FALSE(client.over() || server.over());
}

TEST(WsFrameTest, EveryLengthHasItsHeader) {
  for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 65'535U, 65'536U, 1U << 20}) {
    Bytes frame;
    append_frame_header(frame, Opcode::binary, size, std::nullopt);
    EXPECT_EQ(frame.size(), size < 126 ? 2U : size <= 65'535 ? 4U : 10U);
    const Bytes payload(size, 7);
    append(frame, payload);
    FrameReader reader(From::server);
    EXPECT_EQ(feed(reader, frame, 977), payload);
    EXPECT_FALSE(reader.over());
  }
}

TEST(WsFrameTest, ReservedBitsAndKindsEndIt) {
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

TEST(WsFrameTest, TheFirstTwoBytesAreJudgedAlone) {
  FrameReader reader(From::client);
  feed(reader, {0xb2, 0x80});
  EXPECT_TRUE(reader.broken());
}

TEST(WsFrameTest, WhoMasksIsSettled) {
  Bytes unmasked;
  append_frame_header(unmasked, Opcode::binary, 1, std::nullopt);
  unmasked.push_back(1);
  EXPECT_EQ(broken_by(unmasked, From::client), CloseCode::protocol_error);
  EXPECT_EQ(broken_by(unmasked, From::server), std::nullopt);
  EXPECT_EQ(broken_by(client_frame(Opcode::binary, Bytes{1}), From::server), CloseCode::protocol_error);
}

TEST(WsFrameTest, TextIsRefused) {
  EXPECT_EQ(broken_by(client_frame(Opcode::text, as_bytes("hello"))), CloseCode::unsupported_data);
}

TEST(WsFrameTest, ControlFramesAreShortAndWhole) {
  EXPECT_EQ(broken_by(client_frame(Opcode::ping, Bytes(125))), std::nullopt);
  EXPECT_EQ(broken_by(client_frame(Opcode::ping, Bytes(126))), CloseCode::protocol_error);
  EXPECT_EQ(broken_by(client_frame(Opcode::close, Bytes(126))), CloseCode::protocol_error);
  for (const Opcode opcode : {Opcode::ping, Opcode::pong, Opcode::close}) {
    EXPECT_EQ(broken_by(client_frame(opcode, {}, false)), CloseCode::protocol_error);
  }
}

TEST(WsFrameTest, FragmentsContinueWhatBegan) {
  const Bytes good = joined({client_frame(Opcode::binary, Bytes{1}, false), client_frame(Opcode::ping, Bytes{9}),
                             client_frame(Opcode::continuation, Bytes{2}, false),
                             client_frame(Opcode::continuation, {}), client_frame(Opcode::binary, Bytes{3})});
  for (const std::size_t piece : {1U, 2U, 3U, 1000U}) {
    FrameReader reader(From::client);
    EXPECT_EQ(feed(reader, good, piece), (Bytes{1, 2, 3}));
    EXPECT_EQ(reader.take_ping(), (Bytes{9}));
    EXPECT_FALSE(reader.over());
  }
  EXPECT_EQ(broken_by(client_frame(Opcode::continuation, Bytes{1})), CloseCode::protocol_error);
  EXPECT_EQ(broken_by(client_frame(Opcode::continuation, Bytes{1}, false)), CloseCode::protocol_error);
  EXPECT_EQ(broken_by(joined({client_frame(Opcode::binary, Bytes{1}, false), client_frame(Opcode::binary, Bytes{1})})),
            CloseCode::protocol_error);
}

TEST(WsFrameTest, OnlyTheNewestPingIsAnswered) {
  FrameReader reader(From::client);
  feed(reader, joined({client_frame(Opcode::ping, Bytes{1}), client_frame(Opcode::ping, Bytes{2})}));
  EXPECT_EQ(reader.take_ping(), (Bytes{2}));
}

TEST(WsFrameTest, LimitsAreKeptFromTheHeaderOn) {
  const FrameLimits limits{.max_frame = 100, .max_message = 150, .max_fragments = 3, .max_useless = 4};
  EXPECT_EQ(broken_by(client_frame(Opcode::binary, Bytes(100)), From::client, limits), std::nullopt);
  Bytes header;
  append_frame_header(header, Opcode::binary, 101, kMaskingKey);
  EXPECT_EQ(broken_by(header, From::client, limits), CloseCode::too_big);
  const Bytes begins = client_frame(Opcode::binary, Bytes(100), false);
  EXPECT_EQ(broken_by(joined({begins, client_frame(Opcode::continuation, Bytes(51))}), From::client, limits),
            CloseCode::too_big);
  EXPECT_EQ(broken_by(joined({begins, client_frame(Opcode::continuation, Bytes(50)), begins}), From::client, limits),
            std::nullopt);
  const Bytes one = client_frame(Opcode::continuation, Bytes(1), false);
  EXPECT_EQ(broken_by(joined({begins, one, one}), From::client, limits), std::nullopt);
  EXPECT_EQ(broken_by(joined({begins, one, one, one}), From::client, limits), CloseCode::policy);
}

TEST(WsFrameTest, AFloodOfFramesThatCarryNothingEndsIt) {
  const FrameLimits limits{.max_useless = 4};
  for (const Opcode opcode : {Opcode::ping, Opcode::pong, Opcode::binary}) {
    const Bytes useless = client_frame(opcode, {});
    const Bytes useful = client_frame(Opcode::binary, Bytes{1});
    const Bytes four = joined({useless, useless, useless, useless});
    EXPECT_EQ(broken_by(joined({four, useful, four}), From::client, limits), std::nullopt);
    EXPECT_EQ(broken_by(joined({four, useless}), From::client, limits), CloseCode::policy);
  }
}

TEST(WsFrameTest, LengthsAreInTheirShortestForm) {
  for (const char* header : {"82fe007d00000000", "82ff000000000000ffff00000000", "82ff000000000000007d00000000"}) {
    EXPECT_EQ(broken_by(*from_hex(header)), CloseCode::protocol_error) << header;
  }
  // The highest bit must be zero, and no limit lets it pass.
  EXPECT_EQ(broken_by(*from_hex("82ff800000000000000000000000"), From::client, {.max_frame = UINT64_MAX / 2}),
            CloseCode::too_big);
}

TEST(WsFrameTest, AnEndIsReadWithItsReason) {
  FrameReader reader(From::client);
  const Bytes bytes = joined({client_frame(Opcode::binary, Bytes{1}),
                              client_frame(Opcode::close, close_payload(CloseCode::policy, "enough")),
                              client_frame(Opcode::binary, Bytes{2})});
  EXPECT_EQ(feed(reader, bytes), (Bytes{1}));
  ASSERT_TRUE(reader.closed());
  EXPECT_EQ(reader.closed()->code, CloseCode::policy);
  EXPECT_EQ(reader.closed()->text, "enough");
  FrameReader empty(From::client);
  feed(empty, client_frame(Opcode::close, {}));
  ASSERT_TRUE(empty.closed());
  EXPECT_EQ(empty.closed()->code, CloseCode::none);
}

TEST(WsFrameTest, WrongEndsAreNamed) {
  EXPECT_EQ(broken_by(client_frame(Opcode::close, Bytes{3})), CloseCode::protocol_error);
  for (const unsigned code : {0U, 999U, 1004U, 1005U, 1006U, 1015U, 1016U, 2999U, 5000U, 65'535U}) {
    EXPECT_EQ(broken_by(client_frame(Opcode::close, close_payload(static_cast<CloseCode>(code), ""))),
              CloseCode::protocol_error)
        << code;
  }
  EXPECT_EQ(broken_by(client_frame(Opcode::close, close_payload(CloseCode::normal, "\xff"))),
            CloseCode::invalid_payload);
}

TEST(WsFrameTest, ALongReasonIsCut) {
  EXPECT_EQ(close_payload(CloseCode::normal, std::string(500, 'a')).size(), kMaxControlPayload);
}

RC_GTEST_PROP(WsFrameTest, MaskingIsByteByByte, (Bytes bytes, MaskKey key)) {
  const auto offset = *rc::gen::inRange<std::uint64_t>(0, 1'000'000);
  Bytes masked = bytes;
  apply_mask(masked, key, offset);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<Byte>(bytes[i] ^ key[(offset + i) % 4]);
  RC_ASSERT(masked == bytes);
}

RC_GTEST_PROP(WsFrameTest, WhatIsFramedIsReadAgainInAnyPieces, (const std::vector<Bytes>& messages)) {
  const bool masked = *rc::gen::arbitrary<bool>();
  Bytes wire;
  Bytes expected;
  for (const Bytes& message : messages) {
    const auto key = masked ? std::optional(*rc::gen::arbitrary<MaskKey>()) : std::nullopt;
    append_frame_header(wire, Opcode::binary, message.size(), key);
    append(wire, message);
    if (key) apply_mask(MutableBytes(wire).last(message.size()), *key, 0);
    if (message.size() <= kMaxControlPayload) append_control(wire, Opcode::ping, message, key);
    append(expected, message);
  }
  FrameReader reader(masked ? From::client : From::server);
  RC_ASSERT(feed(reader, wire, *rc::gen::inRange<std::size_t>(1, 200)) == expected);
  RC_ASSERT(!reader.over());
}

}  // namespace
}  // namespace ekiden::runtime
