// message.*: the whole stack between two processes, through the public C++ API.
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <ekiden/ekiden.hpp>
#include <filesystem>
#include <iostream>
#include <mutex>

#include "whole/child.hpp"
#include "whole/figure.hpp"
#include "whole/raw.hpp"

namespace ekiden::bench {
namespace {

using namespace std::chrono_literals;

constexpr int kPings = 2000;
constexpr int kReceipts = 300;
constexpr int kDurable = 20'000;
constexpr int kOutstanding = 64;

/// Two nodes, ours and one in a helper process, that know each other.
struct Nodes {
  Node ours;
  Child theirs;
  PeerId peer;
};

Result<Nodes> start_nodes(const Options& options, const std::string& role) {
  const std::string home = options.directory + "/nodes";
  std::filesystem::remove_all(home);
  EKIDEN_ASSIGN(auto theirs, Child::start(options.self, {"--role", role, home + "/b"}, 1));
  EKIDEN_ASSIGN(const auto id, theirs.line());
  EKIDEN_ASSIGN(const auto endpoint, theirs.line());
  EKIDEN_ASSIGN(const auto peer, PeerId::parse(id));
  EKIDEN_ASSIGN(auto ours, Node::start({.data_dir = home + "/a", .listen = {"tcp://127.0.0.1:0"}}));
  EKIDEN_TRY(ours.add_contact("peer", peer, {endpoint}));
  // Link and session first: they are made once, not for each message.
  EKIDEN_ASSIGN(const auto first, ours.send({.to = peer, .body = "hello"}));
  EKIDEN_ASSIGN(const auto state, ours.wait_settled(first, 20s));
  if (state != MessageState::delivered) return fail(Errc::timed_out, "the first message was not delivered");
  return Nodes{std::move(ours), std::move(theirs), peer};
}

/// What the node's thread measures, and the waiting for it.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  Status wait() {
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, 120s, [this] { return open_; })) return {};
    return fail(Errc::timed_out, "the measurement did not finish in two minutes");
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

Result<Pair> volatile_rtt(const Options& options) {
  EKIDEN_ASSIGN(const double baseline, raw_ping_pong(options));
  std::vector<double> times;
  double begin = 0;
  Gate gate;
  EKIDEN_ASSIGN(auto nodes, start_nodes(options, "echo"));
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
  return Pair{median(times), baseline};
}

Result<Pair> durable_receipt(const Options& options) {
  EKIDEN_ASSIGN(const double ping, raw_ping_pong(options));
  EKIDEN_ASSIGN(const double sync, raw_sync(options.directory));
  std::vector<double> times;
  double begin = 0;
  Gate gate;
  EKIDEN_ASSIGN(auto nodes, start_nodes(options, "take"));
  const OutgoingMessage message{.to = nodes.peer, .body = std::string(1024, 'x')};
  const auto send = [&] {
    begin = seconds_now();
    nodes.ours.send(message, [](Result<std::string>) {});
  };
  nodes.ours.on_state([&](const std::string&, MessageState state) {
    if (state != MessageState::delivered) return;
    times.push_back((seconds_now() - begin) * 1e6);
    if (times.size() < kReceipts) {
      send();
    } else {
      gate.open();
    }
  });
  send();
  EKIDEN_TRY(gate.wait());
  return Pair{median(times), 2 * sync + ping};
}

Result<Pair> durable_rate(const Options& options) {
  EKIDEN_ASSIGN(const double rows, raw_rows(options.directory));
  int sent = 0;
  int delivered = 0;
  Gate gate;
  EKIDEN_ASSIGN(auto nodes, start_nodes(options, "take"));
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
  return Pair{kDurable / (seconds_now() - begin), rows};
}

int serve(const std::string& directory, bool echo) {
  auto node = Node::start({.data_dir = directory, .listen = {"tcp://127.0.0.1:0"}});
  if (!node) {
    std::fprintf(stderr, "%s\n", node.error().message.c_str());
    return 1;
  }
  node->on_message([&](const Message& message) {
    if (message.delivery == Delivery::durable) {
      node->take(message, [](Status) {});
    } else if (echo) {
      node->send({.to = message.from, .body = message.body, .ttl = 30s, .delivery = Delivery::volatile_},
                 [](Result<std::string>) {});
    }
  });
  std::printf("%s\n%s\n", node->id().text().c_str(), node->listening().front().c_str());
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
  }
  return 0;
}

}  // namespace

int role_node(const std::string& directory, bool echo) { return serve(directory, echo); }

std::vector<Figure> message_figures() {
  return {{"message.volatile.rtt", "us", "raw TCP ping-pong of 1 KiB", "ratio <= 2.5", volatile_rtt},
          {"message.durable.receipt", "us", "two fdatasync and a raw ping-pong", "ratio <= 2", durable_receipt},
          {"message.durable.rate", "1/s", "rows SQLite inserts in batches of 100", "ratio >= 0.3", durable_rate}};
}

}  // namespace ekiden::bench
