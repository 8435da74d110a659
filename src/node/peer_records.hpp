// The records of peers that we hold in memory: a bounded number, of which those that are needed now never go.
//
// Who is needed (has a link, or messages wait for it) is asked when there is no room. Attack: a host that shows the
// records of thousands of identities, one after the other, would otherwise push out the record of a peer that is
// there, and messages to it could not be sealed.
//
// A peer with a link may show an older record than the newest that we know: its data was restored from a backup, or the
// newer one was under way. The link goes by what it shows, and all else by the newest (record_glue.cpp).
//
// Bounds: max_records, and over that only those that are needed; one more for each peer with a link. Cost of a put: a
// needed record that is met while looking for one to drop counts as used, so it is not met again before all others.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <utility>

#include "base/lru_map.hpp"
#include "identity/peer_id.hpp"
#include "identity/peer_record.hpp"

namespace ekiden::node {

/// Who brought a record.
enum class Heard : std::uint8_t { from_itself, from_others };

class PeerRecords {
 public:
  using IsNeeded = std::function<bool(const identity::PeerId&)>;

  PeerRecords(std::size_t max_records, IsNeeded is_needed)
      : max_records_(max_records), is_needed_(std::move(is_needed)) {}

  /// The newest. Marked as just used; nullptr if there is none. Valid until the next put.
  const identity::SignedRecord* find(const identity::PeerId& id) { return records_.find(id); }

  /// The one that its link goes by, if it is not the newest. Valid until the next put, show or forget_shown.
  const identity::SignedRecord* shown(const identity::PeerId& id) const {
    const auto found = shown_.find(id);
    return found == shown_.end() ? nullptr : &found->second;
  }
  /// The peer itself shows this one, over its link, though a newer is known.
  void show(const identity::PeerId& id, identity::SignedRecord record) {
    shown_.insert_or_assign(id, std::move(record));
  }
  /// Its link is down, or it shows the newest. False if there was nothing to forget.
  bool forget_shown(const identity::PeerId& id) { return shown_.erase(id) > 0; }

  /// The newest from now on.
  const identity::SignedRecord& put(const identity::PeerId& id, identity::SignedRecord record) {
    if (records_.find(id) == nullptr) make_room();
    return records_.put(id, std::move(record));
  }

  /// From the disk, before it is known who is needed: drops nothing. What is there was written because messages waited.
  void restore(const identity::PeerId& id, identity::SignedRecord record) { records_.put(id, std::move(record)); }

  std::size_t size() const { return records_.size(); }

 private:
  void make_room() {
    for (std::size_t left = records_.size(); left > 0 && records_.size() >= max_records_; --left) {
      const identity::PeerId oldest = records_.oldest();
      if (is_needed_(oldest)) {
        records_.find(oldest);
      } else {
        records_.erase(oldest);
      }
    }
  }

  std::size_t max_records_;
  IsNeeded is_needed_;
  LruMap<identity::PeerId, identity::SignedRecord> records_{std::numeric_limits<std::size_t>::max()};
  std::map<identity::PeerId, identity::SignedRecord> shown_;
};

}  // namespace ekiden::node
