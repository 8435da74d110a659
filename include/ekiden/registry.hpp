// The registry as an application sees it: a directory of services of which every node holds a full copy.
#pragma once

#include <chrono>
#include <cstdint>
#include <ekiden/message.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ekiden {

enum class EntryShape : std::uint8_t {
  own,     ///< its owner alone writes it
  shared,  ///< a value that the owner and writers may write; what they write at the same time is all shown
  set,     ///< elements that the owner and writers add and take
};

/// What stands under a name; of a shared name one of its values.
struct RegistryEntry {
  std::string name;
  PeerId owner;
  PeerId author;  ///< who wrote it: the owner, or a writer
  EntryShape shape = EntryShape::own;
  std::string capability;
  std::map<std::string, std::string> metadata;
  std::string value;
  std::vector<PeerId> writers;
  std::vector<std::string> elements;              ///< of a set, of all its authors
  std::chrono::system_clock::time_point written;  ///< by the clock of the author
  std::chrono::system_clock::time_point expires;
};

struct NewEntry {
  std::string name{};                             ///< like "printers/third-floor", at most 64 characters
  std::string value{};                            ///< any bytes, at most 1,024; of a set none
  std::string capability{};                       ///< like "translate/ja-en", or empty
  std::map<std::string, std::string> metadata{};  ///< at most 16
  /// How long it lives, from 1 s to 30 days.
  std::chrono::milliseconds lifetime = std::chrono::hours(24);
  /// The node puts it again before that, also after a restart, until it is put anew or removed.
  bool renew = true;
  EntryShape shape = EntryShape::own;
  std::vector<PeerId> writers{};    ///< of one's own shared name or set, at most 16
  std::optional<PeerId> owner{};    ///< whose shared name it is, if it is not one's own
  std::vector<std::string> add{};   ///< to a set; an element has at most 128 bytes
  std::vector<std::string> take{};  ///< from a set
  std::string realm{};              ///< in whose registry; empty: in that of all nodes
};

/// What has to hold of an entry; what is empty holds of all.
struct RegistryQuery {
  std::string name{};
  std::optional<PeerId> owner{};
  std::string capability{};  ///< or one below it
  std::map<std::string, std::string> metadata{};
  std::string realm{};  ///< in whose registry; empty: in that of all nodes
};

}  // namespace ekiden
