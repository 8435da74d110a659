#include "crypto/curve_memo.hpp"

#include <sodium/crypto_core_ed25519.h>
#include <sodium/crypto_scalarmult_curve25519.h>

#include <algorithm>

#include "base/check.hpp"
#include "crypto/hash.hpp"

namespace ekiden::crypto {
namespace {

using Scalar = ByteArray<32>;  ///< Little-endian.

/// The order of the base point. (RFC 8032, section 5.1.)
constexpr Scalar kOrder = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                           0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                           0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};

CurveMemo*& current() {
  static constinit CurveMemo* memo = nullptr;
  return memo;
}

/// RFC 7748, section 5.
Scalar clamped(const X25519SecretKey& secret) {
  Scalar scalar;
  std::ranges::copy(secret.view(), scalar.begin());
  scalar[0] &= 248;
  scalar[31] &= 127;
  scalar[31] |= 64;
  return scalar;
}

Scalar plus_order(const Scalar& scalar) {
  Scalar sum;
  unsigned carry = 0;
  for (std::size_t i = 0; i < sum.size(); ++i) {
    carry += static_cast<unsigned>(scalar[i]) + kOrder[i];
    sum[i] = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
  return sum;
}

/// The scalar that clamping leaves alone and that is `reduced` modulo the order. Seven of eight have one, or their
/// negative has, which gives the same coordinate.
std::optional<Scalar> as_clamped(const Scalar& reduced) {
  Scalar negative;
  crypto_core_ed25519_scalar_negate(negative.data(), reduced.data());
  for (Scalar scalar : {reduced, negative}) {
    for (; scalar[31] < 128; scalar = plus_order(scalar)) {
      if (scalar[31] >= 64 && scalar[0] % 8 == 0) return scalar;
    }
  }
  return std::nullopt;
}

}  // namespace

CurveMemo::CurveMemo(std::size_t entries)
    : publics_(entries), secrets_(entries), shared_(entries), images_(entries), verified_(entries) {
  CHECK(entries > 0);
}

CurveMemo::~CurveMemo() {
  if (current() == this) current() = nullptr;
}

void CurveMemo::install() {
  CHECK(current() == nullptr);
  current() = this;
}

CurveMemo* CurveMemo::installed() { return current(); }

CurveMemo* CurveMemo::count_operation() {
  CurveMemo* const memo = current();
  if (memo != nullptr) ++memo->operations_;
  return memo;
}

CurveMemo::Name CurveMemo::name_of(const X25519SecretKey& secret) {
  Name name;
  std::ranges::copy(secret.view(), name.begin());
  return name;
}

CurveMemo::Name CurveMemo::name_of(const Ed25519PublicKey& key, ByteView message, const Signature& signature) {
  return sha256({key.view(), signature.view(), message}).bytes;
}

void CurveMemo::note_public(const X25519SecretKey& secret, const X25519PublicKey& key) {
  publics_.put(name_of(secret), key);
  secrets_.put(key.bytes, X25519SecretKey(secret));
}

/// Computed again if it had to make room: whoever uses a key will use it again.
X25519PublicKey CurveMemo::public_of(const X25519SecretKey& secret) {
  if (const X25519PublicKey* known = find_public(secret)) return *known;
  X25519PublicKey key;
  CHECK(crypto_scalarmult_curve25519_base(key.bytes.data(), secret.view().data()) == 0);
  note_public(secret, key);
  return key;
}

CurveMemo::Name CurveMemo::name_of(const X25519PublicKey& a, const X25519PublicKey& b) {
  return sha256({std::min(a, b).view(), std::max(a, b).view()}).bytes;
}

std::optional<SharedSecret> CurveMemo::find_shared(const X25519SecretKey& mine, const X25519PublicKey& theirs) {
  const X25519PublicKey ours = public_of(mine);
  const Name pair = name_of(ours, theirs);
  if (const SharedSecret* known = shared_.find(pair)) return SharedSecret(*known);
  const X25519SecretKey* secret = secrets_.find(theirs.bytes);
  if (secret == nullptr) return std::nullopt;
  Scalar product;
  crypto_core_ed25519_scalar_mul(product.data(), clamped(mine).data(), clamped(*secret).data());
  const auto scalar = as_clamped(product);
  if (!scalar) return std::nullopt;
  SharedSecret shared;
  CHECK(crypto_scalarmult_curve25519_base(shared.mutable_view().data(), scalar->data()) == 0);
  shared_.put(pair, SharedSecret(shared));
  return shared;
}

void CurveMemo::note_shared(const X25519SecretKey& mine, const X25519PublicKey& theirs, const SharedSecret& shared) {
  shared_.put(name_of(public_of(mine), theirs), SharedSecret(shared));
}

bool CurveMemo::is_verified(const Ed25519PublicKey& key, ByteView message, const Signature& signature) {
  return verified_.find(name_of(key, message, signature)) != nullptr;
}

void CurveMemo::note_verified(const Ed25519PublicKey& key, ByteView message, const Signature& signature) {
  verified_.put(name_of(key, message, signature), {});
}

}  // namespace ekiden::crypto
