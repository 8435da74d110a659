// Answers of the local API, and the one form that all its errors have.
//
// An error is application/problem+json (RFC 9457): {"type", "title", "status", "detail", "code"}. `detail` is the
// sentence for people; `code` is errc_name(), for programs; `type` is the code as a URN, so that it never pretends to
// be a page.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace ekiden::api {

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> fields;  ///< Beyond those that serialize() adds.
  std::string body;
};

/// The status code that fits an error of the node.
int http_status(Errc code);

/// "Not Found"; "Error" for a status that is not used here.
std::string_view status_text(int status);

Response problem(const Error& error);
/// With a status of its own, where HTTP has a better one than the code of the error.
Response problem(int status, const Error& error);

/// The bytes of the answer. `Cache-Control: no-store` and `X-Content-Type-Options: nosniff` always: what a node says to
/// its owner belongs in no cache and is nothing that a browser should guess about.
std::string serialize(const Response& response, bool keep_alive);

}  // namespace ekiden::api
