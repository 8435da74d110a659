// The attackers of a simulation: Sybils, floods of announcements, forged first flights, records that nobody may
// believe. Where the rules of the network hold they get nowhere, and check() says where they did. What honest nodes
// keep is also looked at meanwhile, every second, for a table that is full for a moment has an empty end.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sim/boaster.hpp"
#include "sim/flooder.hpp"
#include "sim/ledger.hpp"
#include "sim/machine.hpp"
#include "sim/scenario.hpp"
#include "sim/spammer.hpp"
#include "sim/spoofer.hpp"
#include "sim/sybil.hpp"
#include "sim/traps.hpp"

namespace ekiden::sim {

/// Of an id near that of the victim: the nearest of many, as an attacker grinds keys.
crypto::Ed25519Seed seed_near(const identity::PeerId& victim, Rng& rng);

class Attack {
 public:
  using Machines = std::vector<std::unique_ptr<Machine>>;

  /// Puts the attackers on the network. `capabilities`: what honest machines offer.
  Attack(const AttackModel& model, Schedule& schedule, Network& network, const Machines& machines,
         std::vector<std::string> capabilities, Rng rng);
  ~Attack();

  /// From now on, for so long.
  void begin(const Machines& machines, Duration duration);
  /// That spammers have written.
  std::uint64_t letters() const;
  /// REQUIRES: begin() was called, and its time is over.
  void check(const Machines& machines, Ledger& ledger) const;

 private:
  void add_sybils(const Machine& victim);
  void check_forbidden(Ledger& ledger) const;
  void check_lies(Ledger& ledger) const;
  void check_tables(const Machines& machines, Ledger& ledger) const;
  void check_flood(Ledger& ledger) const;
  void check_spoofed(const Machines& machines, Ledger& ledger) const;
  void check_boasts(Ledger& ledger) const;
  void check_state(const Machines& machines, Ledger& ledger) const;
  void add_spoofer();
  void begin_spam(const Machine& victim, Duration duration);
  void check_spam(Ledger& ledger) const;
  const identity::PeerId& any_stranger();
  /// What a machine keeps for attackers, at most.
  void look_at_state(const Machines& machines, Instant until);

  const AttackModel model_;
  Schedule& schedule_;
  Network& network_;
  Rng rng_;
  Gang gang_;
  std::vector<std::unique_ptr<Sybil>> sybils_;
  std::vector<std::unique_ptr<Flooder>> flooders_;
  std::vector<std::unique_ptr<Bystander>> forbidden_;  ///< hosts at addresses that no remote word may lead to
  std::unique_ptr<Bystander> reflected_;               ///< in whose name the spoofer sends
  std::unique_ptr<Bystander> spoofing_host_;
  std::unique_ptr<Spoofer> spoofer_;
  std::uint64_t amplified_ = 0;  ///< moments in which a node had sent the victim over three times what it got
  std::unique_ptr<Traps> traps_;
  std::vector<std::unique_ptr<Boaster>> boasters_;
  std::vector<std::unique_ptr<Spammer>> spammers_;
  struct Peak {
    std::size_t provisional = 0;
    std::size_t sessions = 0;
    std::size_t nodes = 0;
    std::size_t values = 0;
    std::size_t half_open = 0;
  };
  std::vector<Peak> peaks_;  ///< by machine
};

}  // namespace ekiden::sim
