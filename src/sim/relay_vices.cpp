// Relays that lie. What they may not change they change all the same: packets are taken apart, and put together again
// with the traitor's own signatures where a lie needs them.
#include <algorithm>
#include <deque>
#include <set>
#include <utility>

#include "identity/cose_sign.hpp"
#include "relay/wire_form.hpp"
#include "router/receipts.hpp"
#include "sim/vice.hpp"

namespace ekiden::sim {
namespace {

using relay::Packet;
using relay::PacketKind;

constexpr std::size_t kOldPackets = 64;

bool is_type(ByteView message, wire::MessageType type) {
  return !message.empty() && message[0] == static_cast<Byte>(type);
}

/// A packet with a message or a receipt: what others want handed on.
std::optional<Packet> freight_in(ByteView message) {
  if (!is_type(message, wire::MessageType::packet)) return std::nullopt;
  auto packet = wire::decode<Packet>(message.subspan(1));
  if (!packet || (packet->kind != PacketKind::envelope && packet->kind != PacketKind::receipt)) return std::nullopt;
  return std::move(*packet);
}

Bytes encoded(const Packet& packet) {
  return *relay::link_message(wire::MessageType::packet, packet, relay::size_with_hop(packet));
}

void flip_some_byte(Bytes& bytes, Rng& rng) {
  if (!bytes.empty()) bytes[rng.below(bytes.size())] ^= static_cast<Byte>(1 + rng.below(255));
}

class LyingRelay : public Vice {
 public:
  LyingRelay(Hands& hands, Rng rng) : hands_(hands), rng_(std::move(rng)) {}

  bool passes_in(const identity::PeerId& from, ByteView message) override {
    const auto packet = freight_in(message);
    const bool is_ours = !packet || packet->to == hands_.keys().id();
    return is_ours || hears(from, *packet);
  }
  bool passes_out(const identity::PeerId& to, ByteView message) override {
    const auto packet = freight_in(message);
    const bool is_ours = !packet || packet->from == hands_.keys().id();
    return is_ours || hands_on(to, *packet, message);
  }

 protected:
  virtual bool hears(const identity::PeerId& /*from*/, const Packet& /*packet*/) { return true; }
  virtual bool hands_on(const identity::PeerId& /*to*/, const Packet& /*packet*/, ByteView /*message*/) { return true; }

  void say(const identity::PeerId& to, const Packet& packet) {
    ++deeds_;
    hands_.say(to, encoded(packet));
  }
  void say_taken(const identity::PeerId& to, const Packet& packet) {
    const relay::Taken answer{{packet.subject()}};
    hands_.say(to, *relay::link_message(wire::MessageType::taken, answer));
  }
  /// Signed by us, as if we handed it to `next` after these hops.
  void add_hop(Packet& packet, const identity::PeerId& next) const {
    const crypto::Digest subject = packet.subject();
    const auto at = hands_.time().wall;
    const auto previous = path::last_leaf(subject, hands_.keys().id(), packet.path);
    const std::vector<crypto::Digest> leaves{path::leaf_of(subject, previous, hands_.keys().id(), next, at)};
    packet.path.push_back(path::sign_hops(hands_.keys(), at, leaves).front());
  }

  Hands& hands_;
  Rng rng_;
};

class Swallows : public LyingRelay {
 public:
  using LyingRelay::LyingRelay;

 protected:
  bool hears(const identity::PeerId& from, const Packet& packet) override {
    ++deeds_;
    if (packet.durable) {
      if (seen_.insert(packet.subject()).second) swallowed_.push_back(hands_.time().mono);
      say_taken(from, packet);
    }
    return false;
  }

 private:
  std::set<crypto::Digest> seen_;
};

class ForgesReceipts final : public Swallows {
 public:
  using Swallows::Swallows;

 private:
  /// Whoever believes one of these would tell its application that the message has arrived.
  bool hears(const identity::PeerId& from, const Packet& packet) override {
    if (packet.kind == PacketKind::envelope) {
      for (const identity::PeerId& by : {packet.to, hands_.keys().id()}) forge(from, packet, by);
    }
    return Swallows::hears(from, packet);
  }

  void forge(const identity::PeerId& from, const Packet& packet, const identity::PeerId& by) {
    const router::Receipt receipt{.by = by, .to = packet.from, .at = hands_.time().wall, .delivered = {packet.id}};
    const Bytes forged = identity::cose_sign(hands_.keys(), as_bytes(router::kReceiptPurpose), wire::encode(receipt));
    Bytes direct{static_cast<Byte>(wire::MessageType::receipt)};
    append(direct, forged);
    hands_.say(from, direct);
    Packet answer{.id = Uuid::random(rng_),
                  .from = by,
                  .to = packet.from,
                  .expires = packet.expires,
                  .priority = wire::Priority::high,
                  .kind = PacketKind::receipt,
                  .payload = forged};
    add_hop(answer, from);
    say(from, answer);
  }
};

class Delays final : public LyingRelay {
 public:
  using LyingRelay::LyingRelay;

 private:
  bool hands_on(const identity::PeerId& to, const Packet& /*packet*/, ByteView message) override {
    ++deeds_;
    hands_.later(rng_.between(seconds(1), seconds(30)), [this, to, held = to_bytes(message)] { hands_.say(to, held); });
    return false;
  }
};

class Repeats final : public LyingRelay {
 public:
  using LyingRelay::LyingRelay;

