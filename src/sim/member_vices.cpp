// Members of topics and of the registry that lie. What they say they sign with their own keys: it is genuine, and
// wrong.
#include <deque>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gossip/item.hpp"
#include "gossip/messages.hpp"
#include "identity/peer_record.hpp"
#include "registry/entry.hpp"
#include "registry/messages.hpp"
#include "sim/vice.hpp"
#include "wire/link_message.hpp"

namespace ekiden::sim {
namespace {

using gossip::TopicId;
using identity::PeerId;
using wire::MessageType;

constexpr std::size_t kMaxTopics = 4;
constexpr std::size_t kMaxHeard = 64;
constexpr std::size_t kMaxPublishers = 8;
constexpr milliseconds kYear = days(365);
constexpr std::uint32_t kMost = UINT32_MAX;

/// What all messages of topics begin with.
struct OfTopic {
  static constexpr std::string_view kName = "topic_message";
  TopicId topic;
  static constexpr auto kFields = wire::fields(wire::field<1>("topic", &OfTopic::topic));
};

class LyingMember : public Vice {
 public:
  LyingMember(Hands& hands, Rng rng, Duration pause) : hands_(hands), rng_(std::move(rng)), pause_(pause) { go_on(); }

  bool passes_in(const PeerId& /*from*/, ByteView message) override {
    learn(message);
    return true;
  }
  bool passes_out(const PeerId& to, ByteView message) override {
    learn(message);
    return says(to, message);
  }

 protected:
  /// Now and then, once there is a topic and a peer.
  virtual void act(const std::vector<PeerId>& /*met*/) {}
  virtual bool says(const PeerId& /*to*/, ByteView /*message*/) { return true; }

  template <class Message>
  void say(const PeerId& to, MessageType type, const Message& message) {
    ++deeds_;
    hands_.say(to, *wire::link_message(type, message));
  }
  /// To a neighbour, as if it came from one hop away.
  void say_item(const PeerId& to, const TopicId& topic, ByteView item, std::uint32_t round = 1) {
    say(to, MessageType::topic_gossip, gossip::Gossiped{.topic = topic, .round = round, .item = item});
  }
  void say_entries(const PeerId& to, const std::vector<Bytes>& entries) {
    registry::Entries message;
    message.entries = {entries.begin(), entries.end()};
    say(to, MessageType::registry_entries, message);
  }

  Bytes item(const TopicId& topic, std::uint64_t sequence, milliseconds ahead = milliseconds(0)) {
    const auto payload = rng_.bytes<32>();
    return gossip::sign_item(hands_.keys(), {.topic = topic,
                                             .public_key = hands_.keys().public_key(),
                                             .run = kRun,
                                             .sequence = sequence,
                                             .at = hands_.time().wall + ahead,
                                             .payload = payload});
  }
  Bytes entry(const std::string& name, milliseconds ahead = milliseconds(0)) {
    registry::Entry entry;
    entry.name = name;
    entry.owner = hands_.keys().public_key();
    entry.stamp.ms = to_unix_ms(hands_.time().wall + ahead);
    entry.expires = hands_.time().wall + ahead + days(1);
    entry.kept = entry.expires;
    entry.value = to_bytes(rng_.bytes<24>());
    return *registry::sign_entry(hands_.keys(), entry);
  }
  const PeerId& any(const std::vector<PeerId>& peers) { return peers[rng_.below(peers.size())]; }

  Hands& hands_;
  Rng rng_;
  std::set<TopicId> topics_;
  std::set<PeerId> publishers_;
  std::deque<Bytes> heard_;  ///< messages with items and entries
  std::uint64_t next_ = 1;

 private:
  /// That of its node is larger, and smaller than any of the next start.
  static constexpr std::uint64_t kRun = 1;

  void go_on() {
    hands_.later(pause_, [this] {
      const std::vector<PeerId> met = hands_.met();
      if (!met.empty() && !topics_.empty()) act(met);
      go_on();
    });
  }

  void learn(ByteView message) {
    if (message.empty()) return;
    const auto type = static_cast<MessageType>(message[0]);
    const bool is_of_topic = type >= MessageType::topic_join && type <= MessageType::topic_recall;
    if (is_of_topic && topics_.size() < kMaxTopics) {
      if (const auto about = body_of<OfTopic>(message, type)) topics_.insert(about->topic);
    }
    if (type != MessageType::topic_gossip && type != MessageType::registry_entries) return;
    if (heard_.size() == kMaxHeard) heard_.pop_front();
    heard_.push_back(to_bytes(message));
    const auto gossiped = body_of<gossip::Gossiped>(message, MessageType::topic_gossip);
    if (!gossiped || publishers_.size() == kMaxPublishers) return;
    if (const auto item = gossip::read_item(gossiped->item)) publishers_.insert(item->publisher());
  }

