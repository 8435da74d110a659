// The registry as members use and attack it: a script of puts, removals, links, lost and repeated messages, crashes and
// time for two members and an author that lies, next to a naive model of which entry is the newest; in the end both
// members hold the same. And every message as an attacker would write it.
#include "registry/registry.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "registry/wire_form.hpp"
#include "store/memory_store.hpp"
#include "wire/cbor.hpp"
#include "wire/cose.hpp"

namespace {

using namespace ekiden;
using namespace ekiden::registry;

template <class T>
void check_round_trip(ByteView bytes) {
  const auto message = wire::decode<T>(bytes);
  if (!message) return;
  const Bytes first = wire::encode(*message);
  CHECK(wire::validate(first).has_value() && first.size() <= bytes.size());
  const auto again = wire::decode<T>(first);
  CHECK(again.has_value() && wire::encode(*again) == first);
}

/// What passes check_form() is encoded and read as it was.
void check_entry(ByteView bytes) {
  const auto entry = wire::decode<Entry>(bytes);
  if (!entry || !check_form(*entry)) return;
  const Bytes unsigned_bytes = wire::build_sign1(wire::encode(*entry), Bytes(wire::kSign1SignatureSize));
  const auto read = read_entry(unsigned_bytes);
  CHECK(unsigned_bytes.size() > kMaxEntrySize || (read.has_value() && *read == *entry));
  if (read) CHECK(!verify_entry(unsigned_bytes, *read).has_value());
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

struct Newest {
  Version version;
  WallTime kept{};
};
/// Of each entry that a member has taken, whichever was the newest.
using Model = std::map<EntryId, Newest>;

struct Member {
  explicit Member(Byte number) : self(crypto::Ed25519Seed(ByteArray<32>{number})) {}
  const identity::Identity self;
  std::optional<Registry> registry;
  Effects out;
  store::MemoryStore disk;
  Model model;
};

constexpr std::size_t kMembers = 2;

class World {
 public:
  World() {
    config_.updates = {.per_second = 1'000'000, .burst = 1'000'000};
    config_.answers = config_.updates;
    for (std::size_t i = 0; i < kMembers; ++i) boot(i);
  }

  void step(Script& script) {
    const std::size_t who = script.next() % kMembers;
    switch (script.next() % 10) {
      case 0:
        put(who, script);
        break;
      case 1:
        remove(who, script);
        break;
      case 2:
        tell(who, script);
        break;
      case 3:
        link(script.next() % 2 == 0);
        break;
      case 4:
        pass(milliseconds(50) * script.next());
        break;
      case 5:
        pass(hours(4) * script.next());
        break;
      case 6:
        boot(who);
        break;
      case 7:
        hostile(who, script);
        break;
      case 8:
        lose_or_repeat(script);
        break;
      default:
        deliver();
        break;
    }
    check(who);
  }

  /// Nothing is lost any more: what one holds, the other has soon; a renewal on its way at the end a moment later.
  void settle() {
    link(true);
    for (int i = 0; i < 400 || (i < 500 && !are_equal()); ++i) {
      while (!in_flight_.empty()) deliver();
      pass(milliseconds(200));
    }
    CHECK(are_equal());
    for (std::size_t i = 0; i < kMembers; ++i) check(i);
  }

 private:
  struct Flight {
    std::size_t to;
    std::shared_ptr<const Bytes> message;
  };

  /// From its disk, without links.
  void boot(std::size_t which) {
    link(false);
    Member& member = members_[which];
    member.out.take();
    member.registry.emplace(member.self, config_, Rng(Rng::Seed{static_cast<Byte>(which + 1)}));
    for (const store::Row& row : member.disk.rows()) {
      CHECK(member.registry->load_row(row.key.name, row.value).has_value());
    }
    member.registry->start(now_, member.out);
    drain(which);
  }

  void link(bool up) {
    for (std::size_t i = 0; i < kMembers; ++i) {
      if (!members_[i].registry) continue;
      for (const identity::Identity* peer : {&members_[1 - i].self, &liar_}) {
        if (up) members_[i].registry->on_link_up(now_, peer->id(), members_[i].out);
        if (!up) members_[i].registry->on_link_down(now_, peer->id(), true, members_[i].out);
      }
      drain(i);
    }
    is_linked_ = up;
    if (!up) in_flight_.clear();
  }

  bool are_equal() const {
    const Trie& one = members_[0].registry->replica().trie();
    return one.digest({}) == members_[1].registry->replica().trie().digest({});
  }

  static std::string name_of(Byte number) { return {static_cast<char>('a' + number % 4)}; }

  void put(std::size_t who, Script& script) {
    Draft draft;
    draft.name = name_of(script.next());
    const Byte kind = script.next();
    draft.shape = static_cast<Shape>(kind % 3);
    draft.lifetime = milliseconds(1000) * (1 + script.next() * 100);
    draft.renew = kind % 7 == 0;
    if (draft.renew) draft.lifetime += minutes(10);
    if (draft.shape != Shape::own) draft.writers = {members_[1 - who].self.id()};
    if (kind % 5 == 0) {
      draft.owner = members_[1 - who].self.id();
      draft.writers.clear();
    }
    if (draft.shape == Shape::set) {
      draft.add = {Bytes{script.next()}};
      draft.take = {Bytes{script.next()}};
    } else {
      draft.value = {script.next()};
      draft.capability = "c/" + name_of(script.next());
    }
    static_cast<void>(members_[who].registry->put(now_, draft, members_[who].out));
    drain(who);
  }

  void remove(std::size_t who, Script& script) {
    const identity::PeerId owner = members_[script.next() % kMembers].self.id();
    static_cast<void>(members_[who].registry->remove(now_, owner, name_of(script.next()), members_[who].out));
    drain(who);
  }

  /// The liar signs what it likes: stamps that it has used, of any time, that end at any time.
  void tell(std::size_t who, Script& script) {
    Entry entry;
    entry.name = name_of(script.next());
    entry.owner = liar_.public_key();
    const auto offset = (script.next() - 128) * minutes(script.next() % 8);
    entry.stamp = {to_unix_ms(now_.wall + milliseconds(offset)), static_cast<std::uint32_t>(script.next() % 3)};
    entry.expires = from_unix_ms(entry.stamp.ms) + milliseconds(hours(script.next() % 16));
    entry.kept = entry.expires + milliseconds(hours(script.next() % 16));
    entry.value = {script.next()};
    const auto bytes = sign_entry(liar_, entry);
    CHECK(bytes.has_value());
    Entries message;
    message.entries.emplace_back(*bytes);
    hear(who, liar_.id(), *link_message(wire::MessageType::registry_entries, message));
  }

  void hostile(std::size_t who, Script& script) {
    Bytes message = {static_cast<Byte>(static_cast<Byte>(wire::MessageType::registry_ask) + script.next() % 4)};
    append(message, script.rest(script.next()));
    hear(who, liar_.id(), message);
  }

  void pass(Duration time) {
    now_.mono += time;
    now_.wall += std::chrono::duration_cast<milliseconds>(time);
    for (std::size_t i = 0; i < kMembers; ++i) {
      members_[i].registry->on_deadline(now_, members_[i].out);
      drain(i);
    }
  }

  /// A link gives an answer once; what is new may come from anywhere, any number of times.
  void lose_or_repeat(Script& script) {
    if (in_flight_.empty()) return;
    const Flight flight = in_flight_[script.next() % in_flight_.size()];
    if (script.next() % 2 == 0) return in_flight_.pop_front();
    const ByteView message = *flight.message;
    if (message[0] != static_cast<Byte>(wire::MessageType::registry_entries)) return;
    const auto entries = wire::decode<Entries>(message.subspan(1));
    CHECK(entries.has_value());
    if (entries->round == 0) in_flight_.push_back(flight);
  }

  void deliver() {
    if (in_flight_.empty()) return;
    const Flight flight = std::move(in_flight_.front());
    in_flight_.pop_front();
    hear(flight.to, members_[1 - flight.to].self.id(), *flight.message);
  }

  void hear(std::size_t who, const identity::PeerId& from, ByteView message) {
    Registry& registry = *members_[who].registry;
    Effects& out = members_[who].out;
    const ByteView body = message.subspan(1);
    const auto type = static_cast<wire::MessageType>(message[0]);
    if (type == wire::MessageType::registry_ask) static_cast<void>(registry.on_ask(now_, from, body, out));
    if (type == wire::MessageType::registry_places) static_cast<void>(registry.on_places(now_, from, body, out));
    if (type == wire::MessageType::registry_want) static_cast<void>(registry.on_want(now_, from, body, out));
    if (type == wire::MessageType::registry_entries) static_cast<void>(registry.on_entries(now_, from, body, out));
    drain(who);
  }

  void drain(std::size_t which) {
    Member& member = members_[which];
    member.out.drain([&](Effect&& effect) {
      if (auto* transmit = std::get_if<Transmit>(&effect)) {
        CHECK(transmit->message->size() <= 34'816);
        if (transmit->to != liar_.id() && is_linked_) in_flight_.push_back({1 - which, transmit->message});
      } else if (auto* persist = std::get_if<Persist>(&effect)) {
        remember(member, persist->batch);
        member.disk.apply(persist->batch);
        if (persist->token) member.registry->on_persisted(now_, *persist->token, member.out);
      } else if (auto* misbehaved = std::get_if<Misbehaved>(&effect)) {
        CHECK(misbehaved->peer == liar_.id());
      } else if (auto* seen = std::get_if<Equivocated>(&effect)) {
        check_evidence(*seen);
      }
    });
  }

  void check_evidence(const Equivocated& seen) const {
    const auto taken = read_entry(seen.taken);
    const auto dropped = read_entry(seen.dropped);
    CHECK(taken.has_value() && dropped.has_value() && seen.author == liar_.id());
    CHECK(verify_entry(seen.taken, *taken).has_value() && verify_entry(seen.dropped, *dropped).has_value());
    CHECK(taken->id() == dropped->id() && taken->stamp == dropped->stamp && seen.taken != seen.dropped);
    CHECK(digest_of(seen.dropped) < digest_of(seen.taken));
  }

  /// Whatever is written is newer than what was there, and signed.
  void remember(Member& member, const store::Batch& batch) const {
    for (const store::Operation& operation : batch.operations()) {
      if (operation.key.name.size() != sizeof(EntryId::bytes)) continue;  // Of its clock, or a renewal.
      const EntryId id{take_array<16>(operation.key.name)};
      if (operation.erase) {
        CHECK(member.model.at(id).kept <= now_.wall);
        member.model.erase(id);
        continue;
      }
      const auto entry = read_entry(operation.value);
      CHECK(entry.has_value() && verify_entry(operation.value, *entry).has_value() && entry->id() == id);
      const Version version{entry->stamp, digest_of(operation.value)};
      const auto before = member.model.find(id);
      CHECK(before == member.model.end() || before->second.version < version);
      CHECK(check_time(*entry, now_.wall).has_value());
      member.model.insert_or_assign(id, Newest{version, entry->kept});
    }
  }

  void check(std::size_t who) const {
    const Member& member = members_[who];
    member.registry->check_invariants();
    const Replica& replica = member.registry->replica();
    CHECK(replica.size() == member.model.size());
    for (const auto& [id, newest] : member.model) {
      const Held* held = replica.find(id);
      CHECK(held != nullptr && held->version() == newest.version);
    }
    for (const Entry& entry : member.registry->list(now_, std::nullopt, 100)) {
      CHECK(!entry.removed && entry.expires > now_.wall);
    }
  }

  Config config_;
  Now now_{Instant(seconds(1000)), WallTime(milliseconds(1'767'225'600'000))};
  const identity::Identity liar_{crypto::Ed25519Seed(ByteArray<32>{9})};
  std::array<Member, kMembers> members_{Member(1), Member(2)};
  std::deque<Flight> in_flight_;
  bool is_linked_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  check_round_trip<Ask>(bytes);
  check_round_trip<Places>(bytes);
  check_round_trip<Want>(bytes);
  check_round_trip<Entries>(bytes);
  check_round_trip<Entry>(bytes);
  check_entry(bytes);
  static_cast<void>(read_entry(bytes));
  World world;
  Script script(bytes);
  for (int steps = 0; steps < 200 && !script.is_over(); ++steps) world.step(script);
  world.settle();
  return 0;
}
