// contact add, remove, trust, list, import, export.
#include <algorithm>
#include <utility>

#include "api/http_target.hpp"
#include "cli/commands.hpp"
#include "cli/input.hpp"
#include "cli/json_read.hpp"
#include "cli/text.hpp"
#include "runtime/contacts_file.hpp"
#include "runtime/files.hpp"

namespace ekiden::cli {
namespace {

std::string contact_path(const std::string& name_or_id) { return "/v1/contacts/" + api::escape_segment(name_or_id); }

/// Without its id it is what PUT wants.
api::Json contact_json(const identity::Contact& contact, bool with_id) {
  api::Json json = {{"name", contact.petname}};
  if (with_id) json["id"] = contact.id.text();
  json["tier"] = identity::tier_name(contact.tier);
  json["endpoints"] = api::Json::array();
  for (const auto& endpoint : contact.endpoints) json["endpoints"].push_back(endpoint.text());
  return json;
}

Result<identity::Contact> read_arguments(const ContactArguments& arguments) {
  identity::Contact contact;
  contact.petname = arguments.name;
  EKIDEN_ASSIGN(contact.id, identity::PeerId::parse(arguments.id));
  if (arguments.trusted) contact.tier = identity::TrustTier::trusted;
  if (!arguments.tier.empty()) {
    EKIDEN_ASSIGN(contact.tier, identity::parse_tier(arguments.tier));
  }
  for (const auto& text : arguments.endpoints) {
    EKIDEN_ASSIGN(auto endpoint, identity::Endpoint::parse(text));
    contact.endpoints.push_back(std::move(endpoint));
  }
  EKIDEN_TRY(identity::check_contact(contact));
  return contact;
}

/// Adds it; if its id is known already and `replace` is said, changes it.
Result<api::Json> put_contact(api::Client& client, const identity::Contact& contact, bool replace) {
  auto added = client.post("/v1/contacts", contact_json(contact, /*with_id=*/true));
  if (added || added.error().code != Errc::already_exists || !replace) return added;
  auto changed = client.put(contact_path(contact.id.text()), contact_json(contact, /*with_id=*/false));
  // No contact has the id: it is the name that another contact has.
  if (!changed && changed.error().code == Errc::not_found) return added;
  return changed;
}

Result<api::Json> fetch_contacts(const Context& context) {
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_ASSIGN(const auto answer, client.get("/v1/contacts"));
  return part_of(answer, "contacts");
}

/// Marks the contacts that are blocked, and adds those who are blocked without being contacts.
Status mark_blocked(const Context& context, api::Json& contacts) {
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_ASSIGN(const auto answer, client.get("/v1/blocked"));
  for (const auto& blocked : part_of(answer, "blocked")) {
    const auto id = text_of(blocked, "peer");
    const auto known =
        std::find_if(contacts.begin(), contacts.end(), [&](const auto& each) { return text_of(each, "id") == id; });
    if (known != contacts.end()) {
      (*known)["blocked"] = true;
    } else {
      contacts.push_back({{"id", id}, {"tier", "stranger"}, {"blocked", true}});
    }
  }
  return {};
}

std::string joined(const api::Json& list) {
  std::string out;
  for (const auto& item : list) {
    if (!item.is_string()) continue;
    if (!out.empty()) out += ' ';
    out += item.get<std::string>();
  }
  return out;
}

Result<std::vector<identity::Contact>> read_answer(const api::Json& list) {
  std::vector<identity::Contact> contacts;
  for (const auto& item : list) {
    ContactArguments arguments{.name = text_of(item, "name"), .id = text_of(item, "id"), .tier = text_of(item, "tier")};
    for (const auto& endpoint : part_of(item, "endpoints")) {
      if (endpoint.is_string()) arguments.endpoints.push_back(endpoint.get<std::string>());
    }
    EKIDEN_ASSIGN(auto contact, read_arguments(arguments));
    contacts.push_back(std::move(contact));
  }
  return contacts;
}

}  // namespace

Status run_contact_add(const Context& context, const ContactArguments& arguments) {
  EKIDEN_ASSIGN(const auto contact, read_arguments(arguments));
  EKIDEN_ASSIGN(auto client, context.client());
  const auto added = put_contact(client, contact, arguments.replace);
  if (!added && added.error().code == Errc::already_exists) {
    return fail(Errc::already_exists, added.error().message + "; `ekiden contact add --replace` changes a contact");
  }
  EKIDEN_TRY(added);
  if (context.output.json()) context.output.object(*added);
  context.output.note("added " + contact.petname + " (" + contact.id.text() + ")");
  return {};
}

Status run_contact_remove(const Context& context, const ContactArguments& arguments) {
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_TRY(client.remove(contact_path(arguments.name)));
  if (context.output.json()) context.output.object({{"removed", arguments.name}});
  context.output.note("removed " + arguments.name);
  return {};
}

Status run_contact_trust(const Context& context, const ContactArguments& arguments) {
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_ASSIGN(const auto current, client.get(contact_path(arguments.name)));
  const std::string_view tier =
      identity::tier_name(arguments.off ? identity::TrustTier::contact : identity::TrustTier::trusted);
  EKIDEN_ASSIGN(const auto changed,
                client.put(contact_path(text_of(current, "id")), {{"name", text_of(current, "name")}, {"tier", tier}}));
  if (context.output.json()) context.output.object(changed);
  context.output.note(context.output.text(text_of(changed, "name")) + " is " +
                      (arguments.off ? "a contact" : "trusted") + " now");
  return {};
}

Status run_contact_list(const Context& context) {
  EKIDEN_ASSIGN(auto list, fetch_contacts(context));
  EKIDEN_TRY(mark_blocked(context, list));
  if (context.output.json()) {
    for (const auto& contact : list) context.output.object(contact);
    return {};
  }
  if (list.empty()) {
    context.output.note("no contacts yet: `ekiden contact add NAME ek1… --endpoint tcp://HOST:PORT`");
    return {};
  }
  std::vector<std::vector<std::string>> rows = {{"NAME", "TIER", "ID", "ENDPOINTS"}};
  for (const auto& contact : list) {
    const auto tier = flag_of(contact, "blocked") ? std::string("blocked") : text_of(contact, "tier");
    const auto name = text_of(contact, "name");
    rows.push_back({name.empty() ? "-" : context.output.text(name), tier, text_of(contact, "id"),
                    joined(part_of(contact, "endpoints"))});
  }
  context.output.table(rows);
  return {};
}

Status run_contact_import(const Context& context, const ContactArguments& arguments) {
  EKIDEN_ASSIGN(const auto text, read_input(arguments.file, runtime::kMaxContactsFile));
  const auto name = arguments.file == "-" ? std::string("standard input") : arguments.file;
  EKIDEN_ASSIGN(const auto contacts, runtime::parse_contacts(text, name));
  EKIDEN_ASSIGN(auto client, context.client());
  std::uint64_t added = 0;
  std::uint64_t kept = 0;
  for (const auto& contact : contacts) {
    const auto done = put_contact(client, contact, arguments.replace);
    if (!done && done.error().code != Errc::already_exists) return fail("contact " + contact.petname, done.error());
    ++(done ? added : kept);
  }
  if (context.output.json()) context.output.object({{"imported", added}, {"kept", kept}});
  context.output.note("imported " + counted(added, "contact") +
                      (kept > 0 ? ", kept " + std::to_string(kept) + " that were there already" : std::string()));
  return {};
}

Status run_contact_export(const Context& context, const ContactArguments& arguments) {
  EKIDEN_ASSIGN(const auto list, fetch_contacts(context));
  const bool to_file = !arguments.file.empty() && arguments.file != "-";
  if (context.output.json() && !to_file) {
    for (const auto& contact : list) context.output.object(contact);
    return {};
  }
  EKIDEN_ASSIGN(const auto contacts, read_answer(list));
  auto text = runtime::format_contacts(contacts);
  if (to_file) {
    EKIDEN_TRY(runtime::write_new_file(arguments.file, as_bytes(text)));
    if (context.output.json()) context.output.object({{"exported", contacts.size()}, {"file", arguments.file}});
    context.output.note("exported " + counted(contacts.size(), "contact") + " to " + arguments.file);
    return {};
  }
  if (text.ends_with('\n')) text.pop_back();
  if (!text.empty()) context.output.line(text);
  return {};
}

}  // namespace ekiden::cli
