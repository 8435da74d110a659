#include "sim/traitor.hpp"

#include <utility>
#include <variant>

#include "gossip/messages.hpp"
#include "node/messages.hpp"
#include "registry/messages.hpp"

namespace ekiden::sim {
namespace {

/// As every node of a simulation has them that takes part in discovery.
constexpr std::uint64_t kFeatures = node::kReachabilityFeature | mailbox::kMailboxFeature;

/// Only links of members carry what they say in topics and of the registry.
std::uint64_t features_of(VicePlan plan) {
  const bool is_member = std::holds_alternative<MemberVice>(plan);
  return is_member ? kFeatures | gossip::kGossipFeature | registry::kRegistryFeature : kFeatures;
}

/// Inside, nothing takes time.
NetworkModel at_once() {
  NetworkModel model;
  model.latency_min = model.latency_max = model.jitter = Duration(0);
  return model;
}

}  // namespace

/// One host of the world as the traitor's node sees it.
class Traitor::Double final : public LinkHost {
 public:
  Double(Traitor& traitor, const Company& company, HostIndex of, Rng rng)
      : LinkHost(traitor.schedule(), traitor.inside_, company[of].seed, features_of(traitor.plan_), std::move(rng)),
        traitor_(traitor),
        company_(company) {
    CHECK(host() == of);
  }

  bool is_up() const override { return company_[host()].machine->is_up(); }
  void on_datagram(const identity::SocketAddress& /*from*/, ByteView bytes) override {
    traitor_.network().send_datagram(traitor_.host(), {Network::address_of(host()), Network::kPort}, to_bytes(bytes));
  }

  bool knows_node() const { return has_link(traitor_.self().id()); }
  void meet_node() { dial(traitor_.self().id(), Network::endpoint_of(traitor_.host())); }
  void leave_node() { hang_up(traitor_.self().id()); }
  /// Until there is a link it waits.
  void say_to_node(ByteView message) {
    if (knows_node()) return send(traitor_.self().id(), wire::Priority::normal, message);
    if (to_node_.size() < kMaxWaiting) to_node_.push_back(to_bytes(message));
  }
  void wait_for_world(ByteView message) {
    if (to_world_.size() < kMaxWaiting) to_world_.push_back(to_bytes(message));
  }
  std::deque<Bytes> take_waiting() { return std::exchange(to_world_, {}); }
  void forget() {
    to_node_.clear();
    to_world_.clear();
  }

 private:
  Bytes record() override {
    const node::Node* node = company_[host()].machine->node();
    return node == nullptr ? Bytes{} : to_bytes(node->own_record());
  }
  void on_up(const link::Up& /*up*/) override {
    for (const Bytes& message : std::exchange(to_node_, {})) say_to_node(message);
    traitor_.on_node_up(host());
  }
  void on_down(const identity::PeerId& /*peer*/) override { traitor_.on_node_down(host()); }
  void on_message(const link::Message& message) override { traitor_.on_node_said(host(), message.bytes); }

  Traitor& traitor_;
  const Company& company_;
  std::deque<Bytes> to_node_;
  std::deque<Bytes> to_world_;
};

Traitor::Traitor(Shared& world, VicePlan plan, const crypto::Ed25519Seed& seed, Rng rng)
    : LinkHost(world.schedule, world.network, seed, features_of(plan), rng.split()),
      world_(world),
      plan_(plan),
      rng_(std::move(rng)),
      inside_(world.schedule, at_once(), rng_.split()),
      shared_{.schedule = world.schedule,
              .network = inside_,
              .ledger = nobody_cares_,
              .broadcasts = nobody_hears_,
              .trace = world.trace,
              .hosts = hosts_,
              .check_every = world.check_every,
              .print_log = world.print_log},
      vice_(make_vice(plan, *this, rng_.split())) {}

Traitor::~Traitor() = default;

void Traitor::join(Company& company, node::Config config) {
  for (HostIndex i = 0; i < company.size(); ++i) {
    if (i == host()) {
      node_ = std::make_unique<Machine>(shared_, self().seed(), config, DiskModel{}, AppModel{}, rng_.split());
      company[i].machine = node_.get();
      doubles_.push_back(nullptr);
      continue;
    }
    doubles_.push_back(std::make_unique<Double>(*this, company, i, rng_.split()));
    hosts_.emplace(doubles_.back()->self().id(), i);
    if (world_.network.is_closed(i)) inside_.set_closed(i);
  }
}

void Traitor::take_part(const std::string& topic) {
  node_->subscribe(topic);
  registry::Draft draft;
  draft.name = "traitor";
  node_->put_entry(std::move(draft), [](bool) {});
}

Traitor::Double* Traitor::find(const identity::PeerId& peer) {
  const auto found = hosts_.find(peer);
  return found == hosts_.end() ? nullptr : doubles_[found->second].get();
}

Bytes Traitor::record() {
  return node_ == nullptr || node_->node() == nullptr ? Bytes{} : to_bytes(node_->node()->own_record());
}

void Traitor::on_up(const link::Up& up) {
  Double* peer = find(up.record.record.id());
  if (peer == nullptr) return;
  for (const Bytes& message : peer->take_waiting()) say(peer->self().id(), message);
  if (!peer->knows_node()) peer->meet_node();
}

void Traitor::on_down(const identity::PeerId& peer) {
  Double* found = find(peer);
  if (found == nullptr) return;
  found->forget();
  found->leave_node();
}

void Traitor::on_message(const link::Message& message) {
  Double* from = find(message.from);
  if (from != nullptr && vice_->passes_in(message.from, message.bytes)) from->say_to_node(message.bytes);
}

void Traitor::on_node_up(HostIndex with) {
  const identity::PeerId& peer = doubles_[with]->self().id();
  if (!has_link(peer)) dial(peer, Network::endpoint_of(with));
}

void Traitor::on_node_down(HostIndex with) {
  doubles_[with]->forget();
  hang_up(doubles_[with]->self().id());
}

void Traitor::on_node_said(HostIndex to, ByteView message) {
  Double& peer = *doubles_[to];
  if (!vice_->passes_out(peer.self().id(), message)) return;
  if (has_link(peer.self().id())) {
    say(peer.self().id(), message);
  } else {
    peer.wait_for_world(message);
  }
}

void Traitor::on_datagram(const identity::SocketAddress& from, ByteView bytes) {
  for (HostIndex i = 0; i < doubles_.size(); ++i) {
    if (doubles_[i] == nullptr || Network::address_of(i) != from.ip) continue;
    inside_.send_datagram(i, {Network::address_of(host()), Network::kPort}, to_bytes(bytes));
    return;
  }
}

void Traitor::say(const identity::PeerId& to, ByteView message) { send(to, wire::Priority::normal, message); }

void Traitor::tell(const identity::PeerId& as, ByteView message) {
  if (Double* peer = find(as)) peer->say_to_node(message);
}

std::vector<identity::PeerId> Traitor::met() const {
  std::vector<identity::PeerId> peers;
  for (const auto& [peer, host] : hosts_) {
    if (has_link(peer)) peers.push_back(peer);
  }
  return peers;
}

}  // namespace ekiden::sim
