// One shell command that reads its input, writes its output, and ends: run with bounds on time and size.
//
// The child has a process group of its own, so that all of it can be ended, and none of the signals of the terminal.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace ekiden::cli {

struct ChildOptions {
  std::string command;                                           ///< for /bin/sh -c
  std::vector<std::pair<std::string, std::string>> environment;  ///< beside that of this process
  std::string input;
  Duration timeout{};
  std::size_t max_output = 0;      ///< bytes; a child that writes more is ended
  std::size_t max_error_tail = 0;  ///< of the error stream the last bytes are kept
  int stop = -1;                   ///< readable: end the child
};

struct ChildEnd {
  enum class How { exited, signalled, timed_out, too_large, stopped };
  How how = How::exited;
  int status = 0;  ///< the exit status, or the number of the signal
  std::string output;
  std::string error_tail;
};

/// Blocks until it has ended: SIGTERM when its time is over or `stop` says so, SIGKILL two seconds later. SIGPIPE must
/// be ignored. Errors: internal, when no process can be made.
Result<ChildEnd> run_child(const ChildOptions& options);

}  // namespace ekiden::cli
