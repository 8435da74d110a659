// The values that this node keeps for others.
//
// Inputs: put() of a value that check_value() has passed, sweep() now and then, rows at start. Outputs: the values
// under a key, rows to write. Timers: none of its own; sweep() is due every minute.
//
// Bounds: max_values entries and max_value_bytes in all; max_owners_per_key announcements under one key, one of each
// owner. Rules, and the attack that each stops:
//   - the newest sequence of an owner wins, and on equal ones the value that came first: a replay changes nothing;
//   - when a value's time is over its bytes go and its sequence stays, until nobody has stored it for value_lifetime:
//     what its owner has withdrawn cannot be put back by a replay of what it had said before;
//   - when there is no room, the address prefix that stored most loses its value that is farthest from our id, and if
//     that is the newcomer, it is refused: who stores from one network a thousand values displaces his own;
//   - a value counts in the prefix of its owner as soon as he stores it: nobody has those of others counted with his
//   own
//     by storing them first;
//   - under one key a random sample of the owners that announce is kept, fair between their prefixes first
//     (owner_sample.hpp): neither who came first nor who has a thousand identities keeps others out.
//
// Invariants: counts by prefix and bytes agree with the entries; the bounds above.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"
#include "dht/config.hpp"
#include "dht/owner_sample.hpp"
#include "dht/rows.hpp"
#include "dht/value.hpp"
#include "identity/address.hpp"
#include "store/batch.hpp"

namespace ekiden::dht {

class Values {
 public:
  struct Name {
    Key key;
    identity::PeerId owner;
    friend auto operator<=>(const Name&, const Name&) = default;
  };
  struct Value {
    ValueKind kind{};
    Bytes bytes;  ///< Empty once its time is over.
    std::uint64_t sequence = 0;
    WallTime expires{};
    Instant stored;                ///< The last time.
    identity::AddressPrefix from;  ///< Of its owner if he has stored it himself, else of who stored it first.
    Instant written;               ///< When it was last marked for writing.
  };
  enum class Put : std::uint8_t { stored, renewed, stale, full };

  /// `config` and `rng` outlive the values.
  Values(const identity::PeerId& self, const Config& config, Rng& rng) : self_(self), config_(config), sample_(rng) {}

  /// Who stores a value, which need not be its owner.
  struct Storer {
    identity::PeerId id;
    identity::AddressPrefix prefix;
  };

  /// REQUIRES: check_value() has given these facts of these bytes for this key.
  Put put(Now now, ValueKind kind, const Key& key, const ValueFacts& facts, ByteView bytes, const Storer& by);

  /// True, and its lifetime begins anew, if exactly this value is kept: then it need not be verified again.
  bool renew(Now now, ValueKind kind, const Key& key, ByteView bytes, const Storer& by);

  /// What is kept and not over. nullptr or empty if there is nothing. Valid until the next call that is not const.
  const Value* record(const Key& key, WallTime now) const;
  /// All announcements under a key, in the order of owners.
  void announcements(const Key& key, WallTime now, std::vector<const Value*>& out) const;

  /// Drops what nobody stored again, and the bytes of what is over.
  void sweep(Now now);

  std::size_t size() const { return entries_.size(); }
  std::size_t byte_size() const { return bytes_; }

  /// In the order of keys.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [name, value] : entries_) visit(name, value);
  }

  /// The same, without a look at what lies under the keys of a range.
  template <class Visit>
  void for_each_outside(const KeyRange& range, Visit&& visit) const {
    const auto begin = entries_.lower_bound({.key = range.first, .owner = {}});
    for (auto entry = entries_.begin(); entry != begin; ++entry) visit(entry->first, entry->second);
    Name last{.key = range.last, .owner = {}};
    last.owner.bytes.fill(0xff);
    const auto end = entries_.upper_bound(last);
    for (auto entry = end; entry != entries_.end(); ++entry) visit(entry->first, entry->second);
  }

  /// Appends the rows that changed since the last call.
  void write_changes(Now now, store::Batch& batch);
  bool has_changes() const { return !changed_.empty(); }

  /// Takes a row of Table::values; kept from start() on. Errors: storage_corrupt.
  Status load(const store::Row& row);
  /// The lifetime of what was loaded goes on where it was; but wall clocks leap: at most a whole one is left. What is
  /// over the bounds is dropped.
  void start(Now now);

  void check_invariants() const;

 private:
  using Entries = std::map<Name, Value>;

  bool is_live(const Value& value, WallTime now) const { return !value.bytes.empty() && value.expires > now; }
  Put replace(Now now, Entries::iterator entry, const ValueFacts& facts, ByteView bytes);
  void note_owner(Entries::iterator entry, const Storer& by);
  bool make_room_for_owner(Now now, const Name& name, const identity::AddressPrefix& from);
  bool make_room(const Name& name, std::size_t size, const identity::AddressPrefix& from);
  std::optional<identity::AddressPrefix> fullest(const identity::AddressPrefix& newcomer) const;
  void insert(const Name& name, Value value);
  void set_bytes(Value& value, ByteView bytes);
  void erase(Entries::iterator entry);
  void mark(const Name& name, Value& value, Instant now);

  identity::PeerId self_;
  const Config& config_;
  OwnerSample sample_;
  Entries entries_;
  std::map<identity::AddressPrefix, std::size_t> by_prefix_;
  std::size_t bytes_ = 0;
  std::set<Name> changed_;
  std::vector<std::pair<Name, ValueRow>> loaded_;  ///< Until start().
};

}  // namespace ekiden::dht
