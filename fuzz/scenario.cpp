// The reader of the simulator's scenarios: what it takes is within the bounds that a simulation can bear, what it
// refuses, it refuses with the name of the file.
#include "sim/scenario.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.hpp"
#include "base/time.hpp"

namespace {

using namespace ekiden;

constexpr std::string_view kName = "scenario.toml";

void check_duration(Duration duration) { CHECK(duration >= Duration(0) && duration <= hours(24 * 365)); }

void check_bounds(const sim::Scenario& scenario) {
  CHECK(!scenario.name.empty());
  CHECK(scenario.nodes >= 2 && scenario.nodes <= 20'000);
  CHECK(scenario.check_every >= 1);
  CHECK(scenario.network.latency_min <= scenario.network.latency_max);
  CHECK(scenario.disk.sync_min <= scenario.disk.sync_max);
  CHECK(scenario.workload.body_min <= scenario.workload.body_max && scenario.workload.body_max <= 32 * 1024);
  CHECK(scenario.workload.contacts >= 1 && scenario.workload.durable_percent <= 100);
  CHECK(scenario.network.loss <= 500'000 && scenario.network.duplicate <= 1'000'000);
  for (const Duration duration :
       {scenario.duration, scenario.network.latency_min, scenario.network.latency_max, scenario.network.jitter,
        scenario.disk.sync_max, scenario.app.take_delay_max, scenario.workload.ttl, scenario.faults.crash_max,
        scenario.faults.cut_max, scenario.faults.wall_step_max, scenario.faults.disk_trouble_max,
        scenario.expect.settle_max, scenario.expect.latency_p99_max}) {
    check_duration(duration);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto scenario = sim::parse_scenario(as_text({data, size}), kName);
  if (scenario) {
    check_bounds(*scenario);
  } else {
    CHECK(scenario.error().code == Errc::malformed);
    CHECK(scenario.error().message.starts_with(kName));
  }
  return 0;
}
