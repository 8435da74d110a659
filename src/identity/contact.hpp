// Contacts: the peers that a person named, with how far they are trusted; and the book that holds them.
//
// A petname is local and never leaves the node. Rationale: names that peers give themselves can be copied by anybody; a
// name that the owner gave cannot.
//
// The book is pure: the node stores each contact in its description's encoding and fills the book at start. Bounds:
// kMaxContacts. Invariants: ids and petnames are unique; a contact's key, where known, hashes to its id.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/keys.hpp"
#include "identity/endpoint.hpp"
#include "identity/peer_id.hpp"
#include "identity/peer_record.hpp"
#include "wire/message.hpp"

namespace ekiden::identity {

inline constexpr std::size_t kMaxContacts = 10'000;
inline constexpr std::size_t kMaxContactEndpoints = 8;
inline constexpr std::size_t kMaxPetnameCharacters = 64;
inline constexpr std::size_t kMaxPetnameSize = 4 * kMaxPetnameCharacters;

/// Decides quotas, the first-contact queue, and what the local API shows. Ordered: more trust, larger value.
enum class TrustTier : std::uint8_t { stranger, contact, trusted };

/// "stranger", "contact", "trusted".
std::string_view tier_name(TrustTier tier);
/// Errors: invalid_argument, listing the tiers.
Result<TrustTier> parse_tier(std::string_view name);

struct Contact {
  static constexpr std::string_view kName = "contact";

  PeerId id;
  std::string petname;
  TrustTier tier = TrustTier::contact;
  std::vector<Endpoint> endpoints;                     ///< Given by the owner: LearnedFrom::configuration.
  std::optional<crypto::Ed25519PublicKey> public_key;  ///< Known once a record was seen; an id is only its hash.
  std::optional<Bytes> record;                         ///< The newest signed record.
  WallTime added_at{};

  static constexpr auto kFields = wire::fields(
      wire::field<1>("id", &Contact::id), wire::field<2>("petname", &Contact::petname, wire::max_size(kMaxPetnameSize)),
      wire::field<3>("tier", &Contact::tier, wire::max_enum(TrustTier::trusted)),
      wire::field<4>("endpoints", &Contact::endpoints, wire::max_count(kMaxContactEndpoints)),
      wire::field<5>("public_key", &Contact::public_key),
      wire::field<6>("record", &Contact::record, wire::max_size(kMaxRecordSize)),
      wire::field<7>("added_at", &Contact::added_at));
  friend bool operator==(const Contact&, const Contact&) = default;
};

/// 1 to 64 characters of UTF-8; no control, invisible or direction-changing characters (they disguise one name as
/// another), no space at the ends, and nothing that starts like an id ("ek1"). Errors: invalid_argument.
Status check_petname(std::string_view name);

/// Everything that a contact must fulfil by itself. Errors: invalid_argument, too_large.
Status check_contact(const Contact& contact);

class ContactBook {
 public:
  explicit ContactBook(std::size_t max_contacts = kMaxContacts) : max_contacts_(max_contacts) {}

  /// Errors: as check_contact; already_exists (names what is taken); limit_exceeded.
  Status add(Contact contact);

  /// Replaces the contact of the same id. Errors: as check_contact; not_found; already_exists (the petname is
  /// another's).
  Status update(Contact contact);

  /// Remembers a verified record, and the key in it, if it is newer than the one we have. True if the contact changed;
  /// false too when the id is not in the book.
  bool learn(const SignedRecord& signed_record);

  /// Returns what was removed. Errors: not_found.
  Result<Contact> remove(const PeerId& id);

  /// nullptr if there is none; valid until the next call that is not const.
  const Contact* find(const PeerId& id) const;
  const Contact* find_by_name(std::string_view petname) const;

  /// Reads what a person typed: a petname, or an id (in the book or not). Errors: not_found, malformed (a mistyped id).
  Result<PeerId> resolve(std::string_view petname_or_id) const;

  /// stranger if the id is not in the book.
  TrustTier tier_of(const PeerId& id) const;

  std::size_t size() const { return by_id_.size(); }

  /// In the order of ids.
  auto begin() const { return by_id_.begin(); }
  auto end() const { return by_id_.end(); }

  /// Both indexes agree. O(n log n).
  void check_invariants() const;

 private:
  std::size_t max_contacts_;
  std::map<PeerId, Contact> by_id_;
  std::map<std::string, PeerId, std::less<>> by_name_;
};

}  // namespace ekiden::identity
