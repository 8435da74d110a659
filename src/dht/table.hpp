// The routing table: the nodes we know, in buckets by the number of leading bits that their ids share with ours.
//
// Inputs: confirm() for a node that has answered us and is proven by session keys, seen(), failed(), remove(). Outputs:
// the closest nodes to a key, whom to ping before he is evicted, which bucket to refresh. No messages and no timers of
// its own: the engine (dht.hpp) sends and keeps time.
//
// Bounds: k nodes and `spares` replacements in a bucket, at most 256 buckets, which exist down to the deepest that is
// used; about 110 bytes a node. At most max_prefix_in_bucket and max_prefix_in_table nodes of one /24 or IPv6 /56.
//
// Rules, and the attack that each stops:
//   - a node enters only once it has answered a query of ours under session keys: who merely contacts us, or is
//     merely told by others, does not get in (poisoning with addresses of victims, or with nobody's);
//   - nodes that are alive are never replaced by newer ones: who was up for long stays up, and a flood of new nodes
//     replaces nobody;
//   - nodes are ordered by when they were last seen; a newcomer to a full bucket waits in the replacement cache, and
//     takes the place of one that fails max_failures times in a row;
//   - few nodes per address prefix: an attacker needs many networks and not only many keys (eclipse, Sybil);
//   - a failing node without a replacement stays for a day: when our own network is down everybody fails, and that must
//     not empty the table. It is not told to others meanwhile.
//
// Invariants: each id once, in the bucket of its prefix; never our own; the bounds above.
//
// Source: Kademlia, sections 2.2 and 4.1 (buckets that are split only around our own id come to the same as one for
// each length of the shared prefix); BEP 5 (fresh and questionable nodes); BEP 42 for the idea of limits by address.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "dht/config.hpp"
#include "dht/key.hpp"
#include "identity/address.hpp"
#include "identity/node_info.hpp"

namespace ekiden::dht {

struct Contact {
  identity::PeerId id;  ///< The hash of the key, computed once.
  identity::NodeInfo info;
  Instant last_seen;
  std::uint8_t failures = 0;  ///< In a row.
  bool is_global = false;     ///< May be told to strangers.
};

class Table {
 public:
  /// What confirm() made of a node.
  enum class Place : std::uint8_t {
    known,    ///< It was there, and has been seen now.
    added,    ///< It is new in the table.
    spare,    ///< It waits in the replacement cache.
    refused,  ///< There are too many of its address prefix, or it is ourselves.
  };

  /// `config` outlives the table.
  Table(const identity::PeerId& self, const Config& config) : self_(self), config_(config) {}

  Place confirm(Instant now, const identity::PeerId& id, const identity::NodeInfo& info);

  /// It has shown itself at that address. False if it is not in the table, or somewhere else.
  bool seen(Instant now, const identity::PeerId& id, const identity::SocketAddress& at);

  /// It did not answer at that address. Its place goes to a spare, if its time has come and there is one.
  void failed(Instant now, const identity::PeerId& id, const identity::SocketAddress& at);

  /// It misbehaves: away with it, and a spare takes its place.
  void remove(const identity::PeerId& id);

  /// nullptr if it is not in the table. Valid until the next call that is not const.
  const Contact* find(const identity::PeerId& id) const;

  /// Whether a node that is not in the table is worth a ping: it would get a place, or a place among the spares of a
  /// bucket that does not have enough of them, seen within `fresh_for`. In a large network somebody new comes by all
  /// the time.
  bool wants(Instant now, const identity::PeerId& id, const identity::SocketAddress& at) const;

  /// The node to ping in the newcomer's full bucket: the one seen longest ago, if that is longer than `fresh_for`.
  const Contact* questionable(Instant now, const identity::PeerId& newcomer) const;
  /// All such in a bucket.
  void append_questionable(Instant now, std::size_t bucket, std::vector<const Contact*>& out) const;

