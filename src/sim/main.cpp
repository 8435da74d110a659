// ekiden-sim: runs scenarios in the simulator and replays failing seeds.
#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#ifdef EKIDEN_MIMALLOC
#include <mimalloc.h>
#endif

#include "crypto/curve_memo.hpp"
#include "sim/crash_points.hpp"
#include "sim/jobs.hpp"
#include "sim/options.hpp"
#include "sim/world.hpp"

namespace {

using namespace ekiden;
using sim::Options;

constexpr std::string_view kHelp =
    R"(Usage: ekiden-sim run SCENARIO [--nodes N] [--seed N | --seeds A-B] [--jobs N] [--json] [--log]
       ekiden-sim crash-points [--seed N] [--messages N] [--jobs N] [--json]
       ekiden-sim crash-points ... --host N --commit N --reached N [--process] [--log]

Runs production nodes in virtual time, with the network, disks, clocks and faults of a scenario file, and checks after
every step that nothing accepted is lost, nothing is delivered twice, and no receipt comes without delivery.

  run           one or many seeds of a scenario; stops at the first seed that breaks a rule and prints how to replay it
  crash-points  two nodes and a script of messages, once for every way to crash at every write point of both: any part
                of what is being written may have reached the disk, and the power may go or only the process die;
                with --host, --commit and --reached (how many batches of the commit did reach the disk) only that one

Several seeds or points run side by side, each in a process of its own; --jobs says how many (default: the processors).

Examples:
  ekiden-sim run scenarios/faults.toml --seeds 1-300
  ekiden-sim run scenarios/faults.toml --seed 17 --log      replay one seed with the log of every node
  ekiden-sim run scenarios/thousand.toml --json
  ekiden-sim run scenarios/find.toml --nodes 1000           another size than the scenario says
  ekiden-sim crash-points --messages 200
  ekiden-sim crash-points --messages 200 --host 1 --commit 37 --reached 0 --process

The trace hash covers every input and effect of every node: equal hashes, equal runs.
Exit status: 0 all rules held, 1 a rule was broken, 2 wrong usage.
)";

/// A key that nobody uses while so many others are made is forgotten, and what it takes part in is computed in full
/// until its owner uses it again.
constexpr std::size_t kRemembered = 1 << 17;

int usage(const std::string& what) {
  std::fprintf(stderr, "ekiden-sim: %s; see ekiden-sim --help\n", what.c_str());
  return 2;
}

double milliseconds_of(Duration duration) { return static_cast<double>(duration.count()) / 1e6; }

double thousandths(std::uint64_t value) { return static_cast<double>(value) / 1e3; }

/// How long a run took on this machine, in seconds.
struct Took {
  double half = 0;  ///< of the scenario's duration
  double all = 0;
};

