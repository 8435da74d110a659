// The engine of questions under a script of commands, against its promises: every question and every message to a
// capability ends exactly once, so does every answer; in the end no link is wanted and nothing waits for anything. The
// model knows what was asked of the engine and what the engine has asked for, and nothing else.
#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>

#include "base/check.hpp"
#include "router/asks.hpp"

namespace {

using namespace ekiden;
using namespace ekiden::router;

constexpr std::size_t kPeers = 5;
constexpr const char* kCapabilities[] = {"", "ocr", "ocr/latin", "translate/ja-en"};

identity::PeerId peer(std::size_t i) {
  identity::PeerId id;
  id.bytes[0] = static_cast<Byte>(1 + i % kPeers);
  return id;
}

class Script {
 public:
  explicit Script(ByteView bytes) : bytes_(bytes) {}
  bool is_over() const { return bytes_.empty(); }
  std::size_t next() {
    if (bytes_.empty()) return 0;
    const std::size_t value = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return value;
  }
  std::string capability() { return kCapabilities[next() % std::size(kCapabilities)]; }

 private:
  ByteView bytes_;
};

class Play {
 public:
  explicit Play(ByteView bytes) : script_(bytes) {}

  void run() {
    while (!script_.is_over()) {
      step(script_.next());
      drain();
      asks_.check_invariants();
    }
    end();
  }

 private:
  void step(std::size_t command) {
    switch (command % 14) {
      case 0:
        return ask();
      case 1:
        return place();
      case 2:
        return arrive_request();
      case 3:
        return arrive_reply();
      case 4:
        return answer();
      case 5:
        return offer();
      case 6:
      case 7:
        return asks_.on_link_up(now_, peer(script_.next()), out_);
      case 8:
        return asks_.on_link_down(peer(script_.next()));
      case 9:
        return asks_.on_unreachable(now_, peer(script_.next()), out_);
      case 10:
        return finish_search(script_.next());
      case 11:
        return finish_submission(script_.next());
      case 12:
        return finish_take();
      default:
        return advance(milliseconds(50 * script_.next()));
    }
  }

  std::vector<Candidate> candidates() {
    std::vector<Candidate> found;
    for (std::size_t count = script_.next() % 4; count > 0; --count) {
      found.push_back({.peer = peer(script_.next()), .capability = "ocr"});
    }
    return found;
  }

  void ask() {
    Question question{.capability = script_.capability(), .timeout = milliseconds(100 * script_.next())};
    if (script_.next() % 2 == 0) question.to = peer(script_.next());
    const RequestId request{++requests_};
    CHECK(waiting_.insert(request).second);
    auto neighbours = question.to ? std::vector<Candidate>{} : candidates();
    asks_.ask(now_, request, std::move(question), std::move(neighbours), out_);
  }

  void place() {
    const RequestId request{++requests_};
    CHECK(waiting_.insert(request).second);
    asks_.place(now_, request, {}, script_.capability(), candidates(), out_);
  }

  void arrive_request() {
    auto message = std::make_shared<Arrived>();
    message->number = ++arrivals_;
    message->id.bytes[15] = static_cast<Byte>(arrivals_);
    message->from = peer(script_.next());
    message->sent = message->received = now_.wall;
    message->expires = now_.wall + milliseconds(100 * script_.next());
    message->exchange = Exchange{Exchange::Part::request, script_.capability()};
    inbox_.push_back(message);
    static_cast<void>(asks_.on_arrival(now_, message, out_));
  }

  void arrive_reply() {
    auto message = std::make_shared<Arrived>();
    message->number = ++arrivals_;
    message->from = peer(script_.next());
    message->sent = message->received = now_.wall;
    message->expires = now_.wall + seconds(5);
    if (!sent_.empty()) {
      const Draft& draft = sent_[script_.next() % sent_.size()];
      message->in_reply_to = draft.id;
      if (script_.next() % 4 != 0) message->from = draft.to;
    }
    const bool failed = script_.next() % 2 == 0;
    message->exchange = Exchange{failed ? Exchange::Part::failure : Exchange::Part::reply, ""};
    if (failed && script_.next() % 2 == 0) message->type = kNotOffered;
    static_cast<void>(asks_.on_arrival(now_, message, out_));
  }

