// A network in memory around one discovering node: hosts that serve lists, tell lies or are dead, and virtual time.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bootstrap/bootstrap.hpp"
#include "identity/cose_sign.hpp"
#include "store/memory_store.hpp"
#include "support/identities.hpp"

namespace ekiden::bootstrap {

/// Identities by number, made once: making one costs two scalar multiplications.
inline const identity::Identity& identity_of(Byte number) {
  static std::map<Byte, identity::Identity> made;
  const auto found = made.find(number);
  return found != made.end() ? found->second : made.emplace(number, test::make_identity(number)).first->second;
}
inline const identity::PeerId& id_of(Byte number) { return identity_of(number).id(); }

inline constexpr Byte kSelf = 255;

/// Every number has a /24 of its own.
inline std::string address_of(Byte number) { return "tcp://11.0." + std::to_string(number) + ".1:7420"; }

inline identity::Endpoint endpoint(const std::string& text) { return identity::Endpoint::parse(text).value(); }

inline ListedNode entry_of(Byte number, std::vector<std::string> endpoints = {}) {
  if (endpoints.empty()) endpoints = {address_of(number)};
  return {.public_key = identity_of(number).public_key(), .endpoints = std::move(endpoints), .note = {}};
}

inline NodeList list_of(Byte signer, const std::vector<ListedNode>& nodes, WallTime issued = test::kWall) {
  NodeList list;
  list.public_key = identity_of(signer).public_key();
  list.sequence = 1;
  list.issued_at = issued;
  list.ttl_seconds = 30 * 86'400;
  list.nodes = nodes;
  return list;
}

/// Without the checks of sign_list, as a hostile node would.
inline Bytes signed_by(Byte signer, const NodeList& list) {
  return identity::cose_sign(identity_of(signer), as_bytes("ekiden bootstrap list 1"), wire::encode(list));
}

inline Bytes list_bytes(Byte signer, const std::vector<Byte>& numbers) {
  std::vector<ListedNode> nodes;
  for (const Byte number : numbers) nodes.push_back(entry_of(number));
  return signed_by(signer, list_of(signer, nodes));
}

inline Seed seed_for(Byte number, std::vector<std::string> endpoints = {}) {
  if (endpoints.empty()) endpoints = {address_of(number)};
  Seed seed{.id = id_of(number), .public_key = identity_of(number).public_key(), .endpoints = {}};
  for (const auto& text : endpoints) seed.endpoints.push_back(endpoint(text));
  return seed;
}

struct Host {
  bool up = true;
  Duration round_trip = milliseconds(20);
  std::optional<Bytes> list = {};
  std::vector<identity::Endpoint> own_endpoints = {};
  std::optional<std::string> ip = {};  ///< What its name resolves to.
};

class World {
 public:
  static constexpr std::size_t kAll = ~std::size_t{0};

  /// With less than all for `enough`, only so many are probed at once.
  explicit World(Config config = {}, Byte seed = 1, std::size_t enough = kAll) : config_(std::move(config)) {
    config_.enough = enough;
    restart(seed);
  }

  /// The process ends and starts anew, with what is on disk. Answers under way are lost.
  void restart(Byte seed = 1, bool start = true) {
    answers_.clear();
    in_flight_ = 0;
    engine = std::make_unique<Bootstrap>(id_of(kSelf), config_, test::make_rng(seed));
    const auto loaded = engine->load(disk.rows());
    CHECK(loaded.has_value());
    engine->check_invariants();
    if (start) run_start();
  }

  void run_start() {
    engine->start(now(), out);
    settle();
  }

  Host& host(Byte number, const std::string& at = {}) {
    const std::string where = at.empty() ? address_of(number) : at;
    places_[where] = number;
    return hosts_[number];
  }

  void seeds(const std::vector<Byte>& numbers, const std::string& source = "--bootstrap") {
    std::vector<Seed> all;
    for (const Byte number : numbers) all.push_back(seed_for(number));
    engine->add_seeds(now(), source, all, out);
    settle();
  }

  Now now() const { return {at_, wall_ + std::chrono::duration_cast<milliseconds>(at_ - Instant(hours(1)))}; }
  void step_wall(milliseconds by) { wall_ += by; }

