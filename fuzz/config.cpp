// The reader of ekiden.toml against the table of settings: what it takes is within the bounds that the table states,
// and is written and read back the same; what it refuses, it refuses with a place.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "runtime/settings.hpp"
#include "runtime/settings_table.hpp"

namespace {

using namespace ekiden;

constexpr std::string_view kName = "ekiden.toml";

void check_bounds(const runtime::Settings& settings) {
  for (const runtime::Setting& setting : runtime::settings_table()) {
    if (setting.integer != nullptr) {
      const std::uint64_t value = setting.integer->get(settings);
      CHECK(value >= setting.low && value <= setting.high);
    }
    if (setting.list != nullptr) CHECK(setting.list->get(settings).size() <= setting.high);
  }
}

void check_refusal(const Error& error) {
  CHECK(error.code == Errc::malformed || error.code == Errc::too_large);
  CHECK(error.message.starts_with(kName));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto settings = runtime::parse_settings(as_text({data, size}), kName);
  if (!settings) {
    check_refusal(settings.error());
    return 0;
  }
  check_bounds(*settings);
  const std::string text = runtime::settings_text(*settings);
  const auto again = runtime::parse_settings(text, kName);
  CHECK(again.has_value());
  CHECK(runtime::settings_text(*again) == text);
  return 0;
}
