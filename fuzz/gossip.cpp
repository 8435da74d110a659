// A topic as members use and attack it: four engines in a network, of whom the last one lies besides. A script of
// subscriptions, publications, crashes, lost messages, time, and what the liar sends: bytes, items that it signs as it
// likes, items of others again or changed, and promises. Next to it a naive model: what each honest member has
// published and who has heard it. In the end, whatever the liar did, honest members hear each other. And every message
// as an attacker would write it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <utility>

#include "base/check.hpp"
#include "unit/gossip/net.hpp"
#include "wire/cbor.hpp"

namespace {

using namespace ekiden;
using namespace ekiden::gossip;
using wire::MessageType;

template <class T>
void check_round_trip(ByteView bytes) {
  const auto message = wire::decode<T>(bytes);
  if (!message) return;
  const Bytes first = wire::encode(*message);
  CHECK(wire::validate(first).has_value() && first.size() <= bytes.size());
  const auto again = wire::decode<T>(first);
  CHECK(again.has_value() && wire::encode(*again) == first);
}

class Script {
 public:
  explicit Script(ByteView bytes) : bytes_(bytes) {}
  bool is_over() const { return bytes_.empty(); }
  Byte next() {
    if (bytes_.empty()) return 0;
    const Byte byte = bytes_[0];
    bytes_ = bytes_.subspan(1);
    return byte;
  }
  ByteView rest(std::size_t count) {
    const ByteView part = bytes_.first(std::min(count, bytes_.size()));
    bytes_ = bytes_.subspan(part.size());
    return part;
  }

 private:
  ByteView bytes_;
};

constexpr std::size_t kMembers = 4;
constexpr std::size_t kLiar = kMembers - 1;
constexpr std::size_t kMaxOverheard = 64;
const std::string kTopic = "fuzz";

class World {
 public:
  World() {
    net_.passes = [this](std::size_t from, std::size_t to, ByteView message) { return passes(from, to, message); };
    for (std::size_t i = 0; i < kMembers; ++i) net_.subscribe(i, kTopic);
    net_.run_for(seconds(5));
  }

  void step(Script& script) {
    const std::size_t who = script.next() % kMembers;
    switch (script.next() % 12) {
      case 0:
      case 1:
        publish(who);
        break;
      case 2:
        net_.run_for(milliseconds(40) * script.next());
        break;
      case 3:
        net_.run_for(seconds(4) * script.next());
        break;
      case 4:
        crash_or_restart(who);
        break;
      case 5:
        lost_of_256_ = script.next() % 4 == 0 ? 0 : script.next();
        break;
      case 6:
        lie(who, static_cast<MessageType>(static_cast<Byte>(MessageType::topic_join) + script.next() % 12),
            script.rest(script.next()));
        break;
      case 7:
        lie_about_own(who, script);
        break;
      case 8:
        repeat(who, script);
        break;
      case 9:
        promise(who, script);
        break;
      case 10:
        ask(who, script);
        break;
      default:
        is_liar_silent_ = script.next() % 2 == 0;
        break;
    }
    check();
  }

  /// Nothing of honest members is lost any more. The liar may go on swallowing what it is to hand on.
  void settle() {
    lost_of_256_ = 0;
    for (std::size_t i = 0; i < kMembers; ++i) {
      if (!net_[i].up) crash_or_restart(i);
    }
    net_.run_for(minutes(15));
    std::set<std::string> wanted;
    for (int round = 0; round < 4; ++round) {
      for (std::size_t i = 0; i < kLiar; ++i) wanted.insert(publish(i));
      net_.run_for(seconds(2));
    }
    net_.run_for(minutes(2));
    check();
    for (std::size_t i = 0; i < kLiar; ++i) {
      for (const std::string& text : wanted) CHECK(heard_[i].contains(text) || text[0] == name_of(i));
    }
  }

 private:
  static char name_of(std::size_t member) { return static_cast<char>('a' + member); }

  std::string publish(std::size_t who) {
    if (!net_[who].up) return {};
    std::string text = name_of(who) + std::to_string(++count_);
    published_.insert(text);
    net_.publish(who, kTopic, text);
    return text;
  }

  void crash_or_restart(std::size_t who) {
    if (net_[who].up) return net_.crash(who);
    net_.restart(who);
    net_.subscribe(who, kTopic);
    // A new process remembers nothing: what the others still have is news to it.
    heard_[who].clear();
    ids_[who].clear();
  }

  bool passes(std::size_t from, std::size_t to, ByteView message) {
    if (from == kLiar && is_liar_silent_) return false;
    if (to == kLiar && message[0] == static_cast<Byte>(MessageType::topic_gossip)) {
      if (overheard_.size() == kMaxOverheard) overheard_.pop_front();
      overheard_.push_back(to_bytes(message));
    }
    dice_ = dice_ * 6'364'136'223'846'793'005U + 1;
    return (dice_ >> 56U) >= lost_of_256_;
  }

  void lie(std::size_t who, MessageType type, ByteView body) {
    if (who == kLiar || !net_[who].up || !net_[who].links.contains(kLiar)) return;
    static_cast<void>(net_.receive(who, kLiar, type, body));
  }

