// What the pool of links tells its driver (the first four) and the node (the others).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "identity/endpoint.hpp"
#include "identity/node_info.hpp"
#include "identity/peer_id.hpp"
#include "identity/peer_record.hpp"
#include "link/frame.hpp"
#include "link/record.hpp"

namespace ekiden::link {

/// Names one connection of one node, never reused in a run. The pool numbers those it dials from 1; the driver numbers
/// those it accepts from kFirstAccepted.
enum class ConnId : std::uint64_t {};
inline constexpr std::uint64_t kFirstAccepted = std::uint64_t{1} << 63;

/// Connect; answer with on_connected or on_connect_failed.
struct Dial {
  ConnId conn;
  identity::Endpoint endpoint;
  identity::PeerId peer;  ///< Who should be there.
};
/// Close the connection, or give up connecting. The pool has forgotten it: what still comes from it is ignored.
struct Hangup {
  ConnId conn;
};
/// There are bytes to pull with to_send(). Not said again until a pull came back empty or a record was written.
struct WantWrite {
  ConnId conn;
};
/// The driver, which may_read() has told not to, may read from this connection now.
struct Resume {
  ConnId conn;
};
/// A peer has its first link, or has sent a newer record in a new handshake.
struct Up {
  identity::SignedRecord record;  ///< Verified.
  bool initiated_by_us = false;
  std::uint16_t version = 0;   ///< The lower of both.
  std::uint64_t features = 0;  ///< Those both have.
};
/// The last link of a peer is gone. What was queued on it is dropped: the layers above send again.
struct Down {
  identity::PeerId peer;
  Error why;
};
/// What a probe of one endpoint has found: the peer proved its key there, and a link to it is open.
struct ProbeAnswer {
  identity::SignedRecord record;  ///< Verified.
  Duration round_trip{};          ///< Of the first ping, without the handshake.
  std::uint16_t version = 0;      ///< The lower of both.
  std::uint64_t features = 0;     ///< Those both have.
  std::optional<identity::SocketAddress> address = {};
};
struct Probed {
  ConnId conn;
  Result<ProbeAnswer> result;  ///< Errors name endpoint and step.
};
struct Message {
  identity::PeerId from;
  SharedBytes buffer;
  ByteView bytes;  ///< Into buffer.
};
/// All endpoints of a wanted peer failed once. The pool goes on trying, at `next_attempt`.
struct DialFailed {
  identity::PeerId peer;
  Error why;  ///< The last one; names endpoint and step.
  Instant next_attempt;
};
/// One line of the trail: a connection refused, a handshake failed. Rate-bounded by the pool.
struct Notice {
  Error what;
  std::string remote;  ///< Printable address or endpoint.
};

}  // namespace ekiden::link
