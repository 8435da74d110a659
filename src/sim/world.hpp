// A simulated world: machines, a network between them, a workload, faults, and a referee. Nothing in it waits: virtual
// time jumps from event to event, and the same scenario and seed give the same trace hash.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/attack.hpp"
#include "sim/broadcasts.hpp"
#include "sim/ledger.hpp"
#include "sim/liar.hpp"
#include "sim/machine.hpp"
#include "sim/questions.hpp"
#include "sim/realm_use.hpp"
#include "sim/scenario.hpp"
#include "sim/searches.hpp"
#include "sim/services.hpp"
#include "sim/traitor.hpp"

namespace ekiden::sim {

struct Outcome {
  std::vector<std::string> breaches;  ///< empty: every rule held
  std::uint64_t trace_hash = 0;
  Ledger::Totals totals;
  std::uint64_t inputs = 0;  ///< handled by all nodes
  std::uint64_t wire_bytes = 0;
  std::uint64_t delivery_bytes = 0;  ///< of these, what links carried to deliver messages (Machine::delivery_bytes)
  std::uint64_t segments = 0;
  std::uint64_t segments_lost = 0;
  std::uint64_t crashes = 0;
  std::uint64_t commits = 0;
  std::uint64_t datagrams = 0;
  Searches::Totals searches;
  Searches::Totals searches_of_owners;  ///< of capabilities
  Searches::Totals searches_of_gone;
  Questions questions;
  Broadcasts::Totals broadcasts;
  Services::Totals services;
  std::optional<Duration> split_noticed;            ///< after it began, by nineteen of twenty nodes
  std::optional<Duration> split_healed;             ///< after it ended, at all
  std::uint64_t steady = 0;                         ///< messages of the steady workload that count
  std::uint64_t steady_in_time = 0;                 ///< of those
  std::uint64_t letters = 0;                        ///< of spammers
  Duration first_worked{};                          ///< by the processor of the first host
  std::map<std::string_view, std::uint64_t> deeds;  ///< of traitors, by their vice
  Duration virtual_time{};
};

struct RunOptions {
  std::uint64_t seed = 1;
  bool print_log = false;
  /// Called with half of the scenario's duration over, when searches begin, so that a large network's joining can be
  /// timed apart.
  std::function<void()> at_half = nullptr;
};

class World {
 public:
  World(const Scenario& scenario, RunOptions options);
  ~World();

  /// Boots all machines and introduces them to each other.
  void boot();
  /// Workload and faults, then peace until nothing is owed; checks the rules of the end.
  Outcome run();

  Machine& machine(HostIndex host) { return *machines_[host]; }
  Ledger& ledger() { return ledger_; }
  Schedule& schedule() { return schedule_; }
  Network& network() { return network_; }
  /// Runs events up to `when`, or until a rule is broken.
  void run_until(Instant when);
  /// Ends all faults, boots what is down, and runs until nothing is owed or `limit` is over.
  void settle(Duration limit);
  Outcome outcome();

 private:
  Machine& any_machine() { return *machines_[rng_.below(machines_.size())]; }
  const Machine& any_contact(const Machine& of);
  bool has_discovery() const { return scenario_.discovery.bootstrap != 0 || scenario_.network.lan; }
  node::Config config_of(HostIndex host, node::Config config) const;
  std::string capability_of(HostIndex host) const;
  void start(HostIndex host);
  void introduce(HostIndex host);
  void add_liars();
  void choose_bootstrap();
  void tell_neighbours();
  void plan_workload();
  bool owes_nothing();
  /// The trace of a durable message that is not settled yet, if there is one.
  std::optional<router::Trace> stuck(const Machine& machine) const;

  // world_searches.cpp
  void plan_searches();
  void search_peer();
  void search_gone();
  void search_capability();
  struct Pair {
    Machine* seeker;
    Machine* sought;
  };
  std::optional<Pair> any_pair();
  bool is_any_clock_lost() const;
  void end_peer_search(const Machine& sought, std::uint64_t sequence, const node::PeerFound& found, Duration took);
  bool is_newest(const Machine& sought, std::uint64_t sequence, const node::PeerFound& found);
  void end_capability_search(const Machine& sought, const node::CapabilityFound& found, Duration took);

