#include "runtime/entropy.hpp"

#include <sodium.h>

#include "base/check.hpp"

namespace ekiden::runtime {

void ensure_crypto_ready() { CHECK(sodium_init() >= 0); }

Rng::Seed entropy_seed() {
  ensure_crypto_ready();
  Rng::Seed seed;
  randombytes_buf(seed.data(), seed.size());
  return seed;
}

}  // namespace ekiden::runtime