  const Duration pause_;
};

/// More items than anybody may publish, for four seconds of each minute; and entries all the time, until there are more
/// than one author may have.
class Floods final : public LyingMember {
 public:
  Floods(Hands& hands, Rng rng) : LyingMember(hands, std::move(rng), kTick) {}

 private:
  static constexpr Duration kTick = milliseconds(100);
  static constexpr std::uint64_t kTicksOfAMinute = 600;
  static constexpr std::uint64_t kTicksOfAFlood = 40;

  void act(const std::vector<PeerId>& met) override {
    std::vector<Bytes> entries;
    for (int i = 0; i < 2; ++i) entries.push_back(entry("flood/" + std::to_string(next_++)));
    for (const PeerId& peer : met) say_entries(peer, entries);
    if (ticks_++ % kTicksOfAMinute >= kTicksOfAFlood) return;
    const TopicId& topic =
        *std::next(topics_.begin(), static_cast<std::ptrdiff_t>(ticks_ / kTicksOfAMinute % topics_.size()));
    for (int i = 0; i < 40; ++i) {
      const Bytes bytes = item(topic, next_++);
      for (const PeerId& peer : met) say_item(peer, topic, bytes);
    }
  }

  std::uint64_t ticks_ = 0;
};

class Replays final : public LyingMember {
 public:
  Replays(Hands& hands, Rng rng) : LyingMember(hands, std::move(rng), milliseconds(100)) {}

 private:
  void act(const std::vector<PeerId>& met) override {
    if (heard_.empty()) return;
    ++deeds_;
    hands_.say(any(met), heard_[rng_.below(heard_.size())]);
  }
};

/// Two items with one number, two entries with one stamp: to some the one, to some the other.
class Equivocates final : public LyingMember {
 public:
  Equivocates(Hands& hands, Rng rng) : LyingMember(hands, std::move(rng), seconds(1)) {}

 private:
  void act(const std::vector<PeerId>& met) override {
    const std::uint64_t number = next_++;
    const std::string name = "two/" + std::to_string(number % 8);
    for (const TopicId& topic : topics_) {
      const Bytes items[] = {item(topic, number), item(topic, number)};
      for (const PeerId& peer : met) say_item(peer, topic, items[rng_.below(2)]);
    }
    const Bytes entries[] = {entry(name), entry(name)};
    for (const PeerId& peer : met) say_entries(peer, {entries[rng_.below(2)]});
  }
};

class DatesAhead final : public LyingMember {
 public:
  DatesAhead(Hands& hands, Rng rng) : LyingMember(hands, std::move(rng), seconds(1)) {}

 private:
  void act(const std::vector<PeerId>& met) override {
    const PeerId& peer = any(met);
    const std::uint64_t number = next_++;
    for (const TopicId& topic : topics_) say_item(peer, topic, item(topic, number, kYear));
    say_entries(peer, {entry("ahead/" + std::to_string(number % 8), kYear)});
  }
};

/// The largest numbers, and the longest lists of what it does not have; what it has it hands on to nobody.
class Exaggerates final : public LyingMember {
 public:
  Exaggerates(Hands& hands, Rng rng) : LyingMember(hands, std::move(rng), seconds(2)) {}

 private:
  bool says(const PeerId& /*to*/, ByteView message) override {
    return message.empty() || message[0] != static_cast<Byte>(MessageType::topic_gossip);
  }
  void act(const std::vector<PeerId>& met) override {
    for (const PeerId& peer : met) {
      for (const TopicId& topic : topics_) {
        gossip::Announce announce{.topic = topic, .history = false, .items = {}};
        for (std::size_t i = 0; i < gossip::kMaxAnnounced; ++i) {
          announce.items.push_back({.id = {rng_.bytes<16>()}, .round = kMost});
        }
        say(peer, MessageType::topic_announce, announce);
        say_item(peer, topic, item(topic, UINT64_MAX), kMost);
        gossip::Graft graft{.topic = topic, .tree = true, .ids = {}, .publisher = {}};
        while (graft.ids.size() < gossip::kMaxGrafted) graft.ids.push_back({rng_.bytes<16>()});
        say(peer, MessageType::topic_graft, graft);
      }
    }
  }
};

/// Leaves every tree, and asks for all that there was.
class Prunes final : public LyingMember {
 public:
  Prunes(Hands& hands, Rng rng) : LyingMember(hands, std::move(rng), seconds(1)) {}

 private:
  void act(const std::vector<PeerId>& met) override {
    for (const PeerId& peer : met) {
      for (const TopicId& topic : topics_) {
        for (const PeerId& publisher : publishers_) {
          say(peer, MessageType::topic_prune, gossip::Prune{topic, publisher});
        }
        say(peer, MessageType::topic_recall, gossip::Recall{topic});
      }
    }
  }
};

/// Tells of members who do not exist.
class Poisons final : public LyingMember {
 public:
  Poisons(Hands& hands, Rng rng) : LyingMember(hands, std::move(rng), milliseconds(500)) {}

