#include "cli/command_line.hpp"

#include <algorithm>

#include "api/version.hpp"
#include "cli/complaint.hpp"
#include "cli/text.hpp"

namespace ekiden::cli {
namespace {

constexpr auto kFooter =
    "Examples:\n"
    "  ekiden init && ekiden up                  make a node and start it\n"
    "  ekiden contact add bob ek1... --endpoint tcp://192.0.2.7:7420\n"
    "  ekiden send bob \"hello\" --wait            until bob's node confirms it\n"
    "  ekiden inbox --follow --json              for programs: one message a line\n"
    "  ekiden contact requests                   strangers who have written, to be accepted or blocked\n"
    "  ekiden ask @translate \"cat\"               a question to whoever offers that, and its answer\n"
    "\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no node is running, 4 waited too long, 5 no room now: try later.\n"
    "`ekiden help COMMAND` and `ekiden COMMAND --help` say more.";

}  // namespace

CommandLine::CommandLine() : app_("A peer-to-peer relay network for software agents.", "ekiden") {
  app_.fallthrough();
  app_.require_subcommand(1);
  app_.footer(kFooter);
  paths_[app_.add_option("--data-dir", data_dir,
                         "Data directory of the node ($EKIDEN_HOME, else ~/.local/share/ekiden)")
             ->type_name("DIR")] = ValueKind::folder;
  app_.add_flag("--json", json, "Print for programs: one JSON object a line, errors included");
  app_.add_flag("-q,--quiet", quiet, "Print results only");
  app_.set_version_flag("-V,--version", "ekiden " + std::string(api::version()), "Print the version");
  declare_node_commands();
  declare_contact_commands();
  declare_messages();
  declare_mailbox();
  declare_relay();
  declare_topic();
  declare_realm();
  declare_registry();
  declare_partition();
  declare_receipt();
  declare_discovery();
  declare_bootstrap();
  declare_completion();
  declare_help();
}

CLI::App* CommandLine::declare(CLI::App& parent, const std::string& name, const std::string& description,
                               const std::string& examples) {
  auto* command = parent.add_subcommand(name, description);
  command->footer("Examples:\n" + examples);
  return command;
}

void CommandLine::add_duration(CLI::App* app, const std::string& name, const std::string& description,
                               std::function<void(Duration)> take, std::optional<DurationRange> range) {
  app->add_option_function<std::string>(
         name,
         [take = std::move(take), name, range](const std::string& text) {
           const auto duration = parse_duration(text);
           if (!duration) throw CLI::ValidationError(name, duration.error().message);
           if (range && (*duration < range->least || *duration > range->most)) {
             throw CLI::ValidationError(name, range_text(*range));
           }
           take(*duration);
         },
         description)
      ->type_name("DURATION");
}

void CommandLine::choose(CLI::Option* option, std::vector<std::string> choices) {
  option->check(CLI::IsMember(choices));
  choices_[option] = std::move(choices);
}

void CommandLine::declare_node_commands() {
  auto* init = declare(app_, "init", "Make a new node: identity, settings, empty store",
                       "  ekiden init\n"
                       "  ekiden init --data-dir ~/agents/alice --listen tcp://0.0.0.0:7421\n"
                       "  ekiden init --endpoint tcp://alice.example:7420     how others reach it\n");
  init_.listen = runtime::InitOptions().listen;
  init->add_option("--listen", init_.listen, "Where to listen for other nodes; may be repeated")
      ->type_name("ENDPOINT")
      ->allow_extra_args(false)
      ->capture_default_str();
  init->add_option("--endpoint", init_.endpoints, "Where others can dial this node; may be repeated")
      ->type_name("ENDPOINT")
      ->allow_extra_args(false);
  init->callback([this] { action = [this](const Context& context) { return run_init(context, init_); }; });

  auto* id = declare(app_, "id", "Print the id of the node; it need not run",
                     "  ekiden id\n"
                     "  ekiden contact add me \"$(ekiden id --data-dir ~/agents/alice)\"\n");
  id->callback([this] { action = run_id; });

  auto* up = declare(app_, "up", "Run the node in the foreground until Ctrl-C",
                     "  ekiden up\n"
                     "  ekiden up --listen tcp://127.0.0.1:7421 --listen udp://127.0.0.1:7421 --log-level debug\n"
                     "  ekiden up --bootstrap ek1...@tcp://node.example:7420\n"
                     "  ekiden up --json --log-format json 2>node.log\n");
  add_running_options(up);
  up->callback([this] { action = [this](const Context& context) { return run_up(context, up_); }; });

  auto* version = declare(app_, "version", "Print the version", "  ekiden version\n  ekiden version --json\n");
  version->callback([this] { action = run_version; });
}

/// What `up` and `bootstrap serve` take instead of what ekiden.toml says.
void CommandLine::add_running_options(CLI::App* up) {
  up->add_option("--listen", up_.listen, "Listen here instead of what ekiden.toml says; may be repeated")
      ->type_name("ENDPOINT")
      ->allow_extra_args(false);
  up->add_option("--endpoint", up_.endpoints, "Tell others to dial this; may be repeated")
      ->type_name("ENDPOINT")
      ->allow_extra_args(false);
  up->add_option("--bootstrap", up_.bootstrap, "Join through these nodes, instead of what is configured, or none")
      ->type_name("NODES");
  up->add_flag("--no-lan", up_.no_lan, "Neither look for peers on the local network nor be found there");
  up->add_option("--api", up_.api, "Loopback address of the local API")->type_name("HOST:PORT");
  up->add_option("--metrics", up_.metrics, "Serve /metrics (Prometheus) and /healthz here")->type_name("HOST:PORT");
  paths_[up->add_option("--certificate", up_.certificate, "Certificate chain of wss://, in PEM form")
             ->type_name("FILE")] = ValueKind::file;
  paths_[up->add_option("--key", up_.key, "Its private key")->type_name("FILE")] = ValueKind::file;
  choose(up->add_option("--log-level", up_.log_level, "How much to log"), {"debug", "info", "warning", "error"});
  choose(up->add_option("--log-format", up_.log_format, "How to log"), {"text", "json"});
  up->add_flag("--new-store", up_.new_store, "Begin with an empty store in place of one that is lost; never over one");
}

void CommandLine::declare_contact_commands() {
  auto* contact = declare(app_, "contact", "The people and agents you know, and those you do not know yet",
                          "  ekiden contact add bob ek1... --endpoint tcp://192.0.2.7:7420\n"
                          "  ekiden contact list\n"
                          "  ekiden contact requests                   strangers whose messages wait\n"
                          "  ekiden contact accept ek1... carol        let them in\n"
                          "  ekiden contact export contacts.toml\n");
  contact->require_subcommand(1);
  const auto run = [this](auto function) {
    return
        [this, function] { action = [this, function](const Context& context) { return function(context, contact_); }; };
  };

  auto* add = declare(*contact, "add", "Give a name to an id",
                      "  ekiden contact add bob ek1... --endpoint tcp://192.0.2.7:7420\n"
                      "  ekiden contact add carol ek1... --trusted\n"
                      "  ekiden contact add bob ek1... --endpoint tcp://bob.example:7420 --replace\n");
  add->add_option("name", contact_.name, "The name that you use for it")->required();
  add->add_option("id", contact_.id, "Its id, ek1...")->required();
  add->add_option("--endpoint", contact_.endpoints, "Where to dial it; may be repeated")
      ->type_name("ENDPOINT")
      ->allow_extra_args(false);
  auto* tier = add->add_option("--tier", contact_.tier, "How far to trust it [contact]");
  choose(tier, {"stranger", "contact", "trusted"});
  add->add_flag("--trusted", contact_.trusted, "The same as --tier trusted: it may fill the inbox")->excludes(tier);
  add->add_flag("--replace", contact_.replace, "Change the contact if the id is known already");
  add->callback(run(run_contact_add));

  auto* remove =
      declare(*contact, "remove", "Forget a contact", "  ekiden contact remove bob\n  ekiden contact remove ek1...\n");
  remove->add_option("name", contact_.name, "Its name or id")->required();
  remove->callback(run(run_contact_remove));

  declare_first_contact(*contact);
  auto* list = declare(*contact, "list", "Show all contacts", "  ekiden contact list\n  ekiden contact list --json\n");
  list->callback([this] { action = run_contact_list; });

  auto* import = declare(*contact, "import", "Add the contacts of a file",
                         "  ekiden contact import contacts.toml\n"
                         "  ssh host ekiden contact export | ekiden contact import -\n");
  paths_[import->add_option("file", contact_.file, "A file of `ekiden contact export`; - reads standard input")
             ->required()] = ValueKind::file;
  import->add_flag("--replace", contact_.replace, "Change contacts whose id is known already");
  import->callback(run(run_contact_import));

  auto* exported = declare(*contact, "export", "Write the contacts for another node or a backup",
                           "  ekiden contact export > contacts.toml\n  ekiden contact export contacts.toml\n");
  paths_[exported->add_option("file", contact_.file, "A new file; without it, standard output")] = ValueKind::file;
  exported->callback(run(run_contact_export));
}

/// Those of bootstrap that ask the network.
void CommandLine::declare_trying(CLI::App& bootstrap) {
  auto* check = declare(bootstrap, "check", "Try every endpoint of the nodes that are configured; no node needs to run",
                        "  ekiden bootstrap check\n"
                        "  ekiden bootstrap check nodes.json --json\n"
                        "  ekiden bootstrap check --bootstrap ek1...@tcp://192.0.2.7:7420\n"
                        "\n"
                        "Fails if a node has no endpoint that works.\n");
  auto* file = check->add_option("file", bootstrap_.file, "A file of lists, instead of what is configured");
  paths_[file] = ValueKind::file;
  check->add_option("--bootstrap", bootstrap_.value, "Nodes and files, with commas, instead of what is configured")
      ->type_name("NODES")
      ->excludes(file);
  check->add_option("--signer", bootstrap_.signers, "Trust only this signer, an id or a public key; may be repeated")
      ->type_name("ID|KEY")
      ->allow_extra_args(false);
  check->callback(
      [this] { action = [this](const Context& context) { return run_bootstrap_check(context, bootstrap_); }; });

  auto* discover = declare(bootstrap, "discover", "Show the nodes that the running node has found, step by step",
                           "  ekiden bootstrap discover\n"
                           "  ekiden bootstrap discover --wait 30s\n"
                           "  ekiden bootstrap discover --json\n");
  add_duration(discover, "--wait", "Try all of them now, and wait so long, at most, until that is done",
               [this](Duration wait) { bootstrap_.wait = wait; });
  discover->callback(
      [this] { action = [this](const Context& context) { return run_bootstrap_discover(context, bootstrap_); }; });
}

void CommandLine::declare_bootstrap() {
  auto* bootstrap = declare(app_, "bootstrap", "The nodes to join through: run one; show, try, sign and verify them",
                            "  ekiden bootstrap list\n"
                            "  ekiden bootstrap check\n"
                            "  ekiden bootstrap sign nodes.json --ttl 90d\n"
                            "  ekiden bootstrap verify nodes.json\n");
  bootstrap->require_subcommand(1);
  const auto run = [this](auto function) {
    return [this, function] {
      action = [this, function](const Context& context) { return function(context, bootstrap_); };
    };
  };
  const auto add_signers = [this](CLI::App* command) {
    command
        ->add_option("--signer", bootstrap_.signers, "Trust only this signer, an id or a public key; may be repeated")
        ->type_name("ID|KEY")
        ->allow_extra_args(false);
  };

  auto* serve =
      declare(*bootstrap, "serve", "Run a node that others join through, until Ctrl-C",
              "  ekiden bootstrap serve --endpoint tcp://203.0.113.7:7420 --endpoint udp://203.0.113.7:7420\n"
              "  ekiden bootstrap serve --endpoint wss://boot.example.org:443 --endpoint udp://203.0.113.7:7420 \\\n"
              "      --certificate fullchain.pem --key privkey.pem\n"
              "\n"
              "Makes the node if there is none. With a certificate it listens on wss://0.0.0.0:443 too, and reads\n"
              "renewed files by itself. /metrics and /healthz are on 127.0.0.1:9420, unless --metrics says else.\n");
  add_running_options(serve);
  serve->callback([this] { action = [this](const Context& context) { return run_bootstrap_serve(context, up_); }; });

  auto* list = declare(*bootstrap, "list", "Show the nodes that are configured, and from where; asks nobody",
                       "  ekiden bootstrap list\n"
                       "  ekiden bootstrap list --bootstrap nodes.json --json\n"
                       "  ekiden bootstrap list --bootstrap ek1...@tcp://192.0.2.7:7420,more.json\n"
                       "\n"
                       "The first of these that is given counts alone: --bootstrap, $EKIDEN_BOOTSTRAP,\n"
                       "bootstrap_nodes.json in the data directory. 'none' means no nodes.\n");
  list->add_option("--bootstrap", bootstrap_.value, "Nodes and files, with commas, instead of what is configured")
      ->type_name("NODES");
  add_signers(list);
  list->callback(run(run_bootstrap_list));

  declare_trying(*bootstrap);

  auto* sign = declare(*bootstrap, "sign", "Sign the lists of a file with the key of this node",
                       "  ekiden bootstrap sign nodes.json                    the file is changed\n"
                       "  ekiden bootstrap sign draft.json --output nodes.json --ttl 90d\n"
                       "  ekiden bootstrap sign - < draft.json > nodes.json\n"
                       "\n"
                       "Signs the lists that have no signer yet, and again those of this node; others stay.\n");
  paths_[sign->add_option("file", bootstrap_.file, "A file of lists or drafts; - reads and writes standard streams")
             ->required()] = ValueKind::file;
  paths_[sign->add_option("--output", bootstrap_.output, "Write a new file instead")->type_name("FILE")] =
      ValueKind::file;
  add_duration(sign, "--ttl", "How long the lists are valid, at most 400d [365d]",
               [this](Duration ttl) { bootstrap_.ttl = ttl; });
  sign->callback(run(run_bootstrap_sign));

  auto* verify = declare(*bootstrap, "verify", "Check the signatures and times of the lists of a file",
                         "  ekiden bootstrap verify nodes.json\n"
                         "  ekiden bootstrap verify nodes.json --signer ek1... --json\n"
                         "  curl -s https://example.org/nodes.json | ekiden bootstrap verify -\n");
  paths_[verify->add_option("file", bootstrap_.file, "A file of lists; - reads standard input")->required()] =
      ValueKind::file;
  add_signers(verify);
  verify->callback(run(run_bootstrap_verify));
}

void CommandLine::declare_completion() {
  auto* completion = declare(app_, "completion", "Print a completion script for a shell",
                             "  source <(ekiden completion bash)\n"
                             "  ekiden completion zsh > ~/.zfunc/_ekiden\n"
                             "  ekiden completion fish > ~/.config/fish/completions/ekiden.fish\n");
  choose(completion->add_option("shell", shell_, "bash, zsh or fish")->required(), {"bash", "zsh", "fish"});
  completion->callback([this] {
    action = [this](const Context& context) -> Status {
      EKIDEN_ASSIGN(auto script, completion_script(tree(), shell_));
      if (context.output.json()) {
        context.output.object({{"shell", shell_}, {"script", script}});
        return {};
      }
      script.pop_back();
      context.output.line(script);
      return {};
    };
  });
}

void CommandLine::declare_help() {
  auto* help = declare(app_, "help", "Explain a command, or list them all",
                       "  ekiden help\n  ekiden help send\n  ekiden help contact add\n");
  auto* words = help->add_option("command", help_, "The command");
  for (const CLI::App* command : app_.get_subcommands([](const CLI::App*) { return true; })) {
    choices_[words].push_back(command->get_name());  // For completion; a wrong one has an error of its own.
  }
  help->callback([this] {
    const CLI::App* app = &app_;
    for (const std::string& word : help_) {
      const auto found = app->get_subcommands([&](const CLI::App* command) { return command->get_name() == word; });
      if (found.empty()) {
        throw CLI::ValidationError("there is no command '" + word + "'" + suggested_command(*app, word));
      }
      app = found.front();
    }
    action = [app](const Context& context) -> Status {
      // App::help() is that of the deepest command that was named, which is this one.
      auto text = app->get_formatter()->make_help(app, command_path(*app), CLI::AppFormatMode::Normal);
      text.pop_back();
      context.output.line(text);
      return {};
    };
  });
}

void CommandLine::parse(int argc, const char* const* argv) {
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  // "--wait delivered" is what many type for "--wait=delivered".
  for (std::size_t i = 0; i + 1 < arguments.size(); ++i) {
    if (arguments[i] == "--") break;
    if (arguments[i] != "--wait" || (arguments[i + 1] != "accepted" && arguments[i + 1] != "delivered")) continue;
    arguments[i] += "=" + arguments[i + 1];
    arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1);
  }
  std::ranges::reverse(arguments);
  app_.parse(std::move(arguments));
}

const CLI::App& CommandLine::chosen() const {
  const auto* app = &app_;
  while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
  return *app;
}

CommandNode CommandLine::tree() const {
  auto root = describe(app_);
  root.name = "ekiden";
  return root;
}

CommandNode CommandLine::describe(const CLI::App& app) const {
  CommandNode node{.name = app.get_name(), .description = app.get_description()};
  for (const auto* option : app.get_options()) {
    const auto choices = choices_.find(option);
    const auto path = paths_.find(option);
    if (option->get_positional()) {
      if (choices != choices_.end()) node.words = choices->second;
      if (path != paths_.end()) node.takes_file = true;
      continue;
    }
    OptionNode entry{.description = option->get_description()};
    for (const auto& name : option->get_snames()) entry.names.push_back("-" + name);
    for (const auto& name : option->get_lnames()) entry.names.push_back("--" + name);
    if (option->get_items_expected_max() > 0) entry.value = path != paths_.end() ? path->second : ValueKind::text;
    if (entry.value != ValueKind::none && choices != choices_.end()) entry.choices = choices->second;
    node.options.push_back(std::move(entry));
  }
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    node.commands.push_back(describe(*command));
  }
  return node;
}

}  // namespace ekiden::cli
