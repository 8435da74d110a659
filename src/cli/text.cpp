#include "cli/text.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "base/bytes.hpp"
#include "base/encoding.hpp"

namespace ekiden::cli {
namespace {

struct Unit {
  std::string_view name;
  Duration length;
};

/// "ms" before "m": the first that fits is taken.
constexpr std::array kUnits = {Unit{"ms", milliseconds(1)}, Unit{"s", seconds(1)}, Unit{"m", minutes(1)},
                               Unit{"h", hours(1)},         Unit{"d", days(1)},    Unit{"w", days(7)}};
constexpr Duration kLongest = days(3650);

std::optional<Duration> take_unit(std::string_view& rest) {
  for (const auto& unit : kUnits) {
    if (!rest.starts_with(unit.name)) continue;
    rest.remove_prefix(unit.name.size());
    return unit.length;
  }
  return std::nullopt;
}

std::string two_units(std::int64_t large, std::string_view large_name, std::int64_t small,
                      std::string_view small_name) {
  auto text = std::to_string(large) + " " + std::string(large_name);
  if (small > 0) text += " " + std::to_string(small) + " " + std::string(small_name);
  return text;
}

struct CodePoint {
  char32_t value = 0;
  std::size_t size = 0;  ///< 0: not UTF-8
};

CodePoint decode_first(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (size > text.size() || !is_utf8(as_bytes(text.substr(0, size)))) return {};
  if (size == 1) return {lead, 1};
  char32_t value = static_cast<char32_t>(lead & (0xff >> (size + 1)));
  for (std::size_t i = 1; i < size; ++i) value = value << 6 | (static_cast<unsigned char>(text[i]) & 0x3fu);
  return {value, size};
}

bool is_harmful(char32_t c) {
  constexpr std::array<std::pair<char32_t, char32_t>, 11> kRanges = {{
      {0x00, 0x1f},        // control characters, the escape among them
      {0x7f, 0x9f},        // delete and the second set of control characters
      {0xad, 0xad},        // soft hyphen
      {0x61c, 0x61c},      // Arabic letter mark
      {0x180e, 0x180e},    // Mongolian vowel separator
      {0x200b, 0x200f},    // zero width and direction marks
      {0x2028, 0x202e},    // line separators, embeddings, overrides
      {0x2060, 0x206f},    // invisible operators, isolates
      {0xfeff, 0xfeff},    // zero width no-break space
      {0xfff9, 0xfffb},    // annotations
      {0xe0000, 0xe007f},  // tags
  }};
  return std::ranges::any_of(kRanges, [c](const auto& range) { return c >= range.first && c <= range.second; });
}

std::string hex(char32_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (; value > 0 || out.size() < 2; value >>= 4) out.insert(out.begin(), kDigits[value & 15]);
  return out;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  const auto wrong =
      fail(Errc::invalid_argument, "'" + std::string(text) + "' is no duration; say 90s, 30m, 12h or 7d");
  Duration total{};
  if (text.empty()) return wrong;
  for (auto rest = text; !rest.empty();) {
    std::int64_t number = 0;
    std::size_t digits = 0;
    while (digits < rest.size() && digits < 10 && rest[digits] >= '0' && rest[digits] <= '9') {
      number = number * 10 + (rest[digits++] - '0');
    }
    rest.remove_prefix(digits);
    const auto unit = take_unit(rest);
    if (digits == 0 || !unit) return wrong;
    const bool fits = number <= kLongest / *unit;
    if (fits) total += number * *unit;
    if (!fits || total > kLongest) {
      return fail(Errc::invalid_argument, "'" + std::string(text) + "' is longer than ten years");
    }
  }
  return total;
}

std::string human_duration(Duration duration) {
  const auto us = std::max<std::int64_t>(0, std::chrono::duration_cast<microseconds>(duration).count());
  const auto ms = us / 1000;
  const auto s = ms / 1000;
  if (us < 100) return std::to_string(us) + " us";  // Two programs on one machine: "0.0 ms" says nothing.
  if (ms < 10) return std::to_string(ms) + "." + std::to_string(us % 1000 / 100) + " ms";
  if (s < 1) return std::to_string(ms) + " ms";
  if (s < 10) {
    auto fraction = std::to_string(ms % 1000);
    fraction.insert(0, 3 - fraction.size(), '0');
    return std::to_string(s) + "." + fraction + " s";
  }
  if (s < 60) return std::to_string(s) + " s";
  if (s < 3600) return two_units(s / 60, "min", s % 60, "s");
  if (s < 86'400) return two_units(s / 3600, "h", s % 3600 / 60, "min");
  return two_units(s / 86'400, "d", s % 86'400 / 3600, "h");
}

std::string counted(std::uint64_t count, std::string_view singular) {
  auto digits = std::to_string(count);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits + " " + std::string(singular) + (count == 1 ? "" : "s");
}

std::string human_size(std::uint64_t bytes) {
  if (bytes < 1024) return counted(bytes, "byte");
  constexpr std::array<std::string_view, 4> kNames = {"KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  std::uint64_t scale = 1024;
  while (unit + 1 < kNames.size() && bytes / scale >= 1024) {
    scale *= 1024;
    ++unit;
  }
  return std::to_string(bytes / scale) + "." + std::to_string(bytes % scale * 10 / scale) + " " +
         std::string(kNames[unit]);
}

std::string safe_text(std::string_view text, bool keep_lines) {
  std::string out;
  while (!text.empty()) {
    const auto point = decode_first(text);
    const auto size = std::max<std::size_t>(point.size, 1);
    const bool kept = keep_lines && (point.value == '\n' || point.value == '\t') && point.size == 1;
    if (point.size == 0) {
      out += "\\x" + hex(static_cast<unsigned char>(text[0]));
    } else if (!kept && is_harmful(point.value)) {
      out += point.value < 0x80 ? "\\x" + hex(point.value) : "\\u{" + hex(point.value) + "}";
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
  return out;
}

std::string reason_at(std::string_view endpoint, std::string_view message) {
  const std::string name = std::string(endpoint) + ": ";
  std::string reason(message);
  for (auto at = reason.find(name); at != std::string::npos; at = reason.find(name, at)) reason.erase(at, name.size());
  return reason;
}

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace ekiden::cli
