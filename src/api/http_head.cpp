// The grammar of a request head (api/http_request.hpp).
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "api/http_grammar.hpp"
#include "api/http_request.hpp"

namespace ekiden::api {
namespace {

using grammar::is_token;
using grammar::lower_case;
using grammar::take_until;
using grammar::trimmed;

using Refused = std::unexpected<HttpRefusal>;

Refused refuse(int status, Errc code, std::string message) {
  return Refused(HttpRefusal{status, Error{code, std::move(message)}});
}

Refused malformed(std::string message) { return refuse(400, Errc::malformed, std::move(message)); }

/// Visible characters, spaces, tabs, and bytes over 127, which are opaque (RFC 9110 section 5.5).
bool is_value_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

/// The next line without its CR LF. Bare CR and LF have been refused before.
std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find("\r\n");
  const auto line = rest.substr(0, end);
  rest.remove_prefix(std::min(rest.size(), end == std::string_view::npos ? rest.size() : end + 2));
  return line;
}

std::expected<void, HttpRefusal> read_request_line(std::string_view line, const HttpLimits& limits, RequestHead& head) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last)
    return malformed("the request line is not METHOD TARGET VERSION");
  const auto method = line.substr(0, first);
  const auto target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (!is_token(method)) return malformed("the method of the request line is not a token");
  if (version != "HTTP/1.1") {
    const bool known_form = version.starts_with("HTTP/") && version.size() == 8;
    return refuse(known_form ? 505 : 400, Errc::unsupported, "only HTTP/1.1 is spoken here");
  }
  if (target.size() > limits.max_target) return refuse(414, Errc::too_large, "the request target is too long");
  const auto visible = [](char c) { return c > 0x20 && c < 0x7f && c != '#'; };
  if (target.empty() || target.front() != '/' || !std::ranges::all_of(target, visible)) {
    return malformed("the request target is not a path such as /v1/status");
  }
  head.method = method;
  head.target = target;
  return {};
}

/// Fields of which a second one would leave open which counts.
constexpr std::array<std::string_view, 10> kSingle = {
    "host",   "content-length", "transfer-encoding", "content-type",      "authorization",
    "origin", "expect",         "upgrade",           "sec-websocket-key", "sec-websocket-version",
};

std::expected<void, HttpRefusal> check_single(const RequestHead& head) {
  for (const auto name : kSingle) {
    const auto count = std::ranges::count(head.fields, name, &HttpField::name);
    if (count > 1) return malformed("the header field '" + std::string(name) + "' comes more than once");
  }
  return {};
}

std::expected<void, HttpRefusal> read_length(const std::string& value, const HttpLimits& limits, RequestHead& head) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (value.empty() || !std::ranges::all_of(value, digit)) return malformed("Content-Length is not a number");
  std::uint64_t length = 0;
  const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), length);
  if (failure != std::errc() || end != value.data() + value.size()) {
    return malformed("Content-Length is larger than any length can be");
  }
  if (length > limits.max_body) {
    return refuse(413, Errc::too_large, "the body is over the limit of " + std::to_string(limits.max_body) + " bytes");
  }
  head.content_length = length;
  return {};
}

std::expected<void, HttpRefusal> read_framing(const HttpLimits& limits, RequestHead& head) {
  const auto* length = head.find("content-length");
  const auto* coding = head.find("transfer-encoding");
  if (length != nullptr && coding != nullptr) {
    return malformed("Content-Length and Transfer-Encoding together leave the end of the body open");
  }
  if (coding != nullptr) {
    if (lower_case(*coding) != "chunked") return malformed("the only transfer coding understood here is 'chunked'");
    head.chunked = true;
  }
  if (length != nullptr) return read_length(*length, limits, head);
  return {};
}

std::expected<void, HttpRefusal> read_connection(RequestHead& head) {
  for (const auto& field : head.fields) {
    if (field.name != "connection" && field.name != "proxy-connection") continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const auto option = trimmed(take_until(rest, ','));
      if (!option.empty() && !is_token(option)) return malformed("'Connection' is not a list of options");
      if (field.name == "connection" && lower_case(option) == "close") head.keep_alive = false;
    }
  }
  if (const auto* expect = head.find("expect")) {
    if (lower_case(*expect) != "100-continue") {
      return refuse(417, Errc::unsupported, "the only expectation understood here is '100-continue'");
    }
    head.expects_continue = true;
  }
  return {};
}

}  // namespace

const std::string* RequestHead::find(std::string_view lower_case_name) const {
  const auto found = std::ranges::find(fields, lower_case_name, &HttpField::name);
  return found == fields.end() ? nullptr : &found->value;
}

std::expected<HttpField, HttpRefusal> parse_field_line(std::string_view line) {
  if (line.starts_with(' ') || line.starts_with('\t')) return malformed("a header field is folded over two lines");
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return malformed("a header field has no colon");
  const auto name = line.substr(0, colon);
  if (!is_token(name)) return malformed("the name of a header field is not a token");
  const auto value = trimmed(line.substr(colon + 1));
  if (!std::ranges::all_of(value, is_value_char)) {
    return malformed("the header field '" + lower_case(name) + "' contains a control character");
  }
  return HttpField{lower_case(name), std::string(value)};
}

std::expected<RequestHead, HttpRefusal> parse_request_head(std::string_view bytes, const HttpLimits& limits) {
  if (bytes.size() > limits.max_head) return refuse(431, Errc::too_large, "the head of the request is too large");
  if (!bytes.ends_with("\r\n\r\n")) return malformed("the head of the request has no end");
  RequestHead head;
  auto rest = bytes.substr(0, bytes.size() - 2);
  // A version that is not spoken, or a long target, is a clear refusal; what leaves the end of the request open counts
  // first, whoever it is for.
  auto line = read_request_line(take_line(rest), limits, head);
  if (!line && line.error().status == 400) return Refused(std::move(line).error());
  while (!rest.empty()) {
    const auto next = take_line(rest);
    if (next.empty()) return malformed("the head of the request has an empty line in its middle");
    if (head.fields.size() == limits.max_fields) return refuse(431, Errc::too_large, "too many header fields");
    auto field = parse_field_line(next);
    if (!field) return Refused(std::move(field).error());
    head.fields.push_back(std::move(*field));
  }
  if (auto single = check_single(head); !single) return Refused(std::move(single).error());
  if (auto framing = read_framing(limits, head); !framing) return Refused(std::move(framing).error());
  if (!line && line.error().status == 505 && head.chunked) {
    return malformed("Transfer-Encoding belongs to HTTP/1.1: in another version the end of the body is open");
  }
  if (!line) return Refused(std::move(line).error());
  if (auto connection = read_connection(head); !connection) return Refused(std::move(connection).error());
  return head;
}

}  // namespace ekiden::api
