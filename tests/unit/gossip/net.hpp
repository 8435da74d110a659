// A network of gossip engines without nodes: links come up when somebody wants them, messages take a while, and a link
// keeps their order. Time is virtual.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "gossip/gossip.hpp"
#include "support/identities.hpp"

namespace ekiden::gossip {

class Net {
 public:
  struct Member {
    identity::Identity self;
    Bytes record;
    std::unique_ptr<Gossip> engine = {};
    std::set<std::size_t> wants = {};
    std::set<std::size_t> links = {};
    std::vector<Delivered> delivered = {};
    std::map<PublishId, Result<Publication>> published = {};
    std::vector<std::string> misdeeds = {};
    std::vector<Heard> heard = {};
    std::vector<identity::PeerId> missed = {};
    std::set<TopicId> shown = {};
    bool up = true;
  };

  /// Messages that came to whom, by type.
  std::map<wire::MessageType, std::uint64_t> messages;
  std::uint64_t announced_ids = 0;
  /// Of a message on its way: false drops it.
  std::function<bool(std::size_t from, std::size_t to, ByteView message)> passes;

  explicit Net(std::size_t count, Config config = {}, Byte seed = 1) : config_(config), rng_(test::make_rng(seed)) {
    for (std::size_t i = 0; i < count; ++i) {
      ByteArray<32> key{};
      put_be(MutableBytes(key).first(8), std::uint64_t{i} + 1);
      identity::Identity self{crypto::Ed25519Seed(key)};
      Bytes record = test::make_record(self);
      index_.emplace(self.id(), i);
      members_.push_back(std::make_unique<Member>(Member{.self = std::move(self), .record = std::move(record)}));
      start(i);
    }
  }

  Member& operator[](std::size_t i) { return *members_[i]; }
  std::size_t size() const { return members_.size(); }
  Gossip& engine(std::size_t i) { return *members_[i]->engine; }
  const identity::PeerId& id(std::size_t i) const { return members_[i]->self.id(); }
  Now now() const { return {now_, test::kWall}; }

  void subscribe(std::size_t i, const std::string& topic) {
    Effects out;
    CHECK(engine(i).subscribe(now(), topic, out).has_value());
    run(i, out);
  }
  void publish(std::size_t i, const std::string& topic, std::string_view text, const std::string& realm = {}) {
    Effects out;
    engine(i).publish(now(), PublishId{++publications_}, topic, as_bytes(text), out, realm);
    run(i, out);
  }
  /// Whatever else the engine takes.
  template <class What>
  void act(std::size_t i, What what) {
    Effects out;
    what(engine(i), out);
    run(i, out);
  }
  /// As a link brings it: the body of a message of this type.
  Status receive(std::size_t to, std::size_t from, wire::MessageType type, ByteView body) {
    Effects out;
    Status done = engine(to).on_message(now(), id(from), type, body, out);
    run(to, out);
    return done;
  }

  /// The process is gone, with all that it knew.
  void crash(std::size_t i) {
    members_[i]->up = false;
    members_[i]->engine.reset();
    due_.cancel(i);
    members_[i]->wants.clear();
    for (const std::size_t other : std::exchange(members_[i]->links, {})) cut(other, i);
  }
  void restart(std::size_t i) {
    members_[i]->up = true;
    start(i);
  }

  /// The first half of the members and the others do not hear each other any more, and all know that.
  void split() {
    is_split_ = is_cut_ = true;
    for (std::size_t i = 0; i < size(); ++i) {
      for (const std::size_t other : std::set(members_[i]->links)) {
        if (!are_together(i, other)) cut(i, other);
      }
    }
  }
  /// They can, and all notice.
  void heal() {
    is_cut_ = false;
    for (std::size_t i = 0; i < size(); ++i) act(i, [&](Gossip& gossip, Effects& out) { gossip.reunite(now(), out); });
  }
  void be_whole() { is_split_ = false; }

  void run_for(Duration time) {
    const Instant end = now_ + time;
    while (true) {
      std::optional<Instant> next;
      if (!events_.empty()) next = events_.begin()->first.first;
      next = earlier(next, due_.earliest());
      if (!next || *next > end) break;
      now_ = std::max(now_, *next);
      if (!events_.empty() && events_.begin()->first.first <= now_) {
        const auto event = std::move(events_.extract(events_.begin()).mapped());
        event();
        continue;
      }
      if (const auto i = due_.pop_due(now_)) {
        Effects out;
        engine(*i).on_deadline(now(), out);
        run(*i, out);
      }
    }
    now_ = end;
  }

  void check_invariants() const {
    for (const auto& member : members_) {
      if (member->up) member->engine->check_invariants();
    }
  }
  TopicStatus status(std::size_t i) {
    const auto topics = engine(i).topics();
    return topics.empty() ? TopicStatus{} : topics.front();
  }

 private:
  void start(std::size_t i) {
    Member& member = *members_[i];
    member.engine = std::make_unique<Gossip>(
        member.self, config_, rng_.split(),
        [this, i](const identity::PeerId& peer) {
          const auto found = index_.find(peer);
          const bool knows =
              found != index_.end() && (found->second == i || members_[i]->links.contains(found->second));
          return knows ? ByteView(members_[found->second]->record) : ByteView();
        },
        [this, i](const identity::PeerId& peer) { return is_split_ && !are_together(i, index_.at(peer)); });
    Effects out;
    member.engine->start(now(), ++runs_, out);
    run(i, out);
  }

