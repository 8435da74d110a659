// A network of registries on virtual time: links with delays, a split, a disk for each, and neighbours that lie.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "registry/registry.hpp"
#include "registry/wire_form.hpp"
#include "store/memory_store.hpp"
#include "support/identities.hpp"

namespace ekiden::registry {

class Net {
 public:
  struct Node {
    explicit Node(Byte number) : identity(test::make_identity(number)) {}
    identity::Identity identity;
    std::optional<Registry> registry;
    Effects out;
    store::MemoryStore disk;
    std::set<std::size_t> links;
    Duration ahead{};  ///< of its wall clock
    std::vector<Equivocated> equivocated;
    std::vector<Misbehaved> misbehaved;
    std::vector<Taken> taken;
    std::vector<Compared> compared;
    std::set<identity::PeerId> kept;  ///< to whom it wants links
    std::vector<identity::PeerId> sought;
    std::size_t written = 0;
    std::size_t changed = 0;
  };

  Net(std::size_t nodes, Byte seed, Config config = {}) : config_(config), rng_(test::make_rng(seed)) {
    for (std::size_t i = 0; i < nodes; ++i) {
      nodes_.push_back(std::make_unique<Node>(static_cast<Byte>(i + 1)));
      boot(i);
    }
  }

  Node& node(std::size_t which) { return *nodes_[which]; }
  Registry& at(std::size_t which) { return *nodes_[which]->registry; }
  const identity::PeerId& id(std::size_t which) const { return nodes_[which]->identity.id(); }
  std::size_t size() const { return nodes_.size(); }
  Rng& rng() { return rng_; }
  Now now(std::size_t which) const {
    return {mono_, test::kWall + milliseconds_of(mono_ - kBegin + nodes_[which]->ahead)};
  }

  void link(std::size_t a, std::size_t b) {
    if (!nodes_[a]->links.insert(b).second) return;
    nodes_[b]->links.insert(a);
    at(a).on_link_up(now(a), id(b), node(a).out);
    at(b).on_link_up(now(b), id(a), node(b).out);
    drain(a);
    drain(b);
  }
  void cut(std::size_t a, std::size_t b) {
    if (nodes_[a]->links.erase(b) == 0) return;
    nodes_[b]->links.erase(a);
    at(a).on_link_down(now(a), id(b), true, node(a).out);
    at(b).on_link_down(now(b), id(a), true, node(b).out);
    drain(a);
    drain(b);
  }

  /// One in `of` messages is lost, and as many come twice of those that tell what is new: a link gives an answer once.
  void lose_one_in(std::uint64_t of) { loss_ = of; }

  void put(std::size_t which, Draft draft) {
    const auto token = at(which).put(now(which), draft, node(which).out);
    CHECK(token.has_value());
    drain(which);
  }
  void remove(std::size_t which, std::size_t owner, std::string_view name) {
    CHECK(at(which).remove(now(which), id(owner), name, node(which).out).has_value());
    drain(which);
  }

  /// What is on its disk is what it knows.
  void crash(std::size_t which) {
    const std::set<std::size_t> links = nodes_[which]->links;
    for (const std::size_t other : links) cut(which, other);
    boot(which);
    for (const std::size_t other : links) link(which, other);
  }

  /// As if that node had sent it.
  void say(std::size_t from, std::size_t to, Bytes message) { deliver(from, to, message); }

  void run_for(Duration duration) {
    const Instant end = mono_ + duration;
    for (;;) {
      std::optional<Instant> next;
      if (!in_flight_.empty()) next = in_flight_.begin()->first;
      for (std::size_t i = 0; i < size(); ++i) next = earlier(next, at(i).deadline());
      if (!next || *next > end) break;
      mono_ = std::max(mono_, *next);
      step();
    }
    mono_ = end;
    for (std::size_t i = 0; i < size(); ++i) at(i).check_invariants();
  }

  bool are_equal(const std::vector<std::size_t>& which) {
    return std::ranges::all_of(which, [&](std::size_t i) {
      return at(i).replica().trie().digest({}) == at(which.front()).replica().trie().digest({});
    });
  }
  std::vector<std::size_t> all() const {
    std::vector<std::size_t> every(size());
    for (std::size_t i = 0; i < size(); ++i) every[i] = i;
    return every;
  }

