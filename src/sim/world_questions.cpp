// The questions of a simulation: who asks whom, and whether the answer is that of the question.
//
// Rules: every question ends once, and no later than its time allows; an answer is the one that belongs to it.
#include <algorithm>
#include <utility>

#include "sim/world.hpp"

namespace ekiden::sim {

std::string World::service_of(HostIndex host) const {
  return "service/number-" + std::to_string(host % scenario_.workload.services);
}

void World::plan_questions() {
  if (scenario_.workload.questions != 0) ledger_.expect_questions();
  for (std::uint64_t i = 0; i < scenario_.workload.questions; ++i) {
    schedule_.after(rng_.between(Duration(0), scenario_.duration), [this] { put_question(); });
  }
}

void World::put_question() {
  Machine& from = any_machine();
  router::Question question;
  question.body.resize(8 + rng_.below(256));
  rng_.fill(question.body);
  question.timeout = scenario_.workload.question_timeout;
  if (rng_.chance(1, 2)) {
    question.to = any_contact(from).id();
  } else {
    question.capability = service_of(static_cast<HostIndex>(rng_.below(machines_.size())));
  }
  ++questions_.asked;
  const Bytes body = question.body;
  from.ask(std::move(question),
           [this, body](const node::Answered& answered, Duration took) { end_question(body, answered, took); });
}

void World::end_question(const Bytes& body, const node::Answered& answered, Duration took) {
  if (!answered.result && answered.result.error().code == Errc::closed) {
    --questions_.asked;
    return;
  }
  ++questions_.ended;
  if (took > scenario_.workload.question_timeout + seconds(1)) ledger_.breach("a question outlived its time");
  const router::Response expected = Machine::response_to(body);
  if (answered.result) {
    ++questions_.answered;
    if (expected.failed || answered.result->message->body != expected.body) {
      ledger_.breach("an answer is not that of its question");
    }
  } else if (answered.result.error().code == Errc::failed) {
    if (expected.failed) ++questions_.answered;
  } else {
    ++questions_.timed_out;
  }
}

}  // namespace ekiden::sim
