#include "api/http_response.hpp"

#include <nlohmann/json.hpp>

namespace ekiden::api {

int http_status(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
    case Errc::malformed:
      return 400;
    case Errc::unauthenticated:
      return 401;
    case Errc::refused:
      return 403;
    case Errc::not_found:
      return 404;
    case Errc::already_exists:
    case Errc::busy:
      return 409;
    case Errc::expired:
      return 410;
    case Errc::too_large:
      return 413;
    case Errc::limit_exceeded:
      return 429;
    case Errc::failed:
      return 502;
    case Errc::unsupported:
      return 501;
    case Errc::closed:
    case Errc::unreachable:
      return 503;
    case Errc::timed_out:
      return 504;
    case Errc::storage_full:
      return 507;
    case Errc::storage_failed:
    case Errc::storage_corrupt:
    case Errc::internal:
      return 500;
  }
  return 500;
}

std::string_view status_text(int status) {
  switch (status) {
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Error";
  }
}

Response problem(const Error& error) { return problem(http_status(error.code), error); }

Response problem(int status, const Error& error) {
  const std::string code(errc_name(error.code));
  // Messages may quote what a client sent: whatever is not UTF-8 is replaced, never thrown about.
  const nlohmann::json body = {{"type", "urn:ekiden:problem:" + code},
                               {"title", std::string(status_text(status))},
                               {"status", status},
                               {"detail", error.message},
                               {"code", code}};
  Response response;
  response.status = status;
  response.content_type = "application/problem+json";
  response.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return response;
}

std::string serialize(const Response& response, bool keep_alive) {
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + " ";
  out += status_text(response.status);
  out += "\r\nServer: ekiden\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
  for (const auto& [name, value] : response.fields) out += name + ": " + value + "\r\n";
  if (!keep_alive) out += "Connection: close\r\n";
  if (response.status != 204) {
    out += "Content-Type: " + response.content_type + "\r\n";
    out += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
  }
  out += "\r\n";
  if (response.status != 204) out += response.body;
  return out;
}

}  // namespace ekiden::api
