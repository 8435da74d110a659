#include "gossip/publishers.hpp"

#include <utility>

#include "base/check.hpp"

namespace ekiden::gossip {
namespace {

constexpr std::size_t kRuns = 2;

}  // namespace

Novelty Publishers::judge(const identity::PeerId& publisher, std::uint64_t run, std::uint64_t sequence) const {
  const Publisher* known = publishers_.peek(publisher);
  if (known == nullptr) return Novelty::fresh;
  for (const Window& window : known->windows) {
    if (window.run != run) continue;
    if (sequence > window.highest) return Novelty::fresh;
    const std::uint64_t below = window.highest - sequence;
    if (below >= kWindow) return Novelty::stale;
    return window.seen[below] ? Novelty::repeated : Novelty::fresh;
  }
  const bool is_old = known->windows.size() == kRuns && run < known->windows.back().run;
  return is_old ? Novelty::stale : Novelty::fresh;
}

bool Publishers::spend(Now now, const identity::PeerId& publisher) {
  Publisher* known = publishers_.find(publisher);
  if (known == nullptr) known = &publishers_.put(publisher, {.windows = {}, .rate = flow::TokenBucket(rate_)});
  return known->rate.take(now.mono);
}

bool Publishers::blame(const identity::PeerId& publisher) {
  Publisher* known = publishers_.find(publisher);
  return known != nullptr && !std::exchange(known->is_blamed, true);
}

void Publishers::note(const identity::PeerId& publisher, std::uint64_t run, std::uint64_t sequence) {
  Publisher* known = publishers_.find(publisher);
  if (known == nullptr) known = &publishers_.put(publisher, {.windows = {}, .rate = flow::TokenBucket(rate_)});
  auto& windows = known->windows;
  auto window = std::ranges::find(windows, run, &Window::run);
  if (window == windows.end()) {
    const std::uint64_t first = sequence <= kWindow ? 1 : sequence;
    windows.push_back({.run = run, .first = first, .highest = sequence, .seen = {}});
    std::ranges::sort(windows, std::ranges::greater(), &Window::run);
    if (windows.size() > kRuns) windows.pop_back();
    window = std::ranges::find(windows, run, &Window::run);
    CHECK(window != windows.end());
  }
  if (sequence > window->highest) {
    const std::uint64_t by = sequence - window->highest;
    window->seen = by >= kWindow ? std::bitset<kWindow>() : window->seen << by;
    window->highest = sequence;
  }
  window->seen.set(window->highest - sequence);
}

/// From the lowest number that the window still tells of.
bool Publishers::Window::has_gap() const {
  const std::uint64_t span = std::min<std::uint64_t>(highest - std::min(first, highest) + 1, kWindow);
  for (std::uint64_t i = 0; i < span; ++i) {
    if (!seen[i]) return true;
  }
  return false;
}

bool Publishers::has_gap(const identity::PeerId& publisher) const {
  const Publisher* known = publishers_.peek(publisher);
  return known != nullptr && std::ranges::any_of(known->windows, &Window::has_gap);
}

std::vector<identity::PeerId> Publishers::with_gaps(std::size_t max) const {
  std::vector<identity::PeerId> found;
  for (const auto& [peer, publisher] : publishers_) {
    if (found.size() == max) break;
    if (std::ranges::any_of(publisher.windows, &Window::has_gap)) found.push_back(peer);
  }
  return found;
}

void Publishers::close_gaps() {
  std::vector<identity::PeerId> all;
  for (const auto& [publisher, entry] : publishers_) all.push_back(publisher);
  for (auto peer = all.rbegin(); peer != all.rend(); ++peer) {
    for (Window& window : publishers_.find(*peer)->windows) window.first = window.highest + 1;
  }
}

}  // namespace ekiden::gossip
