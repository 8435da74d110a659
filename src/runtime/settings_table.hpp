// Every setting, described once: reading, checking, writing and explaining ekiden.toml all come from this table.
//
// To add a setting, add one entry in settings_table.cpp. A key keeps its meaning for ever; units are part of its name.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "runtime/settings.hpp"

namespace ekiden::runtime {

template <class Value, class Outcome>
struct Access {
  Value (*get)(const Settings&);
  Outcome (*set)(Settings&, const Value&);
};
using IntegerAccess = Access<std::uint64_t, void>;
using TextAccess = Access<std::string, Status>;
using ListAccess = Access<std::vector<std::string>, Status>;

/// Exactly one of the three accesses is there.
struct Setting {
  std::string_view section;
  std::string_view key;
  std::string_view comment;  ///< one line: what it does, and what that means for the user
  std::uint64_t low = 0;     ///< bounds of an integer; `high` also of the length of a list
  std::uint64_t high = 0;
  const IntegerAccess* integer = nullptr;
  const TextAccess* text = nullptr;
  const ListAccess* list = nullptr;
};

/// In the order of the file; the settings of a section stand together.
std::span<const Setting> settings_table();
std::span<const std::string_view> settings_sections();

}  // namespace ekiden::runtime
