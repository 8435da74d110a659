#include "link/record_cache.hpp"

#include <utility>

#include "crypto/ed25519.hpp"

namespace ekiden::link {
namespace {

bool is_current(const identity::PeerRecord& record, WallTime now) {
  return record.issued_at <= now + identity::kMaxRecordClockSkew && now < record.expires_at();
}

}  // namespace

Result<const RecordCache::Entry*> RecordCache::verify(ByteView signed_bytes, WallTime now) {
  if (signed_bytes.size() > identity::kMaxRecordSize) {
    return fail(Errc::too_large, "a record of " + std::to_string(signed_bytes.size()) + " bytes");
  }
  const auto digest = crypto::sha256(signed_bytes);
  if (const Entry* known = entries_.find(digest); known != nullptr && is_current(known->record, now)) return known;
  // Also the way to the exact error for a known record that is no longer current.
  EKIDEN_ASSIGN(auto record, identity::verify_record(signed_bytes, now));
  EKIDEN_ASSIGN(const auto key, noise_key(record.public_key));
  const auto id = record.id();
  return &entries_.put(digest, {std::move(record), id, key});
}

Result<crypto::X25519PublicKey> RecordCache::noise_key(const crypto::Ed25519PublicKey& key) {
  if (const auto* known = noise_keys_.find(key)) return *known;
  EKIDEN_ASSIGN(const auto image, crypto::to_x25519(key));
  return noise_keys_.put(key, image);
}

}  // namespace ekiden::link
