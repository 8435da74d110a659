#include "cli/body.hpp"

#include <algorithm>

#include "api/base64.hpp"
#include "base/encoding.hpp"
#include "cli/input.hpp"
#include "cli/json_read.hpp"
#include "cli/text.hpp"
#include "router/envelope.hpp"

namespace ekiden::cli {

Result<std::string> read_body(const std::optional<std::string>& text, const std::string& file) {
  if (text && *text != "-") {
    if (text->size() <= router::kMaxBody) return *text;
    return fail(Errc::too_large, "the text is " + human_size(text->size()) + "; a message holds at most " +
                                     human_size(router::kMaxBody));
  }
  return read_input(text ? "-" : file, router::kMaxBody);
}

/// JSON escapes make some texts much longer; base64 always fits the API.
void put_body(api::Json& draft, const std::string& body) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
  const bool plain = is_utf8(as_bytes(body)) && body.size() <= router::kMaxBody &&
                     std::ranges::count_if(body, is_control) < 1024 && std::ranges::count(body, '"') < 4096 &&
                     std::ranges::count(body, '\\') < 4096;
  if (plain) {
    draft["body"] = body;
  } else {
    draft["body_base64"] = api::to_base64(as_bytes(body));
  }
}

std::string bytes_of(const api::Json& message) {
  if (message.contains("body")) return text_of(message, "body");
  const auto bytes = api::from_base64(text_of(message, "body_base64"));
  return bytes ? std::string(as_text(*bytes)) : std::string();
}

std::optional<std::string> text_body(const api::Json& message) {
  if (message.contains("body")) return text_of(message, "body");
  const auto bytes = api::from_base64(text_of(message, "body_base64"));
  if (!bytes || !is_utf8(*bytes)) return std::nullopt;
  return std::string(as_text(*bytes));
}

std::string describe_body(const Output& output, const api::Json& message) {
  auto kind = text_of(message, "content_type");
  if (kind.empty()) kind = "not text";
  return "(" + human_size(number_of(message, "size")) + ", " + output.text(kind) + "; --json shows it)";
}

Error with_remedy(Error error) {
  if (error.code == Errc::limit_exceeded) error.message += " (`ekiden outbox --state queued` shows what waits)";
  return error;
}

}  // namespace ekiden::cli
