// One engine under a script: candidates, confirmations, queries true and false, answers honest and not, failures, time,
// searches and publications. CHECKs what dht.hpp promises after each command, with a model that is told the same and
// keeps only sets.
//
// What the model knows: which nodes have answered and which were confirmed, and where; which values are genuine; which
// queries wait for an answer. From it follow: who may be in the table, what a search may return, that each search ends
// once, that a first flight changes nothing, that no address is asked which others may not name. What is kept for
// others has a model of its own (values_model.hpp).
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "base/check.hpp"
#include "dht/dht.hpp"
#include "dht/messages.hpp"
#include "dht/rows.hpp"
#include "store/memory_store.hpp"
#include "testing.hpp"
#include "values_model.hpp"

namespace ekiden::dht {

class Play {
 public:
  static constexpr std::size_t kPeers = 24;

  explicit Play(Byte setting)
      : config_(make_config(setting)),
        self_(cast()[0].identity.id()),
        kept_(self_, config_, /*is_exact=*/setting % 2 == 0) {
    begin();
  }

  /// Any three bytes are a command.
  void run(Byte what, Byte a, Byte b) {
    time_ += milliseconds(1);
    switch (what % 16) {
      case 0:
        return candidate(a);
      case 1:
        return confirm(a);
      case 2:
        return query(a, b, what / 16);
      case 3:
        return what / 16 < 11 ? query(a, b, what / 16) : withdraw_by_owner(a, b);
      case 4:
      case 5:
      case 6:
        return answer(a, b, what / 16);
      case 7:
        return answer_badly(a, b);
      case 8:
        return fail(a);
      case 9:
        return pass(milliseconds(std::size_t{a} * 256 + b));
      case 10:
        return pass(minutes(a % 64));
      case 11:
        return find(a, b);
      case 12:
        return publish(a, b);
      case 13:
        if (what / 16 == 0) return restart();
        return what / 16 < 12 ? pass(seconds(a)) : pass(hours(a % 16));
      case 14:
        return answer_all(a);
      default:
        return query_badly(a, b);
    }
  }

  /// The network goes silent: everything that was begun ends.
  void finish() {
    while (!waiting_.empty()) fail(0);
    for (int i = 0; i < 400 && !searching_.empty(); ++i) {
      pass(seconds(1));
      while (!waiting_.empty()) fail(0);
    }
    CHECK(searching_.empty());
  }

 private:
  struct Peer {
    identity::Identity identity;
    identity::NodeInfo info;
    std::vector<Bytes> records;        ///< Genuine, of the sequences 2, 4 and 6; then others of the same.
    std::vector<Bytes> announcements;  ///< The same, of "work/night".
  };

  static Config make_config(Byte setting) {
    Config config;
    if (setting % 2 == 1) {
      config.k = 3;
      config.quorum = 2;
      config.spares = 2;
      config.max_lookup_nodes = 12;
      config.max_values = 6;
    }
    if (setting / 2 % 2 == 1) config.allow_special_addresses = true;
    config.max_lookups = 4;
    config.max_candidates = 8;
    config.max_introductions = 8;
    config.max_stores_waiting = 12;
    config.max_remembered = 6;
    return config;
  }

  /// Made once: keys and signatures cost more than all the rest. The first is the engine's own.
  static const std::vector<Peer>& cast() {
    static const std::vector<Peer> kCast = [] {
      std::vector<Peer> peers;
      for (std::size_t i = 0; i < kPeers; ++i) {
        Peer peer{.identity = test_identity(i + 1), .info = {}, .records = {}, .announcements = {}};
        peer.info = {.public_key = peer.identity.public_key(), .at = test_address(i % 16, static_cast<Byte>(i))};
        if (i % 6 == 5) peer.info.at.ip = identity::IpAddress::v4({192, 168, 1, static_cast<Byte>(i)});
        for (const Duration later : {seconds(0), seconds(1)}) {
          for (std::uint64_t sequence = 2; sequence <= 6; sequence += 2) {
            const WallTime issued = at(later).wall;
            peer.records.push_back(record_of(peer.identity, sequence, issued));
            peer.announcements.push_back(announcement_of(peer.identity, "work/night", sequence, issued));
          }
        }
        peers.push_back(std::move(peer));
      }
      return peers;
    }();
    return kCast;
  }

  static const Peer& peer(std::size_t number) { return cast()[1 + number % (kPeers - 1)]; }

  Now now() const { return at(time_); }

  void begin() {
    dht_ = std::make_unique<Dht>(self_, config_, Rng(seed_of(7)));
    CHECK(dht_->load(disk_.rows()).has_value());
    for (const auto& row : disk_.rows()) {
      if (row.key.table == store::Table::nodes) named_.insert(take_array<32>(row.key.name));
    }
    dht_->start(now(), out_);
    settle();
  }

