// The text forms of IP addresses: strict to read (RFC 4291 section 2.2), canonical to write (RFC 5952).
#include <array>
#include <optional>

#include "identity/address.hpp"

namespace ekiden::identity {
namespace {

constexpr std::size_t kGroups = 8;
using Groups = std::array<std::uint16_t, kGroups>;

std::unexpected<Error> not_an_address(std::string_view text) {
  // What is quoted may come from a peer: only characters that an address can have are repeated.
  std::string shown;
  for (const char c : text.substr(0, 45)) shown += c > 32 && c < 127 ? c : '?';
  return fail(Errc::malformed, "\"" + shown + "\" is not an IP address");
}

/// A number of 1 to 3 digits up to 255, without leading zeros.
std::optional<Byte> parse_octet(std::string_view text) {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value > 255) return std::nullopt;
  return static_cast<Byte>(value);
}

std::optional<ByteArray<4>> parse_v4(std::string_view text) {
  ByteArray<4> out{};
  for (std::size_t i = 0; i < 4; ++i) {
    const std::size_t dot = i < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos) return std::nullopt;
    const auto octet = parse_octet(text.substr(0, dot));
    if (!octet) return std::nullopt;
    out[i] = *octet;
    text.remove_prefix(i < 3 ? dot + 1 : dot);
  }
  return out;
}

std::optional<std::uint16_t> parse_group(std::string_view text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (!digit && !letter) return std::nullopt;
    value = value << 4 | static_cast<unsigned>(digit ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return static_cast<std::uint16_t>(value);
}

/// Reads groups separated by single colons into `out`, from its start; the last may be a dotted IPv4 address if
/// `allow_v4`. Returns how many groups there were, or nothing if the text is wrong. An empty text has none.
std::optional<std::size_t> parse_groups(std::string_view text, bool allow_v4, Groups& out) {
  std::size_t count = 0;
  while (!text.empty()) {
    const std::size_t colon = text.find(':');
    const std::string_view part = text.substr(0, colon);
    const bool last = colon == std::string_view::npos;
    if (last && allow_v4 && part.find('.') != std::string_view::npos) {
      const auto v4 = parse_v4(part);
      if (!v4 || count + 2 > kGroups) return std::nullopt;
      out[count++] = get_be<std::uint16_t>(ByteView(*v4).first(2));
      out[count++] = get_be<std::uint16_t>(ByteView(*v4).last(2));
      return count;
    }
    const auto group = parse_group(part);
    if (!group || count == kGroups) return std::nullopt;
    out[count++] = *group;
    if (last) return count;
    text.remove_prefix(colon + 1);
    if (text.empty()) return std::nullopt;  // A colon at the end.
  }
  return count;
}

std::optional<ByteArray<16>> parse_v6(std::string_view text) {
  Groups groups{};
  Groups tail{};
  const std::size_t gap = text.find("::");
  const bool has_gap = gap != std::string_view::npos;
  const auto before = parse_groups(text.substr(0, gap), !has_gap, groups);
  const auto after = parse_groups(has_gap ? text.substr(gap + 2) : std::string_view(), true, tail);
  if (!before || !after) return std::nullopt;
  const std::size_t count = *before + *after;
  // "::" stands for at least one group of zeros.
  if (has_gap ? count >= kGroups : count != kGroups) return std::nullopt;
  for (std::size_t i = 0; i < *after; ++i) groups[kGroups - *after + i] = tail[i];
  ByteArray<16> out{};
  for (std::size_t i = 0; i < kGroups; ++i) put_be(MutableBytes(out).subspan(2 * i, 2), groups[i]);
  return out;
}

std::string v4_text(ByteView bytes) {
  std::string out;
  for (const Byte byte : bytes) out += (out.empty() ? "" : ".") + std::to_string(byte);
  return out;
}

struct Run {
  std::size_t begin = 0;
  std::size_t size = 0;
};

/// The longest run of zero groups, the first of equals; a single zero is not shortened (RFC 5952 section 4.2).
Run longest_zero_run(const Groups& groups) {
  Run best;
  for (std::size_t i = 0; i < kGroups;) {
    std::size_t end = i;
    while (end < kGroups && groups[end] == 0) ++end;
    if (end - i > best.size) best = {i, end - i};
    i = end + 1;
  }
  return best.size >= 2 ? best : Run{};
}

std::string hex_group(std::uint16_t group) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (int shift = 12; shift >= 0; shift -= 4) {
    const auto digit = static_cast<std::size_t>(group >> shift & 15);
    if (digit != 0 || !out.empty() || shift == 0) out += kDigits[digit];
  }
  return out;
}

std::string v6_text(const ByteArray<16>& bytes) {
  Groups groups{};
  for (std::size_t i = 0; i < kGroups; ++i) groups[i] = get_be<std::uint16_t>(ByteView(bytes).subspan(2 * i, 2));
  const Run zeros = longest_zero_run(groups);
  std::string out;
  for (std::size_t i = 0; i < kGroups; ++i) {
    if (zeros.size > 0 && i == zeros.begin) {
      out += "::";
      i += zeros.size - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out += ':';
    out += hex_group(groups[i]);
  }
  return out;
}

}  // namespace

Result<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.find(':') == std::string_view::npos) {
    const auto bytes = parse_v4(text);
    if (!bytes) return not_an_address(text);
    return v4(*bytes);
  }
  const auto bytes = parse_v6(text);
  if (!bytes) return not_an_address(text);
  return v6(*bytes);
}

std::string IpAddress::text() const {
  const ByteView last_four = ByteView(bytes).last(4);
  if (family == Family::v4) return v4_text(last_four);
  return is_mapped() ? "::ffff:" + v4_text(last_four) : v6_text(bytes);
}

}  // namespace ekiden::identity
