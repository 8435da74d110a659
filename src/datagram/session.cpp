#include "datagram/session.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.hpp"
#include "noise/noise.hpp"

namespace ekiden::datagram {

Bytes Ciphers::seal(const crypto::AeadKey& key, Index receiver, std::uint64_t counter, const Content& what,
                    ByteView body) {
  CHECK(body.size() <= kMaxBody && counter < Session::kMaxCounter);
  Bytes packet = begin_data(receiver, counter, kDataPrefix + body.size() + crypto::kTagSize);
  packet.push_back(static_cast<Byte>(what.kind));
  append_be(packet, what.number);
  append(packet, body);
  const std::size_t plain = packet.size() - kDataHeader;
  packet.resize(packet.size() + crypto::kTagSize);
  cipher_.set_key(key);
  const auto whole = MutableBytes(packet);
  cipher_.seal(noise::nonce_of(counter), whole.first(kDataHeader), whole.subspan(kDataHeader, plain),
               whole.subspan(kDataHeader));
  return packet;
}

Result<Content> Ciphers::open(const crypto::AeadKey& key, const Data& packet) {
  Content content;
  content.buffer.resize(packet.sealed.size() - crypto::kTagSize);
  cipher_.set_key(key);
  EKIDEN_TRY(cipher_.open(noise::nonce_of(packet.counter), packet.header, packet.sealed, content.buffer));
  if (content.buffer.size() < kDataPrefix) return fail(Errc::malformed, "a datagram without kind and number");
  if (content.buffer[0] > static_cast<Byte>(Kind::answer)) {
    return fail(Errc::unsupported, "a datagram with content of kind " + std::to_string(content.buffer[0]));
  }
  content.kind = static_cast<Kind>(content.buffer[0]);
  content.number = get_be<std::uint32_t>(ByteView(content.buffer).subspan(1));
  return content;
}

void RoundTrip::measure(Duration took) {
  constexpr std::int64_t kMost = 60'000'000;
  const auto us = std::chrono::duration_cast<microseconds>(took).count();
  const auto sample = static_cast<std::uint32_t>(std::clamp<std::int64_t>(us, 1, kMost));
  if (smoothed_us == 0) {
    smoothed_us = sample;
    variation_us = sample / 2;
    return;
  }
  const std::uint32_t error = sample > smoothed_us ? sample - smoothed_us : smoothed_us - sample;
  variation_us = (3 * variation_us + error) / 4;
  smoothed_us = (7 * smoothed_us + sample) / 8;
}

}  // namespace ekiden::datagram