  std::size_t messages = 0;
  std::size_t bytes = 0;

 private:
  static constexpr Instant kBegin{hours(1)};

  struct Flight {
    std::size_t from;
    std::size_t to;
    std::shared_ptr<const Bytes> message;
  };

  static milliseconds milliseconds_of(Duration duration) { return std::chrono::duration_cast<milliseconds>(duration); }

  void boot(std::size_t which) {
    Node& node = *nodes_[which];
    node.out.take();
    node.registry.emplace(node.identity, config_, rng_.split());
    for (const store::Row& row : node.disk.rows()) CHECK(node.registry->load_row(row.key.name, row.value).has_value());
    node.registry->start(now(which), node.out);
    drain(which);
  }

  void step() {
    while (!in_flight_.empty() && in_flight_.begin()->first <= mono_) {
      const Flight flight = std::move(in_flight_.begin()->second);
      in_flight_.erase(in_flight_.begin());
      if (nodes_[flight.from]->links.contains(flight.to)) deliver(flight.from, flight.to, *flight.message);
    }
    for (std::size_t i = 0; i < size(); ++i) {
      if (at(i).deadline() > mono_) continue;
      at(i).on_deadline(now(i), node(i).out);
      drain(i);
    }
  }

  void deliver(std::size_t from, std::size_t to, ByteView message) {
    Registry& registry = at(to);
    Effects& out = node(to).out;
    const ByteView body = message.subspan(1);
    switch (static_cast<wire::MessageType>(message[0])) {
      case wire::MessageType::registry_ask:
        static_cast<void>(registry.on_ask(now(to), id(from), body, out));
        break;
      case wire::MessageType::registry_places:
        static_cast<void>(registry.on_places(now(to), id(from), body, out));
        break;
      case wire::MessageType::registry_want:
        static_cast<void>(registry.on_want(now(to), id(from), body, out));
        break;
      default:
        static_cast<void>(registry.on_entries(now(to), id(from), body, out));
        break;
    }
    drain(to);
  }

  void drain(std::size_t which) {
    Node& from = node(which);
    from.out.drain([&](Effect&& effect) {
      std::visit(Overloaded{[&](Transmit& transmit) { send(which, transmit); },
                            [&](Persist& persist) {
                              from.disk.apply(persist.batch);
                              if (persist.token) from.registry->on_persisted(now(which), *persist.token, from.out);
                            },
                            [&](Written&) { ++from.written; }, [&](Changed&) { ++from.changed; },
                            [&](const Taken& taken) { from.taken.push_back(taken); },
                            [&](const Compared& compared) { from.compared.push_back(compared); },
                            [&](KeepLink& link) {
                              if (link.wanted) {
                                from.kept.insert(link.peer);
                              } else {
                                from.kept.erase(link.peer);
                              }
                            },
                            [&](Seek& seek) { from.sought.push_back(seek.peer); },
                            [&](Equivocated& seen) { from.equivocated.push_back(std::move(seen)); },
                            [&](Misbehaved& seen) { from.misbehaved.push_back(std::move(seen)); }},
                 effect);
    });
  }

  void send(std::size_t from, const Transmit& transmit) {
    ++messages;
    bytes += transmit.message->size();
    for (std::size_t to = 0; to < size(); ++to) {
      if (id(to) != transmit.to) continue;
      const int copies = copies_of(*transmit.message);
      for (int i = 0; i < copies; ++i) {
        in_flight_.emplace(mono_ + rng_.between(milliseconds(10), milliseconds(50)),
                           Flight{from, to, transmit.message});
      }
    }
  }

  int copies_of(ByteView message) {
    if (loss_ == 0) return 1;
    if (rng_.below(loss_) == 0) return 0;
    const bool is_news = message[0] == static_cast<Byte>(wire::MessageType::registry_entries) &&
                         wire::decode<Entries>(message.subspan(1))->round == 0;
    return is_news && rng_.below(loss_) == 0 ? 2 : 1;
  }

  Config config_;
  Rng rng_;
  Instant mono_ = kBegin;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::multimap<Instant, Flight> in_flight_;
  std::uint64_t loss_ = 0;
};

}  // namespace ekiden::registry
