// A network of nodes in this process, each with its own UDP socket on loopback, all on one thread: what the figures of
// discovery are measured on, for Ekiden and for OpenDHT alike. measure.cpp drives either through this interface.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/result.hpp"

namespace ekiden::bench {

class Network {
 public:
  /// What becomes of a lookup, each said once at most.
  struct Watch {
    std::function<void()> found;  ///< Its first value is there.
    std::function<void()> done;   ///< It is over and sends nothing more.
  };

  virtual ~Network() = default;

  /// One more node, which is told of two that are there. Only when the one before has joined.
  virtual Status add_node() = 0;
  /// Every node that was added knows others, and its first lookups are over.
  virtual bool has_joined() = 0;

  /// A node stores its value with the nodes closest to it. One after the other.
  virtual Status publish(std::size_t node) = 0;
  virtual bool has_published() const = 0;

  /// The first `askers` nodes and all others come to hold whatever a node keeps of another that it asks now and then.
  virtual void acquaint(std::size_t askers) = 0;
  virtual bool is_acquainted() = 0;

  /// The node `from` looks for the value of the node `of`.
  virtual void look_up(std::size_t from, std::size_t of, Watch watch) = 0;

  /// Waits until something has happened, a second at most, and deals with it.
  virtual void turn() = 0;

  /// Sent by all sockets so far.
  virtual std::uint64_t datagrams() const = 0;
};

using MakeNetwork = std::function<std::unique_ptr<Network>()>;

struct Discovery {
  double rate = 0;  ///< Lookups per second, 64 outstanding.
  double p50_ms = 0;
  double p99_ms = 0;
  double datagrams = 0;   ///< For each lookup, of all nodes.
  double memory_kib = 0;  ///< Resident, for each node at rest.
};

/// Builds a network of so many nodes and measures it. Errors: timed_out, not_found.
Result<Discovery> measure_discovery(const MakeNetwork& make, std::size_t nodes);

/// The helper process: the figures in one line, in their order above. Returns the exit status.
int print_discovery(const MakeNetwork& make, std::size_t nodes);

}  // namespace ekiden::bench
