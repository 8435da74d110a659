#include "base/encoding.hpp"

#include <algorithm>
#include <array>

#include "base/check.hpp"

namespace ekiden {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

/// The value of a hexadecimal digit, or -1.
constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The BIP-173 alphabet: no '1' (the separator), no 'b', 'i', 'o', which are misread.
constexpr std::string_view kBech32Alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::size_t kBech32ChecksumSize = 6;
constexpr std::size_t kBech32MaxSize = 1023;
constexpr std::uint32_t kBech32mConstant = 0x2bc830a3;

constexpr auto kBech32Values = [] {
  std::array<std::int8_t, 128> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < kBech32Alphabet.size(); ++i) {
    values[static_cast<unsigned char>(kBech32Alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}();

int bech32_value(char c) {
  const auto index = static_cast<unsigned char>(c);
  return index < kBech32Values.size() ? kBech32Values[index] : -1;
}

/// The BCH code of BIP-173, fed with five bits at a time.
class Bech32Checksum {
 public:
  explicit Bech32Checksum(std::string_view prefix) {
    for (const char c : prefix) feed(static_cast<std::uint32_t>(c) >> 5);
    feed(0);
    for (const char c : prefix) feed(static_cast<std::uint32_t>(c) & 31);
  }

  void feed(std::uint32_t five_bits) {
    constexpr std::array<std::uint32_t, 5> kGenerator = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    const std::uint32_t top = state_ >> 25;
    state_ = (state_ & 0x1ffffff) << 5 ^ five_bits;
    for (std::size_t i = 0; i < kGenerator.size(); ++i) {
      if ((top >> i & 1) != 0) state_ ^= kGenerator[i];
    }
  }

  std::uint32_t state() const { return state_; }

 private:
  std::uint32_t state_ = 1;
};

bool is_bech32_prefix(std::string_view prefix) {
  const auto allowed = [](char c) { return c >= 33 && c <= 126 && !(c >= 'A' && c <= 'Z'); };
  return !prefix.empty() && std::ranges::all_of(prefix, allowed);
}

/// Lower case, or malformed if both cases occur: BIP-173 refuses a mixture, since the checksum is over one of them.
Result<std::string> to_one_case(std::string_view text) {
  bool lower = false;
  bool upper = false;
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    lower = lower || (c >= 'a' && c <= 'z');
    upper = upper || (c >= 'A' && c <= 'Z');
    out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  if (lower && upper) return fail(Errc::malformed, "upper and lower case are mixed");
  return out;
}

/// Joins groups of five bits to bytes. What is left over must be less than a group, and zero, or the same bytes would
/// have several texts.
Result<Bytes> join_five_bits(std::string_view data) {
  Bytes out;
  out.reserve(data.size() * 5 / 8);
  std::uint32_t pending = 0;
  int bits = 0;
  for (const char c : data) {
    pending = pending << 5 | static_cast<std::uint32_t>(bech32_value(c));
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    out.push_back(static_cast<Byte>(pending >> bits));
    pending &= (1U << bits) - 1;
  }
  if (bits >= 5 || pending != 0) return fail(Errc::malformed, "the bits left over at the end are not padding");
  return out;
}

Status check_bech32m_data(std::string_view prefix, std::string_view data) {
  Bech32Checksum checksum(prefix);
  for (const char c : data) {
    const int value = bech32_value(c);
    if (value < 0) {
      const bool printable = c > 32 && c < 127;
      return fail(Errc::malformed, printable ? std::string("the character '") + c + "' cannot occur; a typing error?"
                                             : "a space or another character that cannot occur");
    }
    checksum.feed(static_cast<std::uint32_t>(value));
  }
  if (checksum.state() != kBech32mConstant) {
    return fail(Errc::malformed, "the checksum does not match: a typing error, or something is missing");
  }
  return {};
}

/// Bytes of the UTF-8 sequence at the start of `bytes` (RFC 3629 section 4), or 0 if it is not well-formed.
std::size_t utf8_sequence_size(ByteView bytes) {
  const Byte lead = bytes[0];
  if (lead < 0x80) return 1;
  const std::size_t size = lead >= 0xc2 && lead <= 0xdf ? 2 : lead >= 0xe0 && lead <= 0xef ? 3 : 4;
  if (lead < 0xc2 || lead > 0xf4 || bytes.size() < size) return 0;
  // The second byte has a narrower range after four of the leads: no overlong forms, no surrogates, no more than
  // U+10FFFF.
  const Byte low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const Byte high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (bytes[1] < low || bytes[1] > high) return 0;
  for (std::size_t i = 2; i < size; ++i) {
    if ((bytes[i] & 0xc0) != 0x80) return 0;
  }
  return size;
}

}  // namespace

std::string to_hex(ByteView bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const Byte byte : bytes) {
    out.push_back(kHexDigits[byte >> 4]);
    out.push_back(kHexDigits[byte & 15]);
  }
  return out;
}

Result<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return fail(Errc::malformed, "hexadecimal text has an odd number of digits");
  Bytes out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) {
      return fail(Errc::malformed,
                  "not a hexadecimal digit at position " + std::to_string(high < 0 ? i : i + 1) + " of the text");
    }
    out.push_back(static_cast<Byte>(high << 4 | low));
  }
  return out;
}

std::string to_bech32m(std::string_view prefix, ByteView bytes) {
  CHECK(is_bech32_prefix(prefix));
  Bech32Checksum checksum(prefix);
  std::string out(prefix);
  out.push_back('1');
  const auto put = [&](std::uint32_t five_bits) {
    checksum.feed(five_bits);
    out.push_back(kBech32Alphabet[five_bits]);
  };
  std::uint32_t pending = 0;
  int bits = 0;
  for (const Byte byte : bytes) {
    pending = (pending << 8 | byte) & 0xfff;
    for (bits += 8; bits >= 5;) {
      bits -= 5;
      put(pending >> bits & 31);
    }
  }
  if (bits > 0) put(pending << (5 - bits) & 31);
  for (std::size_t i = 0; i < kBech32ChecksumSize; ++i) checksum.feed(0);
  const std::uint32_t sum = checksum.state() ^ kBech32mConstant;
  for (int shift = 25; shift >= 0; shift -= 5) out.push_back(kBech32Alphabet[sum >> shift & 31]);
  CHECK(out.size() <= kBech32MaxSize);
  return out;
}

Result<Bytes> from_bech32m(std::string_view prefix, std::string_view text) {
  CHECK(is_bech32_prefix(prefix));
  if (text.size() > kBech32MaxSize) return fail(Errc::malformed, "the text is far too long");
  EKIDEN_ASSIGN(const std::string lower, to_one_case(text));
  const std::size_t separator = lower.rfind('1');
  if (separator == std::string::npos || std::string_view(lower).substr(0, separator) != prefix) {
    return fail(Errc::malformed, "it does not start with \"" + std::string(prefix) + "1\"");
  }
  const std::string_view data = std::string_view(lower).substr(separator + 1);
  if (data.size() < kBech32ChecksumSize) return fail(Errc::malformed, "it is cut off");
  EKIDEN_TRY(check_bech32m_data(prefix, data));
  return join_five_bits(data.substr(0, data.size() - kBech32ChecksumSize));
}

bool is_utf8(ByteView bytes) {
  while (!bytes.empty()) {
    const std::size_t size = utf8_sequence_size(bytes);
    if (size == 0) return false;
    bytes = bytes.subspan(size);
  }
  return true;
}

}  // namespace ekiden
