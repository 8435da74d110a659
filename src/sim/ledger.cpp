#include "sim/ledger.hpp"

#include <algorithm>
#include <utility>

namespace ekiden::sim {
namespace {

constexpr std::size_t kMaxBreaches = 40;

/// `percent` of the times are no longer than this.
Duration percentile(std::vector<Duration>& times, std::size_t percent) {
  if (times.empty()) return {};
  const auto at = times.begin() + static_cast<std::ptrdiff_t>(times.size() * percent / 100);
  std::nth_element(times.begin(), at, times.end());
  return *at;
}

}  // namespace

Bytes Ledger::make_body(SendNumber number, std::size_t size, Rng& rng) {
  Bytes body;
  append_be(body, number);
  body.resize(std::max<std::size_t>(size, body.size()));
  rng.fill(MutableBytes(body).subspan(sizeof number));
  return body;
}

SendNumber Ledger::submit(HostIndex from, HostIndex to, router::DeliveryClass delivery, std::size_t body_size,
                          Instant expires, Rng& rng) {
  const SendNumber number = entries_.size();
  Entry entry;
  entry.from = from;
  entry.to = to;
  entry.delivery = delivery;
  entry.expires = expires;
  entry.body = make_body(number, body_size, rng);
  entries_.push_back(std::move(entry));
  return number;
}

void Ledger::accepted(SendNumber number, const router::MessageId& id, Instant now) {
  entries_[number].accepted = now;
  by_id_[id] = number;
}

std::optional<SendNumber> Ledger::arrived(HostIndex at, std::uint64_t boot, const router::Arrived& message,
                                          HostIndex from, Instant now) {
  if (message.body.size() < sizeof(SendNumber)) {
    breach("a message of " + std::to_string(message.body.size()) + " bytes arrived that nobody sent");
    return std::nullopt;
  }
  const auto number = get_be<SendNumber>(message.body);
  if (number >= entries_.size() || entries_[number].body != message.body || entries_[number].to != at ||
      entries_[number].from != from || entries_[number].delivery != message.delivery) {
    breach("message " + message.id.text() + " arrived at host " + std::to_string(at) + " and is not what was sent");
    return std::nullopt;
  }
  Entry& entry = entries_[number];
  if (is_blocked(at, from)) breach(describe(number) + " arrived, and its sender is blocked");
  if (message.number != 0) check_numbers(at, from, boot, message.number);
  if (entry.refused) breach(describe(number) + " was refused and arrived all the same");
  if (entry.taken) {
    breach(describe(number) + " arrived again after it was taken");
    return std::nullopt;
  }
  if (entry.arrived_in_boot == boot) {
    breach(describe(number) + " arrived twice in one run of the node");
    return std::nullopt;
  }
  entry.arrived_in_boot = boot;
  check_order(number, boot, message);
  if (!entry.arrived) entry.arrived = now;
  // The sender may have crashed between the disk and the answer: it was accepted all the same.
  by_id_.try_emplace(message.id, number);
  if (const auto receipt = early_receipts_.extract(message.id)) entry.receipted = receipt.mapped();
  return number;
}

void Ledger::note_due(Entry& entry, Instant now) const {
  if (entry.due || !entry.has_waited || !present_.contains(entry.to)) return;
  const auto is_present = [&](HostIndex host) { return present_.contains(host); };
  if (is_present(entry.from) || std::ranges::any_of(entry.keepers, is_present)) entry.due = now;
}

void Ledger::came(HostIndex host, Instant now) {
  present_.insert(host);
  for (Entry& entry : entries_) {
    if (!entry.accepted || entry.arrived || entry.due || entry.delivery != router::DeliveryClass::durable) continue;
    entry.has_waited = entry.has_waited || entry.to == host;
    note_due(entry, now);
  }
}

void Ledger::kept(HostIndex by, const router::MessageId& id, Instant now) {
  ++copies_[id];
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  Entry& entry = entries_[found->second];
  entry.keepers.insert(by);
  ++entry.copies;
  if (!entry.arrived) note_due(entry, now);
}

void Ledger::relayed(const router::MessageId& id, std::size_t hops) {
  ++relayed_;
  hops_ += hops;
  if (const auto found = by_id_.find(id); found != by_id_.end()) entries_[found->second].path_hops = hops;
}

void Ledger::check_numbers(HostIndex at, HostIndex from, std::uint64_t boot, std::uint64_t number) {
  Last& last = last_[{at, from}];
  if (last.boot == boot && last.number >= number) {
    breach("number " + std::to_string(number) + " of host " + std::to_string(from) + " arrived at host " +
           std::to_string(at) + " after number " + std::to_string(last.number));
  }
  last = {boot, number};
}

void Ledger::order(SendNumber number, const std::string& conversation) {
  Entry& entry = entries_[number];
  entry.conversation = conversation;
  streams_[{entry.from, entry.to, conversation}].sent.push_back(number);
}

void Ledger::check_order(SendNumber number, std::uint64_t boot, const router::Arrived& message) {
  const Entry& entry = entries_[number];
  if (entry.conversation.has_value() != message.order.has_value()) {
    return breach(describe(number) + (message.order ? " is unordered" : " is ordered") + ", and arrived otherwise");
  }
  if (!message.order) return;
  Stream& stream = streams_[{entry.from, entry.to, message.order->conversation}];
  if (std::exchange(stream.boot, boot) != boot) stream.last_of_boot = 0;
  if (!message.late && number < stream.last_of_boot) {
    breach(describe(number) + " arrived after #" + std::to_string(stream.last_of_boot) + " of its conversation");
  }
  if (!message.late) stream.last_of_boot = number;
  if (entry.arrived) return;
  if (message.late != (stream.last && number < *stream.last)) {
    breach(describe(number) + (message.late ? " is said to be late" : " is late, and that was not said"));
  }
  stream.last = std::max(stream.last.value_or(number), number);
  if (message.missing == 0 || forgetful_.contains(entry.from)) return;
  const auto missing = std::count_if(stream.sent.begin(), stream.sent.end(), [&](SendNumber before) {
    return before < number && !entries_[before].refused && !entries_[before].receipted;
  });
  if (message.missing > static_cast<std::uint64_t>(missing)) {
    breach(describe(number) + " says that " + std::to_string(message.missing) + " before it are missing, and " +
           std::to_string(missing) + " are");
  }
}

void Ledger::taken(SendNumber number) { entries_[number].taken = true; }

void Ledger::state_changed(HostIndex at, const router::MessageId& id, router::MessageState state, Instant now) {
  if (state != router::MessageState::delivered) return;
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) {
    early_receipts_.emplace(id, now);
    return;
  }
  Entry& entry = entries_[found->second];
  if (!entry.arrived && !has_strangers_ && !entry.conversation) {
    breach(describe(found->second) + " was receipted and has not arrived");
  }
  if (entry.from != at) breach(describe(found->second) + " was receipted to host " + std::to_string(at));
  if (!entry.receipted) entry.receipted = now;
}

