// A node's reachability in a world of peers that answer as they are told: they reach, do not reach, refuse, or are
// silent. For the tests and the fuzz target.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "reachability/reachability.hpp"
#include "reachability/rows.hpp"
#include "store/memory_store.hpp"
#include "support/identities.hpp"

namespace ekiden::reachability {

inline identity::Endpoint endpoint(std::string_view text) {
  auto parsed = identity::Endpoint::parse(text);
  CHECK(parsed.has_value());
  return std::move(*parsed);
}

inline identity::PeerId peer_id(Byte number) {
  identity::PeerId id;
  id.bytes.fill(number);
  return id;
}

/// Ten to a network.
inline identity::IpAddress address_of(Byte number) {
  return identity::IpAddress::v4({8, 8, static_cast<Byte>(number / 10), static_cast<Byte>(1 + number % 10)});
}

class World {
 public:
  enum class Answer : Byte { reached, not_reached, refused, silent };

  explicit World(Config config = {}, std::vector<std::string> configured = {},
                 std::vector<std::string> listening = {"tcp://0.0.0.0:7420"})
      : config_(config), configured_(std::move(configured)), listening_(std::move(listening)) {
    boot(1);
  }

  void boot(Byte seed) {
    engine = std::make_unique<Reachability>(config_, test::make_rng(seed),
                                            [this](const identity::IpAddress& ip) { return sent_to.contains(ip); });
    std::vector<identity::Endpoint> configured;
    std::vector<identity::Endpoint> listening;
    for (const auto& text : configured_) configured.push_back(endpoint(text));
    for (const auto& text : listening_) listening.push_back(endpoint(text));
    engine->set_configured(std::move(configured));
    engine->set_listening(std::move(listening));
    for (const auto& row : disk.rows()) CHECK(engine->load(row.value).has_value());
    open_.clear();
    engine->start(now_, out);
    for (const auto& [number, answer] : peers) up(number, answer);
    settle();
  }

  void up(Byte number, Answer answer = Answer::reached) {
    peers[number] = answer;
    engine->on_peer_up(now_, {.peer = peer_id(number), .address = address_of(number)}, out);
    settle();
  }
  void down(Byte number) {
    peers.erase(number);
    std::erase_if(open_, [&](const Question& question) { return question.peer == peer_id(number); });
    engine->on_peer_down(now_, peer_id(number), out);
    settle();
  }
  /// The peer says where it sees us.
  void sees(Byte number, std::string_view address) {
    engine->on_observed_link(now_, {peer_id(number), address_of(number)}, *identity::IpAddress::parse(address), out);
    settle();
  }
  void sees_datagrams(Byte number, std::string_view address, std::uint16_t port) {
    engine->on_observed_datagram(now_, {peer_id(number), address_of(number)},
                                 {*identity::IpAddress::parse(address), port}, out);
    settle();
  }

  void run(Duration by) {
    const Instant end = now_.mono + by;
    for (;;) {
      const auto next = engine->deadline();
      if (!next || *next > end) break;
      go_to(std::max(*next, now_.mono));
      engine->on_deadline(now_, out);
      settle();
    }
    go_to(end);
  }
  void step_wall(Duration by) { now_.wall += std::chrono::duration_cast<milliseconds>(by); }

  void settle() {
    while (!out.empty()) {
      for (auto& effect : out.take()) run_effect(std::move(effect));
      for (const Question& question : std::exchange(due_, {})) answer(question);
    }
    engine->check_invariants();
  }

  std::optional<EndpointStatus> status_of(std::string_view text) const {
    for (auto& status : engine->status()) {
      if (status.endpoint.text() == text) return std::move(status);
    }
    return std::nullopt;
  }
  bool publishes(std::string_view text) const {
    const auto endpoints = engine->endpoints();
    return std::ranges::any_of(endpoints, [&](const auto& endpoint) { return endpoint.text() == text; });
  }
  Now now() const { return now_; }
  const std::vector<Question>& open() const { return open_; }

  std::unique_ptr<Reachability> engine;
  Outbox<Reachability::Effect> out;
  store::MemoryStore disk;
  std::map<Byte, Answer> peers;
  std::set<identity::IpAddress> sent_to;
  std::vector<Question> asked;  ///< all there were
  std::vector<Notice> notices;
  std::size_t needed_peers = 0;
  std::size_t changes = 0;

 private:
  void go_to(Instant when) {
    now_.wall += std::chrono::duration_cast<milliseconds>(when - now_.mono);
    now_.mono = when;
  }

  void run_effect(Reachability::Effect effect) {
    std::visit(Overloaded{
                   [&](const Question& question) {
                     asked.push_back(question);
                     due_.push_back(question);
                   },
                   [&](const NeedPeer&) { ++needed_peers; },
                   [&](const Changed&) { ++changes; },
                   [&](const Write& write) { disk.apply(write.batch); },
                   [&](const Notice& notice) { notices.push_back(notice); },
               },
               effect);
  }

  void answer(const Question& question) {
    const auto peer = peers.find(question.peer.bytes[0]);
    CHECK(peer != peers.end());
    if (peer->second == Answer::silent) {
      open_.push_back(question);
      return;
    }
    const auto verdict = static_cast<Verdict>(peer->second);
    engine->on_answer(now_, question.id, question.peer, verdict, "connection refused", out);
  }

  Config config_;
  std::vector<std::string> configured_;
  std::vector<std::string> listening_;
  Now now_ = test::at({});
  std::vector<Question> due_;
  std::vector<Question> open_;  ///< silent ones
};

}  // namespace ekiden::reachability
