#include "lan/lan.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "identity/lan_beacon.hpp"

namespace ekiden::lan {

Lan::Lan(const identity::Identity& self, Config config, Rng rng)
    : self_(self),
      config_(config),
      rng_(std::move(rng)),
      peers_(config_),
      checks_(config_.checks),
      sources_(config_.max_sources) {
  CHECK(config_.valid());
}

void Lan::start(Now now, Ports ports, Outbox<Effect>& out) {
  CHECK(!on_ && here_.empty() && ports.udp != 0);
  const auto sign = [&](bool asks) {
    auto beacon = identity::sign_lan_beacon(
        self_, {.public_key = self_.public_key(), .udp_port = ports.udp, .tcp_port = ports.tcp, .asks = asks});
    CHECK(beacon.has_value());
    return std::move(*beacon);
  };
  here_ = sign(false);
  asking_ = sign(true);
  on_ = true;
  asks_left_ = config_.asks;
  ask_wait_ = config_.ask_interval;
  next_ = now.mono;
  on_deadline(now, out);
}

void Lan::stop() {
  on_ = false;
  next_.reset();
  answer_.reset();
}

void Lan::on_beacon(Now now, const identity::SocketAddress& from, ByteView bytes, Outbox<Effect>& out) {
  if (!on_ || std::ranges::equal(bytes, here_) || std::ranges::equal(bytes, asking_)) return;
  const bool is_plausible = bytes.size() <= identity::kMaxLanBeaconSize && may_hear(from.ip);
  if (!is_plausible || !spend_check(now.mono, from.ip)) {
    ++counters_.dropped;
    return;
  }
  const auto beacon = identity::verify_lan_beacon(bytes);
  if (!beacon) {
    ++counters_.dropped;
    return;
  }
  if (beacon->public_key == self_.public_key()) return;  // Of an earlier run.
  const Place place{.ip = from.ip, .udp_port = beacon->udp_port, .tcp_port = beacon->tcp_port, .heard = now.mono};
  const Peers::Heard what = peers_.hear(beacon->id(), beacon->public_key, place);
  if (what == Peers::Heard::refused) {
    ++counters_.dropped;
    return;
  }
  ++counters_.heard;
  if (beacon->asks || what == Peers::Heard::new_peer) plan_answer(now.mono);
  out.push(Heard{.node = {.public_key = beacon->public_key, .at = {.ip = from.ip, .port = beacon->udp_port}},
                 .is_news = beacon->asks || what != Peers::Heard::again});
}

bool Lan::may_hear(const identity::IpAddress& from) const {
  switch (identity::classify(from)) {
    case identity::AddressClass::private_use:
      return true;
    case identity::AddressClass::loopback:
    case identity::AddressClass::link_local:
      return config_.special_sources;
    default:
      return false;
  }
}

/// The source pays first: what one sends too much costs the others nothing.
bool Lan::spend_check(Instant now, const identity::IpAddress& from) {
  flow::TokenBucket* source = sources_.find(from);
  if (source == nullptr) source = &sources_.put(from, flow::TokenBucket(config_.checks_per_source));
  return source->take(now) && checks_.take(now);
}

void Lan::say(Now now, const Bytes& beacon, Outbox<Effect>& out) {
  ++counters_.said;
  said_ = now.mono;
  answer_.reset();
  // Everybody has heard it: the next one of our own accord is an interval away.
  if (asks_left_ == 0) next_ = now.mono + rng_.between(config_.interval * 3 / 4, config_.interval * 5 / 4);
  out.push(Say{beacon});
}

void Lan::plan_answer(Instant now) {
  if (answer_) return;
  answer_ = now + rng_.between(Duration{}, config_.max_answer_delay);
  if (said_) answer_ = std::max(*answer_, *said_ + config_.min_pause);
}

std::optional<Instant> Lan::deadline() const { return earlier(earlier(next_, answer_), peers_.deadline()); }

void Lan::on_deadline(Now now, Outbox<Effect>& out) {
  while (const auto peer = peers_.expire(now.mono)) out.push(Forgotten{*peer});
  if (next_ && *next_ <= now.mono && asks_left_ > 0) {
    --asks_left_;
    next_ = now.mono + ask_wait_;
    ask_wait_ *= 2;
    say(now, asking_, out);
  } else if ((next_ && *next_ <= now.mono) || (answer_ && *answer_ <= now.mono)) {
    say(now, here_, out);
  }
}

LanStatus Lan::status() const {
  LanStatus status = counters_;
  status.on = on_;
  status.peers = peers_.all().size();
  return status;
}

void Lan::check_invariants() const {
  peers_.check_invariants();
  CHECK(peers_.find(self_.id()) == nullptr);
  CHECK(on_ ? next_.has_value() : !next_ && !answer_);
  CHECK(sources_.size() <= config_.max_sources);
}

}  // namespace ekiden::lan
