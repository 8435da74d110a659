#include "api/http_request.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "api/http_grammar.hpp"
#include "base/check.hpp"

namespace ekiden::api {
namespace {

using grammar::hex_digit;

std::size_t name_length(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, grammar::is_token_char) - text.begin());
}

/// Length of a quoted string with its quotes (RFC 9110 section 5.6.4), 0 if it is not one.
std::size_t quoted_length(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '"') return i + 1;
    if (byte == '\\' && ++i == text.size()) return 0;
    const auto checked = static_cast<unsigned char>(text[i]);
    if ((checked < 0x20 && checked != '\t') || checked == 0x7f) return 0;
  }
  return 0;
}

/// chunk-ext without the "bad white space" that RFC 9112 section 7.1.1 asks nobody to send.
bool are_chunk_extensions(std::string_view rest) {
  while (!rest.empty()) {
    if (rest.front() != ';') return false;
    rest.remove_prefix(1);
    const auto name = name_length(rest);
    if (name == 0) return false;
    rest.remove_prefix(name);
    if (!rest.starts_with('=')) continue;
    rest.remove_prefix(1);
    const auto value = rest.starts_with('"') ? quoted_length(rest) : name_length(rest);
    if (value == 0) return false;
    rest.remove_prefix(value);
  }
  return true;
}

/// The size of a chunk line. Sizes over 32 bits are not even read: they are over every limit.
std::optional<std::uint64_t> parse_chunk_line(std::string_view line) {
  std::uint64_t size = 0;
  std::size_t digits = 0;
  while (digits < line.size() && hex_digit(line[digits]) >= 0) {
    size = size << 4 | static_cast<std::uint64_t>(hex_digit(line[digits]));
    if (size > 0xffff'ffff) return std::nullopt;
    ++digits;
  }
  if (digits == 0 || !are_chunk_extensions(line.substr(digits))) return std::nullopt;
  return size;
}

}  // namespace

std::size_t RequestReader::feed(ByteView bytes) {
  const auto text = as_text(bytes);
  if (state_ == State::head) return feed_head(text);
  if (state_ == State::body) return head_.chunked ? feed_chunked(text) : feed_sized(text);
  return 0;
}

void RequestReader::read_body() {
  CHECK(state_ == State::ready);
  remaining_ = head_.content_length.value_or(0);
  chunk_ = Chunk::size_line;
  overhead_ = 0;
  state_ = head_.has_body() ? State::body : State::done;
}

void RequestReader::next() {
  CHECK(state_ == State::done);
  // A connection may idle for a minute: it should not hold the memory of its largest request meanwhile.
  buffer_ = {};
  body_ = {};
  head_ = {};
  state_ = State::head;
}

// The end of a line is judged byte by byte and not once the head is complete: with a bare LF it would never be.
bool RequestReader::take_line_byte(char byte, std::size_t max_line) {
  const bool after_cr = !buffer_.empty() && buffer_.back() == '\r';
  if (after_cr != (byte == '\n')) {
    fail_with(400, Errc::malformed, "a line does not end in CR LF");
    return false;
  }
  if (buffer_.size() == max_line) {
    fail_with(state_ == State::head ? 431 : 400, Errc::too_large, "a line or the head of the request is too long");
    return false;
  }
  buffer_.push_back(byte);
  return true;
}

std::size_t RequestReader::feed_head(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size()) {
    if (!take_line_byte(bytes[used++], limits_.max_head)) return used;
    if (!buffer_.ends_with("\r\n\r\n") && buffer_ != "\r\n") continue;
    auto head = parse_request_head(buffer_, limits_);
    buffer_.clear();
    if (head) {
      head_ = std::move(*head);
      state_ = State::ready;
    } else {
      refusal_ = std::move(head).error();
      state_ = State::failed;
    }
    break;
  }
  return used;
}

std::size_t RequestReader::feed_sized(std::string_view bytes) {
  const auto take = std::min<std::uint64_t>(remaining_, bytes.size());
  body_.append(bytes.substr(0, take));
  remaining_ -= take;
  if (remaining_ == 0) state_ = State::done;
  return take;
}

std::size_t RequestReader::feed_chunk_data(std::string_view bytes) {
  const auto take = std::min<std::uint64_t>(remaining_, bytes.size());
  body_.append(bytes.substr(0, take));
  remaining_ -= take;
  if (remaining_ == 0) chunk_ = Chunk::data_end;
  return take;
}

std::size_t RequestReader::feed_chunked(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && state_ == State::body) {
    if (chunk_ == Chunk::data) {
      used += feed_chunk_data(bytes.substr(used));
      continue;
    }
    if (chunk_ == Chunk::data_end && bytes[used] != '\r' && bytes[used] != '\n') {
      fail_with(400, Errc::malformed, "a chunk is longer than it said");
      break;
    }
    if (++overhead_ > limits_.max_chunk_overhead) {
      fail_with(400, Errc::too_large, "the body is cut into too many chunks");
      break;
    }
    if (!take_line_byte(bytes[used++], limits_.max_chunk_line)) break;
    if (buffer_.ends_with("\r\n")) on_chunk_line();
  }
  return used;
}

/// What decides where a message or its connection ends (RFC 9110 section 6.5.1): whoever reads it behind the body reads
/// another request than we do.
constexpr std::array<std::string_view, 5> kNeverTrailers = {"connection", "content-length", "proxy-connection",
                                                            "transfer-encoding", "upgrade"};

void RequestReader::on_chunk_line() {
  const auto line = std::exchange(buffer_, {});
  const auto text = std::string_view(line).substr(0, line.size() - 2);
  if (chunk_ == Chunk::data_end) {
    chunk_ = Chunk::size_line;
    return;
  }
  if (chunk_ == Chunk::trailers) {
    if (text.empty()) {
      state_ = State::done;
    } else if (auto field = parse_field_line(text); !field) {
      refusal_ = std::move(field).error();
      state_ = State::failed;
    } else if (std::ranges::find(kNeverTrailers, field->name) != kNeverTrailers.end()) {
      fail_with(400, Errc::malformed, "'" + field->name + "' may not come behind the body");
    }
    return;
  }
  const auto size = parse_chunk_line(text);
  if (!size) return fail_with(400, Errc::malformed, "a chunk does not begin with its size in hexadecimal digits");
  if (*size > limits_.max_body - body_.size()) {
    return fail_with(413, Errc::too_large,
                     "the body is over the limit of " + std::to_string(limits_.max_body) + " bytes");
  }
  remaining_ = *size;
  chunk_ = *size == 0 ? Chunk::trailers : Chunk::data;
}

void RequestReader::fail_with(int status, Errc code, std::string message) {
  refusal_ = HttpRefusal{status, Error{code, std::move(message)}};
  state_ = State::failed;
}

}  // namespace ekiden::api
