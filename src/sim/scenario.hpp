// A scenario: what a simulation is made of, as data (scenarios/*.toml). Everything random in it follows from the seed.
//
// Unknown keys are errors; every number has a unit in its name and is checked against bounds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "sim/disk.hpp"
#include "sim/machine.hpp"
#include "sim/network.hpp"
#include "sim/processor.hpp"

namespace ekiden::sim {

inline constexpr std::uint32_t kMinNodes = 2;
inline constexpr std::uint32_t kMaxNodes = 20'000;

struct WorkloadModel {
  std::uint64_t messages = 200;
  std::uint32_t contacts = 3;  ///< peers that each node knows and writes to
  std::size_t body_min = 8;
  std::size_t body_max = 2048;
  std::uint32_t durable_percent = 100;
  Duration ttl = hours(24 * 7);
  /// With more than zero: of random machines, half of them to a contact, half to whoever offers one of `services`
  /// capabilities. Each machine offers one.
  std::uint64_t questions = 0;
  std::uint32_t services = 4;
  Duration question_timeout = seconds(30);
  /// With more than zero: durable messages, evenly from the second quarter of the duration on, half of them to the
  /// first host and half through it. All others know each other and the address of the first alone.
  std::uint32_t steady_per_second = 0;
};

/// How many of each fault strike in a run, at random moments on random hosts.
struct FaultModel {
  std::uint32_t crashes = 0;  ///< of a process or of the power
  std::uint32_t cuts = 0;     ///< both ways between two hosts
  std::uint32_t one_way_cuts = 0;
  std::uint32_t wall_steps = 0;
  /// Hosts whose clock is far off, ahead or behind, until half of the duration has passed. What they send and are sent
  /// meanwhile may expire.
  std::uint32_t lost_clocks = 0;
  Duration lost_clock_min = hours(24 * 365);
  Duration lost_clock_max = hours(24 * 3650);
  std::uint32_t stalls = 0;  ///< of one host, which does nothing meanwhile
  Duration stall = seconds(2);
  std::uint32_t slow_disks = 0;
  std::uint32_t full_disks = 0;
  /// The last hosts are behind a router that forwards nothing to them, all the time.
  std::uint32_t closed_hosts = 0;
  Duration crash_max = seconds(20);
  Duration cut_max = seconds(40);
  Duration wall_step_max = minutes(4);
  Duration disk_trouble_max = seconds(10);
  std::uint32_t drift_ppm_max = 0;
  std::uint32_t vanish_percent = 0;  ///< of the hosts: after a quarter of the duration they are gone, all at once
  bool bootstrap_lost = false;       ///< of those that others join through, all vanish at that time
  /// With more than zero hosts come and go: half of them stay longer than this, and are away for a third of it. They
  /// leave politely or crash, one as often as the other.
  Duration churn_session{};
  /// Percent of the hosts that are away at any moment, but for those that others join through. A host is there for
  /// about `stay`, and away for as long as the share asks for; one end in two is a crash.
  std::uint32_t away_percent = 0;
  Duration stay = minutes(3);
};

/// With `bootstrap` over zero nobody knows an address: the nodes join the DHT through the first so many hosts and find
/// each other there.
struct DiscoveryModel {
  std::uint32_t bootstrap = 0;
  std::uint32_t told = 0;  ///< of those, to each node; the others have to be discovered. 0: all
  /// Machines that are told to everybody beside those, and answer with lies: as many of each kind (sim/liar.hpp).
  std::uint32_t liars_of_each_kind = 0;
  /// Of random nodes by random nodes, in the second half of the duration; of those that have been up for two minutes
  /// with a right clock.
  std::uint32_t searches = 0;
  /// In the same time, of random nodes that have crashed and are still away, whose record has not expired.
  std::uint32_t searches_of_gone = 0;
  /// With more than zero each host offers one of so many capabilities, and as many searches again are of these.
  std::uint32_t capabilities = 0;
  std::size_t max_values = 0;  ///< that each node keeps for others; 0: as it comes
  /// Without, nodes take as many of one address prefix as there are: to see what the limits are good for.
  bool prefix_limits = true;
};

/// With `items` over zero everybody subscribes to one topic, and some publish in it.
struct TopicModel {
  std::uint32_t items = 0;
  std::uint32_t publishers = 1;  ///< machines, drawn by the seed
  std::size_t payload = 256;     ///< bytes
  Duration publish_from = seconds(60);
  /// What is published from then on makes the figures: it has a tree.
  Duration measure_from = seconds(120);
  Duration last_wait = seconds(30);  ///< at the end, when nothing is published
  Duration at_home = seconds(45);    ///< since when a machine has to be up for an item to be owed to it
};

/// With `entries` over zero everybody writes in the registry, and the network is cut in two for a while.
struct RegistryModel {
  std::uint32_t entries = 0;  ///< put before the split, and as many during it; a fourth as many are removed
  Duration put_from = seconds(60);
  Duration split_from = seconds(120);
  Duration split_to = seconds(180);
  std::uint32_t split_percent = 50;  ///< of the machines on one side
  std::uint32_t restarts = 0;        ///< during the split, of machines whose power goes
};

/// With `members` over zero so many machines enter a closed realm, and as many others one of the same name with a key
/// that they have guessed. Members put entries and publish; then all but some members change to another key, and go on.
struct RealmModel {
  std::uint32_t members = 0;
  std::uint32_t removed = 0;  ///< of these, who do not get the other key
  std::uint32_t entries = 0;  ///< put, and as many items published, before the change and once more after it
  Duration enter_at = seconds(60);
  Duration put_from = seconds(120);
  Duration change_at = seconds(180);
};

/// How a network is split.
enum class SplitKind : std::uint8_t {
  two,       ///< two sides
  three,     ///< three sides of a third each
  one_way,   ///< two sides, one of which hears the other, and not the reverse
  flapping,  ///< two sides, that meet again and are cut again, every `step`
  rolling    ///< a quarter is cut off, then another quarter, every `step`
};

/// With `to` over zero all nodes watch over the network, are members of one topic, and are split for a while. In other
/// scenarios they do not: their heartbeats would be most of what is simulated.
struct SplitModel {
  Duration from = seconds(120);
  Duration to{};
  std::uint32_t percent = 50;  ///< of the machines on one side, drawn by the seed
  SplitKind kind = SplitKind::two;
  Duration step = seconds(15);
};

/// Who wants the others to fail (sim/attack.hpp).
struct AttackModel {
  std::uint32_t sybils = 0;
  std::uint32_t sybil_prefixes = 4;  ///< /24 networks that they sit in
  /// The Sybils choose ids around that of the last machine and push themselves at it: it shall see nobody else.
  bool eclipse = false;
  /// Messages of random machines to Sybils or boasters, whose records name forbidden addresses.
  std::uint32_t letters = 0;
  std::uint32_t flooders = 0;                   ///< machines of one /24
  std::uint32_t announcements_per_second = 10;  ///< of each
  std::uint32_t spoofed_flights = 0;            ///< each of which is repeated three times
  bool spoofed_at_one = false;                  ///< all of them at one machine, which asks for cookies then
  /// Strangers whose records name special addresses, are too large, or have a thousand endpoints (sim/boaster.hpp).
  std::uint32_t boasters = 0;
  /// Nodes of others beside the machines, which join the network and lie when they relay, keep mail, or take part in
  /// topics and the registry (sim/vice.hpp); of each kind as many.
  std::uint32_t bad_relays_of_each_kind = 0;
  std::uint32_t bad_mailboxes_of_each_kind = 0;
  std::uint32_t bad_members_of_each_kind = 0;
  std::uint32_t black_holes = 0;  ///< more relays that swallow what they have taken
  /// Fresh identities in one /56 that want the first machine to be busy with them (sim/spammer.hpp), and how much each
  /// writes if it is taken.
  std::uint32_t spammers = 0;
  std::uint32_t letters_per_second = 10;
};

struct Expectations {
  Duration settle_max = minutes(30);  ///< after the faults end, until nothing is owed
  Duration latency_p99_max = hours(1);
  std::uint64_t bytes_per_message_max = 0;  ///< on all wires together; 0: not checked
  std::uint32_t reached_min = 0;            ///< nodes that discovery has reached, at each node, at the end
  /// Dials of one node, on average, to where nobody is.
  std::uint32_t lost_dials_max = 1'000'000;
  std::uint32_t found_ppm_min = 0;  ///< of the searches
  std::uint32_t relayed_min = 0;    ///< messages whose receipts prove by which relays they came
  std::uint32_t blocked_min = 0;    ///< pairs of hosts, one of which has blocked the other
  std::uint32_t deposited_min = 0;  ///< messages that mailboxes kept
  std::uint32_t awaited_min = 0;    ///< messages that had to wait for their recipient to come back
  /// Of those, how many arrive within kSoon of its return.
  std::uint32_t awaited_soon_ppm_min = 0;
  /// Copies of a message that mailboxes kept, in thousandths: on average over those that any kept. 0: not checked
  std::uint32_t copies_mean_max = 0;
  /// Bytes that links carried to deliver messages, in percent of the bytes of what they delivered, for each hop of its
  /// ways (Ledger::Totals::hop_bytes). 0: not checked
  std::uint32_t hop_bytes_percent_max = 0;
  /// Of the steady messages of the second half of the duration, how many arrive so soon after they were accepted.
  std::uint32_t in_time_ppm_min = 0;
  Duration in_time_max = seconds(1);
  std::uint32_t answered_ppm_min = 0;  ///< of the questions of machines that stayed up
  /// Of the packets that traitors have swallowed, those of the second half of the duration: who loses by a relay
  /// learns to pass it over.
  std::uint32_t swallowed_late_percent_max = 100;
  /// At the end every open host publishes an endpoint for links, and no closed one does.
  bool endpoints_published = false;
  Duration search_median_max = hours(1);
  Duration search_p99_max = hours(1);
  /// The 99th percentile, in percent of the median; 0: not checked. Under `search_p99_spared` it may be as it likes: in
  /// a small network the median is two round trips, and one lost datagram costs more than those.
  std::uint32_t search_p99_percent_max = 0;
  Duration search_p99_spared{};
  std::uint32_t heard_ppm_min = 0;     ///< of the deliveries of broadcasts that were owed
  std::uint32_t topic_copies_max = 0;  ///< for a delivery, in thousandths; 0: not checked
  std::uint32_t topic_ids_max = 0;     ///< the same, counting announcements as copies
  /// Of the last delivery, on average over the items, in percent of what a perfect tree takes; 0: not checked.
  std::uint32_t topic_hops_percent_max = 0;
  Duration registry_equal_max = minutes(30);  ///< from the end of the split until all replicas are equal
  Duration split_noticed_max = minutes(30);   ///< until nineteen of twenty nodes know of it
  bool never_split = false;                   ///< nobody ever says that the network is
  Duration split_healed_max = minutes(30);    ///< from its end until all say that the network is whole
};

struct Scenario {
  std::string name;
  std::string about;
  std::uint32_t nodes = 2;
  Duration duration = seconds(60);  ///< of workload and faults
  Duration boot_over{};             ///< hosts start one after another, evenly over this time
  bool vary_config = false;         ///< each seed draws other knobs of the engines, inside their bounds
  std::uint64_t check_every = 1;
  NetworkModel network;
  DiskModel disk;
  ProcessorModel processor;
  AppModel app;
  WorkloadModel workload;
  FaultModel faults;
  DiscoveryModel discovery;
  TopicModel topics;
  RegistryModel registry;
  RealmModel realm;
  SplitModel split;
  AttackModel attack;
  Expectations expect;
};

/// Errors: malformed, with file, line and key.
Result<Scenario> parse_scenario(std::string_view text, std::string_view name);
Result<Scenario> load_scenario(const std::string& path);

}  // namespace ekiden::sim
