#include "identity/announcement.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "identity/cose_sign.hpp"

namespace ekiden::identity {
namespace {

constexpr std::string_view kAnnouncementPurpose = "ekiden announcement 1";

Status check_time(const Announcement& announcement, WallTime now) {
  if (announcement.issued_at > now + kMaxRecordClockSkew) {
    return fail(Errc::refused, "it was issued in the future: check the clock of this machine or of the peer");
  }
  if (announcement.expires_at() <= now) return fail(Errc::expired, "its lifetime is over");
  return {};
}

Status check_own(const Identity& identity, const Announcement& announcement) {
  if (announcement.public_key != identity.public_key()) {
    return fail(Errc::invalid_argument, "the announcement names another node's key");
  }
  if (announcement.ttl_seconds == 0 || seconds(announcement.ttl_seconds) > kMaxAnnouncementTtl) {
    return fail(Errc::invalid_argument, "an announcement lives from one second to one day");
  }
  if (!is_capability(announcement.capability)) {
    return fail(Errc::invalid_argument, "\"" + announcement.capability +
                                            "\" is not a capability: write lower-case letters, digits, '.', '-', '_' "
                                            "and single slashes, like \"translate/ja-en\"");
  }
  return {};
}

Result<Announcement> signed_announcement(ByteView signed_bytes) {
  if (signed_bytes.size() > kMaxAnnouncementSize) {
    return fail(Errc::too_large, std::to_string(signed_bytes.size()) + " bytes, at most " +
                                     std::to_string(kMaxAnnouncementSize) + " are allowed");
  }
  EKIDEN_ASSIGN(const wire::Sign1View parts, wire::parse_sign1(signed_bytes));
  EKIDEN_ASSIGN(Announcement announcement, wire::decode<Announcement>(parts.payload));
  EKIDEN_TRY(cose_verify(parts, announcement.public_key, as_bytes(kAnnouncementPurpose)));
  if (!is_capability(announcement.capability)) {
    return fail(Errc::malformed, "the capability is not of the form \"translate/ja-en\"");
  }
  announcement.ttl_seconds =
      std::min(announcement.ttl_seconds, static_cast<std::uint32_t>(kMaxAnnouncementTtl.count()));
  return announcement;
}

std::unexpected<Error> not_valid(Error why) { return fail("the announcement is not valid", std::move(why)); }

}  // namespace

WallTime Announcement::expires_at() const { return issued_at + std::min(seconds(ttl_seconds), kMaxAnnouncementTtl); }

Result<Bytes> sign_announcement(const Identity& identity, const Announcement& announcement) {
  EKIDEN_TRY(check_own(identity, announcement));
  Bytes out = cose_sign(identity, as_bytes(kAnnouncementPurpose), wire::encode(announcement));
  CHECK(out.size() <= kMaxAnnouncementSize);
  return out;
}

Result<Announcement> verify_announcement_ignoring_time(ByteView signed_bytes) {
  auto announcement = signed_announcement(signed_bytes);
  if (!announcement) return not_valid(std::move(announcement).error());
  return announcement;
}

Result<Announcement> verify_announcement(ByteView signed_bytes, WallTime now) {
  EKIDEN_ASSIGN(Announcement announcement, verify_announcement_ignoring_time(signed_bytes));
  if (auto status = check_time(announcement, now); !status) return not_valid(std::move(status).error());
  return announcement;
}

}  // namespace ekiden::identity
