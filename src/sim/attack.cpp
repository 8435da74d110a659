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

/// All that a table holds, and more.
constexpr std::size_t kWholeTable = 4096;

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
  if (model_.spoofed_flights != 0) {
    reflected_ = std::make_unique<Bystander>(network_, identity::IpAddress::v4({62, 0, 0, 1}));
    spoofing_host_ = std::make_unique<Bystander>(network_, identity::IpAddress::v4({62, 0, 1, 1}));
    spoofer_ = std::make_unique<Spoofer>(schedule_, network_, spoofing_host_->host(), reflected_->at(), rng_.split());
  }
}

Attack::~Attack() = default;

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
  for (std::uint32_t i = 0; !sybils_.empty() && i < model_.letters; ++i) {
    schedule_.after(rng_.between(duration / 4, duration), [this, &machines] {
      const Sybil& to = *sybils_[rng_.below(sybils_.size())];
      machines[rng_.below(machines.size())]->write_to_stranger(to.self().id());
    });
  }
  for (std::uint32_t i = 0; i < model_.spoofed_flights; ++i) {
    schedule_.after(rng_.between(Duration(0), duration),
                    [this] { spoofer_->shoot(gang_.honest[rng_.below(gang_.honest.size())]); });
  }
}

void Attack::check(const Machines& machines, Ledger& ledger) const {
  check_forbidden(ledger);
  check_tables(machines, ledger);
  if (spoofer_) check_spoofed(machines, ledger);
  if (!sybils_.empty() && gang_.lies == 0)
    ledger.breach("no Sybil was asked for a record: the scenario proves nothing");
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

void Attack::check_spoofed(const Machines& machines, Ledger& ledger) const {
  if (reflected_->bytes() == 0) ledger.breach("no forged first flight was answered: the scenario proves nothing");
  if (reflected_->bytes() > 3 * spoofer_->bytes()) {
    ledger.breach(std::to_string(spoofer_->bytes()) + " forged bytes brought their victim " +
                  std::to_string(reflected_->bytes()));
  }
  for (const auto& machine : machines) {
    if (machine->node() == nullptr) continue;
    const auto known = machine->node()->known_nodes(kWholeTable);
    if (std::ranges::any_of(known, [&](const identity::NodeInfo& node) { return node.at == reflected_->at(); })) {
      ledger.breach("host " + std::to_string(machine->host()) + " knows a node that only forged first flights named");
    }
  }
}

}  // namespace ekiden::sim
