#include "base/uuid.hpp"

#include <algorithm>

#include "base/encoding.hpp"

namespace ekiden {
namespace {

constexpr std::size_t kTextSize = 36;

constexpr bool is_hyphen_position(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

}  // namespace

Uuid Uuid::random(Rng& rng) {
  Uuid out{rng.bytes<16>()};
  out.bytes[6] = static_cast<Byte>((out.bytes[6] & 0x0f) | 0x40);
  out.bytes[8] = static_cast<Byte>((out.bytes[8] & 0x3f) | 0x80);
  return out;
}

Result<Uuid> Uuid::from_bytes(ByteView bytes) {
  if (bytes.size() != 16) return fail(Errc::malformed, "a UUID has 16 bytes, not " + std::to_string(bytes.size()));
  if (bytes[6] >> 4 != 4 || bytes[8] >> 6 != 2) return fail(Errc::malformed, "not a UUID of version 4");
  return Uuid{take_array<16>(bytes)};
}

Result<Uuid> Uuid::parse(std::string_view text) {
  constexpr std::string_view kForm = "not a UUID of the form xxxxxxxx-xxxx-4xxx-xxxx-xxxxxxxxxxxx";
  if (text.size() != kTextSize) return fail(Errc::malformed, std::string(kForm));
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_hyphen_position(i) != (text[i] == '-')) return fail(Errc::malformed, std::string(kForm));
    if (text[i] != '-') digits.push_back(text[i]);
  }
  const auto bytes = from_hex(digits);
  if (!bytes) return fail(Errc::malformed, std::string(kForm));
  return from_bytes(*bytes);
}

std::string Uuid::text() const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out(kTextSize, '-');
  std::size_t at = 0;
  for (const Byte byte : bytes) {
    if (is_hyphen_position(at)) ++at;
    out[at++] = kDigits[byte >> 4];
    out[at++] = kDigits[byte & 15];
  }
  return out;
}

}  // namespace ekiden
