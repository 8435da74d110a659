// Which names a person may give to a contact.
#include <algorithm>

#include "base/encoding.hpp"
#include "identity/contact.hpp"

namespace ekiden::identity {
namespace {

/// The next code point, removed from the text. REQUIRES: well-formed UTF-8, not empty.
char32_t take_code_point(std::string_view& text) {
  const auto lead = static_cast<Byte>(text[0]);
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const unsigned lead_bits = size == 1 ? 0x7f : 0xffU >> (size + 1);
  char32_t code = lead & lead_bits;
  for (std::size_t i = 1; i < size; ++i) code = code << 6 | (static_cast<Byte>(text[i]) & 0x3f);
  text.remove_prefix(size);
  return code;
}

/// Control characters, and those that are not seen or change the direction of writing: two names that look the same
/// could differ in them. Ranges of Unicode 15, categories Cc, Zl, Zp and the Cf that matter for one-line text.
bool is_disguising(char32_t code) {
  struct Range {
    char32_t first, last;
  };
  constexpr Range kRanges[] = {
      {0x0000, 0x001f}, {0x007f, 0x009f}, {0x00ad, 0x00ad}, {0x061c, 0x061c}, {0x180e, 0x180e},   {0x200b, 0x200f},
      {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
  };
  return std::ranges::any_of(kRanges, [code](Range range) { return code >= range.first && code <= range.last; });
}

bool is_space(char32_t code) {
  return code == 0x20 || code == 0xa0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x202f ||
         code == 0x205f || code == 0x3000;
}

/// A name like an id would make people trust the wrong thing, and commands that take either could not tell.
bool looks_like_id(std::string_view name) {
  return name.size() >= 3 && (name[0] | 0x20) == 'e' && (name[1] | 0x20) == 'k' && name[2] == '1';
}

}  // namespace

Status check_petname(std::string_view name) {
  if (!is_utf8(as_bytes(name))) return fail(Errc::invalid_argument, "the name is not UTF-8 text");
  if (looks_like_id(name)) return fail(Errc::invalid_argument, "a name must not start with \"ek1\", as ids do");
  std::size_t count = 0;
  bool space_at_start = false;
  bool space_at_end = false;
  for (std::string_view rest = name; !rest.empty(); ++count) {
    const char32_t code = take_code_point(rest);
    if (is_disguising(code)) {
      return fail(Errc::invalid_argument,
                  "the name has a control or invisible character at position " + std::to_string(count + 1));
    }
    space_at_end = is_space(code);
    if (count == 0) space_at_start = space_at_end;
  }
  if (count == 0) return fail(Errc::invalid_argument, "the name is empty");
  if (count > kMaxPetnameCharacters) {
    return fail(Errc::invalid_argument, "the name has " + std::to_string(count) + " characters, at most " +
                                            std::to_string(kMaxPetnameCharacters) + " are allowed");
  }
  if (space_at_start || space_at_end) return fail(Errc::invalid_argument, "the name starts or ends with a space");
  return {};
}

}  // namespace ekiden::identity
