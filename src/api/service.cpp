#include "api/service.hpp"

#include "api/handlers.hpp"
#include "api/metrics.hpp"
#include "api/views.hpp"
#include "base/check.hpp"

namespace ekiden::api {

Result<std::string> realm_of(const Target& target) {
  const auto* realm = target.parameter("realm");
  if (realm == nullptr) return std::string();
  // An invitation that was given for a name is a secret: no later error may quote it.
  EKIDEN_TRY(realm::check_realm_name(*realm));
  return *realm;
}

void serve(Backend& backend, const Route& route, const Target& target, const std::string& body,
           const Respond& respond) {
  const Call call{backend, route, target, body, respond};
  switch (route.endpoint) {
    case Endpoint::status:
      return respond(json_response(200, status_view(backend)));
    case Endpoint::identity:
      return respond(json_response(200, identity_view(backend)));
    case Endpoint::list_contacts:
    case Endpoint::add_contact:
    case Endpoint::show_contact:
    case Endpoint::change_contact:
    case Endpoint::remove_contact:
      return handle_contacts(call);
    case Endpoint::list_contact_requests:
    case Endpoint::accept_contact:
    case Endpoint::list_blocked:
    case Endpoint::block_peer:
    case Endpoint::unblock_peer:
      return handle_first_contact(call);
    case Endpoint::send_message:
    case Endpoint::list_messages:
    case Endpoint::trace_message:
    case Endpoint::retry_message:
      return handle_messages(call);
    case Endpoint::list_peers:
    case Endpoint::look_up:
      return handle_peers(call);
    case Endpoint::list_capabilities:
    case Endpoint::offer_capability:
    case Endpoint::withdraw_capability:
    case Endpoint::switch_relay_on:
    case Endpoint::switch_relay_off:
      return handle_capabilities(call);
    case Endpoint::show_partition:
      return respond(json_response(200, partition_view(backend)));
    case Endpoint::list_topics:
    case Endpoint::publish:
      return handle_topics(call);
    case Endpoint::list_entries:
    case Endpoint::list_conflicts:
    case Endpoint::put_entry:
    case Endpoint::remove_entry:
      return handle_registry(call);
    case Endpoint::list_realms:
    case Endpoint::enter_realm:
    case Endpoint::leave_realm:
      return handle_realms(call);
    case Endpoint::show_peer:
    case Endpoint::probe_peer:
    case Endpoint::bootstrap:
    case Endpoint::probe_bootstrap:
      return handle_reach(call);
    case Endpoint::ask:
    case Endpoint::list_requests:
    case Endpoint::answer_request:
      return handle_requests(call);
    case Endpoint::read_inbox:
    case Endpoint::take_inbox:
      return handle_inbox(call);
    case Endpoint::metrics:
      return respond(
          {.content_type = "text/plain; version=0.0.4; charset=utf-8", .fields = {}, .body = metrics_text(backend)});
    case Endpoint::health:
      return respond(health(backend));
    case Endpoint::events:
      break;
  }
  CHECK(false);
}

}  // namespace ekiden::api
