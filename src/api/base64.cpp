#include "api/base64.hpp"

#include <cstdint>

namespace ekiden::api {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string to_base64(ByteView bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = bytes.size() - i < 3 ? bytes.size() - i : 3;
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) group = group << 8 | (j < count ? bytes[i + j] : 0u);
    for (std::size_t j = 0; j < 4; ++j) {
      out.push_back(j <= count ? kAlphabet[group >> (18 - 6 * j) & 63] : '=');
    }
  }
  return out;
}

Result<Bytes> from_base64(std::string_view text) {
  const auto malformed = fail(Errc::malformed, "this is not base64 with its padding");
  if (text.size() % 4 != 0) return malformed;
  Bytes out;
  out.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    std::uint32_t group = 0;
    std::size_t padding = 0;
    for (const char c : text.substr(i, 4)) {
      const auto value = kAlphabet.find(c);
      if (c == '=') ++padding;
      if ((c == '=') != (padding > 0) || (c != '=' && value == std::string_view::npos)) return malformed;
      group = group << 6 | (c == '=' ? 0u : static_cast<std::uint32_t>(value));
    }
    const bool last = i + 4 == text.size();
    if (padding > 2 || (padding > 0 && !last)) return malformed;
    if ((padding == 1 && (group & 0xff) != 0) || (padding == 2 && (group & 0xffff) != 0)) return malformed;
    for (std::size_t j = 0; j < 3 - padding; ++j) out.push_back(static_cast<Byte>(group >> (16 - 8 * j)));
  }
  return out;
}

}  // namespace ekiden::api
