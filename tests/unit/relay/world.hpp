// Relays in one process: neighbours whose messages arrive at once and in order, disks that a test may hold back.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "relay/relay.hpp"
#include "relay/wire_form.hpp"
#include "store/memory_store.hpp"
#include "support/identities.hpp"

namespace ekiden::relay::test {

class World {
 public:
  struct Node {
    identity::Identity self;
    Config config{};
    store::MemoryStore disk{};
    std::set<identity::PeerId> contacts{};
    std::vector<identity::PeerId> relays{};  ///< that its record names
    std::vector<identity::PeerId> near{};    ///< that have answered it lately
    Effects out{};
    std::optional<store::PersistToken> token{};
    store::Batch unsynced{};
    std::unique_ptr<Relay> relay{};
    std::vector<Arrived> arrived{};
    std::vector<std::shared_ptr<const Bytes>> buffers{};
    std::vector<Returned> returned{};
    std::vector<HandedOn> handed_on{};
    std::set<identity::PeerId> routed{};
    std::set<identity::PeerId> met{};
    std::set<identity::PeerId> wanted{};
    bool settles = true;
    bool syncs = true;
  };

  explicit World(std::size_t nodes, const Config& config = {}) {
    for (std::size_t i = 0; i < nodes; ++i) {
      nodes_.push_back(std::make_unique<Node>(ekiden::test::make_identity(static_cast<Byte>(i + 1)), config));
      start(i);
    }
  }

  Node& operator[](std::size_t i) { return *nodes_[i]; }
  Relay& relay(std::size_t i) { return *nodes_[i]->relay; }
  identity::PeerId id(std::size_t i) const { return nodes_[i]->self.id(); }

  /// Everything of the process is gone; what was synced is not.
  void restart(std::size_t i) {
    const auto neighbours = links_of(i);
    for (const std::size_t other : neighbours) unlink(i, other);
    nodes_[i]->unsynced = {};
    nodes_[i]->token.reset();
    nodes_[i]->out.take();
    start(i);
    for (const std::size_t other : neighbours) link(i, other);
  }

  void link(std::size_t a, std::size_t b) {
    links_.insert({std::min(a, b), std::max(a, b)});
    relay(a).on_link_up(now, id(b), relay(b).forwards(), nodes_[a]->out);
    relay(b).on_link_up(now, id(a), relay(a).forwards(), nodes_[b]->out);
    run();
  }

  void unlink(std::size_t a, std::size_t b) {
    links_.erase({std::min(a, b), std::max(a, b)});
    relay(a).on_link_down(now, id(b), nodes_[a]->out);
    relay(b).on_link_down(now, id(a), nodes_[b]->out);
    run();
  }

  void line() {
    for (std::size_t i = 0; i + 1 < nodes_.size(); ++i) link(i, i + 1);
  }

  void want(std::size_t from, std::size_t to) {
    relay(from).want_route(now, id(to), nodes_[from]->out);
    run();
  }

  bool send(std::size_t from, std::size_t to, Byte number, bool durable = true, std::size_t size = 100,
            PacketKind kind = PacketKind::envelope) {
    auto buffer = std::make_shared<const Bytes>(size, number);
    const bool sent = relay(from).send(now,
                                       {.id = uuid(number),
                                        .to = id(to),
                                        .expires = now.wall + milliseconds(days(1)),
                                        .kind = kind,
                                        .durable = durable,
                                        .buffer = buffer,
                                        .payload = *buffer},
                                       nodes_[from]->out);
    run();
    return sent;
  }

  static Uuid uuid(Byte number) {
    Uuid id;
    id.bytes[0] = number;
    id.bytes[6] = 0x40;
    id.bytes[8] = 0x80;
    return id;
  }

  void advance(Duration by) {
    const Instant until = now.mono + by;
    for (std::size_t steps = 0; steps < 10'000; ++steps) {
      std::optional<Instant> next;
      for (const auto& node : nodes_) next = earlier(next, node->relay->deadline());
      if (!next || *next > until) break;
      set_time(std::max(*next, now.mono));
      for (const auto& node : nodes_) node->relay->on_deadline(now, node->out);
      run();
    }
    set_time(until);
  }

  void sync(std::size_t i) {
    Node& node = *nodes_[i];
    node.disk.apply(std::exchange(node.unsynced, {}));
    if (const auto token = std::exchange(node.token, std::nullopt)) node.relay->on_persisted(*token);
  }

  /// Until nobody has anything more to say.
  void run() {
    if (running_) return;
    running_ = true;
    for (bool busy = true; busy;) {
      busy = false;
      for (std::size_t i = 0; i < nodes_.size(); ++i) {
        Node& node = *nodes_[i];
        if (node.out.empty() && node.relay->needs_flush()) node.relay->flush(now, node.out);
        if (node.out.empty() && (!node.syncs || !node.token)) continue;
        busy = true;
        for (Effect& effect : node.out.take()) handle(i, effect);
        if (node.syncs) sync(i);
      }
    }
    running_ = false;
    for (const auto& node : nodes_) node->relay->check_invariants();
  }

