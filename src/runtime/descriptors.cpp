#include "runtime/descriptors.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <limits>

namespace ekiden::runtime {

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  // Where that is refused, fewer links fit; it is no reason not to start.
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

std::size_t descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return std::numeric_limits<std::size_t>::max();
  }
  return limit.rlim_cur;
}

bool fit_links(link::Config& config, std::size_t descriptors) {
  const std::size_t free = descriptors > kReservedDescriptors ? descriptors - kReservedDescriptors : 0;
  // Handshakes take a quarter at the most: they are short, and strangers make them.
  const std::size_t half_open = std::min(config.max_half_open, std::max<std::size_t>(free / 4, 1));
  const std::size_t links = std::min(config.max_links, std::max<std::size_t>(free - std::min(free, half_open), 1));
  const bool changed = half_open != config.max_half_open || links != config.max_links;
  config.max_half_open = half_open;
  config.max_links = links;
  return changed;
}

}  // namespace ekiden::runtime
