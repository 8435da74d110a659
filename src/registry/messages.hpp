// The messages with which neighbours compare their replicas, and tell each other what is new.
//
//   asker --ask--> neighbour --places, places ...--> asker        down the trie, level by level, where digests differ
//   asker --want--> neighbour --entries ... (last)--> asker --entries--> neighbour
//   anybody --entries--> neighbour                                what is new
//
// The asker remembers what it has asked, its neighbour nothing: whatever comes, it answers from its replica. Digests
// travel as eight bytes that are made with a salt of the asker's choice: two that differ look equal once in 2^64
// comparisons, and never twice, so that nobody can prepare entries whose difference is not seen.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "registry/entry.hpp"
#include "registry/path.hpp"
#include "wire/message.hpp"

namespace ekiden::registry {

/// Bit of the features in a peer record: the node holds a replica of the open realm.
inline constexpr std::uint64_t kRegistryFeature = 16;

inline constexpr std::size_t kMaxAskedAtOnce = 1024;
inline constexpr std::size_t kMaxPlaces = 256;
inline constexpr std::size_t kMaxWantedAtOnce = 512;
inline constexpr std::size_t kMaxEntries = 256;
/// Of the body of a message, as it is made here. A link takes 34,816.
inline constexpr std::size_t kMaxBody = 30'000;
inline constexpr std::size_t kShortSize = 8;

/// MessageType::registry_ask: what is at these places? With `shorts`: at those children of the top that are not like
/// mine.
struct Ask {
  static constexpr std::string_view kName = "registry_ask";
  std::uint32_t round = 0;  ///< comes back in the answers
  ByteArray<8> salt{};
  std::vector<Bytes> paths;     ///< Path::bytes(); none if there are shorts
  std::optional<Bytes> shorts;  ///< of the sixteen children of the asker's top: begins a comparison

  static constexpr auto kFields = wire::fields(
      wire::field<1>("round", &Ask::round), wire::field<2>("salt", &Ask::salt),
      wire::field<3>("paths", &Ask::paths, wire::max_size(EntryId::kNibbles), wire::max_count(kMaxAskedAtOnce)),
      wire::field<4>("shorts", &Ask::shorts, wire::max_size(128)));
  friend bool operator==(const Ask&, const Ask&) = default;
};

/// What is at one place: either the digests of its sixteen children, or of each of the entries below.
struct Place {
  static constexpr std::string_view kName = "place";
  Bytes path;
  bool is_leaf = false;
  Bytes shorts;  ///< kShortSize bytes for each; of a child with nothing below all zeros

  static constexpr auto kFields = wire::fields(wire::field<1>("path", &Place::path, wire::max_size(EntryId::kNibbles)),
                                               wire::field<2>("is_leaf", &Place::is_leaf),
                                               wire::field<3>("shorts", &Place::shorts, wire::max_size(256)));
  friend bool operator==(const Place&, const Place&) = default;
};

/// MessageType::registry_places. The answer to the beginning is one message, also if there is nothing to say; of a top
/// that is a leaf it is the top.
struct Places {
  static constexpr std::string_view kName = "registry_places";
  std::uint32_t round = 0;
  std::vector<Place> places;

  static constexpr auto kFields = wire::fields(wire::field<1>("round", &Places::round),
                                               wire::field<2>("places", &Places::places, wire::max_count(kMaxPlaces)));
  friend bool operator==(const Places&, const Places&) = default;
};

/// Entries of one leaf.
struct Wanted {
  static constexpr std::string_view kName = "wanted";
  Bytes path;
  Bytes shorts;

  static constexpr auto kFields = wire::fields(wire::field<1>("path", &Wanted::path, wire::max_size(EntryId::kNibbles)),
                                               wire::field<2>("shorts", &Wanted::shorts, wire::max_size(256)));
  friend bool operator==(const Wanted&, const Wanted&) = default;
};

/// An entry that the asker has, and the neighbour has not, or not like this.
struct Have {
  static constexpr std::string_view kName = "have";
  EntryId id;
  Stamp stamp;

  static constexpr auto kFields = wire::fields(wire::field<1>("id", &Have::id), wire::field<2>("stamp", &Have::stamp));
  friend bool operator==(const Have&, const Have&) = default;
};

/// MessageType::registry_want: send me these, and say which of mine you want.
struct Want {
  static constexpr std::string_view kName = "registry_want";
  std::uint32_t round = 0;
  ByteArray<8> salt{};
  std::vector<Wanted> wanted;
  std::vector<Have> have;

  static constexpr auto kFields =
      wire::fields(wire::field<1>("round", &Want::round), wire::field<2>("salt", &Want::salt),
                   wire::field<3>("wanted", &Want::wanted, wire::max_count(kMaxWantedAtOnce)),
                   wire::field<4>("have", &Want::have, wire::max_count(kMaxWantedAtOnce)));
  friend bool operator==(const Want&, const Want&) = default;
};

/// MessageType::registry_entries.
struct Entries {
  static constexpr std::string_view kName = "registry_entries";
  std::uint32_t round = 0;        ///< of the want that this answers; 0: nobody has asked
  bool last = false;              ///< of the answers to one want
  std::vector<ByteView> entries;  ///< signed; borrowed
  std::vector<EntryId> wanted;    ///< of those that the asker has

  static constexpr auto kFields = wire::fields(
      wire::field<1>("round", &Entries::round), wire::field<2>("last", &Entries::last),
      wire::field<3>("entries", &Entries::entries, wire::max_size(kMaxEntrySize), wire::max_count(kMaxEntries)),
      wire::field<4>("wanted", &Entries::wanted, wire::max_count(kMaxWantedAtOnce)));
};

}  // namespace ekiden::registry
