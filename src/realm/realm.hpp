// Realm: a named network within the network. Its members share topics and a registry of their own.
//
// What links and topics say about a realm follows from its name and its key. That of an open realm is made of its name,
// so that whoever knows the name is in; that of a closed one is drawn at random, and only an invitation tells it. To
// change the key is to close out all who do not hear of the new one: its id, its topics and its proofs are others then.
//
// Who holds the key is a member: members do not tell each other apart by it, and any of them can invite others.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "crypto/secret.hpp"

namespace ekiden::realm {

inline constexpr std::size_t kMaxRealmName = 32;
/// What an invitation begins with; no realm has a name that does.
inline constexpr std::string_view kInvitationPrefix = "ekrealm";

using RealmKey = crypto::Secret<32, struct RealmKeyTag>;
/// A key that only proves membership.
using ProofKey = crypto::Secret<32, struct RealmProofTag>;

/// What a realm is called between its members. Of a closed one nobody else can tell which it is.
struct RealmId {
  ByteArray<32> bytes{};
  friend auto operator<=>(const RealmId&, const RealmId&) = default;
};

/// 1 to kMaxRealmName lower-case letters, digits, '.', '-' and '_', the first a letter or digit.
bool is_realm_name(std::string_view name);
/// Errors: invalid_argument, with how a name is written.
Status check_realm_name(std::string_view name);

/// What stays of a realm when its key changes, and tells it apart from others of its name. Known to members alone, if
/// it is a closed one.
using RealmTag = ByteArray<16>;

struct Realm {
  std::string name;
  RealmKey key;
  RealmTag tag{};
  bool closed = false;
  std::uint32_t generation = 0;  ///< of the key: grows when that is changed

  /// REQUIRES: is_realm_name(name).
  static Realm open(std::string_view name);
  /// A new one, with a key that nobody else has. REQUIRES: is_realm_name(name).
  static Realm make_closed(std::string_view name, Rng& rng);
  /// The same with another key. REQUIRES: it is closed.
  Realm with_new_key(Rng& rng) const;

  RealmId id() const;
  /// What is said in its registry is bound to this, whatever the key. No two realms with different names have the same.
  ByteArray<16> domain() const;
  ProofKey proof_key() const;
  friend bool operator==(const Realm&, const Realm&) = default;
};

/// The text that lets somebody into a closed realm: Bech32m over key, tag,
/// generation and name. A secret. REQUIRES: it is closed.
std::string invitation_to(const Realm& realm);
/// Whether it is meant as one, mistyped or not.
bool is_invitation(std::string_view text);
/// Errors: malformed (also: a mistyped character; the key of an open realm).
Result<Realm> read_invitation(std::string_view text);

}  // namespace ekiden::realm
