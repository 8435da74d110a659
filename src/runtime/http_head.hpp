// The little HTTP of a WebSocket link: what is asked of a request for the upgrade, and CONNECT to a proxy.
//
// Pure functions of text. Boost.Beast reads the heads, and writes those of an upgrade (runtime/websocket.cpp); what it
// is lenient about, and what decides where a message ends, is judged here before and after it. Rationale: a front-end
// and we must not read one stream as two different sequences of requests (request smuggling). So there is one request
// on a connection, it has no body, nothing may follow it before the answer, and whatever is not that ends the
// connection.
//
// `Origin` is not looked at: it tells a server which web page asks, so that a browser's cookies are not abused. Here
// nothing depends on cookies or on where one comes from; Noise inside proves who it is, and a web page that connects
// has no key that would let it in.
//
// Bounds: HeadCollector holds at most kMaxHead bytes; texts from outside that go into errors are cut and made
// printable.
//
// Source: RFC 6455 sections 1.3 and 4, RFC 9112 sections 2 to 7, RFC 9110 section 9.3.6 (CONNECT), RFC 7617 (Basic).
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ekiden::runtime {

inline constexpr std::size_t kMaxHead = 8 * 1024;
/// The one place at which a node answers over HTTP.
inline constexpr std::string_view kWebSocketPath = "/ekiden/1";

/// Collects a head until its empty line. Lines that do not end in CR LF are refused at once: with a bare LF the end
/// would never come.
class HeadCollector {
 public:
  /// Takes what belongs to the head; returns how much that was. Errors: malformed, too_large.
  Result<std::size_t> take(ByteView bytes);
  bool whole() const { return whole_; }
  /// With the empty line. REQUIRES: whole().
  const std::string& text() const { return text_; }
  void clear();

 private:
  std::string text_;
  bool whole_ = false;
};

/// What is answered to a request that is not an upgrade; the connection ends with it.
struct Refusal {
  unsigned status = 400;
  std::string why;
};

/// Returns the client's key. Refusals: 400 (malformed, or ends in two possible places), 404 (another path), 405, 426
/// (not a WebSocket of version 13).
std::expected<std::string, Refusal> read_upgrade_request(std::string_view head);
std::string refusal_answer(const Refusal& refusal);
/// Whether the answer agrees to an upgrade, and to nothing that nobody asked for; to which is for Beast to see. Errors:
/// unreachable (another answer; says which), malformed.
Status check_upgrade_answer(std::string_view head);

/// `authority` is host:port; `credentials` name:password, if the proxy is to get any.
std::string connect_request(std::string_view authority, const std::optional<std::string>& credentials);
/// `with_credentials`: some were sent. Errors: refused (credentials are missing or wrong), unreachable (another
/// answer).
Status check_connect_answer(std::string_view head, bool with_credentials);

/// Standard alphabet, with padding.
std::string to_base64(ByteView bytes);

}  // namespace ekiden::runtime
