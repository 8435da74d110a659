// A network of some hundred DHT nodes in memory, in virtual time: latency, loss with repetition, dead nodes, liars.
//
// The world plays the transport as dht.hpp describes it: the first query to a node is a first flight, a STORE needs a
// session first, sessions prove addresses, a query is tried three times and then fails. Liars are in league: they
// answer everything, know only each other, and tell forged, foreign and old values.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/check.hpp"
#include "base/deadline_map.hpp"
#include "dht/dht.hpp"
#include "dht/messages.hpp"
#include "store/memory_store.hpp"
#include "testing.hpp"

namespace ekiden::dht {

class World {
 public:
  struct Options {
    std::size_t loss_per_mille = 0;  ///< Of datagrams, in each direction.
    Config config;
    bool on_loopback = false;  ///< All nodes at one address, on ports of their own.
  };

  struct Node {
    Node(std::size_t number, const identity::Identity& self)
        : identity(self), info{self.public_key(), test_address(number)} {}

    identity::Identity identity;
    identity::NodeInfo info;
    std::unique_ptr<Dht> dht;  ///< None in a liar.
    Outbox<Dht::Effect> out;
    std::map<LookupId, LookupDone> done;
    std::vector<Published> published;
    std::size_t misbehaved_seen = 0;
    std::size_t joined = 0;
    store::MemoryStore disk;
    bool is_alive = true;
    std::set<std::size_t> sessions;  ///< With whom it has session keys as the one who asked.

    bool is_liar() const { return dht == nullptr; }
    identity::PeerId id() const { return identity.id(); }
  };

  World(std::uint64_t seed, Options options) : rng_(seed_of(seed)), options_(std::move(options)) {}

  Now now() const { return at(time_); }
  Node& node(std::size_t index) { return *nodes_[index]; }
  std::size_t size() const { return nodes_.size(); }
  Rng& rng() { return rng_; }

  /// A node that knows up to three of those that are there.
  std::size_t add() {
    const std::size_t index = add_stopped();
    Node& fresh = *nodes_[index];
    start(index);
    for (int i = 0; i < 3 && index > 0; ++i) {
      const std::size_t other = rng_.below(index);
      if (nodes_[other]->is_alive) fresh.dht->on_candidate(now(), nodes_[other]->info, fresh.out);
    }
    settle(index);
    return index;
  }

  /// One of the league. It gets itself known by asking around under session keys.
  std::size_t add_liar() {
    const std::size_t index = nodes_.size();
    nodes_.push_back(std::make_unique<Node>(index, test_identity(1000 + index)));
    by_key_[nodes_[index]->info.public_key] = index;
    liars_.push_back(index);
    for (std::size_t other = 0; other < index; ++other) {
      if (nodes_[other]->is_liar() || !nodes_[other]->is_alive) continue;
      nodes_[other]->dht->on_confirmed(now(), nodes_[index]->info, nodes_[other]->out);
      settle(other);
    }
    return index;
  }

  /// As add(), but starts with what is on the disk and nothing else.
  void restart(std::size_t index) {
    kill(index);
    nodes_[index]->is_alive = true;
    nodes_[index]->sessions.clear();
    start(index);
    settle(index);
  }

  void kill(std::size_t index) {
    nodes_[index]->is_alive = false;
    if (!nodes_[index]->is_liar())
      nodes_[index]->dht = std::make_unique<Dht>(nodes_[index]->id(), options_.config, rng_.split());
    deadlines_.cancel(index);
  }

  void run_for(Duration span) {
    const Duration end = time_ + span;
    while (true) {
      const auto due = deadlines_.earliest();
      const Instant next_event = events_.empty() ? at(end).mono : events_.begin()->first.first;
      const Instant next = due ? std::min(*due, next_event) : next_event;
      if (next >= at(end).mono) break;
      time_ = std::max(time_, next - at(Duration{}).mono);
      if (const auto index = deadlines_.pop_due(next)) {
        Node& node = *nodes_[*index];
        if (node.is_alive && !node.is_liar()) node.dht->on_deadline(now(), node.out);
        settle(*index);
        continue;
      }
      auto event = events_.extract(events_.begin());
      event.mapped()();
    }
    time_ = end;
  }

  Bytes publish(std::size_t index, std::uint64_t sequence) {
    Node& node = *nodes_[index];
    const Bytes record = dht::record_of(node.identity, sequence, now().wall);
    CHECK(node.dht->publish(now(), record, node.out).has_value());
    settle(index);
    records_[index] = record;
    return record;
  }

  /// What it has published last.
  const Bytes& record_of(std::size_t index) const { return records_.at(index); }