bool Ledger::settled(Instant now) const {
  if (!early_receipts_.empty() && !has_questions_ && !has_strangers_) return false;
  return std::all_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    if (entry.delivery != router::DeliveryClass::durable || !entry.accepted || entry.expires <= now) return true;
    if (is_blocked(entry.to, entry.from)) return true;
    return entry.arrived && (entry.taken || entry.maybe_taken) && entry.receipted;
  });
}

void Ledger::check_end(Instant now) {
  for (const auto& [id, at] : early_receipts_) {
    if (!has_questions_ && !has_strangers_) breach(id.text() + " was receipted and has never arrived");
  }
  for (SendNumber number = 0; number < entries_.size(); ++number) {
    const Entry& entry = entries_[number];
    if (entry.delivery != router::DeliveryClass::durable || !entry.accepted || entry.expires <= now) continue;
    if (is_blocked(entry.to, entry.from)) continue;
    if (!entry.arrived) {
      breach(describe(number) + " was accepted and is lost");
    } else if (!entry.taken && !entry.maybe_taken) {
      breach(describe(number) + " arrived and could not be taken");
    } else if (!entry.receipted) {
      breach(describe(number) + " arrived and its sender has no receipt");
    }
  }
}

void Ledger::breach(std::string what) {
  if (breaches_.size() < kMaxBreaches) breaches_.push_back(std::move(what));
}

std::string Ledger::describe(SendNumber number) const {
  const Entry& entry = entries_[number];
  return "message #" + std::to_string(number) + " from host " + std::to_string(entry.from) + " to " +
         std::to_string(entry.to);
}

Ledger::Totals Ledger::totals(Instant now) const {
  Totals totals;
  totals.submitted = entries_.size();
  std::vector<Duration> latencies;
  std::vector<Duration> after_return;
  for (const Entry& entry : entries_) {
    const bool durable = entry.delivery == router::DeliveryClass::durable;
    totals.accepted += entry.accepted.has_value();
    totals.refused += entry.refused;
    totals.arrived += entry.arrived.has_value();
    totals.taken += entry.taken;
    totals.receipted += entry.receipted.has_value();
    totals.expired += durable && entry.accepted && !entry.arrived && entry.expires <= now;
    totals.durable_accepted += durable && entry.accepted;
    totals.durable_arrived += durable && entry.accepted && entry.arrived;
    if (entry.accepted && entry.arrived) latencies.push_back(std::max(Duration(0), *entry.arrived - *entry.accepted));
    if (entry.arrived) {
      totals.hop_bytes += entry.body.size() * std::max<std::size_t>(1, entry.path_hops + 2 * entry.copies);
    }
    if (entry.due && entry.arrived) after_return.push_back(*entry.arrived - *entry.due);
  }
  totals.relayed = relayed_;
  totals.hops = hops_;
  totals.deposited = copies_.size();
  for (const auto& [id, copies] : copies_) totals.copies += copies;
  totals.latency_median = percentile(latencies, 50);
  totals.latency_p99 = percentile(latencies, 99);
  totals.awaited = after_return.size();
  totals.awaited_soon =
      static_cast<std::uint64_t>(std::ranges::count_if(after_return, [](Duration d) { return d <= kSoon; }));
  totals.return_median = percentile(after_return, 50);
  totals.return_p99 = percentile(after_return, 99);
  return totals;
}

}  // namespace ekiden::sim
