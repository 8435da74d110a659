// SHA-256 (FIPS 180-4), HMAC-SHA-256 (RFC 2104) and HKDF-SHA-256 (RFC 5869).
#pragma once

#include <initializer_list>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/keys.hpp"

namespace ekiden::crypto {

Digest sha256(ByteView bytes);

/// The hash of the concatenation, without making it.
Digest sha256(std::initializer_list<ByteView> parts);

/// Any key length. The result is secret if the key is.
ChainKey hmac_sha256(ByteView key, std::initializer_list<ByteView> parts);

/// Compares in constant time.
bool hmac_sha256_verify(ByteView key, ByteView message, ByteView expected);

ChainKey hkdf_extract(ByteView salt, ByteView input_key_material);

/// Fills `out`. Errors: too_large if out.size() > 255 * 32.
Status hkdf_expand(ByteView pseudo_random_key, ByteView info, MutableBytes out);

}  // namespace ekiden::crypto
