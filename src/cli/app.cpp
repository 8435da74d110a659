#include "cli/app.hpp"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <string>
#include <string_view>

#include "cli/command_line.hpp"
#include "cli/complaint.hpp"
#include "runtime/settings.hpp"

namespace ekiden::cli {
namespace {

int status(ExitCode code) { return static_cast<int>(code); }

/// What the mode would be, when the command line is so wrong that it cannot be read.
bool asks_for_json(int argc, const char* const* argv) {
  return std::any_of(argv + std::min(argc, 1), argv + argc,
                     [](const char* word) { return std::string_view(word) == "--json"; });
}

OutputMode mode_of(bool json, bool quiet) {
  return {.json = json,
          .quiet = quiet,
          .terminal = ::isatty(STDOUT_FILENO) == 1,
          .error_terminal = ::isatty(STDERR_FILENO) == 1};
}

int usage_error(const CommandLine& line, const std::string& what, bool json) {
  Output output(std::cout, std::cerr, mode_of(json, false));
  output.error({Errc::invalid_argument,
                what + (what.ends_with('?') ? "" : ".") + " See `" + command_path(line.chosen()) + " --help`."});
  return status(ExitCode::usage);
}

int run_parsed(const CommandLine& line) {
  Output output(std::cout, std::cerr, mode_of(line.json, line.quiet));
  const auto named = line.data_dir.empty() ? runtime::default_data_dir() : std::filesystem::path(line.data_dir);
  // Absolute, so that what is printed is true from everywhere.
  std::error_code failed;
  const auto absolute = std::filesystem::absolute(named, failed);
  const Context context{failed ? named : absolute.lexically_normal(), output};
  auto done = line.action(context);
  if (done) done = output.flush();
  if (done) return status(ExitCode::ok);
  output.error(done.error());
  return status(exit_code_of(done.error().code));
}

}  // namespace

int run(int argc, const char* const* argv) {
  CommandLine line;
  try {
    line.parse(argc, argv);
    return run_parsed(line);
  } catch (const CLI::ParseError& error) {
    if (argc <= 1) {
      std::cerr << line.app().help();
      return status(ExitCode::usage);
    }
    const auto words = words_of({argv, static_cast<std::size_t>(argc)});
    const bool json = asks_for_json(argc, argv);
    if (error.get_exit_code() != 0) return usage_error(line, complaint(line.chosen(), error, words), json);
    // Help is an "error" without an error code.
    const auto mistaken = mistaken_for_help(words);
    if (mistaken.empty()) return line.app().exit(error);
    return usage_error(line, no_such_option(line.chosen(), mistaken), json);
  } catch (const std::exception& error) {
    // The libraries below us report the end of memory, and little else, this way.
    std::cerr << "ekiden: " << error.what() << '\n';
    return status(ExitCode::failure);
  }
}

}  // namespace ekiden::cli
