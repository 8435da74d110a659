#include "cli/checks.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "base/uuid.hpp"
#include "realm/realm.hpp"

namespace ekiden::cli {
namespace {

std::string in_largest_unit(Duration duration) {
  constexpr std::array<std::pair<Duration, std::string_view>, 4> kUnits = {
      {{days(1), "d"}, {hours(1), "h"}, {minutes(1), "m"}, {seconds(1), "s"}}};
  for (const auto& [unit, name] : kUnits) {
    if (duration >= unit && duration % unit == Duration::zero()) {
      return std::to_string(duration / unit) + std::string(name);
    }
  }
  return std::to_string(duration / milliseconds(1)) + "ms";
}

}  // namespace

std::string range_text(const DurationRange& range) {
  return "from " + in_largest_unit(range.least) + " to " + in_largest_unit(range.most);
}

CLI::Option* at_most_bytes(CLI::Option* option, std::size_t max) {
  return option->check(CLI::Validator(
      [max](const std::string& text) {
        return text.size() <= max ? std::string() : "at most " + std::to_string(max) + " bytes";
      },
      ""));
}

CLI::Option* expect_uuid(CLI::Option* option) {
  return option->check(CLI::Validator(
      [](const std::string& text) {
        return Uuid::parse(text) ? std::string() : "not a UUID of version 4, like 6f0c5a52-5f0e-4d4b-9a57-2f9f1f2f3a77";
      },
      ""));
}

CLI::Option* expect_realm(CLI::Option* option) {
  return option->check(CLI::Validator(
      [](const std::string& text) {
        const Status named = realm::check_realm_name(text);
        return named ? std::string() : named.error().message;
      },
      ""));
}

}  // namespace ekiden::cli
