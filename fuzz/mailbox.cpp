// Mailboxes as strangers use them: a script of deposits, collections, confirmations, crashes and time for a keeper,
// next to a naive model of what it has to hold; and every message and row as an attacker would write it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "mailbox/collector.hpp"
#include "mailbox/depositor.hpp"
#include "mailbox/keeper.hpp"
#include "mailbox/statement.hpp"
#include "mailbox/wire_form.hpp"
#include "store/memory_store.hpp"
#include "wire/cbor.hpp"

namespace {

using namespace ekiden;
using namespace ekiden::mailbox;

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

class World {
 public:
  World() {
    config_.max_parcels = 12;
    config_.max_bytes = 2000;
    config_.max_parcels_per_sender = 5;
    config_.max_parcels_per_owner = 6;
    config_.max_parcels_per_prefix = 8;
    config_.max_window = 4;
    config_.max_fetch_bytes = 300;
    boot();
  }

  void step(Script& script) {
    const Byte what = script.next();
    const identity::PeerId a{{static_cast<Byte>(script.next() % 5 + 1)}};
    switch (what % 10) {
      case 0:
      case 1:
        return deposit(a, script);
      case 2:
        check(keeper_->on_collect(now_, a, wire::encode(Collect{script.next()}), out_).has_value());
        break;
      case 3:
        check(keeper_->on_collected(now_, a, wire::encode(Collected{{script.next()}}), out_).has_value());
        break;
      case 4:
        keeper_->on_link_down(a);
        break;
      case 5:
        now_.mono += seconds(script.next());
        now_.wall += milliseconds(1000) * script.next();
        keeper_->on_deadline(now_, out_);
        break;
      case 6:
        return crash(script.next() % 2 == 0);
      case 7:
        read();
        break;
      case 8:
        damage(script.next(), script.next());
        break;
      default:
        hostile(a, script);
        break;
    }
    run();
  }

 private:
  using Name = std::tuple<identity::PeerId, identity::PeerId, Uuid>;

  static void check(bool condition) { CHECK(condition); }

  void boot() {
    keeper_.emplace(self_, config_, Rng(Rng::Seed{1}), [](const identity::PeerId& who) {
      return who.bytes[0] == 1 ? identity::TrustTier::contact : identity::TrustTier::stranger;
    });
    fetches_.clear();
    for (const store::Row& row : disk_.rows(store::Reading::gathered)) {
      CHECK(keeper_->load_dead_row(row.key.number, row.value).has_value());
    }
    for (const store::Row& row : disk_.rows(store::Reading::streamed)) {
      CHECK(keeper_->load_row(row.key.number, row.value).has_value());
    }
    CHECK(keeper_->status().used.parcels == kept_rows().size());
    keeper_->start(now_, out_);
    // What it said that it keeps is there, unless its time is over.
    for (const auto& [name, until] : promised_) CHECK(until <= now_.wall || on_disk(name));
  }

  bool on_disk(const Name& name) const {
    return std::ranges::any_of(kept_rows(), [&](const store::Row& row) { return name_in(row.value) == name; });
  }

  /// Rows of parcels that are not dead.
  std::vector<store::Row> kept_rows() const {
    std::vector<store::Row> rows = disk_.rows(store::Reading::streamed);
    for (const store::Row& dead : disk_.rows(store::Reading::gathered)) {
      std::erase_if(rows, [&](const store::Row& row) { return is_dead(dead.key, dead.value, row.key.number); });
    }
    return rows;
  }

  static bool is_dead(const store::Key& segment, ByteView bits, std::uint64_t number) {
    if (number / kSegment != segment.number) return false;
    const std::size_t bit = number % kSegment;
    return (wire::decode<DeadRow>(bits)->dead[bit / 8] >> bit % 8 & 1) != 0;
  }

  static Name name_in(ByteView row_value) {
    const auto row = wire::decode<ParcelRow>(row_value);
    return {row->to, row->from, row->id};
  }

  /// The disk answers the oldest question.
  void read() {
    if (fetches_.empty()) return;
    const Fetch wanted = std::move(fetches_.front());
    fetches_.pop_front();
    keeper_->on_fetched(now_, disk_.fetch(wanted).rows, out_);
  }

  /// A bit of a body turns over, or all of it is gone.
  void damage(Byte which, Byte bit) {
    const auto bodies = disk_.rows(store::Reading::on_demand);
    if (bodies.empty()) return;
    store::Row row = bodies[which % bodies.size()];
    store::Batch batch;
    if (bit == 0) {
      batch.erase(row.key.table, row.key.number);
    } else {
      row.value[bit % row.value.size()] ^= static_cast<Byte>(1 << bit % 8);
      batch.put(row.key.table, row.key.number, row.value);
    }
    disk_.apply(batch);
  }

  void deposit(const identity::PeerId& from, Script& script) {
    Uuid id;
    id.bytes[0] = script.next() % 8;
    id.bytes[6] = 0x40;
    id.bytes[8] = 0x80;
    const Bytes payload(script.next(), script.next());
    const Parcel parcel{.id = id,
                        .from = from,
                        .to = identity::PeerId{{static_cast<Byte>(script.next() % 5 + 1)}},
                        .expires = now_.wall + milliseconds(1000) * script.next(),
                        .priority = static_cast<wire::Priority>(script.next() % 5),
                        .kind = ParcelKind::envelope,
                        .payload = payload};
    const identity::AddressPrefix prefix{{4, static_cast<Byte>(script.next() % 2)}};
    const Status status = keeper_->on_deposit(now_, from, prefix, wire::encode(parcel), out_);
    CHECK(status.has_value() == (parcel.to != from));
    run();
  }

