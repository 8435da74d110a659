// delivery.*: messages that do not go directly.
#include "whole/nodes.hpp"
#include "whole/raw.hpp"

namespace ekiden::bench {
namespace {

Result<Pair> relay_rtt(const Options& options) {
  double direct = 0;
  {
    EKIDEN_ASSIGN(auto nodes, start_nodes(options, "echo"));
    EKIDEN_ASSIGN(direct, measure_rtt(nodes));
  }
  EKIDEN_ASSIGN(auto nodes, start_relayed_nodes(options, "echo"));
  EKIDEN_ASSIGN(const double relayed, measure_rtt(nodes));
  return Pair{relayed, direct};
}

Result<Pair> relayed_rate(const Options& options) {
  EKIDEN_ASSIGN(const double rows, raw_rows(options.directory));
  EKIDEN_ASSIGN(auto nodes, start_relayed_nodes(options, "take"));
  EKIDEN_ASSIGN(const double rate, measure_rate(nodes));
  return Pair{rate, rows};
}

}  // namespace

std::vector<Figure> delivery_figures() {
  return {{"delivery.relay.rtt", "us", "the same without the relay", "ratio <= 2.2", relay_rtt},
          {"delivery.relayed.rate", "1/s", "rows SQLite inserts in batches of 100", "none", relayed_rate}};
}

}  // namespace ekiden::bench
