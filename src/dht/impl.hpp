// The inside of Dht: the table, the values, and everything that is under way. One file for each concern:
//   dht.cpp         the door, status, start, rows
//   upkeep.cpp      timers: refreshing, rejoining, sweeping, writing
//   meeting.cpp     how a node comes into the table, and how it leaves
//   asking.cpp      queries of ours: sending, answers, failures
//   answering.cpp   queries of others
//   searching.cpp   lookups under way; found.cpp: their values and results
//   publishing.cpp  what we publish; storing.cpp: STORE queries of ours
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/deadline_map.hpp"
#include "base/lru_map.hpp"
#include "dht/dht.hpp"
#include "dht/messages.hpp"
#include "dht/table.hpp"
#include "dht/value.hpp"
#include "dht/values.hpp"

namespace ekiden::dht {

/// Upkeep that finds no free lookup, and a publication that finds none or the queue of stores full, tries again after
/// this.
inline constexpr Duration kBusyPause = seconds(5);

struct Dht::Impl {
  using Out = Outbox<Effect>;

  /// A node and its id, hashed once.
  struct Peer {
    identity::PeerId id;
    identity::NodeInfo info;
  };

  /// What a node has shown that is not in the table; both at one address bring it in.
  struct Introduction {
    identity::SocketAddress at{};
    bool has_answered = false;
    bool is_confirmed = false;
    Instant since{};
  };

  struct Offender {
    std::size_t points = 0;
    Instant last{};  ///< Points older than ban_time are forgotten.
  };

  /// How many stores somebody sent in the minute that began then.
  struct MinuteCount {
    Instant since{};
    std::size_t count = 0;
  };

  enum class Purpose : std::uint8_t { join, refresh, publish, find_peer, find_capability };

  /// The network of a holder, which has one vote however many nodes it has; none: this node itself.
  using Teller = std::optional<identity::AddressPrefix>;

  /// An announcement that a search has found.
  struct Found {
    identity::SignedAnnouncement announcement{};
    std::set<Teller> told_by{};
  };

  struct Running {
    Lookup lookup;
    Purpose purpose{};
    Instant started{};
    LookupId id{};                                      ///< Of the caller's searches.
    std::uint64_t own = 0;                              ///< Of publish: which own value.
    std::size_t limit = 0;                              ///< Of find_capability.
    std::optional<identity::SignedRecord> record{};     ///< The newest so far.
    std::map<identity::PeerId, Found> announcements{};  ///< By owner, each the newest so far.
    std::set<Teller> tellers{};                         ///< Of any announcement.
    std::map<Lookup::Index, std::uint64_t> told{};      ///< The sequence of the record a node has.

    bool wants_value() const { return purpose == Purpose::find_peer || purpose == Purpose::find_capability; }
    ValueKind value_kind() const {
      return purpose == Purpose::find_capability ? ValueKind::announcement : ValueKind::record;
    }
  };

  /// A value of ours under one key.
  struct Own {
    ValueKind kind{};
    Key key{};
    std::string path{};  ///< Of an announcement: the part of its path that the key stands for.
    std::shared_ptr<const Bytes> bytes{};
    std::uint64_t sequence = 0;
    WallTime expires{};
    bool is_withdrawal = false;   ///< It goes to the holders and is then forgotten.
    bool is_searching = false;    ///< Of a withdrawal: a lookup for more who might hold it is under way.
    std::vector<Peer> holders{};  ///< Who has taken it; at most k, and as many again of a withdrawal.
    std::uint64_t round = 0;      ///< Grows with each change and each publication; results of earlier ones are void.
    std::size_t waiting = 0;      ///< Stores of this round without a result.
    Published result{};
  };

  struct StoreJob {
    Peer to{};
    ValueKind kind{};
    Key key{};
    std::shared_ptr<const Bytes> bytes{};
    std::uint64_t own = 0;  ///< Which own value; 0: somebody else's.
    std::uint64_t round = 0;
  };

