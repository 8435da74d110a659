// realm: named networks within the network.
#include "api/http_target.hpp"
#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/input.hpp"
#include "cli/json_read.hpp"
#include "cli/text.hpp"
#include "realm/realm.hpp"

namespace ekiden::cli {
namespace {

/// More than any invitation has.
constexpr std::size_t kMaxLine = 1'024;

std::string realm_path(const std::string& name) { return "/v1/realms/" + api::escape_segment(name); }

std::string without_blanks(const std::string& text) {
  constexpr const char* kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(kBlanks) + 1 - first);
}

/// What was asked for, or the first line of the standard input: an invitation is a secret, and arguments are seen by
/// all processes of a machine.
Result<std::string> read_wanted(const std::string& argument) {
  if (argument != "-") return without_blanks(argument);
  EKIDEN_ASSIGN(const std::string line, read_line(kMaxLine));
  std::string text = without_blanks(line);
  if (!text.empty()) return text;
  return fail(Errc::invalid_argument,
              "the standard input begins with no invitation: give it what `ekiden realm invite` prints, or paste that");
}

/// Of a realm or of what an invitation is to. Errors: malformed, invalid_argument, without what may be a secret.
Result<std::string> name_in(const std::string& wanted) {
  if (realm::is_invitation(wanted)) {
    EKIDEN_ASSIGN(const auto realm, realm::read_invitation(wanted));
    return realm.name;
  }
  if (wanted.size() > realm::kMaxRealmName) {
    return fail(Errc::invalid_argument,
                "this is no invitation, for they begin with \"ekrealm1\", and too long for the name of a realm");
  }
  EKIDEN_TRY(realm::check_realm_name(wanted));
  return wanted;
}

/// The invitation alone on the standard output: it goes into files and into other commands.
void print_invitation(Output& output, const api::Json& realm) {
  if (output.json()) return output.object(realm);
  output.line(text_of(realm, "invitation"));
  output.hint("whoever has this invitation is let in, and can invite others: they give it to `ekiden realm join -`");
}

}  // namespace

Status run_realm_create(const Context& context, const RealmArguments& arguments) {
  EKIDEN_TRY(realm::check_realm_name(arguments.name));
  EKIDEN_ASSIGN(auto client, context.client());
  api::Json wanted = api::Json::object();
  if (arguments.closed) wanted["closed"] = true;
  EKIDEN_ASSIGN(const auto realm, client.put(realm_path(arguments.name), wanted));
  if (arguments.closed) {
    print_invitation(context.output, realm);
    return {};
  }
  if (context.output.json()) context.output.object(realm);
  context.output.note("others get in by `ekiden realm join " + arguments.name + "`: it is open");
  return {};
}

Status run_realm_join(const Context& context, const RealmArguments& arguments) {
  EKIDEN_ASSIGN(const std::string wanted, read_wanted(arguments.name));
  EKIDEN_ASSIGN(const std::string name, name_in(wanted));
  api::Json entry = api::Json::object();
  if (realm::is_invitation(wanted)) entry["invitation"] = wanted;
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_ASSIGN(const auto realm, client.put(realm_path(name), entry));
  if (context.output.json()) context.output.object(realm);
  context.output.note("this node is in the realm " + name + ", also after a restart, until `ekiden realm leave " +
                      name + "`");
  return {};
}

Status run_realm_leave(const Context& context, const RealmArguments& arguments) {
  EKIDEN_TRY(realm::check_realm_name(arguments.name));
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_TRY(client.remove(realm_path(arguments.name)));
  if (context.output.json()) context.output.object({{"name", arguments.name}, {"left", true}});
  context.output.note("left; what this node put in its registry stays with the other members until it expires");
  return {};
}

Status run_realm_invite(const Context& context, const RealmArguments& arguments) {
  EKIDEN_TRY(realm::check_realm_name(arguments.name));
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_ASSIGN(const auto answer, client.get("/v1/realms?invitations=true"));
  for (const auto& realm : part_of(answer, "realms")) {
    if (text_of(realm, "name") != arguments.name) continue;
    if (flag_of(realm, "closed")) {
      print_invitation(context.output, realm);
      return {};
    }
    return fail(Errc::invalid_argument,
                "\"" + arguments.name + "\" is open: others get in by `ekiden realm join " + arguments.name + "`");
  }
  return fail(Errc::not_found, "this node is in no realm \"" + arguments.name + "\"");
}

