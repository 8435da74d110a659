// The capabilities that this node announces in the DHT, and why: its owner offers one, it is in a topic, an entry of
// its own in the registry of all names it. One announcement tells all of that, and ends with the last reason.
//
// Inputs: reasons that begin and end; time. Output: what is to be signed. Bounds: what the owner offers and what
// entries name share the parts of paths that a node may publish; what is offered goes first, then what is announced
// already. Topics have room of their own (engine_configs.hpp). What finds no room waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.hpp"

namespace ekiden::node {

class OwnCapabilities {
 public:
  enum class Reason : std::uint8_t { offered, topic, entry };

  /// `most`: parts of paths.
  explicit OwnCapabilities(std::size_t most) : most_(most) {}

  /// Entries are counted, the other reasons are there or not.
  void add(const std::string& capability, Reason reason);
  /// REQUIRES: it was added.
  void remove(const std::string& capability, Reason reason);

  /// Whether a reason `entry` has begun or ended since this was asked last.
  bool take_entries_changed() { return std::exchange(entries_changed_, false); }

  /// Whether a minute has passed since this was true.
  bool is_time(Instant now) {
    if (looked_ && now < *looked_ + minutes(1)) return false;
    looked_ = now;
    return true;
  }

  bool has(const std::string& capability, Reason reason) const;
  std::vector<std::string> with(Reason reason) const;
  bool is_announced(const std::string& capability) const;
  /// Whether this has room beside all that is offered.
  bool fits(std::string_view capability) const;

  struct Due {
    std::string capability;
    bool ends = false;
  };
  /// What is to be signed now: it was not, or not for so long, or was in what is the future now.
  std::vector<Due> due(WallTime wall, milliseconds refresh);
  /// At the end of the node: all that is announced. Nothing is, after that.
  std::vector<std::string> end();
  /// Everything is due that is announced.
  void announce_again();

  /// Nodes that keep its announcement.
  void set_holders(const std::string& capability, std::size_t holders);
  std::size_t holders(const std::string& capability) const;

 private:
  struct Standing {
    bool offered = false;
    bool in_topic = false;
    std::size_t entries = 0;
    std::optional<WallTime> announced = {};  ///< when it was signed last
    std::size_t holders = 0;

    bool is(Reason reason) const;
    bool has_reason() const { return offered || in_topic || entries > 0; }
  };

  std::size_t most_;
  std::map<std::string, Standing> all_;
  std::vector<std::string> ended_;  ///< since due() was asked last
  bool entries_changed_ = false;
  std::optional<Instant> looked_;
};

}  // namespace ekiden::node
