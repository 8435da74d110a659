// How the commands of the registry are written.
#include "cli/checks.hpp"
#include "cli/command_line.hpp"
#include "identity/peer_record.hpp"
#include "registry/entry.hpp"
#include "registry/writing.hpp"

namespace ekiden::cli {
namespace {

constexpr const char* kEntryName = "Its name, like printers/third-floor";
constexpr const char* kInRealm = "In the registry of this realm, which this node is in";

}  // namespace

void CommandLine::declare_registry() {
  auto* registry = declare(
      app_, "registry", "The directory of services that all nodes hold together",
      "  ekiden registry put printers/third-floor tcp://10.0.3.9:631 --capability print --meta paper=a4\n"
      "  ekiden registry find --capability print --where paper=a4\n"
      "  ekiden registry list\n"
      "\n"
      "Each node that uses it has a full copy, answers from it at once, and writes at any time, also while the\n"
      "network is split: what both sides wrote is merged when it heals. Anybody can read it, but for that of a\n"
      "realm (--realm), which only its members hold. A name belongs to the node that put it; two nodes may use\n"
      "the same name without meeting.\n");
  registry->require_subcommand(1);
  declare_registry_writing(*registry);
  declare_registry_reading(*registry);
  for (CLI::App* command : registry->get_subcommands([](const CLI::App*) { return true; })) {
    expect_realm(command->add_option("--realm", registry_.realm, kInRealm));
  }
}

void CommandLine::declare_registry_writing(CLI::App& registry) {
  auto* put =
      declare(registry, "put", "Put an entry, or change it",
              "  ekiden registry put printers/third-floor tcp://10.0.3.9:631\n"
              "  ekiden registry put ocr/fast --capability ocr --meta lang=ja --meta gpu=yes\n"
              "  ekiden registry put jobs/42 running --ttl 10m            it ends then\n"
              "  ekiden registry put jobs/42 running --ttl 10m --renew    it ends 10 minutes after this node\n"
              "  ekiden registry put leader alice --writer bob            bob may write it, too\n"
              "  ekiden registry put leader bob --owner alice             bob does\n"
              "  ekiden registry put pool --set --add n1 --add n2 --writer bob\n"
              "\n"
              "It is on disk when the command returns. Without --ttl this node renews it, also after a restart,\n"
              "until it is removed; a day after the node is gone the entry is, too. What two writers of a shared\n"
              "name put at the same time is shown side by side, until one of them puts it again.\n");
  put->add_option("name", registry_.name, kEntryName)->required();
  auto* value = put->add_option("value", registry_.value, "What it says, at most 1,024 bytes; - reads standard input");
  auto* file = put->add_option("--file", registry_.file, "The content of this file")->type_name("FILE");
  value->excludes(file);
  paths_[file] = ValueKind::file;
  at_most_bytes(put->add_option("--capability", registry_.capability, "What the service does, like translate/ja-en"),
                identity::kMaxCapabilitySize);
  put->add_option("--meta", registry_.where, "More about it, as key=value; may be repeated");
  add_duration(
      put, "--ttl", "How long it lives, from 1s to 30d", [this](Duration ttl) { registry_.ttl = ttl; },
      DurationRange{registry::kMinLifetime, registry::kMaxLifetime});
  put->add_flag("--renew", registry_.renew, "Put it again before the end of --ttl, for as long as this node runs");
  put->add_option("--writer", registry_.writers, "Who may write it, too: a contact or id; may be repeated");
  put->add_flag("--set", registry_.set, "It is a set of elements instead of a value");
  put->add_option("--add", registry_.add, "An element to add to a set; may be repeated");
  put->add_option("--take", registry_.take, "An element to take from a set; may be repeated");
  put->add_option("--owner", registry_.owner, "Whose shared name it is: a contact or id");
  put->callback([this] { action = [this](const Context& context) { return run_registry_put(context, registry_); }; });

  auto* remove =
      declare(registry, "remove", "Remove an entry of this node, here and everywhere",
              "  ekiden registry remove printers/third-floor\n"
              "  ekiden registry remove leader --owner alice    what this node wrote under a name of alice\n");
  remove->add_option("name", registry_.name, kEntryName)->required();
  remove->add_option("--owner", registry_.owner, "Whose shared name it is: a contact or id");
  remove->callback(
      [this] { action = [this](const Context& context) { return run_registry_remove(context, registry_); }; });
}

void CommandLine::declare_registry_reading(CLI::App& registry) {
  const auto add_owner = [this](CLI::App* command) {
    command->add_option("--owner", registry_.owner, "Only of this node: a contact or id");
  };
  auto* get = declare(registry, "get", "What there is under a name",
                      "  ekiden registry get printers/third-floor\n"
                      "  ekiden registry get printers/third-floor --owner alice --json\n");
  get->add_option("name", registry_.name, kEntryName)->required();
  add_owner(get);
  get->callback([this] { action = [this](const Context& context) { return run_registry_get(context, registry_); }; });

  auto* list = declare(registry, "list", "All entries",
                       "  ekiden registry list\n  ekiden registry list --owner alice\n  ekiden registry list --json\n");
  add_owner(list);
  list->callback([this] { action = [this](const Context& context) { return run_registry_list(context, registry_); }; });

  auto* find = declare(registry, "find", "Entries by what they offer",
                       "  ekiden registry find --capability translate\n"
                       "  ekiden registry find --capability translate/ja-en --where model=large --where price=0\n"
                       "\n"
                       "A capability finds those below it, too: translate finds translate/ja-en.\n");
  find->add_option("--capability", registry_.capability, "What the service does");
  find->add_option("--where", registry_.where, "What its metadata say, as key=value; may be repeated");
  add_owner(find);
  find->callback([this] { action = [this](const Context& context) { return run_registry_find(context, registry_); }; });

  auto* watch =
      declare(registry, "watch", "Print what changes, as it does, until Ctrl-C",
              "  ekiden registry watch\n"
              "  ekiden registry watch leader --json | my-agent    one object a line; no entries: it is gone\n");
  watch->add_option("name", registry_.name, "Only this name");
  watch->add_option("-n,--limit", registry_.limit, "Stop after so many")->check(CLI::Range(1, 1'000'000'000));
  watch->callback(
      [this] { action = [this](const Context& context) { return run_registry_watch(context, registry_); }; });

  auto* conflicts = declare(registry, "conflicts", "Names that had several values at once, and what became of them",
                            "  ekiden registry conflicts\n  ekiden registry conflicts --json\n");
  conflicts->callback(
      [this] { action = [this](const Context& context) { return run_registry_conflicts(context, registry_); }; });
}

}  // namespace ekiden::cli
