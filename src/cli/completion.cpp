#include "cli/completion.hpp"

#include <functional>

namespace ekiden::cli {
namespace {

/// In single quotes, whatever it contains.
std::string quote(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string join(const std::vector<std::string>& words, std::string_view between) {
  std::string out;
  for (const auto& word : words) {
    if (!out.empty()) out += between;
    out += word;
  }
  return out;
}

/// Calls `visit` for the command and all below it, with the path: "ekiden contact add".
void walk(const CommandNode& node, const std::string& path,
          const std::function<void(const CommandNode&, const std::string&)>& visit) {
  visit(node, path);
  for (const auto& child : node.commands) walk(child, path + " " + child.name, visit);
}

/// The arms of `case "$at $word"` that lead one command deeper; bash and zsh share them.
std::string descent_arms(const CommandNode& root) {
  std::vector<std::string> patterns;
  walk(root, root.name, [&](const CommandNode& node, const std::string& path) {
    if (&node != &root) patterns.push_back(quote(path));
  });
  return "      " + join(patterns, " | ") + ") at=\"$at $word\" ;;\n";
}

/// The arms of `case "$at $prev"` for options whose value is known.
std::string value_arms(const CommandNode& root, const std::string& choices_call, const std::string& files_call) {
  std::string out;
  walk(root, root.name, [&](const CommandNode& node, const std::string& path) {
    for (const auto& option : node.options) {
      if (!option.takes_value) continue;
      std::vector<std::string> patterns;
      for (const auto& name : option.names) patterns.push_back(quote(path + " " + name));
      out += "    " + join(patterns, " | ") + ") ";
      if (option.takes_file) {
        out += files_call;
      } else if (!option.choices.empty()) {
        out += choices_call + " " + quote(join(option.choices, " "));
      }
      out += option.takes_file || !option.choices.empty() ? "; return ;;\n" : "return ;;\n";
    }
  });
  return out;
}

/// The arms of `case "$at"`: everything that may come next.
std::string word_arms(const CommandNode& root) {
  std::string out;
  walk(root, root.name, [&](const CommandNode& node, const std::string& path) {
    std::vector<std::string> words;
    for (const auto& child : node.commands) words.push_back(child.name);
    words.insert(words.end(), node.words.begin(), node.words.end());
    for (const auto& option : node.options) words.insert(words.end(), option.names.begin(), option.names.end());
    out += "    " + quote(path) + ") list=" + quote(join(words, " ")) + " ;;\n";
  });
  return out;
}

std::string bash_script(const CommandNode& root) {
  const auto function = "_" + root.name;
  return "# bash completion of " + root.name +
         ": source it, or put it into ~/.local/share/bash-completion/completions/" + root.name + "\n" + function +
         "_words() { COMPREPLY=($(compgen -W \"$1\" -- \"$cur\")); }\n" + function +
         "_files() { COMPREPLY=($(compgen -f -- \"$cur\")); }\n" + function +
         "() {\n"
         "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} at=" +
         root.name +
         " list='' word i\n"
         "  COMPREPLY=()\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    word=${COMP_WORDS[i]}\n"
         "    case \"$at $word\" in\n" +
         descent_arms(root) +
         "    esac\n"
         "  done\n"
         "  case \"$at $prev\" in\n" +
         value_arms(root, function + "_words", function + "_files") +
         "  esac\n"
         "  case \"$at\" in\n" +
         word_arms(root) +
         "  esac\n"
         "  " +
         function +
         "_words \"$list\"\n"
         "}\n"
         "complete -F " +
         function + " " + root.name + "\n";
}

std::string zsh_script(const CommandNode& root) {
  const auto function = "_" + root.name;
  return "#compdef " + root.name + "\n# zsh completion of " + root.name + ": save it as " + function +
         " in a folder of $fpath\n" + function + "_words() { compadd -- ${=1} }\n" + function +
         "() {\n"
         "  local at=" +
         root.name +
         " list='' word prev=${words[CURRENT-1]}\n"
         "  for word in ${words[2,CURRENT-1]}; do\n"
         "    case \"$at $word\" in\n" +
         descent_arms(root) +
         "    esac\n"
         "  done\n"
         "  case \"$at $prev\" in\n" +
         value_arms(root, function + "_words", "_files") +
         "  esac\n"
         "  case \"$at\" in\n" +
         word_arms(root) +
         "  esac\n"
         "  " +
         function +
         "_words \"$list\"\n"
         "}\n"
         "compdef " +
         function + " " + root.name + "\n";
}

/// The condition under which fish offers what belongs to a command: its path was typed, and no command below it.
std::string fish_condition(const CommandNode& node, const std::string& path) {
  std::string out;
  for (std::size_t at = path.find(' '); at != std::string::npos;) {
    const auto next = path.find(' ', at + 1);
    out += (out.empty() ? "" : "; and ") + std::string("__fish_seen_subcommand_from ") +
           path.substr(at + 1, next == std::string::npos ? next : next - at - 1);
    at = next;
  }
  if (node.commands.empty()) return out;
  std::vector<std::string> below;
  for (const auto& child : node.commands) below.push_back(child.name);
  return out + (out.empty() ? "" : "; and ") + "not __fish_seen_subcommand_from " + join(below, " ");
}

std::string fish_option(const OptionNode& option) {
  std::string out;
  for (const auto& name : option.names) {
    out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (option.takes_file) {
    out += " -r -F";
  } else if (option.takes_value) {
    out += " -x";
  }
  if (!option.choices.empty()) out += " -a " + quote(join(option.choices, " "));
  return out + " -d " + quote(option.description);
}

std::string fish_script(const CommandNode& root) {
  const auto begin = "complete -c " + root.name;
  auto out = "# fish completion of " + root.name + ": save it as ~/.config/fish/completions/" + root.name + ".fish\n" +
             begin + " -f\n";
  walk(root, root.name, [&](const CommandNode& node, const std::string& path) {
    const auto condition = fish_condition(node, path);
    const auto when = condition.empty() ? begin : begin + " -n " + quote(condition);
    for (const auto& child : node.commands)
      out += when + " -a " + child.name + " -d " + quote(child.description) + "\n";
    for (const auto& word : node.words) out += when + " -a " + quote(word) + "\n";
    for (const auto& option : node.options) out += when + fish_option(option) + "\n";
  });
  return out;
}

}  // namespace

Result<std::string> completion_script(const CommandNode& root, std::string_view shell) {
  if (shell == "bash") return bash_script(root);
  if (shell == "zsh") return zsh_script(root);
  if (shell == "fish") return fish_script(root);
  return fail(Errc::invalid_argument,
              "there are completions for bash, zsh and fish, not for '" + std::string(shell) + "'");
}

}  // namespace ekiden::cli
