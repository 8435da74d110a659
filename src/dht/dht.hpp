// The DHT: a Kademlia node that finds peers by id and by capability, and keeps what others publish.
//
// Another engine carries the datagrams: it proves who sent what, repeats what is lost and reports what fails. This one
// decides whom to ask, whom to remember and what to believe.
//
// Inputs: candidates, confirmations, queries, answers and failures from the transport; find, publish and announce from
// above; time; rows at start. Outputs: Ask and Answer for the transport; LookupDone, Published, SignAgain, Joined,
// Misbehaved for above; Write for the store, which nothing waits for. Timers, pulled through deadline(): a query that
// the transport has forgotten, a slow query or the end of a lookup, republishing, refreshing of buckets, sweeping of
// values, writing, rejoining with an empty table.
//
// Duties of the transport: an answer is given with the QueryId of the query that it belongs to, and only if it is
// proven to come from the node that was asked, at the address that was asked; on_confirmed() is called when a packet of
// a node has verified under session keys (at least once a session; more often is cheap and tells that it lives). A
// first flight may carry only a query whose Ask allows it.
//
// Rules, and the attack that each stops (more stand with the parts: table, lookup, values):
//   - a node enters the table once it is confirmed and has answered a query of ours at the same address, never by
//     contacting us or by being told (table poisoning; a victim's address is pinged at most once for each tip);
//   - a query in a first flight, whose address nobody has proven, changes nothing here and is answered only if it
//     reads (replay, reflection);
//   - private and loopback addresses that others tell are never asked (port scanning, the cloud's metadata service);
//   - a value is looked for until the closest `quorum` live nodes on every path have answered, and the newest valid one
//     is taken: one node with an old or forged value decides nothing. Forging costs the liar its place;
//   - STORE is accepted from proven senders, within a rate by sender and prefix, for keys that we are plausibly close
//     to (filling the storage of others).
//
// Bounds: all in Config. Invariants: check_invariants(). Wall time of others is compared and never adopted.
//
// Sources: Maymounkov and Mazières, "Kademlia"; Baumgart and Mies, "S/Kademlia"; BEP 5, 42, 44.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/outbox.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"
#include "dht/config.hpp"
#include "dht/lookup.hpp"
#include "identity/announcement.hpp"
#include "identity/node_info.hpp"
#include "identity/peer_record.hpp"
#include "store/batch.hpp"

namespace ekiden::dht {

/// Names one Ask; never used twice in a run.
enum class QueryId : std::uint64_t {};
/// Given by the transport with a query; answered at most once.
enum class QueryToken : std::uint64_t {};
/// Given by the caller with a search. Unique among those that run.
enum class LookupId : std::uint64_t {};

/// Send this query. It ends with on_answer or on_failed.
struct Ask {
  QueryId id;
  identity::NodeInfo to;
  Bytes body;                         ///< At most kMaxBody bytes.
  bool first_flight_allowed = false;  ///< It only reads: may be sent before the session is proven.
};

struct Answer {
  QueryToken token;
  Bytes body;  ///< At most kMaxBody bytes.
};

/// What a lookup did, for people who ask why; bounded.
struct Trail {
  std::size_t asked = 0;  ///< Queries.
  std::size_t answered = 0;
  std::size_t failed = 0;
  std::size_t rounds = 0;  ///< The longest chain of nodes of which one told of the next.
  Duration took{};
  std::vector<Step> steps;  ///< The first max_trail queries, in order.
};

/// A search of the caller has ended.
struct LookupDone {
  LookupId id;
  /// Errors: not_found; unreachable (no node is known, or none answered); limit_exceeded (too many lookups at once);
  /// timed_out (cut off by lookup_timeout with nothing found); already_exists (the id is in use).
  Status status;
  std::optional<identity::SignedRecord> record;             ///< Of find_peer: verified, the newest.
  std::vector<identity::SignedAnnouncement> announcements;  ///< Of find_capability: verified, an owner once.
  std::vector<identity::PeerId> closest = {};               ///< The nodes nearest to the key that answered, in order.
  Trail trail;
};

/// One round of storing a value of ours, or of withdrawing it, is over: told to k nodes, or twice as many.
struct Published {
  ValueKind kind{};
  std::string path{};       ///< Of an announcement: the part of the capability's path.
  std::size_t stored = 0;   ///< Nodes that keep it.
  std::size_t refused = 0;  ///< Nodes that answered and do not.
  std::size_t stale = 0;    ///< Of those: nodes that keep a newer one.
  std::size_t failed = 0;   ///< Nodes that did not answer.
  bool is_withdrawal = false;
};

/// This capability shares a part of its path with one that was withdrawn: sign it again, with a higher sequence, and
/// announce() it, or nobody finds it there until it is.
struct SignAgain {
  std::string capability;
};

/// The first lookup of our own id has ended with nodes in the table.
struct Joined {
  std::size_t nodes = 0;
};

/// A node sent what no honest node sends; it loses its place in the table. For scores and logs.
struct Misbehaved {
  identity::PeerId peer;
  std::string what;
};

/// A node that answered says from where our queries come.
struct Observed {
  identity::NodeInfo by;
  identity::SocketAddress address;
};

/// What should be durable in the end; nothing waits for it.
struct Write {
  store::Batch batch;
};

/// For status pages.
struct DhtStatus {
  std::vector<std::size_t> buckets;  ///< Nodes in each, from the farthest to the deepest.
  std::size_t nodes = 0;
  std::size_t spares = 0;
  std::size_t values = 0;
  std::size_t value_bytes = 0;
  std::size_t lookups = 0;
  std::size_t queries = 0;     ///< Under way.
  std::size_t candidates = 0;  ///< That wait to be pinged.
  std::size_t own_values = 0;
};

class Dht {
 public:
  using Effect = std::variant<Ask, Answer, LookupDone, Published, SignAgain, Joined, Misbehaved, Observed, Write>;

