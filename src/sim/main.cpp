// ekiden-sim: runs scenarios in the simulator and replays failing seeds.
#include <charconv>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "sim/world.hpp"

namespace {

using namespace ekiden;

constexpr std::string_view kHelp = R"(Usage: ekiden-sim run SCENARIO [--seed N | --seeds A-B] [--json] [--log]
       ekiden-sim crash-points [--seed N] [--messages N] [--json]

Runs production nodes in virtual time, with the network, disks, clocks and faults of a scenario file, and checks after
every step that nothing accepted is lost, nothing is delivered twice, and no receipt comes without delivery.

  run           one or many seeds of a scenario; stops at the first seed that breaks a rule and prints how to replay it
  crash-points  two nodes and a script of messages, once for every write point of both, with the power going there

Examples:
  ekiden-sim run scenarios/faults.toml --seeds 1-300
  ekiden-sim run scenarios/faults.toml --seed 17 --log      replay one seed with the log of every node
  ekiden-sim run scenarios/thousand.toml --json
  ekiden-sim crash-points --messages 200

The trace hash covers every input and effect of every node: equal hashes, equal runs.
Exit status: 0 all rules held, 1 a rule was broken, 2 wrong usage.
)";

struct Options {
  std::string command;
  std::string scenario;
  std::uint64_t first_seed = 1;
  std::uint64_t last_seed = 1;
  std::uint64_t messages = 200;
  bool json = false;
  bool log = false;
};

int usage(const std::string& what) {
  std::fprintf(stderr, "ekiden-sim: %s; see ekiden-sim --help\n", what.c_str());
  return 2;
}

bool read_number(std::string_view text, std::uint64_t& to) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
  return error == std::errc() && end == text.data() + text.size();
}

bool read_seeds(std::string_view text, Options& options) {
  const auto dash = text.find('-');
  if (dash == text.npos) return read_number(text, options.first_seed) && read_number(text, options.last_seed);
  return read_number(text.substr(0, dash), options.first_seed) &&
         read_number(text.substr(dash + 1), options.last_seed) && options.first_seed <= options.last_seed;
}

/// Returns an empty text, or what is wrong.
std::string read_options(const std::vector<std::string>& words, Options& options) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const bool has_value = i + 1 < words.size();
    if (word == "--json") {
      options.json = true;
    } else if (word == "--log") {
      options.log = true;
    } else if (word == "--seed" || word == "--seeds") {
      if (!has_value || !read_seeds(words[++i], options)) return word + " wants a number or a range like 1-300";
    } else if (word == "--messages") {
      if (!has_value || !read_number(words[++i], options.messages)) return "--messages wants a number";
    } else if (word.starts_with("-")) {
      return "unknown option " + word;
    } else if (options.command.empty()) {
      options.command = word;
    } else if (options.scenario.empty()) {
      options.scenario = word;
    } else {
      return "unexpected " + word;
    }
  }
  return {};
}

double milliseconds_of(Duration duration) { return static_cast<double>(duration.count()) / 1e6; }

void print_outcome(const Options& options, const std::string& name, std::uint64_t seed, const sim::Outcome& o,
                   double seconds) {
  const char* verdict = o.breaches.empty() ? "ok" : "BROKEN";
  if (options.json) {
    std::printf(
        R"({"scenario":"%s","seed":%)" PRIu64 R"(,"ok":%s,"trace_hash":"%016)" PRIx64 R"(","submitted":%)" PRIu64
        R"(,"accepted":%)" PRIu64 R"(,"arrived":%)" PRIu64 R"(,"receipted":%)" PRIu64 R"(,"expired":%)" PRIu64
        R"(,"refused":%)" PRIu64 R"(,"crashes":%)" PRIu64 R"(,"inputs":%)" PRIu64 R"(,"commits":%)" PRIu64
        R"(,"wire_bytes":%)" PRIu64 R"(,"segments":%)" PRIu64 R"(,"segments_lost":%)" PRIu64
        R"(,"latency_median_ms":%.3f,"latency_p99_ms":%.3f,"virtual_s":%.3f,"real_s":%.3f})"
        "\n",
        name.c_str(), seed, o.breaches.empty() ? "true" : "false", o.trace_hash, o.totals.submitted, o.totals.accepted,
        o.totals.arrived, o.totals.receipted, o.totals.expired, o.totals.refused, o.crashes, o.inputs, o.commits,
        o.wire_bytes, o.segments, o.segments_lost, milliseconds_of(o.totals.latency_median),
        milliseconds_of(o.totals.latency_p99), milliseconds_of(o.virtual_time) / 1e3, seconds);
    return;
  }
  std::printf("%s seed %" PRIu64 ": %s, %" PRIu64 "/%" PRIu64 " durable messages arrived, %" PRIu64 " crashes, %" PRIu64
              " inputs, virtual %.1f s, real %.2f s, trace %016" PRIx64 "\n",
              name.c_str(), seed, verdict, o.totals.durable_arrived, o.totals.durable_accepted, o.crashes, o.inputs,
              milliseconds_of(o.virtual_time) / 1e3, seconds, o.trace_hash);
}

void print_breaches(const sim::Outcome& outcome, const std::string& replay) {
  for (const std::string& breach : outcome.breaches) std::fprintf(stderr, "  %s\n", breach.c_str());
  std::fprintf(stderr, "  replay: %s\n", replay.c_str());
}

int run(const Options& options) {
  if (options.scenario.empty()) return usage("run wants a scenario file");
  const auto scenario = sim::load_scenario(options.scenario);
  if (!scenario) return usage(scenario.error().message);
  for (std::uint64_t seed = options.first_seed; seed <= options.last_seed; ++seed) {
    const auto begin = std::chrono::steady_clock::now();
    const sim::Outcome outcome = sim::World(*scenario, {.seed = seed, .print_log = options.log}).run();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    print_outcome(options, scenario->name, seed, outcome, took.count());
    std::fflush(stdout);
    if (outcome.breaches.empty()) continue;
    print_breaches(outcome, "ekiden-sim run " + options.scenario + " --seed " + std::to_string(seed) + " --log");
    return 1;
  }
  return 0;
}

int crash_points(const Options& options) {
  const auto begin = std::chrono::steady_clock::now();
  const auto outcomes = sim::run_crash_points(options.first_seed, options.messages);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const sim::Outcome& last = outcomes.back();
  std::printf(options.json ? R"({"crash_points":%zu,"ok":%s,"real_s":%.3f})"
                             "\n"
                           : "%zu crash points, all rules held: %s, real %.2f s\n",
              outcomes.size() - 1, last.breaches.empty() ? "true" : "false", took.count());
  if (last.breaches.empty()) return 0;
  print_breaches(last, "ekiden-sim crash-points --seed " + std::to_string(options.first_seed) + " --messages " +
                           std::to_string(options.messages));
  return 1;
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
  Options options;
  if (const std::string wrong = read_options(words, options); !wrong.empty()) return usage(wrong);
  if (options.command == "run") return run(options);
  if (options.command == "crash-points") return crash_points(options);
  return usage(options.command.empty() ? "a command is wanted: run or crash-points"
                                       : "unknown command " + options.command);
}
