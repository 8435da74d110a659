// What a value of the command line may be, in the words of the command line: what the node would refuse is refused
// before it is asked, for its answer names the fields of the API.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>

#include "base/time.hpp"

namespace ekiden::cli {

struct DurationRange {
  Duration least;
  Duration most;
};

/// "from 1s to 30d". Each bound in the largest unit that divides it.
std::string range_text(const DurationRange& range);

/// A longer value is wrong usage. Returns the option.
CLI::Option* at_most_bytes(CLI::Option* option, std::size_t max);

/// Anything but a UUID of version 4 is wrong usage. Returns the option.
CLI::Option* expect_uuid(CLI::Option* option);

/// Anything but the name of a realm is wrong usage: nobody means everybody by an empty one. Returns the option.
CLI::Option* expect_realm(CLI::Option* option);

}  // namespace ekiden::cli
