// Secure datagrams: queries and answers between nodes over UDP, encrypted and authenticated, in one round trip.
//
//   asker                                            answerer
//   initiation (Noise IK, with the query)  ───────►  answers it: a read, for nothing is proven yet
//                 ◄───────  response (Noise IK, with the answer)
//   Answered; proven: Confirmed                      holds a provisional session
//   data (query, or an empty confirmation) ───────►  proven: Confirmed; everything may be asked now
//                 ◄───────  data (answer)
//
// The session that a handshake leaves serves further queries of both sides without any public-key operation, until it
// is an hour old, idle, or pushed out by others.
//
// Inputs: ask, answer, packets, time. Outputs: Send for the driver; Queried, Answered, Failed, Confirmed for the node.
// Timers: a query's next transmission or its failure (RFC 6298, doubling); the confirmation of a fresh session; a sweep
// of sessions that are over.
//
// Rules, and the attacks they stop:
//  1. A first flight may carry only a query that reads (`first_flight_allowed`), and its answer changes nothing here
//     but a provisional session in a small table of its own: its sender may be forged or replayed (Noise section 7.7).
//  2. A node is Confirmed only by a packet under session keys: the other side holds its key and receives at its
//     address.
//  3. A session is bound to one address; from another one it is not heard: nobody redirects answers by forging a
//     source. A node that has moved makes a new handshake.
//  4. Nobody gets more than three times the bytes it sent before its address is proven: initiations are padded.
//  5. Under load an initiation without a cookie is answered by a cookie and nothing else: no state, no public-key
//     operation (cookie.hpp). With a cookie, handshakes are counted by address prefix.
//  6. A copy of a first flight that was answered is not answered again, while it is remembered.
//  7. A query is sent again with the same number: whoever answers may see it twice, so queries are idempotent.
//  8. What does not authenticate changes nothing and is not answered.
//
// Bounds: Config; every table has its maximum. Sources: Noise revision 34; WireGuard (Donenfeld, NDSS 2017) for cookies
// and for confirming by the first packet under the keys.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/outbox.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"
#include "datagram/config.hpp"
#include "datagram/first_flight.hpp"
#include "datagram/packet.hpp"
#include "datagram/session.hpp"
#include "identity/identity.hpp"
#include "identity/node_info.hpp"

namespace ekiden::datagram {

/// Names one query of ours; given by whoever asks, never twice while it is unanswered.
enum class QueryId : std::uint64_t {};
/// Names one query of somebody else, to be answered at most once.
enum class QueryToken : std::uint64_t {};

/// The longest answer that always fits, in a session or to a first flight.
inline constexpr std::size_t kMaxAnswer = std::min(kMaxBody, kMaxFirstAnswer);

/// Bytes that a packet brought, without a copy of their own.
struct Body {
  Bytes buffer;
  std::size_t begin = 0;

  ByteView view() const { return ByteView(buffer).subspan(begin); }
};

/// Send this packet; whether it arrives is nobody's promise.
struct Send {
  identity::SocketAddress to;
  Bytes packet;
  bool in_session = false;  ///< not the first to this address: its handshake went there, too
};
struct Queried {
  QueryToken token{};
  identity::NodeInfo from;
  bool proven = false;  ///< under session keys; else a first flight, whose query may only read
  Body body;
};
struct Answered {
  QueryId id{};
  Body body;
};
struct Failed {
  QueryId id{};
  Error why;  ///< timed_out, refused (its key is not acceptable), limit_exceeded (too many queries wait)
};
/// This node holds its key and receives at this address; said once for each session.
struct Confirmed {
  identity::NodeInfo node;
};

struct DatagramStatus {
  std::size_t sessions = 0;
  std::size_t provisional = 0;
  std::size_t queries = 0;
  std::uint64_t handshakes = 0;  ///< finished, of both sides
  std::uint64_t cookies = 0;     ///< asked for
  std::uint64_t dropped = 0;     ///< packets that were malformed or not authentic
};

/// A session whose other side has proven its key and its address.
struct SessionStatus {
  identity::NodeInfo node;
  bool begun_by_us = false;
  Instant since;
  std::optional<Duration> round_trip;  ///< smoothed; of our queries in it that were answered
};

class Datagrams {
 public:
  using Effect = std::variant<Send, Queried, Answered, Failed, Confirmed>;

  /// `self` outlives it.
  Datagrams(const identity::Identity& self, Config config, Rng rng);
  ~Datagrams();

  /// Answered or Failed follows. REQUIRES: query.size() <= kMaxFirstQuery if the first flight may carry it, else
  /// kMaxBody.
  void ask(Now now, QueryId id, const identity::NodeInfo& to, Bytes query, bool first_flight_allowed,
           Outbox<Effect>& out);
  /// Nothing happens if the asker is gone. REQUIRES: answer.size() <= kMaxAnswer.
  void answer(Now now, QueryToken token, ByteView answer, Outbox<Effect>& out);
  void on_packet(Now now, const identity::SocketAddress& from, ByteView packet, Outbox<Effect>& out);

  std::optional<Instant> deadline() const;
  void on_deadline(Now now, Outbox<Effect>& out);

  DatagramStatus status() const;
  /// Up to `count` sessions, those used last first: of each node the one that queries to it take.
  std::vector<SessionStatus> sessions(std::size_t count) const;
  void check_invariants() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ekiden::datagram
