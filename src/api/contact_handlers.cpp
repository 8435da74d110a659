// /v1/contacts
#include <utility>

#include "api/contact_entry.hpp"
#include "api/handlers.hpp"
#include "api/views.hpp"

namespace ekiden::api {
namespace {

/// The contact that the path names, by petname or id.
Result<const identity::Contact*> named_contact(const Call& call) {
  const auto& contacts = call.backend.contacts();
  EKIDEN_ASSIGN(const auto id, resolve_peer(contacts, call.route.name));
  const auto* contact = contacts.find(id);
  if (contact == nullptr) return fail(Errc::not_found, "there is no contact with the id " + id.text());
  return contact;
}

Response list_contacts(const Call& call) {
  auto list = Json::array();
  for (const auto& [id, contact] : call.backend.contacts()) list.push_back(contact_view(contact));
  return json_response(200, {{"contacts", std::move(list)}});
}

Status add_contact(const Call& call) {
  EKIDEN_ASSIGN(const auto json, parse_json(call.body));
  EKIDEN_ASSIGN(auto contact, read_contact(json));
  contact.added_at = call.backend.now().wall;
  auto answer = json_response(201, contact_view(contact));
  answer.fields.emplace_back("Location", "/v1/contacts/" + contact.id.text());
  call.backend.put_contact(std::move(contact), /*replace=*/false,
                           [respond = call.respond, answer = std::move(answer)](const Status& done) {
                             respond(done ? answer : problem(done.error()));
                           });
  return {};
}

Status change_contact(const Call& call) {
  EKIDEN_ASSIGN(const auto* current, named_contact(call));
  EKIDEN_ASSIGN(const auto json, parse_json(call.body));
  EKIDEN_ASSIGN(auto contact, read_contact_change(*current, json));
  auto answer = json_response(200, contact_view(contact));
  call.backend.put_contact(std::move(contact), /*replace=*/true,
                           [respond = call.respond, answer = std::move(answer)](const Status& done) {
                             respond(done ? answer : problem(done.error()));
                           });
  return {};
}

Status remove_contact(const Call& call) {
  EKIDEN_ASSIGN(const auto* contact, named_contact(call));
  call.backend.remove_contact(contact->id, [respond = call.respond](const Status& done) {
    Response answer;
    answer.status = 204;
    respond(done ? answer : problem(done.error()));
  });
  return {};
}

Status show_contact(const Call& call) {
  EKIDEN_ASSIGN(const auto* contact, named_contact(call));
  call.respond(json_response(200, contact_view(*contact)));
  return {};
}

Status serve_contacts(const Call& call) {
  switch (call.route.endpoint) {
    case Endpoint::add_contact:
      return add_contact(call);
    case Endpoint::change_contact:
      return change_contact(call);
    case Endpoint::remove_contact:
      return remove_contact(call);
    case Endpoint::show_contact:
      return show_contact(call);
    default:
      call.respond(list_contacts(call));
      return {};
  }
}

}  // namespace

void handle_contacts(const Call& call) {
  if (const auto done = serve_contacts(call); !done) call.respond(problem(done.error()));
}

}  // namespace ekiden::api
