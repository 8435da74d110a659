// What is wrong with a command line, in words that help: what was meant perhaps, and what to do.
#pragma once

#include <CLI/CLI.hpp>
#include <span>
#include <string>
#include <vector>

namespace ekiden::cli {

/// The command as a person types it: "ekiden contact add".
std::string command_path(const CLI::App& app);

/// "; did you mean 'send'?" if `app` has a command of nearly that name, else nothing.
std::string suggested_command(const CLI::App& app, const std::string& name);

/// The words before "--", without the name of the program: those that can be options.
std::vector<std::string> words_of(std::span<const char* const> argv);

/// The word out of which help or the version was read though nobody asked for it: a text like "-hi there" looks like a
/// group of short options. Empty if one of `words` asks, "-h", "--help", "-V" or "--version".
std::string mistaken_for_help(const std::vector<std::string>& words);

/// That there is no such option, with the one that was meant perhaps, or else how a text that begins with '-' is given.
std::string no_such_option(const CLI::App& chosen, const std::string& word);

/// `chosen`: the deepest command that was named.
std::string complaint(const CLI::App& chosen, const CLI::ParseError& error, const std::vector<std::string>& words);

}  // namespace ekiden::cli
