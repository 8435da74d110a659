#include "sim/crash_points.hpp"

namespace ekiden::sim {
namespace {

Scenario scenario_of(const CrashScript& script) {
  Scenario scenario;
  scenario.name = "crash points";
  scenario.nodes = 2;
  scenario.duration = seconds(20);
  scenario.workload.contacts = 1;
  scenario.workload.messages = script.messages;
  scenario.workload.body_max = 256;
  scenario.network.latency_max = milliseconds(5);
  // Slow enough that batches gather: a commit of one batch cannot be torn.
  scenario.disk.sync_min = milliseconds(5);
  scenario.disk.sync_max = milliseconds(60);
  return scenario;
}

}  // namespace

std::string options_of(const CrashPoint& point) {
  return "--host " + std::to_string(point.host) + " --commit " + std::to_string(point.commit) + " --reached " +
         std::to_string(point.reached) + (point.process ? " --process" : "");
}

std::vector<CrashPoint> crash_points_of(const CrashScript& script, Outcome& calm) {
  const Scenario scenario = scenario_of(script);
  World world(scenario, {.seed = script.seed});
  std::vector<CrashPoint> points;
  for (HostIndex host = 0; host < scenario.nodes; ++host) {
    world.machine(host).disk().crash_point = [&points, host](std::uint64_t commit, std::size_t batches) {
      for (std::size_t reached = 0; reached <= batches; ++reached) {
        for (const bool process : {false, true}) points.push_back({host, commit, reached, process});
      }
      return false;
    };
  }
  calm = world.run();
  return points;
}

Outcome run_crash_point(const CrashScript& script, const CrashPoint& point, bool print_log) {
  const Scenario scenario = scenario_of(script);
  World world(scenario, {.seed = script.seed, .print_log = print_log});
  bool struck = false;
  if (point.host < scenario.nodes) {
    Machine& victim = world.machine(point.host);
    victim.disk().crash_point = [&](std::uint64_t commit, std::size_t batches) {
      if (struck || commit != point.commit || point.reached > batches) return false;
      struck = true;
      victim.crash(point.process, point.reached);
      world.schedule().after(milliseconds(500), [&victim] {
        if (!victim.is_up()) victim.boot();
      });
      return true;
    };
  }
  Outcome outcome = world.run();
  if (!struck) outcome.breaches.push_back("the script has no such point: " + options_of(point));
  return outcome;
}

}  // namespace ekiden::sim
