#include "crypto/x25519.hpp"

#include <sodium/crypto_scalarmult_curve25519.h>

#include <utility>

#include "base/check.hpp"
#include "crypto/curve_memo.hpp"

namespace ekiden::crypto {

static_assert(X25519SecretKey::kSize == crypto_scalarmult_curve25519_SCALARBYTES);
static_assert(X25519PublicKey::kSize == crypto_scalarmult_curve25519_BYTES);

X25519KeyPair X25519KeyPair::from_secret(X25519SecretKey secret) {
  X25519KeyPair pair;
  pair.secret = std::move(secret);
  pair.public_key = x25519_public(pair.secret);
  return pair;
}

X25519PublicKey x25519_public(const X25519SecretKey& secret) {
  CurveMemo* memo = CurveMemo::count_operation();
  if (memo != nullptr) {
    if (const X25519PublicKey* known = memo->find_public(secret)) return *known;
  }
  X25519PublicKey key;
  CHECK(crypto_scalarmult_curve25519_base(key.bytes.data(), secret.view().data()) == 0);
  if (memo != nullptr) memo->note_public(secret, key);
  return key;
}

Result<SharedSecret> x25519(const X25519SecretKey& mine, const X25519PublicKey& theirs) {
  CurveMemo* memo = CurveMemo::count_operation();
  if (memo != nullptr) {
    if (auto known = memo->find_shared(mine, theirs)) return std::move(*known);
  }
  SharedSecret shared;
  if (crypto_scalarmult_curve25519(shared.mutable_view().data(), mine.view().data(), theirs.bytes.data()) != 0 ||
      shared == SharedSecret()) {
    return fail(Errc::refused, "the X25519 public key is of low order: it would make a secret that everybody knows");
  }
  if (memo != nullptr) memo->note_shared(mine, theirs, shared);
  return shared;
}

}  // namespace ekiden::crypto
