// Realms as an application sees them: named networks within the network, each with topics and a registry of its own.
#pragma once

#include <cstddef>
#include <string>

namespace ekiden {

struct Realm {
  std::string name;
  bool closed = false;      ///< entered with an invitation; of an open one the name is enough
  std::size_t members = 0;  ///< nodes in it that have a link with this one
  std::size_t entries = 0;  ///< of its registry
};

}  // namespace ekiden
