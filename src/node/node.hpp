// One node: the engines, and how they meet.
//
// A Node owns the link pool, the sessions, the router and the contact book, and translates their effects into each
// other's inputs; it decides nothing itself. It is pure: the same inputs at the same times from the same seed give the
// same effects. Not thread-safe: one driver, one thread.
//
// Life: construct, load() what the store holds, start(); then handle() inputs as they come, pull bytes with to_send()
// after a WantWrite, and come back with a Tick at deadline(). Links are made only once the node's own record is on
// disk.
//
// Bounds: the queue between engines is drained within each handle(); each engine bounds its own state.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/outbox.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"
#include "identity/contact.hpp"
#include "identity/endpoint.hpp"
#include "identity/identity.hpp"
#include "link/pool.hpp"
#include "node/input.hpp"
#include "router/router.hpp"
#include "session/sessions.hpp"
#include "store/batch.hpp"

namespace ekiden::node {

struct Config {
  link::Config link;
  session::Config session;
  router::Config router;
  std::vector<identity::Endpoint> advertised;  ///< our endpoints, as others may dial them; at most 8
  Duration record_ttl = days(7);
  Duration record_refresh = hours(24);  ///< by the wall clock; a record from the future is renewed at once
  std::size_t max_contacts = 10'000;
  std::size_t max_peer_records = 4096;           ///< in memory; of peers with a link or waiting messages in any case
  std::size_t max_bad_messages = 16;             ///< malformed messages after which a link is cut
  std::uint64_t max_peer_lines_per_second = 16;  ///< of the log, caused by peers: of links, and of their messages
};

/// What `ekiden status` shows of the pure node.
struct NodeStatus {
  identity::PeerId id;
  std::vector<link::LinkStatus> links;
  std::size_t half_open = 0;
  std::vector<session::SessionStatus> sessions;
  router::RouterStatus router;
  std::size_t contacts = 0;
  std::optional<Error> storage;  ///< why nothing is accepted now
  bool ready = false;            ///< our record is on disk; links may be made
};

class Node {
 public:
  Node(const crypto::Ed25519Seed& seed, Config config, Rng rng);
  ~Node();

  /// Errors: storage_corrupt, naming table and row.
  Status load(const std::vector<store::Row>& rows);
  /// Call once, after load().
  void start(Now now, Outbox<Effect>& out);

  void handle(Now now, Input input, Outbox<Effect>& out);

  /// See LinkPool::to_send.
  ByteView to_send(Now now, ConnId conn);
  void mark_sent(Now now, ConnId conn, std::size_t bytes, Outbox<Effect>& out);

  std::optional<Instant> deadline() const;

  // Queries: of the moment, free of side effects.

  const identity::Identity& self() const;
  NodeStatus status() const;
  std::optional<router::Trace> trace(const router::MessageId& id) const;
  std::vector<router::Trace> outgoing(std::size_t limit) const;
  std::vector<router::ArrivedPtr> inbox(std::uint64_t after, std::size_t limit) const;
  const identity::ContactBook& contacts() const;
  /// Our signed record; empty before it is on disk.
  ByteView own_record() const;
  /// Tokens persisted and asked for; equal when nothing is under way.
  store::PersistToken last_persist() const;

  void check_invariants() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ekiden::node
