#include "crypto/x25519_memo.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "crypto/hash.hpp"

namespace ekiden::crypto {
namespace {

X25519Memo*& current() {
  static constinit X25519Memo* memo = nullptr;
  return memo;
}

std::pair<X25519PublicKey, X25519PublicKey> pair_of(const X25519PublicKey& a, const X25519PublicKey& b) {
  return {std::min(a, b), std::max(a, b)};
}

}  // namespace

X25519Memo::X25519Memo(std::size_t max_entries) : publics_(max_entries), images_(max_entries), shared_(max_entries) {}

X25519Memo::~X25519Memo() {
  if (current() == this) current() = nullptr;
}

void X25519Memo::install() {
  CHECK(current() == nullptr);
  current() = this;
}

X25519Memo* X25519Memo::installed() { return current(); }

const X25519PublicKey* X25519Memo::find_public(const X25519SecretKey& secret) {
  return publics_.find(sha256(secret.view()));
}

void X25519Memo::note_public(const X25519SecretKey& secret, const X25519PublicKey& key) {
  publics_.put(sha256(secret.view()), key);
}

bool X25519Memo::take_shared(const X25519SecretKey& mine, const X25519PublicKey& theirs, SharedSecret& out) {
  const X25519PublicKey* ours = find_public(mine);
  if (ours == nullptr) return false;
  const Pair pair = pair_of(*ours, theirs);
  SharedSecret* known = shared_.find(pair);
  if (known == nullptr) return false;
  out = std::move(*known);
  shared_.erase(pair);
  return true;
}

void X25519Memo::note_shared(const X25519SecretKey& mine, const X25519PublicKey& theirs, const SharedSecret& shared) {
  const X25519PublicKey* ours = find_public(mine);
  if (ours != nullptr) shared_.put(pair_of(*ours, theirs), SharedSecret(shared));
}

}  // namespace ekiden::crypto
