// Probes: who is tried when, and what an answer or its absence means.
#include "bootstrap/bootstrap.hpp"

#include <algorithm>
#include <utility>

#include "bootstrap/rows.hpp"

namespace ekiden::bootstrap {
namespace {

constexpr std::uint32_t kMaxDoublings = 6;  ///< Of the interval between lists that are refused.

/// Between three and five quarters: nodes that started together do not stay together.
Duration jittered(Rng& rng, Duration interval) { return rng.between(interval / 4 * 3, interval / 4 * 5); }

Duration doubled(Duration first, std::uint32_t times, Duration most) {
  for (; times > 0 && first < most; --times) first *= 2;
  return std::min(first, most);
}

void move_to_front(std::vector<identity::Endpoint>& endpoints, const identity::Endpoint& endpoint) {
  const auto found = std::ranges::find(endpoints, endpoint);
  if (found != endpoints.end()) std::rotate(endpoints.begin(), found, found + 1);
}

}  // namespace

Bootstrap::Bootstrap(const identity::PeerId& self, Config config, Rng rng)
    : self_(self), config_(std::move(config)), rng_(std::move(rng)), table_(config_), schedule_(config_.max_parallel) {
  CHECK(config_.max_endpoints > 0 && config_.max_endpoints <= kMaxRowEndpoints && config_.max_probe_endpoints > 0);
  CHECK(config_.max_nodes > 0);
}

void Bootstrap::start(Now now, Effects& out) {
  CHECK(!started_);
  started_ = true;
  if (!erased_.empty()) flush_at_ = now.mono;
  for (Candidate& candidate : best(config_.max_offered)) {
    schedule_.plan(candidate.node, table_.find(candidate.node)->depth, first_probe_at(now));
    out.push(std::move(candidate));
  }
  for (const auto& [node, entry] : table_) {
    if (schedule_.planned_at(node)) continue;
    schedule_.plan(node, entry.depth, now.mono + rng_.between(Duration(0), config_.reprobe_interval));
  }
  pump(now, out);
}

void Bootstrap::pump(Now now, Effects& out) {
  if (!started_) return;
  while (const auto node = schedule_.next(now.mono)) begin_probe(now, *node, out);
  while (schedule_.has_room() && !has_enough()) {
    const auto node = next_newcomer();
    if (!node) return;
    schedule_.plan(*node, table_.find(*node)->depth, now.mono);
    begin_probe(now, *schedule_.next(now.mono), out);
  }
}

/// Up, or about to say that they are. One that takes its time counts no more, or a dead one would keep us waiting.
bool Bootstrap::has_enough() const {
  std::size_t count = schedule_.prompt();
  for (const auto& [node, entry] : table_) {
    if (entry.up && !schedule_.is_prompt(node)) ++count;
    if (count >= config_.enough) return true;
  }
  return count >= config_.enough;
}

/// Of those never probed in this run, the nearest that is planned soonest. Plans are random: so is the choice.
std::optional<identity::PeerId> Bootstrap::next_newcomer() const {
  return schedule_.soonest([this](const identity::PeerId& node) { return is_newcomer(*table_.find(node)); });
}

Instant Bootstrap::first_probe_at(Now now) { return now.mono + rng_.between(Duration(0), config_.survey_interval); }

void Bootstrap::begin_probe(Now now, const identity::PeerId& node, Effects& out) {
  Entry& entry = *table_.find(node);
  entry.list_asked = wants_list(now, entry);
  Probe probe{.probe = schedule_.begin(node, now.mono, config_.patience, config_.probe_timeout),
              .node = node,
              .public_key = entry.public_key,
              .endpoints = {},
              .learned_from = learned_from(entry),
              .want_list = entry.list_asked};
  const std::size_t count = std::min(entry.endpoints.size(), config_.max_probe_endpoints);
  for (std::size_t i = 0; i < count; ++i) {
    probe.endpoints.push_back(entry.endpoints[(entry.next_endpoint + i) % entry.endpoints.size()]);
  }
  out.push(std::move(probe));
}

bool Bootstrap::wants_list(Now now, const Entry& entry) const {
  return entry.depth < config_.max_depth && entry.list_due <= now.mono;
}

identity::LearnedFrom Bootstrap::learned_from(const Entry& entry) const {
  return entry.named_by_owner ? identity::LearnedFrom::configuration : config_.listed_as;
}

/// When a node is probed again that was just probed.
void Bootstrap::plan_next(Now now, const identity::PeerId& node, const Entry& entry) {
  Instant at;
  if (entry.up) {
    at = now.mono + jittered(rng_, config_.reprobe_interval);
    if (entry.depth < config_.max_depth) at = std::max(now.mono, std::min(at, entry.list_due));
  } else {
    const std::uint32_t before = entry.failures > 0 ? entry.failures - 1 : 0;
    const Duration delay = doubled(config_.retry_min, before, config_.retry_max);
    at = now.mono + rng_.between(delay / 2, delay);
  }
  schedule_.plan(node, entry.depth, at);
}

void Bootstrap::on_reached(Now now, ProbeId probe, const Reached& reached, Effects& out) {
  const auto node = schedule_.end(probe);
  if (!node) return;
  Entry& entry = *table_.find(*node);
  const auto before = entry.endpoints;
  if (const Status accepted = accept_answer(now, *node, reached); !accepted) {
    out.push(Notice{Notice::Kind::node_refused, *node, accepted.error().message});
    failed(now, *node, accepted.error().message, out);
    return pump(now, out);
  }
  const bool was_up = std::exchange(entry.up, true);
  entry.public_key = reached.public_key;
  entry.last_error.clear();
  entry.failures = 0;
  entry.strikes = 0;
  entry.next_endpoint = 0;
  last_contact_ = now.mono;
  touch(now, *node);
  if (!was_up || entry.endpoints != before) out.push(candidate_of(*node, entry));
  if (entry.list_asked) {
    if (reached.list) take_list(now, *node, *reached.list, out);
    const auto times = std::int64_t{1} << std::min(entry.bad_lists, kMaxDoublings);
    // A node that has just started, as in a network that was switched on, knows little now and more in a moment.
    const auto interval = doubled(config_.list_interval_min, entry.lists_asked++, config_.list_interval);
    entry.list_due = now.mono + jittered(rng_, entry.bad_lists > 0 ? config_.list_interval : interval) * times;
  }
  plan_next(now, *node, entry);
  pump(now, out);
}

/// Judges who answered and from where, and notes it.
Status Bootstrap::accept_answer(Now now, const identity::PeerId& node, const Reached& reached) {
  if (identity::PeerId::of(reached.public_key) != node) {
    return fail(Errc::unauthenticated, "another node answered at the address of " + node.short_text());
  }
  if (Status noted = note_answer(now, node, reached); !noted) {
    // Not the node is at fault but who named this address: others may name a better one.
    if (reached.endpoint && table_.find(node)->endpoints.size() > 1) {
      static_cast<void>(table_.change(node, [&](Entry& changed) {
        if (changed.endpoints.size() > 1) std::erase(changed.endpoints, *reached.endpoint);
      }));
    }
    return noted;
  }
  take_own_endpoints(node, reached);
  return {};
}

Status Bootstrap::note_answer(Now now, const identity::PeerId& node, const Reached& reached) {
  if (reached.address && !identity::may_dial(reached.address->ip, learned_from(*table_.find(node)))) {
    return fail(Errc::refused, reached.address->text() + " is not an address that a list may name");
  }
  const auto room = table_.change(node, [&](Entry& changed) {
    changed.address = reached.address;
    changed.standing.succeed(reached.round_trip, now.wall);
    if (reached.endpoint) move_to_front(changed.endpoints, *reached.endpoint);
    changed.place =
        reached.address ? identity::prefix_of(reached.address->ip).text() : place_of(changed.endpoints.front());
  });
  if (room == NodeTable::Room::enough) return {};
  return fail(Errc::limit_exceeded, "enough nodes are known in the network where " + node.short_text() + " answered");
}

/// What the owner wrote stays as he wrote it; what others said gives way to what the node says of itself.
void Bootstrap::take_own_endpoints(const identity::PeerId& node, const Reached& reached) {
  const auto own = usable(reached.own_endpoints, config_.listed_as);
  if (table_.find(node)->named_by_owner || own.empty()) return;
  static_cast<void>(table_.change(node, [&](Entry& changed) {
    const bool first_answered = reached.endpoint && changed.endpoints.front() == *reached.endpoint;
    changed.endpoints.resize(first_answered ? 1 : 0);
    for (const auto& endpoint : own) {
      const bool fresh = std::ranges::find(changed.endpoints, endpoint) == changed.endpoints.end();
      if (fresh && changed.endpoints.size() < config_.max_endpoints) changed.endpoints.push_back(endpoint);
    }
  }));
}

void Bootstrap::on_unreachable(Now now, ProbeId probe, const Error& why, Effects& out) {
  const auto node = schedule_.end(probe);
  if (!node) return;
  failed(now, *node, why.message, out);
  pump(now, out);
}

void Bootstrap::failed(Now now, const identity::PeerId& node, std::string why, Effects& out) {
  constexpr std::size_t kMaxErrorText = 256;
  Entry& entry = *table_.find(node);
  why.resize(std::min(why.size(), kMaxErrorText));
  entry.last_error = std::move(why);
  entry.up = false;
  ++entry.failures;
  entry.next_endpoint = (entry.next_endpoint + config_.max_probe_endpoints) % entry.endpoints.size();
  if (is_online(now.mono)) {
    entry.standing.fail();
    ++entry.strikes;
    if (entry.standing.was_reached()) touch(now, node);
    if (is_dead(now, entry)) return give_up(now, node, out);
  }
  plan_next(now, node, entry);
}

bool Bootstrap::is_dead(Now now, const Entry& entry) const {
  if (entry.is_configured() || entry.strikes < config_.max_strikes) return false;
  return !entry.standing.was_reached() || now.wall - entry.standing.last_reached >= config_.forget_after;
}

void Bootstrap::give_up(Now now, const identity::PeerId& node, Effects& out) {
  const Entry& entry = *table_.find(node);
  const auto signer = entry.signer;
  std::string text = node.short_text() + " did not answer " + std::to_string(entry.failures) + " times in a row";
  const bool was_reached = entry.standing.was_reached();
  bury(now, node);
  if (!signer || was_reached || table_.of_signer(*signer) > 0) {
    out.push(Notice{Notice::Kind::node_dead, node, std::move(text)});
    return;
  }
  out.push(Notice{Notice::Kind::list_dead, *signer,
                  "no node that " + signer->short_text() + " listed can be reached; the last: " + text});
  Entry* lister = table_.find(*signer);
  if (lister == nullptr) return;
  ++lister->bad_lists;
  lister->list_due = std::max(lister->list_due, now.mono + config_.list_interval * 2);
}

bool Bootstrap::retry_now(Now now, Effects& out) {
  if (!started_ || (last_wake_ && now.mono - *last_wake_ < config_.wake_interval)) return false;
  last_wake_ = now.mono;
  for (const auto& [node, entry] : table_) {
    if (!entry.up && !schedule_.is_probing(node)) schedule_.plan(node, entry.depth, now.mono);
  }
  pump(now, out);
  return true;
}

void Bootstrap::survey_now(Now now, Effects& out) {
  for (const auto& [node, entry] : table_) {
    const auto planned = schedule_.planned_at(node);
    if (is_newcomer(entry) && planned && *planned > now.mono) schedule_.plan(node, entry.depth, now.mono);
  }
  pump(now, out);
}

std::optional<Instant> Bootstrap::deadline() const {
  if (!started_) return std::nullopt;
  return earlier(schedule_.deadline(), flush_at_);
}

void Bootstrap::on_deadline(Now now, Effects& out) {
  if (!started_) return;
  while (const auto probe = schedule_.pop_timed_out(now.mono)) {
    const auto node = schedule_.end(*probe);
    CHECK(node.has_value());
    failed(now, *node, "no answer in time", out);
  }
  schedule_.pop_slow(now.mono);
  if (flush_at_ && *flush_at_ <= now.mono) flush(out);
  pump(now, out);
}

bool Bootstrap::is_online(Instant now) const { return last_contact_ && now - *last_contact_ <= config_.online_window; }

void Bootstrap::check_invariants() const {
  table_.check_invariants();
  schedule_.check_invariants();
  CHECK(table_.find(self_) == nullptr);
  CHECK(buried_.size() <= config_.max_buried);
  for (const auto& [node, entry] : table_) {
    if (started_) CHECK(schedule_.planned_at(node).has_value() != schedule_.is_probing(node));
    CHECK(!entry.up || entry.standing.was_reached());
    CHECK(usable(entry.endpoints, learned_from(entry)).size() == entry.endpoints.size());
  }
  for (const auto& node : dirty_) CHECK(table_.find(node) != nullptr && table_.find(node)->standing.was_reached());
  if (started_) CHECK((dirty_.empty() && erased_.empty()) || flush_at_.has_value());
}

}  // namespace ekiden::bootstrap
