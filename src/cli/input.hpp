// Reading what a command is given: a file, or "-" for the standard input.
#pragma once

#include <string>

#include "base/result.hpp"

namespace ekiden::cli {

/// Errors: not_found, too_large (over `max_size`), and others of files.
Result<std::string> read_input(const std::string& path, std::size_t max_size);

/// The first line of the standard input, without its end; what comes after it is not waited for. Errors: too_large
/// (over `max_size` bytes).
Result<std::string> read_line(std::size_t max_size);

}  // namespace ekiden::cli
