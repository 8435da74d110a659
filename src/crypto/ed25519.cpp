#include "crypto/ed25519.hpp"

#include <sodium/crypto_core_ed25519.h>
#include <sodium/crypto_sign_ed25519.h>

#include <algorithm>

#include "base/check.hpp"
#include "crypto/curve_memo.hpp"

namespace ekiden::crypto {
namespace {

static_assert(Ed25519Seed::kSize == crypto_sign_ed25519_SEEDBYTES);
static_assert(Ed25519PublicKey::kSize == crypto_sign_ed25519_PUBLICKEYBYTES);
static_assert(Signature::kSize == crypto_sign_ed25519_BYTES);

// libsodium's private key is the seed followed by the public key.
using ExpandedKey = Secret<crypto_sign_ed25519_SECRETKEYBYTES, struct ExpandedKeyTag>;

// RFC 8032 section 5.1.3 step 1: the y coordinate is below p = 2^255 - 19. The other non-canonical form, a sign bit
// on x = 0, belongs to two points of low order, which are refused as such.
bool is_canonical(const Ed25519PublicKey& key) {
  const auto& y = key.bytes;
  const bool top_is_full =
      (y[31] & 0x7f) == 0x7f && std::all_of(y.begin() + 1, y.end() - 1, [](Byte b) { return b == 0xff; });
  return !top_is_full || y[0] < 0xed;
}

}  // namespace

Ed25519KeyPair Ed25519KeyPair::from_seed(const Ed25519Seed& seed) {
  Ed25519KeyPair pair;
  ExpandedKey expanded;
  pair.seed_ = seed;
  CHECK(crypto_sign_ed25519_seed_keypair(pair.public_key_.bytes.data(), expanded.mutable_view().data(),
                                         seed.view().data()) == 0);
  return pair;
}

Signature Ed25519KeyPair::sign(ByteView message) const {
  CurveMemo::count_operation();
  ExpandedKey expanded;
  const auto halves = expanded.mutable_view();
  std::ranges::copy(seed_.view(), halves.begin());
  std::ranges::copy(public_key_.bytes, halves.begin() + Ed25519Seed::kSize);
  Signature signature;
  CHECK(crypto_sign_ed25519_detached(signature.bytes.data(), nullptr, message.data(), message.size(),
                                     expanded.view().data()) == 0);
  return signature;
}

X25519SecretKey Ed25519KeyPair::x25519() const {
  X25519SecretKey secret;
  // Reads the seed half only.
  CHECK(crypto_sign_ed25519_sk_to_curve25519(secret.mutable_view().data(), seed_.view().data()) == 0);
  return secret;
}

bool is_acceptable(const Ed25519PublicKey& key) {
  CurveMemo* memo = CurveMemo::count_operation();
  if (memo != nullptr && memo->find_image(key) != nullptr) return true;  // to_x25519() asks no less of a key.
  return crypto_core_ed25519_is_valid_point(key.bytes.data()) == 1;
}

bool verify(const Ed25519PublicKey& key, ByteView message, const Signature& signature) {
  CurveMemo* memo = CurveMemo::count_operation();
  if (memo != nullptr && memo->is_verified(key, message, signature)) return true;
  const bool is_good = crypto_sign_ed25519_verify_detached(signature.bytes.data(), message.data(), message.size(),
                                                           key.bytes.data()) == 0;
  if (memo != nullptr && is_good) memo->note_verified(key, message, signature);
  return is_good;
}

Result<X25519PublicKey> to_x25519(const Ed25519PublicKey& key) {
  CurveMemo* memo = CurveMemo::count_operation();
  if (memo != nullptr) {
    if (const X25519PublicKey* known = memo->find_image(key)) return *known;
  }
  X25519PublicKey image;
  if (!is_canonical(key) || crypto_sign_ed25519_pk_to_curve25519(image.bytes.data(), key.bytes.data()) != 0) {
    return fail(Errc::refused, "the Ed25519 public key is not canonical, not on the curve, or of low order");
  }
  if (memo != nullptr) memo->note_image(key, image);
  return image;
}

}  // namespace ekiden::crypto