  void hostile(const identity::PeerId& from, Script& script) {
    const ByteView body = script.rest(200);
    static_cast<void>(keeper_->on_deposit(now_, from, {}, body, out_));
    static_cast<void>(keeper_->on_collect(now_, from, body, out_));
    static_cast<void>(keeper_->on_collected(now_, from, body, out_));
  }

  void crash(bool synced) {
    if (synced) disk_.apply(std::exchange(unsynced_, {}));
    unsynced_ = {};
    out_.take();
    boot();
  }

  void run() {
    for (Effect& effect : out_.take()) take(effect);
    if (!unsynced_.empty() && token_) {
      disk_.apply(std::exchange(unsynced_, {}));
      keeper_->on_persisted(now_, *std::exchange(token_, std::nullopt), out_);
      for (Effect& effect : out_.take()) take(effect);
    }
    keeper_->check_invariants();
  }

  void take(Effect& effect) {
    if (auto* persist = std::get_if<Persist>(&effect)) {
      for (const store::Operation& operation : persist->batch.operations()) {
        forget_erased(operation);
        if (operation.key.table == store::Table::bodies && !operation.erase) {
          written_.insert_or_assign(operation.key.number, operation.value);
        }
      }
      unsynced_.append(std::move(persist->batch));
      if (persist->token) token_ = persist->token;
    } else if (auto* fetch = std::get_if<Fetch>(&effect)) {
      fetches_.push_back(std::move(*fetch));
    } else if (const auto* transmit = std::get_if<Transmit>(&effect)) {
      if ((*transmit->message)[0] == static_cast<Byte>(wire::MessageType::parcel)) check_given(*transmit);
      if ((*transmit->message)[0] != static_cast<Byte>(wire::MessageType::stored)) return;
      const ByteView body = ByteView(*transmit->message).subspan(1);
      const auto statement = open_statement(body, self_.id(), self_.public_key(), transmit->to);
      CHECK(statement.has_value());
      for (const StoredItem& item : statement->stored) {
        const Name name{item.owner, transmit->to, item.id};
        if (on_disk(name)) promised_.insert_or_assign(name, item.until);
      }
    }
  }

  /// Only to its owner, and as it was written.
  void check_given(const Transmit& transmit) const {
    const auto delivery = wire::decode<Delivery>(ByteView(*transmit.message).subspan(1));
    const auto parcel = wire::decode<Parcel>(delivery->parcel);
    CHECK(parcel.has_value() && parcel->to == transmit.to);
    CHECK(std::ranges::equal(written_.at(delivery->number), delivery->parcel));
  }

  /// Dead or erased by its owner's word, by time, for another payload, or for damage: each is checked elsewhere.
  void forget_erased(const store::Operation& operation) {
    const bool is_dying = operation.key.table == store::Table::dead && !operation.erase;
    for (const store::Row& row : kept_rows()) {
      const bool is_erased = operation.erase && row.key == operation.key;
      if (is_erased || (is_dying && is_dead(operation.key, operation.value, row.key.number))) {
        promised_.erase(name_in(row.value));
      }
    }
  }

  const identity::Identity self_{crypto::Ed25519Seed(ByteArray<32>{9})};
  Config config_;
  Now now_{Instant(seconds(1000)), WallTime(milliseconds(1'767'225'600'000))};
  Effects out_;
  store::MemoryStore disk_;
  store::Batch unsynced_;
  std::optional<store::PersistToken> token_;
  std::optional<Keeper> keeper_;
  std::map<Name, WallTime> promised_;
  std::map<std::uint64_t, Bytes> written_;  ///< bodies
  std::deque<Fetch> fetches_;
};

/// Those who use mailboxes, and what mailboxes tell them.
void check_users(ByteView bytes) {
  const identity::PeerId self{{7}};
  const identity::PeerId other{{8}};
  const Now now{Instant(seconds(1000)), WallTime(milliseconds(1'767'225'600'000))};
  const Config config;
  Effects out;
  Depositor depositor(self, config);
  const auto key = crypto::Ed25519KeyPair::from_seed(crypto::Ed25519Seed(ByteArray<32>{1})).public_key();
  depositor.on_link_up(now, other, key, true, out);
  CHECK(!depositor.on_stored(now, other, bytes, out).has_value());
  static_cast<void>(depositor.on_not_stored(now, other, bytes, out));
  depositor.check_invariants();
  const identity::Identity keeper_self(crypto::Ed25519Seed(ByteArray<32>{1}));
  Keeper keeper(keeper_self, config, Rng(Rng::Seed{1}),
                [](const identity::PeerId&) { return identity::TrustTier::stranger; });
  static_cast<void>(keeper.load_dead_row(0, bytes));
  static_cast<void>(keeper.load_row(1, bytes));
  keeper.start(now, out);
  keeper.check_invariants();
  Collector collector(self, config);
  const auto buffer = std::make_shared<const Bytes>(to_bytes(bytes));
  static_cast<void>(collector.on_parcel(other, buffer, *buffer, out));
  static_cast<void>(collector.load_row(bytes));
  collector.check_invariants();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  check_round_trip<Parcel>(bytes);
  check_round_trip<Statement>(bytes);
  check_round_trip<NotStored>(bytes);
  check_round_trip<Collect>(bytes);
  check_round_trip<Delivery>(bytes);
  check_round_trip<Collected>(bytes);
  check_round_trip<ParcelRow>(bytes);
  check_round_trip<WholeParcelRow>(bytes);
  check_round_trip<DeadRow>(bytes);
  check_round_trip<OwnRow>(bytes);
  check_users(bytes);
  World world;
  Script script(bytes);
  for (int steps = 0; steps < 300 && !script.is_over(); ++steps) world.step(script);
  return 0;
}