  // world_questions.cpp
  void plan_questions();
  void put_question();
  void end_question(const Bytes& body, const node::Answered& answered, Duration took);
  std::string service_of(HostIndex host) const;

  // world_steady.cpp
  void introduce_steady(HostIndex host);
  void plan_steady();
  void check_steady(Outcome& outcome) const;

  // world_topics.cpp
  void plan_broadcasts();
  void broadcast(const std::vector<HostIndex>& publishers);
  void measure_broadcasts();
  Broadcasts::Totals count_copies() const;
  void end_broadcasts();
  void check_broadcasts(Outcome& outcome) const;
  void subscribe(HostIndex host);

  // world_registry.cpp
  void plan_registry();
  void put_service();
  void remove_service();
  void restart_any();
  void share_name();
  void write_contested(HostIndex by);
  void split();
  void heal();
  registry::Digest digest_of(const registry::Replica& replica) const;
  bool are_replicas_equal() const;
  void look_at_replicas(Instant healed);
  void check_registry(Outcome& outcome) const;

  // world_realm.cpp
  void plan_realm();
  void enter_realm();
  void use_realm(std::uint32_t number);
  void restart_member(HostIndex but);
  void change_realm_key();
  void check_realm(Outcome& outcome) const;

  // world_split.cpp
  void plan_split();
  void draw_order();
  void divide(const std::vector<std::size_t>& borders, bool one_way = false);
  std::vector<std::size_t> two_sides(std::uint32_t percent) const;
  void take_split_step(std::size_t number);
  void begin_split();
  void look_for_split(Instant began);
  void look_at_sides();
  void mend();
  void look_for_whole(Instant ended);
  std::size_t count_state(partition::State state) const;
  void check_split(Outcome& outcome) const;

  // world_traitors.cpp
  void add_traitors();
  void boot_traitors();
  std::map<std::string_view, std::uint64_t> count_deeds() const;
  void check_traitors();
  void check_members();
  void check_swallowed();

  // world_faults.cpp
  void lose_clocks();
  void plan_faults();
  void plan_crash(Instant at);
  void plan_cut(Instant at, bool both_ways);
  void plan_vanishing();
  void churn(Machine& machine);
  void end_stay(Machine& machine);
  void come_and_go(Machine& machine, Duration stay);

  // closed_hosts.cpp
  bool is_closed(HostIndex host) const;
  void check_endpoints();

  // world_checks.cpp
  void check_end(Outcome& outcome);
  void check_left_over();
  void check_outbox(const Machine& machine);
  void check_failures();
  void check_reached();
  void check_liars();
  void check_searches(Outcome& outcome) const;
  void check_figures(Outcome& outcome) const;

  Scenario scenario_;
  Rng rng_;
  Schedule schedule_;
  Network network_;
  Ledger ledger_;
  Searches searches_;
  Searches searches_of_owners_;
  Searches searches_of_gone_;
  Questions questions_;
  Broadcasts broadcasts_;
  Broadcasts::Totals counted_before_;  ///< copies, when measuring began
  Broadcasts::Totals told_;            ///< at the end of the duration
  bool measuring_ = false;
  Services services_;
  std::optional<Duration> healed_after_;
  RealmUse realm_;
  std::vector<HostIndex> split_order_;      ///< drawn by the seed; sides are parts of it
  std::map<HostIndex, std::size_t> sides_;  ///< of machines and traitors, by number
  std::optional<Duration> split_noticed_;
  std::optional<Duration> split_healed_;
  TraceHash trace_;
  std::map<identity::PeerId, HostIndex> hosts_;
  Shared shared_;
  std::vector<std::unique_ptr<Machine>> machines_;
  Company company_;
  std::vector<std::unique_ptr<Traitor>> traitors_;
  std::vector<std::unique_ptr<Liar>> liars_;
  std::unique_ptr<Attack> attack_;
  std::vector<std::vector<HostIndex>> contacts_;
  std::function<void()> at_half_;
  bool peace_ = false;  ///< faults planned for later do not strike any more
  std::uint64_t crashes_ = 0;
};

/// Draws the knobs of the engines inside their bounds.
node::Config vary_config(Rng& rng);

}  // namespace ekiden::sim
