// Stateless cookies: the proof that a sender receives at the address it sends from, asked for under load before
// anything is computed or kept (as WireGuard does, section 5.4.7 of its paper; the idea is Photuris', RFC 2522).
//
// A cookie is a MAC over the sender's address and its index under a secret that nobody else has and that changes every
// two minutes; the one before is still good, so a cookie lives two to four minutes.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"
#include "crypto/keys.hpp"
#include "datagram/packet.hpp"
#include "identity/node_info.hpp"

namespace ekiden::datagram {

class CookieJar {
 public:
  static constexpr Duration kSecretLifetime = minutes(2);

  explicit CookieJar(Rng rng) : rng_(std::move(rng)) {}

  Cookie bake(Instant now, const identity::SocketAddress& from, Index sender);
  bool verify(Instant now, const identity::SocketAddress& from, Index sender, const Cookie& cookie);

 private:
  using Secret = crypto::ChainKey;
  void rotate(Instant now);

  Rng rng_;
  Secret current_;
  Secret previous_;
  Instant made_{};
  bool has_secret_ = false;
};

}  // namespace ekiden::datagram
