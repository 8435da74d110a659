// What each endpoint does, once it is known who asks and for what: one request in, one Response out.
//
// Answers come through the callback, on the loop's thread, before or after handle() returns; commands wait for the
// disk, queries do not. Input is a route, decoded parameters and a JSON body, all untrusted: every value is bounded
// here or by the engine that takes it. The events endpoint is not here: it is a WebSocket (api/event_connection.hpp).
//
// Bounds of answers: a page of the inbox holds at most kMaxPage messages and, if it holds more than one, at most
// kPageBytes of bodies; lists of outgoing messages at most kMaxPage.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "api/backend.hpp"
#include "api/http_response.hpp"
#include "api/routes.hpp"

namespace ekiden::api {

inline constexpr std::size_t kMaxPage = 256;
inline constexpr std::size_t kPageBytes = 1 << 20;
inline constexpr std::size_t kMaxTaken = 1024;  ///< Numbers in one take.

/// The parameter `realm`: which one a request about topics or the registry means; empty: none. Errors:
/// invalid_argument.
Result<std::string> realm_of(const Target& target);

using Respond = std::function<void(Response)>;

/// REQUIRES: route.endpoint is not events.
void serve(Backend& backend, const Route& route, const Target& target, const std::string& body, const Respond& respond);

}  // namespace ekiden::api
