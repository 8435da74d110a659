// The referee of the registry: which entries were acknowledged, which of them were removed, and that every replica says
// the same of them.
//
// An entry whose put or removal was never answered may be there or not; one that was acknowledged is there, and one
// whose removal was acknowledged is not.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "registry/registry.hpp"
#include "sim/network.hpp"

namespace ekiden::sim {

class Services {
 public:
  struct Entry {
    HostIndex owner = 0;
    bool is_put = false;      ///< acknowledged
    bool is_taking = false;   ///< its removal was asked for
    bool is_removed = false;  ///< acknowledged
  };

  struct Totals {
    std::uint64_t put = 0;  ///< acknowledged
    std::uint64_t removed = 0;
    std::uint64_t healed_ms = 0;  ///< from the end of the split until all replicas were equal
  };

  /// The name of a new one.
  std::string add(HostIndex owner) {
    const std::string name = "service/" + std::to_string(entries_.size());
    entries_.emplace(name, Entry{.owner = owner});
    return name;
  }
  void acknowledged(const std::string& name) { entries_.at(name).is_put = true; }
  void removed(const std::string& name) { entries_.at(name).is_removed = true; }

  /// One that is there and shall be removed; empty if there is none.
  std::string take_any(Rng& rng) {
    std::vector<std::string> names;
    for (const auto& [name, entry] : entries_) {
      if (entry.is_put && !entry.is_taking) names.push_back(name);
    }
    if (names.empty()) return {};
    const std::string& name = names[rng.below(names.size())];
    entries_.at(name).is_taking = true;
    return name;
  }
  HostIndex owner_of(const std::string& name) const { return entries_.at(name).owner; }

  /// What a replica says wrong; empty if nothing. `ids`: of the hosts.
  std::string fault_of(const registry::Registry& replica, Now now, const std::vector<identity::PeerId>& ids) const {
    for (const auto& [name, entry] : entries_) {
      const bool is_there = replica.get(now, ids[entry.owner], name).has_value();
      if (is_there && entry.is_removed) return name + " was removed, and is back";
      if (!is_there && entry.is_put && !entry.is_taking) return name + " was acknowledged, and is lost";
    }
    return {};
  }

  Totals totals() const {
    Totals totals;
    for (const auto& [name, entry] : entries_) {
      totals.put += entry.is_put ? 1 : 0;
      totals.removed += entry.is_removed ? 1 : 0;
    }
    return totals;
  }

 private:
  std::map<std::string, Entry> entries_;
};

}  // namespace ekiden::sim
