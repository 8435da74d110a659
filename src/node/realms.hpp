// What a node holds of registries, and of the realms that it is in.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"
#include "node/in_flight.hpp"
#include "node/input.hpp"
#include "realm/members.hpp"
#include "realm/realm.hpp"
#include "registry/registry.hpp"
#include "store/batch.hpp"

namespace ekiden::node {

/// A replica, and what is under way with it.
struct HeldRegistry {
  std::unique_ptr<registry::Registry> registry;  ///< null until there is something in it or somebody asks
  bool is_member = false;                        ///< others that hold it are looked for; then there is a registry
  bool is_read = false;                          ///< its user has looked at it, since the start
  std::map<std::string, std::string> own;        ///< names of ours that are shown, and the capability of each
  Bytes listed_record;                           ///< ours, as it was put last
  std::map<store::PersistToken, RequestId> pending;
  registry::Effects out{OutboxUse::seldom};

  registry::RegistryStatus status(std::size_t neighbours) const {
    if (registry) return registry->status();
    return {.neighbours = neighbours};
  }
};

/// What registries want of links.
struct RegistryLinks {
  std::map<identity::PeerId, std::size_t> wants;  ///< by how many of them
  std::set<identity::PeerId> bad_records;         ///< of whom what stands there as their records is none
  std::vector<identity::PeerId> seeks;            ///< lost members that are dialled; the oldest first
};

struct HeldRealm {
  realm::Realm realm;
  Stay stay{};
  std::vector<Bytes> unread;  ///< names of its rows, on a node that holds no replicas
  HeldRegistry registry;
};

struct Realms {
  Realms(const identity::PeerId& self, Rng random) : members(self), rng(std::move(random)) {}

  realm::Members members;
  Rng rng;  ///< for keys and registries
  std::map<std::string, HeldRealm> held;
  std::uint32_t last_stay = 0;
  std::vector<Bytes> orphans;  ///< names of rows of realms that were left while this node held no replicas
  realm::Effects out{OutboxUse::seldom};
  std::set<identity::PeerId> unheard;  ///< linked peers whose link had no room for a hello …
  std::optional<Instant> hello_at;     ///< … to whom it is said again then

  std::optional<Instant> deadline() const {
    std::optional<Instant> at = hello_at;
    for (const auto& [name, held_realm] : held) {
      if (held_realm.registry.registry) at = earlier(at, held_realm.registry.registry->deadline());
    }
    return at;
  }
  bool is_settled() const {
    if (!out.empty()) return false;
    for (const auto& [name, held_realm] : held) {
      if (!held_realm.registry.out.empty()) return false;
    }
    return true;
  }
};

}  // namespace ekiden::node
