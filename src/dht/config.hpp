// What an operator, a test or the simulator may turn in the DHT. Each number that a peer could drive up has its bound
// here; `valid()` says what must hold among them.
#pragma once

#include <cstddef>

#include "base/time.hpp"
#include "dht/messages.hpp"

namespace ekiden::dht {

struct Config {
  // The protocol.
  std::size_t k = 20;      ///< Nodes in a bucket, holders of a value; at most kMaxNodes.
  std::size_t alpha = 3;   ///< Queries under way on one path of a lookup.
  std::size_t paths = 2;   ///< Disjoint paths of a lookup, 1 to 8: one liar spoils one path.
  std::size_t strays = 2;  ///< More of them, while so many go to nodes that are no longer among the closest.
  std::size_t quorum = 5;  ///< Closest live nodes on each path that must answer before a value is believed newest.
  bool allow_special_addresses = false;  ///< Ask loopback and private addresses that others told: test networks only.

  // Routing table.
  std::size_t spares = 8;                ///< Replacement cache of a bucket.
  std::size_t max_prefix_in_bucket = 2;  ///< Nodes of one /24 or IPv6 /56 in a bucket; 0: no limit (one-host networks).
  std::size_t max_prefix_in_table = 10;  ///< The same in the table; 0: no limit.
  std::size_t max_failures = 2;          ///< After so many failures in a row a node gives its place to a replacement.
  Duration fresh_for = minutes(15);      ///< Seen within this time: not pinged when another wants its place.
  Duration forget_after = hours(24);     ///< A failing node without replacement is kept for this long.
  Duration refresh_interval = hours(1);  ///< A bucket without a lookup for this long is refreshed …
  Duration first_refresh = minutes(5);   ///< … and sooner when we have joined lately: from this on, with our age.
  Duration join_pause = seconds(10);     ///< After joining, buckets have this long to fill before they are refreshed.
  /// Who is admitted without a ping is pinged all the same, until so many are in a minute: they tell where they see us.
  std::size_t min_observers = 6;
  std::size_t max_introductions = 128;  ///< Nodes that have shown one half of what the table asks for.

  // Queries.
  std::size_t max_probes = 8;            ///< Pings under way.
  std::size_t max_candidates = 256;      ///< Nodes that wait to be pinged.
  Duration query_timeout = seconds(30);  ///< Longer than the transport ever tries: then it has forgotten the query.
  /// A query without an answer for this long holds up its lookup no more. Shorter than the transport's first timeout: a
  /// packet that is lost is not waited for.
  Duration slow_after = milliseconds(400);
  Duration rejoin_interval = minutes(1);  ///< With an empty table, all that is remembered is pinged this often.

  // Lookups.
  std::size_t max_lookups = 32;           ///< At once, our own upkeep included.
  std::size_t max_queries_per_path = 48;  ///< Bound on what a lookup may cost.
  std::size_t max_lookup_nodes = 192;     ///< Candidates that one lookup remembers.
  std::size_t max_lookup_prefix = 8;      ///< Candidates of one prefix in one lookup; 0: no limit.
  std::size_t max_bad_tips = 3;           ///< Tips of one node that fail, and none answers: its others are dropped.
  Duration lookup_timeout = seconds(60);
  std::size_t max_trail = 64;    ///< Steps that the result of a lookup tells.
  std::size_t max_repairs = 3;   ///< Close nodes without the newest value that a lookup stores it at.
  std::size_t max_results = 64;  ///< Owners that one capability lookup returns.

  // Values kept for others.
  std::size_t max_values = 4096;
  std::size_t max_value_bytes = std::size_t{2} << 20;
  std::size_t max_owners_per_key = 64;  ///< Of announcements under one key.
  Duration value_lifetime = hours(24);  ///< A value that nobody stores again is dropped after this long.
  std::size_t store_slack = 10;         ///< A value is taken if fewer than k + this known nodes are closer to its key.
  std::size_t max_stores_per_sender = 60;   ///< In a minute.
  std::size_t max_stores_per_prefix = 240;  ///< In a minute, of all senders of one address prefix; 0: no limit.
  std::size_t max_senders = 1024;           ///< Senders and prefixes whose stores are counted.
  std::size_t max_handoff = 8;              ///< Values given to one new node that is closer to them.

  // Values of our own.
  Duration republish_interval = hours(1);
  std::size_t max_own_values = 64;        ///< Keys under which we publish.
  std::size_t max_stores_under_way = 16;  ///< STORE queries at once; more wait in a queue …
  std::size_t max_stores_waiting = 512;   ///< … of this length.

  // Behaviour and persistence.
  minutes clock_tolerance = days(1);  ///< How far the clock of another may be off before it counts as a lie.
  std::size_t max_offences = 3;       ///< Then the node is not asked and not answered any more …
  Duration ban_time = hours(1);       ///< … for this long.
  std::size_t max_offenders = 256;
  std::size_t max_remembered = 200;  ///< Nodes on disk.
  Duration persist_interval = minutes(5);

  /// The numbers fit each other; checked when an engine is made.
  bool valid() const {
    return k >= 1 && k <= kMaxNodes && alpha >= 1 && paths >= 1 && paths <= 8 && quorum >= 1 && max_lookups >= 2 &&
           max_lookup_nodes / paths >= k && max_lookup_nodes <= 4096 && max_probes >= 1 && max_candidates >= 1 &&
           max_introductions >= 1 && max_senders >= 1 && max_offenders >= 1 && max_stores_under_way >= 1 &&
           max_failures >= 1 && max_failures < 255 && refresh_interval > Duration{} && republish_interval > Duration{};
  }
};

}  // namespace ekiden::dht
