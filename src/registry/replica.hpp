// Replica: all entries that this node holds.
//
// Inputs: entries that were verified, rows of the store, the wall clock. Outputs: what became of each entry. No timers
// of its own: due() says when something ends.
//
// Rules, and why:
//   - of each author and name the newest entry is held; an older one is refused, however it comes;
//   - an entry is found and listed until it expires, and keeps its place until nothing that it replaced can come back
//     (registry/entry.hpp);
//   - what does not fit is refused, and nothing that is held is dropped for it: otherwise a member that makes many
//     entries would decide which others there are. An author has a share, so that one cannot take everything.
//
// Bounds: those of the configuration; about 500 bytes beside each entry. Invariants: bytes and counts are those of what
// is held; trie, timers and index name the same slots.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/rng.hpp"
#include "registry/config.hpp"
#include "registry/entry.hpp"
#include "registry/index.hpp"
#include "registry/last_writer.hpp"
#include "registry/trie.hpp"

namespace ekiden::registry {

struct Usage {
  std::size_t entries = 0;
  std::size_t bytes = 0;
};

/// An entry in its place.
struct Held {
  EntryId id;
  LastWriterRegister<Bytes> content;  ///< the signed bytes
  WallTime expires{};
  WallTime kept{};
  std::map<identity::PeerId, Usage>::iterator author;
  bool is_shown = false;  ///< neither removed nor expired, nor a peer record

  ByteView signed_bytes() const { return content.value(); }
  const Version& version() const { return content.version(); }
  /// Decodes it. It was checked when it came.
  Entry entry() const;
};

struct Applied {
  Standing standing = Standing::newer;
  Bytes dropped;  ///< what an equivocal entry took the place of, or the entry itself
};

class Replica {
 public:
  /// `config` outlives this.
  Replica(const Config& config, Rng rng, Domain domain = {})
      : config_(config), domain_(std::move(domain)), index_(std::move(rng)) {}
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  /// Which registry this is a replica of.
  const Domain& domain() const { return domain_; }

  /// Where an entry with this id and stamp would stand, before its signature is looked at. Nothing: it is new.
  std::optional<Standing> standing_of(const EntryId& id, const Version& version) const;

  /// `entry` is what the verified bytes say. Errors: limit_exceeded, and nothing was changed.
  Result<Applied> put(WallTime wall, const Entry& entry, Bytes signed_bytes);
  /// As if it had never been there.
  void forget(const EntryId& id);

  const Held* find(const EntryId& id) const;
  /// In the order of ids; null at the end.
  const Held* after(const EntryId& id) const;
  /// Of what is shown. The order is that of this replica; `from` is one more than the slot that was given last.
  std::vector<Slot> search(const Query& query, Slot from, std::size_t max) const;
  const Held& at(Slot slot) const { return *slots_[slot]; }
  const Trie& trie() const { return trie_; }

  /// When the next entry expires or ends.
  std::optional<WallTime> due() const;
  /// The next that has expired or ended by now; `ended`: it is no longer held. Nothing: none is due.
  struct Over {
    Entry entry;
    bool was_shown = false;
    bool ended = false;
  };
  std::optional<Over> expire(WallTime wall);

  std::size_t size() const { return trie_.size(); }
  std::size_t shown() const { return shown_; }
  std::size_t bytes() const { return bytes_; }
  void check_invariants() const;

 private:
  using Authors = std::map<identity::PeerId, Usage>;

  Status check_room(const identity::PeerId& author, std::size_t more_entries, std::size_t more_bytes) const;
  void insert(WallTime wall, const Entry& entry, LastWriterRegister<Bytes> content);
  void replace(WallTime wall, Held& held, Slot slot, const Entry& entry, LastWriterRegister<Bytes> content);
  void show(Held& held, Slot slot, const Entry& entry, WallTime wall);
  void hide(Held& held, Slot slot, const Entry& entry);
  void erase(Slot slot);
  static WallTime next_end(const Held& held) { return held.is_shown ? held.expires : held.kept; }

  const Config& config_;
  const Domain domain_;
  Index index_;
  Trie trie_;
  std::deque<std::optional<Held>> slots_;
  std::vector<Slot> free_;
  std::set<std::pair<WallTime, Slot>> ends_;
  Authors authors_;
  std::size_t shown_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace ekiden::registry
