#include "whole/nodes.hpp"

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <vector>

namespace ekiden::bench {
namespace {

using namespace std::chrono_literals;

constexpr int kPings = 2000;
constexpr int kDurable = 20'000;
constexpr int kOutstanding = 64;

/// A helper process with a node, and what it says of itself.
struct Helper {
  Child child;
  std::string id;
  std::string endpoint;
};

Result<Helper> start_helper(const Options& options, const std::vector<std::string>& words, int cpu) {
  EKIDEN_ASSIGN(auto child, Child::start(options.self, words, cpu));
  EKIDEN_ASSIGN(auto id, child.line());
  EKIDEN_ASSIGN(auto endpoint, child.line());
  return Helper{std::move(child), std::move(id), std::move(endpoint)};
}

std::string fresh_home(const Options& options) {
  const std::string home = options.directory + "/nodes";
  std::filesystem::remove_all(home);
  return home;
}

/// Links, routes and sessions are made once, not for each message.
Status warm_up(Node& node, const PeerId& peer) {
  EKIDEN_ASSIGN(const auto first, node.send({.to = peer, .body = "hello"}));
  EKIDEN_ASSIGN(const auto state, node.wait_settled(first, 30s));
  if (state != MessageState::delivered) return fail(Errc::timed_out, "the first message was not delivered");
  return {};
}

}  // namespace

Result<Nodes> start_nodes(const Options& options, const std::string& role) {
  const std::string home = fresh_home(options);
  EKIDEN_ASSIGN(auto theirs, start_helper(options, {"--role", role, home + "/b"}, 1));
  EKIDEN_ASSIGN(const auto peer, PeerId::parse(theirs.id));
  EKIDEN_ASSIGN(auto ours,
                Node::start({.data_dir = home + "/a", .listen = {"tcp://127.0.0.1:0"}, .strangers = "accept"}));
  EKIDEN_TRY(ours.add_contact("peer", peer, {theirs.endpoint}));
  EKIDEN_TRY(warm_up(ours, peer));
  return Nodes{std::move(ours), std::move(theirs.child), peer};
}

Result<Nodes> start_relayed_nodes(const Options& options, const std::string& role) {
  const std::string home = fresh_home(options);
  EKIDEN_ASSIGN(auto relay, start_helper(options, {"--role", "take", home + "/r"}, -1));
  EKIDEN_ASSIGN(auto theirs, start_helper(options, {"--role", role, home + "/b", relay.id, relay.endpoint}, 1));
  EKIDEN_ASSIGN(const auto peer, PeerId::parse(theirs.id));
  EKIDEN_ASSIGN(const auto relay_id, PeerId::parse(relay.id));
  EKIDEN_ASSIGN(auto ours,
                Node::start({.data_dir = home + "/a", .listen = {"tcp://127.0.0.1:0"}, .strangers = "accept"}));
  EKIDEN_TRY(ours.add_contact("relay", relay_id, {relay.endpoint}));
  EKIDEN_TRY(ours.add_contact("peer", peer, {}));
  EKIDEN_TRY(warm_up(ours, relay_id));
  EKIDEN_TRY(warm_up(ours, peer));
  return Nodes{std::move(ours), std::move(theirs.child), peer, std::move(relay.child)};
}

void Gate::open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
  changed_.notify_all();
}

Status Gate::wait() {
  std::unique_lock lock(mutex_);
  if (changed_.wait_for(lock, 120s, [this] { return open_; })) return {};
  return fail(Errc::timed_out, "the measurement did not finish in two minutes");
}

Result<double> measure_rtt(Nodes& nodes) {
  std::vector<double> times;
  double begin = 0;
  Gate gate;
  const OutgoingMessage ping{
      .to = nodes.peer, .body = std::string(1024, 'x'), .ttl = 30s, .delivery = Delivery::volatile_};
  const auto ask = [&] {
    begin = seconds_now();
    nodes.ours.send(ping, [](Result<std::string>) {});
  };
  nodes.ours.on_message([&](const Message&) {
    times.push_back((seconds_now() - begin) * 1e6);
    if (times.size() < kPings) {
      ask();
    } else {
      gate.open();
    }
  });
  ask();
  EKIDEN_TRY(gate.wait());
  return median(times);
}

Result<double> measure_rate(Nodes& nodes) {
  int sent = 0;
  int delivered = 0;
  Gate gate;
  const OutgoingMessage message{.to = nodes.peer, .body = std::string(1024, 'x')};
  const auto send = [&] {
    ++sent;
    nodes.ours.send(message, [](Result<std::string>) {});
  };
  nodes.ours.on_state([&](const std::string&, MessageState state) {
    if (state != MessageState::delivered) return;
    if (++delivered == kDurable) gate.open();
    if (sent < kDurable) send();
  });
  const double begin = seconds_now();
  for (int i = 0; i < kOutstanding; ++i) send();
  EKIDEN_TRY(gate.wait());
  return kDurable / (seconds_now() - begin);
}

/// words: data directory, then id and endpoint of a relay to which a link is made, if there is one.
int role_node(const std::vector<std::string>& words, bool echo) {
  const auto complain = [](const Error& error) {
    std::fprintf(stderr, "%s\n", error.message.c_str());
    return 1;
  };
  auto node = Node::start({.data_dir = words[0], .listen = {"tcp://127.0.0.1:0"}, .strangers = "accept"});
  if (!node) return complain(node.error());
  node->on_message([&](const Message& message) {
    if (message.delivery == Delivery::durable) {
      node->take(message, [](Status) {});
    } else if (echo) {
      node->send({.to = message.from, .body = message.body, .ttl = 30s, .delivery = Delivery::volatile_},
                 [](Result<std::string>) {});
    }
  });
  if (words.size() == 3) {
    const auto relay = PeerId::parse(words[1]);
    if (!relay) return complain(relay.error());
    if (auto status = node->add_contact("relay", *relay, {words[2]}); !status) return complain(status.error());
    if (auto status = warm_up(*node, *relay); !status) return complain(status.error());
  }
  std::printf("%s\n%s\n", node->id().text().c_str(), node->listening().front().c_str());
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
  }
  return 0;
}

}  // namespace ekiden::bench
