#include "sim/scenario.hpp"

#include <toml++/toml.h>

#include <fstream>
#include <functional>
#include <map>
#include <sstream>

namespace ekiden::sim {
namespace {

using Setter = std::function<bool(const toml::node&)>;

template <class Integer>
Setter number(Integer& to, std::int64_t low, std::int64_t high) {
  return [&to, low, high](const toml::node& node) {
    const auto value = node.value_exact<std::int64_t>();
    if (!value || *value < low || *value > high) return false;
    to = static_cast<Integer>(*value);
    return true;
  };
}

template <class Unit>
Setter duration(Duration& to) {
  return [&to](const toml::node& node) {
    const auto value = node.value_exact<std::int64_t>();
    if (!value || *value < 0 || *value > 1'000'000'000) return false;
    to = Unit(*value);
    return to <= hours(24 * 3650);
  };
}

Setter text(std::string& to) {
  return [&to](const toml::node& node) {
    const auto value = node.value_exact<std::string>();
    if (value) to = *value;
    return value.has_value();
  };
}

Setter boolean(bool& to) {
  return [&to](const toml::node& node) {
    const auto value = node.value_exact<bool>();
    if (value) to = *value;
    return value.has_value();
  };
}

Setter kind_of_split(SplitKind& to) {
  return [&to](const toml::node& node) {
    static const std::map<std::string, SplitKind, std::less<>> kinds = {{"two", SplitKind::two},
                                                                        {"three", SplitKind::three},
                                                                        {"one_way", SplitKind::one_way},
                                                                        {"flapping", SplitKind::flapping},
                                                                        {"rolling", SplitKind::rolling}};
    const auto kind = kinds.find(node.value_exact<std::string>().value_or(""));
    if (kind != kinds.end()) to = kind->second;
    return kind != kinds.end();
  };
}

constexpr std::int64_t kMillion = 1'000'000;

/// Keys by their dotted name.
using Keys = std::map<std::string, Setter, std::less<>>;

Keys keys_of_world(Scenario& s) {
  return {
      {"name", text(s.name)},
      {"about", text(s.about)},
      {"nodes", number(s.nodes, kMinNodes, kMaxNodes)},
      {"duration_s", duration<seconds>(s.duration)},
      {"boot_over_s", duration<seconds>(s.boot_over)},
      {"vary_config", boolean(s.vary_config)},
      {"check_every", number(s.check_every, 1, kMillion * 1000)},
      {"network.latency_min_ms", duration<milliseconds>(s.network.latency_min)},
      {"network.latency_max_ms", duration<milliseconds>(s.network.latency_max)},
      {"network.jitter_ms", duration<milliseconds>(s.network.jitter)},
      {"network.loss_ppm", number(s.network.loss, 0, kMillion / 2)},
      {"network.duplicate_ppm", number(s.network.duplicate, 0, kMillion)},
      {"network.reorder_ppm", number(s.network.reorder, 0, kMillion)},
      {"network.lan", boolean(s.network.lan)},
      {"network.line", boolean(s.network.line)},
      {"disk.sync_min_us", duration<microseconds>(s.disk.sync_min)},
      {"disk.sync_max_us", duration<microseconds>(s.disk.sync_max)},
      {"processor.input_us", duration<microseconds>(s.processor.input)},
      {"processor.curve_operation_us", duration<microseconds>(s.processor.curve_operation)},
      {"processor.kilobyte_us", duration<microseconds>(s.processor.kilobyte)},
      {"app.first_contact", boolean(s.app.first_contact)},
      {"app.owner_delay_max_ms", duration<milliseconds>(s.app.owner_delay_max)},
      {"app.block_percent", number(s.app.block_percent, 0, 100)},
      {"app.take_delay_max_ms", duration<milliseconds>(s.app.take_delay_max)},
  };
}

Keys keys_of_events(Scenario& s) {
  return {
      {"workload.messages", number(s.workload.messages, 0, 100 * kMillion)},
      {"workload.contacts", number(s.workload.contacts, 1, 1000)},
      {"workload.body_min", number(s.workload.body_min, 8, 32 * 1024)},
      {"workload.body_max", number(s.workload.body_max, 8, 32 * 1024)},
      {"workload.durable_percent", number(s.workload.durable_percent, 0, 100)},
      {"workload.ttl_s", duration<seconds>(s.workload.ttl)},
      {"workload.questions", number(s.workload.questions, 0, kMillion)},
      {"workload.services", number(s.workload.services, 1, 1000)},
      {"workload.question_timeout_s", duration<seconds>(s.workload.question_timeout)},
      {"workload.steady_per_second", number(s.workload.steady_per_second, 0, 100'000)},
      {"faults.crashes", number(s.faults.crashes, 0, 100'000)},
      {"faults.cuts", number(s.faults.cuts, 0, 100'000)},
      {"faults.one_way_cuts", number(s.faults.one_way_cuts, 0, 100'000)},
      {"faults.wall_steps", number(s.faults.wall_steps, 0, 100'000)},
      {"faults.lost_clocks", number(s.faults.lost_clocks, 0, 20'000)},
      {"faults.lost_clock_min_s", duration<seconds>(s.faults.lost_clock_min)},
      {"faults.lost_clock_max_s", duration<seconds>(s.faults.lost_clock_max)},
      {"faults.stalls", number(s.faults.stalls, 0, kMillion)},
      {"faults.stall_ms", duration<milliseconds>(s.faults.stall)},
      {"faults.slow_disks", number(s.faults.slow_disks, 0, 100'000)},
      {"faults.full_disks", number(s.faults.full_disks, 0, 100'000)},
      {"faults.closed_hosts", number(s.faults.closed_hosts, 0, 20'000)},
      {"faults.crash_max_s", duration<seconds>(s.faults.crash_max)},
      {"faults.cut_max_s", duration<seconds>(s.faults.cut_max)},
      {"faults.wall_step_max_s", duration<seconds>(s.faults.wall_step_max)},
      {"faults.disk_trouble_max_s", duration<seconds>(s.faults.disk_trouble_max)},
      {"faults.drift_ppm_max", number(s.faults.drift_ppm_max, 0, 100'000)},
      {"faults.vanish_percent", number(s.faults.vanish_percent, 0, 100)},
      {"faults.bootstrap_lost", boolean(s.faults.bootstrap_lost)},
      {"faults.away_percent", number(s.faults.away_percent, 0, 80)},
      {"faults.stay_s", duration<seconds>(s.faults.stay)},
      {"faults.churn_session_s", duration<seconds>(s.faults.churn_session)},
      {"discovery.bootstrap", number(s.discovery.bootstrap, 0, 1000)},
      {"discovery.told", number(s.discovery.told, 0, 64)},
      {"discovery.liars_of_each_kind", number(s.discovery.liars_of_each_kind, 0, 8)},
      {"discovery.searches", number(s.discovery.searches, 0, kMillion)},
      {"discovery.searches_of_gone", number(s.discovery.searches_of_gone, 0, kMillion)},
      {"discovery.capabilities", number(s.discovery.capabilities, 0, 1000)},
      {"discovery.max_values", number(s.discovery.max_values, 0, 100'000)},
      {"discovery.prefix_limits", boolean(s.discovery.prefix_limits)},
      {"topics.items", number(s.topics.items, 0, 100'000)},
      {"topics.publishers", number(s.topics.publishers, 1, kMaxNodes)},
      {"topics.payload_bytes", number(s.topics.payload, 8, 16'384)},
      {"topics.publish_from_s", duration<seconds>(s.topics.publish_from)},
      {"topics.measure_from_s", duration<seconds>(s.topics.measure_from)},
      {"topics.last_wait_s", duration<seconds>(s.topics.last_wait)},
      {"topics.at_home_s", duration<seconds>(s.topics.at_home)},
      {"registry.entries", number(s.registry.entries, 0, 10'000)},
      {"registry.put_from_s", duration<seconds>(s.registry.put_from)},
      {"registry.split_from_s", duration<seconds>(s.registry.split_from)},
      {"registry.split_to_s", duration<seconds>(s.registry.split_to)},
      {"registry.split_percent", number(s.registry.split_percent, 1, 99)},
      {"registry.restarts", number(s.registry.restarts, 0, 1000)},
      {"realm.members", number(s.realm.members, 0, 1000)},
      {"realm.removed", number(s.realm.removed, 0, 1000)},
      {"realm.entries", number(s.realm.entries, 0, 10'000)},
      {"realm.enter_at_s", duration<seconds>(s.realm.enter_at)},
      {"realm.put_from_s", duration<seconds>(s.realm.put_from)},
      {"realm.change_at_s", duration<seconds>(s.realm.change_at)},
      {"split.from_s", duration<seconds>(s.split.from)},
      {"split.to_s", duration<seconds>(s.split.to)},
      {"split.percent", number(s.split.percent, 1, 99)},
      {"split.kind", kind_of_split(s.split.kind)},
      {"split.step_s", duration<seconds>(s.split.step)},
  };
}

Keys keys_of_attack(Scenario& s) {
  return {
      {"attack.sybils", number(s.attack.sybils, 0, 1000)},
      {"attack.sybil_prefixes", number(s.attack.sybil_prefixes, 1, 250)},
      {"attack.eclipse", boolean(s.attack.eclipse)},
      {"attack.letters", number(s.attack.letters, 0, 10'000)},
      {"attack.flooders", number(s.attack.flooders, 0, 200)},
      {"attack.announcements_per_second", number(s.attack.announcements_per_second, 1, 1000)},
      {"attack.bad_relays_of_each_kind", number(s.attack.bad_relays_of_each_kind, 0, 100)},
      {"attack.black_holes", number(s.attack.black_holes, 0, 100)},
      {"attack.bad_mailboxes_of_each_kind", number(s.attack.bad_mailboxes_of_each_kind, 0, 100)},
      {"attack.bad_members_of_each_kind", number(s.attack.bad_members_of_each_kind, 0, 10)},
      {"attack.spoofed_flights", number(s.attack.spoofed_flights, 0, 100'000)},
      {"attack.spoofed_at_one", boolean(s.attack.spoofed_at_one)},
      {"attack.spammers", number(s.attack.spammers, 0, 4000)},
      {"attack.letters_per_second", number(s.attack.letters_per_second, 1, 1000)},
      {"attack.boasters", number(s.attack.boasters, 0, 100)},
  };
}

Keys keys_of_outcome(Scenario& s) {
  return {
      {"expect.reached_min", number(s.expect.reached_min, 0, 1000)},
      {"expect.lost_dials_max", number(s.expect.lost_dials_max, 0, kMillion)},
      {"expect.relayed_min", number(s.expect.relayed_min, 0, kMillion)},
      {"expect.blocked_min", number(s.expect.blocked_min, 0, kMillion)},
      {"expect.deposited_min", number(s.expect.deposited_min, 0, kMillion)},
      {"expect.hop_bytes_percent_max", number(s.expect.hop_bytes_percent_max, 0, kMillion)},
      {"expect.awaited_min", number(s.expect.awaited_min, 0, kMillion)},
      {"expect.awaited_soon_ppm_min", number(s.expect.awaited_soon_ppm_min, 0, kMillion)},
      {"expect.copies_mean_max_milli", number(s.expect.copies_mean_max, 0, kMillion)},
      {"expect.swallowed_late_percent_max", number(s.expect.swallowed_late_percent_max, 0, 100)},
      {"expect.endpoints_published", boolean(s.expect.endpoints_published)},
      {"expect.in_time_ppm_min", number(s.expect.in_time_ppm_min, 0, kMillion)},
      {"expect.in_time_max_ms", duration<milliseconds>(s.expect.in_time_max)},
      {"expect.answered_ppm_min", number(s.expect.answered_ppm_min, 0, kMillion)},
      {"expect.found_ppm_min", number(s.expect.found_ppm_min, 0, kMillion)},
      {"expect.search_median_max_ms", duration<milliseconds>(s.expect.search_median_max)},
      {"expect.search_p99_max_ms", duration<milliseconds>(s.expect.search_p99_max)},
      {"expect.search_p99_percent_max", number(s.expect.search_p99_percent_max, 0, 100'000)},
      {"expect.search_p99_spared_ms", duration<milliseconds>(s.expect.search_p99_spared)},
      {"expect.registry_equal_max_s", duration<seconds>(s.expect.registry_equal_max)},
      {"expect.heard_ppm_min", number(s.expect.heard_ppm_min, 0, kMillion)},
      {"expect.topic_copies_max_milli", number(s.expect.topic_copies_max, 0, kMillion)},
      {"expect.topic_ids_max_milli", number(s.expect.topic_ids_max, 0, kMillion)},
      {"expect.split_noticed_max_ms", duration<milliseconds>(s.expect.split_noticed_max)},
      {"expect.never_split", boolean(s.expect.never_split)},
      {"expect.split_healed_max_ms", duration<milliseconds>(s.expect.split_healed_max)},
      {"expect.topic_hops_percent_max", number(s.expect.topic_hops_percent_max, 0, 10'000)},
      {"expect.settle_max_s", duration<seconds>(s.expect.settle_max)},
      {"expect.latency_p99_max_ms", duration<milliseconds>(s.expect.latency_p99_max)},
      {"expect.bytes_per_message_max", number(s.expect.bytes_per_message_max, 0, kMillion * kMillion)},
  };
}

/// Every key that a scenario may have.
Keys keys_of(Scenario& s) {
  Keys keys = keys_of_world(s);
  keys.merge(keys_of_events(s));
  keys.merge(keys_of_attack(s));
  keys.merge(keys_of_outcome(s));
  return keys;
}

Status read_table(const toml::table& table, const std::string& prefix, std::string_view name, const Keys& keys) {
  for (const auto& [key, node] : table) {
    const std::string full = prefix + std::string(key.str());
    if (const toml::table* inner = node.as_table()) {
      EKIDEN_TRY(read_table(*inner, full + ".", name, keys));
      continue;
    }
    const std::string where = std::string(name) + ":" + std::to_string(node.source().begin.line) + ": ";
    const auto setter = keys.find(full);
    if (setter == keys.end()) return fail(Errc::malformed, where + "unknown key " + full);
    if (!setter->second(node)) return fail(Errc::malformed, where + full + " has the wrong type or is out of range");
  }
  return {};
}

}  // namespace

Result<Scenario> parse_scenario(std::string_view source, std::string_view name) {
  Scenario scenario;
  try {
    EKIDEN_TRY(read_table(toml::parse(source, name), "", name, keys_of(scenario)));
  } catch (const toml::parse_error& error) {
    return fail(Errc::malformed, std::string(name) + ":" + std::to_string(error.source().begin.line) + ": " +
                                     std::string(error.description()));
  }
  if (scenario.name.empty()) return fail(Errc::malformed, std::string(name) + ": the scenario needs a name");
  if (scenario.network.latency_min > scenario.network.latency_max || scenario.disk.sync_min > scenario.disk.sync_max ||
      scenario.workload.body_min > scenario.workload.body_max ||
      scenario.faults.lost_clock_min > scenario.faults.lost_clock_max) {
    return fail(Errc::malformed, std::string(name) + ": a minimum is over its maximum");
  }
  if (scenario.topics.items != 0 && scenario.topics.publish_from + scenario.topics.last_wait >= scenario.duration) {
    return fail(Errc::malformed, std::string(name) + ": the duration leaves no time to publish in");
  }
  const RegistryModel& registry = scenario.registry;
  if (registry.entries != 0 &&
      (registry.put_from >= registry.split_from || scenario.nodes < 2 ||
       registry.split_from + seconds(10) > registry.split_to || registry.split_to >= scenario.duration)) {
    return fail(Errc::malformed, std::string(name) +
                                     ": the split comes after the first puts, lasts ten seconds, and "
                                     "is over before the end");
  }
  const RealmModel& realm = scenario.realm;
  if (realm.members != 0 &&
      (2 * realm.members > scenario.nodes || realm.removed == 0 || realm.removed + 2 > realm.members ||
       realm.entries == 0 || realm.enter_at >= realm.put_from || realm.put_from >= realm.change_at ||
       realm.change_at >= scenario.duration)) {
    return fail(Errc::malformed,
                std::string(name) +
                    ": of a realm at most half the nodes are members, of whom one is removed and two stay; they enter, "
                    "put something, and change the key, one after the other");
  }
  const SplitModel& split = scenario.split;
  if (split.to != Duration(0) && registry.entries != 0 &&
      (split.from != registry.split_from || split.to != registry.split_to)) {
    return fail(Errc::malformed, std::string(name) + ": the split of the registry is another than that of the network");
  }
  if (split.to != Duration(0) &&
      (split.from + seconds(15) > split.to || split.to >= scenario.duration || split.step < seconds(1))) {
    return fail(Errc::malformed, std::string(name) +
                                     ": the split lasts fifteen seconds or more, in steps of at least one, and is "
                                     "over before the end");
  }
  return scenario;
}

Result<Scenario> load_scenario(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(Errc::not_found, "cannot read the scenario " + path);
  std::stringstream text;
  text << file.rdbuf();
  return parse_scenario(text.str(), path);
}

}  // namespace ekiden::sim
