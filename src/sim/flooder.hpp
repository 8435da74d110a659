// A machine that wants others to keep as much as they will: announcements of one owner for ever new capabilities, and
// of ever new owners for the capabilities that others offer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "identity/announcement.hpp"
#include "sim/datagram_host.hpp"

namespace ekiden::sim {

class Flooder final : public DatagramHost {
 public:
  /// `capabilities`: what honest nodes offer.
  Flooder(Schedule& schedule, Network& network, const identity::IpAddress& at, std::vector<std::string> capabilities,
          Rng rng);

  void set_victims(std::vector<identity::NodeInfo> honest);
  /// So many announcements a second from now on, to whom is to keep them.
  void start(std::uint32_t per_second);
  /// What was taken of it.
  std::uint64_t taken() const { return taken_; }

 private:
  Bytes answer_to(const datagram::Queried& query) override;
  void on_answer(const datagram::Answered& answer) override;
  void flood(Duration pause);
  void store(const identity::Identity& owner, const std::string& capability);

  std::vector<std::string> capabilities_;
  std::vector<identity::NodeInfo> victims_;
  std::vector<identity::PeerId> ids_;
  std::uint64_t stored_ = 0;
  std::uint64_t taken_ = 0;
};

}  // namespace ekiden::sim
