// Values of the DHT prove themselves: a PeerRecord under its PeerId, an announcement under the key of its capability or
// of a leading part of the capability's path. check_value() is the only door: nothing is kept, told or believed before.
//
// A value whose time is over by our clock is no lie: its owner withdrew it, or one of the clocks is wrong. It counts as
// a withdrawal, which may end an older value and is itself never told.
#pragma once

#include <cstdint>
#include <variant>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "dht/key.hpp"
#include "dht/messages.hpp"
#include "identity/announcement.hpp"
#include "identity/peer_record.hpp"

namespace ekiden::dht {

/// What a verified value says of itself.
struct ValueFacts {
  identity::PeerId owner;
  std::uint64_t sequence = 0;
  WallTime expires{};
  bool is_over = false;  ///< Its time is over.
};

struct CheckedValue {
  ValueFacts facts;
  std::variant<identity::PeerRecord, identity::Announcement> content;
};

/// Checks form, signature, the key it is stored under, and that it is not from the future. Errors: as verify_record and
/// verify_announcement but without expired; unauthenticated (it belongs under another key).
Result<CheckedValue> check_value(ValueKind kind, const Key& key, ByteView bytes, WallTime now);

}  // namespace ekiden::dht