  struct Pending {
    enum class Kind : std::uint8_t { probe, lookup, store } kind{};
    Peer to{};
    Instant asked{};
    std::uint64_t lookup = 0;
    Lookup::Index node = 0;
    std::uint64_t own = 0;
    std::uint64_t round = 0;
  };

  struct Timer {
    enum class Kind : std::uint8_t { lookup, publish, refresh, rejoin, sweep, persist } kind{};
    std::uint64_t number = 0;
    friend auto operator<=>(const Timer&, const Timer&) = default;
  };

  Impl(const identity::PeerId& own_id, Config cfg, Rng random);

  // dht.cpp
  Status load(const store::Row& row);
  void start(Now now, Out& out);
  DhtStatus status() const;
  void check_invariants() const;

  // upkeep.cpp
  std::optional<Instant> deadline() const;
  void on_deadline(Now now, Out& out);
  void on_timer(Now now, const Timer& timer, Out& out);
  void refresh(Now now, Out& out);
  void schedule_refresh();
  void rejoin(Now now, Out& out);
  void persist(Now now, Out& out);
  void write_nodes(store::Batch& batch);
  Duration jittered(Duration interval);
  Duration refresh_pause(Instant now);

  // meeting.cpp
  void add_candidate(Now now, const Peer& peer, Out& out);
  void note_confirmed(Now now, const Peer& peer, Out& out);
  void note_answered(Now now, const Peer& peer, Out& out);
  void admit(Now now, const Peer& peer, Out& out);
  void welcome(Now now, const Peer& peer, Out& out);
  bool should_hand_off(const Values::Name& name, const Peer& newcomer);
  void hand_off(Now now, const Peer& peer, Out& out);
  void ask_where_we_are(Now now, const Peer& peer, Out& out);
  void add_probe(Now now, const Peer& peer, Out& out);
  void pump_probes(Now now, Out& out);
  bool is_banned(Instant now, const identity::PeerId& id) const;
  void blame(Now now, const identity::PeerId& id, std::size_t points, std::string_view what, Out& out);
  void blame_for_value(Now now, const identity::PeerId& id, const Error& why, Out& out);
  bool may_ask(const identity::SocketAddress& at) const;

  // asking.cpp
  void ask(Now now, Pending pending, const Query& query, Out& out);
  void on_answer(Now now, QueryId id, ByteView body, Out& out);
  void on_failed(Now now, QueryId id, Out& out);

  // answering.cpp
  void on_query(Now now, QueryToken token, const Peer& from, bool proven, ByteView body, Out& out);
  void answer(QueryToken token, const Reply& reply, Out& out) const;
  void answer_nodes(QueryToken token, const Peer& from, const Key& target, Reply& reply, std::size_t used, Out& out);
  void answer_value(Now now, QueryToken token, const Peer& from, const Query& query, Out& out);
  std::size_t add_announcements(Now now, const Key& key, std::size_t used, Reply& reply);
  void draw_announcements(Now now, const Key& key, std::size_t most);
  Outcome store(Now now, const Peer& from, bool proven, const Query& query, Out& out);
  bool is_local(const Peer& peer) const;
  bool spend_store(Instant now, const Peer& from);

  // searching.cpp
  std::optional<std::uint64_t> begin(Now now, const Key& target, Running running, Out& out);
  void pump(Now now, std::uint64_t number, Out& out);
  void seed_locals(Lookup& lookup) const;
  bool is_satisfied(const Running& running) const;
  void lookup_answered(Now now, const Pending& pending, const Reply& reply, Out& out);
  void lookup_failed(Now now, const Pending& pending, Out& out);
  void hear(Now now, Running& running, Lookup::Index teller, const Reply& reply);
  void lookup_due(Now now, std::uint64_t number, Out& out);
  bool is_running(LookupId id) const;

