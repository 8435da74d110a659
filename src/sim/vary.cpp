// The knobs of the engines, drawn anew for each simulation inside the bounds that they promise to work in: what only
// holds at the default settings does not hold.
#include <array>

#include "sim/world.hpp"

namespace ekiden::sim {
namespace {

template <class T, std::size_t N>
T any_of(Rng& rng, const std::array<T, N>& choices) {
  return choices[rng.below(N)];
}

}  // namespace

node::Config vary_config(Rng& rng) {
  node::Config config;
  config.link.keepalive_interval = rng.between(seconds(2), seconds(30));
  config.link.idle_timeout = rng.between(seconds(5), seconds(300));
  config.link.rekey_bytes = any_of(rng, std::array<std::uint64_t, 3>{8 * 1024, 1 << 20, std::uint64_t{1} << 34});
  config.link.rekey_age = rng.between(seconds(5), hours(1));
  config.link.redial_max = rng.between(seconds(5), minutes(5));
  config.session.dh_step_messages = any_of(rng, std::array<std::uint64_t, 4>{1, 3, 50, 1000});
  config.session.dh_step_interval = any_of(rng, std::array<Duration, 3>{milliseconds(1), seconds(1), seconds(30)});
  config.session.reserve_block = any_of(rng, std::array<std::uint64_t, 3>{1, 16, 256});
  config.session.flush_messages = any_of(rng, std::array<std::uint64_t, 3>{1, 16, 256});
  config.session.flush_interval = rng.between(milliseconds(10), seconds(2));
  config.router.max_in_flight = any_of(rng, std::array<std::size_t, 4>{1, 4, 64, 256});
  config.router.retry_min = rng.between(milliseconds(500), seconds(5));
  config.router.retry_max = rng.between(seconds(5), minutes(2));
  config.router.connect_linger = rng.between(seconds(1), seconds(60));
  return config;
}

}  // namespace ekiden::sim