  void restart() {
    dht_->flush(now(), out_);
    settle();
    waiting_.clear();
    searching_.clear();
    answered_.clear();
    last_query_ = {};
    confirmed_.clear();
    floors_.clear();
    kept_.restarted();
    begin();
  }

  // Commands. ---------------------------------------------------------------------------------------------------------

  void candidate(Byte who) {
    named_.insert(peer(who).identity.id().bytes);
    dht_->on_candidate(now(), peer(who).info, out_);
    settle();
  }

  void confirm(Byte who) {
    confirmed_.insert(peer(who).identity.id());
    named_.insert(peer(who).identity.id().bytes);
    dht_->on_confirmed(now(), peer(who).info, out_);
    settle();
  }

  static const Bytes& value_of(Byte who, Byte which, ValueKind kind) {
    const Peer& owner = peer(who);
    return kind == ValueKind::record ? owner.records[which % 6] : owner.announcements[which % 6];
  }

  Query make_query(Byte a, Byte b, Bytes& value) const {
    const auto kind = static_cast<QueryKind>(b % 4);
    const auto value_kind = static_cast<ValueKind>(b / 4 % 2);
    Query query{.kind = kind};
    if (kind != QueryKind::ping) query.target = target_of(value_kind, b / 8);
    if (kind == QueryKind::find_value || kind == QueryKind::store) query.value_kind = value_kind;
    if (kind == QueryKind::store) {
      value = value_of(static_cast<Byte>(b / 8), a, value_kind);
      if (a % 8 == 7) value[value.size() / 2] ^= 1;
      query.value = ByteView(value);
    }
    return query;
  }

  static Key target_of(ValueKind kind, std::size_t who) {
    return kind == ValueKind::record ? Key::of(peer(who).identity.id())
                                     : capability_key(who % 2 == 0 ? "work" : "work/night");
  }

  void query(Byte a, Byte b, int how) {
    Bytes value;
    const Query message = make_query(a, b, value);
    send_query(peer(a).info, how % 2 == 0, wire::encode(message));
  }

  /// Its time is over: of a record or an announcement with any sequence, now or long ago.
  void withdraw_by_owner(Byte a, Byte b) {
    const auto kind = static_cast<ValueKind>(b % 2);
    const identity::Identity& owner = peer(b / 2).identity;
    const std::uint64_t sequence = 1 + a % 4 * 2;
    const WallTime issued = now().wall - (a / 4 % 8 == 7 ? milliseconds(days(2)) : milliseconds(seconds(1)));
    const Bytes value = kind == ValueKind::record ? record_of(owner, sequence, issued, seconds(1))
                                                  : announcement_of(owner, "work/night", sequence, issued, seconds(1));
    const Query message{
        .kind = QueryKind::store, .target = target_of(kind, b / 2), .value_kind = kind, .value = ByteView(value)};
    send_query(peer(a).info, true, wire::encode(message));
  }

  void query_badly(Byte a, Byte b) {
    Bytes value;
    Bytes body = wire::encode(make_query(b, a, value));
    body[a % body.size()] ^= b;
    if (a % 4 == 0) body.resize(b % (body.size() + 1));
    send_query(peer(b).info, a % 2 == 0, body);
  }

  void send_query(const identity::NodeInfo& from, bool proven, const Bytes& body) {
    const auto before = dht_->status();
    if (proven) {
      confirmed_.insert(from.id());
      named_.insert(from.id().bytes);
    }
    const QueryToken token{next_token_++};
    expected_ = token;
    answers_ = 0;
    asks_ = 0;
    dht_->on_query(now(), token, from, proven, body, out_);
    settle();
    CHECK(answers_ <= 1);
    const auto query = decode_query(body);
    if (query && answers_ == 1) kept_.answered(now(), proven, *query, decode_reply(answer_).value());
    if (proven) return;
    const auto after = dht_->status();
    CHECK(asks_ == 0 && after.buckets == before.buckets && after.spares == before.spares &&
          after.values == before.values && after.candidates == before.candidates &&
          after.value_bytes == before.value_bytes);
  }

