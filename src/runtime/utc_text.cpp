#include "runtime/utc_text.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>

namespace ekiden::runtime {
namespace {

std::string padded(std::int64_t number, std::size_t width) {
  const std::string digits = std::to_string(number);
  return std::string(width - std::min(width, digits.size()), '0') + digits;
}

/// Digits only, all of them.
std::optional<unsigned> number_at(std::string_view text, std::size_t at, std::size_t width) {
  unsigned value = 0;
  const char* begin = text.data() + at;
  const char* end = begin + width;
  const auto parsed = std::from_chars(begin, end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  return value;
}

std::optional<WallTime> read(std::string_view text) {
  constexpr std::string_view kWhole = "0000-00-00T00:00:00Z";
  constexpr std::string_view kFine = "0000-00-00T00:00:00.000Z";
  const std::string_view form = text.size() == kFine.size() ? kFine : kWhole;
  if (text.size() != form.size()) return std::nullopt;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (form[i] == '0' ? !digit : text[i] != form[i]) return std::nullopt;
  }
  const auto field = [&](std::size_t at, std::size_t width) { return number_at(text, at, width).value_or(0); };
  const std::chrono::year_month_day day(std::chrono::year(static_cast<int>(field(0, 4))),
                                        std::chrono::month(field(5, 2)), std::chrono::day(field(8, 2)));
  const unsigned hour = field(11, 2);
  const unsigned minute = field(14, 2);
  const unsigned second = field(17, 2);
  if (!day.ok() || field(0, 4) < 1970 || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const milliseconds since = std::chrono::sys_days(day).time_since_epoch() + hours(hour) + minutes(minute) +
                             seconds(second) + milliseconds(form == kFine ? field(20, 3) : 0);
  return WallTime(since);
}

}  // namespace

std::string utc_text(WallTime time) {
  const milliseconds since = from_unix_ms(to_unix_ms(time)).time_since_epoch();
  const auto day = std::chrono::floor<days>(since);
  const std::chrono::year_month_day date{std::chrono::sys_days(day)};
  const std::chrono::hh_mm_ss clock(since - day);
  std::string out = padded(int{date.year()}, 4) + "-" + padded(unsigned{date.month()}, 2) + "-" +
                    padded(unsigned{date.day()}, 2) + "T" + padded(clock.hours().count(), 2) + ":" +
                    padded(clock.minutes().count(), 2) + ":" + padded(clock.seconds().count(), 2);
  if (clock.subseconds().count() != 0) out += "." + padded(clock.subseconds().count(), 3);
  return out + "Z";
}

Result<WallTime> parse_utc(std::string_view text) {
  const auto time = read(text);
  if (!time) return fail(Errc::malformed, "a time must look like 2026-11-24T15:00:00Z");
  return *time;
}

}  // namespace ekiden::runtime
