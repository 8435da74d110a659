#include "identity/contact.hpp"

#include <array>

#include "base/check.hpp"

namespace ekiden::identity {
namespace {

constexpr std::array<std::string_view, 3> kTiers = {"stranger", "contact", "trusted"};

std::unexpected<Error> name_taken(std::string_view petname, const PeerId& by) {
  return fail(Errc::already_exists,
              "the name \"" + std::string(petname) + "\" belongs to " + by.short_text() + " already; choose another");
}

}  // namespace

std::string_view tier_name(TrustTier tier) { return kTiers[static_cast<std::size_t>(tier)]; }

Result<TrustTier> parse_tier(std::string_view name) {
  for (std::size_t i = 0; i < kTiers.size(); ++i) {
    if (name == kTiers[i]) return static_cast<TrustTier>(i);
  }
  return fail(Errc::invalid_argument, "there is no such trust tier; there are stranger, contact and trusted");
}

Status check_contact(const Contact& contact) {
  EKIDEN_TRY(check_petname(contact.petname));
  if (contact.endpoints.size() > kMaxContactEndpoints) {
    return fail(Errc::too_large, "a contact has at most " + std::to_string(kMaxContactEndpoints) + " endpoints");
  }
  if (contact.record && contact.record->size() > kMaxRecordSize) {
    return fail(Errc::too_large, "the contact's record is over " + std::to_string(kMaxRecordSize) + " bytes");
  }
  if (contact.public_key && PeerId::of(*contact.public_key) != contact.id) {
    return fail(Errc::invalid_argument, "the contact's public key does not belong to its id");
  }
  return {};
}

Status ContactBook::add(Contact contact) {
  EKIDEN_TRY(check_contact(contact));
  if (const Contact* known = find(contact.id)) {
    return fail(Errc::already_exists, "this peer is in the contacts already, as \"" + known->petname + "\"");
  }
  if (const Contact* other = find_by_name(contact.petname)) return name_taken(contact.petname, other->id);
  if (by_id_.size() >= max_contacts_) {
    return fail(Errc::limit_exceeded, "the contact book is full (" + std::to_string(max_contacts_) + " contacts)");
  }
  by_name_.emplace(contact.petname, contact.id);
  by_id_.emplace(contact.id, std::move(contact));
  return {};
}

Status ContactBook::update(Contact contact) {
  EKIDEN_TRY(check_contact(contact));
  const auto found = by_id_.find(contact.id);
  if (found == by_id_.end()) return fail(Errc::not_found, "there is no contact " + contact.id.short_text());
  if (const Contact* other = find_by_name(contact.petname); other != nullptr && other->id != contact.id) {
    return name_taken(contact.petname, other->id);
  }
  by_name_.erase(found->second.petname);
  by_name_.emplace(contact.petname, contact.id);
  found->second = std::move(contact);
  return {};
}

bool ContactBook::learn(const SignedRecord& signed_record) {
  const auto found = by_id_.find(signed_record.record.id());
  if (found == by_id_.end() || signed_record.signed_bytes.size() > kMaxRecordSize) return false;
  Contact& contact = found->second;
  if (contact.record) {
    // A stored record that does not read any more is worth less than one that was just verified.
    const auto known = verify_record_ignoring_time(*contact.record);
    if (known && !is_newer(signed_record.record, *known)) return false;
  }
  contact.record = signed_record.signed_bytes;
  contact.public_key = signed_record.record.public_key;
  return true;
}

Result<Contact> ContactBook::remove(const PeerId& id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return fail(Errc::not_found, "there is no contact " + id.short_text());
  Contact removed = std::move(found->second);
  by_name_.erase(removed.petname);
  by_id_.erase(found);
  return removed;
}

const Contact* ContactBook::find(const PeerId& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &found->second;
}

const Contact* ContactBook::find_by_name(std::string_view petname) const {
  const auto found = by_name_.find(petname);
  return found == by_name_.end() ? nullptr : find(found->second);
}

Result<PeerId> ContactBook::resolve(std::string_view petname_or_id) const {
  if (const Contact* contact = find_by_name(petname_or_id)) return contact->id;
  // No petname starts like an id, so this is a mistyped id rather than an unknown name.
  if (petname_or_id.starts_with("ek1") || petname_or_id.starts_with("EK1")) return PeerId::parse(petname_or_id);
  return fail(Errc::not_found, "there is no contact of that name; add one, or give its id (ek1...)");
}

TrustTier ContactBook::tier_of(const PeerId& id) const {
  const Contact* contact = find(id);
  return contact == nullptr ? TrustTier::stranger : contact->tier;
}

void ContactBook::check_invariants() const {
  CHECK(by_id_.size() == by_name_.size());
  CHECK(by_id_.size() <= max_contacts_);
  for (const auto& [id, contact] : by_id_) {
    CHECK(contact.id == id);
    const auto named = by_name_.find(contact.petname);
    CHECK(named != by_name_.end() && named->second == id);
    CHECK(!contact.public_key || PeerId::of(*contact.public_key) == id);
  }
}

}  // namespace ekiden::identity
