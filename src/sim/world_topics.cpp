// The broadcasts of a simulation: everybody subscribes to one topic, and some publish in it.
#include <algorithm>
#include <utility>

#include "sim/world.hpp"

namespace ekiden::sim {

/// Evenly over the time from `publish_from` to the end, but for the last part of it, in which items are on their way.
void World::plan_broadcasts() {
  const TopicModel& topics = scenario_.topics;
  if (topics.items == 0) return;
  const Duration time = scenario_.duration - topics.publish_from - topics.last_wait;
  std::vector<HostIndex> publishers;
  for (HostIndex host = 0; host < machines_.size(); ++host) publishers.push_back(host);
  rng_.shuffle(publishers);
  publishers.resize(std::min<std::size_t>(topics.publishers, publishers.size()));
  for (std::uint32_t i = 0; i < topics.items; ++i) {
    schedule_.after(topics.publish_from + time * i / topics.items, [this, publishers] { broadcast(publishers); });
  }
  schedule_.after(topics.measure_from, [this] { measure_broadcasts(); });
}

/// By one of those that are there.
void World::broadcast(const std::vector<HostIndex>& publishers) {
  std::vector<HostIndex> up;
  std::ranges::copy_if(publishers, std::back_inserter(up), [this](HostIndex host) { return machines_[host]->is_up(); });
  if (up.empty()) return;
  const HostIndex from = up[rng_.below(up.size())];
  std::set<HostIndex> there;
  for (const auto& machine : machines_) {
    if (machine->is_in_order_since(scenario_.topics.at_home)) there.insert(machine->host());
  }
  const std::size_t size = scenario_.topics.payload;
  machines_[from]->publish(kBroadcastTopic, broadcasts_.publish(from, size, std::move(there), measuring_));
}

/// What nodes have counted until now is not of the figures.
void World::measure_broadcasts() {
  measuring_ = true;
  counted_before_ = count_copies();
}

Broadcasts::Totals World::count_copies() const {
  Broadcasts::Totals totals;
  for (const auto& machine : machines_) {
    if (!machine->is_up()) continue;
    const gossip::TopicStatus counts = machine->node()->status().topic_totals;
    totals.copies += counts.copies;
    totals.ids += counts.announcements;
  }
  return totals;
}

/// Before what is down comes up again, and hears of what is over.
void World::end_broadcasts() {
  if (scenario_.topics.items == 0) return;
  told_ = broadcasts_.totals();
  const Broadcasts::Totals counted = count_copies();
  // Of hosts that went down meanwhile nothing is counted: then only the deliveries mean something.
  told_.copies = counted.copies - std::min(counted.copies, counted_before_.copies);
  told_.ids = counted.ids - std::min(counted.ids, counted_before_.ids);
}

void World::check_broadcasts(Outcome& outcome) const {
  if (scenario_.topics.items == 0) return;
  const Expectations& expect = scenario_.expect;
  const auto breach = [&](std::string what) { outcome.breaches.push_back(std::move(what)); };
  if (told_.published == 0) breach("no broadcast was measured: the scenario proves nothing");
  if (told_.delivered_ppm() < expect.heard_ppm_min) {
    breach(std::to_string(told_.expected - told_.delivered) + " of " + std::to_string(told_.expected) +
           " deliveries of broadcasts are missing");
  }
  if (expect.topic_copies_max != 0 && told_.copies_milli() > expect.topic_copies_max) {
    breach(std::to_string(told_.copies_milli()) + " copies came for each thousand deliveries of broadcasts");
  }
  if (expect.topic_ids_max != 0 && told_.all_milli() > expect.topic_ids_max) {
    breach(std::to_string(told_.all_milli()) + " copies and announcements came for each thousand deliveries");
  }
  const std::uint64_t ideal = ideal_hops(machines_.size(), gossip::Config{}.max_active);
  if (expect.topic_hops_percent_max != 0 && told_.hops_milli() > ideal * expect.topic_hops_percent_max * 10) {
    breach("the last deliveries of broadcasts took " + std::to_string(told_.hops_milli()) + " thousandths of a hop");
  }
}

void World::subscribe(HostIndex host) {
  if (scenario_.topics.items != 0 || scenario_.split.to != Duration(0)) machines_[host]->subscribe(kBroadcastTopic);
}

}  // namespace ekiden::sim