  /// The closest `count` nodes to a key, closest first, into `out`. `good`: only those that do not fail. Pointers are
  /// valid until the next call that is not const.
  void closest(const Key& target, std::size_t count, bool good, std::vector<const Contact*>& out) const;

  /// How many nodes are closer to a key than we are, counted up to `limit`.
  std::size_t count_closer(const Key& target, std::size_t limit) const;

  /// How many nodes share more than so many leading bits with us, counted up to `limit`.
  std::size_t count_deeper(std::size_t shared, std::size_t limit) const;

  // Refreshing. A lookup of our own id finds the k closest nodes: it covers the buckets that are deeper than that of
  // the farthest of them. Each of the others needs a lookup of its own.

  /// The bucket whose refresh is due first; its index is near_bucket() if a lookup of our own id does it.
  struct Refresh {
    Instant at;
    std::size_t bucket = 0;
  };
  std::optional<Refresh> next_refresh() const;
  std::size_t near_bucket() const;
  /// A lookup of our own id has found so many of the k closest nodes, and this is the farthest of them.
  void note_closest(std::size_t found, const identity::PeerId& farthest);
  /// A lookup for this key has begun: what it covers is due again at `next`.
  void note_lookup(const Key& target, Instant next);
  /// We have just joined: the buckets that the lookup of our own id has not covered are due one after the other.
  void refresh_soon(Instant first, Duration step);
  /// At least half of its places are taken by nodes that do not fail.
  bool is_filled(std::size_t bucket) const;

  std::size_t size() const { return size_; }
  std::size_t spare_count() const;
  /// Nodes in each bucket, from the farthest to the deepest.
  std::vector<std::size_t> bucket_sizes() const;

  /// In the order of buckets, farthest first, seen longest ago first.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const Bucket& bucket : buckets_) {
      for (const Contact& contact : bucket.live) visit(contact);
    }
  }

  void check_invariants() const;

 private:
  struct Bucket {
    std::vector<Contact> live;   ///< Seen longest ago first.
    std::vector<Contact> spare;  ///< Confirmed longest ago first.
    Instant refresh_at{};
  };
  /// Of two that are equally far in the first 64 bits, which nobody meets by chance, the rest decides.
  struct Near {
    std::uint64_t distance;  ///< Its most significant word.
    const Contact* contact;
  };

  const Bucket* bucket_of(const identity::PeerId& id) const;
  Bucket& make_bucket(const identity::PeerId& id, Instant now);
  Contact* find_live(const identity::PeerId& id);
  bool has_room(const Bucket& bucket, const identity::AddressPrefix& prefix, const Contact* leaving) const;
  Place move(Instant now, Contact& contact, const identity::NodeInfo& info);
  Place keep_spare(Bucket& bucket, const Contact& contact);
  bool promote(Bucket& bucket, std::size_t leaving);
  void erase_live(Bucket& bucket, std::size_t index);
  void add_live(Bucket& bucket, const Contact& contact);
  /// Where a prefix is counted.
  static std::size_t slot_of(const identity::AddressPrefix& prefix);
  static std::size_t slot_of(const Contact& contact) { return slot_of(identity::prefix_of(contact.info.at.ip)); }
  void gather(const Key& target, std::size_t first, std::size_t last, bool good) const;
  void take_nearest(const Key& target, std::size_t count, std::vector<const Contact*>& out) const;

  identity::PeerId self_;
  const Config& config_;
  std::vector<Bucket> buckets_;
  std::size_t size_ = 0;
  /// How many nodes of the table are counted in a slot. Prefixes share slots, so one has no more nodes than its slot
  /// says: mostly so few that nobody has to look at all nodes.
  std::array<std::uint16_t, 256> slots_{};
  std::size_t covered_from_ = 0;    ///< The first bucket that the last lookup of our own id has covered.
  mutable std::vector<Near> near_;  ///< Of closest(); kept so that a query does not allocate.
};

}  // namespace ekiden::dht