Status run_realm_change_key(const Context& context, const RealmArguments& arguments) {
  EKIDEN_TRY(realm::check_realm_name(arguments.name));
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_ASSIGN(const auto realm, client.put(realm_path(arguments.name), {{"change_key", true}}));
  print_invitation(context.output, realm);
  context.output.hint("members with the old key hear nothing more of this node, and are not heard");
  return {};
}

Status run_realm_list(const Context& context) {
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_ASSIGN(const auto answer, client.get("/v1/realms"));
  Output& output = context.output;
  std::vector<std::vector<std::string>> rows = {{"REALM", "KIND", "MEMBERS LINKED", "ENTRIES"}};
  for (const auto& realm : part_of(answer, "realms")) {
    if (output.json()) {
      output.object(realm);
      continue;
    }
    rows.push_back({text_of(realm, "name"), flag_of(realm, "closed") ? "closed" : "open",
                    std::to_string(number_of(realm, "members")), std::to_string(number_of(realm, "entries"))});
  }
  if (output.json()) return {};
  if (rows.size() == 1) {
    output.note("this node is in no realm");
  } else {
    output.table(rows);
  }
  return {};
}

void CommandLine::declare_realm() {
  auto* realm =
      declare(app_, "realm", "Named networks within the network, open or closed by a shared key",
              "  ekiden realm create kitchen --closed     prints an invitation\n"
              "  ekiden realm join -                      reads it\n"
              "  ekiden registry put oven/1 warm --realm kitchen\n"
              "  ekiden topic sub news --realm kitchen\n"
              "\n"
              "A realm has topics and a registry of its own; entries of that expire as others do. Into an open\n"
              "one gets whoever knows its name; into a closed one whoever holds its key, which is in the\n"
              "invitation and on the disk of each member. Members find each other by announcements in the DHT:\n"
              "those of a closed realm tell nobody else which it is, those of an open one whoever tries its name.\n");
  realm->require_subcommand(1);
  const auto add_name = [this](CLI::App* command, const char* description) {
    command->add_option("name", realm_.name, description)->required();
  };
  const auto run = [this](CLI::App* command, Status (*what)(const Context&, const RealmArguments&)) {
    command->callback(
        [this, what] { action = [this, what](const Context& context) { return what(context, realm_); }; });
  };
  auto* create =
      declare(*realm, "create", "Make a realm, and be in it",
              "  ekiden realm create kitchen\n"
              "  ekiden realm create kitchen --closed > invitation\n"
              "\n"
              "The key of a closed one is on the disk of this node from then on. Whoever has the invitation is\n"
              "let in, and can invite others.\n");
  add_name(create, "Its name, like kitchen");
  create->add_flag("--closed", realm_.closed, "With a new key: only the invited get in");
  run(create, run_realm_create);

  auto* join =
      declare(*realm, "join", "Be in a realm from now on",
              "  ekiden realm join kitchen          an open one\n"
              "  ekiden realm join - < invitation   a closed one; `ps` does not show it so\n"
              "\n"
              "An invitation with another key of a realm takes the place of the old one. The key is on the disk\n"
              "of this node from then on, which can invite others with it. Of the standard input one line is read.\n");
  add_name(join, "The name of an open one, an invitation, or - to read that from standard input");
  run(join, run_realm_join);

  auto* leave = declare(*realm, "leave", "Leave a realm, and forget what its registry says",
                        "  ekiden realm leave kitchen\n"
                        "\n"
                        "What others hold of what this node put there stays with them until it expires.\n");
  add_name(leave, "Its name");
  run(leave, run_realm_leave);

  auto* invite =
      declare(*realm, "invite", "Print the invitation to a closed realm again",
              "  ekiden realm invite kitchen | ssh other ekiden realm join -\n"
              "\n"
              "It is a secret: whoever has it is let in, and can invite others, until `ekiden realm change-key`.\n");
  add_name(invite, "Its name");
  run(invite, run_realm_invite);

  auto* change =
      declare(*realm, "change-key", "Close out members: give a closed realm another key",
              "  ekiden realm change-key kitchen > invitation\n"
              "\n"
              "Those who are to stay join with the new invitation. Who does not get it keeps what it had, and\n"
              "hears and reads nothing that is said from then on.\n");
  add_name(change, "Its name");
  run(change, run_realm_change_key);

  auto* list =
      declare(*realm, "list", "The realms that this node is in", "  ekiden realm list\n  ekiden realm list --json\n");
  list->callback([this] { action = run_realm_list; });
}

}  // namespace ekiden::cli
