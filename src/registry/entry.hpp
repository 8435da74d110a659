// Entry: what one author says under one name, signed with its identity key.
//
// A name belongs to its owner. The owner alone writes it (Shape::own), or it and those to whom it has given a grant
// (Shape::shared, Shape::set). Each author has one entry under a name, and a newer one takes the place of the older
// (registry/last_writer.hpp): so entries merge without regard to their order, and without knowing each other. What a
// shared name says is made of the entries of all its authors when it is read (registry/shared.hpp).
//
// An entry is a COSE_Sign1 (EdDSA, strict profile, purpose "ekiden entry 1"). It is self-proving: owner and author are
// keys, and an author that is not the owner shows the grant. verify_entry() is the only door.
//
// Bounds: kMaxEntrySize bytes signed, and those of the fields. Timers: none.
//
// Rules and their reasons:
//   - a name is shown until `expires` and held until `kept`. No entry is accepted after its own `kept`, and an author
//     gives each entry one that is no earlier than those of all entries that it takes the place of. So a held entry,
//     removed or expired, keeps its place until nothing that it replaced can come back, and then it is forgotten;
//   - `kept` is at most kMaxLifetime after the stamp: what nobody renews ends, and a version vector need not remember
//     what is older;
//   - what an author has seen has smaller stamps than what it writes: nobody can hide what others have yet to write;
//   - everything that is listed is in ascending order and once: one meaning, one encoding.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/keys.hpp"
#include "identity/identity.hpp"
#include "identity/peer_id.hpp"
#include "identity/peer_record.hpp"
#include "registry/last_writer.hpp"
#include "registry/stamp.hpp"
#include "wire/message.hpp"

namespace ekiden::registry {

inline constexpr std::size_t kMaxEntrySize = 4096;
inline constexpr std::size_t kMaxEntryName = 64;
inline constexpr std::size_t kMaxValue = 1024;
inline constexpr std::size_t kMaxMetadata = 16;
inline constexpr std::size_t kMaxMetadataKey = 32;
inline constexpr std::size_t kMaxMetadataValue = 128;
inline constexpr std::size_t kMaxWriters = 16;
inline constexpr std::size_t kMaxElements = 32;
inline constexpr std::size_t kMaxElementSize = 128;
/// From the stamp of an entry to its end.
inline constexpr milliseconds kMaxLifetime = days(30);

/// What an entry is called between nodes: the first half of SHA-256 of "ekiden entry 1", owner, author and name.
struct EntryId {
  static constexpr std::size_t kNibbles = 32;

  ByteArray<16> bytes{};

  static EntryId of(const identity::PeerId& owner, const identity::PeerId& author, std::string_view name);
  /// The half byte at `at`, from the front. REQUIRES: at < kNibbles.
  Byte nibble(std::size_t at) const {
    const Byte both = bytes[at / 2];
    return at % 2 == 0 ? static_cast<Byte>(both >> 4) : static_cast<Byte>(both & 15);
  }
  friend bool operator==(const EntryId&, const EntryId&) = default;
  friend auto operator<=>(const EntryId& a, const EntryId& b) { return compare(a.bytes, b.bytes); }
};

enum class Shape : std::uint8_t {
  own = 0,     ///< the owner alone writes it
  shared = 1,  ///< a multi-value register
  set = 2,     ///< an observed-remove set
};

/// What `find --where` looks for.
struct Metadata {
  static constexpr std::string_view kName = "metadata";
  std::string key;
  std::string value;

  static constexpr auto kFields =
      wire::fields(wire::field<1>("key", &Metadata::key, wire::max_size(kMaxMetadataKey)),
                   wire::field<2>("value", &Metadata::value, wire::max_size(kMaxMetadataValue)));
  friend auto operator<=>(const Metadata&, const Metadata&) = default;
};

/// Somebody who may write what is not its own.
struct Writer {
  static constexpr std::string_view kName = "writer";
  identity::PeerId id;
  crypto::Signature grant;  ///< by the owner; see sign_grant()

  static constexpr auto kFields =
      wire::fields(wire::field<1>("id", &Writer::id), wire::field<2>("grant", &Writer::grant));
  friend auto operator<=>(const Writer&, const Writer&) = default;
};

/// Up to where the author had seen another one.
struct Seen {
  static constexpr std::string_view kName = "seen";
  identity::PeerId author;
  Stamp stamp;

