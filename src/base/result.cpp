#include "base/result.hpp"

#include <array>

namespace ekiden {
namespace {

constexpr std::array kNames = {
    std::string_view("invalid-argument"), std::string_view("not-found"),
    std::string_view("already-exists"),   std::string_view("malformed"),
    std::string_view("too-large"),        std::string_view("unauthenticated"),
    std::string_view("refused"),          std::string_view("limit-exceeded"),
    std::string_view("expired"),          std::string_view("timed-out"),
    std::string_view("unreachable"),      std::string_view("closed"),
    std::string_view("unsupported"),      std::string_view("busy"),
    std::string_view("storage-full"),     std::string_view("storage-failed"),
    std::string_view("storage-corrupt"),  std::string_view("internal"),
    std::string_view("failed"),
};
static_assert(kNames.size() == static_cast<std::size_t>(Errc::failed) + 1);

}  // namespace

std::string_view errc_name(Errc code) { return kNames[static_cast<std::size_t>(code)]; }

Errc errc_from_name(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Errc>(i);
  }
  return Errc::internal;
}

}  // namespace ekiden
