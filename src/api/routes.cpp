#include "api/routes.hpp"

#include <array>

namespace ekiden::api {
namespace {

struct Row {
  std::string_view method;
  std::string_view path;  ///< Segments; "{}" stands for any one that is not empty.
  Endpoint endpoint;
  bool has_body;
  bool for_monitors = false;
};

constexpr std::array kTable = {
    Row{"GET", "v1/status", Endpoint::status, false},
    Row{"GET", "v1/identity", Endpoint::identity, false},
    Row{"GET", "v1/contacts", Endpoint::list_contacts, false},
    Row{"POST", "v1/contacts", Endpoint::add_contact, true},
    Row{"GET", "v1/contacts/{}", Endpoint::show_contact, false},
    Row{"PUT", "v1/contacts/{}", Endpoint::change_contact, true},
    Row{"DELETE", "v1/contacts/{}", Endpoint::remove_contact, false},
    Row{"GET", "v1/contact-requests", Endpoint::list_contact_requests, false},
    Row{"POST", "v1/contact-requests/{}/accept", Endpoint::accept_contact, true},
    Row{"GET", "v1/blocked", Endpoint::list_blocked, false},
    Row{"PUT", "v1/blocked/{}", Endpoint::block_peer, false},
    Row{"DELETE", "v1/blocked/{}", Endpoint::unblock_peer, false},
    Row{"POST", "v1/messages", Endpoint::send_message, true},
    Row{"GET", "v1/messages", Endpoint::list_messages, false},
    Row{"GET", "v1/messages/{}", Endpoint::trace_message, false},
    Row{"POST", "v1/messages/{}/retry", Endpoint::retry_message, false},
    Row{"GET", "v1/peers", Endpoint::list_peers, false},
    Row{"GET", "v1/peers/{}", Endpoint::show_peer, false},
    Row{"POST", "v1/probes", Endpoint::probe_peer, true},
    Row{"GET", "v1/bootstrap", Endpoint::bootstrap, false},
    Row{"POST", "v1/bootstrap/probe", Endpoint::probe_bootstrap, false},
    Row{"POST", "v1/lookups", Endpoint::look_up, true},
    Row{"GET", "v1/capabilities", Endpoint::list_capabilities, false},
    Row{"PUT", "v1/capabilities/{}", Endpoint::offer_capability, false},
    Row{"DELETE", "v1/capabilities/{}", Endpoint::withdraw_capability, false},
    Row{"PUT", "v1/relay", Endpoint::switch_relay_on, false},
    Row{"DELETE", "v1/relay", Endpoint::switch_relay_off, false},
    Row{"GET", "v1/partition", Endpoint::show_partition, false},
    Row{"GET", "v1/topics", Endpoint::list_topics, false},
    Row{"POST", "v1/topics/{}", Endpoint::publish, true},
    Row{"GET", "v1/registry", Endpoint::list_entries, false},
    Row{"GET", "v1/registry-conflicts", Endpoint::list_conflicts, false},
    Row{"PUT", "v1/registry/{}", Endpoint::put_entry, true},
    Row{"DELETE", "v1/registry/{}", Endpoint::remove_entry, false},
    Row{"GET", "v1/realms", Endpoint::list_realms, false},
    Row{"PUT", "v1/realms/{}", Endpoint::enter_realm, true},
    Row{"DELETE", "v1/realms/{}", Endpoint::leave_realm, false},
    Row{"POST", "v1/requests", Endpoint::ask, true},
    Row{"GET", "v1/requests", Endpoint::list_requests, false},
    Row{"POST", "v1/requests/{}/answer", Endpoint::answer_request, true},
    Row{"GET", "v1/inbox", Endpoint::read_inbox, false},
    Row{"POST", "v1/inbox/take", Endpoint::take_inbox, true},
    Row{"GET", "v1/events", Endpoint::events, false},
    Row{"GET", "metrics", Endpoint::metrics, false, true},
    Row{"GET", "healthz", Endpoint::health, false, true},
};

/// The wildcard's segment (empty if the row has none), or nothing if the path is another.
std::optional<std::string> match(std::string_view pattern, const std::vector<std::string>& segments) {
  std::string name;
  std::size_t i = 0;
  while (!pattern.empty()) {
    const auto slash = pattern.find('/');
    const auto part = pattern.substr(0, slash);
    pattern.remove_prefix(slash == std::string_view::npos ? pattern.size() : slash + 1);
    if (i == segments.size() || segments[i].empty()) return std::nullopt;
    if (part == "{}") {
      name = segments[i];
    } else if (part != segments[i]) {
      return std::nullopt;
    }
    ++i;
  }
  if (i != segments.size()) return std::nullopt;
  return name;
}

}  // namespace

std::variant<Route, Response> find_route(std::string_view method, const Target& target, Audience audience) {
  std::string allowed;
  for (const auto& row : kTable) {
    auto name = match(row.path, target.segments);
    if (!name || (audience == Audience::monitors && !row.for_monitors)) continue;
    if (row.method == method) return Route{row.endpoint, std::move(*name), row.has_body};
    if (!allowed.empty()) allowed += ", ";
    allowed += row.method;
  }
  if (allowed.empty()) return problem(Error{Errc::not_found, "there is nothing at this path"});
  auto response = problem(405, Error{Errc::unsupported, "this path allows only " + allowed});
  response.fields.emplace_back("Allow", allowed);
  return response;
}

}  // namespace ekiden::api
