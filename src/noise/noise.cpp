#include "noise/noise.hpp"

#include <algorithm>
#include <array>

#include "base/check.hpp"

namespace ekiden::noise {
namespace {

constexpr std::size_t kKeySize = crypto::X25519PublicKey::kSize;

ByteView protocol_name(Pattern pattern) {
  return as_bytes(pattern == Pattern::ik ? "Noise_IK_25519_AESGCM_SHA256" : "Noise_XX_25519_AESGCM_SHA256");
}

struct TwoKeys {
  crypto::ChainKey first;
  crypto::AeadKey second;
};

/// HKDF of section 4.3 with two outputs, which is that of RFC 5869 with the chaining key as salt and no info.
TwoKeys hkdf2(const crypto::ChainKey& chaining_key, ByteView input) {
  const auto extracted = crypto::hkdf_extract(chaining_key.view(), input);
  crypto::Secret<64, struct NoiseHkdfTag> output;
  CHECK(crypto::hkdf_expand(extracted.view(), {}, output.mutable_view()));
  return {crypto::ChainKey(output.view().first(32)), crypto::AeadKey(output.view().last(32))};
}

}  // namespace

crypto::Nonce nonce_of(std::uint64_t counter) {
  crypto::Nonce nonce{};
  put_be(MutableBytes(nonce).subspan(4), counter);
  return nonce;
}

// CipherState. --------------------------------------------------------------------------------------------------------

void CipherContexts::forget_keys() {
  sealing.set_key(crypto::AeadKey());
  opening.set_key(crypto::AeadKey());
}

Status CipherState::encrypt(ByteView plaintext, MutableBytes out) {
  if (counter_ == kMaxCounter) return fail(Errc::limit_exceeded, "the record counter of this link is used up");
  contexts_->sealing.set_key(key_);
  contexts_->sealing.seal(nonce_of(counter_), {}, plaintext, out);
  ++counter_;
  return {};
}

Status CipherState::decrypt(ByteView sealed, MutableBytes out) {
  if (counter_ == kMaxCounter) return fail(Errc::limit_exceeded, "the record counter of this link is used up");
  contexts_->opening.set_key(key_);
  EKIDEN_TRY(contexts_->opening.open(nonce_of(counter_), {}, sealed, out));
  ++counter_;
  return {};
}

void CipherState::rekey() {
  crypto::Secret<32 + crypto::kTagSize, struct RekeyTag> output;
  contexts_->sealing.set_key(key_);
  contexts_->sealing.seal(nonce_of(kMaxCounter), {}, output.view().first(32), output.mutable_view());
  key_ = crypto::AeadKey(output.view().first(32));
}

// SymmetricState. -----------------------------------------------------------------------------------------------------

SymmetricState::SymmetricState(ByteView name) {
  CHECK(name.size() <= hash_.bytes.size());  // Both names fit, so they are padded with zeros and not hashed.
  std::ranges::copy(name, hash_.bytes.begin());
  chaining_key_ = crypto::ChainKey(hash_.bytes);
}

void SymmetricState::mix_hash(ByteView data) { hash_ = crypto::sha256({hash_.view(), data}); }

void SymmetricState::mix_key(const crypto::SharedSecret& secret) {
  auto keys = hkdf2(chaining_key_, secret.view());
  chaining_key_ = std::move(keys.first);
  key_ = std::move(keys.second);
  counter_ = 0;
}

void SymmetricState::encrypt_and_hash(ByteView plaintext, Bytes& out) {
  const auto start = out.size();
  if (key_) {
    crypto::seal(*key_, nonce_of(counter_++), hash_.view(), plaintext, out);
  } else {
    append(out, plaintext);
  }
  mix_hash(ByteView(out).subspan(start));
}

Result<Bytes> SymmetricState::decrypt_and_hash(ByteView bytes) {
  Bytes plaintext;
  if (key_) {
    EKIDEN_ASSIGN(plaintext, crypto::open(*key_, nonce_of(counter_), hash_.view(), bytes));
    ++counter_;
  } else {
    plaintext = to_bytes(bytes);
  }
  mix_hash(bytes);
  return plaintext;
}

std::pair<crypto::AeadKey, crypto::AeadKey> SymmetricState::split() const {
  auto keys = hkdf2(chaining_key_, {});
  return {crypto::AeadKey(keys.first.view()), std::move(keys.second)};
}

// HandshakeState. -----------------------------------------------------------------------------------------------------

HandshakeState::HandshakeState(const Setup& setup)
    : pattern_(setup.pattern),
      initiator_(setup.initiator),
      symmetric_(protocol_name(setup.pattern)),
      static_(setup.static_key),
      ephemeral_secret_(setup.ephemeral_entropy),
      remote_static_(setup.remote_static) {
  symmetric_.mix_hash(setup.prologue);
  if (pattern_ != Pattern::ik) return;
  CHECK(!initiator_ || remote_static_.has_value());
  symmetric_.mix_hash(initiator_ ? remote_static_->view() : static_.public_key.view());  // The pre-message "<- s".
}

// Section 7.5. Both patterns have the initiator speak first.
ByteView HandshakeState::tokens() const {
  using enum Token;
  constexpr auto kMessage = [](auto... token) {
    return std::array<Byte, sizeof...(token)>{static_cast<Byte>(token)...};
  };
  static constexpr auto kIk1 = kMessage(e, es, s, ss);
  static constexpr auto kIk2 = kMessage(e, ee, se);
  static constexpr auto kXx1 = kMessage(e);
  static constexpr auto kXx2 = kMessage(e, ee, s, es);
  static constexpr auto kXx3 = kMessage(s, se);
  if (pattern_ == Pattern::ik) return next_message_ == 0 ? ByteView(kIk1) : ByteView(kIk2);
  if (next_message_ == 0) return kXx1;
  return next_message_ == 1 ? ByteView(kXx2) : ByteView(kXx3);
}

bool HandshakeState::is_finished() const { return next_message_ == (pattern_ == Pattern::ik ? 2U : 3U); }

Status HandshakeState::mix_dh(Token token) {
  // The first letter is the initiator's key, the second the responder's.
  const bool mine_is_static = token == Token::ss || token == (initiator_ ? Token::se : Token::es);
  const bool theirs_is_static = token == Token::ss || token == (initiator_ ? Token::es : Token::se);
  const auto& theirs = theirs_is_static ? remote_static_ : remote_ephemeral_;
  CHECK(theirs.has_value());
  EKIDEN_ASSIGN(const auto secret, crypto::x25519(mine_is_static ? static_.secret : ephemeral_secret_, *theirs));
  symmetric_.mix_key(secret);
  return {};
}

Status HandshakeState::write_token(Token token, Bytes& out) {
  switch (token) {
    case Token::e: {
      const auto public_key = crypto::x25519_public(ephemeral_secret_);
      append(out, public_key.view());
      symmetric_.mix_hash(public_key.view());
      return {};
    }
    case Token::s:
      symmetric_.encrypt_and_hash(static_.public_key.view(), out);
      return {};
    case Token::ee:
    case Token::es:
    case Token::se:
    case Token::ss:
      break;
  }
  return mix_dh(token);
}

Status HandshakeState::read_token(Token token, ByteView& rest) {
  if (token != Token::e && token != Token::s) return mix_dh(token);
  const auto size = kKeySize + (token == Token::s && symmetric_.has_key() ? crypto::kTagSize : 0);
  if (rest.size() < size) return fail(Errc::malformed, "a handshake message ends inside a key");
  const auto field = rest.first(size);
  rest = rest.subspan(size);
  if (token == Token::e) {
    remote_ephemeral_ = crypto::X25519PublicKey{take_array<kKeySize>(field)};
    symmetric_.mix_hash(field);
    return {};
  }
  EKIDEN_ASSIGN(const Bytes key, symmetric_.decrypt_and_hash(field));
  remote_static_ = crypto::X25519PublicKey{take_array<kKeySize>(key)};
  return {};
}

Status HandshakeState::write_message(ByteView payload, Bytes& out) {
  CHECK(is_my_turn());
  const auto start = out.size();
  for (const Byte token : tokens()) EKIDEN_TRY(write_token(static_cast<Token>(token), out));
  symmetric_.encrypt_and_hash(payload, out);
  if (out.size() - start > kMaxNoiseMessage) return fail(Errc::too_large, "a handshake message over 65,535 bytes");
  ++next_message_;
  return {};
}

Result<Bytes> HandshakeState::read_message(ByteView message) {
  CHECK(!is_finished() && !is_my_turn());
  if (message.size() > kMaxNoiseMessage) return fail(Errc::too_large, "a handshake message over 65,535 bytes");
  for (const Byte token : tokens()) EKIDEN_TRY(read_token(static_cast<Token>(token), message));
  EKIDEN_ASSIGN(Bytes payload, symmetric_.decrypt_and_hash(message));
  ++next_message_;
  return payload;
}

HandshakeState::Keys HandshakeState::split_keys() const {
  CHECK(is_finished());
  auto [forth, back] = symmetric_.split();
  if (initiator_) return {std::move(forth), std::move(back)};
  return {std::move(back), std::move(forth)};
}

HandshakeState::Ciphers HandshakeState::split(CipherContexts& contexts) const {
  const Keys keys = split_keys();
  return {CipherState(contexts, keys.send), CipherState(contexts, keys.receive)};
}

}  // namespace ekiden::noise
