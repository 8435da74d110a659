// Questions, answers and messages to capabilities in JSON.
#include "api/views.hpp"

namespace ekiden::api {
namespace {

Json peer_entry(const identity::PeerId& peer, const identity::ContactBook& contacts) {
  Json json = {{"to", peer.text()}};
  if (const auto* contact = contacts.find(peer)) json["name"] = contact->petname;
  return json;
}

}  // namespace

std::string_view purpose_name(const std::optional<router::Exchange>& exchange) {
  if (!exchange) return "message";
  switch (exchange->part) {
    case router::Exchange::Part::request:
      return "request";
    case router::Exchange::Part::reply:
      return "reply";
    case router::Exchange::Part::failure:
      return "failure";
  }
  return "message";
}

Json placement_view(const router::Placement& placed, const identity::ContactBook& contacts) {
  Json json = {{"id", placed.id.text()}};
  json.update(peer_entry(placed.to, contacts));
  json["capability"] = placed.capability;
  json["linked"] = placed.linked;
  return json;
}

Json answer_view(const router::Answer& answer, const identity::ContactBook& contacts) {
  Json json = {{"id", answer.request.text()}};
  json.update(peer_entry(answer.message->from, contacts));
  if (!answer.capability.empty()) json["capability"] = answer.capability;
  json["took_us"] = std::chrono::duration_cast<microseconds>(answer.took).count();
  json["reply"] = message_view(*answer.message, contacts);
  return json;
}

}  // namespace ekiden::api
