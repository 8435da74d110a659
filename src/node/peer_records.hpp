// The records of peers that we hold in memory: a bounded number, of which those that are needed now never go.
//
// Who is needed (has a link, or messages wait for it) is asked when there is no room. Attack: a host that shows the
// records of thousands of identities, one after the other, would otherwise push out the record of a peer that is
// there, and messages to it could not be sealed.
//
// Bounds: max_records, and over that only those that are needed. Cost of a put: a needed record that is met while
// looking for one to drop counts as used, so it is not met again before all others.
#pragma once

#include <functional>
#include <limits>
#include <utility>

#include "base/lru_map.hpp"
#include "identity/peer_id.hpp"
#include "identity/peer_record.hpp"

namespace ekiden::node {

class PeerRecords {
 public:
  using IsNeeded = std::function<bool(const identity::PeerId&)>;

  PeerRecords(std::size_t max_records, IsNeeded is_needed)
      : max_records_(max_records), is_needed_(std::move(is_needed)) {}

  /// Marked as just used; nullptr if there is none. Valid until the next put.
  const identity::SignedRecord* find(const identity::PeerId& id) { return records_.find(id); }

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
};

}  // namespace ekiden::node