  bool are_together(std::size_t a, std::size_t b) const { return (a < size() / 2) == (b < size() / 2); }

  void run(std::size_t i, Effects& out) {
    out.drain([&](Effect&& effect) {
      std::visit(Overloaded{
                     [&](const Transmit& transmit) { send(i, index_.at(transmit.to), transmit.message); },
                     [&](const Want& want) { on_want(i, want); },
                     [&](const Met&) {},
                     [&](const FindMembers& find) { on_find(i, find.topic); },
                     [&](const ShowMember& show) {
                       if (show.shown) {
                         members_[i]->shown.insert(show.topic);
                       } else {
                         members_[i]->shown.erase(show.topic);
                       }
                     },
                     [&](Delivered& delivered) { members_[i]->delivered.push_back(std::move(delivered)); },
                     [&](const Heard& heard) { members_[i]->heard.push_back(heard); },
                     [&](const Missing& missing) { members_[i]->missed.push_back(missing.publisher); },
                     [&](Published& published) { members_[i]->published.emplace(published.id, published.result); },
                     [&](Misbehaved& misbehaved) { members_[i]->misdeeds.push_back(std::move(misbehaved.what)); },
                 },
                 effect);
    });
    if (members_[i]->up) {
      if (++runs_since_check_ % 64 == 0) engine(i).check_invariants();
      const auto due = engine(i).deadline();
      if (due) {
        due_.set(i, *due);
      } else {
        due_.cancel(i);
      }
    }
  }

  void at(Duration after, std::function<void()> what) {
    events_.emplace(std::pair(now_ + after, ++order_), std::move(what));
  }
  Duration latency() { return rng_.between(milliseconds(10), milliseconds(50)); }
  /// Of the way from one to the other, always the same: messages of a link keep their order.
  Duration latency(std::size_t from, std::size_t to) {
    const auto [known, fresh] = latencies_.try_emplace(std::minmax(from, to));
    if (fresh) known->second = latency();
    return known->second;
  }

  void send(std::size_t from, std::size_t to, std::shared_ptr<const Bytes> message) {
    if (!members_[from]->links.contains(to) || (passes && !passes(from, to, *message))) return;
    at(latency(from, to), [this, from, to, message = std::move(message)] {
      if (!members_[to]->up || !members_[to]->links.contains(from)) return;
      const auto type = static_cast<wire::MessageType>(message->front());
      ++messages[type];
      const Status done = receive(to, from, type, ByteView(*message).subspan(1));
      CHECK(done.has_value());
    });
  }

  void on_want(std::size_t i, const Want& want) {
    const std::size_t other = index_.at(want.peer);
    if (!want.wanted) {
      members_[i]->wants.erase(other);
      return;
    }
    members_[i]->wants.insert(other);
    if (members_[i]->links.contains(other)) return;
    at(3 * latency(i, other), [this, i, other] { connect(i, other); });
  }

  void connect(std::size_t i, std::size_t other) {
    if (!members_[i]->up || !members_[i]->wants.contains(other) || members_[i]->links.contains(other)) return;
    Effects out;
    if (!members_[other]->up || (is_cut_ && !are_together(i, other))) {
      engine(i).on_unreachable(now(), id(other), out);
      return run(i, out);
    }
    members_[i]->links.insert(other);
    members_[other]->links.insert(i);
    engine(i).on_link_up(now(), id(other), out);
    run(i, out);
    engine(other).on_link_up(now(), id(i), out);
    run(other, out);
  }

  void cut(std::size_t i, std::size_t other) {
    at(latency(i, other), [this, i, other] {
      if (!members_[i]->up || members_[i]->links.erase(other) == 0) return;
      Effects out;
      engine(i).on_link_down(now(), id(other), out);
      run(i, out);
    });
  }

  /// As a search in the DHT would: some members, whoever they are.
  void on_find(std::size_t i, TopicId topic) {
    at(milliseconds(300), [this, i, topic] {
      if (!members_[i]->up) return;
      std::vector<identity::PeerId> found;
      for (std::size_t tries = 0; tries < 4 * size() && found.size() < 8; ++tries) {
        const auto other = rng_.below(size());
        if (other != i && members_[other]->shown.contains(topic)) found.push_back(id(other));
      }
      Effects out;
      engine(i).on_members(now(), topic, found, out);
      run(i, out);
    });
  }

  const Config config_;
  Rng rng_;
  Instant now_ = test::at(seconds(0)).mono;
  std::vector<std::unique_ptr<Member>> members_;
  std::map<identity::PeerId, std::size_t> index_;
  std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> events_;
  DeadlineMap<std::size_t> due_;
  std::uint64_t runs_since_check_ = 0;
  std::map<std::pair<std::size_t, std::size_t>, Duration> latencies_;
  bool is_split_ = false;
  bool is_cut_ = false;
  std::uint64_t order_ = 0;
  std::uint64_t runs_ = 0;
  std::uint64_t publications_ = 0;
};

}  // namespace ekiden::gossip
