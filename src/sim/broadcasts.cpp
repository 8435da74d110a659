#include "sim/broadcasts.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ekiden::sim {

Bytes Broadcasts::publish(HostIndex from, std::size_t size, std::set<HostIndex> there, bool measured) {
  CHECK(size >= kNumberSize);
  const std::uint64_t number = items_.size();
  there.erase(from);
  items_.emplace(number, Item{.from = from, .size = size, .expected = std::move(there), .measured = measured});
  Bytes payload(size);
  put_be(MutableBytes(payload).first(kNumberSize), number);
  return payload;
}

std::vector<std::string> Broadcasts::heard(HostIndex host, std::uint64_t boot, HostIndex from, ByteView payload,
                                           std::uint32_t hops) {
  if (payload.size() < kNumberSize) return {"host " + std::to_string(host) + " heard an item that nobody published"};
  const std::uint64_t number = get_be<std::uint64_t>(payload.first(kNumberSize));
  const auto found = items_.find(number);
  const std::string what = "host " + std::to_string(host) + " heard item " + std::to_string(number);
  if (found == items_.end()) return {what + ", which nobody published"};
  Item& item = found->second;
  std::vector<std::string> breaches;
  if (item.from != from || item.size != payload.size()) breaches.push_back(what + ", which is not what was published");
  if (host == item.from) breaches.push_back(what + ", its own");
  if (!item.heard.emplace(host, boot).second) breaches.push_back(what + " twice");
  if (item.expected.contains(host)) item.delivered.insert(host);
  item.hops_last = std::max(item.hops_last, hops);
  return breaches;
}

void Broadcasts::gone(HostIndex host) {
  for (auto& [number, item] : items_) {
    item.expected.erase(host);
    item.delivered.erase(host);
  }
}

Broadcasts::Totals Broadcasts::totals() const {
  Totals totals;
  for (const auto& [number, item] : items_) {
    if (!item.measured) continue;
    ++totals.published;
    totals.expected += item.expected.size();
    totals.delivered += item.delivered.size();
    totals.hops_last += item.hops_last;
  }
  return totals;
}

std::uint32_t ideal_hops(std::uint64_t nodes, std::uint64_t neighbours) {
  std::uint64_t reached = 1;
  std::uint32_t hops = 0;
  for (; reached < nodes; ++hops) reached *= neighbours - 1;
  return hops;
}

}  // namespace ekiden::sim
