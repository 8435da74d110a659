// Which request goes where: the table of the local API, version 1.
//
// A path that is not in the table is 404; a path with another method is 405 and says which are allowed. GET never
// changes anything (a page can make a browser GET, and caches and previews repeat it), so everything that does is POST,
// PUT or DELETE. A new endpoint is one line in routes.cpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "api/http_response.hpp"
#include "api/http_target.hpp"

namespace ekiden::api {

enum class Endpoint {
  status,
  identity,
  list_contacts,
  add_contact,
  show_contact,
  change_contact,
  remove_contact,
  list_contact_requests,
  accept_contact,
  list_blocked,
  block_peer,
  unblock_peer,
  send_message,
  list_messages,
  trace_message,
  retry_message,
  list_peers,
  show_peer,
  probe_peer,
  bootstrap,
  probe_bootstrap,
  look_up,
  list_capabilities,
  offer_capability,
  withdraw_capability,
  switch_relay_on,
  switch_relay_off,
  show_partition,
  list_topics,
  publish,
  list_entries,
  list_conflicts,
  put_entry,
  remove_entry,
  list_realms,
  enter_realm,
  leave_realm,
  ask,
  list_requests,
  answer_request,
  read_inbox,
  take_inbox,
  events,
  metrics,
  health,
};

/// Whom a server answers: the owner, who holds the token, or whoever looks after the machine.
enum class Audience { owner, monitors };

struct Route {
  Endpoint endpoint;
  std::string name;       ///< What stands for {...} in the path; empty if nothing does.
  bool has_body = false;  ///< The endpoint reads a JSON body; others refuse one.
};

/// The route, or the answer to give instead (404, 405). Monitors see only what names no one and changes nothing.
std::variant<Route, Response> find_route(std::string_view method, const Target& target,
                                         Audience audience = Audience::owner);

}  // namespace ekiden::api
