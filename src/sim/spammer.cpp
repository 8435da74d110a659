#include "sim/spammer.hpp"

#include "base/check.hpp"

namespace ekiden::sim {
namespace {

/// So much waits here at most before another letter is written.
constexpr std::size_t kEnough = 4 * SpamLetters::kBody;
constexpr Duration kDialAgain = milliseconds(500);

}  // namespace

Spammer::Spammer(Schedule& schedule, Network& network, const identity::IpAddress& at, Rng rng)
    : Spammer(schedule, network, at, crypto::Ed25519Seed(rng.bytes<32>()), rng) {}

Spammer::Spammer(Schedule& schedule, Network& network, const identity::IpAddress& at, const crypto::Ed25519Seed& seed,
                 Rng& rng)
    : LinkHost(schedule, network, seed, 0, rng.split(), at), rng_(rng.split()) {}

Bytes Spammer::record() {
  if (record_.empty()) {
    identity::PeerRecord own;
    own.public_key = self().public_key();
    own.sequence = 1;
    own.issued_at = now().wall;
    own.ttl_seconds = 3600;
    record_ = *identity::sign_record(self(), own);
  }
  return record_;
}

void Spammer::start(const Victim& victim, const identity::PeerId& accomplice, Duration pause) {
  victim_ = victim;
  accomplice_ = accomplice;
  pause_ = pause;
  write();
}

void Spammer::on_up(const link::Up& up) {
  if (!letters_) letters_.emplace(self(), up.record.record, accomplice_, rng_.split());
}

void Spammer::write() {
  if (stopped_) return hang_up(victim_->id);
  const bool is_up = has_link(victim_->id);
  if (!is_up) {
    hang_up(victim_->id);
    dial(victim_->id, victim_->endpoint);
  } else if (queued(victim_->id) < kEnough) {
    send(victim_->id, wire::Priority::normal, letters_->next(now()));
    ++written_;
  }
  schedule().after(is_up ? pause_ : kDialAgain, [this] { write(); });
}

}  // namespace ekiden::sim
