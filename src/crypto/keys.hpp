// Key types: each key is a type of its own, so that none can be used in the place of another.
#pragma once

#include <compare>

#include "base/bytes.hpp"
#include "crypto/secret.hpp"

namespace ekiden::crypto {

/// A public value of N bytes that compares and orders like its bytes.
template <std::size_t N, class Tag>
struct Public {
  static constexpr std::size_t kSize = N;
  ByteArray<N> bytes{};

  ByteView view() const { return bytes; }
  friend bool operator==(const Public&, const Public&) = default;
  friend auto operator<=>(const Public& a, const Public& b) { return compare(a.bytes, b.bytes); }
};

using Ed25519PublicKey = Public<32, struct Ed25519PublicTag>;
using Ed25519Seed = Secret<32, struct Ed25519SeedTag>;  ///< RFC 8032 section 5.1.5: the private key.
using Signature = Public<64, struct SignatureTag>;

using X25519PublicKey = Public<32, struct X25519PublicTag>;
using X25519SecretKey = Secret<32, struct X25519SecretTag>;
using SharedSecret = Secret<32, struct SharedSecretTag>;

using Digest = Public<32, struct DigestTag>;      ///< SHA-256.
using AeadKey = Secret<32, struct AeadKeyTag>;    ///< AES-256-GCM.
using ChainKey = Secret<32, struct ChainKeyTag>;  ///< A key that only makes other keys.

}  // namespace ekiden::crypto
