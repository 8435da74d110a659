#include "cli/app.hpp"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <string>
#include <string_view>

#include "cli/command_line.hpp"
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

std::string command_path(const CLI::App& app) {
  return app.get_parent() == nullptr ? "ekiden" : command_path(*app.get_parent()) + " " + app.get_name();
}

/// CLI11 says that a command is missing also when there is one that it does not know.
std::string complaint(const CommandLine& line, const CLI::ParseError& error) {
  const auto unknown = line.chosen().remaining();
  const bool wants_command = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr &&
                             !line.chosen().get_subcommands([](const CLI::App*) { return true; }).empty();
  if (wants_command && !unknown.empty()) return "there is no command '" + unknown.front() + "'";
  return error.what();
}

int usage_error(const CommandLine& line, const CLI::ParseError& error, bool json) {
  Output output(std::cout, std::cerr, mode_of(json, false));
  output.error(
      {Errc::invalid_argument, complaint(line, error) + ". See `" + command_path(line.chosen()) + " --help`."});
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
    // Help is an "error" without an error code.
    if (error.get_exit_code() == 0) return line.app().exit(error);
    return usage_error(line, error, asks_for_json(argc, argv));
  } catch (const std::exception& error) {
    // The libraries below us report the end of memory, and little else, this way.
    std::cerr << "ekiden: " << error.what() << '\n';
    return status(ExitCode::failure);
  }
}

}  // namespace ekiden::cli
