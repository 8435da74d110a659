// Entries of the registry between the public types and those of the modules, and who watches them. Of the node's
// thread alone.
#pragma once

#include <ekiden/registry.hpp>
#include <functional>
#include <string>
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
    if (handler_) handler_(PeerId{changed.owner.bytes}, changed.name);
  }
  /// An empty one ends it. Whether there is one now.
  bool set(Handler handler) {
    handler_ = std::move(handler);
    return handler_ != nullptr;
  }

 private:
  Handler handler_;
};

}  // namespace ekiden::embed
