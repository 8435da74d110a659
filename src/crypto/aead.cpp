#include "crypto/aead.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <optional>

#include "base/check.hpp"

namespace ekiden::crypto {
namespace {

/// The values are those of OpenSSL's `enc` argument.
enum Direction : int { decrypt = 0, encrypt = 1 };

struct ContextDeleter {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }  // Erases the key schedule.
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, ContextDeleter>;

/// Looked up once: a lookup by name walks OpenSSL's providers under a lock and costs more than sealing a short message.
const EVP_CIPHER* aes_256_gcm() {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  CHECK(cipher != nullptr);
  return cipher;
}

Context make_context() {
  Context context(EVP_CIPHER_CTX_new());
  CHECK(context != nullptr);
  return context;
}

/// Runs `from` through the cipher into `to`, or authenticates it only where `to` is null. An empty input must not reach
/// OpenSSL, which takes a null pointer for the end of the message.
void feed(EVP_CIPHER_CTX* context, Byte* to, ByteView from) {
  CHECK(from.size() <= kMaxPlaintext);
  if (from.empty()) return;
  int written = 0;
  CHECK(EVP_CipherUpdate(context, to, &written, from.data(), static_cast<int>(from.size())) == 1);
  CHECK(written == static_cast<int>(from.size()));
}

void seal_with(EVP_CIPHER_CTX* context, ByteView associated, ByteView plaintext, MutableBytes out) {
  CHECK(out.size() == plaintext.size() + kTagSize);
  feed(context, nullptr, associated);
  feed(context, out.data(), plaintext);
  Byte* const tag = out.data() + plaintext.size();
  int written = 0;
  CHECK(EVP_CipherFinal_ex(context, tag, &written) == 1 && written == 0);
  CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagSize, tag) == 1);
}

Status open_with(EVP_CIPHER_CTX* context, ByteView associated, ByteView sealed, MutableBytes out) {
  CHECK(sealed.size() >= kTagSize && out.size() == sealed.size() - kTagSize);
  ByteArray<kTagSize> tag = take_array<kTagSize>(sealed.last(kTagSize));
  feed(context, nullptr, associated);
  feed(context, out.data(), sealed.first(out.size()));
  CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()) == 1);
  int written = 0;
  Byte nothing = 0;  // GCM has no padding: the last call only compares the tags.
  if (EVP_CipherFinal_ex(context, &nothing, &written) == 1) return {};
  std::ranges::fill(out, Byte{0});
  return fail(Errc::unauthenticated, "the AES-256-GCM tag does not verify: wrong key, nonce or changed bytes");
}

/// A context for one message under a key of its own.
Context one_time(const AeadKey& key, const Nonce& nonce, Direction direction) {
  auto context = make_context();
  CHECK(EVP_CipherInit_ex2(context.get(), aes_256_gcm(), key.view().data(), nonce.data(), direction, nullptr) == 1);
  return context;
}

}  // namespace

struct AeadCipher::State {
  Context context = make_context();
  std::optional<AeadKey> key;

  /// Starts a message under the key that is set.
  EVP_CIPHER_CTX* start(const Nonce& nonce, Direction direction) const {
    CHECK(EVP_CipherInit_ex2(context.get(), nullptr, nullptr, nonce.data(), direction, nullptr) == 1);
    return context.get();
  }
};

AeadCipher::AeadCipher(const AeadKey& key) : state_(std::make_unique<State>()) { set_key(key); }
AeadCipher::~AeadCipher() = default;
AeadCipher::AeadCipher(AeadCipher&&) noexcept = default;
AeadCipher& AeadCipher::operator=(AeadCipher&&) noexcept = default;

void AeadCipher::set_key(const AeadKey& key) {
  CHECK(state_ != nullptr);
  if (state_->key == key) return;
  state_->key = key;
  CHECK(EVP_CipherInit_ex2(state_->context.get(), aes_256_gcm(), key.view().data(), nullptr, Direction::encrypt,
                           nullptr) == 1);
}

void AeadCipher::seal(const Nonce& nonce, ByteView associated, ByteView plaintext, MutableBytes out) {
  CHECK(state_ != nullptr);
  seal_with(state_->start(nonce, Direction::encrypt), associated, plaintext, out);
}

Status AeadCipher::open(const Nonce& nonce, ByteView associated, ByteView sealed, MutableBytes out) {
  CHECK(state_ != nullptr);
  return open_with(state_->start(nonce, Direction::decrypt), associated, sealed, out);
}

void seal(const AeadKey& key, const Nonce& nonce, ByteView associated, ByteView plaintext, Bytes& out) {
  const auto start = out.size();
  out.resize(start + plaintext.size() + kTagSize);
  seal_with(one_time(key, nonce, Direction::encrypt).get(), associated, plaintext, MutableBytes(out).subspan(start));
}

Result<Bytes> open(const AeadKey& key, const Nonce& nonce, ByteView associated, ByteView sealed) {
  if (sealed.size() < kTagSize) return fail(Errc::malformed, "sealed bytes are shorter than their 16-byte tag");
  Bytes plaintext(sealed.size() - kTagSize);
  EKIDEN_TRY(open_with(one_time(key, nonce, Direction::decrypt).get(), associated, sealed, plaintext));
  return plaintext;
}

}  // namespace ekiden::crypto
