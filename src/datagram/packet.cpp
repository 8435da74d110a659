#include "datagram/packet.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.hpp"

namespace ekiden::datagram {
namespace {

constexpr std::size_t kCookieAt = 1 + 8;

Index take_index(ByteView& rest) {
  const Index index{get_be<std::uint64_t>(rest)};
  rest = rest.subspan(8);
  return index;
}

Bytes begin(PacketType type, Index index, std::size_t size) {
  Bytes packet;
  packet.reserve(size);
  packet.push_back(static_cast<Byte>(type));
  append_be(packet, static_cast<std::uint64_t>(index));
  return packet;
}

std::unexpected<Error> too_short(std::string_view what, std::size_t size) {
  return fail(Errc::malformed, std::string(what) + " of " + std::to_string(size) + " bytes is too short");
}

}  // namespace

Result<Packet> parse(ByteView packet) {
  const std::size_t size = packet.size();
  if (size > kMaxPacket) return fail(Errc::too_large, "a datagram of " + std::to_string(size) + " bytes");
  if (size == 0) return too_short("a datagram", 0);
  ByteView rest = packet.subspan(1);
  switch (static_cast<PacketType>(packet[0])) {
    case PacketType::initiation: {
      if (size < kMinInitiation) return too_short("an initiation", size);
      const Index sender = take_index(rest);
      const Cookie cookie = take_array<kCookieSize>(rest);
      return Initiation{sender, cookie, rest.subspan(kCookieSize)};
    }
    case PacketType::response: {
      if (size < kResponseHeader) return too_short("a response", size);
      const Index sender = take_index(rest);
      const Index receiver = take_index(rest);
      return Response{sender, receiver, rest};
    }
    case PacketType::cookie: {
      if (size != kCookieAt + kCookieSize) return too_short("a cookie", size);
      const Index receiver = take_index(rest);
      return CookieReply{receiver, take_array<kCookieSize>(rest)};
    }
    case PacketType::data: {
      if (size < kDataHeader + crypto::kTagSize) return too_short("data", size);
      const Index receiver = take_index(rest);
      return Data{receiver, get_be<std::uint64_t>(rest), packet.first(kDataHeader), rest.subspan(8)};
    }
  }
  return fail(Errc::unsupported, "a datagram of kind " + std::to_string(packet[0]));
}

Bytes begin_initiation(Index sender, const Cookie& cookie, std::size_t rest) {
  Bytes packet = begin(PacketType::initiation, sender, kInitiationHeader + rest);
  append(packet, cookie);
  return packet;
}

Bytes begin_response(Index sender, Index receiver, std::size_t rest) {
  Bytes packet = begin(PacketType::response, sender, kResponseHeader + rest);
  append_be(packet, static_cast<std::uint64_t>(receiver));
  return packet;
}

Bytes begin_data(Index receiver, std::uint64_t counter, std::size_t rest) {
  Bytes packet = begin(PacketType::data, receiver, kDataHeader + rest);
  append_be(packet, counter);
  return packet;
}

Bytes make_cookie_reply(Index receiver, const Cookie& cookie) {
  Bytes packet = begin(PacketType::cookie, receiver, kCookieAt + kCookieSize);
  append(packet, cookie);
  return packet;
}

void set_cookie(Bytes& initiation, const Cookie& cookie) {
  CHECK(initiation.size() >= kInitiationHeader);
  std::ranges::copy(cookie, initiation.begin() + kCookieAt);
}

}  // namespace ekiden::datagram
