// PeerRecords that were verified lately, by the hash of their signed bytes.
//
// Rationale: checking a record costs an Ed25519 verification and its Noise key another curve computation, together as
// much as the rest of a handshake; peers that reconnect show the same bytes each time. Only signatures are remembered:
// whether a record is current is asked every time, because time goes on.
//
// Attack considered: records that are made up in numbers push honest ones out of the cache. That costs a verification
// each, in a handshake whose slot is limited before it begins, and the honest peers one verification more.
//
// Bounds: max_records entries, least recently used out first. No timers.
#pragma once

#include <cstddef>

#include "base/bytes.hpp"
#include "base/lru_map.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/hash.hpp"
#include "identity/peer_id.hpp"
#include "identity/peer_record.hpp"

namespace ekiden::link {

class RecordCache {
 public:
  struct Entry {
    identity::PeerRecord record;
    identity::PeerId id;
    crypto::X25519PublicKey noise_key;  ///< The birational image of the record's key.
  };

  explicit RecordCache(std::size_t max_records) : entries_(max_records) {}

  /// As identity::verify_record, with its errors. The entry is valid until the next call.
  Result<const Entry*> verify(ByteView signed_bytes, WallTime now);

  std::size_t size() const { return entries_.size(); }

 private:
  LruMap<crypto::Digest, Entry> entries_;
};

}  // namespace ekiden::link
