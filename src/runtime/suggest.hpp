// The nearest known word to one that a person mistyped.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace ekiden::runtime {

/// "; did you mean 'listen'?" if a known word is at most two edits away (and closer than its own length), else nothing.
/// O(words * length²), with the length bounded: longer words get no suggestion.
std::string suggestion(std::string_view word, std::span<const std::string_view> known);

}  // namespace ekiden::runtime
