#include "dht/key.hpp"

#include <bit>

#include "base/check.hpp"
#include "crypto/hash.hpp"

namespace ekiden::dht {

std::size_t common_prefix(const ByteArray<32>& a, const ByteArray<32>& b) {
  const Distance between = distance(a, b);
  std::size_t bits = 0;
  for (const std::uint64_t word : between.words) {
    const auto zeros = static_cast<std::size_t>(std::countl_zero(word));
    bits += zeros;
    if (zeros < 64) break;
  }
  return bits;
}

Key random_key_near(const identity::PeerId& id, std::size_t bits, Rng& rng) {
  CHECK(bits < kKeyBits);
  Key key{rng.bytes<32>()};
  const std::size_t whole = bits / 8;
  for (std::size_t i = 0; i < whole; ++i) key.bytes[i] = id.bytes[i];
  // The bits before the one that differs, and that one, in one byte; what follows stays random.
  const auto mask = static_cast<Byte>(0xff00U >> (bits % 8 + 1));
  const auto flipped = static_cast<Byte>(id.bytes[whole] ^ (0x80U >> (bits % 8)));
  key.bytes[whole] = static_cast<Byte>((flipped & mask) | (key.bytes[whole] & ~mask));
  return key;
}

KeyRange keys_near(const identity::PeerId& id, std::size_t bits) {
  CHECK(bits <= kKeyBits);
  KeyRange range{.first = Key::of(id), .last = Key::of(id)};
  for (std::size_t i = bits / 8; i < id.bytes.size(); ++i) {
    const auto open = static_cast<Byte>(i == bits / 8 ? 0xffU >> (bits % 8) : 0xffU);
    range.first.bytes[i] = static_cast<Byte>(range.first.bytes[i] & ~open);
    range.last.bytes[i] = static_cast<Byte>(range.last.bytes[i] | open);
  }
  return range;
}

Key capability_key(std::string_view path) { return {crypto::sha256({as_bytes("cap:"), as_bytes(path)}).bytes}; }

std::vector<std::string_view> capability_paths(std::string_view name) {
  std::vector<std::string_view> paths;
  for (std::size_t slash = name.find('/'); slash != std::string_view::npos; slash = name.find('/', slash + 1)) {
    paths.push_back(name.substr(0, slash));
  }
  paths.push_back(name);
  return paths;
}

}  // namespace ekiden::dht
