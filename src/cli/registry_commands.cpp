// registry: the directory of services that this node holds with others, and what it writes there.
#include <map>

#include "api/http_target.hpp"
#include "cli/body.hpp"
#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/json_read.hpp"
#include "cli/text.hpp"

namespace ekiden::cli {
namespace {

/// What a page of the API has at most.
constexpr std::uint64_t kEntriesAtOnce = 1'000;

/// `more`: parameters, each with its '&'.
std::string in_realm(const RegistryArguments& arguments, const std::string& path, std::string more = "") {
  if (!arguments.realm.empty()) more += "&realm=" + api::escape_segment(arguments.realm);
  return more.empty() ? path : path + "?" + more.substr(1);
}

std::string entry_path(const RegistryArguments& arguments, const std::string& more = "") {
  return in_realm(arguments, "/v1/registry/" + api::escape_segment(arguments.name), more);
}

std::string metadata_text(const api::Json& metadata) {
  std::string text;
  if (!metadata.is_object()) return text;
  for (const auto& [key, value] : metadata.items()) {
    if (!text.empty()) text += ' ';
    text += key + "=" + (value.is_string() ? value.get<std::string>() : value.dump());
  }
  return text;
}

/// One line of what it says: the value, or the elements of a set.
std::string content_text(const api::Json& entry) {
  if (entry.contains("elements")) {
    std::string text;
    for (const auto& element : part_of(entry, "elements")) {
      if (!text.empty()) text += ", ";
      text += element.is_string() ? element.get<std::string>() : "(binary)";
    }
    return "{" + text + "}";
  }
  if (entry.contains("value_base64")) return "(binary)";
  return text_of(entry, "value");
}

std::vector<std::string> entry_row(const Output& output, const api::Json& entry) {
  std::string owner = output.text(peer_of(entry, "owner", "owner_name"));
  if (entry.contains("author")) owner += " (by " + output.text(peer_of(entry, "author", "author_name")) + ")";
  std::string content = output.text(content_text(entry));
  if (number_of(entry, "concurrent") > 1)
    content += "  [one of " + std::to_string(number_of(entry, "concurrent")) + "]";
  return {output.text(text_of(entry, "name")),
          owner,
          output.text(text_of(entry, "capability")),
          output.text(metadata_text(part_of(entry, "metadata"))),
          content,
          "until " + text_of(entry, "expires")};
}

/// "key=value" of all of them as a JSON object.
Result<api::Json> metadata_of(const std::vector<std::string>& items) {
  api::Json json = api::Json::object();
  for (const std::string& item : items) {
    const auto equals = item.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return fail(Errc::invalid_argument, "\"" + item + "\" is not key=value, like paper=a4");
    }
    json[item.substr(0, equals)] = item.substr(equals + 1);
  }
  return json;
}

Result<std::string> search_path(const RegistryArguments& arguments) {
  std::string path = "/v1/registry?limit=" + std::to_string(kEntriesAtOnce);
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) path += "&" + std::string(key) + "=" + api::escape_segment(value);
  };
  add("realm", arguments.realm);
  add("name", arguments.name);
  add("owner", arguments.owner);
  add("capability", arguments.capability);
  if (!arguments.where.empty()) {
    EKIDEN_ASSIGN(const auto where, metadata_of(arguments.where));
    add("where", api::dump_json(where));
  }
  return path;
}

/// Calls `print` for each entry, page after page. How many there were.
template <class Print>
Result<std::uint64_t> each_entry(api::Client& client, const RegistryArguments& arguments, Print print) {
  EKIDEN_ASSIGN(const auto path, search_path(arguments));
  std::uint64_t found = 0;
  for (std::string after;;) {
    EKIDEN_ASSIGN(const auto page, client.get(after.empty() ? path : path + "&after=" + after));
    for (const auto& entry : part_of(page, "entries")) {
      print(entry);
      ++found;
    }
    after = text_of(page, "next");
    if (after.empty()) return found;
  }
}

Result<std::uint64_t> print_entries(const Context& context, const RegistryArguments& arguments) {
  EKIDEN_ASSIGN(auto client, context.client());
  Output& output = context.output;
  if (output.json()) return each_entry(client, arguments, [&](const api::Json& entry) { output.object(entry); });
  std::vector<std::vector<std::string>> rows = {{"NAME", "OWNER", "CAPABILITY", "METADATA", "VALUE", "EXPIRES"}};
  EKIDEN_ASSIGN(const auto found, each_entry(client, arguments, [&](const api::Json& entry) {
                  rows.push_back(entry_row(output, entry));
                }));
  if (found > 0) output.table(rows);
  return found;
}

}  // namespace