  void answer(Byte which, Byte b, int how) {
    if (waiting_.empty()) return;
    const auto asked = std::next(waiting_.begin(), which % waiting_.size());
    const Ask ask = asked->second;
    const auto query = decode_query(ask.body);
    CHECK(query.has_value());
    Reply reply;
    NodePacker packer;
    for (Byte i = 0; i < b % 8; ++i) {
      identity::NodeInfo told = peer(static_cast<std::size_t>(b) + i * 5).info;
      if (how == 3) told.at = test_address(900 + b, i);                     // A wrong address.
      if (how == 4) told.at.ip = identity::IpAddress::v4({127, 0, 0, i});   // A trap.
      if (how == 5) told = fake_node(static_cast<std::size_t>(b) * 8 + i);  // Nobody.
      if (how == 4 && !config_.allow_special_addresses) trapped_.insert(told.at);
      packer.add(told);
    }
    reply.nodes4 = packer.nodes4();
    Bytes value;
    if (query->kind == QueryKind::find_value && b >= 64) {
      value = value_of(static_cast<Byte>(b / 2), b, *query->value_kind);
      if (*query->value_kind == ValueKind::record) {
        for (std::size_t i = 1; i < kPeers; ++i) {
          if (Key::of(cast()[i].identity.id()) == *query->target) value = cast()[i].records[b % 6];
        }
      }
      if (how == 6) value.back() ^= 1;
      reply.values.push_back(value);
    }
    if (how == 7) reply.outcome = static_cast<Outcome>(b % 8);
    deliver(ask, wire::encode(reply));
  }

  void answer_badly(Byte which, Byte b) {
    if (waiting_.empty()) return;
    const Ask ask = std::next(waiting_.begin(), which % waiting_.size())->second;
    Bytes body = wire::encode(Reply{});
    body[b % body.size()] ^= which;
    if (b % 4 == 0) body.resize(b % (body.size() + 1));
    deliver(ask, body);
  }

  void answer_all(Byte seed) {
    for (int i = 0; i < 40 && !waiting_.empty(); ++i) answer(0, static_cast<Byte>(seed + 7 * i), 0);
  }

  void deliver(const Ask& ask, const Bytes& body) {
    if (decode_reply(body)) answered_.insert(ask.to.id());
    waiting_.erase(ask.id);
    dht_->on_answer(now(), ask.id, body, out_);
    settle();
  }

  void fail(Byte which) {
    if (waiting_.empty()) return;
    const QueryId id = std::next(waiting_.begin(), which % waiting_.size())->first;
    waiting_.erase(id);
    dht_->on_failed(now(), id, {Errc::timed_out, "no answer"}, out_);
    settle();
  }

  /// Deadlines come as a driver would call them; a spurious call does no harm.
  void pass(Duration span) {
    const Instant end = now().mono + span;
    for (int i = 0; i < 2000; ++i) {
      const auto due = dht_->deadline();
      if (!due || *due > end) break;
      time_ = std::max(time_, *due - at(Duration{}).mono);
      dht_->on_deadline(now(), out_);
      settle();
      CHECK(!dht_->deadline() || *dht_->deadline() > now().mono);
    }
    time_ = end - at(Duration{}).mono;
    dht_->on_deadline(now(), out_);
    settle();
    // What the engine has given up by itself, the transport need not answer.
    std::erase_if(waiting_,
                  [&](const auto& ask) { return asked_at_[ask.first] + config_.query_timeout <= now().mono; });
  }

  void find(Byte a, Byte b) {
    const LookupId id{b % 8U};
    const bool is_new = searching_.insert(id).second;
    if (!is_new) refusals_.insert(id);
    if (a % 2 == 0) {
      const identity::PeerId& sought = peer(a / 2).identity.id();
      const auto kept = kept_.record_kept(
          now(), sought, now().wall + std::chrono::duration_cast<milliseconds>(2 * config_.lookup_timeout));
      if (is_new && kept) floors_[id] = *kept;
      dht_->find_peer(now(), id, sought, out_);
    } else {
      dht_->find_capability(now(), id, a % 4 == 1 ? "work" : "work/night", a, out_);
    }
    settle();
    CHECK(refusals_.empty());
  }

  void publish(Byte a, Byte b) {
    const Peer& own = cast()[0];
    switch (a % 6) {
      case 0:
      case 1:
        static_cast<void>(dht_->publish(now(), own.records[b % 3], out_));
        break;
      case 2:
        static_cast<void>(dht_->announce(now(), own.announcements[b % 3], out_));
        break;
      case 3:
        static_cast<void>(dht_->withdraw(now(), own.records[b % 3], out_));
        break;
      case 4:
        static_cast<void>(dht_->unannounce(now(), own.announcements[b % 3], out_));
        break;
      default:
        CHECK(!dht_->publish(now(), peer(b).records[0], out_));
        CHECK(!dht_->announce(now(), peer(b).announcements[0], out_));
        break;
    }
    settle();
  }

  // Effects and what must hold. ---------------------------------------------------------------------------------------

