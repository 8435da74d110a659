// A stranger whose records name what nobody may dial. It makes links to everybody, shows a record of special addresses,
// says further ones over the link, some larger than a record may be and some of a thousand endpoints, and hangs up, so
// that whoever wants something of it has only its word for where it is.
//
// Its record also lies in the DHT, at whoever keeps it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "identity/node_info.hpp"
#include "sim/datagram_host.hpp"
#include "sim/link_host.hpp"

namespace ekiden::sim {

enum class Boast : std::uint8_t {
  special,    ///< a record in order, of addresses that no remote record may lead to
  oversized,  ///< signed, in the open, and over kMaxRecordSize
  thousand,   ///< signed, of a thousand endpoints in the open
};
inline constexpr std::size_t kBoasts = 3;

class Boaster final : public LinkHost {
 public:
  Boaster(Schedule& schedule, Network& network, Rng rng);
  ~Boaster() override;

  struct Victim {
    identity::NodeInfo node;
    identity::Endpoint endpoint;
  };
  /// From now on, in rounds: meets each of them, says everything, hangs up.
  void start(std::vector<Victim> victims);

  /// Records that have gone out over links.
  std::uint64_t told(Boast boast) const { return told_[static_cast<std::size_t>(boast)]; }

  /// The record with these endpoints, signed, whatever rules it breaks.
  Bytes boast(Boast boast);

 private:
  class Store;
  Boaster(Schedule& schedule, Network& network, const crypto::Ed25519Seed& seed, Rng& rng);

  Bytes record() override;
  void on_up(const link::Up& up) override;
  void on_message(const link::Message& /*message*/) override {}
  void round();

  Rng rng_;
  std::unique_ptr<Store> store_;  ///< speaks datagrams with the same key, at another address
  std::vector<Victim> victims_;
  std::array<std::uint64_t, kBoasts> told_{};
  std::uint64_t sequence_ = 0;
  std::size_t next_ = 0;  ///< of the special addresses: another eight each time
};

}  // namespace ekiden::sim
