// The inside of Datagrams: what is asked, what is being answered, and the sessions between.
#pragma once

#include <map>
#include <variant>
#include <vector>

#include "base/deadline_map.hpp"
#include "base/lru_map.hpp"
#include "datagram/cookie.hpp"
#include "datagram/datagrams.hpp"
#include "datagram/recent_flights.hpp"
#include "datagram/session_table.hpp"
#include "noise/noise.hpp"

namespace ekiden::datagram {

using Out = Outbox<Datagrams::Effect>;
/// The number of a query on the wire.
using Number = std::uint32_t;

/// A query of ours, until it is answered or has failed.
struct Asked {
  QueryId id{};
  identity::NodeInfo to;
  Bytes query;
  bool first_flight_allowed = false;
  unsigned attempts = 0;
  Instant first_sent;
  Instant sent;
};

/// A handshake that we have begun.
struct Dialling {
  noise::HandshakeState noise;
  identity::NodeInfo to;
  Bytes packet;  ///< for a second try with a cookie
  Instant sent;
  bool had_cookie = false;
  std::optional<Number> riding;  ///< its query is in the first flight
  std::vector<Number> waiting;   ///< for the session
};

/// A query of somebody else: where its answer goes.
struct InSession {
  Index session{};
  Number number = 0;
};
struct InHandshake {
  noise::HandshakeState noise;
  Index remote{};
  identity::NodeInfo node;
};
using Unanswered = std::variant<InSession, InHandshake>;

struct Datagrams::State {
  State(const identity::Identity& identity, Config cfg, Rng random);

  // asking.cpp: queries of ours, and the handshakes that we begin.
  void ask(Now now, Asked asked, Out& out);
  void transmit(Now now, Number number, Out& out);
  void dial(Now now, Number number, Out& out);
  void on_response(Now now, const identity::SocketAddress& from, const Response& response, Out& out);
  void on_cookie(const identity::SocketAddress& from, const CookieReply& reply, Out& out);
  void on_timeout(Now now, Number number, Out& out);
  void succeed(Number number, Body body, Out& out);
  void fail_query(Number number, Error why, Out& out);
  void forget(Number number);
  Duration timeout_of(const Asked& asked, const Session* session) const;

  // answering.cpp: queries of others, and the handshakes that they begin.
  void on_initiation(Now now, const identity::SocketAddress& from, const Initiation& initiation, Out& out);
  bool admit(Now now, const identity::SocketAddress& from, const Initiation& initiation, Out& out);
  void respond(Now now, InHandshake handshake, ByteView answer, Out& out);
  void answer(Now now, QueryToken token, ByteView answer, Out& out);

  // sessions.cpp
  void on_data(Now now, const identity::SocketAddress& from, const Data& data, Out& out);
  Session* session_for(Now now, const identity::NodeInfo& node);
  Session& confirm(Now now, Session session, Out& out);
  void send(Now now, Session& session, Kind kind, Number number, ByteView body, Out& out);
  void end_session(Index index);
  void sweep(Now now);
  bool is_over(Now now, const Session& session) const;

  Index fresh_index() { return Index{rng.next()}; }

  const identity::Identity& self;
  Config config;
  Rng rng;
  Ciphers ciphers;
  CookieJar cookies;

  std::map<Number, Asked> asked;
  DeadlineMap<Number> timeouts;
  Number next_number = 1;
  std::map<Index, Dialling> dialling;
  std::map<crypto::Ed25519PublicKey, Index> dialled;

  LruMap<QueryToken, Unanswered> unanswered;
  std::uint64_t next_token = 1;

  SessionTable sessions;
  SessionTable provisional;
  DeadlineMap<Index> confirmations;  ///< sessions of ours in which nothing was sent yet
  std::optional<Instant> sweep_at;

  flow::TokenBucket handshakes;
  LruMap<identity::AddressPrefix, flow::TokenBucket> by_prefix;
  RecentFlights recent;
  DatagramStatus counts;
};

/// What a finished handshake leaves.
struct Handshaken {
  Index local{};
  Index remote{};
  const identity::NodeInfo& node;
  bool begun_by_us = false;
};
Session make_session(Instant now, const Handshaken& with, const noise::HandshakeState& handshake);

/// What both sides mix into the handshake: the protocol, and the index under which the initiator is found.
Bytes prologue_of(Index initiator);

}  // namespace ekiden::datagram
