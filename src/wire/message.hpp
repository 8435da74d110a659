// Messages: a struct lists its fields once, and gets encoding, decoding, golden files and fuzz targets from that.
//
//   struct Ping {
//     static constexpr std::string_view kName = "ping";
//     std::uint64_t nonce = 0;
//     Bytes padding;
//     static constexpr auto kFields = wire::fields(wire::field<1>("nonce", &Ping::nonce),
//                                                  wire::field<2>("padding", &Ping::padding, wire::max_size(64)));
//     friend bool operator==(const Ping&, const Ping&) = default;
//   };
//
// On the wire a message is a deterministic CBOR map from small integers to values. Rules:
//   - an unknown key is skipped, its value checked like any other: old nodes survive the messages of new ones;
//   - a missing field is an error that names it ("ping.nonce is missing"), unless the member is std::optional, which is
//     left out when empty (an explicit null is refused: one value, one encoding);
//   - every byte string, text and list has a maximum that the decoder enforces before it allocates.
//
// Types of members, and what they become: unsigned and signed integers (checked against the range of the C++ type);
// bool; enum class (unsigned integer, at most wire::max_enum; a larger one is `unsupported`, for a newer peer sent it);
// Bytes and std::string; ByteView (borrowed from the input, which must outlive the message); ByteArray<N> and any type
// with a member `ByteArray<N> bytes` (keys, ids; through T::from_bytes where it has one, like Uuid); WallTime
// (milliseconds, clamped to the year 9999); types with kWireTextMax, text() and parse() (written as text); a struct
// with kFields; std::vector and std::optional of these.
#pragma once

#include <type_traits>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/cbor.hpp"
#include "wire/field.hpp"
#include "wire/message_codec.hpp"

namespace ekiden::wire {

/// Appends the encoding of a message. REQUIRES: the members are within the bounds of the description (CHECKed: what
/// comes from a user is validated before it becomes a message).
template <Described T>
void encode_to(const T& message, Bytes& out) {
  Encoder encoder(out);
  detail::encode_struct(encoder, message);
}

template <Described T>
Bytes encode(const T& message) {
  Bytes out;
  encode_to(message, out);
  return out;
}

/// Reads a whole message. Errors: malformed, too_large, unsupported, each naming the message and the field.
/// Allocates nothing except for members that are Bytes, std::string or std::vector.
template <Described T>
Result<T> decode(ByteView bytes) {
  Decoder decoder(bytes);
  T message{};
  EKIDEN_TRY(detail::decode_struct(decoder, message));
  if (auto status = decoder.finish(); !status) return fail(T::kName, std::move(status).error());
  return message;
}

}  // namespace ekiden::wire
