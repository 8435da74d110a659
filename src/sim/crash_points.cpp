// A crash at every write point: the same script, once for each commit of each machine, with the power going just before
// and just after that commit reaches the disk.
#include <string>
#include <utility>

#include "sim/world.hpp"

namespace ekiden::sim {
namespace {

Scenario script(std::uint64_t messages) {
  Scenario scenario;
  scenario.name = "crash points";
  scenario.nodes = 2;
  scenario.duration = seconds(20);
  scenario.workload.contacts = 1;
  scenario.workload.messages = messages;
  scenario.workload.body_max = 256;
  scenario.network.latency_max = milliseconds(5);
  scenario.check_every = 16;
  return scenario;
}

struct Point {
  HostIndex host;
  std::uint64_t commit;
  bool after;
};

Outcome run_with_crash(std::uint64_t seed, std::uint64_t messages, const Point& point) {
  World world(script(messages), {.seed = seed});
  Machine& victim = world.machine(point.host);
  bool struck = false;
  victim.disk().crash_point = [&](std::uint64_t commit, bool after) {
    if (struck || commit != point.commit || after != point.after) return false;
    struck = true;
    victim.crash(false);
    world.schedule().after(milliseconds(500), [&victim] {
      if (!victim.is_up()) victim.boot();
    });
    return true;
  };
  Outcome outcome = world.run();
  for (std::string& breach : outcome.breaches) {
    breach = "host " + std::to_string(point.host) + ", commit " + std::to_string(point.commit) +
             (point.after ? ", after" : ", before") + ": " + breach;
  }
  return outcome;
}

}  // namespace

std::vector<Outcome> run_crash_points(std::uint64_t seed, std::uint64_t messages) {
  World calm(script(messages), {.seed = seed});
  std::vector<Outcome> outcomes{calm.run()};
  for (HostIndex host = 0; host < 2; ++host) {
    for (std::uint64_t commit = 1; commit <= calm.machine(host).disk().commits(); ++commit) {
      for (const bool after : {false, true}) {
        outcomes.push_back(run_with_crash(seed, messages, {host, commit, after}));
        if (!outcomes.back().breaches.empty()) return outcomes;
      }
    }
  }
  return outcomes;
}

}  // namespace ekiden::sim
