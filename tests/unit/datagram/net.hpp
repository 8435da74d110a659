// Nodes that exchange datagrams over a network in memory: virtual time, delay, and whatever a test does to packets.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "datagram/datagrams.hpp"
#include "support/identities.hpp"

namespace ekiden::datagram::test {

using ekiden::test::make_identity;

inline identity::SocketAddress address_of(Byte number) { return {identity::IpAddress::v4({203, 0, number, 1}), 4433}; }

struct Peer {
  Peer(Byte number, const Config& cfg, const identity::SocketAddress& address)
      : identity(make_identity(number)), at(address), config(cfg), seed{number} {
    restart();
  }
  void restart() {
    ++seed[1];
    datagrams = std::make_unique<Datagrams>(identity, config, Rng(seed));
  }
  identity::NodeInfo info() const { return {identity.public_key(), at}; }

  identity::Identity identity;
  identity::SocketAddress at;
  Config config;
  Rng::Seed seed;
  std::unique_ptr<Datagrams> datagrams;
  bool answers = true;  ///< echoes queries, the first byte raised by one
  std::vector<Queried> queried;
  std::map<std::uint64_t, std::string> answered;
  std::map<std::uint64_t, Error> failed;
  std::vector<identity::NodeInfo> confirmed;
  std::vector<std::size_t> answers_before;  ///< each of them was confirmed
};

struct Packet {
  Instant at;
  identity::SocketAddress from;
  identity::SocketAddress to;
  Bytes bytes;
};

class Net {
 public:
  static constexpr Duration kDelay = milliseconds(20);

  Peer& add(Byte number, const Config& config = {}) { return add(number, config, address_of(number)); }
  Peer& add(Byte number, const Config& config, const identity::SocketAddress& address) {
    return *peers_.emplace(address, std::make_unique<Peer>(number, config, address)).first->second;
  }

  Now now() const { return {now_, ekiden::test::kWall}; }

  void ask(Peer& peer, std::uint64_t id, const identity::NodeInfo& to, std::string_view text, bool reads = true) {
    peer.datagrams->ask(now(), QueryId{id}, to, to_bytes(as_bytes(text)), reads, out_);
    drain(peer);
  }
  /// Brings a packet as if it came from there.
  void bring(Peer& to, const identity::SocketAddress& from, ByteView bytes) {
    to.datagrams->on_packet(now(), from, bytes, out_);
    drain(to);
  }

  /// Lets time pass: packets arrive, timers fire.
  void run(Duration how_long) {
    const Instant until = now_ + how_long;
    while (true) {
      Peer* due = nullptr;
      Instant next = until;
      for (auto& [at, peer] : peers_) {
        const auto deadline = peer->datagrams->deadline();
        if (deadline && *deadline < next) {
          next = *deadline;
          due = peer.get();
        }
      }
      if (!flying_.empty() && flying_.front().at <= next && flying_.front().at <= until) {
        const Packet packet = std::move(flying_.front());
        flying_.pop_front();
        now_ = std::max(now_, packet.at);
        const auto to = peers_.find(packet.to);
        if (to != peers_.end()) bring(*to->second, packet.from, packet.bytes);
      } else if (due != nullptr) {
        now_ = std::max(now_, next);
        due->datagrams->on_deadline(now(), out_);
        drain(*due);
      } else {
        break;
      }
    }
    now_ = until;
  }

  std::vector<Packet> sent;                      ///< all there were
  std::function<bool(Packet&)> on_the_way = {};  ///< may change a packet; false loses it

 private:
  void drain(Peer& peer) {
    out_.drain([&](Datagrams::Effect&& effect) { handle(peer, std::move(effect)); });
    peer.datagrams->check_invariants();
  }

  void handle(Peer& peer, Datagrams::Effect effect) {
    std::visit(
        Overloaded{
            [&](Send& send) {
              // Who wants to know where a node has sent to looks at the others alone.
              CHECK(!send.in_session || written_to_.contains({peer.at, send.to}));
              written_to_.emplace(peer.at, send.to);
              Packet packet{now_ + kDelay, peer.at, send.to, std::move(send.packet)};
              sent.push_back(packet);
              if (!on_the_way || on_the_way(packet)) flying_.push_back(std::move(packet));
            },
            [&](Queried& query) {
              Bytes answer = to_bytes(query.body.view());
              if (!answer.empty()) ++answer[0];
              peer.queried.push_back(query);
              if (peer.answers) peer.datagrams->answer(now(), query.token, answer, out_);
            },
            [&](Answered& answer) {
              peer.answered[static_cast<std::uint64_t>(answer.id)] = std::string(as_text(answer.body.view()));
            },
            [&](Failed& failed) { peer.failed.emplace(static_cast<std::uint64_t>(failed.id), std::move(failed.why)); },
            [&](Confirmed& confirmed) {
              peer.answers_before.push_back(peer.answered.size());
              peer.confirmed.push_back(confirmed.node);
            },
        },
        effect);
  }

  Instant now_ = Instant(hours(1));
  std::map<identity::SocketAddress, std::unique_ptr<Peer>> peers_;
  std::deque<Packet> flying_;
  std::set<std::pair<identity::SocketAddress, identity::SocketAddress>> written_to_;  ///< by whom, and where
  Outbox<Datagrams::Effect> out_;
};

}  // namespace ekiden::datagram::test
