// A production node in the hands of somebody who lies: it joins, relays, keeps mail and takes part in topics and the
// registry like any other, but its links run through whoever holds it, who hears and changes what goes over them.
//
// The node lives in a network of its own, in which each host of the world has a double: what the node says to the
// double goes over a link of the traitor, which has the node's keys, to the host, and what the host says comes back the
// same way. Doubles prove themselves with the keys of those whom they stand for. No attacker has these; here they only
// open the way between the node and its own links, for nothing in a node has a place for lies.
//
// Bounds: kMaxWaiting messages for each host whose link is not up yet.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/ledger.hpp"
#include "sim/link_host.hpp"
#include "sim/machine.hpp"
#include "sim/vice.hpp"

namespace ekiden::sim {

/// Who is in a world, by host: its key, and its machine once there is one.
struct Party {
  crypto::Ed25519Seed seed;
  const Machine* machine = nullptr;
};
using Company = std::vector<Party>;

class Traitor final : public LinkHost, private Hands {
 public:
  static constexpr std::size_t kMaxWaiting = 256;

  /// `world` outlives it.
  Traitor(Shared& world, VicePlan plan, const crypto::Ed25519Seed& seed, Rng rng);
  ~Traitor() override;

  /// Meets the company, which outlives it, and enters its own node there. Once, when all hosts have their numbers.
  void join(Company& company, node::Config config);
  /// Through whom its node joins the network.
  void set_sources(bootstrap::Source sources) { node_->set_sources(std::move(sources)); }
  void boot() { node_->boot(); }
  /// Its node is a member of this topic and of the registry.
  void take_part(const std::string& topic);

  const Vice& vice() const { return *vice_; }
  VicePlan plan() const { return plan_; }
  std::string_view vice_name() const { return name_of(plan_); }
  const Machine& node() const { return *node_; }

  // NetworkHost.
  void on_datagram(const identity::SocketAddress& from, ByteView bytes) override;

 private:
  class Double;

  // LinkHost: the world.
  Bytes record() override;
  void on_up(const link::Up& up) override;
  void on_down(const identity::PeerId& peer) override;
  void on_message(const link::Message& message) override;

  // Its node, by way of the double.
  void on_node_up(HostIndex with);
  void on_node_down(HostIndex with);
  void on_node_said(HostIndex to, ByteView message);

  // Hands.
  const identity::Identity& keys() const override { return self(); }
  Now time() const override { return now(); }
  void say(const identity::PeerId& to, ByteView message) override;
  void tell(const identity::PeerId& as, ByteView message) override;
  void later(Duration delay, std::function<void()> deed) override { schedule().after(delay, std::move(deed)); }
  std::vector<identity::PeerId> met() const override;

  Double* find(const identity::PeerId& peer);

  Shared& world_;
  const VicePlan plan_;
  Rng rng_;
  Network inside_;
  Ledger nobody_cares_;
  Broadcasts nobody_hears_;  ///< what it hears in topics
  std::map<identity::PeerId, HostIndex> hosts_;
  Shared shared_;
  std::unique_ptr<Machine> node_;
  std::vector<std::unique_ptr<Double>> doubles_;  ///< by host; none at its own
  std::unique_ptr<Vice> vice_;
};

}  // namespace ekiden::sim
