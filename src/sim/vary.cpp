// The knobs of the engines, drawn anew for each node of a simulation inside the bounds that they promise to work in:
// what only holds at the default settings does not hold. Small bounds and short terms are drawn often, so that quotas
// refuse, sessions are renewed and prekeys rotate within minutes and in the middle of faults.
//
// No node draws what would make its peers wait longer than a simulation lasts: fewer senders or links than there are
// peers, a window smaller than what one sender sends, prekeys that end before the messages that were sealed for them.
#include <algorithm>
#include <initializer_list>

#include "sim/world.hpp"

namespace ekiden::sim {
namespace {

Duration any_duration(Rng& rng, std::initializer_list<Duration> choices) {
  return choices.begin()[rng.below(choices.size())];
}

std::size_t any_size(Rng& rng, std::initializer_list<std::size_t> choices) {
  return choices.begin()[rng.below(choices.size())];
}

void vary_links(link::Config& link, Rng& rng) {
  link.connect_timeout = rng.between(seconds(2), seconds(10));
  link.handshake_timeout = rng.between(seconds(3), seconds(10));
  link.keepalive_interval = rng.between(seconds(2), seconds(30));
  link.idle_timeout = rng.between(seconds(5), seconds(300));
  link.brief_idle_timeout = rng.between(seconds(2), seconds(60));
  link.record_timeout = rng.between(seconds(10), seconds(30));
  link.close_timeout = rng.between(milliseconds(500), seconds(5));
  link.rekey_age = rng.between(seconds(5), hours(1));
  link.rekey_bytes = any_size(rng, {8 * 1024, 1 << 20, std::size_t{1} << 34});
  link.redial_min = rng.between(milliseconds(100), seconds(2));
  link.redial_max = rng.between(seconds(5), minutes(5));
  link.max_links = any_size(rng, {32, 4096});
  link.max_links_per_peer = any_size(rng, {1, 2, 3});
  link.max_half_open = any_size(rng, {8, 256});
  link.max_half_open_per_prefix = any_size(rng, {4, 16});
  link.max_queued_bytes = any_size(rng, {64 << 10, 256 << 10, 4 << 20});
  link.max_verified_records = any_size(rng, {1, 16, 1024});
}

void vary_sessions(session::Config& session, Rng& rng) {
  session.max_sessions = any_size(rng, {32, 8192});
  session.max_sessions_per_peer = any_size(rng, {2, 4});
  session.max_skipped = any_size(rng, {32, 256, 1000});
  session.dh_step_interval = any_duration(rng, {milliseconds(1), seconds(1), seconds(30)});
  session.dh_step_messages = any_size(rng, {1, 3, 50, 1000});
  session.reserve_block = std::min<std::uint64_t>(session.max_skipped, any_size(rng, {1, 16, 256}));
  session.burst = static_cast<std::uint32_t>(any_size(rng, {1, 4, 16}));
  session.flush_interval = rng.between(milliseconds(10), seconds(2));
  session.flush_messages = any_size(rng, {1, 16, 256});
  session.lifetime = any_duration(rng, {minutes(1), minutes(10), days(30)});
  session.renew_before = session.lifetime / static_cast<std::int64_t>(2 + rng.below(4));
  session.prekey_rotation = any_duration(rng, {seconds(20), minutes(2), days(7)});
}

void vary_router(router::Config& router, Rng& rng) {
  router.max_outbox_messages = any_size(rng, {16, 64, 65'536});
  router.max_outbox_bytes = any_size(rng, {16 << 10, 128 << 20});
  router.max_outbox_messages_per_peer = any_size(rng, {8, 32'768});
  router.max_inbox_messages = any_size(rng, {8, 64, 65'536});
  router.max_inbox_bytes = any_size(rng, {32 << 10, 128 << 20});
  router.max_inbox_bytes_per_peer = any_size(rng, {8 << 10, 64 << 20});
  router.max_volatile = any_size(rng, {2, 8192});
  router.max_in_flight = any_size(rng, {1, 4, 64, 256});
  router.max_in_flight_bytes = any_size(rng, {4 << 10, 2 << 20});
  // At least what may be in flight: a smaller window lets one message through each retry.
  router.max_window = any_size(rng, {512, 65'536});
  router.max_senders = any_size(rng, {8, 16'384});
  router.max_history = any_size(rng, {4, 64, 10'000});
  router.retry_min = rng.between(milliseconds(500), seconds(5));
  router.retry_max = rng.between(seconds(5), minutes(2));
  router.connect_linger = rng.between(seconds(1), seconds(60));
}

void vary_datagrams(datagram::Config& datagrams, Rng& rng) {
  datagrams.first_timeout = rng.between(milliseconds(200), seconds(1));
  datagrams.confirm_after = rng.between(milliseconds(20), milliseconds(500));
  datagrams.provisional_lifetime = rng.between(seconds(5), seconds(20));
  datagrams.session_lifetime = any_duration(rng, {minutes(2), minutes(20), hours(1)});
  datagrams.session_idle = any_duration(rng, {seconds(30), minutes(10)});
  datagrams.attempts = static_cast<unsigned>(3 + rng.below(3));
  datagrams.max_sessions = any_size(rng, {16, 64, 512});
  datagrams.max_provisional = any_size(rng, {8, 128});
  datagrams.max_recent = any_size(rng, {8, 512});
  datagrams.max_prefixes = any_size(rng, {32, 1024});
  datagrams.handshakes = rng.chance(1, 2) ? flow::Rate{2, 4} : flow::Rate{100, 200};
}

void vary_dht(dht::Config& dht, Rng& rng) {
  dht.k = any_size(rng, {8, 20});
  dht.alpha = any_size(rng, {2, 3, 5});
  dht.paths = any_size(rng, {1, 2, 4});
  dht.quorum = any_size(rng, {3, 5, 8});
  dht.spares = any_size(rng, {1, 8});
  dht.max_failures = any_size(rng, {1, 2, 4});
  dht.fresh_for = any_duration(rng, {seconds(30), minutes(15)});
  dht.refresh_interval = any_duration(rng, {minutes(10), hours(1)});
  dht.first_refresh = any_duration(rng, {seconds(30), minutes(5)});
  dht.max_introductions = any_size(rng, {16, 128});
  dht.max_probes = any_size(rng, {2, 8});
  dht.max_candidates = any_size(rng, {32, 256});
  dht.slow_after = rng.between(milliseconds(500), seconds(2));
  dht.max_lookups = any_size(rng, {8, 32});
  dht.max_trail = any_size(rng, {4, 64});
  dht.max_values = any_size(rng, {512, 4096});
  dht.republish_interval = any_duration(rng, {minutes(10), hours(1)});
  dht.max_stores_under_way = any_size(rng, {4, 16});
  dht.persist_interval = any_duration(rng, {seconds(10), minutes(5)});
}

void vary_bootstrap(bootstrap::Config& bootstrap, Rng& rng) {
  bootstrap.max_parallel = any_size(rng, {2, 8});
  bootstrap.max_probe_endpoints = any_size(rng, {1, 4});
  bootstrap.max_offered = any_size(rng, {4, 16});
  bootstrap.enough = any_size(rng, {2, 8});
  bootstrap.patience = rng.between(milliseconds(500), seconds(3));
  bootstrap.survey_interval = rng.between(minutes(1), minutes(10));
  bootstrap.probe_timeout = rng.between(seconds(15), seconds(30));
  bootstrap.retry_min = rng.between(seconds(5), seconds(30));
  bootstrap.retry_max = any_duration(rng, {minutes(5), hours(1)});
  bootstrap.reprobe_interval = any_duration(rng, {minutes(5), hours(1)});
  bootstrap.list_interval_min = rng.between(seconds(30), minutes(2));
  bootstrap.flush_interval = rng.between(seconds(1), seconds(10));
  bootstrap.max_strikes = static_cast<std::uint32_t>(3 + rng.below(3));
}

}  // namespace

node::Config vary_config(Rng& rng) {
  node::Config config;
  vary_links(config.link, rng);
  vary_sessions(config.session, rng);
  vary_router(config.router, rng);
  vary_datagrams(config.datagram, rng);
  vary_dht(config.dht, rng);
  vary_bootstrap(config.bootstrap, rng);
  config.record_refresh = any_duration(rng, {seconds(30), minutes(10), hours(24)});
  return config;
}

}  // namespace ekiden::sim
