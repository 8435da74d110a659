#include "node/own_capabilities.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.hpp"
#include "dht/key.hpp"
#include "node/signed_times.hpp"

namespace ekiden::node {
namespace {

/// Capabilities that find no room, after which no other is tried: there may be thousands.
constexpr std::size_t kMostRefused = 64;

/// Parts of paths: each is a key of the DHT under which we publish.
class Paths {
 public:
  explicit Paths(std::size_t most) : most_(most) {}

  /// False, and nothing is added, if there is no room.
  bool add(std::string_view capability) {
    const auto parts = dht::capability_paths(capability);
    const auto fresh = std::ranges::count_if(parts, [&](std::string_view part) { return !parts_.contains(part); });
    if (parts_.size() + static_cast<std::size_t>(fresh) > most_) return false;
    parts_.insert(parts.begin(), parts.end());
    return true;
  }

 private:
  std::size_t most_;
  std::set<std::string_view> parts_;
};

}  // namespace

bool OwnCapabilities::Standing::is(Reason reason) const {
  if (reason == Reason::offered) return offered;
  return reason == Reason::topic ? in_topic : entries > 0;
}

void OwnCapabilities::add(const std::string& capability, Reason reason) {
  Standing& standing = all_[capability];
  std::erase(ended_, capability);
  if (reason == Reason::offered) standing.offered = true;
  if (reason == Reason::topic) standing.in_topic = true;
  if (reason == Reason::entry) entries_changed_ |= ++standing.entries == 1;
}

void OwnCapabilities::remove(const std::string& capability, Reason reason) {
  const auto found = all_.find(capability);
  CHECK(found != all_.end() && found->second.is(reason));
  Standing& standing = found->second;
  if (reason == Reason::offered) standing.offered = false;
  if (reason == Reason::topic) standing.in_topic = false;
  if (reason == Reason::entry) entries_changed_ |= --standing.entries == 0;
  if (standing.has_reason()) return;
  if (standing.announced) ended_.push_back(capability);
  all_.erase(found);
}

bool OwnCapabilities::has(const std::string& capability, Reason reason) const {
  const auto found = all_.find(capability);
  return found != all_.end() && found->second.is(reason);
}

std::vector<std::string> OwnCapabilities::with(Reason reason) const {
  std::vector<std::string> names;
  for (const auto& [capability, standing] : all_) {
    if (standing.is(reason)) names.push_back(capability);
  }
  return names;
}

bool OwnCapabilities::is_announced(const std::string& capability) const {
  const auto found = all_.find(capability);
  return found != all_.end() && found->second.announced.has_value();
}

bool OwnCapabilities::fits(std::string_view capability) const {
  Paths paths(most_);
  for (const auto& [name, standing] : all_) {
    if (standing.offered) static_cast<void>(paths.add(name));
  }
  return paths.add(capability);
}

std::vector<OwnCapabilities::Due> OwnCapabilities::due(WallTime wall, milliseconds refresh) {
  std::vector<Due> due;
  for (std::string& capability : std::exchange(ended_, {})) due.push_back({std::move(capability), true});
  Paths paths(most_);
  for (const auto& [capability, standing] : all_) {
    if (standing.offered) static_cast<void>(paths.add(capability));
  }
  const auto needs_room = [](const Standing& standing) { return !standing.offered && !standing.in_topic; };
  for (auto& [capability, standing] : all_) {
    if (!needs_room(standing) || !standing.announced || paths.add(capability)) continue;
    standing.announced.reset();
    standing.holders = 0;
    due.push_back({capability, true});
  }
  std::size_t refused = 0;
  for (auto& [capability, standing] : all_) {
    auto& last = standing.announced;
    if (last && wall < *last + refresh && *last <= wall + kMaxAhead) continue;
    if (!last && needs_room(standing)) {
      if (refused == kMostRefused) continue;
      if (!paths.add(capability)) {
        ++refused;
        continue;
      }
    }
    last = wall;
    due.push_back({capability, false});
  }
  return due;
}

std::vector<std::string> OwnCapabilities::end() {
  std::vector<std::string> announced = std::exchange(ended_, {});
  for (auto& [capability, standing] : all_) {
    if (!std::exchange(standing.announced, std::nullopt)) continue;
    announced.push_back(capability);
  }
  return announced;
}

void OwnCapabilities::announce_again() {
  for (auto& [capability, standing] : all_) {
    if (standing.announced) standing.announced = WallTime();
  }
}

void OwnCapabilities::set_holders(const std::string& capability, std::size_t holders) {
  const auto found = all_.find(capability);
  if (found != all_.end()) found->second.holders = holders;
}

std::size_t OwnCapabilities::holders(const std::string& capability) const {
  const auto found = all_.find(capability);
  return found == all_.end() ? 0 : found->second.holders;
}

}  // namespace ekiden::node
