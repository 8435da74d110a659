#include "session/x3dh.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "crypto/hash.hpp"
#include "crypto/x25519.hpp"

namespace ekiden::session {
namespace {

constexpr std::string_view kInfo = "ekiden x3dh 1";

crypto::ChainKey derive(const crypto::SharedSecret& dh1, const crypto::SharedSecret& dh2,
                        const crypto::SharedSecret& dh3) {
  crypto::Secret<128, struct X3dhInputTag> input;
  const MutableBytes bytes = input.mutable_view();
  std::ranges::fill(bytes.first(32), Byte{0xff});
  std::ranges::copy(dh1.view(), bytes.begin() + 32);
  std::ranges::copy(dh2.view(), bytes.begin() + 64);
  std::ranges::copy(dh3.view(), bytes.begin() + 96);
  constexpr ByteArray<32> kSalt{};
  const crypto::ChainKey extracted = crypto::hkdf_extract(kSalt, input.view());
  crypto::ChainKey shared;
  const Status expanded = crypto::hkdf_expand(extracted.view(), as_bytes(kInfo), shared.mutable_view());
  CHECK(expanded.has_value());  // 32 bytes are never too many.
  return shared;
}

}  // namespace

Result<crypto::ChainKey> x3dh_initiate(const crypto::X25519SecretKey& identity,
                                       const crypto::X25519SecretKey& ephemeral,
                                       const crypto::X25519PublicKey& their_identity,
                                       const crypto::X25519PublicKey& their_prekey) {
  EKIDEN_ASSIGN(const auto dh1, crypto::x25519(identity, their_prekey));
  EKIDEN_ASSIGN(const auto dh2, crypto::x25519(ephemeral, their_identity));
  EKIDEN_ASSIGN(const auto dh3, crypto::x25519(ephemeral, their_prekey));
  return derive(dh1, dh2, dh3);
}

Result<crypto::ChainKey> x3dh_respond(const crypto::X25519SecretKey& identity, const crypto::X25519SecretKey& prekey,
                                      const crypto::X25519PublicKey& their_identity,
                                      const crypto::X25519PublicKey& their_ephemeral) {
  EKIDEN_ASSIGN(const auto dh1, crypto::x25519(prekey, their_identity));
  EKIDEN_ASSIGN(const auto dh2, crypto::x25519(identity, their_ephemeral));
  EKIDEN_ASSIGN(const auto dh3, crypto::x25519(prekey, their_ephemeral));
  return derive(dh1, dh2, dh3);
}

Binding binding_of(const identity::PeerId& initiator, const identity::PeerId& responder, const Uuid& session) {
  Binding out{};
  auto at = std::ranges::copy(initiator.view(), out.begin()).out;
  at = std::ranges::copy(responder.view(), at).out;
  std::ranges::copy(session.bytes, at);
  return out;
}

}  // namespace ekiden::session
