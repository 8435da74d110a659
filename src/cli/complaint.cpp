#include "cli/complaint.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "runtime/suggest.hpp"

namespace ekiden::cli {
namespace {

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::string nearest(const std::string& word, const std::vector<std::string>& known) {
  const std::vector<std::string_view> views(known.begin(), known.end());
  return runtime::suggestion(word, views);
}

/// Of the command and of those above it.
std::vector<std::string> long_options(const CLI::App& chosen) {
  std::vector<std::string> names;
  for (const CLI::App* app = &chosen; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options()) {
      for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

bool takes_words(const CLI::App& app) {
  return std::ranges::any_of(app.get_options(), [](const CLI::Option* option) { return option->get_positional(); });
}

/// What CLI11 could not place and what begins with '-', as it was typed: of "-quick note" it takes -q as an option and
/// leaves "-uick note". Empty if there is none.
std::string unknown_option(const CLI::App& root, const std::vector<std::string>& words) {
  for (const std::string& rest : root.remaining(true)) {
    if (rest.size() < 2 || rest[0] != '-') continue;
    const auto typed = std::ranges::find_if(words, [&](const std::string& word) {
      return word.starts_with('-') && word.ends_with(std::string_view(rest).substr(1));
    });
    return typed == words.end() ? rest : *typed;
  }
  return {};
}

const CLI::App& root_of(const CLI::App& app) { return app.get_parent() == nullptr ? app : root_of(*app.get_parent()); }

}  // namespace

std::string command_path(const CLI::App& app) {
  return app.get_parent() == nullptr ? "ekiden" : command_path(*app.get_parent()) + " " + app.get_name();
}

std::string suggested_command(const CLI::App& app, const std::string& name) {
  std::vector<std::string> names;
  for (const CLI::App* command : commands_of(app)) names.push_back(command->get_name());
  return nearest(name, names);
}

std::vector<std::string> words_of(std::span<const char* const> argv) {
  std::vector<std::string> words(argv.begin() + std::min<std::ptrdiff_t>(1, std::ssize(argv)), argv.end());
  words.erase(std::ranges::find(words, "--"), words.end());
  return words;
}

std::string mistaken_for_help(const std::vector<std::string>& words) {
  constexpr std::array<std::string_view, 4> kAsking = {"-h", "--help", "-V", "--version"};
  if (std::ranges::any_of(words, [&](const auto& word) { return std::ranges::find(kAsking, word) != kAsking.end(); })) {
    return {};
  }
  const auto mistaken = std::ranges::find_if(words, [](const std::string& word) {
    return word.starts_with('-') && !word.starts_with("--") && word.find_first_of("hV") != std::string::npos;
  });
  return mistaken == words.end() ? std::string() : *mistaken;
}

std::string no_such_option(const CLI::App& chosen, const std::string& word) {
  std::string text = "there is no option '" + word + "'";
  const std::string meant =
      word.starts_with("--") ? nearest(word.substr(0, word.find('=')), long_options(chosen)) : std::string();
  if (!meant.empty()) return text + meant;
  if (takes_words(chosen)) text += "; put -- before a text that begins with '-'";
  return text;
}

std::string complaint(const CLI::App& chosen, const CLI::ParseError& error, const std::vector<std::string>& words) {
  if (const auto option = unknown_option(root_of(chosen), words); !option.empty()) {
    return no_such_option(chosen, option);
  }
  // CLI11 says that a command is missing also when there is one that it does not know.
  const auto unknown = root_of(chosen).remaining(true);
  const bool wants_command = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && !commands_of(chosen).empty();
  if (!wants_command || unknown.empty()) return error.what();
  return "there is no command '" + unknown.front() + "'" + suggested_command(chosen, unknown.front());
}

}  // namespace ekiden::cli
