// PeerRecords that were verified lately, by the hash of their signed bytes.
//
// Rationale: checking a record costs an Ed25519 verification and its Noise key another curve computation, together as
// much as the rest of a handshake; peers that reconnect show the same bytes each time. Only signatures are remembered:
// whether a record is current is asked every time, because time goes on.
//
// Attack considered: records that are made up in numbers push honest ones out of the cache. That costs a verification
// each, in a handshake whose slot is limited before it begins, and the honest peers one verification more.
//
// The Noise keys of identity keys are remembered by themselves, too: they outlive the records, which are renewed daily.
//
// Bounds: max_records entries of each kind, least recently used out first. No timers.
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

  explicit RecordCache(std::size_t max_records) : entries_(max_records), noise_keys_(max_records) {}

  /// As identity::verify_record, with its errors. The entry is valid until the next call.
  Result<const Entry*> verify(ByteView signed_bytes, WallTime now);

  /// As crypto::to_x25519, with its errors.
  Result<crypto::X25519PublicKey> noise_key(const crypto::Ed25519PublicKey& key);

  std::size_t size() const { return entries_.size(); }

 private:
  LruMap<crypto::Digest, Entry> entries_;
  LruMap<crypto::Ed25519PublicKey, crypto::X25519PublicKey> noise_keys_;
};

}  // namespace ekiden::link
