// contact trust, requests, accept, block, unblock.
#include "cli/command_line.hpp"

namespace ekiden::cli {

void CommandLine::declare_first_contact(CLI::App& contact) {
  const auto run = [this](auto function) {
    return
        [this, function] { action = [this, function](const Context& context) { return function(context, contact_); }; };
  };

  auto* trust = declare(contact, "trust", "Trust a contact, or no longer: it may fill the inbox and the mailbox",
                        "  ekiden contact trust bob\n  ekiden contact trust bob --off\n");
  trust->add_option("name", contact_.name, "Its name or id")->required();
  trust->add_flag("--off", contact_.off, "Make it a contact like others again");
  trust->callback(run(run_contact_trust));

  auto* requests =
      declare(contact, "requests", "Show the strangers whose messages wait for you",
              "  ekiden contact requests\n"
              "  ekiden contact requests --json\n"
              "\n"
              "What a stranger writes is kept and confirmed to it, but no program reads it until you accept\n"
              "the sender. Requests for what this node serves do not wait, and whoever you have written to\n"
              "may answer. [inbox] strangers in ekiden.toml accepts or refuses all strangers instead.\n");
  requests->callback([this] { action = run_contact_requests; });

  auto* accept =
      declare(contact, "accept", "Make a stranger a contact: its messages come into the inbox, in order",
              "  ekiden contact accept ek1... carol\n"
              "  ekiden contact accept ek1...              a name is made; `contact add --replace` changes it\n"
              "  ekiden contact accept ek1... carol --trusted --endpoint tcp://192.0.2.9:7420\n");
  accept->add_option("id", contact_.id, "Its id, ek1...")->required();
  accept->add_option("name", contact_.name, "The name that you use for it");
  accept->add_flag("--trusted", contact_.trusted, "Trust it: it may fill the inbox");
  accept->add_option("--endpoint", contact_.endpoints, "Where to dial it; may be repeated")
      ->type_name("ENDPOINT")
      ->allow_extra_args(false);
  accept->callback(run(run_contact_accept));

  auto* block = declare(contact, "block", "Drop what somebody has sent, and refuse what comes",
                        "  ekiden contact block ek1...\n"
                        "  ekiden contact block bob                  the name stays, for `contact unblock`\n"
                        "\n"
                        "The sender sees that its messages are refused. `contact list` shows who is blocked.\n");
  block->add_option("id", contact_.id, "Its id, or the name of a contact")->required()->type_name("NAME|ID");
  block->callback(run(run_contact_block));

  auto* unblock = declare(contact, "unblock", "Refuse somebody no longer",
                          "  ekiden contact unblock ek1...\n  ekiden contact unblock bob\n");
  unblock->add_option("id", contact_.id, "Its id, or the name of a contact")->required()->type_name("NAME|ID");
  unblock->callback(run(run_contact_unblock));
}

}  // namespace ekiden::cli