void print_json(const std::string& name, std::uint64_t seed, const sim::Outcome& o, Took took) {
  std::printf(R"({"scenario":"%s","seed":%)" PRIu64 R"(,"ok":%s,"trace_hash":"%016)" PRIx64 R"(","submitted":%)" PRIu64
              R"(,"accepted":%)" PRIu64 R"(,"arrived":%)" PRIu64 R"(,"receipted":%)" PRIu64 R"(,"expired":%)" PRIu64
              R"(,"refused":%)" PRIu64 R"(,"crashes":%)" PRIu64 R"(,"inputs":%)" PRIu64 R"(,"commits":%)" PRIu64
              R"(,"wire_bytes":%)" PRIu64 R"(,"segments":%)" PRIu64 R"(,"segments_lost":%)" PRIu64
              R"(,"latency_median_ms":%.3f,"latency_p99_ms":%.3f,"datagrams":%)" PRIu64 R"(,"relayed":%)" PRIu64
              R"(,"hops":%)" PRIu64 R"(,"deposited":%)" PRIu64 R"(,"copies":%)" PRIu64 R"(,"delivery_bytes":%)" PRIu64
              R"(,"hop_bytes":%)" PRIu64 R"(,"awaited":%)" PRIu64 R"(,"awaited_soon":%)" PRIu64
              R"(,"return_median_ms":%.3f,"return_p99_ms":%.3f,"searches":%)" PRIu64 R"(,"found":%)" PRIu64
              R"(,"searches_of_owners":%)" PRIu64 R"(,"found_owners":%)" PRIu64 R"(,"searches_of_gone":%)" PRIu64
              R"(,"found_gone":%)" PRIu64 R"(,"search_median_ms":%.3f,"search_p99_ms":%.3f,"search_queries":%)" PRIu64
              R"(,"broadcasts":%)" PRIu64 R"(,"heard_percent":%.4f,"copies_per_delivery":%.3f)"
              R"(,"copies_and_ids_per_delivery":%.3f,"last_hops":%.2f,"entries":%)" PRIu64
              R"(,"entries_removed":%)" PRIu64 R"(,"healed_s":%.3f,"virtual_s":%.3f,"real_half_s":%.3f,"real_s":%.3f})"
              "\n",
              name.c_str(), seed, o.breaches.empty() ? "true" : "false", o.trace_hash, o.totals.submitted,
              o.totals.accepted, o.totals.arrived, o.totals.receipted, o.totals.expired, o.totals.refused, o.crashes,
              o.inputs, o.commits, o.wire_bytes, o.segments, o.segments_lost, milliseconds_of(o.totals.latency_median),
              milliseconds_of(o.totals.latency_p99), o.datagrams, o.totals.relayed, o.totals.hops, o.totals.deposited,
              o.totals.copies, o.delivery_bytes, o.totals.hop_bytes, o.totals.awaited, o.totals.awaited_soon,
              milliseconds_of(o.totals.return_median), milliseconds_of(o.totals.return_p99), o.searches.begun,
              o.searches.found, o.searches_of_owners.begun, o.searches_of_owners.found, o.searches_of_gone.begun,
              o.searches_of_gone.found, milliseconds_of(o.searches.median), milliseconds_of(o.searches.p99),
              o.searches.queries, o.broadcasts.published, thousandths(o.broadcasts.delivered_ppm()) / 10,
              thousandths(o.broadcasts.copies_milli()), thousandths(o.broadcasts.all_milli()),
              thousandths(o.broadcasts.hops_milli()), o.services.put, o.services.removed,
              thousandths(o.services.healed_ms), milliseconds_of(o.virtual_time) / 1e3, took.half, took.all);
}

