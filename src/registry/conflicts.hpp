// Conflicts: shared names that had several values at once, what became of them, and authors that equivocated.
//
// Inputs: what a name says after each change of it; entries with one stamp. Output: the list, for people.
//
// Bounds: max_conflicts; over that the one that changed longest ago goes, those that are settled first. Nothing of it
// is on disk: after a restart the list holds what is concurrent then.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "registry/shared.hpp"

namespace ekiden::registry {

struct Claim {
  identity::PeerId author;
  Stamp stamp;
  Bytes value;
};

enum class ConflictKind : std::uint8_t {
  concurrent,  ///< written by authors that had not seen each other
  equivocal,   ///< signed by one author with one stamp
};

struct Conflict {
  ConflictKind kind{};
  identity::PeerId owner;
  std::string name;
  WallTime since{};
  std::vector<Claim> claims;                ///< the one that is taken first
  std::optional<identity::PeerId> settled;  ///< who wrote after it had seen them all, or took the value that is shown
  WallTime changed{};
};

class Conflicts {
 public:
  explicit Conflicts(std::size_t max) : max_(max) {}

  /// `values` of a shared name, as View has them.
  void on_values(WallTime wall, const identity::PeerId& owner, const std::string& name,
                 const std::vector<Entry>& values);
  void on_equivocation(WallTime wall, const Entry& taken, const Entry& dropped);

  /// The one that changed last first.
  std::vector<Conflict> all() const;
  std::size_t open() const;

 private:
  using Key = std::pair<identity::PeerId, std::string>;

  void put(const Key& key, Conflict conflict);

  std::size_t max_;
  std::map<Key, Conflict> conflicts_;
};

}  // namespace ekiden::registry
