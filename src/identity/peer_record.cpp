#include "identity/peer_record.hpp"

#include <algorithm>
#include <chrono>

#include "identity/cose_sign.hpp"

namespace ekiden::identity {
namespace {

constexpr std::string_view kRecordPurpose = "ekiden record 1";

/// "3 years", "5 hours": rounded down, the largest unit that fits.
std::string in_words(milliseconds span) {
  struct Unit {
    seconds size;
    std::string_view name;
  };
  constexpr Unit kUnits[] = {{days(365), "year"}, {days(1), "day"}, {hours(1), "hour"}, {minutes(1), "minute"}};
  for (const Unit& unit : kUnits) {
    if (span < unit.size) continue;
    const auto count = span / unit.size;
    return std::to_string(count) + " " + std::string(unit.name) + (count == 1 ? "" : "s");
  }
  return "less than a minute";
}

constexpr std::string_view kCheckClocks = ": check the clock of this machine or of the peer";

Status check_time(const PeerRecord& record, WallTime now) {
  if (record.issued_at > now + kMaxRecordClockSkew) {
    return fail(Errc::refused, "the record was issued " + in_words(record.issued_at - now) + " in the future" +
                                   std::string(kCheckClocks));
  }
  if (record.expires_at() <= now) {
    const milliseconds late = now - record.expires_at();
    return fail(Errc::expired, "the record expired " + in_words(late) + " ago" +
                                   (late >= days(365) ? std::string(kCheckClocks) : std::string()));
  }
  return {};
}

bool is_printable_ascii(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > 32 && c < 127; });
}

/// What holds for our own records and for those of others.
Status check_content(const PeerRecord& record) {
  if (record.version == 0) return fail(Errc::malformed, "the record's version is 0");
  for (const auto& endpoint : record.endpoints) {
    if (!is_printable_ascii(endpoint)) return fail(Errc::malformed, "an endpoint has characters that are not allowed");
  }
  for (const auto& capability : record.capabilities) {
    if (!is_capability(capability)) {
      return fail(Errc::malformed, "a capability is not of the form \"translate/ja-en\"");
    }
  }
  return {};
}

/// The bounds of the description, which encoding relies upon.
Status check_bounds(const PeerRecord& record) {
  const auto fits = [](const std::vector<std::string>& texts, std::size_t max_count, std::size_t max_size) {
    return texts.size() <= max_count &&
           std::ranges::all_of(texts, [&](const std::string& text) { return text.size() <= max_size; });
  };
  if (!fits(record.endpoints, kMaxRecordEndpoints, kMaxRecordEndpointSize)) {
    return fail(Errc::too_large, "a record has at most " + std::to_string(kMaxRecordEndpoints) + " endpoints of " +
                                     std::to_string(kMaxRecordEndpointSize) + " characters");
  }
  if (!fits(record.capabilities, kMaxRecordCapabilities, kMaxCapabilitySize)) {
    return fail(Errc::too_large, "a record has at most " + std::to_string(kMaxRecordCapabilities) +
                                     " capabilities of " + std::to_string(kMaxCapabilitySize) + " characters");
  }
  if (record.relays.size() > kMaxRecordRelays || record.mailboxes.size() > kMaxRecordRelays) {
    return fail(Errc::too_large,
                "a record has at most " + std::to_string(kMaxRecordRelays) + " relays and as many mailboxes");
  }
  return {};
}

Status check_own(const Identity& identity, const PeerRecord& record) {
  if (record.public_key != identity.public_key()) {
    return fail(Errc::invalid_argument, "the record names another node's key");
  }
  if (record.ttl_seconds == 0 || seconds(record.ttl_seconds) > kMaxRecordTtl) {
    return fail(Errc::invalid_argument, "a record lives from one second to seven days");
  }
  EKIDEN_TRY(check_bounds(record));
  if (auto status = check_content(record); !status) return fail(Errc::invalid_argument, status.error().message);
  for (const auto& endpoint : record.endpoints) {
    if (auto parsed = Endpoint::parse(endpoint); !parsed) return fail(Errc::invalid_argument, parsed.error().message);
  }
  return {};
}

Result<PeerRecord> signed_record(ByteView signed_bytes) {
  if (signed_bytes.size() > kMaxRecordSize) {
    return fail(Errc::too_large, std::to_string(signed_bytes.size()) + " bytes, at most " +
                                     std::to_string(kMaxRecordSize) + " are allowed");
  }
  EKIDEN_ASSIGN(const wire::Sign1View parts, wire::parse_sign1(signed_bytes));
  EKIDEN_ASSIGN(PeerRecord record, wire::decode<PeerRecord>(parts.payload));
  EKIDEN_TRY(cose_verify(parts, record.public_key, as_bytes(kRecordPurpose)));
  EKIDEN_TRY(check_content(record));
  record.ttl_seconds = std::min(record.ttl_seconds, static_cast<std::uint32_t>(kMaxRecordTtl.count()));
  return record;
}

}  // namespace

WallTime PeerRecord::expires_at() const { return issued_at + std::min(seconds(ttl_seconds), kMaxRecordTtl); }

std::vector<Endpoint> PeerRecord::known_endpoints() const {
  std::vector<Endpoint> out;
  for (const auto& text : endpoints) {
    if (auto endpoint = Endpoint::parse(text)) out.push_back(std::move(*endpoint));
  }
  return out;
}

Result<Bytes> sign_record(const Identity& identity, const PeerRecord& record) {
  EKIDEN_TRY(check_own(identity, record));
  Bytes out = cose_sign(identity, as_bytes(kRecordPurpose), wire::encode(record));
  if (out.size() > kMaxRecordSize) {
    return fail(Errc::too_large, "the signed record has " + std::to_string(out.size()) + " bytes, at most " +
                                     std::to_string(kMaxRecordSize) +
                                     " are allowed: name fewer endpoints, capabilities, relays or mailboxes");
  }
  return out;
}

Result<PeerRecord> verify_record_ignoring_time(ByteView signed_bytes) {
  auto record = signed_record(signed_bytes);
  if (!record) return fail("the peer record is not valid", std::move(record).error());
  return record;
}

Result<PeerRecord> verify_record(ByteView signed_bytes, WallTime now) {
  EKIDEN_ASSIGN(PeerRecord record, verify_record_ignoring_time(signed_bytes));
  EKIDEN_TRY(check_time(record, now));
  return record;
}

Result<SignedRecord> verify_signed_record(ByteView signed_bytes, WallTime now) {
  EKIDEN_ASSIGN(PeerRecord record, verify_record(signed_bytes, now));
  return SignedRecord{std::move(record), to_bytes(signed_bytes)};
}

bool is_newer(const PeerRecord& a, const PeerRecord& b) {
  return a.public_key == b.public_key && a.sequence > b.sequence;
}

bool is_capability(std::string_view name) {
  if (name.empty() || name.size() > kMaxCapabilitySize || name.back() == '/') return false;
  char last = '/';
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    if (!plain && (c != '/' || last == '/')) return false;
    last = c;
  }
  return true;
}

}  // namespace ekiden::identity
