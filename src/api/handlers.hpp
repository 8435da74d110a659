// The handlers behind serve(), by the noun they are about, and what they share.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "api/json.hpp"
#include "api/service.hpp"
#include "runtime/utc_text.hpp"

namespace ekiden::api {

/// One request on its way through a handler. References live for the call only.
struct Call {
  Backend& backend;
  const Route& route;
  const Target& target;
  const std::string& body;
  const Respond& respond;
};

void handle_contacts(const Call& call);
void handle_first_contact(const Call& call);
void handle_messages(const Call& call);
void handle_peers(const Call& call);
void handle_capabilities(const Call& call);
void handle_reach(const Call& call);
void handle_inbox(const Call& call);
void handle_requests(const Call& call);
void handle_topics(const Call& call);
void handle_registry(const Call& call);
void handle_realms(const Call& call);

/// Why a message was not accepted. Where that is for want of room, when to try again: no sooner than some of those that
/// wait can be gone.
inline Response submit_problem(const Error& error) {
  Response response = problem(error);
  if (error.code == Errc::limit_exceeded) response.fields.emplace_back("Retry-After", "5");
  if (error.code == Errc::storage_full) response.fields.emplace_back("Retry-After", "30");
  return response;
}

/// A page of messages: as many as fit, and whether there is more. `found` holds one more than the limit, if there is.
Response message_page(const Call& call, const std::vector<router::ArrivedPtr>& found, std::size_t limit);

inline Response json_response(int status, const Json& json) {
  Response response;
  response.status = status;
  response.body = dump_json(json) + "\n";
  return response;
}

/// The peer that a person named, by petname or id. Errors quote what was said.
inline Result<identity::PeerId> resolve_peer(const identity::ContactBook& contacts, const std::string& named) {
  auto id = contacts.resolve(named);
  if (!id) return fail("'" + named + "'", std::move(id).error());
  return id;
}

/// A whole number among the parameters of the target, or `otherwise`. Errors: invalid_argument.
inline Result<std::uint64_t> number_parameter(const Target& target, std::string_view name, std::uint64_t otherwise,
                                              std::uint64_t max) {
  const auto* text = target.parameter(name);
  if (text == nullptr) return otherwise;
  std::uint64_t value = 0;
  const auto* end = text->data() + text->size();
  const auto [stopped, failure] = std::from_chars(text->data(), end, value);
  if (failure != std::errc() || stopped != end || value > max) {
    return fail(Errc::invalid_argument,
                "the parameter '" + std::string(name) + "' must be a whole number up to " + std::to_string(max));
  }
  return value;
}

/// A time among the parameters of the target, in the form in which answers give it. Errors: malformed.
inline Result<std::optional<WallTime>> time_parameter(const Target& target, std::string_view name) {
  const auto* text = target.parameter(name);
  if (text == nullptr) return std::nullopt;
  auto time = runtime::parse_utc(*text);
  if (!time) return fail("the parameter '" + std::string(name) + "'", std::move(time).error());
  return *time;
}

}  // namespace ekiden::api
