// The command line: what there is to say, with help that teaches by example.
//
// One function declares each command (command_line.cpp); parsing fills its arguments and chooses what to run. The same
// declarations make the help and the completion scripts.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/checks.hpp"
#include "cli/commands.hpp"
#include "cli/completion.hpp"
#include "runtime/settings.hpp"

namespace ekiden::cli {

class CommandLine {
 public:
  CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  /// Throws CLI::ParseError, which also is how help is asked for.
  void parse(int argc, const char* const* argv);

  const CLI::App& app() const { return app_; }
  /// The command that was chosen, or the deepest that was named before something went wrong.
  const CLI::App& chosen() const;
  CommandNode tree() const;
  /// What was read for `send`; for tests.
  const SendArguments& send() const { return send_; }
  const InboxArguments& inbox() const { return inbox_; }

  std::string data_dir;  ///< Empty: the default.
  bool json = false;
  bool quiet = false;
  std::function<Status(const Context&)> action;

 private:
  void declare_node_commands();
  void add_running_options(CLI::App* up);
  void declare_contact_commands();
  void declare_first_contact(CLI::App& contact);
  void declare_send();
  void declare_inbox();
  void declare_outbox();
  void declare_questions();
  void declare_trace();
  void declare_messages();
  void declare_mailbox();
  void declare_relay();
  void declare_topic();
  void declare_realm();
  void declare_registry();
  void declare_registry_writing(CLI::App& registry);
  void declare_registry_reading(CLI::App& registry);
  void declare_partition();
  void declare_receipt();
  void declare_discovery();
  void declare_capability();
  void declare_bootstrap();
  void declare_trying(CLI::App& bootstrap);
  void declare_completion();
  void declare_help();
  CLI::App* declare(CLI::App& parent, const std::string& name, const std::string& description,
                    const std::string& examples);
  /// Reads a duration while parsing, so that a mistake is a usage error.
  static void add_duration(CLI::App* app, const std::string& name, const std::string& description,
                           std::function<void(Duration)> take, std::optional<DurationRange> range = std::nullopt);
  static void add_since(CLI::App* app, const std::string& description, std::string& out);
  void choose(CLI::Option* option, std::vector<std::string> choices);
  CommandNode describe(const CLI::App& app) const;

  CLI::App app_;
  InitArguments init_;
  UpArguments up_;
  ContactArguments contact_;
  SendArguments send_;
  InboxArguments inbox_;
  OutboxArguments outbox_;
  TopicArguments topic_;
  RegistryArguments registry_;
  RealmArguments realm_;
  AskArguments ask_;
  ServeArguments serve_;
  TraceArguments trace_;
  ReceiptArguments receipt_;
  std::string lookup_;
  FindArguments find_;
  std::string capability_;
  BootstrapArguments bootstrap_;
  std::string shell_;
  std::vector<std::string> help_;  ///< The command whose help is wanted.
  std::map<const CLI::Option*, std::vector<std::string>> choices_;
  std::map<const CLI::Option*, ValueKind> paths_;  ///< Options and arguments that are files or folders.
};

}  // namespace ekiden::cli
