// The router's messages as an attacker would write them: what decodes encodes again to the same value, in bounds, and
// the bytes that a ciphertext is bound to are a value of their own that follows from the fields alone.
#include "router/envelope.hpp"

#include <cstddef>
#include <cstdint>

#include "base/check.hpp"
#include "router/receipts.hpp"
#include "wire/cbor.hpp"
#include "wire/message.hpp"

namespace {

using namespace ekiden;

/// Unknown keys are dropped, so the bytes may differ once; then they are a fixed point.
template <class T>
void check_round_trip(ByteView bytes) {
  const auto message = wire::decode<T>(bytes);
  if (!message) return;
  const Bytes first = wire::encode(*message);
  CHECK(wire::validate(first).has_value());
  CHECK(first.size() <= bytes.size());
  const auto again = wire::decode<T>(first);
  CHECK(again.has_value());
  CHECK(wire::encode(*again) == first);
}

void check_envelope(ByteView bytes) {
  const auto envelope = wire::decode<router::Envelope>(bytes);
  if (!envelope) return;
  CHECK(envelope->sealed.size() <= router::kMaxSealed);
  CHECK(envelope->sealed.empty() || (envelope->sealed.data() >= bytes.data() &&
                                     envelope->sealed.data() + envelope->sealed.size() <= bytes.data() + bytes.size()));
  const Bytes bound = envelope->associated_data();
  CHECK(wire::validate(bound).has_value());
  router::Envelope other = *envelope;
  other.sealed = {};
  CHECK(other.associated_data() == bound);
  other.id.bytes[0] ^= 1;
  CHECK(other.associated_data() != bound);
}

void check_content(ByteView bytes) {
  const auto content = wire::decode<router::Content>(bytes);
  if (!content) return;
  CHECK(content->body.size() <= router::kMaxBody);
  CHECK(content->type.size() <= router::kMaxTypeLength && content->content_type.size() <= router::kMaxTypeLength);
  if (!content->exchange) return;
  CHECK(content->exchange->capability.size() <= identity::kMaxCapabilitySize);
  CHECK(content->exchange->part <= router::Exchange::Part::failure);
}

/// No bytes are a receipt under a key that signed nothing.
void check_receipt(ByteView bytes) {
  const auto key = crypto::Ed25519KeyPair::from_seed(crypto::Ed25519Seed(ByteArray<32>{1})).public_key();
  path::Verifier verifier;
  CHECK(!router::open_receipt(bytes, identity::PeerId::of(key), key, identity::PeerId{}, verifier).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  check_round_trip<router::Envelope>(bytes);
  check_round_trip<router::Content>(bytes);
  check_round_trip<router::Exchange>(bytes);
  check_round_trip<router::Receipt>(bytes);
  check_round_trip<router::Refusal>(bytes);
  check_envelope(bytes);
  check_content(bytes);
  check_receipt(bytes);
  return 0;
}
