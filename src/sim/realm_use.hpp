// What the machines of a simulation do in a realm: who is in it, who was, and who tries to be.
#pragma once

#include <string>
#include <vector>

#include "sim/network.hpp"

namespace ekiden::sim {

struct RealmUse {
  struct Entry {
    HostIndex owner = 0;
    std::string name;
    bool is_late = false;  ///< put after the key was changed
    bool is_acknowledged = false;
  };
  struct Item {
    HostIndex publisher = 0;
    std::string text;
    bool is_late = false;
  };

  std::vector<HostIndex> members;  ///< that stay
  std::vector<HostIndex> removed;
  std::vector<HostIndex> intruders;
  std::vector<HostIndex> in_hall;  ///< one of each, in an open realm of theirs
  bool is_changed = false;         ///< the key
  std::vector<Entry> entries;
  std::vector<Item> items;
};

}  // namespace ekiden::sim
