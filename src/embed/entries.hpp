// Entries of the registry between the public types and those of the modules, and who watches them. Of the node's
// thread alone.
#pragma once

#include <ekiden/registry.hpp>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "registry/registry.hpp"
#include "runtime/host.hpp"

namespace ekiden::embed {

registry::Draft to_entry_draft(NewEntry entry);
/// All that match, each decoded.
std::vector<RegistryEntry> find_entries(const registry::Registry& registry, Now now, const RegistryQuery& query);

class Watcher final : public runtime::Listener {
 public:
  using Handler = std::function<void(const PeerId& owner, const std::string& name)>;

  void on_entry_changed(const node::EntryChanged& changed) override {
    const auto found = handlers_.find(changed.realm);
    if (found != handlers_.end()) found->second(PeerId{changed.owner.bytes}, changed.name);
  }
  /// In place of the one for this realm. An empty one ends it.
  void set(const std::string& realm, Handler handler) {
    if (handler) {
      handlers_[realm] = std::move(handler);
    } else {
      handlers_.erase(realm);
    }
  }

 private:
  std::map<std::string, Handler> handlers_;  ///< by realm
};

}  // namespace ekiden::embed
