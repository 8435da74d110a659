// Reading the answers of the API leniently: what is missing is empty. The node is ours; a newer one may say more, an
// older one less.
#pragma once

#include <cstdint>
#include <string>

#include "api/json.hpp"
#include "base/result.hpp"
#include "cli/text.hpp"

namespace ekiden::cli {

inline std::string text_of(const api::Json& json, const char* key) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  return json.is_object() && found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// 0 if it is negative. What was read from a text is kept as unsigned, what a command adds need not be.
inline std::uint64_t number_of(const api::Json& json, const char* key) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  if (!json.is_object() || found == json.end() || !found->is_number_integer()) return 0;
  const bool is_negative = !found->is_number_unsigned() && found->get<std::int64_t>() < 0;
  return is_negative ? 0 : found->get<std::uint64_t>();
}

inline bool flag_of(const api::Json& json, const char* key) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  return json.is_object() && found != json.end() && found->is_boolean() && found->get<bool>();
}

/// An empty list or object if there is none.
inline api::Json part_of(const api::Json& json, const char* key) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  return json.is_object() && found != json.end() ? *found : api::Json::array();
}

/// {"messages", "bytes"} for people.
inline std::string use_text(const api::Json& use) {
  return counted(number_of(use, "messages"), "message") + ", " + human_size(number_of(use, "bytes"));
}

/// Why the node did not find what it was asked for.
inline Error problem_of(const api::Json& answer) {
  const auto problem = part_of(answer, "problem");
  return {errc_from_name(text_of(problem, "code")), text_of(problem, "detail")};
}

/// The petname beside a peer if there is one, else its id.
inline std::string peer_of(const api::Json& json, const char* key, const char* name_key) {
  auto name = text_of(json, name_key);
  return name.empty() ? text_of(json, key) : name;
}

}  // namespace ekiden::cli
