#include "api/http_target.hpp"

#include <algorithm>

#include "api/http_grammar.hpp"
#include "base/bytes.hpp"
#include "base/encoding.hpp"

namespace ekiden::api {
namespace {

bool is_unreserved(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return c == '-' || c == '.' || c == '_' || c == '~';
}

Result<std::string> decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const int high = i + 1 < text.size() ? grammar::hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? grammar::hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return fail(Errc::malformed, "the target has a '%' without two hexadecimal digits");
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (!is_utf8(as_bytes(out)) || std::ranges::any_of(out, is_control)) {
    return fail(Errc::malformed, "the target decodes to something that is not plain UTF-8 text");
  }
  return out;
}

Status read_parameters(std::string_view query, Target& target) {
  while (!query.empty()) {
    auto pair = grammar::take_until(query, '&');
    if (pair.empty()) continue;
    if (target.parameters.size() == kMaxParameters) return fail(Errc::too_large, "the target has too many parameters");
    const auto name = grammar::take_until(pair, '=');
    EKIDEN_ASSIGN(auto decoded_name, decode(name));
    EKIDEN_ASSIGN(auto value, decode(pair));
    if (target.parameter(decoded_name) != nullptr) {
      return fail(Errc::malformed, "the parameter '" + decoded_name + "' comes more than once");
    }
    target.parameters.emplace_back(std::move(decoded_name), std::move(value));
  }
  return {};
}

}  // namespace

const std::string* Target::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters) {
    if (key == name) return &value;
  }
  return nullptr;
}

Result<Target> parse_target(std::string_view text) {
  Target target;
  auto path = grammar::take_until(text, '?');
  if (!path.starts_with('/')) return fail(Errc::malformed, "the target does not begin with '/'");
  while (path.starts_with('/')) {
    path.remove_prefix(1);
    if (target.segments.size() == kMaxSegments) return fail(Errc::too_large, "the target has too many segments");
    EKIDEN_ASSIGN(auto segment, decode(path.substr(0, path.find('/'))));
    path.remove_prefix(std::min(path.find('/'), path.size()));
    target.segments.push_back(std::move(segment));
  }
  EKIDEN_TRY(read_parameters(text, target));
  return target;
}

std::string escape_segment(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c)) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

}  // namespace ekiden::api
