#include "datagram/first_flight.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ekiden::datagram {
namespace {

constexpr std::size_t kLeastPayload = kMinInitiation - kInitiationHeader - kInitiationNoise;

/// The bytes that the size in front announces; what follows must be padding.
Result<ByteView> take_sized(ByteView rest) {
  if (rest.size() < 2) return fail(Errc::malformed, "a payload without a size");
  const std::size_t size = get_be<std::uint16_t>(rest);
  rest = rest.subspan(2);
  if (size > rest.size()) return fail(Errc::malformed, "a size over what is there");
  const ByteView padding = rest.subspan(size);
  if (std::ranges::any_of(padding, [](Byte byte) { return byte != 0; })) {
    return fail(Errc::malformed, "padding that is not zero");
  }
  return rest.first(size);
}

}  // namespace

Bytes encode_first_flight(const crypto::Ed25519PublicKey& self, ByteView query) {
  CHECK(query.size() <= kMaxFirstQuery);
  Bytes payload;
  payload.reserve(std::max(kFirstFlightPrefix + query.size(), kLeastPayload));
  append(payload, self.view());
  append_be(payload, static_cast<std::uint16_t>(query.size()));
  append(payload, query);
  payload.resize(std::max(payload.size(), kLeastPayload));
  return payload;
}

Result<FirstFlight> decode_first_flight(ByteView payload) {
  FirstFlight flight;
  if (payload.size() < kFirstFlightPrefix) return fail(Errc::malformed, "a first flight that is too short");
  flight.public_key.bytes = take_array<32>(payload);
  EKIDEN_ASSIGN(flight.query, take_sized(payload.subspan(32)));
  return flight;
}

Bytes encode_first_answer(ByteView answer) {
  CHECK(answer.size() <= kMaxFirstAnswer);
  Bytes payload;
  payload.reserve(2 + answer.size());
  append_be(payload, static_cast<std::uint16_t>(answer.size()));
  append(payload, answer);
  return payload;
}

Result<ByteView> decode_first_answer(ByteView payload) { return take_sized(payload); }

}  // namespace ekiden::datagram
