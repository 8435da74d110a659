#include "realm/realm.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "base/encoding.hpp"
#include "crypto/hash.hpp"

namespace ekiden::realm {
namespace {

constexpr std::string_view kSalt = "ekiden realm 1";

bool is_plain(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

/// HKDF (RFC 5869) of the key.
void derive(const Realm& realm, std::string_view purpose, MutableBytes out) {
  const crypto::ChainKey secret = crypto::hkdf_extract(as_bytes(kSalt), realm.key.view());
  Bytes info = to_bytes(as_bytes(purpose));
  append(info, realm.tag);
  append(info, as_bytes(realm.name));
  const Status done = crypto::hkdf_expand(secret.view(), info, out);
  CHECK(done.has_value());
}

}  // namespace

bool is_realm_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxRealmName || !is_plain(name.front())) return false;
  if (name.starts_with(kInvitationPrefix)) return false;
  return std::ranges::all_of(name, [](char c) { return is_plain(c) || c == '.' || c == '-' || c == '_'; });
}

Status check_realm_name(std::string_view name) {
  if (is_realm_name(name)) return {};
  // What may be an invitation is a secret, and is not shown.
  if (is_invitation(name)) return fail(Errc::invalid_argument, "an invitation is no name of a realm");
  if (name.size() > kMaxRealmName) return fail(Errc::invalid_argument, "the name of a realm has at most 32 characters");
  return fail(Errc::invalid_argument,
              "\"" + std::string(name) +
                  "\" is no name of a realm: write up to 32 lower-case letters, digits, '.', '-' and '_', beginning "
                  "with a letter or digit, like \"kitchen\"");
}

Realm Realm::open(std::string_view name) {
  CHECK(is_realm_name(name));
  const crypto::Digest known_to_all = crypto::sha256({as_bytes("ekiden open realm 1 "), as_bytes(name)});
  const crypto::Digest tag = crypto::sha256({as_bytes("ekiden open realm tag 1 "), as_bytes(name)});
  return {.name = std::string(name),
          .key = RealmKey(known_to_all.view()),
          .tag = take_array<sizeof(RealmTag)>(tag.view()),
          .closed = false};
}

Realm Realm::make_closed(std::string_view name, Rng& rng) {
  CHECK(is_realm_name(name));
  Realm realm{.name = std::string(name), .key = RealmKey::draw(rng), .tag = {}, .closed = true};
  rng.fill(realm.tag);
  realm.generation = 1;
  return realm;
}

Realm Realm::with_new_key(Rng& rng) const {
  CHECK(closed);
  Realm realm = *this;
  realm.key = RealmKey::draw(rng);
  ++realm.generation;
  return realm;
}

RealmId Realm::id() const {
  RealmId id;
  derive(*this, "id ", id.bytes);
  return id;
}

ByteArray<16> Realm::domain() const {
  return take_array<16>(crypto::sha256({as_bytes("ekiden realm domain 1"), tag, as_bytes(name)}).view());
}

ProofKey Realm::proof_key() const {
  ProofKey proof;
  derive(*this, "proof ", proof.mutable_view());
  return proof;
}

std::string invitation_to(const Realm& realm) {
  CHECK(realm.closed);
  Bytes bytes = to_bytes(realm.key.view());
  append(bytes, realm.tag);
  append_be(bytes, realm.generation);
  append(bytes, as_bytes(realm.name));
  std::string text = to_bech32m(kInvitationPrefix, bytes);
  crypto::erase(bytes);
  return text;
}

bool is_invitation(std::string_view text) {
  const std::string_view front = text.substr(0, kInvitationPrefix.size());
  return std::ranges::equal(front, kInvitationPrefix, {},
                            [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
}

Result<Realm> read_invitation(std::string_view text) {
  auto bytes = from_bech32m(kInvitationPrefix, text);
  if (!bytes) return fail("the invitation is not valid", std::move(bytes).error());
  constexpr std::size_t kTagAt = RealmKey::kSize;
  constexpr std::size_t kGenerationAt = kTagAt + sizeof(RealmTag);
  constexpr std::size_t kNameAt = kGenerationAt + sizeof(std::uint32_t);
  Result<Realm> realm = fail(Errc::malformed, "the invitation is not valid: it is too short");
  if (const ByteView all(*bytes); all.size() > kNameAt) {
    realm = Realm{.name = std::string(as_text(all.subspan(kNameAt))),
                  .key = RealmKey(all.first(kTagAt)),
                  .tag = take_array<sizeof(RealmTag)>(all.subspan(kTagAt)),
                  .closed = true,
                  .generation = get_be<std::uint32_t>(all.subspan(kGenerationAt, sizeof(std::uint32_t)))};
    if (!is_realm_name(realm->name)) {
      realm = fail(Errc::malformed, "the invitation is not valid: the name in it is none");
    } else if (realm->key == Realm::open(realm->name).key) {
      realm = fail(Errc::malformed, "the invitation is not valid: its key is that of an open realm, known to all");
    }
  }
  crypto::erase(*bytes);
  return realm;
}

}  // namespace ekiden::realm
