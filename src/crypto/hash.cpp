// SHA-256 comes from OpenSSL's SHA256_CTX on the stack, and HMAC and HKDF are built on it here. The ratchet computes
// several HMACs over 32 bytes for every message: through EVP each hash costs an allocation and a provider call, which
// takes as long again as the hash itself, and libsodium's portable SHA-256 takes four times as long as SHA-NI code.
// OpenSSL 3 advises EVP instead of these functions, and keeps them; asking for the interface of 1.1.1 says we know.
#define OPENSSL_API_COMPAT 0x10101000L

#include "crypto/hash.hpp"

#include <openssl/sha.h>

#include <algorithm>

#include "base/check.hpp"

namespace ekiden::crypto {
namespace {

constexpr std::size_t kBlockSize = SHA256_CBLOCK;
constexpr std::size_t kDigestSize = SHA256_DIGEST_LENGTH;
static_assert(Digest::kSize == kDigestSize && ChainKey::kSize == kDigestSize);

/// A running hash. It may have absorbed a key, so it erases itself.
class Sha256 {
 public:
  Sha256() { CHECK(SHA256_Init(&state_) == 1); }
  Sha256(const Sha256&) = default;
  Sha256& operator=(const Sha256&) = delete;
  ~Sha256() { sodium_memzero(&state_, sizeof state_); }

  void update(ByteView bytes) {
    if (!bytes.empty()) CHECK(SHA256_Update(&state_, bytes.data(), bytes.size()) == 1);
  }

  /// REQUIRES: out.size() == kDigestSize.
  void finish(MutableBytes out) { CHECK(SHA256_Final(out.data(), &state_) == 1); }

 private:
  SHA256_CTX state_;
};

/// RFC 2104 section 4: both hashes with the padded key already absorbed, so that messages under one key share it.
class HmacKey {
 public:
  explicit HmacKey(ByteView key) {
    Secret<kBlockSize, struct PaddedKeyTag> padded;
    const auto pad = padded.mutable_view();
    if (key.size() > kBlockSize) {
      Sha256 hash;
      hash.update(key);
      hash.finish(pad.first<kDigestSize>());
    } else {
      std::ranges::copy(key, pad.begin());
    }
    for (auto& byte : pad) byte ^= 0x36;
    inner_.update(pad);
    for (auto& byte : pad) byte ^= 0x36 ^ 0x5c;
    outer_.update(pad);
  }

  template <class Parts>
  void compute(const Parts& parts, MutableBytes out) const {
    Sha256 inner = inner_;
    for (const ByteView part : parts) inner.update(part);
    inner.finish(out);
    Sha256 outer = outer_;
    outer.update(out);
    outer.finish(out);
  }

 private:
  Sha256 inner_;
  Sha256 outer_;
};

}  // namespace

Digest sha256(ByteView bytes) { return sha256({bytes}); }

Digest sha256(std::initializer_list<ByteView> parts) {
  Digest digest;
  Sha256 hash;
  for (const ByteView part : parts) hash.update(part);
  hash.finish(digest.bytes);
  return digest;
}

ChainKey hmac_sha256(ByteView key, std::initializer_list<ByteView> parts) {
  ChainKey code;
  HmacKey(key).compute(parts, code.mutable_view());
  return code;
}

std::array<ChainKey, 2> hmac_sha256_of_two(ByteView key, ByteView first, ByteView second) {
  const HmacKey keyed(key);
  std::array<ChainKey, 2> codes;
  keyed.compute(std::array{first}, codes[0].mutable_view());
  keyed.compute(std::array{second}, codes[1].mutable_view());
  return codes;
}

bool hmac_sha256_verify(ByteView key, ByteView message, ByteView expected) {
  return equal_in_constant_time(hmac_sha256(key, {message}).view(), expected);
}

ChainKey hkdf_extract(ByteView salt, ByteView input_key_material) {
  if (!salt.empty()) return hmac_sha256(salt, {input_key_material});
  // RFC 5869 section 2.2: a missing salt is a string of zeros, which HMAC's own padding makes of the empty key.
  static const HmacKey no_salt{ByteView()};
  ChainKey key;
  no_salt.compute(std::array{input_key_material}, key.mutable_view());
  return key;
}

Status hkdf_expand(ByteView pseudo_random_key, ByteView info, MutableBytes out) {
  if (out.size() > kMaxHkdfOutput) {
    return fail(Errc::too_large, "HKDF-SHA-256 cannot make more than 8160 bytes from one key");
  }
  // RFC 5869 section 2.3: T(i) = HMAC(PRK, T(i-1) | info | i), where T(0) is empty.
  const HmacKey key(pseudo_random_key);
  ChainKey block;
  Byte counter = 0;
  for (auto rest = out; !rest.empty();) {
    const ByteView previous = counter == 0 ? ByteView() : block.view();
    ++counter;
    key.compute(std::initializer_list<ByteView>{previous, info, {&counter, 1}}, block.mutable_view());
    const auto taken = std::min(rest.size(), kDigestSize);
    std::ranges::copy(block.view().first(taken), rest.begin());
    rest = rest.subspan(taken);
  }
  return {};
}

}  // namespace ekiden::crypto
