// Base64 (RFC 4648 section 4): bodies that are not text, in JSON.
//
// Decoding is strict: padding is required, and so are zero bits under it. Every byte string has one text, and a text
// that was cut is noticed.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ekiden::api {

std::string to_base64(ByteView bytes);

/// Errors: malformed.
Result<Bytes> from_base64(std::string_view text);

}  // namespace ekiden::api
