#include "dht/value.hpp"

#include <algorithm>
#include <utility>

namespace ekiden::dht {
namespace {

/// Errors: refused.
Status check_issue_time(WallTime issued_at, WallTime now) {
  if (issued_at <= now + identity::kMaxRecordClockSkew) return {};
  return fail(Errc::refused, "the value was issued in the future: check the clock of this machine or of the peer");
}

std::unexpected<Error> wrong_key() { return fail(Errc::unauthenticated, "the value belongs under another key"); }

Result<CheckedValue> check_record(const Key& key, ByteView bytes, WallTime now) {
  EKIDEN_ASSIGN(identity::PeerRecord record, identity::verify_record_ignoring_time(bytes));
  const ValueFacts facts{.owner = record.id(),
                         .sequence = record.sequence,
                         .expires = record.expires_at(),
                         .is_over = record.expires_at() <= now};
  if (Key::of(facts.owner) != key) return wrong_key();
  EKIDEN_TRY(check_issue_time(record.issued_at, now));
  return CheckedValue{.facts = facts, .content = std::move(record)};
}

Result<CheckedValue> check_announcement(const Key& key, ByteView bytes, WallTime now) {
  EKIDEN_ASSIGN(identity::Announcement announcement, identity::verify_announcement_ignoring_time(bytes));
  const auto is_its_key = [&](std::string_view path) { return capability_key(path) == key; };
  if (std::ranges::none_of(capability_paths(announcement.capability), is_its_key)) return wrong_key();
  EKIDEN_TRY(check_issue_time(announcement.issued_at, now));
  const ValueFacts facts{.owner = announcement.owner(),
                         .sequence = announcement.sequence,
                         .expires = announcement.expires_at(),
                         .is_over = announcement.expires_at() <= now};
  return CheckedValue{.facts = facts, .content = std::move(announcement)};
}

}  // namespace

Result<CheckedValue> check_value(ValueKind kind, const Key& key, ByteView bytes, WallTime now) {
  return kind == ValueKind::record ? check_record(key, bytes, now) : check_announcement(key, bytes, now);
}

}  // namespace ekiden::dht
