// Reading HTTP/1.1 requests, strictly: bytes in, one request at a time out.
//
// Inputs: feed(), with bytes as they come from the socket, in pieces of any size. Outputs: the head as soon as it is
// complete (so that a server can refuse a request before it takes a byte of its body), then the body. Timers: none; the
// connection owns the deadlines. Bounds: HttpLimits; memory is at most the head, the body and one chunk line.
//
// Rules and their reasons. Two programs that read the same bytes as different requests are what request smuggling is
// made of, so whatever can be read in two ways is refused, and after a refusal the connection cannot be used again:
//   - lines end in CR LF, never in a bare LF or CR;
//   - at most one Content-Length, of digits alone; never together with Transfer-Encoding; the only coding is "chunked";
//   - no white space before the colon of a field, no folded fields, no control characters in values;
//   - fields that decide something (Host, Origin, Authorization ...) come once;
//   - only HTTP/1.1, only origin-form targets ("/v1/status"): there is no proxy here. What is wrong with the framing is
//     said first, for whatever version or target, and a coding in another version is wrong (RFC 9112 section 6.1);
//   - chunk sizes are hexadecimal digits; extensions are checked and dropped, trailers are bounded and dropped (a
//     trailer that could change a field already acted upon is an old trick).
//
// Source: RFC 9110 sections 5 and 10, RFC 9112 sections 2 to 7 and 11.2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ekiden::api {

struct HttpLimits {
  std::size_t max_head = 8 * 1024;   ///< Request line and fields, with all line ends.
  std::size_t max_body = 64 * 1024;  ///< After decoding.
  std::size_t max_target = 4 * 1024;
  std::size_t max_fields = 64;
  std::size_t max_chunk_line = 256;       ///< A chunk size with its extensions.
  std::size_t max_chunk_overhead = 8192;  ///< All chunk lines and trailers of one body.
};

struct HttpField {
  std::string name;   ///< Lower case.
  std::string value;  ///< Without surrounding white space.
};

struct RequestHead {
  std::string method;
  std::string target;
  std::vector<HttpField> fields;  ///< In the order in which they came.
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool keep_alive = true;         ///< False if the client said "Connection: close".
  bool expects_continue = false;  ///< The client waits for "100 Continue" before it sends the body.

  /// nullptr if there is none; the first if there are several.
  const std::string* find(std::string_view lower_case_name) const;
  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
};

/// What to answer to a request that cannot be read. The connection must be closed after it.
struct HttpRefusal {
  int status = 400;
  Error error;
};

/// One line "Name: value" without its line end.
std::expected<HttpField, HttpRefusal> parse_field_line(std::string_view line);

/// Reads the head alone: everything up to and with the empty line. Pure; RequestReader calls it.
std::expected<RequestHead, HttpRefusal> parse_request_head(std::string_view head, const HttpLimits& limits);

class RequestReader {
 public:
  enum class State {
    head,    ///< Waiting for the rest of the head.
    ready,   ///< The head is complete; the body has not been asked for. feed() takes nothing until read_body().
    body,    ///< Waiting for the rest of the body.
    done,    ///< The whole request is here. feed() takes nothing until next().
    failed,  ///< See refusal(). For good.
  };

  explicit RequestReader(HttpLimits limits) : limits_(limits) {}

  /// Takes bytes and returns how many it took: all of them, unless the state changed to one that takes none. What is
  /// left belongs to the next state, or to the next request (pipelining).
  std::size_t feed(ByteView bytes);

  /// From `ready` to `body`, or to `done` if the request has none. REQUIRES: state() == ready.
  void read_body();

  /// From `done` to `head`, for the next request on the connection. REQUIRES: state() == done.
  void next();

  State state() const { return state_; }
  /// True if not a byte of the next request has come.
  bool idle() const { return state_ == State::head && buffer_.empty(); }
  const RequestHead& head() const { return head_; }
  const std::string& body() const { return body_; }
  /// REQUIRES: state() == failed.
  const HttpRefusal& refusal() const { return refusal_; }

 private:
  enum class Chunk { size_line, data, data_end, trailers };

  std::size_t feed_head(std::string_view bytes);
  std::size_t feed_sized(std::string_view bytes);
  std::size_t feed_chunked(std::string_view bytes);
  std::size_t feed_chunk_data(std::string_view bytes);
  bool take_line_byte(char byte, std::size_t max_line);
  void on_chunk_line();
  void fail_with(int status, Errc code, std::string message);

  HttpLimits limits_;
  State state_ = State::head;
  std::string buffer_;  ///< The head, or the line of a chunk, so far.
  RequestHead head_;
  std::string body_;
  Chunk chunk_ = Chunk::size_line;
  std::uint64_t remaining_ = 0;  ///< Of the body or of the chunk; of its line end in data_end.
  std::size_t overhead_ = 0;
  HttpRefusal refusal_;
};

}  // namespace ekiden::api
