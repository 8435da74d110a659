#include "sim/attack.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "dht/config.hpp"

namespace ekiden::sim {
namespace {

/// A home router, this machine, the metadata service of clouds, somebody's printer.
constexpr std::array<std::array<Byte, 4>, 4> kForbidden{
    {{10, 0, 0, 1}, {127, 0, 0, 1}, {169, 254, 169, 254}, {192, 168, 1, 1}}};

/// Long enough to have filled a table.
constexpr Duration kJoined = minutes(2);

constexpr Duration kLook = seconds(1);

/// All that a table holds, and more.
constexpr std::size_t kWholeTable = 4096;

/// Bytes that may go to an address that has proven nothing, for each byte from there.
constexpr std::uint64_t kMaxAmplification = 3;

/// A session may be renewed while the old one lasts, and both sides may have begun one.
constexpr std::size_t kSessionsPerNode = 4;

/// All in one /56.
identity::IpAddress spammer_address(std::uint32_t index) {
  return *identity::IpAddress::parse("2001:db8:0:100::" + std::to_string(1000 + index));
}

identity::IpAddress sybil_address(std::uint32_t index, std::uint32_t prefixes) {
  return identity::IpAddress::v4({60, 0, static_cast<Byte>(index % prefixes), static_cast<Byte>(index / prefixes + 1)});
}

}  // namespace

crypto::Ed25519Seed seed_near(const identity::PeerId& victim, Rng& rng) {
  constexpr int kTries = 200;
  std::optional<std::pair<dht::Distance, ByteArray<32>>> best;
  for (int i = 0; i < kTries; ++i) {
    const auto bytes = rng.bytes<32>();
    const auto keys = crypto::Ed25519KeyPair::from_seed(crypto::Ed25519Seed(bytes));
    const auto distance = dht::distance(dht::Key::of(victim), identity::PeerId::of(keys.public_key()));
    if (!best || distance < best->first) best.emplace(distance, bytes);
  }
  return crypto::Ed25519Seed(best->second);
}

Attack::Attack(const AttackModel& model, Schedule& schedule, Network& network, const Machines& machines,
               std::vector<std::string> capabilities, Rng rng)
    : model_(model), schedule_(schedule), network_(network), rng_(std::move(rng)) {
  for (const auto& machine : machines) gang_.honest.push_back(machine->info());
  if (model_.sybils != 0) add_sybils(*machines.back());
  for (std::uint32_t i = 0; i < model_.flooders; ++i) {
    const auto at = identity::IpAddress::v4({61, 0, 0, static_cast<Byte>(i + 1)});
    flooders_.push_back(std::make_unique<Flooder>(schedule_, network_, at, capabilities, rng_.split()));
    flooders_.back()->set_victims(gang_.honest);
  }
  if (model_.spoofed_flights != 0) add_spoofer();
  if (model_.boasters != 0) traps_ = std::make_unique<Traps>(network_);
  for (std::uint32_t i = 0; i < model_.boasters; ++i) {
    boasters_.push_back(std::make_unique<Boaster>(schedule_, network_, rng_.split()));
  }
  for (std::uint32_t i = 0; i < model_.spammers; ++i) {
    spammers_.push_back(std::make_unique<Spammer>(schedule_, network_, spammer_address(i), rng_.split()));
  }
}

Attack::~Attack() = default;

void Attack::add_spoofer() {
  reflected_ = std::make_unique<Bystander>(network_, identity::IpAddress::v4({62, 0, 0, 1}));
  spoofing_host_ = std::make_unique<Bystander>(network_, identity::IpAddress::v4({62, 0, 1, 1}));
  spoofer_ = std::make_unique<Spoofer>(schedule_, network_, spoofing_host_->host(), reflected_->at(), rng_.split());
  reflected_->tell([this](const identity::SocketAddress& from, std::uint64_t bytes) {
    if (bytes > kMaxAmplification * spoofer_->bytes_to(from)) ++amplified_;
  });
}

void Attack::add_sybils(const Machine& victim) {
  for (const auto& octets : kForbidden) {
    forbidden_.push_back(std::make_unique<Bystander>(network_, identity::IpAddress::v4(octets)));
    gang_.forbidden.push_back(forbidden_.back()->at());
  }
  if (model_.eclipse) gang_.preferred.push_back(victim.info());
  for (std::uint32_t i = 0; i < model_.sybils; ++i) {
    const auto seed = model_.eclipse ? seed_near(victim.id(), rng_) : crypto::Ed25519Seed(rng_.bytes<32>());
    sybils_.push_back(std::make_unique<Sybil>(schedule_, network_, gang_, static_cast<Sybil::Kind>(i % Sybil::kKinds),
                                              seed, sybil_address(i, model_.sybil_prefixes), rng_.split()));
  }
}

void Attack::begin(const Machines& machines, Duration duration) {
  for (auto& sybil : sybils_) sybil->start();
  for (auto& flooder : flooders_) flooder->start(model_.announcements_per_second);
  for (std::uint32_t i = 0; !(sybils_.empty() && boasters_.empty()) && i < model_.letters; ++i) {
    schedule_.after(rng_.between(duration / 4, duration), [this, &machines] {
      const identity::PeerId to = any_stranger();
      machines[rng_.below(machines.size())]->write_to_stranger(to);
    });
  }
  for (std::uint32_t i = 0; i < model_.spoofed_flights; ++i) {
    schedule_.after(rng_.between(Duration(0), duration), [this] {
      spoofer_->shoot(model_.spoofed_at_one ? gang_.honest.back() : gang_.honest[rng_.below(gang_.honest.size())]);
    });
  }
  if (!spammers_.empty()) begin_spam(*machines.front(), duration);
  std::vector<Boaster::Victim> victims;
  for (const auto& machine : machines) victims.push_back({machine->info(), Network::endpoint_of(machine->host())});
  for (auto& boaster : boasters_) boaster->start(victims);
  if (!spoofer_ && boasters_.empty()) return;
  peaks_.resize(machines.size());
  look_at_state(machines, schedule_.now() + duration);
}

/// They come over the first eighth of the time, for a node that refuses too many at once makes them wait.
void Attack::begin_spam(const Machine& victim, Duration duration) {
  const Spammer::Victim at{victim.id(), Network::endpoint_of(victim.host())};
  const Duration pause = Duration(seconds(1)) / model_.letters_per_second;
  for (std::size_t i = 0; i < spammers_.size(); ++i) {
    const identity::PeerId accomplice = spammers_[(i + 1) % spammers_.size()]->self().id();
    schedule_.after(duration / 8 * i / spammers_.size(),
                    [this, i, at, accomplice, pause] { spammers_[i]->start(at, accomplice, pause); });
    schedule_.after(duration, [this, i] { spammers_[i]->stop(); });
  }
}

std::uint64_t Attack::letters() const {
  std::uint64_t all = 0;
  for (const auto& spammer : spammers_) all += spammer->written();
  return all;
}

void Attack::check_spam(Ledger& ledger) const {
  const auto up = std::ranges::count_if(spammers_, [](const auto& spammer) { return spammer->was_up(); });
  // The handshakes of the others wait: sixty a second are read of a network while contacts speak.
  if (static_cast<std::size_t>(up) * 2 >= spammers_.size()) return;
  ledger.breach("only " + std::to_string(up) + " spammers had a link: the scenario proves nothing");
}

const identity::PeerId& Attack::any_stranger() {
  if (boasters_.empty()) return sybils_[rng_.below(sybils_.size())]->self().id();
  return boasters_[rng_.below(boasters_.size())]->self().id();
}

void Attack::look_at_state(const Machines& machines, Instant until) {
  for (std::size_t i = 0; i < machines.size(); ++i) {
    if (machines[i]->node() == nullptr) continue;
    const node::NodeStatus status = machines[i]->node()->status();
    Peak& peak = peaks_[i];
    peak.provisional = std::max(peak.provisional, status.datagrams.provisional);
    peak.sessions = std::max(peak.sessions, status.datagrams.sessions);
    peak.nodes = std::max(peak.nodes, status.dht.nodes + status.dht.spares);
    peak.values = std::max(peak.values, status.dht.values);
    peak.half_open = std::max(peak.half_open, status.half_open);
  }
  if (schedule_.now() >= until) return;
  schedule_.after(kLook, [this, &machines, until] { look_at_state(machines, until); });
}

void Attack::check(const Machines& machines, Ledger& ledger) const {
  check_forbidden(ledger);
  check_tables(machines, ledger);
  if (spoofer_) check_spoofed(machines, ledger);
  if (!boasters_.empty()) check_boasts(ledger);
  if (!spammers_.empty()) check_spam(ledger);
  if (!flooders_.empty()) check_flood(ledger);
  if (!peaks_.empty()) check_state(machines, ledger);
  if (sybils_.size() >= Sybil::kKinds) check_lies(ledger);
}

/// That nothing was believed proves something only if it was told.
void Attack::check_lies(Ledger& ledger) const {
  const auto expect = [&](std::uint64_t told, const char* what) {
    if (told == 0) ledger.breach(std::string("no Sybil told ") + what + ": the scenario proves nothing");
  };
  expect(gang_.forgeries, "a record with a forged signature");
  expect(gang_.misplaced, "its own record under the key of another");
  expect(gang_.replays, "an old record of which it had a newer");
}

void Attack::check_forbidden(Ledger& ledger) const {
  for (const auto& host : forbidden_) {
    if (host->dials() + host->datagrams() == 0) continue;
    ledger.breach(std::to_string(host->dials()) + " links and " + std::to_string(host->datagrams()) +
                  " datagrams went to " + host->at().text() + ", which only strangers named");
  }
}

/// However many Sybils a prefix has: a table holds so many of it, and honest nodes beside them.
void Attack::check_tables(const Machines& machines, Ledger& ledger) const {
  if (sybils_.empty()) return;
  const std::set<identity::PeerId> bad(gang_.ids.begin(), gang_.ids.end());
  const dht::Config limits;
  for (const auto& machine : machines) {
    if (!machine->is_in_order_since(kJoined)) continue;
    const auto known = machine->node()->known_nodes(kWholeTable);
    const auto sybils = static_cast<std::size_t>(
        std::ranges::count_if(known, [&](const identity::NodeInfo& node) { return bad.contains(node.id()); }));
    const std::string who = "the table of host " + std::to_string(machine->host()) + " holds ";
    if (sybils > model_.sybil_prefixes * limits.max_prefix_in_table) {
      ledger.breach(who + std::to_string(sybils) + " Sybils");
    }
    if (known.size() - sybils < std::min(limits.k, machines.size() / 2)) {
      ledger.breach(who + std::to_string(sybils) + " Sybils and only " + std::to_string(known.size() - sybils) +
                    " others");
    }
  }
}

void Attack::check_flood(Ledger& ledger) const {
  for (const auto& flooder : flooders_) {
    if (flooder->taken() == 0) ledger.breach("nothing was taken of a flooder: the scenario proves nothing");
  }
}

void Attack::check_spoofed(const Machines& machines, Ledger& ledger) const {
  if (reflected_->bytes() == 0) ledger.breach("no forged first flight was answered: the scenario proves nothing");
  if (amplified_ != 0) {
    ledger.breach("at " + std::to_string(amplified_) +
                  " moments a node had sent the victim of forged first flights over " +
                  std::to_string(kMaxAmplification) + " times what it got");
  }
  for (const auto& machine : machines) {
    if (machine->node() == nullptr) continue;
    const auto known = machine->node()->known_nodes(kWholeTable);
    if (std::ranges::any_of(known, [&](const identity::NodeInfo& node) { return node.at == reflected_->at(); })) {
      ledger.breach("host " + std::to_string(machine->host()) + " knows a node that only forged first flights named");
    }
  }
}

void Attack::check_boasts(Ledger& ledger) const {
  traps_->check(network_, ledger);
  for (const Boast kind : {Boast::special, Boast::oversized, Boast::thousand}) {
    const bool is_told = std::ranges::any_of(boasters_, [&](const auto& boaster) { return boaster->told(kind) != 0; });
    if (!is_told) ledger.breach("a kind of record was never told: the scenario proves nothing");
  }
}

/// However many flights and records there were, a machine keeps no more than the nodes that there are ask for, but for
/// the one table of handshakes that were answered and not proven, which has its own bound.
void Attack::check_state(const Machines& machines, Ledger& ledger) const {
  const std::size_t nodes = machines.size() + boasters_.size();
  const datagram::Config limits;
  for (std::size_t i = 0; i < peaks_.size(); ++i) {
    const Peak& peak = peaks_[i];
    const auto check = [&](const char* what, std::size_t count, std::size_t most) {
      if (count <= most) return;
      ledger.breach("host " + std::to_string(i) + " kept " + std::to_string(count) + " " + what + ", at most " +
                    std::to_string(most) + " are of use");
    };
    check("handshakes that nobody has proven", peak.provisional, limits.max_provisional);
    check("sessions of datagrams", peak.sessions, kSessionsPerNode * nodes);
    check("nodes", peak.nodes, nodes);
    check("values", peak.values, nodes);
    check("half-open links", peak.half_open, nodes);
  }
}

}  // namespace ekiden::sim
