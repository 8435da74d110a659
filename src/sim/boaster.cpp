#include "sim/boaster.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "dht/messages.hpp"
#include "identity/cose_sign.hpp"
#include "identity/peer_record.hpp"
#include "sim/machine.hpp"
#include "sim/traps.hpp"
#include "wire/message_codec.hpp"
#include "wire/message_type.hpp"

namespace ekiden::sim {
namespace {

constexpr Duration kRound = seconds(30);
constexpr Duration kTelling = seconds(3);  ///< from a link to its end
constexpr std::size_t kThousand = 1000;
constexpr std::size_t kStoredAt = 20;
constexpr std::string_view kRecordPurpose = "ekiden record 1";  // docs/protocol/README.md

/// A PeerRecord (identity/peer_record.hpp) but for its bounds.
struct BoundlessRecord {
  static constexpr std::string_view kName = "boundless_record";
  std::uint32_t version = 1;
  crypto::Ed25519PublicKey public_key;
  std::uint64_t sequence = 0;
  WallTime issued_at{};
  std::uint32_t ttl_seconds = 0;
  std::vector<std::string> endpoints;
  std::vector<std::string> capabilities;
  std::uint64_t features = 0;
  std::vector<identity::PeerId> relays;
  std::vector<identity::PeerId> mailboxes;

  static constexpr auto kFields = wire::fields(
      wire::field<1>("version", &BoundlessRecord::version), wire::field<2>("public_key", &BoundlessRecord::public_key),
      wire::field<3>("sequence", &BoundlessRecord::sequence), wire::field<4>("issued_at", &BoundlessRecord::issued_at),
      wire::field<5>("ttl_seconds", &BoundlessRecord::ttl_seconds),
      wire::field<6>("endpoints", &BoundlessRecord::endpoints, wire::max_count(kThousand), wire::max_size(128)),
      wire::field<7>("capabilities", &BoundlessRecord::capabilities, wire::max_count(16), wire::max_size(64)),
      wire::field<8>("features", &BoundlessRecord::features),
      wire::field<10>("relays", &BoundlessRecord::relays, wire::max_count(1)),
      wire::field<11>("mailboxes", &BoundlessRecord::mailboxes, wire::max_count(1)));
};

}  // namespace

/// Keeps the record of special addresses where the DHT looks for it.
class Boaster::Store final : public DatagramHost {
 public:
  Store(Boaster& owner, const crypto::Ed25519Seed& seed, const identity::IpAddress& at, Rng rng)
      : DatagramHost(owner.schedule(), owner.network(), seed, at, std::move(rng)), owner_(owner) {}

  void store() {
    const dht::Key key = dht::Key::of(self().id());
    const Bytes record = owner_.boast(Boast::special);
    dht::Query query;
    query.kind = dht::QueryKind::store;
    query.target = key;
    query.value_kind = dht::ValueKind::record;
    query.value = record;
    auto victims = owner_.victims_;
    std::ranges::sort(victims, {}, [&](const Victim& victim) { return dht::distance(key, victim.node.id()); });
    if (victims.size() > kStoredAt) victims.resize(kStoredAt);
    for (const Victim& victim : victims) ask(victim.node, wire::encode(query), /*first_flight_allowed=*/false);
  }

 private:
  Bytes answer_to(const datagram::Queried& /*query*/) override { return wire::encode(dht::Reply{}); }

  Boaster& owner_;
};

Boaster::Boaster(Schedule& schedule, Network& network, Rng rng)
    : Boaster(schedule, network, crypto::Ed25519Seed(rng.bytes<32>()), rng) {}

Boaster::Boaster(Schedule& schedule, Network& network, const crypto::Ed25519Seed& seed, Rng& rng)
    : LinkHost(schedule, network, seed, 0, rng.split()), rng_(rng.split()) {
  const auto at = identity::IpAddress::v4({65, 0, static_cast<Byte>(host() >> 8), static_cast<Byte>(host())});
  store_ = std::make_unique<Store>(*this, seed, at, rng.split());
}

Boaster::~Boaster() = default;

void Boaster::start(std::vector<Victim> victims) {
  victims_ = std::move(victims);
  round();
}

void Boaster::round() {
  for (const Victim& victim : victims_) {
    schedule().after(rng_.between(Duration(0), kRound / 2), [this, &victim] {
      if (!has_link(victim.node.id())) dial(victim.node.id(), victim.endpoint);
    });
  }
  store_->store();
  schedule().after(kRound, [this] { round(); });
}

Bytes Boaster::record() { return boast(Boast::special); }

void Boaster::on_up(const link::Up& up) {
  const identity::PeerId peer = up.record.record.id();
  for (const Boast kind : {Boast::special, Boast::oversized, Boast::thousand}) {
    Bytes message{static_cast<Byte>(wire::MessageType::record)};
    append(message, boast(kind));
    send(peer, wire::Priority::high, message);
    ++told_[static_cast<std::size_t>(kind)];
  }
  schedule().after(kTelling, [this, peer] { hang_up(peer); });
}

Bytes Boaster::boast(Boast boast) {
  BoundlessRecord record;
  record.public_key = self().public_key();
  record.sequence = to_unix_ms(now().wall) + ++sequence_;
  record.issued_at = now().wall;
  record.ttl_seconds = static_cast<std::uint32_t>(identity::kMaxRecordTtl.count());
  const std::size_t count = boast == Boast::thousand ? kThousand : identity::kMaxRecordEndpoints;
  const auto& special = Traps::special();
  for (std::size_t i = 0; i < count; ++i) {
    if (boast != Boast::special) {
      record.endpoints.push_back("tcp://" + Traps::open(sequence_ * count + i));
      continue;
    }
    // Every other time round the addresses over the other transport.
    const std::string transport = next_ / special.size() % 2 == 0 ? "tcp://" : "udp://";
    record.endpoints.push_back(transport + special[next_++ % special.size()]);
  }
  if (boast == Boast::oversized) record.capabilities.assign(16, std::string(64, 'x'));
  Bytes bytes = identity::cose_sign(self(), as_bytes(kRecordPurpose), wire::encode(record));
  CHECK((bytes.size() > identity::kMaxRecordSize) == (boast != Boast::special));
  return bytes;
}

}  // namespace ekiden::sim
