// Who may use the local API: whoever holds the token, from this machine, and not by way of a web page.
//
// The API listens on loopback, where every program and every web page in a browser can connect. Three checks, made on
// every request and on the WebSocket upgrade alike, before anything else of the request is looked at:
//   - Host names loopback, or the address that was bound, and our port. Attack: DNS rebinding, where evil.example
//     resolves to 127.0.0.1 and the browser believes to talk to evil.example.
//   - Origin, if there is one, is our own. Attack: a page that posts to, or opens a WebSocket on, localhost; browsers
//     send the Origin and do not ask us before a WebSocket.
//   - The bearer token. Attack: another user of the machine. Compared in constant time.
//
// Pure: the token is given, not read. Source: RFC 9110 section 7.2, RFC 6454 section 7, RFC 6750 section 2.1.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/http_request.hpp"
#include "api/http_response.hpp"

namespace ekiden::api {

class AccessPolicy {
 public:
  /// `address` and `port`: those that were bound; an IPv6 address in brackets.
  AccessPolicy(std::string token, std::string address, std::uint16_t port)
      : token_(std::move(token)), address_(std::move(address)), port_(port) {}

  /// Nothing, or the answer to give instead.
  std::optional<Response> refuse(const RequestHead& head) const;

 private:
  bool is_own_authority(std::string_view authority) const;

  std::string token_;
  std::string address_;
  std::uint16_t port_;
};

}  // namespace ekiden::api
