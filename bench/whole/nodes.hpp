// Nodes in two processes, or three with a relay between them, through the public C++ API, and what is measured on them.
#pragma once

#include <condition_variable>
#include <ekiden/ekiden.hpp>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "whole/child.hpp"
#include "whole/figure.hpp"

namespace ekiden::bench {

/// Ours, and one in a helper process; they know each other, and a link and a session are made.
struct Nodes {
  Node ours;
  Child theirs;
  PeerId peer;
  std::optional<Child> relay = {};
};

/// `role` of the other one: "echo" sends volatile messages back, "take" takes durable ones.
Result<Nodes> start_nodes(const Options& options, const std::string& role);
/// The same, but the two have links to a third process alone, and no address of each other.
Result<Nodes> start_relayed_nodes(const Options& options, const std::string& role);

/// What the node's thread measures, and the waiting for it.
class Gate {
 public:
  void open();
  Status wait();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

/// Median of volatile messages of 1 KiB to a node of role "echo" and back, one after another, in microseconds.
Result<double> measure_rtt(Nodes& nodes);
/// Durable messages of 1 KiB a second to a node of role "take", 64 of them without a receipt at any time.
Result<double> measure_rate(Nodes& nodes);

}  // namespace ekiden::bench
