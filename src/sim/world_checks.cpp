// The rules that hold at the end of a simulation, whatever happened in it.
#include <algorithm>
#include <utility>

#include "sim/world.hpp"

namespace ekiden::sim {

void World::check_end(Outcome& outcome) {
  if (ledger_.breaches().empty()) {
    ledger_.check_end(schedule_.now());
    check_left_over();
  }
  check_reached();
  check_liars();
  check_traitors();
  check_endpoints();
  check_failures();
  attack_->check(machines_, ledger_);
  outcome = this->outcome();
  check_searches(outcome);
  check_figures(outcome);
  check_broadcasts(outcome);
  check_registry(outcome);
  check_realm(outcome);
  check_split(outcome);
  check_steady(outcome);
}

/// A durable message that is not settled by now; its trace says where to look.
void World::check_outbox(const Machine& machine) {
  const auto trace = stuck(machine);
  if (!trace) return;
  ledger_.breach("host " + std::to_string(machine.host()) + " still has " + trace->id.text() + " to host " +
                 std::to_string(hosts_.at(trace->peer)) + " in its outbox at the end");
  for (const router::TraceStep& step : trace->steps) {
    ledger_.breach("  " + std::to_string(to_unix_ms(step.at)) + " " + step.what);
  }
}

void World::check_left_over() {
  // Receipts settle the senders' rows; takes settle the recipients' but for what later messages will confirm.
  for (const auto& machine : machines_) {
    if (machine->node() == nullptr) continue;
    const std::size_t untaken = machine->untaken();
    if (untaken != 0) {
      ledger_.breach("host " + std::to_string(machine->host()) + " still has " + std::to_string(untaken) +
                     " messages in its inbox at the end");
    }
    if (scenario_.workload.ttl > scenario_.duration + scenario_.expect.settle_max) check_outbox(*machine);
    machine->node()->check_invariants();
  }
}

void World::check_failures() {
  for (const auto& machine : machines_) {
    if (!machine->failure().empty()) ledger_.breach(machine->failure());
  }
}

void World::check_searches(Outcome& outcome) const {
  const Expectations& expect = scenario_.expect;
  const Searches::Totals& searches = outcome.searches;
  const auto breach = [&](std::string what) { outcome.breaches.push_back(std::move(what)); };
  if (scenario_.faults.lost_clocks > 0 && scenario_.discovery.searches > 0 && searches.amid_lost_clocks == 0) {
    breach("nobody searched while clocks were wrong");
  }
  if (searches.found_ppm() < expect.found_ppm_min) {
    breach(std::to_string(searches.found) + " of " + std::to_string(searches.begun) +
           " searches found the record that there is");
  }
  if (scenario_.discovery.searches != 0 && searches.begun < scenario_.discovery.searches / 10) {
    breach("only " + std::to_string(searches.begun) + " searches were made: the scenario proves nothing");
  }
  const Searches::Totals& owners = outcome.searches_of_owners;
  if (scenario_.discovery.capabilities != 0 && owners.begun < scenario_.discovery.searches / 10) {
    breach("only " + std::to_string(owners.begun) +
           " searches for capabilities were made: the scenario proves nothing");
  }
  if (owners.begun != 0 && owners.found_ppm() < expect.found_ppm_min) {
    breach(std::to_string(owners.found) + " of " + std::to_string(owners.begun) +
           " searches found somebody who offers the capability");
  }
  const Searches::Totals& gone = outcome.searches_of_gone;
  if (gone.begun < scenario_.discovery.searches_of_gone / 10) {
    breach("only " + std::to_string(gone.begun) + " searches were made for those who are gone");
  }
  if (gone.begun != 0 && gone.found_ppm() < expect.found_ppm_min) {
    breach(std::to_string(gone.found) + " of " + std::to_string(gone.begun) +
           " searches found the record of somebody who is gone");
  }
  if (searches.median > expect.search_median_max) breach("the median of the searches took longer than its bound");
  if (searches.p99 > expect.search_p99_max) breach("the 99th percentile of the searches took longer than its bound");
  if (searches.p99 > searches.p99_bound(expect.search_p99_percent_max, expect.search_p99_spared)) {
    breach("the 99th percentile of the searches took more than " + std::to_string(expect.search_p99_percent_max) +
           " percent of their median");
  }
}

void World::check_figures(Outcome& outcome) const {
  const Expectations& expect = scenario_.expect;
  const auto breach = [&](std::string what) { outcome.breaches.push_back(std::move(what)); };
  const Questions& questions = outcome.questions;
  if (questions.under_way() != 0) breach(std::to_string(questions.under_way()) + " questions never ended");
  if (questions.answered_ppm() < expect.answered_ppm_min) {
    breach(std::to_string(questions.answered) + " of " + std::to_string(questions.asked) + " questions were answered");
  }
  if (scenario_.workload.questions != 0 && questions.asked < scenario_.workload.questions / 10) {
    breach("only " + std::to_string(questions.asked) + " questions were put: the scenario proves nothing");
  }
  if (outcome.totals.latency_p99 > expect.latency_p99_max) {
    breach("the 99th percentile of the latency is over its bound");
  }
  if (outcome.totals.relayed < expect.relayed_min) {
    breach("only " + std::to_string(outcome.totals.relayed) +
           " messages came through relays: the scenario proves nothing");
  }
  if (ledger_.blocked_pairs() < expect.blocked_min) {
    breach("only " + std::to_string(ledger_.blocked_pairs()) + " strangers were blocked: the scenario proves nothing");
  }
  if (outcome.totals.deposited < expect.deposited_min) {
    breach("only " + std::to_string(outcome.totals.deposited) +
           " messages lay in mailboxes: the scenario proves nothing");
  }
  if (expect.copies_mean_max != 0 && outcome.totals.copies * 1000 > outcome.totals.deposited * expect.copies_mean_max) {
    breach(std::to_string(outcome.totals.copies) + " copies of " + std::to_string(outcome.totals.deposited) +
           " messages lay in mailboxes");
  }
  if (outcome.totals.awaited < expect.awaited_min) {
    breach("only " + std::to_string(outcome.totals.awaited) +
           " messages waited for their recipients to come back: the scenario proves nothing");
  }
  if (outcome.totals.awaited_soon * 1'000'000 < outcome.totals.awaited * expect.awaited_soon_ppm_min) {
    breach(std::to_string(outcome.totals.awaited - outcome.totals.awaited_soon) + " of " +
           std::to_string(outcome.totals.awaited) + " messages came late after the return of their recipients");
  }
  if (expect.hop_bytes_percent_max != 0 &&
      outcome.delivery_bytes * 100 > outcome.totals.hop_bytes * expect.hop_bytes_percent_max) {
    breach(std::to_string(outcome.delivery_bytes) + " bytes were sent to carry " +
           std::to_string(outcome.totals.hop_bytes) + " bytes over all hops");
  }
  const std::uint64_t per_message = outcome.wire_bytes / std::max<std::uint64_t>(1, outcome.totals.arrived);
  if (expect.bytes_per_message_max != 0 && per_message > expect.bytes_per_message_max) {
    breach(std::to_string(per_message) + " bytes on the wire for each message");
  }
}

void World::check_reached() {
  for (const auto& machine : machines_) {
    if (machine->node() == nullptr) continue;
    const auto nodes = machine->node()->bootstrap_status();
    const auto up = std::ranges::count_if(nodes, [this](const bootstrap::NodeStatus& node) {
      return node.up && hosts_.contains(node.node);  // A liar that answers is no help.
    });
    if (std::cmp_greater_equal(up, scenario_.expect.reached_min)) continue;
    ledger_.breach("host " + std::to_string(machine->host()) + " has reached only " + std::to_string(up) + " of " +
                   std::to_string(nodes.size()) + " nodes that it discovered");
  }
}

void World::check_liars() {
  const std::uint64_t lost = network_.dials_lost() / machines_.size();
  if (lost > scenario_.expect.lost_dials_max) {
    ledger_.breach(std::to_string(lost) + " dials of each node led nowhere");
  }
  for (const auto& liar : liars_) {
    if (liar->told() == 0) ledger_.breach("a liar was never asked for its list: the scenario proves nothing");
  }
}

}  // namespace ekiden::sim