  static constexpr auto kFields =
      wire::fields(wire::field<1>("author", &Seen::author), wire::field<2>("stamp", &Seen::stamp));
  friend auto operator<=>(const Seen&, const Seen&) = default;
};

/// An element of a set, as it was added.
struct Element {
  static constexpr std::string_view kName = "element";
  std::uint8_t by = 0;  ///< 0: the author of the entry; n: that of its `seen`, counted from 1
  Stamp stamp;
  Bytes value;

  static constexpr auto kFields =
      wire::fields(wire::field<1>("by", &Element::by), wire::field<2>("stamp", &Element::stamp),
                   wire::field<3>("value", &Element::value, wire::max_size(kMaxElementSize)));
  friend auto operator<=>(const Element&, const Element&) = default;
};

struct Entry {
  static constexpr std::string_view kName = "entry";

  std::string name;  ///< is_entry_name()
  crypto::Ed25519PublicKey owner;
  std::optional<crypto::Ed25519PublicKey> author;  ///< who signs, if it is not the owner
  std::optional<crypto::Signature> grant;          ///< with `author`
  Stamp stamp;
  WallTime expires{};
  WallTime kept{};  ///< see above
  bool removed = false;
  Shape shape = Shape::own;
  std::string capability;          ///< or empty
  std::vector<Metadata> metadata;  ///< by key
  Bytes value;
  std::vector<Writer> writers;    ///< by id; the owner names them
  std::vector<Seen> seen;         ///< by author; of shared names, without the author itself
  std::vector<Element> elements;  ///< by adder and stamp; of sets

  static constexpr auto kFields = wire::fields(
      wire::field<1>("name", &Entry::name, wire::max_size(kMaxEntryName)), wire::field<2>("owner", &Entry::owner),
      wire::field<3>("author", &Entry::author), wire::field<4>("grant", &Entry::grant),
      wire::field<5>("stamp", &Entry::stamp), wire::field<6>("expires", &Entry::expires),
      wire::field<7>("kept", &Entry::kept), wire::field<8>("removed", &Entry::removed),
      wire::field<9>("shape", &Entry::shape, wire::max_enum(Shape::set)),
      wire::field<10>("capability", &Entry::capability, wire::max_size(identity::kMaxCapabilitySize)),
      wire::field<11>("metadata", &Entry::metadata, wire::max_count(kMaxMetadata)),
      wire::field<12>("value", &Entry::value, wire::max_size(kMaxValue)),
      wire::field<13>("writers", &Entry::writers, wire::max_count(kMaxWriters)),
      wire::field<14>("seen", &Entry::seen, wire::max_count(kMaxWriters)),
      wire::field<15>("elements", &Entry::elements, wire::max_count(kMaxElements)));

  const crypto::Ed25519PublicKey& author_key() const { return author ? *author : owner; }
  identity::PeerId owner_id() const { return identity::PeerId::of(owner); }
  identity::PeerId author_id() const { return identity::PeerId::of(author_key()); }
  EntryId id() const { return EntryId::of(owner_id(), author_id(), name); }

  friend bool operator==(const Entry&, const Entry&) = default;
};

/// 1 to kMaxEntryName bytes: path segments of lower-case letters, digits, '.', '-' and '_', separated by single
/// slashes, as of capabilities.
bool is_entry_name(std::string_view name);

/// The rules above that an entry breaks, whoever made it. Errors: malformed.
Status check_form(const Entry& entry);

/// The first half of SHA-256 of the signed bytes.
Digest digest_of(ByteView signed_bytes);

/// Which registry an entry is meant for: empty for that of all, otherwise what its members have agreed upon. Signatures
/// are bound to it. (Attack: what somebody has said among few is handed to everybody, as if it had been said there.)
using Domain = Bytes;

/// REQUIRES: the identity is the author's; check_form() holds. Errors: too_large.
Result<Bytes> sign_entry(const identity::Identity& identity, const Entry& entry, const Domain& domain = {});

/// What the owner of a name gives to somebody who shall write it, too. It cannot be taken back: an owner that no longer
/// names a writer has what it writes ignored.
crypto::Signature sign_grant(const identity::Identity& owner, std::string_view name, const identity::PeerId& writer,
                             const Domain& domain = {});

/// Checks size and form, not the signature: for looking whether that is worth its cost.
/// Errors: too_large, malformed, unsupported.
Result<Entry> read_entry(ByteView signed_bytes);

/// The signatures of what read_entry() gave for the same bytes. Errors: unauthenticated (also: it is meant for another
/// registry).
Status verify_entry(ByteView signed_bytes, const Entry& entry, const Domain& domain = {});

/// Errors: refused (stamped in the future), expired (nobody need hold it any more).
Status check_time(const Entry& entry, WallTime wall);

}  // namespace ekiden::registry