  void announce(std::size_t index, std::string capability, std::uint64_t sequence) {
    Node& node = *nodes_[index];
    const Bytes bytes = announcement_of(node.identity, std::move(capability), sequence, now().wall);
    CHECK(node.dht->announce(now(), bytes, node.out).has_value());
    settle(index);
  }

  void withdraw(std::size_t index, std::uint64_t sequence) {
    Node& node = *nodes_[index];
    const Bytes bytes = dht::record_of(node.identity, sequence, now().wall, seconds(1));
    CHECK(node.dht->withdraw(now(), bytes, node.out).has_value());
    settle(index);
  }

  void unannounce(std::size_t index, std::string capability, std::uint64_t sequence) {
    Node& node = *nodes_[index];
    const Bytes bytes = announcement_of(node.identity, std::move(capability), sequence, now().wall, seconds(1));
    CHECK(node.dht->unannounce(now(), bytes, node.out).has_value());
    settle(index);
  }

  /// Runs until the lookup is over.
  LookupDone find(std::size_t index, const identity::PeerId& peer) {
    const LookupId id{next_lookup_++};
    nodes_[index]->dht->find_peer(now(), id, peer, nodes_[index]->out);
    return finish(index, id);
  }

  LookupDone find(std::size_t index, std::string_view capability, std::size_t limit) {
    const LookupId id{next_lookup_++};
    nodes_[index]->dht->find_capability(now(), id, capability, limit, nodes_[index]->out);
    return finish(index, id);
  }

  /// Takes the effects of a node after an input from outside.
  void settle(std::size_t index) {
    Node& node = *nodes_[index];
    if (node.is_liar()) return;
    node.out.drain([&](Dht::Effect&& effect) {
      std::visit([&](auto&& one) { apply(index, std::move(one)); }, std::move(effect));
    });
    if (++inputs_ % 1024 == 0) node.dht->check_invariants();
    if (!node.is_alive) return;
    if (const auto due = node.dht->deadline()) {
      deadlines_.set(index, *due);
    } else {
      deadlines_.cancel(index);
    }
  }

  /// A node of the honest that is alive.
  std::size_t random_honest() {
    while (true) {
      const std::size_t index = rng_.below(nodes_.size());
      if (nodes_[index]->is_alive && !nodes_[index]->is_liar()) return index;
    }
  }

  std::size_t queries() const { return queries_; }
  std::size_t largest_body() const { return largest_body_; }
  /// Records of which liars tell old and forged versions.
  void give_to_liars(const identity::PeerId& peer, Bytes old_record) {
    old_records_[Key::of(peer)] = std::move(old_record);
  }

