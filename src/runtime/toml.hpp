// TOML files, read strictly: sizes bounded, errors with file and line, unknown keys refused with a suggestion.
//
// The only header that includes toml++. Its exceptions end in toml.cpp.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace ekiden::runtime {

/// Errors: too_large, malformed ("ekiden.toml:3: ...").
Result<toml::table> parse_toml(std::string_view text, std::string_view name, std::size_t max_size);

/// One value or table with the file it stands in, for errors.
struct TomlPlace {
  std::string_view file;
  const toml::node* node = nullptr;  ///< never null where a function takes one

  /// "ekiden.toml:3: what", malformed.
  std::unexpected<Error> malformed(const std::string& what) const;
};

/// Every key of the table is one of `known`. `where` names the table in the error ("[network]", "a [[contact]]").
Status check_keys(const toml::table& table, std::string_view file, std::string_view where,
                  std::span<const std::string_view> known);

/// `key` stands in the errors. Each fails if the value has another type.
Result<std::string> read_text(TomlPlace place, std::string_view key);
Result<std::uint64_t> read_integer(TomlPlace place, std::string_view key, std::uint64_t low, std::uint64_t high);
Result<std::vector<std::string>> read_texts(TomlPlace place, std::string_view key, std::size_t max_count);

/// A TOML basic string with its quotes; everything that could end it or the line is escaped.
std::string toml_quoted(std::string_view text);
/// ["a", "b"]
std::string toml_list(const std::vector<std::string>& texts);

}  // namespace ekiden::runtime
