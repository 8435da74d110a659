#include "whole/party.hpp"

#include <unistd.h>

#include <chrono>
#include <utility>

#include "whole/raw.hpp"

namespace ekiden::bench {
namespace {

Rng::Seed rng_seed(unsigned number) {
  Rng::Seed seed{1};
  put_be(MutableBytes(seed), number);
  return seed;
}

/// Why there is no link, as the pool says it.
std::unexpected<Error> no_link(Party& party) {
  for (const auto& effect : party.out.take()) {
    if (const auto* failed = std::get_if<link::DialFailed>(&effect)) return fail("no link", failed->why);
  }
  return fail(Errc::closed, "the other side closed the connection in the handshake");
}

}  // namespace

Now now() {
  const auto mono = Instant(nanoseconds(static_cast<std::int64_t>(seconds_now() * 1e9)));
  return {mono,
          WallTime(std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()))};
}

crypto::Ed25519Seed seed_of(unsigned number) {
  ByteArray<32> bytes{};
  put_be(MutableBytes(bytes), number);
  return crypto::Ed25519Seed(bytes);
}

Party::Party(unsigned number) : identity(seed_of(number)), pool(identity, {}, Rng(rng_seed(number))) {
  record.public_key = identity.public_key();
  record.sequence = 1;
  record.issued_at = now().wall;
  record.ttl_seconds = 3600;
  pool.set_own_record(*identity::sign_record(identity, record));
}

bool write_pending(Party& party, link::ConnId conn, int fd) {
  for (;;) {
    const ByteView bytes = party.pool.to_send(now(), conn);
    if (bytes.empty()) return true;
    if (!write_all(fd, bytes.data(), bytes.size())) return false;
    party.pool.mark_sent(now(), conn, bytes.size(), party.out);
  }
}

bool read_some(Party& party, link::ConnId conn, int fd, Bytes& buffer) {
  const ssize_t n = read(fd, buffer.data(), buffer.size());
  if (n <= 0) return false;
  party.pool.on_bytes(now(), conn, ByteView(buffer).first(static_cast<std::size_t>(n)), party.out);
  return true;
}

Status bring_up(Party& party, const identity::PeerId& peer, std::optional<identity::PeerRecord> record, int fd) {
  party.pool.want(now(), peer, {kAnywhere}, std::move(record), party.out);
  party.out.take();
  party.pool.on_connected(now(), kDialled, std::nullopt, party.out);
  Bytes buffer(64 * 1024);
  while (!party.pool.is_up(peer)) {
    if (!write_pending(party, kDialled, fd)) return no_link(party);
    if (party.pool.is_up(peer)) break;
    if (!read_some(party, kDialled, fd, buffer)) return no_link(party);
  }
  if (!write_pending(party, kDialled, fd)) return no_link(party);
  return {};
}

}  // namespace ekiden::bench
