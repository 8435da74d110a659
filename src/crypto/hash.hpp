// SHA-256 (FIPS 180-4), HMAC-SHA-256 (RFC 2104) and HKDF-SHA-256 (RFC 5869).
//
// Pure functions of their arguments: nothing secret is kept between calls, nothing is allocated, and every intermediate
// state is erased, because a key may have gone through it. Views may be empty; outputs must not overlap inputs.
#pragma once

#include <array>
#include <initializer_list>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/keys.hpp"

namespace ekiden::crypto {

/// The longest output of one HKDF expansion: 255 blocks (RFC 5869 section 2.3).
inline constexpr std::size_t kMaxHkdfOutput = 255 * 32;

Digest sha256(ByteView bytes);

/// The hash of the concatenation, without making it.
Digest sha256(std::initializer_list<ByteView> parts);

/// Any key length (over 64 bytes it is hashed first); the message is the concatenation of the parts. The result is
/// secret if the key is.
ChainKey hmac_sha256(ByteView key, std::initializer_list<ByteView> parts);

/// The codes of two messages under one key, whose padding is hashed only once.
std::array<ChainKey, 2> hmac_sha256_of_two(ByteView key, ByteView first, ByteView second);

/// Compares in constant time. `expected` is the whole code; a truncated one does not verify.
bool hmac_sha256_verify(ByteView key, ByteView message, ByteView expected);

/// An empty salt is the RFC's default, a string of zeros.
ChainKey hkdf_extract(ByteView salt, ByteView input_key_material);

/// Fills `out`. Errors: too_large if out.size() > kMaxHkdfOutput.
Status hkdf_expand(ByteView pseudo_random_key, ByteView info, MutableBytes out);

}  // namespace ekiden::crypto
