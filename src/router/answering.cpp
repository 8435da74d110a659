// Who answers.

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "crypto/hash.hpp"
#include "router/asks.hpp"

namespace ekiden::router {
namespace {

/// Offers that a refusal names: an answer is not many times as long as what it answers.
constexpr std::size_t kMostNamed = 16;

}  // namespace

MessageId reply_id(const Arrived& request, const identity::PeerId& self) {
  const crypto::Digest digest =
      crypto::sha256({as_bytes("ekiden reply 1"), request.id.bytes, request.from.bytes, self.bytes});
  MessageId id;
  std::copy_n(digest.bytes.begin(), id.bytes.size(), id.bytes.begin());
  id.bytes[6] = static_cast<Byte>((id.bytes[6] & 0x0f) | 0x40);
  id.bytes[8] = static_cast<Byte>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

Duration Asks::time_left(Now now, const Arrived& message) {
  const WallTime until = message.received + (message.expires - message.sent);
  return std::clamp<milliseconds>(until - now.wall, milliseconds(0), milliseconds(kMaxTtlMs));
}

Draft Asks::reply_to(Now now, const Arrived& message, Response response, const identity::PeerId& self) {
  Draft draft;
  draft.to = message.from;
  draft.type = std::move(response.type);
  draft.content_type = std::move(response.content_type);
  draft.in_reply_to = message.id;
  draft.id = reply_id(message, self);
  draft.body = std::move(response.body);
  draft.ttl = std::max<Duration>(time_left(now, message), seconds(1));
  draft.priority = message.priority;
  draft.exchange =
      Exchange{.part = response.failed ? Exchange::Part::failure : Exchange::Part::reply, .capability = {}};
  return draft;
}

/// The one among our offers that a request is for: the one that it names, or the only one at or below that.
std::optional<std::string> Asks::offer_for(const std::string& capability) const {
  if (offers_.contains(capability)) return capability;
  std::optional<std::string> only;
  for (const std::string& offer : offers_) {
    if (!capability.empty() && !covers(offer, capability)) continue;
    if (only) return std::nullopt;
    only = offer;
  }
  return only;
}

std::string Asks::why_not(const std::string& capability) const {
  std::string fitting;
  std::size_t named = 0;
  for (const std::string& offer : offers_) {
    if (!capability.empty() && !covers(offer, capability)) continue;
    if (++named > kMostNamed) {
      fitting += ", …";
      break;
    }
    fitting += (fitting.empty() ? "" : ", ") + offer;
  }
  if (!fitting.empty()) return "it offers several of that kind; ask for one of them: " + fitting;
  return capability.empty() ? "it offers nothing now" : "it does not offer \"" + capability + "\" now";
}

bool Asks::on_arrival(Now now, const ArrivedPtr& message, AskEffects& out) {
  if (message->exchange->part != Exchange::Part::request) return on_reply(now, message, out);
  return on_request(now, message, out);
}

bool Asks::on_request(Now now, const ArrivedPtr& message, AskEffects& out) {
  const Duration left = time_left(now, *message);
  if (left <= Duration::zero()) {
    take(message->number, out);
    return true;
  }
  const auto offer = offer_for(message->exchange->capability);
  if (!offer) {
    refuse(now, *message, out);
    return true;
  }
  inbox_deadlines_.set(message->number, now.mono + left);
  requests_.insert_or_assign(message->number, Waiting{message, *offer});
  return false;
}

/// It is taken when the refusal is accepted, or cannot be.
void Asks::refuse(Now now, const Arrived& message, AskEffects& out) {
  const RequestId own = next_own();
  submissions_.emplace(own, OfRefusal{message.number});
  const std::string why = why_not(message.exchange->capability);
  out.push(SubmitOwn{own, reply_to(now, message,
                                   {.failed = true,
                                    .type = std::string(kNotOffered),
                                    .content_type = "text/plain",
                                    .body = to_bytes(as_bytes(why))},
                                   self_)});
}

void Asks::set_offers(Now now, std::set<std::string> offers, AskEffects& out) {
  offers_ = std::move(offers);
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, waiting] : requests_) numbers.push_back(number);
  for (const std::uint64_t number : numbers) find_home(now, number, out);
}

/// One that is being answered stays as it is.
void Asks::find_home(Now now, std::uint64_t number, AskEffects& out) {
  const auto entry = requests_.find(number);
  if (entry == requests_.end() || answering_.contains(number)) return;
  const ArrivedPtr message = entry->second.message;
  if (auto offer = offer_for(message->exchange->capability)) {
    entry->second.offer = std::move(*offer);
    return;
  }
  on_taken({number});
  refuse(now, *message, out);
}

void Asks::answer(Now now, RequestId request, const ArrivedPtr& request_message, Response response, AskEffects& out) {
  const auto refuse_with = [&](Errc code, std::string what) {
    out.push(AnswerDone{request, fail(code, std::move(what))});
  };
  if (request_message == nullptr) {
    return refuse_with(Errc::not_found, "there is no such request in the inbox: it is answered, or its time is over");
  }
  const Arrived& message = *request_message;
  if (!message.exchange || message.exchange->part != Exchange::Part::request) {
    return refuse_with(Errc::invalid_argument, "message " + std::to_string(message.number) + " asks for no answer");
  }
  if (!answering_.insert(message.number).second) {
    return refuse_with(Errc::busy, "request " + std::to_string(message.number) + " is being answered");
  }
  const RequestId own = next_own();
  Draft draft = reply_to(now, message, std::move(response), self_);
  submissions_.emplace(own, OfAnswer{request, message.number, *draft.id});
  out.push(SubmitOwn{own, std::move(draft)});
}

void Asks::on_taken(const std::vector<std::uint64_t>& numbers) {
  for (const std::uint64_t number : numbers) {
    requests_.erase(number);
    answering_.erase(number);
    inbox_deadlines_.cancel(number);
  }
}

void Asks::take(std::uint64_t number, AskEffects& out) {
  on_taken({number});
  out.push(TakeOwn{next_own(), {number}});
}

void Asks::on_take_done(RequestId own, AskEffects& out) {
  auto done = takes_.extract(own);
  if (!done.empty()) out.push(std::move(done.mapped()));
}

std::vector<ArrivedPtr> Asks::requests(std::string_view offer, std::uint64_t after, std::size_t limit) const {
  std::vector<ArrivedPtr> found;
  for (auto each = requests_.upper_bound(after); each != requests_.end() && found.size() < limit; ++each) {
    if (each->second.offer == offer) found.push_back(each->second.message);
  }
  return found;
}

}  // namespace ekiden::router
