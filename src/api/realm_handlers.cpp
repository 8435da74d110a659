// /v1/realms: the realms that this node is in.
#include <utility>

#include "api/handlers.hpp"

namespace ekiden::api {
namespace {

/// An invitation is a secret: it is shown to whoever asks for it, and after it was made.
Json realm_view(const node::RealmStatus& status, bool with_invitation) {
  Json json = {{"name", status.realm.name},
               {"closed", status.realm.closed},
               {"members", status.members},
               {"entries", status.registry.shown},
               {"conflicts", status.registry.conflicts}};
  if (with_invitation && status.realm.closed) json["invitation"] = realm::invitation_to(status.realm);
  return json;
}

/// Errors: invalid_argument.
Result<bool> flag_parameter(const Target& target, std::string_view name) {
  const auto* text = target.parameter(name);
  if (text == nullptr || *text == "false") return false;
  if (*text == "true") return true;
  return fail(Errc::invalid_argument, "the parameter '" + std::string(name) + "' must be true or false");
}

Status list_realms(const Call& call) {
  EKIDEN_ASSIGN(const bool with_invitations, flag_parameter(call.target, "invitations"));
  Json json = {{"realms", Json::array()}};
  for (const auto& status : call.backend.realms()) json["realms"].push_back(realm_view(status, with_invitations));
  call.respond(json_response(200, json));
  return {};
}

/// {} enters an open one; {"closed": true} makes a closed one; {"invitation"} enters that; {"change_key": true} gives
/// one that this node is in another key. Errors say nothing of what is in an invitation but the name.
Result<node::EnterRealm> read_entry(const Call& call) {
  EKIDEN_TRY(realm::check_realm_name(call.route.name));
  EKIDEN_ASSIGN(const auto json, parse_json(call.body));
  ObjectReader reader(json);
  node::EnterRealm entry{.request = {}, .name = call.route.name};
  const bool closed = reader.boolean("closed").value_or(false);
  const bool change_key = reader.boolean("change_key").value_or(false);
  const auto invitation = reader.text("invitation", 256);
  EKIDEN_TRY(reader.finish());
  if ((closed ? 1 : 0) + (change_key ? 1 : 0) + (invitation ? 1 : 0) > 1) {
    return fail(Errc::invalid_argument, "give one of 'closed', 'invitation' and 'change_key'");
  }
  if (closed) entry.how = node::EnterRealm::How::create_closed;
  if (change_key) entry.how = node::EnterRealm::How::change_key;
  if (invitation) {
    EKIDEN_ASSIGN(auto invited, realm::read_invitation(*invitation));
    if (invited.name != entry.name) {
      return fail(Errc::invalid_argument,
                  "the invitation is to \"" + invited.name + "\", not to \"" + entry.name + "\"");
    }
    entry.how = node::EnterRealm::How::invited;
    entry.invitation = std::move(invited);
  }
  return entry;
}

Status enter_realm(const Call& call) {
  EKIDEN_ASSIGN(auto entry, read_entry(call));
  const bool is_made =
      entry.how == node::EnterRealm::How::create_closed || entry.how == node::EnterRealm::How::change_key;
  call.backend.enter_realm(std::move(entry), [respond = call.respond, &backend = call.backend, name = call.route.name,
                                              is_made](const Status& done) {
    if (!done) return respond(submit_problem(done.error()));
    for (const auto& status : backend.realms()) {
      if (status.realm.name == name) return respond(json_response(200, realm_view(status, is_made)));
    }
    respond(problem(Error{Errc::not_found, "the realm was left in the meantime"}));
  });
  return {};
}

Status leave_realm(const Call& call) {
  EKIDEN_TRY(realm::check_realm_name(call.route.name));
  call.backend.leave_realm(call.route.name, [respond = call.respond](const Status& done) {
    Response answer;
    answer.status = 204;
    respond(done ? answer : submit_problem(done.error()));
  });
  return {};
}

}  // namespace

void handle_realms(const Call& call) {
  const Status done = call.route.endpoint == Endpoint::list_realms   ? list_realms(call)
                      : call.route.endpoint == Endpoint::enter_realm ? enter_realm(call)
                                                                     : leave_realm(call);
  if (!done) call.respond(problem(done.error()));
}

}  // namespace ekiden::api
