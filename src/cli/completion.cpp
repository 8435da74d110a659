#include "cli/completion.hpp"

#include <algorithm>
#include <functional>
#include <utility>

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

/// The tree with the options of each command given to those below it too, but for what these declare themselves.
CommandNode inherited(CommandNode node, const std::vector<OptionNode>& from_above) {
  for (const auto& option : from_above) {
    const auto same = [&](const OptionNode& own) { return own.names == option.names; };
    if (std::ranges::none_of(node.options, same)) node.options.push_back(option);
  }
  for (auto& child : node.commands) child = inherited(std::move(child), node.options);
  return node;
}

/// The arms of `case "$at $word"` that lead one command deeper; bash and zsh share them.
std::string descent_arms(const CommandNode& root) {
  std::vector<std::string> patterns;
  walk(root, root.name, [&](const CommandNode& node, const std::string& path) {
    if (&node != &root) patterns.push_back(quote(path));
  });
  return "      " + join(patterns, " | ") + ") at=\"$at $word\" ;;\n";
}

/// What a shell calls to offer words, files and folders.
struct Calls {
  std::string words;
  std::string files;
  std::string folders;
};

/// The arms of `case "$at $prev"` for options whose value is known.
std::string value_arms(const CommandNode& root, const Calls& calls) {
  std::string out;
  walk(root, root.name, [&](const CommandNode& node, const std::string& path) {
    for (const auto& option : node.options) {
      if (option.value == ValueKind::none) continue;
      std::vector<std::string> patterns;
      for (const auto& name : option.names) patterns.push_back(quote(path + " " + name));
      out += "    " + join(patterns, " | ") + ") ";
      if (option.value == ValueKind::file) out += calls.files + "; ";
      if (option.value == ValueKind::folder) out += calls.folders + "; ";
      if (!option.choices.empty()) out += calls.words + " " + quote(join(option.choices, " ")) + "; ";
      out += "return ;;\n";
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
    out += "    " + quote(path) + ") list=" + quote(join(words, " ")) + (node.takes_file ? " files=1" : "") + " ;;\n";
  });
  return out;
}

std::string bash_script(const CommandNode& root) {
  const auto function = "_" + root.name;
  const Calls calls{function + "_words", function + "_paths -f", function + "_paths -d"};
  return "# bash completion of " + root.name +
         ": source it, or put it into ~/.local/share/bash-completion/completions/" + root.name + "\n" + function +
         "_words() { COMPREPLY=($(compgen -W \"$1\" -- \"$cur\")); }\n" + function +
         "_paths() {\n"
         "  compopt -o filenames 2>/dev/null\n"
         "  local path\n"
         "  while IFS= read -r path; do COMPREPLY+=(\"$path\"); done < <(compgen \"$1\" -- \"$cur\")\n"
         "}\n" +
         function +
         "() {\n"
         "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} at=" +
         root.name +
         " list='' files='' word i\n"
         "  COMPREPLY=()\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    word=${COMP_WORDS[i]}\n"
         "    case \"$at $word\" in\n" +
         descent_arms(root) +
         "    esac\n"
         "  done\n"
         "  case \"$at $prev\" in\n" +
         value_arms(root, calls) +
         "  esac\n"
         "  case \"$at\" in\n" +
         word_arms(root) +
         "  esac\n"
         "  " +
         calls.words +
         " \"$list\"\n"
         "  if [[ -n $files && $cur != -* ]]; then " +
         calls.files +
         "; fi\n"
         "}\n"
         "complete -F " +
         function + " " + root.name + "\n";
}

std::string zsh_script(const CommandNode& root) {
  const auto function = "_" + root.name;
  const Calls calls{function + "_words", "_files", "_files -/"};
  return "#compdef " + root.name + "\n# zsh completion of " + root.name + ": save it as " + function +
         " in a folder of $fpath\n" + calls.words + "() { compadd -- ${=1} }\n" + function +
         "() {\n"
         "  local at=" +
         root.name +
         " list='' files='' word prev=${words[CURRENT-1]}\n"
         "  for word in ${words[2,CURRENT-1]}; do\n"
         "    case \"$at $word\" in\n" +
         descent_arms(root) +
         "    esac\n"
         "  done\n"
         "  case \"$at $prev\" in\n" +
         value_arms(root, calls) +
         "  esac\n"
         "  case \"$at\" in\n" +
         word_arms(root) +
         "  esac\n"
         "  " +
         calls.words +
         " \"$list\"\n"
         "  if [[ -n $files ]]; then _files; fi\n"
         "}\n"
         "# From $fpath, this file is the body of the function and its first call is a completion already.\n"
         "if [[ ${funcstack[1]-} == " +
         function + " ]]; then " + function + " \"$@\"; else compdef " + function + " " + root.name + "; fi\n";
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
  if (option.value == ValueKind::file) out += " -r -F";
  if (option.value == ValueKind::folder) out += " -x -a '(__fish_complete_directories)'";
  if (option.value == ValueKind::text) out += " -x";
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
    if (node.takes_file) out += when + " -F\n";
    for (const auto& word : node.words) out += when + " -a " + quote(word) + "\n";
    for (const auto& option : node.options) out += when + fish_option(option) + "\n";
  });
  return out;
}

}  // namespace

Result<std::string> completion_script(const CommandNode& tree, std::string_view shell) {
  const auto root = inherited(tree, {});
  if (shell == "bash") return bash_script(root);
  if (shell == "zsh") return zsh_script(root);
  if (shell == "fish") return fish_script(root);
  return fail(Errc::invalid_argument,
              "there are completions for bash, zsh and fish, not for '" + std::string(shell) + "'");
}

}  // namespace ekiden::cli