Status run_registry_put(const Context& context, const RegistryArguments& arguments) {
  api::Json entry = api::Json::object();
  if (arguments.value || !arguments.file.empty()) {
    EKIDEN_ASSIGN(const auto value, read_body(arguments.value, arguments.file));
    put_body(entry, value);
    for (const char* suffix : {"", "_base64"}) {
      const std::string body = std::string("body") + suffix;
      if (!entry.contains(body)) continue;
      entry[std::string("value") + suffix] = entry[body];
      entry.erase(body);
    }
  }
  if (!arguments.owner.empty()) entry["owner"] = arguments.owner;
  if (!arguments.capability.empty()) entry["capability"] = arguments.capability;
  if (!arguments.where.empty()) {
    EKIDEN_ASSIGN(entry["metadata"], metadata_of(arguments.where));
  }
  if (arguments.set) {
    entry["shape"] = "set";
  } else if (!arguments.writers.empty()) {
    entry["shape"] = "shared";
  }
  if (!arguments.writers.empty()) entry["writers"] = arguments.writers;
  if (!arguments.add.empty()) entry["add"] = arguments.add;
  if (!arguments.take.empty()) entry["take"] = arguments.take;
  if (arguments.ttl) entry["ttl_ms"] = std::chrono::duration_cast<milliseconds>(*arguments.ttl).count();
  if (arguments.renew) entry["renew"] = true;
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_ASSIGN(const auto answer, client.put(entry_path(arguments), entry));
  if (context.output.json()) context.output.object(answer);
  const bool renewed = arguments.renew || !arguments.ttl;
  const std::string where = arguments.realm.empty() ? "" : " --realm " + arguments.realm;
  context.output.note(renewed ? "put; this node renews it until `ekiden registry remove " + arguments.name + where + "`"
                              : "put for " + human_duration(*arguments.ttl));
  return {};
}

Status run_registry_get(const Context& context, const RegistryArguments& arguments) {
  EKIDEN_ASSIGN(const auto found, print_entries(context, arguments));
  if (found > 0) return {};
  return fail(Errc::not_found, "there is no \"" + arguments.name + "\" in the registry, as far as this node has heard");
}

Status run_registry_list(const Context& context, const RegistryArguments& arguments) {
  EKIDEN_ASSIGN(const auto found, print_entries(context, arguments));
  context.output.note(found == 0   ? "nothing, as far as this node has heard"
                      : found == 1 ? "1 entry"
                                   : std::to_string(found) + " entries");
  return {};
}

Status run_registry_find(const Context& context, const RegistryArguments& arguments) {
  if (arguments.capability.empty() && arguments.where.empty()) {
    return fail(Errc::invalid_argument, "say what to find: --capability NAME, --where key=value, or both");
  }
  return run_registry_list(context, arguments);
}

Status run_registry_watch(const Context& context, const RegistryArguments& arguments) {
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_ASSIGN(auto stream, client.events("entry,realm"));
  EKIDEN_TRY(client.get(in_realm(arguments, "/v1/registry", "&limit=1")));  // From now on this node hears of entries.
  context.output.note("watching");
  EKIDEN_TRY(context.output.flush());
  std::uint64_t printed = 0;
  while (arguments.limit == 0 || printed < arguments.limit) {
    auto event = stream.next(minutes(1));
    if (!event) {
      if (event.error().code == Errc::timed_out) continue;
      return std::unexpected<Error>(event.error());
    }
    if (text_of(*event, "realm") != arguments.realm) continue;
    if (flag_of(*event, "left")) {
      return fail(Errc::closed, "this node has left the realm \"" + context.output.text(arguments.realm) + "\"");
    }
    if (!arguments.name.empty() && text_of(*event, "name") != arguments.name) continue;
    Output& output = context.output;
    const auto entries = part_of(*event, "entries");
    if (output.json()) {
      event->erase("kind");
      output.object(*event);
    } else if (entries.empty()) {
      output.line("gone  " + output.text(text_of(*event, "name")) + "  " +
                  output.text(peer_of(*event, "owner", "owner_name")));
    } else {
      for (const auto& entry : entries) {
        std::string line = "is";
        for (const auto& cell : entry_row(output, entry)) line += cell.empty() ? "" : "  " + cell;
        output.line(line);
      }
    }
    EKIDEN_TRY(output.flush());
    ++printed;
  }
  return {};
}

Status run_registry_remove(const Context& context, const RegistryArguments& arguments) {
  EKIDEN_ASSIGN(auto client, context.client());
  const std::string owner = arguments.owner.empty() ? "" : "&owner=" + api::escape_segment(arguments.owner);
  EKIDEN_TRY(client.remove(entry_path(arguments, owner)));
  if (context.output.json()) context.output.object({{"name", arguments.name}, {"removed", true}});
  context.output.note("removed; other nodes hear of it as soon as there is a way to them");
  return {};
}

Status run_registry_conflicts(const Context& context, const RegistryArguments& arguments) {
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_ASSIGN(const auto answer, client.get(in_realm(arguments, "/v1/registry-conflicts")));
  Output& output = context.output;
  const auto conflicts = part_of(answer, "conflicts");
  for (const auto& conflict : conflicts) {
    if (output.json()) {
      output.object(conflict);
      continue;
    }
    const std::string how = flag_of(conflict, "open") ? "open"
                            : text_of(conflict, "kind") == "equivocal"
                                ? "the larger digest is taken"
                                : "settled by " + output.text(peer_of(conflict, "settled_by", "settled_by_name"));
    output.line(output.text(text_of(conflict, "name")) + "  " + output.text(peer_of(conflict, "owner", "owner_name")) +
                "  " + text_of(conflict, "kind") + " since " + text_of(conflict, "since") + ", " + how);
    for (const auto& value : part_of(conflict, "values")) {
      output.line("  " + text_of(value, "written") + "  " + output.text(peer_of(value, "author", "author_name")) +
                  "  " + output.text(content_text(value)));
    }
  }
  if (conflicts.empty()) output.note("none, as far as this node has heard");
  return {};
}

}  // namespace ekiden::cli