  // found.cpp
  void find_peer(Now now, LookupId id, const identity::PeerId& peer, const std::optional<identity::NodeInfo>& hint,
                 Out& out);
  void find_capability(Now now, LookupId id, std::string_view capability, std::size_t limit, Out& out);
  bool take_values(Now now, Running& running, const Pending& from, const Reply& reply, Out& out);
  bool take_value(Now now, Running& running, const Pending& from, ByteView bytes, Out& out);
  std::vector<identity::SignedAnnouncement> choose_found(Running& running);
  static void note_told(Running& running, Found& found, const Teller& by);
  void keep_found(Running& running, CheckedValue value, ByteView bytes, const Teller& by);
  void seed_from_values(Now now, Running& running);
  void finish(Now now, std::uint64_t number, bool timed_out, Out& out);
  void note_closest(const Lookup& lookup);
  void report(Now now, Running& running, bool timed_out, Out& out);
  void repair(Now now, const Running& running, Out& out);
  static void refuse(LookupId id, Error why, Out& out);

  // publishing.cpp
  Status publish(Now now, Bytes bytes, Out& out);
  Status withdraw(Now now, Bytes bytes, Out& out);
  Status announce(Now now, Bytes bytes, Out& out);
  Status unannounce(Now now, Bytes bytes, Out& out);
  Result<CheckedValue> check_own(ValueKind kind, const Key& key, ByteView bytes, WallTime now) const;
  std::uint64_t find_own(ValueKind kind, const Key& key) const;
  void set_own(Now now, Own own, Out& out);
  void withdraw_own(Now now, std::uint64_t number, const ValueFacts& facts, std::shared_ptr<const Bytes> bytes,
                    Out& out);
  void publish_due(Now now, std::uint64_t number, Out& out);
  void publish_first(Now now, const Lookup& join, Out& out);
  void store_own(Now now, std::uint64_t number, const Lookup& lookup, Out& out);
  void withdraw_from_closest(Now now, std::uint64_t number, const Lookup& lookup, Out& out);
  void begin_round(Now now, std::uint64_t number, const std::vector<Peer>& holders, Out& out);
  void note_stored(std::uint64_t number, std::uint64_t round, std::optional<Outcome> outcome, Out& out);
  void end_round(std::uint64_t number, Out& out);

  // storing.cpp
  void add_store(StoreJob job, Out& out);
  void pump_stores(Now now, Out& out);

  const identity::PeerId self;
  const Config config;
  Rng rng;
  Table table;
  Values values;

  LruMap<identity::PeerId, Introduction> introductions;
  LruMap<identity::PeerId, Offender> offenders;
  LruMap<identity::PeerId, MinuteCount> senders;
  LruMap<identity::AddressPrefix, MinuteCount> sending_prefixes;
  std::map<identity::PeerId, identity::NodeInfo> locals;      ///< Heard on the local network.
  LruMap<identity::PeerId, identity::NodeInfo> given;         ///< Candidates from outside, for rejoining.
  std::map<identity::PeerId, identity::NodeInfo> remembered;  ///< What stands in Table::nodes.

  std::deque<Peer> candidates;         ///< To be pinged.
  std::set<identity::PeerId> probing;  ///< Being pinged.
  MinuteCount observers{};             ///< Pinged in this minute.
  std::map<QueryId, Pending> pending;  ///< Oldest first.
  std::map<std::uint64_t, Running> running;
  std::map<std::uint64_t, Own> own;
  std::map<std::string, identity::SignedAnnouncement> announced;  ///< Our capabilities.
  std::deque<StoreJob> stores;                                    ///< That wait.
  std::size_t stores_under_way = 0;
  DeadlineMap<Timer> timers;

  std::uint64_t next_query = 1;
  std::uint64_t next_lookup = 1;
  std::uint64_t next_own = 1;
  bool has_joined = false;
  Instant joined_at{};
  bool is_refreshing = false;

  std::vector<const Contact*> near;  ///< Kept so that a query does not allocate; as are the next two.
  std::vector<const Values::Value*> drawn;
  NodePacker packer;
};

}  // namespace ekiden::dht
