// The messages of links that belong to no single engine, and the node's own row: what decodes encodes again to the same
// value, within its bounds.
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/check.hpp"
#include "node/messages.hpp"
#include "wire/cbor.hpp"
#include "wire/message.hpp"

namespace {

using namespace ekiden;

template <class T>
std::optional<T> check_round_trip(ByteView bytes) {
  const auto message = wire::decode<T>(bytes);
  if (!message) return std::nullopt;
  const Bytes encoded = wire::encode(*message);
  CHECK(wire::validate(encoded).has_value());
  CHECK(encoded.size() <= bytes.size());  // Unknown keys are dropped.
  const auto again = wire::decode<T>(encoded);
  CHECK(again.has_value() && *again == *message);
  return *message;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  if (const auto error = check_round_trip<node::ErrorMessage>(bytes)) CHECK(error->detail.size() <= 256);
  check_round_trip<node::SessionReset>(bytes);
  check_round_trip<node::RecordRow>(bytes);
  return 0;
}
