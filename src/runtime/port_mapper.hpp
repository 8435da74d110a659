// Asks the router to forward ports to this machine, over NAT-PMP or UPnP, whichever answers.
//
// Both libraries block, for seconds where nothing answers, so all of it happens on a thread of its own, which touches
// nothing of the node: it says what is mapped through callbacks, which post to the loop. A mapping is asked for again
// at half of its lifetime; a router that does not answer any more is looked for anew, and what it had mapped is lost.
// At the end the mappings are taken back, if the router answers fast enough: whoever ends a node does not wait for
// one that is silent. The thread is then left to itself, says nothing more, and ends with the process at the latest.
//
// What a router says is a hint and no more: peers verify it before it is published (reachability/reachability.hpp).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "identity/endpoint.hpp"
#include "identity/node_info.hpp"

namespace ekiden::runtime {

/// A router that maps ports. All calls block, for a few seconds at most.
class Router {
 public:
  enum class Protocol : std::uint8_t { tcp, udp };
  struct Mapping {
    identity::SocketAddress external;
    seconds lifetime{};
  };

  virtual ~Router() = default;
  /// "NAT-PMP"
  virtual std::string_view name() const = 0;
  /// The same port outside if it is free, else another; for the same port again, the one that it was given. Errors:
  /// timed_out, refused, malformed (what it says makes no sense).
  virtual Result<Mapping> map(Protocol protocol, std::uint16_t port, seconds lifetime) = 0;
  /// The router may have forgotten it already: errors say nothing.
  virtual void unmap(Protocol protocol, std::uint16_t port, std::uint16_t external_port) = 0;
};

/// The default gateway, if it speaks NAT-PMP; another address for tests. Errors: unreachable, timed_out.
Result<std::unique_ptr<Router>> find_natpmp_router(std::optional<identity::IpAddress> gateway = {});
/// One that answers on the local network; for tests, the one whose description is at this URL. Errors: unreachable.
Result<std::unique_ptr<Router>> find_upnp_router(const std::string& description_url = {});

struct PortMapperOptions {
  std::vector<identity::Endpoint> listening;  ///< of links and datagrams; those on loopback are not mapped
  /// Called on the mapper's thread.
  std::function<void(const identity::Endpoint&)> mapped;
  std::function<void(const identity::Endpoint&)> lost;
  std::function<void(std::string)> log;
  /// Tried in order.
  std::vector<std::function<Result<std::unique_ptr<Router>>()>> find = {
      [] { return find_natpmp_router(); },
      [] { return find_upnp_router(); },
  };
  seconds lifetime = hours(1);
  seconds retry = minutes(10);         ///< while no router answers
  milliseconds patience = seconds(1);  ///< from stop() on, with a router that is silent
};

class PortMapper {
 public:
  /// Whether there is anything to map.
  static bool is_useful(const std::vector<identity::Endpoint>& listening);

  explicit PortMapper(PortMapperOptions options);
  /// stop(), and waits for the thread, which takes the mappings back, for what is left of options.patience. No callback
  /// is called later.
  ~PortMapper();
  PortMapper(const PortMapper&) = delete;
  PortMapper& operator=(const PortMapper&) = delete;

  /// Begins to end, without waiting.
  void stop();

 private:
  class Work;
  std::shared_ptr<Work> work_;  ///< the thread has it too
};

}  // namespace ekiden::runtime
