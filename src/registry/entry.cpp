#include "registry/entry.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "crypto/ed25519.hpp"
#include "crypto/hash.hpp"
#include "identity/cose_sign.hpp"
#include "wire/cose.hpp"

namespace ekiden::registry {
namespace {

constexpr std::string_view kEntryPurpose = "ekiden entry 1";
constexpr std::string_view kGrantPurpose = "ekiden entry grant 1";

/// What a grant signs. It does not travel: both sides know it.
struct Grant {
  static constexpr std::string_view kName = "grant";
  std::string name;
  identity::PeerId writer;

  static constexpr auto kFields = wire::fields(wire::field<1>("name", &Grant::name, wire::max_size(kMaxEntryName)),
                                               wire::field<2>("writer", &Grant::writer));
};

std::unexpected<Error> against_form(std::string_view why) { return fail(Errc::malformed, std::string(why)); }

/// In ascending order of what `key` gives, and each once.
template <class List, class Key>
bool is_ordered(const List& list, Key key) {
  return std::ranges::adjacent_find(list, [&](const auto& a, const auto& b) { return !(key(a) < key(b)); }) ==
         list.end();
}

Status check_times(const Entry& entry) {
  if (entry.stamp.ms > kMaxUnixMs || entry.stamp.ms == 0) return against_form("its stamp is no time");
  if (entry.kept < entry.expires) return against_form("it is held for a shorter time than shown");
  if (entry.kept > from_unix_ms(entry.stamp.ms) + kMaxLifetime) return against_form("it lives for more than 30 days");
  return {};
}

Status check_metadata(const Entry& entry) {
  for (const Metadata& item : entry.metadata) {
    if (item.key.empty()) return against_form("metadata without a key");
  }
  if (!is_ordered(entry.metadata, [](const Metadata& item) -> const std::string& { return item.key; })) {
    return against_form("its metadata are not in order");
  }
  if (!entry.capability.empty() && !identity::is_capability(entry.capability)) {
    return against_form("the capability is not of the form \"translate/ja-en\"");
  }
  return {};
}

/// Who else writes the name.
Status check_authors(const Entry& entry) {
  if (entry.author.has_value() != entry.grant.has_value()) return against_form("a grant and its author go together");
  if (entry.author == entry.owner) return against_form("the owner needs no grant");
  if (entry.shape == Shape::own && (entry.author || !entry.writers.empty() || !entry.seen.empty())) {
    return against_form("others have no part in what its owner alone writes");
  }
  if (entry.author && !entry.writers.empty()) return against_form("only the owner names writers");
  if (!is_ordered(entry.writers, [](const Writer& writer) { return writer.id; }) ||
      !is_ordered(entry.seen, [](const Seen& seen) { return seen.author; })) {
    return against_form("its authors are not in order");
  }
  const identity::PeerId self = entry.author_id();
  for (const Seen& seen : entry.seen) {
    if (seen.author == self) return against_form("it has seen itself");
    if (!(seen.stamp < entry.stamp)) return against_form("it has seen what is later than itself");
  }
  return {};
}

Status check_elements(const Entry& entry) {
  if (entry.shape != Shape::set && !entry.elements.empty()) return against_form("elements of what is no set");
  if (entry.shape == Shape::set && !entry.value.empty()) return against_form("a set has elements, and no value");
  for (const Element& element : entry.elements) {
    if (element.by > entry.seen.size()) return against_form("an element by nobody");
    const Stamp& until = element.by == 0 ? entry.stamp : entry.seen[element.by - 1U].stamp;
    if (element.stamp > until || element.stamp == Stamp{}) return against_form("an element that was not seen");
  }
  if (!is_ordered(entry.elements, [](const Element& of) { return std::pair(of.by, of.stamp); })) {
    return against_form("its elements are not in order");
  }
  return {};
}

Status check_removed(const Entry& entry) {
  const bool is_empty = entry.capability.empty() && entry.metadata.empty() && entry.value.empty() &&
                        entry.writers.empty() && entry.elements.empty();
  if (entry.removed && !is_empty) return against_form("it was removed and has content");
  return {};
}

/// The external_aad of a signature.
Bytes aad_of(std::string_view purpose, const Domain& domain) {
  Bytes aad = to_bytes(as_bytes(purpose));
  append(aad, domain);
  return aad;
}

Bytes grant_payload(std::string_view name, const identity::PeerId& writer) {
  return wire::encode(Grant{.name = std::string(name), .writer = writer});
}

Status check_size(std::size_t size) {
  if (size <= kMaxEntrySize) return {};
  return fail(Errc::too_large, "an entry of " + std::to_string(size) + " bytes, at most " +
                                   std::to_string(kMaxEntrySize) + " are allowed");
}

}  // namespace

EntryId EntryId::of(const identity::PeerId& owner, const identity::PeerId& author, std::string_view name) {
  const crypto::Digest whole = crypto::sha256({as_bytes(kEntryPurpose), owner.view(), author.view(), as_bytes(name)});
  return {take_array<16>(whole.bytes)};
}

bool is_entry_name(std::string_view name) {
  static_assert(kMaxEntryName == identity::kMaxCapabilitySize);
  return identity::is_capability(name);
}

Status check_form(const Entry& entry) {
  if (!is_entry_name(entry.name)) return against_form("the name is not of the form \"printers/third-floor\"");
  EKIDEN_TRY(check_times(entry));
  EKIDEN_TRY(check_metadata(entry));
  EKIDEN_TRY(check_authors(entry));
  EKIDEN_TRY(check_elements(entry));
  return check_removed(entry);
}

Digest digest_of(ByteView signed_bytes) { return take_array<16>(crypto::sha256(signed_bytes).bytes); }

Result<Bytes> sign_entry(const identity::Identity& identity, const Entry& entry, const Domain& domain) {
  CHECK(entry.author_key() == identity.public_key() && check_form(entry).has_value());
  Bytes out = identity::cose_sign(identity, aad_of(kEntryPurpose, domain), wire::encode(entry));
  EKIDEN_TRY(check_size(out.size()));
  return out;
}

crypto::Signature sign_grant(const identity::Identity& owner, std::string_view name, const identity::PeerId& writer,
                             const Domain& domain) {
  return owner.sign(
      wire::sig_structure(wire::eddsa_protected_header(), aad_of(kGrantPurpose, domain), grant_payload(name, writer)));
}

Result<Entry> read_entry(ByteView signed_bytes) {
  EKIDEN_TRY(check_size(signed_bytes.size()));
  EKIDEN_ASSIGN(const wire::Sign1View parts, wire::parse_sign1(signed_bytes));
  EKIDEN_ASSIGN(Entry entry, wire::decode<Entry>(parts.payload));
  if (const Status formed = check_form(entry); !formed) return fail("the entry is not valid", formed.error());
  return entry;
}

Status verify_entry(ByteView signed_bytes, const Entry& entry, const Domain& domain) {
  EKIDEN_ASSIGN(const wire::Sign1View parts, wire::parse_sign1(signed_bytes));
  EKIDEN_TRY(identity::cose_verify(parts, entry.author_key(), aad_of(kEntryPurpose, domain)));
  if (!entry.grant) return {};
  const Bytes payload = grant_payload(entry.name, entry.author_id());
  const wire::Sign1View grant{
      .protected_header = wire::eddsa_protected_header(), .payload = payload, .signature = entry.grant->view()};
  return identity::cose_verify(grant, entry.owner, aad_of(kGrantPurpose, domain));
}

Status check_time(const Entry& entry, WallTime wall) {
  if (is_ahead(entry.stamp, wall)) {
    return fail(Errc::refused, "the entry was written in the future: check the clock of this machine or of its author");
  }
  if (entry.kept <= wall) return fail(Errc::expired, "the time of the entry is over");
  return {};
}

}  // namespace ekiden::registry
