// message.*: the whole stack between two processes, through the public C++ API.
#include <vector>

#include "whole/nodes.hpp"
#include "whole/raw.hpp"

namespace ekiden::bench {
namespace {

constexpr int kReceipts = 300;

Result<Pair> volatile_rtt(const Options& options) {
  EKIDEN_ASSIGN(const double baseline, raw_ping_pong(options));
  EKIDEN_ASSIGN(auto nodes, start_nodes(options, "echo"));
  EKIDEN_ASSIGN(const double rtt, measure_rtt(nodes));
  return Pair{rtt, baseline};
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
  EKIDEN_ASSIGN(auto nodes, start_nodes(options, "take"));
  EKIDEN_ASSIGN(const double rate, measure_rate(nodes));
  return Pair{rate, rows};
}

}  // namespace

std::vector<Figure> message_figures() {
  return {{"message.volatile.rtt", "us", "raw TCP ping-pong of 1 KiB", "ratio <= 2.5", volatile_rtt},
          {"message.durable.receipt", "us", "two fdatasync and a raw ping-pong", "ratio <= 2", durable_receipt},
          {"message.durable.rate", "1/s", "rows SQLite inserts in batches of 100", "ratio >= 0.3", durable_rate}};
}

}  // namespace ekiden::bench
