// The nodes that discovery knows, and the caps on how many of them anybody can make it know.
//
// Inputs: nodes to admit, changes of them, nodes to remove. Outputs: whether there is room, and if not, which cap says
// so. No timers. Bounds: those of Config, below.
//
// Every node is charged to whoever named it first, until it is gone. It is *claimed* until a probe has reached it, and
// *proven* from then on:
//
//   cap                     on                                                        not charged
//   max_nodes               all
//   max_per_source          the nodes of one source of the configuration              nodes of lists of nodes
//   max_per_signer          the nodes that lists of one signer named                  seeds that nobody signed
//   max_per_prefix          in each /24 or /56: the proven, and the claims of each    configured nodes
//   max_per_domain            signer; the same for the last two labels of a name      configured nodes
//   max_per_depth           the nodes at one distance                                 configured nodes
//
// Attack: one liar, or one landlord of a network, fills the table with identities that cost him nothing, so that a
// newcomer joins through nobody else (eclipse), or has a newcomer dial a victim again and again. Addresses and domains
// cost money; that is why they are counted, and identities are not. A claim costs nothing either, so claims of one
// signer take no place from those of another: a liar who claims to know nodes in an honest network cannot keep the
// honest ones of it out.
//
// When the table or a distance is full, one claim gives way: the one of the signer that has the most, if that is more
// than the newcomer's signer has (liars with long lists displace each other, and nobody with a short one); in a full
// table also one that is farther away than the newcomer. To a configured node anything gives way that is not
// configured, the worst first.
//
// Invariants: every count equals the sum over the nodes; every cap holds.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/time.hpp"
#include "bootstrap/config.hpp"
#include "bootstrap/score.hpp"
#include "crypto/keys.hpp"
#include "identity/endpoint.hpp"
#include "identity/node_info.hpp"
#include "identity/peer_id.hpp"

namespace ekiden::bootstrap {

struct Entry {
  // What decides the charges: only NodeTable::change() writes these (of the standing: whether it was ever reached).
  std::vector<identity::Endpoint> endpoints;
  std::uint32_t depth = 0;
  std::string source = {};                      ///< Of the configuration; empty: none.
  std::optional<identity::PeerId> signer = {};  ///< Of the list that named it.
  std::vector<std::string> claimed = {};        ///< places_of() the endpoints with which it was named first.
  std::string place = {};                       ///< Where it was reached last; empty while it is a claim.
  Standing standing = {};

  std::optional<crypto::Ed25519PublicKey> public_key = {};
  std::optional<identity::SocketAddress> address = {};  ///< Where it was reached in this run.
  bool named_by_owner = false;  ///< Now or in an earlier run: it may have addresses that others may not name.
  bool up = false;              ///< The last probe of this run reached it.
  bool stored = false;          ///< There is a row of it.
  std::uint32_t failures = 0;   ///< In a row, for the back-off.
  std::uint32_t strikes = 0;    ///< In a row while this node was online.
  std::string last_error = {};
  std::size_t next_endpoint = 0;
  std::uint64_t list_sequence = 0;
  std::uint32_t bad_lists = 0;    ///< In a row.
  std::uint32_t lists_asked = 0;  ///< In this run.
  Instant list_due = Instant::min();
  bool list_asked = false;  ///< By the last probe.

  bool is_configured() const { return !source.empty(); }
};

class NodeTable {
 public:
  enum class Room { enough, source_full, signer_full, place_full, depth_full, table_full };

  explicit NodeTable(const Config& config) : config_(config) {}

  /// nullptr if it is not known. The pointer is valid until the node is removed.
  Entry* find(const identity::PeerId& node);
  const Entry* find(const identity::PeerId& node) const;

  /// Whether a new node like this would fit.
  Room room_for(const Entry& entry) const;
  /// After room_for() said depth_full or table_full: the node that gives way to `entry`, if there is one among those
  /// that are not busy.
  std::optional<identity::PeerId> giving_way(const Entry& entry, Room room,
                                             const std::function<bool(const identity::PeerId&)>& is_busy) const;
  /// REQUIRES: room_for(entry) is `enough`, the node is not known.
  Entry& insert(const identity::PeerId& node, Entry entry);
  void remove(const identity::PeerId& node);

  /// Changes what decides the charges, if the caps allow the node as it would be then; otherwise it stays as it is.
  template <class Change>
  Room change(const identity::PeerId& node, Change change) {
    Entry* entry = find(node);
    CHECK(entry != nullptr);
    Entry changed = *entry;
    change(changed);
    charge(*entry, Direction::off);
    const Room room = room_beside(changed);
    if (room == Room::enough) *entry = std::move(changed);
    charge(*entry, Direction::on);
    return room;
  }

  std::uint32_t score(const Entry& entry) const;
  /// Nodes charged to this signer.
  std::size_t of_signer(const identity::PeerId& signer) const;

  std::size_t size() const { return entries_.size(); }
  /// In the order of ids.
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }

  /// Counts everything anew. O(n log n).
  void check_invariants() const;

 private:
  enum class Direction { on, off };
  struct OfSigner {
    std::size_t nodes = 0;
    std::size_t claims = 0;  ///< Those among them that are not proven.
    friend bool operator==(const OfSigner&, const OfSigner&) = default;
  };
  struct OfPlace {
    std::size_t charged = 0;
    std::size_t proven = 0;  ///< Configured nodes included.
    friend bool operator==(const OfPlace&, const OfPlace&) = default;
  };
  struct Tallies {
    std::map<std::string, std::size_t> sources;
    std::map<identity::PeerId, OfSigner> signers;
    std::map<std::string, OfPlace> places;
    std::map<std::pair<identity::PeerId, std::string>, std::size_t> claims;  ///< of a signer in a place
    std::map<std::uint32_t, std::size_t> depths;
    friend bool operator==(const Tallies&, const Tallies&) = default;
  };

  Room room_beside(const Entry& entry) const;
  std::size_t cap_of(std::string_view place) const;
  void charge(const Entry& entry, Direction direction) { charge(tallies_, entry, direction); }
  static void charge(Tallies& tallies, const Entry& entry, Direction direction);

  const Config& config_;
  std::map<identity::PeerId, Entry> entries_;
  Tallies tallies_;
};

/// "203.0.113.0/24" or "example.org".
std::string place_of(const identity::Endpoint& endpoint);
/// Those of all endpoints. Sorted, each once.
std::vector<std::string> places_of(const std::vector<identity::Endpoint>& endpoints);

}  // namespace ekiden::bootstrap