 private:
  void act(const std::vector<PeerId>& met) override {
    std::vector<Bytes> records;
    for (std::size_t i = 0; i < gossip::kMaxShuffled; ++i) records.push_back(invented_record());
    for (const TopicId& topic : topics_) {
      const PeerId& peer = any(met);
      const gossip::Shuffle shuffle{.topic = topic,
                                    .walk = {rng_.bytes<8>()},
                                    .hops = gossip::kMaxWalk,
                                    .records = {records.begin(), records.end()}};
      say(peer, MessageType::topic_shuffle, shuffle);
      const gossip::ForwardJoin join{.topic = topic, .hops = gossip::kMaxWalk, .record = records.front()};
      say(peer, MessageType::topic_forward_join, join);
    }
  }

  Bytes invented_record() {
    const identity::Identity nobody{crypto::Ed25519Seed(rng_.bytes<32>())};
    identity::PeerRecord record;
    record.public_key = nobody.public_key();
    record.sequence = 1;
    record.issued_at = hands_.time().wall;
    record.ttl_seconds = 3600;
    const std::string net = std::to_string(rng_.below(250));
    record.endpoints = {"tcp://10.250." + net + "." + std::to_string(1 + rng_.below(250)) + ":7420"};
    return *identity::sign_record(nobody, record);
  }
};

/// Answers comparisons with what is not there, and entries that nobody has signed.
class Garbles final : public LyingMember {
 public:
  Garbles(Hands& hands, Rng rng) : LyingMember(hands, std::move(rng), seconds(1)) {}

 private:
  bool says(const PeerId& to, ByteView message) override {
    if (const auto entries = body_of<registry::Entries>(message, MessageType::registry_entries)) {
      std::vector<Bytes> changed;
      for (const ByteView each : entries->entries) {
        changed.push_back(to_bytes(each));
        changed.back().back() ^= 1;
      }
      registry::Entries lie = *entries;
      lie.entries = {changed.begin(), changed.end()};
      say(to, MessageType::registry_entries, lie);
      return false;
    }
    auto places = body_of<registry::Places>(message, MessageType::registry_places);
    if (!places) return true;
    for (registry::Place& place : places->places) rng_.fill(place.shorts);
    say(to, MessageType::registry_places, *places);
    return false;
  }
};

/// Lets no comparison end: there is always something deeper, and always something to ask.
class NeverEnds final : public LyingMember {
 public:
  NeverEnds(Hands& hands, Rng rng) : LyingMember(hands, std::move(rng), seconds(1)) {}

 private:
  bool says(const PeerId& to, ByteView message) override {
    auto places = body_of<registry::Places>(message, MessageType::registry_places);
    if (!places) return true;
    for (registry::Place& place : places->places) {
      place.is_leaf = false;
      place.shorts.resize(16 * registry::kShortSize);
      rng_.fill(place.shorts);
    }
    say(to, MessageType::registry_places, *places);
    return false;
  }
  void act(const std::vector<PeerId>& met) override {
    registry::Ask ask{.round = static_cast<std::uint32_t>(next_++), .salt = rng_.bytes<8>(), .paths = {}, .shorts = {}};
    while (ask.paths.size() < registry::kMaxAskedAtOnce) {
      ask.paths.push_back({static_cast<Byte>(rng_.below(16)), static_cast<Byte>(rng_.below(16))});
    }
    for (const PeerId& peer : met) say(peer, MessageType::registry_ask, ask);
  }
};

}  // namespace

std::unique_ptr<Vice> make_member_vice(MemberVice kind, Hands& hands, Rng rng) {
  switch (kind) {
    case MemberVice::floods:
      return std::make_unique<Floods>(hands, std::move(rng));
    case MemberVice::replays:
      return std::make_unique<Replays>(hands, std::move(rng));
    case MemberVice::equivocates:
      return std::make_unique<Equivocates>(hands, std::move(rng));
    case MemberVice::dates_ahead:
      return std::make_unique<DatesAhead>(hands, std::move(rng));
    case MemberVice::exaggerates:
      return std::make_unique<Exaggerates>(hands, std::move(rng));
    case MemberVice::prunes:
      return std::make_unique<Prunes>(hands, std::move(rng));
    case MemberVice::poisons:
      return std::make_unique<Poisons>(hands, std::move(rng));
    case MemberVice::garbles:
      return std::make_unique<Garbles>(hands, std::move(rng));
    case MemberVice::never_ends:
      return std::make_unique<NeverEnds>(hands, std::move(rng));
  }
  std::unreachable();
}

}  // namespace ekiden::sim
