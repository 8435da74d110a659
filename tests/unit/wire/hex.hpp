// Bytes as the tests of wire write them.
#pragma once

#include <string_view>

#include "base/bytes.hpp"
#include "base/encoding.hpp"

namespace ekiden::wire {

inline Bytes hex(std::string_view text) { return from_hex(text).value(); }

}  // namespace ekiden::wire
