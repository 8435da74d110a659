// The packets of others that this node keeps on disk until somebody else has taken them.
//
// Inputs: rows; take (a packet that was decided to be handed on); drop. Outputs: rows of Table::packets in the caller's
// batch. Nothing that was taken is dropped before the next one has it or its time is over; what finds no room is
// refused.
//
// Bounds: by count and bytes in all, for each neighbour that gives, and for those neighbours together that are no
// contacts of the owner (one part in `stranger_share`). Invariants: memory and Table::packets hold the same; sums are
// sums.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "base/result.hpp"
#include "relay/config.hpp"
#include "relay/routes.hpp"
#include "relay/rows.hpp"
#include "store/batch.hpp"

namespace ekiden::relay {

struct Held {
  std::uint64_t number = 0;
  identity::PeerId giver;
  crypto::Digest subject;
  std::shared_ptr<const Bytes> bytes;  ///< what `packet` borrows from
  Packet packet;                       ///< as it came
  WallTime until{};
  bool stranger = false;
  bool persisted = false;
  bool lonely = false;  ///< nobody is left to try: a route is looked for

  std::optional<identity::PeerId> next = {};  ///< to whom it was handed last
  Way way = {};                               ///< the relays from there
  std::set<identity::PeerId> tried = {};      ///< since there was nobody left to try
  std::uint32_t attempts = 0;
};

struct CustodyUse {
  std::size_t packets = 0;
  std::size_t bytes = 0;
};

class Custody {
 public:
  using IsContact = std::function<bool(const identity::PeerId&)>;

  /// `config` outlives this.
  Custody(const Config& config, IsContact is_contact) : config_(config), is_contact_(std::move(is_contact)) {}

  /// In ascending order, after the contacts are known. Errors: storage_corrupt.
  Status load_row(std::uint64_t number, ByteView value);

  /// Whether there is room for one of this size from this neighbour.
  bool has_room(const identity::PeerId& giver, std::size_t bytes) const;
  /// REQUIRES: has_room; no packet of this subject is held.
  Held& take(WallTime now, const identity::PeerId& giver, const Packet& packet, const crypto::Digest& subject,
             ByteView encoded, store::Batch& batch);
  void drop(Held& held, store::Batch& batch);

  Held* find(std::uint64_t number);
  Held* find(const crypto::Digest& subject);
  /// The first to expire; nullptr if there is none.
  Held* first_to_expire();
  std::map<std::uint64_t, Held>& all() { return held_; }
  const std::map<std::uint64_t, Held>& all() const { return held_; }

  const CustodyUse& used() const { return used_; }
  void check_invariants() const;

 private:
  Held& insert(Held held);

  const Config& config_;
  const IsContact is_contact_;
  std::map<std::uint64_t, Held> held_;
  std::map<crypto::Digest, std::uint64_t> numbers_;
  std::set<std::pair<WallTime, std::uint64_t>> by_until_;
  CustodyUse used_;
  CustodyUse strangers_;
  std::map<identity::PeerId, CustodyUse> givers_;
  std::uint64_t next_number_ = 1;
};

}  // namespace ekiden::relay
