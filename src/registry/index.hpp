// Index of entries: which of them have a name, a capability, or metadata with a value. As in the DHT, what offers
// "translate/ja-en" is found as "translate", too.
//
// Input: slots and entries. Output: slots, ascending. A term is 64 bits of a hash under a key that is drawn at the
// start, so that nobody can choose terms that collide; of those that nobody chose none ever do.
//
// Bounds: 33 + kMaxMetadata terms for an entry; about 90 bytes for each term and 4 to 8 for each entry that has it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/lookup_table.hpp"
#include "base/rng.hpp"
#include "registry/entry.hpp"
#include "registry/trie.hpp"

namespace ekiden::registry {

/// What has to hold of an entry.
struct Query {
  std::string name;             ///< or empty
  std::string capability;       ///< or empty
  std::vector<Metadata> where;  ///< each of them, at most kMaxMetadata
};

class Index {
 public:
  explicit Index(Rng rng) : key_(rng.bytes<16>()) {}

  void insert(Slot slot, const Entry& entry);
  /// REQUIRES: it was inserted with the same content.
  void erase(Slot slot, const Entry& entry);

  /// Those after `from`, at most `max`. None for a query of nothing.
  std::vector<Slot> find(const Query& query, Slot from, std::size_t max) const;

 private:
  using Term = std::uint64_t;
  struct TermHash {
    std::size_t operator()(Term term) const noexcept { return term; }
  };
  using Posting = std::vector<Slot>;  ///< ascending

  Term name_term(std::string_view name) const;
  Term capability_term(std::string_view capability) const;
  Term metadata_term(const Metadata& item) const;
  template <class Visit>
  void each_term(const Entry& entry, Visit&& visit) const;

  ByteArray<16> key_;
  LookupTable<Term, Posting, TermHash> postings_;
};

}  // namespace ekiden::registry
