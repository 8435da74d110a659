// Who asks.

#include "router/asks.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "base/encoding.hpp"

namespace ekiden::router {
namespace {

std::string seconds_text(Duration duration) {
  const auto ms = std::chrono::duration_cast<milliseconds>(duration).count();
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

/// What a failure says, fit to stand in an error.
std::string failure_text(const Arrived& failure, std::size_t max_size) {
  ByteView body(failure.body);
  if (body.size() > max_size) body = body.last(max_size);
  if (!body.empty() && is_utf8(body)) return std::string(as_text(body));
  return failure.type.empty() ? "it does not say why" : failure.type;
}

Status check_question(const Question& question, const identity::PeerId& self) {
  if (!question.to && question.capability.empty()) {
    return fail(Errc::invalid_argument, "a question needs a peer or a capability");
  }
  if (question.to == self) return fail(Errc::invalid_argument, "a node does not ask itself");
  if (!question.capability.empty() && !identity::is_capability(question.capability)) {
    return fail(Errc::invalid_argument, "that is no capability: one is like translate/ja-en");
  }
  if (question.timeout <= Duration::zero() || question.timeout > kMaxAskTimeout) {
    return fail(Errc::invalid_argument, "the time for an answer must be positive, and at most an hour");
  }
  return {};
}

}  // namespace

void Asks::ask(Now now, RequestId request, Question question, std::vector<Candidate> neighbours, AskEffects& out) {
  auto valid = check_question(question, self_);
  if (valid && pending_.size() >= kMaxAsks) {
    valid = fail(Errc::limit_exceeded,
                 std::to_string(kMaxAsks) + " questions wait for their answers already; try again when some are over");
  }
  if (!valid) return out.push(Answered{request, question.to, std::unexpected(valid.error())});
  Pending pending{.request = request, .is_question = true, .began = now.mono, .timeout = question.timeout};
  pending.capability = std::move(question.capability);
  pending.draft.type = std::move(question.type);
  pending.draft.content_type = std::move(question.content_type);
  pending.draft.body = std::move(question.body);
  pending.draft.priority = question.priority;
  pending.is_choosing = !question.to;
  if (question.to) {
    pending.draft.to = *question.to;
    pending.offered = pending.capability;
  }
  begin(now, std::move(pending), std::move(neighbours), out);
}

void Asks::place(Now now, RequestId request, Draft draft, std::string capability, std::vector<Candidate> neighbours,
                 AskEffects& out) {
  if (!identity::is_capability(capability)) {
    return out.push(
        Placed{request, fail(Errc::invalid_argument, "that is no capability: one is like translate/ja-en")});
  }
  if (pending_.size() >= kMaxAsks) {
    return out.push(Placed{request, fail(Errc::limit_exceeded, "too many messages wait for a recipient to be chosen")});
  }
  Pending pending{.request = request, .is_choosing = true, .began = now.mono, .timeout = kMaxAskTimeout};
  pending.draft = std::move(draft);
  pending.capability = std::move(capability);
  begin(now, std::move(pending), std::move(neighbours), out);
}

void Asks::place_again(Now now, RequestId request, Draft draft, Candidate chosen, AskEffects& out) {
  Pending pending{.request = request, .began = now.mono, .timeout = kMaxAskTimeout};
  pending.linked = chooser_.is_linked(chosen.peer);
  pending.draft = std::move(draft);
  pending.draft.to = chosen.peer;
  pending.offered = std::move(chosen.capability);
  begin(now, std::move(pending), {}, out);
}

void Asks::begin(Now now, Pending pending, std::vector<Candidate> neighbours, AskEffects& out) {
  const AskId id{++last_id_};
  deadlines_.set(id, pending.began + pending.timeout);
  const Pending& kept = pending_.emplace(id, std::move(pending)).first->second;
  if (!kept.is_choosing) return submit(now, id, pending_.at(id), kept.draft.to, out);
  chooser_.begin(now, id, kept.capability, std::move(neighbours), out);
  run_choices(now, out);
}

void Asks::run_choices(Now now, AskEffects& out) {
  for (auto& [id, candidate, linked] : chooser_.take_chosen()) {
    Pending& pending = pending_.at(id);
    pending.is_choosing = false;
    if (!candidate) {
      end(now, id, std::unexpected(candidate.error()), out);
      continue;
    }
    pending.offered = candidate->capability;
    pending.linked = linked;
    submit(now, id, pending, candidate->peer, out);
  }
}

void Asks::submit(Now now, AskId id, Pending& pending, const identity::PeerId& to, AskEffects& out) {
  pending.draft.to = to;
  if (pending.is_question) {
    pending.draft.id = Uuid::random(rng_);
    pending.draft.exchange = Exchange{.part = Exchange::Part::request, .capability = pending.offered};
    pending.draft.ttl = std::max<Duration>(pending.began + pending.timeout - now.mono, milliseconds(1));
    pending.state = MessageState::queued;
    pending.sent = pending.draft.id;
    by_message_[*pending.sent] = id;
  }
  const RequestId own = next_own();
  submissions_.emplace(own, OfAsk{id});
  out.push(SubmitOwn{own, pending.draft});
}

void Asks::on_submitted(Now now, RequestId own, Result<MessageId> result, AskEffects& out) {
  const auto found = submissions_.extract(own);
  CHECK(!found.empty());
  const auto done = Overloaded{
      [&](const OfAsk& ask) {
        const auto entry = pending_.find(ask.id);
        if (entry == pending_.end()) return;
        const Pending& pending = entry->second;
        if (pending.is_question) {
          if (!result) end(now, ask.id, std::unexpected(result.error()), out);
          return;
        }
        Result<Placement> placed = std::unexpected(Error{});
        if (result) {
          placed = Placement{*result, pending.draft.to, pending.offered, pending.linked};
        } else {
          placed = std::unexpected(result.error());
        }
        out.push(Placed{pending.request, std::move(placed)});
        chooser_.end(ask.id, out);
        deadlines_.cancel(ask.id);
        pending_.erase(entry);
      },
      [&](const OfAnswer& answer) {
        // Other content under the same id: the answer that was accepted before a crash stands.
        if (!result && result.error().code != Errc::already_exists) {
          answering_.erase(answer.number);
          out.push(AnswerDone{answer.request, std::unexpected(result.error())});
          return find_home(now, answer.number, out);
        }
        const RequestId take_own = next_own();
        takes_.emplace(take_own, AnswerDone{answer.request, answer.reply});
        on_taken({answer.number});
        out.push(TakeOwn{take_own, {answer.number}});
      },
      [&](const OfRefusal& refusal) { take(refusal.number, out); },
  };
  std::visit(done, found.mapped());
}

void Asks::end(Now, AskId id, Result<Answer> result, AskEffects& out) {
  const auto entry = pending_.find(id);
  const Pending& pending = entry->second;
  if (pending.is_question) {
    const std::optional<identity::PeerId> to = pending.sent ? std::optional(pending.draft.to) : std::nullopt;
    out.push(Answered{pending.request, to, std::move(result)});
  } else {
    out.push(Placed{pending.request, std::unexpected(result.error())});
  }
  if (pending.sent) by_message_.erase(*pending.sent);
  chooser_.end(id, out);
  deadlines_.cancel(id);
  pending_.erase(entry);
}

void Asks::time_out(Now now, AskId id, AskEffects& out) {
  const Pending& pending = pending_.at(id);
  const std::string within = " within " + seconds_text(pending.timeout);
  std::string what;
  if (!pending.sent) {
    what = "nobody who offers \"" + pending.capability + "\" was found" + within;
  } else if (pending.state == MessageState::delivered) {
    what = "it has the request and did not answer" + within;
  } else {
    what = "it was not reached" + within;
  }
  if (pending.sent) chooser_.providers().on_failure(now, pending.draft.to);
  end(now, id, fail(Errc::timed_out, std::move(what)), out);
}

bool Asks::on_reply(Now now, const ArrivedPtr& message, AskEffects& out) {
  const auto asked = message->in_reply_to ? by_message_.find(*message->in_reply_to) : by_message_.end();
  if (asked == by_message_.end() || pending_.at(asked->second).draft.to != message->from) {
    inbox_deadlines_.set(message->number, now.mono + time_left(now, *message));
    return false;
  }
  const AskId id = asked->second;
  Pending& pending = pending_.at(id);
  take(message->number, out);
  const bool is_failure = message->exchange->part == Exchange::Part::failure;
  if (is_failure && message->type == kNotOffered && chooser_.knows(id)) {
    chooser_.providers().on_failure(now, message->from);
    by_message_.erase(asked);
    pending.sent.reset();
    pending.is_choosing = true;
    chooser_.again(now, id, message->from, out);
    run_choices(now, out);
    return true;
  }
  chooser_.providers().on_success(now, message->from);
  if (is_failure) {
    end(now, id, fail(Errc::failed, failure_text(*message, kMaxFailureText)), out);
  } else {
    end(now, id, Answer{*message->in_reply_to, pending.offered, message, now.mono - pending.began}, out);
  }
  return true;
}

void Asks::on_state(const MessageId& id, MessageState state) {
  const auto asked = by_message_.find(id);
  if (asked != by_message_.end()) pending_.at(asked->second).state = state;
}

void Asks::on_owners(Now now, AskId id, Result<std::vector<Candidate>> owners, AskEffects& out) {
  chooser_.on_owners(now, id, std::move(owners), out);
  run_choices(now, out);
}

void Asks::on_link_up(Now now, const identity::PeerId& peer, AskEffects& out) {
  chooser_.on_link_up(now, peer, out);
  run_choices(now, out);
}

void Asks::on_unreachable(Now now, const identity::PeerId& peer, AskEffects& out) {
  chooser_.on_unreachable(now, peer, out);
  run_choices(now, out);
}

std::optional<Instant> Asks::deadline() const {
  return earlier(chooser_.deadline(), earlier(deadlines_.earliest(), inbox_deadlines_.earliest()));
}

void Asks::on_deadline(Now now, AskEffects& out) {
  chooser_.on_deadline(now, out);
  run_choices(now, out);
  while (const auto id = deadlines_.pop_due(now.mono)) time_out(now, *id, out);
  while (const auto number = inbox_deadlines_.pop_due(now.mono)) take(*number, out);
}

void Asks::check_invariants() const {
  chooser_.check_invariants();
  std::size_t under_way = 0;
  for (const auto& [id, pending] : pending_) {
    CHECK(deadlines_.at(id).has_value());
    if (!pending.sent) continue;
    ++under_way;
    CHECK(by_message_.at(*pending.sent) == id);
  }
  CHECK(under_way == by_message_.size());
  CHECK(deadlines_.size() == pending_.size());
  for (const auto& [number, waiting] : requests_) {
    CHECK(number == waiting.message->number);
    CHECK(offers_.contains(waiting.offer) || answering_.contains(number));
    CHECK(inbox_deadlines_.at(number).has_value());
  }
}

}  // namespace ekiden::router