  /// Lets time pass: answers arrive and timers fire in their order.
  void run(Duration time) {
    const Instant end = at_ + time;
    while (true) {
      std::optional<Instant> next = engine->deadline();
      if (!answers_.empty()) next = earlier(next, answers_.begin()->first);
      if (!next || *next > end) break;
      at_ = std::max(at_, *next);
      if (!answers_.empty() && answers_.begin()->first <= at_) {
        auto answer = std::move(answers_.begin()->second);
        answers_.erase(answers_.begin());
        --in_flight_;
        answer();
      } else {
        engine->on_deadline(now(), out);
      }
      settle();
    }
    at_ = end;
  }

  /// Looks at what the engine did, and answers its probes.
  void settle() {
    engine->check_invariants();
    out.drain([this](Bootstrap::Effect&& effect) {
      std::visit(Overloaded{[this](Probe&& probe) { answer(std::move(probe)); },
                            [this](Candidate&& candidate) { candidates.push_back(std::move(candidate)); },
                            [this](Write&& write) {
                              disk.apply(write.batch);
                              ++writes;
                            },
                            [this](Notice&& notice) { notices.push_back(std::move(notice)); }},
                 std::move(effect));
    });
  }

  std::set<identity::PeerId> up() const {
    std::set<identity::PeerId> out_ids;
    for (const auto& node : engine->status()) {
      if (node.up) out_ids.insert(node.node);
    }
    return out_ids;
  }

  std::optional<NodeStatus> status_of(Byte number) const {
    for (auto& node : engine->status()) {
      if (node.node == id_of(number)) return node;
    }
    return std::nullopt;
  }

  std::vector<std::string> endpoints_of(Byte number) const {
    std::vector<std::string> texts;
    const auto status = status_of(number);
    if (!status) return texts;
    for (const auto& at : status->endpoints) texts.push_back(at.text());
    return texts;
  }

  std::size_t probes_of(Byte number) const {
    return static_cast<std::size_t>(std::ranges::count(probes, id_of(number), &Probe::node));
  }
  const Probe* last_probe(Byte number) const {
    const Probe* last = nullptr;
    for (const Probe& probe : probes) {
      if (probe.node == id_of(number)) last = &probe;
    }
    return last;
  }
  std::size_t count(Notice::Kind kind) const {
    return static_cast<std::size_t>(std::ranges::count(notices, kind, &Notice::kind));
  }
  std::string texts() const {
    std::string all;
    for (const auto& notice : notices) all += notice.text + "\n";
    return all;
  }
  std::size_t most_in_flight() const { return most_in_flight_; }
  const Config& config() const { return config_; }

  std::unique_ptr<Bootstrap> engine;
  Outbox<Bootstrap::Effect> out;
  store::MemoryStore disk;
  std::vector<Probe> probes;
  std::vector<Candidate> candidates;
  std::vector<Notice> notices;
  std::size_t writes = 0;
  bool network = true;  ///< Of this node.
  bool silent = false;  ///< Probes are never answered.

 private:
  void answer(Probe probe) {
    probes.push_back(probe);
    if (silent) return;
    most_in_flight_ = std::max(most_in_flight_, ++in_flight_);
    for (const auto& at : probe.endpoints) {
      const auto place = places_.find(at.text());
      if (!network || place == places_.end() || !hosts_[place->second].up) continue;
      return reach(probe, at, place->second);
    }
    answers_.emplace(at_ + seconds(1), [this, id = probe.probe] {
      engine->on_unreachable(now(), id, {Errc::unreachable, "connection refused"}, out);
    });
  }

  void reach(const Probe& probe, const identity::Endpoint& at, Byte number) {
    const Host& there = hosts_[number];
    Reached reached{.public_key = identity_of(number).public_key(),
                    .round_trip = there.round_trip,
                    .endpoint = at,
                    .address = {},
                    .own_endpoints = there.own_endpoints};
    const std::optional<identity::IpAddress> ip =
        there.ip ? identity::IpAddress::parse(*there.ip).value() : at.address();
    if (ip) reached.address = identity::SocketAddress{*ip, at.port};
    if (probe.want_list) reached.list = there.list;
    answers_.emplace(at_ + there.round_trip,
                     [this, id = probe.probe, reached] { engine->on_reached(now(), id, reached, out); });
  }

  Config config_;
  Instant at_{hours(1)};
  WallTime wall_ = test::kWall;
  std::map<Byte, Host> hosts_;
  std::map<std::string, Byte> places_;
  std::multimap<Instant, std::function<void()>> answers_;
  std::size_t in_flight_ = 0;
  std::size_t most_in_flight_ = 0;
};

}  // namespace ekiden::bootstrap
