// A machine with a fresh identity that wants one node to be busy with it: it makes a link, and writes as much as the
// network takes (sim/spam_letters.hpp).
#pragma once

#include <cstdint>
#include <optional>

#include "sim/link_host.hpp"
#include "sim/spam_letters.hpp"

namespace ekiden::sim {

class Spammer final : public LinkHost {
 public:
  Spammer(Schedule& schedule, Network& network, const identity::IpAddress& at, Rng rng);

  struct Victim {
    identity::PeerId id;
    identity::Endpoint endpoint;
  };
  /// From now on, a letter each `pause` unless what is written already has not left yet.
  void start(const Victim& victim, const identity::PeerId& accomplice, Duration pause);
  void stop() { stopped_ = true; }

  bool was_up() const { return letters_.has_value(); }
  /// That the network has taken, or will.
  std::uint64_t written() const { return written_; }

 private:
  Spammer(Schedule& schedule, Network& network, const identity::IpAddress& at, const crypto::Ed25519Seed& seed,
          Rng& rng);

  // LinkHost.
  Bytes record() override;
  void on_up(const link::Up& up) override;
  void on_message(const link::Message& /*message*/) override {}

  void write();

  Rng rng_;
  Bytes record_;
  std::optional<Victim> victim_;
  identity::PeerId accomplice_;
  Duration pause_{};
  std::optional<SpamLetters> letters_;
  std::uint64_t written_ = 0;
  bool stopped_ = false;
};

}  // namespace ekiden::sim
