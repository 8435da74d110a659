// PeerId: the name of a node, SHA-256 of its Ed25519 public key.
//
// People see it as Bech32m with the prefix "ek" ("ek1..."), whose checksum finds every error of up to four characters;
// programs and the wire use the 32 bytes. A PeerId says nothing about reachability and proves nothing by itself:
// whoever claims one shows the key that hashes to it and signs.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/keys.hpp"

namespace ekiden::identity {

struct PeerId {
  static constexpr std::string_view kPrefix = "ek";
  /// Characters of the full text form: prefix, separator, 52 of data, 6 of checksum.
  static constexpr std::size_t kTextSize = 61;

  ByteArray<32> bytes{};

  static PeerId of(const crypto::Ed25519PublicKey& key);

  /// Reads "ek1...". Errors: malformed, with what to do (a typing error, a cut-off id, something else entirely).
  static Result<PeerId> parse(std::string_view text);

  std::string text() const;

  /// The first characters with an ellipsis, for logs and tables; never for deciding anything.
  std::string short_text() const;

  ByteView view() const { return bytes; }
  friend bool operator==(const PeerId&, const PeerId&) = default;
  friend auto operator<=>(const PeerId& a, const PeerId& b) { return compare(a.bytes, b.bytes); }
};

}  // namespace ekiden::identity
