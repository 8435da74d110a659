#include "runtime/toml.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "runtime/suggest.hpp"

namespace ekiden::runtime {

Result<toml::table> parse_toml(std::string_view text, std::string_view name, std::size_t max_size) {
  if (text.size() > max_size) {
    return fail(Errc::too_large, std::string(name) + " is larger than " + std::to_string(max_size) + " bytes");
  }
  try {
    return toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    return fail(Errc::malformed, std::string(name) + ":" + std::to_string(error.source().begin.line) + ": " +
                                     std::string(error.description()));
  }
}

std::unexpected<Error> TomlPlace::malformed(const std::string& what) const {
  return fail(Errc::malformed, std::string(file) + ":" + std::to_string(node->source().begin.line) + ": " + what);
}

Status check_keys(const toml::table& table, std::string_view file, std::string_view where,
                  std::span<const std::string_view> known) {
  for (const auto& [key, value] : table) {
    if (std::ranges::find(known, key.str()) != known.end()) continue;
    return fail(Errc::malformed, std::string(file) + ":" + std::to_string(key.source().begin.line) + ": " +
                                     std::string(where) + " has no key '" + std::string(key.str()) + "'" +
                                     suggestion(key.str(), known));
  }
  return {};
}

Result<std::string> read_text(TomlPlace place, std::string_view key) {
  const auto* value = place.node->as_string();
  if (value == nullptr) return place.malformed(std::string(key) + " must be a text in quotes");
  return value->get();
}

Result<std::uint64_t> read_integer(TomlPlace place, std::string_view key, std::uint64_t low, std::uint64_t high) {
  const auto* value = place.node->as_integer();
  if (value == nullptr || value->get() < 0 || static_cast<std::uint64_t>(value->get()) < low ||
      static_cast<std::uint64_t>(value->get()) > high) {
    return place.malformed(std::string(key) + " must be a whole number from " + std::to_string(low) + " to " +
                           std::to_string(high));
  }
  return static_cast<std::uint64_t>(value->get());
}

Result<std::vector<std::string>> read_texts(TomlPlace place, std::string_view key, std::size_t max_count) {
  const auto* list = place.node->as_array();
  if (list == nullptr || list->size() > max_count) {
    return place.malformed(std::string(key) + " must be a list of at most " + std::to_string(max_count) + " texts");
  }
  std::vector<std::string> texts;
  for (const toml::node& element : *list) {
    EKIDEN_ASSIGN(std::string text, read_text({place.file, &element}, std::string("each of ") + std::string(key)));
    texts.push_back(std::move(text));
  }
  return texts;
}

std::string toml_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04X", byte);
      out += escape;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string toml_list(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) out += (out.size() > 1 ? ", " : "") + toml_quoted(text);
  return out + "]";
}

}  // namespace ekiden::runtime
