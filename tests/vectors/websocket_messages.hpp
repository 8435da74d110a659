// The cases of Autobahn that send messages and say so in their description: of which kind and size, how many, in which
// fragments and chops; or with their bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "vector_file.hpp"

namespace ekiden::vectors {

struct Judgement {
  Status status;
  std::string refused_as = {};  ///< Where a link has to refuse what the case sends: why, and with which code.
};

/// The number right behind these words: "125", "64 * 2**10", "4k" or "1M". Nothing if the words are not there. Throws
/// std::runtime_error for what is no number, or one over 64 MiB.
std::optional<std::size_t> number_behind(const std::string& text, std::string_view words);

/// Plays what the case sends, or returns nothing if that is no message. Throws what number_behind() throws, and for
/// hexadecimal that is none.
///
/// Where a case waits for an echo, the bytes have to have come, all of them and in order: a link carries them to its
/// user. Messages over WebSocket::kMaxMessage have to be refused with 1009, other text with 1003, or 1007 where it is
/// not UTF-8; the judgement says so.
std::optional<Judgement> run_message(const Json& test);

}  // namespace ekiden::vectors