 private:
  std::size_t add_stopped() {
    const std::size_t index = nodes_.size();
    nodes_.push_back(std::make_unique<Node>(index, test_identity(1000 + index)));
    by_key_[nodes_[index]->info.public_key] = index;
    if (options_.on_loopback) {
      nodes_[index]->info.at = {.ip = identity::IpAddress::v4({127, 0, 0, 1}),
                                .port = static_cast<std::uint16_t>(10'000 + index)};
    }
    return index;
  }

  void start(std::size_t index) {
    Node& node = *nodes_[index];
    node.dht = std::make_unique<Dht>(node.id(), options_.config, rng_.split());
    CHECK(node.dht->load(node.disk.rows()).has_value());
    node.dht->start(now(), node.out);
  }

  LookupDone finish(std::size_t index, LookupId id) {
    settle(index);
    auto& done = nodes_[index]->done;
    for (int i = 0; i < 2000 && !done.contains(id); ++i) run_for(milliseconds(100));
    CHECK(done.contains(id));
    return std::move(done.extract(id).mapped());
  }

  void later(Duration delay, std::function<void()> what) {
    events_.emplace(std::pair(at(time_ + delay).mono, next_event_++), std::move(what));
  }

  bool is_lost() { return rng_.below(1000) < options_.loss_per_mille; }
  Duration latency() { return rng_.between(milliseconds(5), milliseconds(60)); }

  void apply(std::size_t from, Ask&& ask) {
    ++queries_;
    largest_body_ = std::max(largest_body_, ask.body.size());
    const auto found = by_key_.find(ask.to.public_key);
    const bool is_there = found != by_key_.end() && nodes_[found->second]->info.at == ask.to.at;
    Duration delay{};
    int tries = 0;
    while (tries < 3 && (is_lost() || is_lost())) {
      delay += milliseconds(500 << tries);
      ++tries;
    }
    if (!is_there || tries == 3) {
      later(milliseconds(3500), [this, from, id = ask.id] { fail(from, id); });
      return;
    }
    const std::size_t to = found->second;
    const bool proven = nodes_[from]->sessions.contains(to);
    if (!proven && !ask.first_flight_allowed) delay += 2 * latency();  // A handshake of its own.
    const bool is_proven = proven || !ask.first_flight_allowed;
    later(delay + latency(), [this, from, to, is_proven, ask = std::move(ask)] { deliver(from, to, is_proven, ask); });
  }

  void fail(std::size_t index, QueryId id) {
    Node& node = *nodes_[index];
    if (!node.is_alive) return;
    node.dht->on_failed(now(), id, {Errc::timed_out, "no answer"}, node.out);
    settle(index);
  }

  void deliver(std::size_t from, std::size_t to, bool proven, const Ask& ask) {
    Node& node = *nodes_[to];
    if (!node.is_alive) return later(milliseconds(3000), [this, from, id = ask.id] { fail(from, id); });
    if (node.is_liar()) return reply(from, to, ask.id, lie(ask.body));
    const QueryToken token{next_token_++};
    asked_[token] = {.by = from, .id = ask.id};
    node.dht->on_query(now(), token, nodes_[from]->info, proven, ask.body, node.out);
    settle(to);
    if (asked_.erase(token) > 0) later(milliseconds(3000), [this, from, id = ask.id] { fail(from, id); });
  }

  void apply(std::size_t from, Answer&& answer) {
    largest_body_ = std::max(largest_body_, answer.body.size());
    const auto asked = asked_.extract(answer.token);
    CHECK(!asked.empty());
    reply(asked.mapped().by, from, asked.mapped().id, std::move(answer.body));
  }

  void reply(std::size_t to, std::size_t from, QueryId id, Bytes body) {
    later(latency(), [this, to, from, id, body = std::move(body)] {
      Node& node = *nodes_[to];
      if (!node.is_alive) return;
      node.sessions.insert(from);
      node.dht->on_answer(now(), id, body, node.out);
      node.dht->on_confirmed(now(), nodes_[from]->info, node.out);
      settle(to);
    });
  }

  /// The closest of the league, and a value that is forged, somebody else's, or out of date.
  Bytes lie(ByteView body) {
    const auto query = decode_query(body);
    CHECK(query.has_value());
    NodePacker packer;
    Reply reply;
    Bytes value;
    if (query->target) {
      std::vector<std::size_t> league = liars_;
      std::ranges::sort(league, {}, [&](std::size_t i) { return distance(*query->target, nodes_[i]->id()); });
      for (std::size_t i = 0; i < std::min<std::size_t>(league.size(), 20); ++i) packer.add(nodes_[league[i]]->info);
      const auto old = old_records_.find(*query->target);
      if (query->kind == QueryKind::find_value && old != old_records_.end()) {
        value = old->second;
        const auto how = rng_.below(3);
        if (how == 0) value[value.size() / 2] ^= 1;
        if (how == 1) value = dht::record_of(nodes_[liars_[0]]->identity, 99, now().wall);
        reply.values.push_back(value);
      }
    }
    reply.nodes4 = packer.nodes4();
    return wire::encode(reply);
  }

  void apply(std::size_t index, LookupDone&& done) { nodes_[index]->done.emplace(done.id, std::move(done)); }
  void apply(std::size_t index, Published&& published) { nodes_[index]->published.push_back(std::move(published)); }
  void apply(std::size_t /*index*/, SignAgain&& /*again*/) {}
  void apply(std::size_t index, Joined&& /*joined*/) { ++nodes_[index]->joined; }
  void apply(std::size_t /*index*/, Observed&& /*address*/) {}
  void apply(std::size_t index, Misbehaved&& /*peer*/) { ++nodes_[index]->misbehaved_seen; }
  void apply(std::size_t index, Write&& write) { nodes_[index]->disk.apply(write.batch); }

  struct Asked {
    std::size_t by;
    QueryId id;
  };

  Rng rng_;
  Options options_;
  Duration time_{};
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::size_t> liars_;
  std::map<Key, Bytes> old_records_;
  std::map<std::size_t, Bytes> records_;
  std::map<crypto::Ed25519PublicKey, std::size_t> by_key_;
  std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> events_;
  DeadlineMap<std::size_t> deadlines_;
  std::map<QueryToken, Asked> asked_;
  std::uint64_t next_event_ = 0;
  std::uint64_t next_token_ = 0;
  std::uint64_t next_lookup_ = 0;
  std::size_t queries_ = 0;
  std::size_t inputs_ = 0;
  std::size_t largest_body_ = 0;
};

}  // namespace ekiden::dht
