// Makes one TCP connection to an endpoint: resolves its name, then races its addresses.
//
// Addresses are tried in the resolver's order with the families interleaved, a new one when the last has failed or has
// been silent for kStagger; the first that answers wins (RFC 8305). So a broken IPv6 costs a quarter of a second, not a
// timeout. Each address is judged after resolution (identity::may_dial) by who named the endpoint: a name can resolve
// to anything, and a stranger's to the printer of this house (DNS rebinding).
//
// Calls back once on the loop, never from within start(), and not after cancel(). The limit on the whole time is the
// caller's.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/result.hpp"
#include "identity/endpoint.hpp"
#include "runtime/asio.hpp"
#include "runtime/resolver.hpp"

namespace ekiden::runtime {

class Connector : public std::enable_shared_from_this<Connector> {
 public:
  static constexpr auto kStagger = std::chrono::milliseconds(250);
  static constexpr std::size_t kMaxAttempts = 8;

  using Done = std::function<void(Result<Socket>)>;

  /// With `only`, the endpoint has to lead to one of these addresses. If it does not, or to nothing, the error is
  /// not_found and does not say which: who wants to know may be a stranger.
  Connector(asio::io_context& loop, identity::Endpoint endpoint, identity::LearnedFrom learned_from, Done done,
            std::vector<identity::IpAddress> only = {});

  /// `resolver` outlives the call only.
  void start(Resolver& resolver);
  void cancel();

 private:
  void race(std::vector<identity::IpAddress> addresses);
  Error leads_elsewhere() const;
  void try_next();
  void on_connected(std::size_t attempt, ErrorCode error);
  void finish(Result<Socket> result);

  asio::io_context& loop_;
  identity::Endpoint endpoint_;
  identity::LearnedFrom learned_from_;
  Done done_;  ///< empty once it was called or cancelled
  std::vector<identity::IpAddress> only_;
  std::vector<identity::IpAddress> addresses_;
  std::vector<Socket> attempts_;
  std::size_t failed_ = 0;
  Timer stagger_;
};

/// The same addresses: in order, but never two of one family in a row while there are others.
std::vector<identity::IpAddress> interleave_families(const std::vector<identity::IpAddress>& addresses);

}  // namespace ekiden::runtime