void print_outcome(const Options& options, const std::string& name, std::uint64_t seed, const sim::Outcome& o,
                   Took took) {
  if (options.json) return print_json(name, seed, o, took);
  const char* verdict = o.breaches.empty() ? "ok" : "BROKEN";
  std::printf("%s seed %" PRIu64 ": %s, %" PRIu64 "/%" PRIu64 " durable messages arrived, %" PRIu64 " crashes, %" PRIu64
              " inputs, virtual %.1f s, real %.2f s, trace %016" PRIx64 "\n",
              name.c_str(), seed, verdict, o.totals.durable_arrived, o.totals.durable_accepted, o.crashes, o.inputs,
              milliseconds_of(o.virtual_time) / 1e3, took.all, o.trace_hash);
  if (o.totals.relayed != 0) {
    std::printf("  %" PRIu64 " messages came through relays, %.2f nodes handed each on\n", o.totals.relayed,
                static_cast<double>(o.totals.hops) / static_cast<double>(o.totals.relayed));
  }
  if (o.totals.deposited != 0) {
    std::printf("  %" PRIu64 " messages lay in mailboxes, %.2f copies each\n", o.totals.deposited,
                static_cast<double>(o.totals.copies) / static_cast<double>(o.totals.deposited));
  }
  if (o.totals.hop_bytes != 0) {
    std::printf("  %.2f bytes on links for each byte of a message and each hop of its ways\n",
                static_cast<double>(o.delivery_bytes) / static_cast<double>(o.totals.hop_bytes));
  }
  if (o.totals.awaited != 0) {
    std::printf("  %" PRIu64 " messages waited for their recipients, %" PRIu64
                " came within ten seconds of their return, 99th percentile %.1f ms\n",
                o.totals.awaited, o.totals.awaited_soon, milliseconds_of(o.totals.return_p99));
  }
  for (const auto& [vice, deeds] : o.deeds) {
    std::printf("  %" PRIu64 " times a traitor %.*s\n", deeds, static_cast<int>(vice.size()), vice.data());
  }
  if (o.questions.asked != 0) {
    std::printf("    %" PRIu64 " of %" PRIu64 " questions answered, %" PRIu64 " without an answer in time\n",
                o.questions.answered, o.questions.asked, o.questions.timed_out);
  }
  if (o.broadcasts.published != 0) {
    std::printf("  %" PRIu64
                " broadcasts: %.4f %% heard, %.3f copies for each delivery, %.3f with announcements, %.2f hops to"
                " the last\n",
                o.broadcasts.published, thousandths(o.broadcasts.delivered_ppm()) / 10,
                thousandths(o.broadcasts.copies_milli()), thousandths(o.broadcasts.all_milli()),
                thousandths(o.broadcasts.hops_milli()));
  }
  if (o.services.put != 0) {
    std::printf("  %" PRIu64 " entries of the registry put, %" PRIu64
                " removed, all replicas equal %.1f s after the split\n",
                o.services.put, o.services.removed, thousandths(o.services.healed_ms));
  }
  if (o.searches.begun == 0) return;
  std::printf("  %" PRIu64 "/%" PRIu64
              " searches found the record, median %.1f ms, 99th percentile %.1f ms, %.1f queries each\n",
              o.searches.found, o.searches.begun, milliseconds_of(o.searches.median), milliseconds_of(o.searches.p99),
              static_cast<double>(o.searches.queries) / static_cast<double>(o.searches.begun));
  if (o.searches_of_owners.begun != 0) {
    std::printf("  %" PRIu64 "/%" PRIu64 " searches found who offers a capability\n", o.searches_of_owners.found,
                o.searches_of_owners.begun);
  }
  if (o.searches_of_gone.begun == 0) return;
  std::printf("  %" PRIu64 "/%" PRIu64 " searches found the record of somebody who was gone\n",
              o.searches_of_gone.found, o.searches_of_gone.begun);
}

void print_steady(const Options& options, const sim::Outcome& o) {
  if (o.steady == 0) return;
  const auto percent = [](auto part, auto whole) {
    return 100 * static_cast<double>(part) / static_cast<double>(whole);
  };
  std::printf(options.json
                  ? R"({"in_time_percent":%.3f,"busy_percent":%.1f,"letters":%)" PRIu64 "}\n"
                  : "  %.3f %% of what is sent all the time came in time, the first processor worked %.1f %% of "
                    "the time, %" PRIu64 " letters of spammers\n",
              percent(o.steady_in_time, o.steady), percent(o.first_worked.count(), o.virtual_time.count()), o.letters);
}

void print_split(const Options& options, const sim::Outcome& o) {
  if (!o.split_noticed || !o.split_healed) return;
  std::printf(options.json ? R"({"split_noticed_s":%.3f,"split_healed_s":%.3f})"
                             "\n"
                           : "  the split was known after %.2f s, and all was whole %.2f s after its end\n",
              milliseconds_of(*o.split_noticed) / 1e3, milliseconds_of(*o.split_healed) / 1e3);
}

std::size_t jobs_of(const Options& options) {
  if (options.jobs != 0) return static_cast<std::size_t>(options.jobs);
  return std::max(1U, std::thread::hardware_concurrency());
}

void print_breaches(const sim::Outcome& outcome, const std::string& where) {
  for (const std::string& breach : outcome.breaches) std::fprintf(stderr, "  %s: %s\n", where.c_str(), breach.c_str());
}

