// Nodes in processes of their own that keep or hand on what others bring, and those others: links without nodes, so
// that what they do for a message is sealing and opening records.
#pragma once

#include <string>
#include <vector>

#include "whole/figure.hpp"
#include "whole/party.hpp"
#include "wire/message_type.hpp"
#include "wire/priority.hpp"

namespace ekiden::bench {

/// A node whose quotas leave the room to whoever comes. On the second processor, which it has for itself.
struct Service {
  Child child;
  identity::PeerId id;
  std::uint16_t port = 0;
};

Result<Service> start_service(const Options& options, const std::string& directory);
/// Resident memory of the node.
Result<double> memory_mib(Service& service);

/// Somebody with a link to a service.
class Visitor {
 public:
  explicit Visitor(unsigned number) : party_(number) {}
  ~Visitor();
  Visitor(const Visitor&) = delete;
  Visitor& operator=(const Visitor&) = delete;

  Status connect(const Service& service);
  const identity::Identity& identity() const { return party_.identity; }
  int fd() const { return fd_; }

  /// Queues a message: its type, and its body behind it. Up to what the link takes; beyond that it is lost.
  void send(ByteView message);
  /// Writes what is queued, and waits until it is written. Errors: closed.
  Status flush();
  /// Reads once, and waits if nothing is there. Errors: closed.
  Status read();
  /// What has come of one type and was not taken before: type and body.
  std::vector<Bytes> take(wire::MessageType type);

 private:
  Party party_;
  identity::PeerId service_;
  int fd_ = -1;
  Bytes buffer_ = Bytes(256 * 1024);
  std::vector<Bytes> arrived_;
};

}  // namespace ekiden::bench
