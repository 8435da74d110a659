// The commands that find others: lookup, explain, peers, find, capability.
#include "cli/command_line.hpp"

namespace ekiden::cli {

void CommandLine::declare_discovery() {
  auto* lookup = declare(app_, "lookup", "Find a peer in the network: its newest record, and who was asked for it",
                         "  ekiden lookup ek1...\n"
                         "  ekiden lookup bob --json\n");
  lookup->add_option("peer", lookup_, "Petname or id")->required();
  lookup->callback([this] { action = [this](const Context& context) { return run_lookup(context, lookup_); }; });

  auto* explain = declare(app_, "explain", "Whether a peer can be reached, and the exact step that fails if not",
                          "  ekiden explain ek1...\n"
                          "  ekiden explain bob --json\n"
                          "\n"
                          "Looks for the record of the peer, tries each of its addresses, and says what to do.\n");
  explain->add_option("peer", lookup_, "Petname or id")->required();
  explain->callback([this] { action = [this](const Context& context) { return run_explain(context, lookup_); }; });

  auto* peers =
      declare(app_, "peers", "Whom this node knows: linked (over what, since when), in the DHT, on the local network",
              "  ekiden peers\n"
              "  ekiden peers --json\n");
  peers->callback([this] { action = run_peers; });

  auto* find = declare(app_, "find", "Find agents by what they offer",
                       "  ekiden find translate/ja-en\n"
                       "  ekiden find translate --limit 5             whatever is below translate/\n"
                       "  ekiden find translate --watch --json        one line for each that comes or goes\n");
  find->add_option("capability", find_.capability, "A capability, or the leading part of one")->required();
  find->add_option("-n,--limit", find_.limit, "Stop after so many agents [20]")->check(CLI::Range(1, 64));
  find->add_flag("-w,--watch", find_.watch, "Go on searching, until Ctrl-C");
  add_duration(find, "--every", "Between two searches of --watch [30s]", [this](Duration every) {
    if (every < seconds(1)) throw CLI::ValidationError("--every", "at least 1s");
    find_.every = every;
  });
  find->callback([this] { action = [this](const Context& context) { return run_find(context, find_); }; });
  declare_capability();
}

void CommandLine::declare_capability() {
  auto* capability = declare(app_, "capability", "What this node offers to others: add, remove, list",
                             "  ekiden capability add translate/ja-en\n"
                             "  ekiden capability list\n");
  capability->require_subcommand(1);
  auto* add = declare(*capability, "add", "Offer a capability from now on, also after a restart",
                      "  ekiden capability add translate/ja-en\n"
                      "  ekiden capability add ocr\n"
                      "\n"
                      "Parts of a path in lower case, separated by slashes; found under each leading part.\n");
  add->add_option("capability", capability_, "Its name")->required();
  add->callback(
      [this] { action = [this](const Context& context) { return run_capability_add(context, capability_); }; });

  auto* remove = declare(*capability, "remove", "Offer it no longer", "  ekiden capability remove translate/ja-en\n");
  remove->add_option("capability", capability_, "Its name")->required();
  remove->callback(
      [this] { action = [this](const Context& context) { return run_capability_remove(context, capability_); }; });

  auto* list = declare(*capability, "list", "Show what this node offers, and how many nodes keep the announcement",
                       "  ekiden capability list\n  ekiden capability list --json\n");
  list->callback([this] { action = run_capability_list; });
}

}  // namespace ekiden::cli