  /// Runs and sequences that it has used, leaves out or makes up.
  void lie_about_own(std::size_t who, Script& script) {
    const identity::Identity& liar = net_[kLiar].self;
    const std::uint64_t run = std::uint64_t{1} << (script.next() % 64U);
    const std::uint64_t sequence = script.next() % 8 == 0 ? UINT64_MAX - script.next() : 1 + script.next();
    const std::string text = "liar" + std::to_string(script.next());
    const Bytes item = sign_item(liar, {.topic = TopicId::of(script.next() % 8 == 0 ? "other" : kTopic),
                                        .public_key = liar.public_key(),
                                        .run = run,
                                        .sequence = sequence,
                                        .at = test::kWall,
                                        .payload = as_bytes(text)});
    lie(who, MessageType::topic_gossip,
        wire::encode(Gossiped{.topic = TopicId::of(kTopic), .round = script.next(), .item = item}));
  }

  /// What came from others, as it was or with a byte changed.
  void repeat(std::size_t who, Script& script) {
    if (overheard_.empty()) return;
    Bytes message = overheard_[script.next() % overheard_.size()];
    if (script.next() % 2 == 0) {
      const std::size_t at = (script.next() * 256U + script.next()) % message.size();
      message[at] ^= static_cast<Byte>(1 + script.next() % 255);
    }
    lie(who, MessageType::topic_gossip, ByteView(message).subspan(1));
  }

  /// Items that do not exist, or that it never sends.
  void promise(std::size_t who, Script& script) {
    Announce announce{.topic = TopicId::of(kTopic), .history = script.next() % 2 == 0, .items = {}};
    for (int i = script.next() % 32; i >= 0; --i) {
      ItemId id{};
      id.bytes[0] = script.next();
      if (script.next() % 2 == 0 && !overheard_.empty()) {
        const auto message = wire::decode<Gossiped>(ByteView(overheard_.back()).subspan(1));
        CHECK(message.has_value());
        id = ItemId::of(message->item);
      }
      announce.items.push_back({.id = id, .round = script.next()});
    }
    lie(who, MessageType::topic_announce, wire::encode(announce));
  }

  void ask(std::size_t who, Script& script) {
    const identity::PeerId& publisher = net_.id(script.next() % kMembers);
    const TopicId topic = TopicId::of(kTopic);
    switch (script.next() % 6) {
      case 0:
        return lie(who, MessageType::topic_prune, wire::encode(Prune{.topic = topic, .publisher = publisher}));
      case 1:
        return lie(who, MessageType::topic_graft,
                   wire::encode(Graft{.topic = topic, .tree = true, .ids = {}, .publisher = publisher}));
      case 2:
        return lie(who, MessageType::topic_recall, wire::encode(Recall{.topic = topic}));
      case 3:
        return lie(who, MessageType::topic_disconnect,
                   wire::encode(Disconnect{.topic = topic, .leaving = script.next() % 2 == 0}));
      case 4:
        return lie(who, MessageType::topic_answer,
                   wire::encode(Answer{.topic = topic, .verdict = static_cast<Verdict>(script.next() % 4)}));
      default:
        return lie(who, MessageType::topic_forward_join,
                   wire::encode(ForwardJoin{
                       .topic = topic, .hops = script.next(), .record = net_[script.next() % kMembers].record}));
    }
  }

  /// What is new at each: signed by whom it says, once, and of honest members only what they published. Honest members
  /// accuse nobody but the liar, whom no message names here.
  void check() {
    net_.check_invariants();
    for (std::size_t i = 0; i < kMembers; ++i) {
      for (const Delivered& delivered : std::exchange(net_[i].delivered, {})) {
        CHECK(delivered.topic == kTopic && delivered.hops <= kMaxRound);
        const auto item = verify_item(*delivered.signed_bytes);
        CHECK(item.has_value() && item->publisher() == delivered.publisher && item->sequence == delivered.sequence);
        CHECK(ids_[i].insert(ItemId::of(*delivered.signed_bytes)).second);
        CHECK(delivered.publisher != net_.id(i) || !was_honest(i));
        if (delivered.publisher == net_.id(kLiar)) continue;
        const std::string text(delivered.payload.begin(), delivered.payload.end());
        CHECK(published_.contains(text) && net_.id(static_cast<std::size_t>(text[0] - 'a')) == delivered.publisher);
        CHECK(heard_[i].insert(text).second);
      }
    }
  }
  static bool was_honest(std::size_t member) { return member != kLiar; }

  Net net_{kMembers};
  std::uint64_t count_ = 0;
  std::set<std::string> published_;
  std::set<std::string> heard_[kMembers];
  std::set<ItemId> ids_[kMembers];
  std::deque<Bytes> overheard_;
  std::uint64_t dice_ = 1;
  std::uint64_t lost_of_256_ = 0;
  bool is_liar_silent_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  check_round_trip<Join>(bytes);
  check_round_trip<ForwardJoin>(bytes);
  check_round_trip<Neighbour>(bytes);
  check_round_trip<Answer>(bytes);
  check_round_trip<Disconnect>(bytes);
  check_round_trip<Shuffle>(bytes);
  check_round_trip<ShuffleReply>(bytes);
  check_round_trip<Gossiped>(bytes);
  check_round_trip<Announce>(bytes);
  check_round_trip<Graft>(bytes);
  check_round_trip<Prune>(bytes);
  check_round_trip<Recall>(bytes);
  static_cast<void>(verify_item(bytes));
  World world;
  Script script(bytes);
  for (int steps = 0; steps < 100 && !script.is_over(); ++steps) world.step(script);
  world.settle();
  return 0;
}
