// That a cipher leaves neither its key nor the schedule of it in memory that is given back. OpenSSL keeps the schedule,
// in memory that it takes and frees through functions of this test, which look at it before it goes.
#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>

#include "crypto/aead.hpp"

namespace ekiden::crypto {
namespace {

/// What OpenSSL has taken and not given back, with the sizes; never destroyed, for OpenSSL frees until the very end.
std::map<void*, std::size_t>& taken_blocks() {
  static auto& blocks = *new std::map<void*, std::size_t>;
  return blocks;
}

const ByteArray<32>& watched_key() {
  static const ByteArray<32> key = [] {
    ByteArray<32> bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<Byte>(0xe1 ^ (i * 37));
    return bytes;
  }();
  return key;
}

bool holds_watched_key(const void* block, std::size_t size) {
  const ByteView bytes(static_cast<const Byte*>(block), size);
  return std::ranges::search(bytes, watched_key()).begin() != bytes.end();
}

std::size_t freed_with_key = 0;

void give_back(void* block, const char* /*file*/, int /*line*/) {
  if (block == nullptr) return;
  const auto found = taken_blocks().find(block);
  if (found != taken_blocks().end()) {
    if (holds_watched_key(block, found->second)) ++freed_with_key;
    taken_blocks().erase(found);
  }
  std::free(block);
}

void* take(std::size_t size, const char* /*file*/, int /*line*/) {
  void* const block = std::malloc(size);
  taken_blocks()[block] = size;
  return block;
}

void* take_anew(void* block, std::size_t size, const char* file, int line) {
  if (block == nullptr) return take(size, file, line);
  const auto found = taken_blocks().find(block);
  void* const fresh = take(size, file, line);
  if (found != taken_blocks().end())
    std::copy_n(static_cast<Byte*>(block), std::min(size, found->second), static_cast<Byte*>(fresh));
  give_back(block, file, line);
  return fresh;
}

/// Before main, for OpenSSL takes no others once it has used its own.
const bool kAreInstalled = CRYPTO_set_mem_functions(take, take_anew, give_back) == 1;

bool is_key_in_memory() {
  return std::ranges::any_of(taken_blocks(),
                             [](const auto& block) { return holds_watched_key(block.first, block.second); });
}

TEST(AeadErasure, ACipherThatDiesLeavesNoKeyBehind) {
  ASSERT_TRUE(kAreInstalled);
  std::optional<AeadCipher> cipher{AeadKey(watched_key())};
  Bytes out(5 + kTagSize);
  cipher->seal(Nonce{}, {}, Bytes(5), out);
  EXPECT_TRUE(is_key_in_memory()) << "the test does not see what it is about";
  cipher.reset();
  EXPECT_FALSE(is_key_in_memory());
  EXPECT_EQ(freed_with_key, 0U);
}

TEST(AeadErasure, ANewKeyTakesThePlaceOfTheOldOne) {
  ASSERT_TRUE(kAreInstalled);
  AeadCipher cipher{AeadKey(watched_key())};
  cipher.set_key(AeadKey());
  EXPECT_FALSE(is_key_in_memory());
  EXPECT_EQ(freed_with_key, 0U);
}

TEST(AeadErasure, AKeyForOneMessageLeavesNothingBehind) {
  ASSERT_TRUE(kAreInstalled);
  Bytes out;
  seal(AeadKey(watched_key()), Nonce{}, {}, Bytes(5), out);
  ASSERT_TRUE(open(AeadKey(watched_key()), Nonce{}, {}, out));
  EXPECT_FALSE(is_key_in_memory());
  EXPECT_EQ(freed_with_key, 0U);
}

}  // namespace
}  // namespace ekiden::crypto