 private:
  bool hands_on(const identity::PeerId& to, const Packet& /*packet*/, ByteView message) override {
    ++deeds_;
    hands_.say(to, message);
    hands_.say(to, message);
    if (!old_.empty()) {
      const auto& [old_to, old] = old_[rng_.below(old_.size())];
      hands_.say(old_to, old);
      if (const auto met = hands_.met(); !met.empty()) hands_.say(met[rng_.below(met.size())], old);
    }
    old_.emplace_back(to, to_bytes(message));
    if (old_.size() > kOldPackets) old_.pop_front();
    return true;
  }

  std::deque<std::pair<identity::PeerId, Bytes>> old_;
};

class Alters final : public LyingRelay {
 public:
  using LyingRelay::LyingRelay;

 private:
  bool hands_on(const identity::PeerId& to, const Packet& packet, ByteView /*message*/) override {
    Packet changed = packet;
    Bytes payload = to_bytes(packet.payload);
    changed.payload = payload;
    switch (deeds_ % 6) {
      case 0:
      case 1:
        flip_some_byte(payload, rng_);
        break;
      case 2:  // With a hop of ours that fits.
        flip_some_byte(payload, rng_);
        if (!changed.path.empty()) changed.path.pop_back();
        add_hop(changed, to);
        break;
      case 3:
        payload.resize(rng_.below(payload.size() + 1));
        changed.payload = payload;
        break;
      case 4:
        changed.id = Uuid::random(rng_);
        break;
      default:
        changed.expires = hands_.time().wall + milliseconds(1);
        changed.priority = wire::Priority::background;
        break;
    }
    say(to, changed);
    return false;
  }
};

class ForgesPaths final : public LyingRelay {
 public:
  using LyingRelay::LyingRelay;

 private:
  bool hands_on(const identity::PeerId& to, const Packet& packet, ByteView /*message*/) override {
    Packet changed = packet;
    path::Hops& hops = changed.path;
    if (hops.size() < 2) return true;  // Not signed.
    const path::Hops genuine = hops;
    switch (deeds_ % 8) {
      case 0:
        hops.erase(hops.begin());
        break;
      case 1:
        hops.pop_back();
        break;
      case 2:
        std::ranges::reverse(hops);
        break;
      case 3:
        hops.insert(hops.begin() + 1, hops.front());
        break;
      case 4:  // As if it had come straight from its origin to us, who sign.
        hops.resize(1);
        hops.front().by = hands_.keys().public_key();
        break;
      case 5:
        hops = other_.size() < 2 ? path::Hops{} : other_;
        break;
      case 6:  // By somebody who is not there.
        hops.insert(hops.end() - 1, invented(changed, genuine));
        break;
      default:
        hops.back().at += hours(1);
        break;
    }
    other_ = genuine;
    say(to, changed);
    return false;
  }

  /// A hop of a new key, which signs what is true until ours.
  path::Hop invented(const Packet& packet, const path::Hops& genuine) {
    const identity::Identity nobody(crypto::Ed25519Seed(rng_.bytes<32>()));
    const std::span before = std::span(genuine).first(genuine.size() - 1);
    const auto at = hands_.time().wall;
    const auto subject = packet.subject();
    const std::vector<crypto::Digest> leaves{
        path::leaf_of(subject, path::last_leaf(subject, nobody.id(), before), nobody.id(), hands_.keys().id(), at)};
    return path::sign_hops(nobody, at, leaves).front();
  }

  path::Hops other_;
};

class Loops final : public LyingRelay {
 public:
  using LyingRelay::LyingRelay;

 private:
  bool hands_on(const identity::PeerId& to, const Packet& packet, ByteView /*message*/) override {
    Packet back = packet;
    const bool is_signed = !back.path.empty();
    std::vector<identity::PeerId> passed;
    for (const path::Hop& hop : packet.path) passed.push_back(identity::PeerId::of(hop.by));
    const identity::PeerId next = deeds_ % 2 == 0 && passed.size() > 1 ? passed[passed.size() - 2] : to;
    back.route = passed;  // Once more by all of them, ourselves included.
    if (back.route.size() > relay::kMaxRoute) back.route.resize(relay::kMaxRoute);
    if (is_signed) {
      back.path.pop_back();
      add_hop(back, next);
    }
    say(next, back);
    return deeds_ % 3 == 0;
  }
};

}  // namespace

std::unique_ptr<Vice> make_relay_vice(RelayVice kind, Hands& hands, Rng rng) {
  switch (kind) {
    case RelayVice::swallows:
      return std::make_unique<Swallows>(hands, std::move(rng));
    case RelayVice::delays:
      return std::make_unique<Delays>(hands, std::move(rng));
    case RelayVice::repeats:
      return std::make_unique<Repeats>(hands, std::move(rng));
    case RelayVice::alters:
      return std::make_unique<Alters>(hands, std::move(rng));
    case RelayVice::forges_paths:
      return std::make_unique<ForgesPaths>(hands, std::move(rng));
    case RelayVice::loops:
      return std::make_unique<Loops>(hands, std::move(rng));
    case RelayVice::forges_receipts:
      return std::make_unique<ForgesReceipts>(hands, std::move(rng));
  }
  std::unreachable();
}

}  // namespace ekiden::sim
