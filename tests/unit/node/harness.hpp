// Nodes in one process, joined by connections that carry bytes at once, on disks that sync at once unless told not to.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/deadline_map.hpp"
#include "node/node.hpp"
#include "store/memory_store.hpp"

namespace ekiden::node {

inline constexpr WallTime kStartOfTime{milliseconds(1'767'225'600'000)};

class Harness {
 public:
  struct Peer {
    crypto::Ed25519Seed seed;
    identity::PeerId id;
    identity::Endpoint endpoint;
    std::unique_ptr<Node> node;
    store::MemoryStore disk;
    bool disk_syncs = true;
    std::deque<Persist> unsynced;
    std::uint64_t accepted = 0;
    Outbox<Effect> out;
    // What the driver and the application saw.
    std::map<std::uint64_t, Result<router::MessageId>> replies;
    std::vector<router::ArrivedPtr> arrivals;
    std::vector<Dial> dials;
    std::vector<StateChanged> states;
    std::vector<PeerFound> found;
    std::vector<CapabilityFound> owners;
    std::vector<PeerProbed> probed;
    std::map<std::uint64_t, Answered> answers;
    std::map<std::uint64_t, Placed> placed;
    std::vector<TopicMessage> topic_messages;
    std::vector<std::string> changed_entries;
    std::vector<std::string> left_realms;
    std::map<std::uint64_t, Result<gossip::Publication>> published;
    std::vector<NetworkChanged> network;
    std::vector<std::string> log;
    std::set<identity::PeerId> up;
    std::vector<ConnId> resumed;  ///< that may be read again
    std::uint64_t hangups = 0;
    std::vector<Bytes> beacons;  ///< that it said
    bool on_lan = true;          ///< hears what others say to all
  };

  /// Changes the configuration of one node before it boots.
  using Tune = std::function<void(std::size_t, Config&)>;

  explicit Harness(std::size_t count, Config config = {}, Tune tune_one = {})
      : tune(std::move(tune_one)), config_(std::move(config)), peers_(count) {
    config_.router.strangers = router::Strangers::accept;
    for (std::size_t i = 0; i < count; ++i) {
      ByteArray<32> seed{};
      seed[0] = static_cast<Byte>(i + 1);
      peers_[i].seed = crypto::Ed25519Seed(seed);
      peers_[i].id = identity::Identity(peers_[i].seed).id();
      peers_[i].endpoint = {identity::Endpoint::Transport::tcp, "10.0." + std::to_string(i) + ".1", 7420};
      boot(i);
    }
  }

  Peer& operator[](std::size_t i) { return peers_[i]; }
  const std::vector<Peer>& peers() const { return peers_; }
  Now now() const { return now_; }

  void boot(std::size_t i) {
    Peer& peer = peers_[i];
    Rng::Seed seed{};
    seed[0] = static_cast<Byte>(i);
    seed[1] = static_cast<Byte>(++boots_);
    Config config = config_;
    config.advertised = {peer.endpoint};
    if (config.discovery) {
      config.advertised.push_back({identity::Endpoint::Transport::udp, peer.endpoint.host, peer.endpoint.port});
    }
    config.listening = config.advertised;
    config.watch_network = false;  // Days pass here, and every heartbeat of them would.
    if (tune) tune(i, config);
    peer.node = std::make_unique<Node>(peer.seed, config, Rng(seed));
    const auto loaded = peer.node->load(peer.disk.rows(store::Reading::gathered));
    ASSERT_TRUE(loaded) << loaded.error().message;
    for (const store::Row& row : peer.disk.rows(store::Reading::streamed)) {
      ASSERT_TRUE(peer.node->load_row(row.key, row.value));
    }
    peer.node->start(now_, peer.out);
    pump();
  }

  void crash(std::size_t i) {
    Peer& peer = peers_[i];
    peer.node.reset();
    peer.out.take();
    peer.unsynced.clear();
    peer.up.clear();
    for (auto it = connections_.begin(); it != connections_.end();) {
      if (it->first.first != i) {
        ++it;
        continue;
      }
      const auto other = it->second;
      connections_.erase(other);
      it = connections_.erase(it);
      feed(other.first, ConnClosed{other.second, {Errc::closed, "reset"}});
    }
    pump();
  }