  void settle() {
    out_.drain(
        [&](Dht::Effect&& effect) { std::visit([&](auto&& one) { apply(std::move(one)); }, std::move(effect)); });
    dht_->check_invariants();
    for (const auto& node : dht_->closest(self_, 1000)) {
      CHECK(answered_.contains(node.id()) && confirmed_.contains(node.id()));
    }
  }

  void apply(Ask&& ask) {
    ++asks_;
    CHECK(last_query_ == QueryId{} || ask.id > last_query_);
    last_query_ = ask.id;
    const auto query = decode_query(ask.body);
    CHECK(query.has_value() && ask.body.size() <= kMaxBody);
    CHECK(ask.first_flight_allowed == (query->kind != QueryKind::store));
    CHECK(ask.to.id() != self_ && !trapped_.contains(ask.to.at));
    // Whom we were not pointed at from outside, we heard of from others: then it is a public address.
    if (!named_.contains(ask.to.id().bytes) && !config_.allow_special_addresses) {
      CHECK(identity::may_dial(ask.to.at.ip, identity::LearnedFrom::remote_record));
    }
    asked_at_[ask.id] = now().mono;
    waiting_.emplace(ask.id, std::move(ask));
  }

  void apply(Answer&& answer) {
    ++answers_;
    CHECK(answer.token == expected_ && answer.body.size() <= kMaxBody && decode_reply(answer.body));
    answer_ = std::move(answer.body);
  }

  void apply(LookupDone&& done) {
    if (refusals_.erase(done.id) > 0) {
      CHECK(done.status.error().code == Errc::already_exists);
      return;
    }
    CHECK(searching_.erase(done.id) == 1);
    CHECK(done.trail.steps.size() <= config_.max_trail && done.trail.answered + done.trail.failed <= done.trail.asked);
    CHECK(done.status.has_value() == (done.record.has_value() || !done.announcements.empty()));
    if (done.record) CHECK(is_genuine(done.record->record.id(), done.record->signed_bytes, ValueKind::record));
    // What we keep ourselves is one voice of the search: nothing older is its result.
    if (const auto floor = floors_.extract(done.id); !floor.empty()) {
      const bool was_refused = !done.status && done.status.error().code == Errc::limit_exceeded;
      CHECK(was_refused || (done.record && done.record->record.sequence >= floor.mapped()));
    }
    std::set<identity::PeerId> owners;
    for (const auto& one : done.announcements) {
      const identity::PeerId owner = one.announcement.owner();
      CHECK(owner != self_ && owners.insert(owner).second);
      CHECK(is_genuine(owner, one.signed_bytes, ValueKind::announcement));
    }
  }

  static bool is_genuine(const identity::PeerId& owner, const Bytes& bytes, ValueKind kind) {
    for (const Peer& one : cast()) {
      const auto& values = kind == ValueKind::record ? one.records : one.announcements;
      if (one.identity.id() == owner) return std::ranges::find(values, bytes) != values.end();
    }
    return false;
  }

  void apply(Published&& done) {
    CHECK(done.stored + done.refused + done.failed <= (done.is_withdrawal ? 2 : 1) * config_.k);
  }
  void apply(SignAgain&& /*again*/) {}
  void apply(Joined&& joined) { CHECK(joined.nodes > 0); }
  void apply(Misbehaved&& /*peer*/) {}
  void apply(Observed&& /*address*/) {}
  void apply(Write&& write) {
    disk_.apply(write.batch);
    CHECK(disk_.size() <= config_.max_remembered + config_.max_values);
  }

  Config config_;
  identity::PeerId self_;
  ValuesModel kept_;
  std::unique_ptr<Dht> dht_;
  Outbox<Dht::Effect> out_;
  store::MemoryStore disk_;
  Duration time_{};
  std::map<QueryId, Ask> waiting_;
  std::map<QueryId, Instant> asked_at_;
  std::set<LookupId> searching_;
  std::set<LookupId> refusals_;
  std::map<LookupId, std::uint64_t> floors_;  ///< Of searches for a record that is kept here: its sequence.
  std::set<identity::PeerId> answered_;
  std::set<identity::PeerId> confirmed_;
  std::set<ByteArray<32>> named_;  ///< Told to the engine from outside of the DHT, or by themselves.
  std::set<identity::SocketAddress> trapped_;
  QueryToken expected_{};
  Bytes answer_;
  QueryId last_query_{};
  std::uint64_t next_token_ = 1;
  std::size_t answers_ = 0;
  std::size_t asks_ = 0;
};

inline void play(ByteView script) {
  if (script.empty()) return;
  Play game(script[0]);
  for (std::size_t i = 1; i + 2 < script.size() && i < 900; i += 3) game.run(script[i], script[i + 1], script[i + 2]);
  game.finish();
}

}  // namespace ekiden::dht
