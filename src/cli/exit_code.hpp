// What the exit status of the command says. Scripts depend on it: never renumber.
#pragma once

#include "base/result.hpp"

namespace ekiden::cli {

enum class ExitCode {
  ok = 0,
  failure = 1,      ///< It was tried and did not work.
  usage = 2,        ///< The command line makes no sense.
  not_running = 3,  ///< No node runs on the data directory.
  timed_out = 4,    ///< Waiting took longer than --timeout.
  no_room = 5,      ///< A quota or the disk is full: nothing was accepted, and trying later may help.
};

/// The code for an error of a command. Errc::closed stands for a node that is not there or no longer there.
constexpr ExitCode exit_code_of(Errc code) {
  if (code == Errc::closed) return ExitCode::not_running;
  if (code == Errc::timed_out) return ExitCode::timed_out;
  if (code == Errc::limit_exceeded || code == Errc::storage_full) return ExitCode::no_room;
  return ExitCode::failure;
}

}  // namespace ekiden::cli