  /// Stopped, as a process is by SIGSTOP: what is for it waits, datagrams are lost.
  void freeze(std::size_t i) { frozen_.insert(i); }
  void thaw(std::size_t i) {
    frozen_.erase(i);
    for (Input& input : std::exchange(held_[i], {})) feed(i, std::move(input));
    pump();
  }

  void feed(std::size_t i, Input input) {
    if (frozen_.contains(i)) {
      if (!std::holds_alternative<Tick>(input)) held_[i].push_back(std::move(input));
      return;
    }
    if (peers_[i].node) peers_[i].node->handle(now_, std::move(input), peers_[i].out);
  }

  /// Runs effects and carries bytes until nothing moves.
  void pump() {
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t i = 0; i < peers_.size(); ++i) {
        while (peers_[i].node && !peers_[i].out.empty()) {
          moved = true;
          for (Effect& effect : peers_[i].out.take()) run(i, std::move(effect));
        }
        moved |= sync(i);
      }
      for (const Datagram& datagram : std::exchange(datagrams_, {})) {
        moved = true;
        const std::size_t to = datagram.to.ip.bytes[14];
        if (to < peers_.size() && !frozen_.contains(to))
          feed(to, DatagramArrived{address_of(datagram.from), datagram.bytes});
      }
      for (const auto& [from, beacon] : std::exchange(beacons_, {})) {
        moved = true;
        for (std::size_t i = 0; i < peers_.size(); ++i) {
          if (peers_[i].on_lan && peers_[from].on_lan && !frozen_.contains(i))
            feed(i, BeaconHeard{address_of(from), beacon});
        }
      }
      auto deliveries = std::exchange(in_transit_, {});
      for (auto& [to, bytes] : deliveries) {
        if (frozen_.contains(to.first)) {
          in_transit_.emplace_back(to, std::move(bytes));
          continue;
        }
        moved = true;
        feed(to.first, ConnBytes{to.second, bytes});
      }
    }
    for (const Peer& peer : peers_) {
      if (peer.node) peer.node->check_invariants();
    }
  }

  /// Sets everybody's wall clock, as an administrator does.
  void set_clock(WallTime wall) { now_.wall = wall; }

  /// Moves the time on, ticking whoever is due.
  void advance(Duration by) {
    const Instant end = now_.mono + by;
    for (;;) {
      std::optional<Instant> next;
      for (std::size_t i = 0; i < peers_.size(); ++i) {
        if (peers_[i].node && !frozen_.contains(i)) next = earlier(next, peers_[i].node->deadline());
      }
      if (!next || *next > end) break;
      go_to(std::max(*next, now_.mono));
      for (std::size_t i = 0; i < peers_.size(); ++i) feed(i, Tick{});
      pump();
    }
    go_to(end);
  }

  void introduce(std::size_t i, std::size_t j, const std::string& name) {
    identity::Contact contact;
    contact.id = peers_[j].id;
    contact.petname = name;
    contact.endpoints = {peers_[j].endpoint};
    feed(i, PutContact{next_request(), contact, false});
    pump();
  }

  /// Returns the request, whose answer is in `replies`.
  std::uint64_t send(std::size_t i, std::size_t j, const std::string& text,
                     router::DeliveryClass delivery = router::DeliveryClass::durable) {
    router::Draft draft;
    draft.to = peers_[j].id;
    draft.body = to_bytes(as_bytes(text));
    draft.delivery = delivery;
    const RequestId request = next_request();
    feed(i, SendMessage{request, std::move(draft)});
    pump();
    return static_cast<std::uint64_t>(request);
  }

  /// Searches; what is found is in `found`.
  void find(std::size_t i, std::size_t j) {
    feed(i, FindPeer{next_request(), peers_[j].id});
    pump();
  }

  /// Searches; what is found is in `owners`.
  void find(std::size_t i, const std::string& capability, std::size_t limit = 20) {
    feed(i, FindCapability{next_request(), capability, limit});
    pump();
  }

  /// Returns the request, whose answer is in `replies`.
  template <class Request, class... Fields>
  std::uint64_t request(std::size_t i, const Fields&... fields) {
    const RequestId request = next_request();
    feed(i, Request{request, fields...});
    pump();
    return static_cast<std::uint64_t>(request);
  }

  /// The polite end; what it leaves is on the disk.
  void stop(std::size_t i) {
    feed(i, ShutDown{});
    pump();
    while (peers_[i].node->is_leaving()) advance(milliseconds(100));
    crash(i);
  }

  static identity::SocketAddress address_of(std::size_t i) {
    return {identity::IpAddress::v4({10, 0, static_cast<Byte>(i), 1}), 7420};
  }

  RequestId next_request() { return RequestId{++requests_}; }

  Tune tune;
  std::map<std::string, std::string> names;  ///< and the addresses to which they lead

 private:
  struct Datagram {
    std::size_t from;
    identity::SocketAddress to;
    Bytes bytes;
  };
  using End = std::pair<std::size_t, ConnId>;

  void go_to(Instant when) {
    now_.wall += std::chrono::duration_cast<milliseconds>(when - now_.mono);
    now_.mono = when;
  }

  bool sync(std::size_t i) {
    Peer& peer = peers_[i];
    if (!peer.disk_syncs || peer.unsynced.empty() || !peer.node) return false;
    for (const Persist& persist : peer.unsynced) peer.disk.apply(persist.batch);
    const auto last = peer.unsynced.back().token;
    peer.unsynced.clear();
    feed(i, Persisted{last});
    return true;
  }

  void run(std::size_t i, Effect effect) {
    Peer& peer = peers_[i];
    std::visit(
        Overloaded{
            [&](const Dial& dial) { connect(i, dial); },
            [&](const Hangup& hangup) {
              ++peer.hangups;
              const auto found = connections_.find({i, hangup.conn});
              if (found == connections_.end()) return;
              const End other = found->second;
              connections_.erase(found);
              connections_.erase(other);
              feed(other.first, ConnClosed{other.second, {Errc::closed, "closed by the other side"}});
            },
            [&](const WantWrite& want) { pull(i, want.conn); },
            [&](const Resume& resume) { peer.resumed.push_back(resume.conn); },
            [&](SendDatagram& datagram) { datagrams_.push_back({i, datagram.to, std::move(datagram.packet)}); },
            [&](SayBeacon& word) {
              peer.beacons.push_back(word.bytes);
              beacons_.emplace_back(i, std::move(word.bytes));
            },
            [&](Persist& persist) { peer.unsynced.push_back(std::move(persist)); },
            [&](const Fetch& wanted) { feed(i, peer.disk.fetch(wanted)); },
            [&](const Reply& reply) { peer.replies.emplace(static_cast<std::uint64_t>(reply.request), reply.result); },
            [&](const PeerFound& found) { peer.found.push_back(found); },
            [&](const CapabilityFound& found) { peer.owners.push_back(found); },
            [&](const PeerProbed& probed) { peer.probed.push_back(probed); },
            [&](const Placed& placed) { peer.placed.emplace(static_cast<std::uint64_t>(placed.request), placed); },
            [&](const Answered& answered) {
              peer.answers.emplace(static_cast<std::uint64_t>(answered.request), answered);
            },
            [&](const TopicMessage& message) { peer.topic_messages.push_back(message); },
            [&](const EntryChanged& changed) { peer.changed_entries.push_back(changed.name); },
            [&](const RealmLeft& left) { peer.left_realms.push_back(left.realm); },
            [&](const NetworkChanged& changed) { peer.network.push_back(changed); },
            [&](const TopicPublished& done) {
              peer.published.emplace(static_cast<std::uint64_t>(done.request), done.result);
            },
            [&](const Arrival& arrival) { peer.arrivals.push_back(arrival.message); },
            [&](const StateChanged& change) { peer.states.push_back(change); },
            [&](const PeerUp& change) { peer.up.insert(change.peer); },
            [&](const PeerDown& change) { peer.up.erase(change.peer); },
            [&](const Log& line) { peer.log.push_back(line.text); },
        },
        effect);
  }

  /// Where it leads, and may lead.
  Result<identity::Endpoint> resolve(const Dial& dial) const {
    if (dial.endpoint.address()) return dial.endpoint;
    const auto found = names.find(dial.endpoint.host);
    const bool is_wanted =
        found != names.end() &&
        (dial.only.empty() || std::ranges::any_of(dial.only, [&](auto& only) { return only.text() == found->second; }));
    if (!is_wanted) return fail(Errc::not_found, dial.endpoint.host + " leads elsewhere");
    return identity::Endpoint{dial.endpoint.transport, found->second, dial.endpoint.port};
  }

  void connect(std::size_t i, const Dial& dial) {
    peers_[i].dials.push_back(dial);
    const auto to = resolve(dial);
    if (!to) return feed(i, ConnFailed{dial.conn, to.error()});
    for (std::size_t j = 0; j < peers_.size(); ++j) {
      if (!peers_[j].node || peers_[j].endpoint != *to) continue;
      const End here{i, dial.conn};
      const End there{j, ConnId{link::kFirstAccepted + peers_[j].accepted++}};
      connections_[here] = there;
      connections_[there] = here;
      feed(j, ConnAccepted{there.second, *peers_[i].endpoint.address(), 40'000});
      feed(i,
           ConnConnected{dial.conn, identity::SocketAddress{*peers_[j].endpoint.address(), peers_[j].endpoint.port}});
      return;
    }
    feed(i, ConnFailed{dial.conn, {Errc::unreachable, "connection refused"}});
  }

  void pull(std::size_t i, ConnId conn) {
    for (;;) {
      const ByteView bytes = peers_[i].node->to_send(now_, conn);
      if (bytes.empty()) return;
      const auto found = connections_.find({i, conn});
      if (found != connections_.end()) in_transit_.emplace_back(found->second, to_bytes(bytes));
      peers_[i].node->mark_sent(now_, conn, bytes.size(), peers_[i].out);
    }
  }

  Config config_;
  Now now_{Instant(seconds(1)), kStartOfTime};
  std::vector<Peer> peers_;
  std::map<End, End> connections_;
  std::deque<std::pair<End, Bytes>> in_transit_;
  std::set<std::size_t> frozen_;
  std::map<std::size_t, std::vector<Input>> held_;
  std::vector<Datagram> datagrams_;
  std::vector<std::pair<std::size_t, Bytes>> beacons_;
  std::uint64_t requests_ = 0;
  std::uint64_t boots_ = 0;
};

/// `count` nodes that start now, of which all but the first join through the first.
inline Harness make_young_network(std::size_t count, Harness::Tune tune = {}) {
  Config config;
  config.discovery = config.private_network = true;
  ByteArray<32> seed{};
  seed[0] = 1;
  const identity::PeerId first = identity::Identity(crypto::Ed25519Seed(seed)).id();
  config.sources = {
      .name = "test",
      .seeds = {{.id = first, .public_key = {}, .endpoints = {{identity::Endpoint::Transport::tcp, "10.0.0.1", 7420}}}},
      .lists = {}};
  return Harness(count, config, std::move(tune));
}

/// The same, two minutes old.
inline Harness make_network(std::size_t count, Harness::Tune tune = {}) {
  Harness net = make_young_network(count, std::move(tune));
  net.advance(minutes(2));
  return net;
}

inline void offer(Harness& net, std::size_t i, const std::string& capability) {
  const auto request = net.request<OfferCapability>(i, capability);
  ASSERT_TRUE(net[i].replies.at(request)) << net[i].replies.at(request).error().message;
  net.advance(seconds(5));
}

}  // namespace ekiden::node
