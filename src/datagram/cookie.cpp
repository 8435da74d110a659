#include "datagram/cookie.hpp"

#include <utility>

#include "crypto/hash.hpp"

namespace ekiden::datagram {
namespace {

crypto::ChainKey mac(const crypto::ChainKey& secret, const identity::SocketAddress& from, Index sender) {
  ByteArray<11> rest{static_cast<Byte>(from.ip.family)};
  put_be(MutableBytes(rest).subspan(1), from.port);
  put_be(MutableBytes(rest).subspan(3), static_cast<std::uint64_t>(sender));
  return crypto::hmac_sha256(secret.view(), {from.ip.bytes, rest});
}

}  // namespace

Cookie CookieJar::bake(Instant now, const identity::SocketAddress& from, Index sender) {
  rotate(now);
  return take_array<kCookieSize>(mac(current_, from, sender).view());
}

bool CookieJar::verify(Instant now, const identity::SocketAddress& from, Index sender, const Cookie& cookie) {
  rotate(now);
  const auto matches = [&](const Secret& secret) {
    return crypto::equal_in_constant_time(mac(secret, from, sender).view().first(kCookieSize), cookie);
  };
  return matches(current_) || matches(previous_);
}

/// After a pause of two lifetimes both secrets are new: what was baked before is worth nothing any more.
void CookieJar::rotate(Instant now) {
  if (has_secret_ && now < made_ + kSecretLifetime) return;
  const bool both = !has_secret_ || now >= made_ + 2 * kSecretLifetime;
  previous_ = both ? Secret::draw(rng_) : std::move(current_);
  current_ = Secret::draw(rng_);
  made_ = now;
  has_secret_ = true;
}

}  // namespace ekiden::datagram
