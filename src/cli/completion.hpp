// Completion scripts for shells, generated from the command line itself, so that they cannot fall behind it.
//
// Pure: a tree of commands in, a script out. The scripts are static: they run no command and ask no node. An option is
// offered where the parser takes it: after its own command and after every command below that.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace ekiden::cli {

enum class ValueKind { none, text, file, folder };

struct OptionNode {
  std::vector<std::string> names = {};  ///< With their dashes.
  std::string description = {};
  ValueKind value = ValueKind::none;
  std::vector<std::string> choices = {};  ///< The values there are, where they are few.
};

struct CommandNode {
  std::string name;
  std::string description = {};
  std::vector<OptionNode> options = {};
  std::vector<std::string> words = {};  ///< What a positional argument may be, where that is known.
  bool takes_file = false;              ///< A positional argument is a file.
  std::vector<CommandNode> commands = {};
};

/// `shell`: bash, zsh or fish. Errors: invalid_argument.
Result<std::string> completion_script(const CommandNode& tree, std::string_view shell);

}  // namespace ekiden::cli