bool run_seed(const Options& options, const sim::Scenario& scenario, std::uint64_t seed) {
  const auto begin = std::chrono::steady_clock::now();
  const auto passed = [begin] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  Took took;
  const sim::Outcome outcome =
      sim::World(scenario, {.seed = seed, .print_log = options.log, .at_half = [&] { took.half = passed(); }}).run();
  took.all = passed();
  print_outcome(options, scenario.name, seed, outcome, took);
  print_split(options, outcome);
  print_steady(options, outcome);
  print_breaches(outcome, "seed " + std::to_string(seed));
  return outcome.breaches.empty();
}

/// One alone runs in this process, where a debugger finds it.
std::vector<std::size_t> run_all(const Options& options, std::size_t count,
                                 const std::function<bool(std::size_t)>& work) {
  if (count != 1) return sim::run_jobs(count, jobs_of(options), work);
  return work(0) ? std::vector<std::size_t>{} : std::vector<std::size_t>{0};
}

int run(const Options& options) {
  if (options.scenario.empty()) return usage("run wants a scenario file");
  auto scenario = sim::load_scenario(options.scenario);
  if (!scenario) return usage(scenario.error().message);
  scenario->nodes = options.nodes.value_or(scenario->nodes);
  const auto failed = run_all(options, options.last_seed - options.first_seed + 1, [&](std::size_t item) {
    return run_seed(options, *scenario, options.first_seed + item);
  });
  for (const std::size_t item : failed) {
    const std::string size = options.nodes ? " --nodes " + std::to_string(*options.nodes) : "";
    std::fprintf(stderr, "  replay: ekiden-sim run %s%s --seed %" PRIu64 " --log\n", options.scenario.c_str(),
                 size.c_str(), options.first_seed + item);
  }
  return failed.empty() ? 0 : 1;
}

int crash_points(const Options& options) {
  const auto begin = std::chrono::steady_clock::now();
  const sim::CrashScript script{options.first_seed, options.messages};
  std::vector<sim::CrashPoint> points;
  if (options.point) {
    points.push_back(*options.point);
  } else {
    sim::Outcome calm;
    points = sim::crash_points_of(script, calm);
    print_breaches(calm, "without a crash");
    if (!calm.breaches.empty()) return 1;
  }
  const auto failed = run_all(options, points.size(), [&](std::size_t item) {
    const sim::Outcome outcome = sim::run_crash_point(script, points[item], options.log);
    print_breaches(outcome, sim::options_of(points[item]));
    return outcome.breaches.empty();
  });
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf(options.json ? R"({"crash_points":%zu,"ok":%s,"real_s":%.3f})"
                             "\n"
                           : "%zu crash points, all rules held: %s, real %.2f s\n",
              points.size(), failed.empty() ? "true" : "false", took.count());
  std::fflush(stdout);
  for (const std::size_t item : failed) {
    std::fprintf(stderr, "  replay: ekiden-sim crash-points --seed %" PRIu64 " --messages %" PRIu64 " %s --log\n",
                 script.seed, script.messages, sim::options_of(points[item]).c_str());
  }
  return failed.empty() ? 0 : 1;
}

/// A large world is gigabytes, touched at random: without this, translating addresses is much of its time.
void use_large_pages() {
#ifdef EKIDEN_MIMALLOC
  mi_option_enable(mi_option_large_os_pages);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  for (const std::string& word : words) {
    if (word == "--help" || word == "-h") {
      std::printf("%.*s", static_cast<int>(kHelp.size()), kHelp.data());
      return 0;
    }
  }
  const auto options = sim::read_options(words);
  if (!options) return usage(options.error().message);
  use_large_pages();
  // All parties are in this process.
  crypto::CurveMemo memo(kRemembered);
  memo.install();
  if (options->command == "run") return run(*options);
  if (options->command == "crash-points") return crash_points(*options);
  return usage(options->command.empty() ? "a command is wanted: run or crash-points"
                                        : "unknown command " + options->command);
}
