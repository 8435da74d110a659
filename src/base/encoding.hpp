// Text forms of bytes: hexadecimal and Bech32m.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ekiden {

/// Lower case, two digits a byte.
std::string to_hex(ByteView bytes);

/// Accepts both cases. Errors: malformed (odd length, other characters).
Result<Bytes> from_hex(std::string_view text);

/// Bech32m (BIP-350) of whole bytes under a human-readable prefix, without its 90-character limit on purpose-made
/// prefixes: the checksum still finds any four wrong characters up to 1,023. Lower case.
std::string to_bech32m(std::string_view prefix, ByteView bytes);

/// Decodes and checks prefix, checksum and padding (BIP-173 decoding rules: mixed case is refused; upper case is
/// accepted). Errors: malformed, with what is wrong.
Result<Bytes> from_bech32m(std::string_view prefix, std::string_view text);

/// True if the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF).
bool is_utf8(ByteView bytes);

}  // namespace ekiden