  /// REQUIRES: config.valid().
  Dht(const identity::PeerId& self, Config config, Rng rng);
  ~Dht();

  /// Restores what was written: rows of Table::nodes and Table::values in any order; others are ignored. Call once,
  /// before start(). Errors: storage_corrupt, naming the row.
  Status load(const std::vector<store::Row>& rows);

  /// Pings the nodes that were loaded. Call once, before any other input.
  void start(Now now, Outbox<Effect>& out);

  // From the transport and from who knows of nodes.

  /// A node that may exist: from a bootstrap list, a record. It is pinged before anything else. The
  /// caller has judged whether its address may be asked (identity::may_dial); over max_candidates it is dropped.
  void on_candidate(Now now, const identity::NodeInfo& node, Outbox<Effect>& out);

  /// A node that we hear on the local network ourselves: a candidate, until on_local_gone(). While the table knows
  /// nobody of the internet, lookups begin with those nearest to their target, as many as the network has: one network
  /// is one address prefix. Its stores count for itself alone. The caller bounds how many there are.
  void on_local(Now now, const identity::NodeInfo& node, Outbox<Effect>& out);
  void on_local_gone(const identity::PeerId& peer);

  /// A packet of that node has verified under session keys.
  void on_confirmed(Now now, const identity::NodeInfo& node, Outbox<Effect>& out);

  /// A query came. `proven`: under session keys; otherwise in a first flight. Banned nodes get no answer.
  void on_query(Now now, QueryToken token, const identity::NodeInfo& from, bool proven, ByteView body,
                Outbox<Effect>& out);

  void on_answer(Now now, QueryId id, ByteView body, Outbox<Effect>& out);
  void on_failed(Now now, QueryId id, const Error& why, Outbox<Effect>& out);

  // From above.

  /// Searches the newest valid record of a peer. Ends with LookupDone. `hint`: where the peer itself may be, if a
  /// source that may name special addresses says so; it is asked, too, whether the table holds it or not.
  void find_peer(Now now, LookupId id, const identity::PeerId& peer, Outbox<Effect>& out,
                 const std::optional<identity::NodeInfo>& hint = {});

  /// Searches owners who announce this capability or, if it is a leading part of a path, one below it: up to `limit`
  /// distinct ones (clamped to max_results), ourselves not among them. Ends with LookupDone; a name that is no
  /// capability ends it with invalid_argument.
  void find_capability(Now now, LookupId id, std::string_view capability, std::size_t limit, Outbox<Effect>& out);

  /// Stores our record at the k closest nodes: now, and again every republish_interval, until another one or
  /// withdraw(). Errors: invalid_argument (not a valid record of ours), limit_exceeded.
  Status publish(Now now, Bytes signed_record, Outbox<Effect>& out);

  /// Ends publishing, and tells the nodes that keep our record: `signed_record` has a higher sequence than the last and
  /// a lifetime of a second. Errors: invalid_argument.
  Status withdraw(Now now, Bytes signed_record, Outbox<Effect>& out);

  /// Stores an announcement of ours under its capability and each leading part of its path, as publish() does. Errors:
  /// invalid_argument (not valid or not ours), limit_exceeded (max_own_values keys).
  Status announce(Now now, Bytes signed_announcement, Outbox<Effect>& out);

  /// Ends announcing a capability, with an announcement as withdraw() wants it. Where another of our capabilities has
  /// the same leading part, that goes on, and SignAgain asks for a newer announcement of it. Errors: invalid_argument,
  /// not_found (it is not announced).
  Status unannounce(Now now, Bytes signed_announcement, Outbox<Effect>& out);

  /// Writes what has changed, without waiting for persist_interval: for the end of a run.
  void flush(Now now, Outbox<Effect>& out);

  std::optional<Instant> deadline() const;
  void on_deadline(Now now, Outbox<Effect>& out);

  // Queries.

  DhtStatus status() const;
  /// Up to `count` nodes of the table that do not fail, closest to a peer first.
  std::vector<identity::NodeInfo> closest(const identity::PeerId& to, std::size_t count) const;
  void check_invariants() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ekiden::dht
