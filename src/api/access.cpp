#include "api/access.hpp"

#include "api/http_grammar.hpp"
#include "base/bytes.hpp"
#include "crypto/secret.hpp"

namespace ekiden::api {

bool AccessPolicy::is_own_authority(std::string_view authority) const {
  const auto lower = grammar::lower_case(authority);
  const auto port = std::to_string(port_);
  for (const std::string_view name : {std::string_view("127.0.0.1"), std::string_view("localhost"),
                                      std::string_view("[::1]"), std::string_view(address_)}) {
    if (name.empty()) continue;
    if (lower == std::string(name) + ":" + port) return true;
    if (port_ == 80 && lower == name) return true;
  }
  return false;
}

std::optional<Response> AccessPolicy::refuse(const RequestHead& head) const {
  const auto* host = head.find("host");
  if (host == nullptr) return problem(Error{Errc::malformed, "the request has no Host field"});
  if (!is_own_authority(*host)) {
    return problem(
        Error{Errc::refused,
              "Host must be 127.0.0.1, localhost, [::1] or the address in api.address, with the port of this API"});
  }
  if (const auto* origin = head.find("origin")) {
    constexpr std::string_view kScheme = "http://";
    if (!origin->starts_with(kScheme) || !is_own_authority(std::string_view(*origin).substr(kScheme.size()))) {
      return problem(Error{Errc::refused, "requests from web pages of other origins are not answered"});
    }
  }
  const auto* authorization = head.find("authorization");
  constexpr std::string_view kBearer = "bearer ";
  if (authorization != nullptr && authorization->size() > kBearer.size() &&
      grammar::lower_case(std::string_view(*authorization).substr(0, kBearer.size())) == kBearer) {
    const auto given = grammar::trimmed(std::string_view(*authorization).substr(kBearer.size()));
    if (crypto::equal_in_constant_time(as_bytes(given), as_bytes(token_))) return std::nullopt;
  }
  auto response = problem(Error{
      Errc::unauthenticated, "send 'Authorization: Bearer TOKEN' with the content of api.token of the data directory"});
  response.fields.emplace_back("WWW-Authenticate", "Bearer realm=\"ekiden\"");
  return response;
}

}  // namespace ekiden::api