  /// What a neighbour says that is no honest relay.
  Status inject(std::size_t from, std::size_t to, wire::MessageType type, const Bytes& body) {
    const Status status = give(id(from), *nodes_[to], type, std::make_shared<const Bytes>(body), body);
    run();
    return status;
  }

  std::size_t held() const {
    std::size_t rows = 0;
    for (const auto& node : nodes_) rows += node->disk.rows().size();
    return rows;
  }

  Now now = ekiden::test::at(Duration::zero());
  /// Messages between two nodes; false: it is lost.
  std::function<bool(std::size_t from, std::size_t to, wire::MessageType type)> carries = [](auto, auto, auto) {
    return true;
  };
  std::size_t packets = 0;  ///< that neighbours have sent each other

 private:
  void start(std::size_t i) {
    Node& node = *nodes_[i];
    ByteArray<32> seed{};
    seed.fill(static_cast<Byte>(i + 100));
    node.relay = std::make_unique<Relay>(
        node.self, node.config, Rng(Rng::Seed(seed)),
        [&node](const identity::PeerId& peer) { return node.contacts.contains(peer); },
        [this](const identity::PeerId& peer) {
          for (const auto& other : nodes_) {
            if (other->self.id() == peer) return other->relays;
          }
          return std::vector<identity::PeerId>{};
        },
        [&node](const identity::PeerId&) { return node.near; });
    node.relay->set_own_record(ekiden::test::make_record(node.self));
    for (const store::Row& row : node.disk.rows()) CHECK(node.relay->load_row(row.key.number, row.value).has_value());
    node.relay->start(now, node.out);
  }

  void set_time(Instant at) {
    now.wall += std::chrono::duration_cast<milliseconds>(at - now.mono);
    now.mono = at;
  }

  std::vector<std::size_t> links_of(std::size_t i) const {
    std::vector<std::size_t> others;
    for (const auto& [a, b] : links_) {
      if (a == i || b == i) others.push_back(a == i ? b : a);
    }
    return others;
  }

  std::size_t index_of(const identity::PeerId& peer) const {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i]->self.id() == peer) return i;
    }
    return nodes_.size();
  }

  Status give(const identity::PeerId& from, Node& to, wire::MessageType type,
              const std::shared_ptr<const Bytes>& buffer, ByteView body) {
    to.buffers.push_back(buffer);
    if (type == wire::MessageType::packet) return to.relay->on_packet(now, from, buffer, body, to.out);
    if (type == wire::MessageType::taken) return to.relay->on_taken(now, from, body, to.out);
    return to.relay->on_not_taken(now, from, body, to.out);
  }

  void handle(std::size_t i, Effect& effect) {
    Node& node = *nodes_[i];
    if (const auto* transmit = std::get_if<Transmit>(&effect)) {
      const std::size_t to = index_of(transmit->to);
      if (to == nodes_.size() || !links_.contains({std::min(i, to), std::max(i, to)})) return;
      const auto type = static_cast<wire::MessageType>(transmit->message->front());
      if (!carries(i, to, type)) return;
      if (type == wire::MessageType::packet) ++packets;
      CHECK(transmit->message->size() <= kMaxMessage);
      const Status status = give(id(i), *nodes_[to], type, transmit->message, ByteView(*transmit->message).subspan(1));
      CHECK(status.has_value());
    } else if (auto* persist = std::get_if<Persist>(&effect)) {
      node.unsynced.append(std::move(persist->batch));
      node.token = persist->token;
    } else if (auto* arrived = std::get_if<Arrived>(&effect)) {
      node.arrived.push_back(std::move(*arrived));
      const Arrived& last = node.arrived.back();
      if (last.durable && node.settles) node.relay->settled(last.from, last.id, true);
    } else if (const auto* returned = std::get_if<Returned>(&effect)) {
      node.returned.push_back(*returned);
    } else if (const auto* handed_on = std::get_if<HandedOn>(&effect)) {
      node.handed_on.push_back(*handed_on);
    } else if (const auto* route = std::get_if<RouteChanged>(&effect)) {
      if (route->up) {
        node.routed.insert(route->to);
      } else {
        node.routed.erase(route->to);
      }
    } else if (const auto* met = std::get_if<Met>(&effect)) {
      node.met.insert(met->record.record.id());
    } else if (const auto* want = std::get_if<Want>(&effect)) {
      if (want->wanted) {
        node.wanted.insert(want->peer);
      } else {
        node.wanted.erase(want->peer);
      }
    }
  }

  std::vector<std::unique_ptr<Node>> nodes_;
  std::set<std::pair<std::size_t, std::size_t>> links_;
  bool running_ = false;
};

}  // namespace ekiden::relay::test