  void answer() {
    const RequestId request{++requests_};
    CHECK(waiting_.insert(request).second);
    const ArrivedPtr message = inbox_.empty() ? nullptr : inbox_[script_.next() % inbox_.size()];
    asks_.answer(now_, request, message, {}, out_);
  }

  void offer() {
    std::set<std::string> offers;
    const std::size_t mask = script_.next();
    for (std::size_t i = 1; i < std::size(kCapabilities); ++i) {
      if ((mask >> i & 1) != 0) offers.insert(kCapabilities[i]);
    }
    asks_.set_offers(now_, std::move(offers), out_);
  }

  void finish_search(std::size_t how) {
    if (searches_.empty()) return;
    const AskId id = searches_.front();
    searches_.pop_front();
    if (how % 3 == 0) return asks_.on_owners(now_, id, fail(Errc::unreachable, "no node answers"), out_);
    asks_.on_owners(now_, id, candidates(), out_);
  }

  void finish_submission(std::size_t how) {
    if (submissions_.empty()) return;
    const auto [request, draft] = submissions_.front();
    submissions_.pop_front();
    if (how % 5 == 0) return asks_.on_submitted(now_, request, fail(Errc::limit_exceeded, "full"), out_);
    if (how % 5 == 1) return asks_.on_submitted(now_, request, fail(Errc::already_exists, "another"), out_);
    if (draft.exchange && draft.exchange->part == Exchange::Part::request) sent_.push_back(draft);
    asks_.on_submitted(now_, request, draft.id.value_or(MessageId{}), out_);
    if (draft.id && how % 2 == 0) asks_.on_state(*draft.id, MessageState::delivered);
  }

  void finish_take() {
    if (takes_.empty()) return;
    const RequestId request = takes_.front();
    takes_.pop_front();
    asks_.on_take_done(request, out_);
  }

  void advance(Duration by) {
    now_.mono += by;
    now_.wall += std::chrono::duration_cast<milliseconds>(by);
    if (const auto at = asks_.deadline(); at && *at <= now_.mono) asks_.on_deadline(now_, out_);
  }

  void done(RequestId request) { CHECK(waiting_.erase(request) == 1); }

  void drain() {
    const auto visit = Overloaded{
        [&](const FindOwners& search) { searches_.push_back(search.id); },
        [&](const Reach& reach) {
          CHECK(reach.wanted ? reaching_.insert(reach.peer).second : reaching_.erase(reach.peer) == 1);
        },
        [&](const SubmitOwn& own) { submissions_.emplace_back(own.request, own.draft); },
        [&](const TakeOwn& own) { takes_.push_back(own.request); },
        [&](const Answered& answered) { done(answered.request); },
        [&](const Placed& placed) { done(placed.request); },
        [&](const AnswerDone& answered) { done(answered.request); },
    };
    out_.drain([&](AskEffect&& effect) { std::visit(visit, effect); });
  }

  /// Everything that was asked for comes, and all time passes.
  void end() {
    for (int round = 0; round < 64; ++round) {
      while (!searches_.empty() || !submissions_.empty() || !takes_.empty()) {
        finish_search(1);
        drain();
        finish_submission(2);
        drain();
        finish_take();
        drain();
      }
      advance(minutes(2));
      drain();
      asks_.check_invariants();
    }
    CHECK(waiting_.empty() && reaching_.empty());
    CHECK(asks_.questions() == 0 && asks_.waiting_requests() == 0 && !asks_.deadline());
  }

  Script script_;
  Asks asks_{identity::PeerId{}, Rng{Rng::Seed{1}}};
  AskEffects out_;
  Now now_{Instant(seconds(1)), WallTime(milliseconds(1'767'225'600'000))};
  std::uint64_t requests_ = 0;
  std::uint64_t arrivals_ = 0;
  std::set<RequestId> waiting_;
  std::set<identity::PeerId> reaching_;
  std::deque<AskId> searches_;
  std::deque<std::pair<RequestId, Draft>> submissions_;
  std::deque<RequestId> takes_;
  std::vector<Draft> sent_;
  std::vector<ArrivedPtr> inbox_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMaxScript = 4096;
  Play(ByteView(data, size < kMaxScript ? size : kMaxScript)).run();
  return 0;
}
