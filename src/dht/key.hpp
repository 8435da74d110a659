// Keys of the DHT, and the XOR distance between them.
//
// A key is 256 bits: the PeerId of a node, under which its PeerRecord is stored, or the SHA-256 of "cap:" and the name
// of a capability or of one of the leading parts of its path. The distance of two keys is their XOR, read as a number.
//
// Source: Maymounkov and Mazières, "Kademlia: A Peer-to-peer Information System Based on the XOR Metric", section 2.1.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/rng.hpp"
#include "identity/peer_id.hpp"

namespace ekiden::dht {

inline constexpr std::size_t kKeyBits = 256;

struct Key {
  ByteArray<32> bytes{};

  static Key of(const identity::PeerId& id) { return {id.bytes}; }
  friend auto operator<=>(const Key&, const Key&) = default;
};

/// Most significant word first, so that comparing words compares distances.
struct Distance {
  std::array<std::uint64_t, 4> words{};
  friend auto operator<=>(const Distance&, const Distance&) = default;
};

inline Distance distance(const ByteArray<32>& a, const ByteArray<32>& b) {
  Distance out;
  for (std::size_t i = 0; i < out.words.size(); ++i) {
    const std::size_t at = 8 * i;
    out.words[i] =
        get_be<std::uint64_t>(ByteView(a).subspan(at, 8)) ^ get_be<std::uint64_t>(ByteView(b).subspan(at, 8));
  }
  return out;
}

inline Distance distance(const Key& key, const identity::PeerId& id) { return distance(key.bytes, id.bytes); }

/// The number of leading bits that two keys share: 0 to 256.
std::size_t common_prefix(const ByteArray<32>& a, const ByteArray<32>& b);

/// A random key that shares exactly `bits` leading bits with `id`. REQUIRES: bits < kKeyBits.
Key random_key_near(const identity::PeerId& id, std::size_t bits, Rng& rng);

/// The first and the last of the keys that share at least `bits` leading bits with `id`. REQUIRES: bits <= kKeyBits.
struct KeyRange {
  Key first;
  Key last;
};
KeyRange keys_near(const identity::PeerId& id, std::size_t bits);

/// Where announcements of the capability, or of all below that path, are stored.
Key capability_key(std::string_view path);

/// The leading parts of a capability's path, itself last: "translate", "translate/ja-en". Views into `name`. At most
/// half as many as the name has characters.
std::vector<std::string_view> capability_paths(std::string_view name);

}  // namespace ekiden::dht
