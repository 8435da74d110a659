#include "runtime/http_head.hpp"

// Before Boost 1.74, which uses std::exchange without including it.
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <utility>

namespace ekiden::runtime {
namespace {

namespace http = boost::beast::http;
using http::field;

constexpr std::size_t kMaxQuoted = 100;
constexpr unsigned kHttpVersion = 11;
constexpr std::size_t kKeySize = 24;  ///< 16 bytes in Base64

/// Text from outside for an error: printable ASCII, and not too much of it.
std::string printable(std::string_view text) {
  std::string out(text.substr(0, kMaxQuoted));
  for (char& c : out) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return out;
}

/// Beast's parser over a whole head; `what` is a request_parser or a response_parser.
template <class Parser>
bool parse(Parser& parser, std::string_view head) {
  parser.header_limit(kMaxHead);
  parser.skip(true);
  parser.eager(false);
  boost::beast::error_code failure;
  const std::size_t used = parser.put(boost::asio::buffer(head.data(), head.size()), failure);
  return !failure && used == head.size() && parser.is_header_done();
}

/// Beast joins a line that begins with a blank to the one before; others take it for a field of its own.
bool has_folded_line(std::string_view head) {
  return head.find("\r\n ") != std::string_view::npos || head.find("\r\n\t") != std::string_view::npos;
}

template <class Fields>
std::string_view value_of(const Fields& fields, field name) {
  const auto value = fields[name];
  return {value.data(), value.size()};
}

/// The field may come in several lines, each a list.
template <class Fields>
bool lists(const Fields& fields, field name, std::string_view token) {
  const auto lines = fields.equal_range(name);
  return std::any_of(lines.first, lines.second, [&](const auto& line) {
    return http::token_list{line.value()}.exists({token.data(), token.size()});
  });
}

bool is_websocket(std::string_view value) { return boost::beast::iequals({value.data(), value.size()}, "websocket"); }

/// Fields of which a second one would leave open which counts.
constexpr std::array kSingle = {field::host, field::upgrade, field::sec_websocket_key, field::sec_websocket_version};

bool is_websocket_key(std::string_view key) {
  if (key.size() != kKeySize || !key.ends_with("==")) return false;
  ByteArray<kKeySize> decoded;
  return EVP_DecodeBlock(decoded.data(), reinterpret_cast<const Byte*>(key.data()), kKeySize) > 0;
}

std::string_view status_text(unsigned status) {
  const auto text = http::obsolete_reason(static_cast<http::status>(status));
  return {text.data(), text.size()};
}

/// "403 Forbidden" of an answer.
template <class Response>
std::string status_line(const Response& response) {
  const auto reason = response.reason();
  return std::to_string(response.result_int()) + " " + printable({reason.data(), reason.size()});
}

}  // namespace

Result<std::size_t> HeadCollector::take(ByteView bytes) {
  std::size_t used = 0;
  for (const Byte byte : bytes) {
    ++used;
    if ((byte == '\n') != text_.ends_with('\r')) return fail(Errc::malformed, "a line does not end in CR LF");
    if (text_.size() == kMaxHead) {
      return fail(Errc::too_large, "the head is larger than " + std::to_string(kMaxHead) + " bytes");
    }
    text_.push_back(static_cast<char>(byte));
    if (byte == '\n' && text_.ends_with("\r\n\r\n")) {
      whole_ = true;
      break;
    }
  }
  return used;
}

void HeadCollector::clear() {
  text_ = {};
  whole_ = false;
}

std::string to_base64(ByteView bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<Byte*>(out.data()), bytes.data(), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::expected<std::string, Refusal> read_upgrade_request(std::string_view head) {
  const auto refuse = [](unsigned status, std::string why) { return std::unexpected(Refusal{status, std::move(why)}); };
  http::request_parser<http::empty_body> parser;
  if (has_folded_line(head)) return refuse(400, "a header field is folded over two lines");
  if (!parse(parser, head)) return refuse(400, "this is not a request of HTTP/1.1");
  const auto& request = parser.get();
  if (request.version() != kHttpVersion) return refuse(400, "only HTTP/1.1 is spoken here");
  if (request.count(field::transfer_encoding) > 0 || request.count(field::content_length) > 0) {
    return refuse(400, "a request for a WebSocket has no body, and does not say how long it is");
  }
  for (const field name : kSingle) {
    if (request.count(name) > 1) return refuse(400, "a header field that must come once comes again");
  }
  if (request.count(field::host) != 1) return refuse(400, "the Host field is missing");
  const auto target = request.target();
  if (std::string_view(target.data(), target.size()) != kWebSocketPath) {
    return refuse(404, "there is nothing here; an Ekiden node answers at " + std::string(kWebSocketPath));
  }
  if (request.method() != http::verb::get) return refuse(405, "ask with GET");
  const std::string_view key = value_of(request, field::sec_websocket_key);
  if (!is_websocket(value_of(request, field::upgrade)) || !lists(request, field::connection, "upgrade") ||
      value_of(request, field::sec_websocket_version) != "13") {
    return refuse(426, "an Ekiden node is reached over a WebSocket of version 13");
  }
  if (!is_websocket_key(key)) return refuse(400, "Sec-WebSocket-Key is not 16 bytes in Base64");
  return std::string(key);
}

std::string refusal_answer(const Refusal& refusal) {
  std::string out = "HTTP/1.1 " + std::to_string(refusal.status) + " " + std::string(status_text(refusal.status));
  if (refusal.status == 426) out += "\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13";
  if (refusal.status == 405) out += "\r\nAllow: GET";
  out += "\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ";
  return out + std::to_string(refusal.why.size() + 1) + "\r\n\r\n" + refusal.why + "\n";
}

Status check_upgrade_answer(std::string_view head) {
  http::response_parser<http::empty_body> parser;
  if (!parse(parser, head)) return fail(Errc::malformed, "what answers does not speak HTTP/1.1");
  const auto& response = parser.get();
  if (response.result() != http::status::switching_protocols) {
    return fail(Errc::unreachable, "it answered \"" + status_line(response) + "\" to the request for a WebSocket at " +
                                       std::string(kWebSocketPath) + ": no Ekiden node is reached there");
  }
  if (response.count(field::sec_websocket_extensions) > 0 || response.count(field::sec_websocket_protocol) > 0) {
    return fail(Errc::malformed,
                "it agreed to a WebSocket with an extension or a sub-protocol, which nobody asked for");
  }
  return {};
}

std::string connect_request(std::string_view authority, const std::optional<std::string>& credentials) {
  std::string out = "CONNECT ";
  out.append(authority).append(" HTTP/1.1\r\nHost: ").append(authority).append("\r\nUser-Agent: ekiden\r\n");
  if (credentials) out.append("Proxy-Authorization: Basic ").append(to_base64(as_bytes(*credentials))).append("\r\n");
  return out.append("\r\n");
}

Status check_connect_answer(std::string_view head, bool with_credentials) {
  http::response_parser<http::empty_body> parser;
  if (!parse(parser, head)) return fail(Errc::malformed, "does not speak HTTP/1.1");
  const auto& response = parser.get();
  if (response.result() == http::status::proxy_authentication_required) {
    return fail(Errc::refused, with_credentials ? "does not accept the name and password that its URL holds"
                                                : "asks for a name and a password: write them into its URL, as in "
                                                  "http://name:password@proxy.example:3128");
  }
  if (http::to_status_class(response.result_int()) == http::status_class::successful) return {};
  return fail(Errc::unreachable, "answered \"" + status_line(response) + "\"");
}

}  // namespace ekiden::runtime
