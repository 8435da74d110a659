#include "mailbox/keeper.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <set>

#include "mailbox/statement.hpp"
#include "mailbox/wire_form.hpp"
#include "store/memory_store.hpp"

namespace ekiden::mailbox {
namespace {

identity::PeerId peer(Byte first) { return identity::PeerId{{first}}; }

const identity::PeerId kBob = peer(0xb0);
const identity::PeerId kCarol = peer(0xc0);

/// A keeper, its disk, and what it says to whom.
class KeeperTest : public ::testing::Test {
 protected:
  KeeperTest() { restart(); }

  void restart() {
    keeper_.emplace(self_, config_, Rng(Rng::Seed{1}), [this](const identity::PeerId& who) {
      return contacts_.contains(who) ? identity::TrustTier::contact : identity::TrustTier::stranger;
    });
    token_.reset();
    fetches_.clear();
    for (const store::Row& row : disk_.rows(store::Reading::gathered)) {
      ASSERT_TRUE(keeper_->load_dead_row(row.key.number, row.value));
    }
    for (const store::Row& row : disk_.rows(store::Reading::streamed)) {
      ASSERT_TRUE(keeper_->load_row(row.key.number, row.value));
    }
    keeper_->start(now_, out_);
    run();
  }

  static Bytes parcel(const identity::PeerId& from, const identity::PeerId& to, Byte id, std::size_t size = 100,
                      wire::Priority priority = wire::Priority::normal, Byte fill = 1) {
    const Bytes payload(size, fill);
    Uuid uuid;
    uuid.bytes[0] = id;
    uuid.bytes[6] = 0x40;
    uuid.bytes[8] = 0x80;
    return wire::encode(Parcel{.id = uuid,
                               .from = from,
                               .to = to,
                               .expires = kStart + milliseconds(days(7)),
                               .priority = priority,
                               .kind = ParcelKind::envelope,
                               .payload = payload});
  }

  Status deposit(const identity::PeerId& from, ByteView body, Byte network = 1) {
    const auto prefix = identity::prefix_of(identity::IpAddress::v4({203, 0, network, 9}));
    const Status status = keeper_->on_deposit(now_, from, prefix, body, out_);
    run();
    return status;
  }

  void collect(const identity::PeerId& owner, std::uint32_t window = 64) {
    ASSERT_TRUE(keeper_->on_collect(now_, owner, wire::encode(Collect{window}), out_));
    run();
  }

  void confirm(const identity::PeerId& owner, std::vector<std::uint64_t> numbers) {
    ASSERT_TRUE(keeper_->on_collected(now_, owner, wire::encode(Collected{std::move(numbers)}), out_));
    run();
  }

  void advance(Duration by) {
    now_.mono += by;
    now_.wall += std::chrono::duration_cast<milliseconds>(by);
    keeper_->on_deadline(now_, out_);
    run();
  }

  void run() {
    for (Effect& effect : out_.take()) {
      if (auto* persist = std::get_if<Persist>(&effect)) {
        unsynced_.append(std::move(persist->batch));
        if (persist->token) token_ = persist->token;
      } else if (const auto* transmit = std::get_if<Transmit>(&effect)) {
        heard(*transmit);
      } else if (auto* fetch = std::get_if<Fetch>(&effect)) {
        fetches_.push_back(std::move(*fetch));
      } else if (const auto* damaged = std::get_if<Damaged>(&effect)) {
        damaged_.emplace_back(damaged->from, damaged->owner);
      }
    }
    keeper_->check_invariants();
    if (disk_works_) sync();
    if (disk_reads_) read();
  }

  /// Answers what was asked for so far.
  void read() {
    while (!fetches_.empty()) {
      const Fetch wanted = std::move(fetches_.front());
      fetches_.pop_front();
      EXPECT_EQ(wanted.table, store::Table::bodies);
      keeper_->on_fetched(now_, disk_.fetch(wanted).rows, out_);
      run();
    }
  }

  /// What a disk may do to the body of a parcel.
  void damage(std::uint64_t number, const std::optional<Bytes>& value) {
    store::Batch batch;
    if (value) {
      batch.put(store::Table::bodies, number, *value);
    } else {
      batch.erase(store::Table::bodies, number);
    }
    disk_.apply(batch);
  }

  Bytes body_on_disk(std::uint64_t number) const {
    return disk_.fetch({.table = store::Table::bodies, .numbers = {number}}).rows[0].value.value_or(Bytes{});
  }

  std::size_t rows_of(store::Table table) const {
    return static_cast<std::size_t>(
        std::ranges::count(disk_.rows(), table, [](const store::Row& row) { return row.key.table; }));
  }

  void sync() {
    if (unsynced_.empty()) return;
    disk_.apply(std::exchange(unsynced_, {}));
    if (!token_) return;
    keeper_->on_persisted(now_, *std::exchange(token_, std::nullopt), out_);
    run();
  }

  void heard(const Transmit& transmit) {
    const ByteView body = ByteView(*transmit.message).subspan(1);
    switch (static_cast<wire::MessageType>((*transmit.message)[0])) {
      case wire::MessageType::stored: {
        const auto statement = open_statement(body, self_.id(), self_.public_key(), transmit.to);
        ASSERT_TRUE(statement);
        for (const StoredItem& item : statement->stored) stored_.push_back(item);
        return;
      }
      case wire::MessageType::not_stored:
        refused_.push_back(wire::decode<NotStored>(body)->reason);
        return;
      case wire::MessageType::parcel: {
        const auto delivery = wire::decode<Delivery>(body);
        EXPECT_TRUE(wire::decode<Parcel>(delivery->parcel));
        given_.emplace_back(transmit.to, delivery->number);
        priorities_.push_back(transmit.priority);
        return;
      }
      default:
        FAIL();
    }
  }

  static constexpr WallTime kStart{milliseconds(1'767'225'600'000)};
  const identity::Identity self_{crypto::Ed25519Seed(ByteArray<32>{1})};
  Config config_;
  Now now_{Instant(seconds(100)), kStart};
  std::set<identity::PeerId> contacts_{};
  store::MemoryStore disk_{};
  store::Batch unsynced_{};
  std::optional<store::PersistToken> token_{};
  bool disk_works_ = true;
  bool disk_reads_ = true;
  std::deque<Fetch> fetches_{};
  std::vector<std::pair<identity::PeerId, identity::PeerId>> damaged_{};
  Effects out_{};
  std::vector<StoredItem> stored_{};
  std::vector<RefusalReason> refused_{};
  std::vector<std::pair<identity::PeerId, std::uint64_t>> given_{};
  std::vector<wire::Priority> priorities_{};
  std::optional<Keeper> keeper_{};
};

TEST_F(KeeperTest, SaysStoredOnceItIsOnTheDisk) {
  disk_works_ = false;
  ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, 1)));
  EXPECT_TRUE(stored_.empty());
  sync();
  ASSERT_EQ(stored_.size(), 1U);
  EXPECT_EQ(stored_[0].owner, kCarol);
  EXPECT_EQ(stored_[0].until, kStart + milliseconds(days(7)));
}

TEST_F(KeeperTest, GivesOnlyToTheOwnerAndForgetsWhatIsConfirmed) {
  ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, 1)));
  collect(kBob);
  EXPECT_TRUE(given_.empty());
  collect(kCarol);
  ASSERT_EQ(given_.size(), 1U);
  confirm(kBob, {given_[0].second});
  EXPECT_EQ(keeper_->status().used.parcels, 1U) << "Bob cannot confirm for Carol";
  confirm(kCarol, {given_[0].second});
  EXPECT_EQ(keeper_->status().used.parcels, 0U);
  EXPECT_FALSE(disk_.rows().empty());
  advance(kEraseDelay);
  EXPECT_TRUE(disk_.rows().empty());
}

TEST_F(KeeperTest, TakesParcelsFromTheirSenderAlone) {
  const auto status = deposit(kCarol, parcel(kBob, kCarol, 1));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::refused);
  EXPECT_FALSE(deposit(kBob, parcel(kBob, kBob, 1)));
  EXPECT_FALSE(deposit(kBob, parcel(kBob, self_.id(), 1)));
  EXPECT_FALSE(deposit(kBob, Bytes{0xa0}));
}

TEST_F(KeeperTest, ARestartLosesNothing) {
  for (Byte i = 0; i < 10; ++i) ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, i)));
  restart();
  EXPECT_EQ(keeper_->status().used.parcels, 10U);
  collect(kCarol);
  EXPECT_EQ(given_.size(), 10U);
}

TEST_F(KeeperTest, ARepetitionTakesNoRoomAndIsAnsweredAgain) {
  ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, 1)));
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, 1)));
  EXPECT_EQ(keeper_->status().used.parcels, 1U);
  advance(kAnswerDelay);
  EXPECT_EQ(stored_.size(), 2U) << "fifty repetitions, one answer";
}

TEST_F(KeeperTest, AnotherPayloadReplacesTheFirst) {
  ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, 1)));
  collect(kCarol);
  ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, 1, 100, wire::Priority::normal, 2)));
  EXPECT_EQ(keeper_->status().used.parcels, 1U);
  ASSERT_EQ(given_.size(), 2U);
  confirm(kCarol, {given_[0].second});
  EXPECT_EQ(keeper_->status().used.parcels, 1U) << "the number of the first is not that of the second";
  confirm(kCarol, {given_[1].second});
  EXPECT_EQ(keeper_->status().used.parcels, 0U);
}

TEST_F(KeeperTest, GivesTheUrgentFirstAndNoMoreThanTheWindow) {
  for (Byte i = 0; i < 10; ++i) {
    ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, i, 100, static_cast<wire::Priority>(4 - i % 5))));
  }
  collect(kCarol, 4);
  ASSERT_EQ(given_.size(), 4U);
  for (std::size_t next = 0; next < given_.size(); ++next) confirm(kCarol, {given_[next].second});
  ASSERT_EQ(given_.size(), 10U);
  EXPECT_TRUE(std::ranges::is_sorted(priorities_));
}

TEST_F(KeeperTest, CollectingResumesOverTheNextLink) {
  for (Byte i = 0; i < 6; ++i) ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, i)));
  collect(kCarol, 3);
  confirm(kCarol, {given_[0].second});
  keeper_->on_link_down(kCarol);
  given_.clear();
  collect(kCarol, 64);
  EXPECT_EQ(given_.size(), 5U);
}

TEST_F(KeeperTest, WhatIsNotConfirmedIsGivenAgain) {
  ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, 1)));
  collect(kCarol);
  advance(config_.again_after);
  EXPECT_EQ(given_.size(), 2U);
  EXPECT_EQ(given_[0], given_[1]);
}

TEST_F(KeeperTest, AFullMailboxRefusesAndDropsNothing) {
  config_.max_parcels = 8;
  config_.stranger_share = 2;
  for (Byte i = 0; i < 20; ++i) ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, i)));
  EXPECT_EQ(stored_.size(), 4U);
  EXPECT_EQ(refused_.size(), 16U);
  EXPECT_EQ(refused_[0], RefusalReason::strangers_full);
  contacts_.insert(kCarol);
  for (Byte i = 20; i < 40; ++i) ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, i)));
  EXPECT_EQ(stored_.size(), 8U);
  EXPECT_EQ(refused_.back(), RefusalReason::full);
  collect(kCarol);
  EXPECT_EQ(given_.size(), 8U);
}

TEST_F(KeeperTest, EachSenderOwnerAndNetworkHasAShare) {
  config_.max_parcels_per_sender = 2;
  config_.max_parcels_per_owner = 3;
  config_.max_parcels_per_prefix = 4;
  for (Byte i = 0; i < 3; ++i) ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, i)));
  EXPECT_EQ(refused_, std::vector{RefusalReason::sender_full});
  for (Byte i = 0; i < 2; ++i) ASSERT_TRUE(deposit(peer(1), parcel(peer(1), kCarol, i)));
  EXPECT_EQ(refused_.back(), RefusalReason::owner_full);
  ASSERT_TRUE(deposit(peer(2), parcel(peer(2), peer(9), 1)));
  ASSERT_TRUE(deposit(peer(3), parcel(peer(3), peer(9), 1)));
  EXPECT_EQ(refused_.back(), RefusalReason::prefix_full) << "new identities of one network buy nothing";
  ASSERT_TRUE(deposit(peer(3), parcel(peer(3), peer(9), 1), /*network=*/7));
  EXPECT_EQ(stored_.size(), 5U);
}

TEST_F(KeeperTest, TheirBytesAreCountedToo) {
  config_.max_bytes_per_sender = 1000;
  ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, 1, 700)));
  ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, 2, 700)));
  EXPECT_EQ(refused_, std::vector{RefusalReason::sender_full});
  collect(kCarol);
  confirm(kCarol, {given_[0].second});
  ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, 2, 700)));
  EXPECT_EQ(stored_.size(), 2U);
}

TEST_F(KeeperTest, RefusesWhatItCannotOrMayNotKeep) {
  keeper_->set_storage(false);
  ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, 1)));
  EXPECT_EQ(refused_.back(), RefusalReason::storage);
  keeper_->set_storage(true);
  config_.serve = false;
  ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, 1)));
  EXPECT_EQ(refused_.back(), RefusalReason::off);
  config_.serve = true;
  now_.wall += milliseconds(days(8));
  ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, 1)));
  EXPECT_EQ(refused_.back(), RefusalReason::expired);
}

TEST_F(KeeperTest, WhatIsOverIsErased) {
  ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, 1)));
  advance(days(7) - minutes(2));
  EXPECT_EQ(keeper_->status().used.parcels, 1U);
  advance(minutes(4));
  EXPECT_EQ(keeper_->status().expired, 1U);
  EXPECT_TRUE(disk_.rows().empty());
}

TEST_F(KeeperTest, ADamagedRowFailsTheStart) {
  ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, 1)));
  store::Row row = disk_.rows(store::Reading::streamed)[0];
  row.value.resize(row.value.size() - 1);
  Keeper other(self_, config_, Rng(Rng::Seed{1}),
               [](const identity::PeerId&) { return identity::TrustTier::stranger; });
  const auto loaded = other.load_row(row.key.number, row.value);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::storage_corrupt);
}

TEST_F(KeeperTest, BodiesComeFromTheDisk) {
  ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, 1)));
  disk_reads_ = false;
  collect(kCarol);
  EXPECT_TRUE(given_.empty());
  ASSERT_EQ(fetches_.size(), 1U);
  read();
  EXPECT_EQ(given_.size(), 1U);
}

TEST_F(KeeperTest, ADamagedBodyIsNeverGivenAndMakesRoomForOthers) {
  for (Byte i = 0; i < 3; ++i) ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, i)));
  Bytes changed = body_on_disk(1);
  changed[changed.size() / 2] ^= 0x10;
  damage(1, changed);
  damage(2, std::nullopt);
  collect(kCarol, 1);
  ASSERT_EQ(given_.size(), 1U) << "of a window of one, which damaged ones do not use up";
  EXPECT_EQ(given_[0].second, 3U);
  EXPECT_EQ(damaged_, (std::vector<std::pair<identity::PeerId, identity::PeerId>>(2, {kBob, kCarol})));
  EXPECT_EQ(keeper_->status().damaged, 2U);
  EXPECT_EQ(keeper_->status().used.parcels, 1U);
  EXPECT_EQ(disk_.rows().size(), 2U) << "row and body of the third";
  ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, 1)));
  EXPECT_EQ(keeper_->status().used.parcels, 2U) << "its sender may leave it again";
}

TEST_F(KeeperTest, WhatIsReadForWhoIsGoneIsGivenToNobody) {
  ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, 1)));
  disk_reads_ = false;
  collect(kCarol);
  keeper_->on_link_down(kCarol);
  read();
  EXPECT_TRUE(given_.empty());
  collect(kCarol);
  read();
  EXPECT_EQ(given_.size(), 1U);
}

TEST_F(KeeperTest, WhoComesBackMeanwhileIsGivenItOnce) {
  ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, 1)));
  disk_reads_ = false;
  collect(kCarol);
  keeper_->on_link_down(kCarol);
  for (int i = 0; i < 20; ++i) collect(kCarol);
  EXPECT_EQ(fetches_.size(), 1U) << "what is on its way is not asked for again";
  read();
  EXPECT_EQ(given_.size(), 1U);
}

TEST_F(KeeperTest, WhatIsConfirmedExpiredOrReplacedMeanwhileIsNotGiven) {
  for (Byte i = 1; i <= 3; ++i) ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, i)));
  disk_reads_ = false;
  collect(kCarol);
  confirm(kCarol, {1});
  ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, 2, 100, wire::Priority::normal, 2)));
  read();
  ASSERT_EQ(given_.size(), 2U);
  EXPECT_EQ(given_[0].second, 3U);
  EXPECT_EQ(given_[1].second, 4U) << "the second, anew";
  given_.clear();
  collect(kCarol);
  now_.wall += milliseconds(days(8));
  advance(minutes(2));
  EXPECT_EQ(keeper_->status().expired, 2U);
  read();
  EXPECT_TRUE(given_.empty());
  EXPECT_TRUE(damaged_.empty());
}

TEST_F(KeeperTest, WhatIsOnItsWayFromTheDiskIsBoundedAndOwnersTakeTurns) {
  config_.max_fetch_bytes = 1000;
  constexpr Byte kOwners = 10;
  for (Byte owner = 1; owner <= kOwners; ++owner) {
    for (Byte i = 0; i < 3; ++i) ASSERT_TRUE(deposit(kBob, parcel(kBob, peer(owner), i, 300)));
  }
  disk_reads_ = false;
  for (Byte owner = 1; owner <= kOwners; ++owner) collect(peer(owner));
  std::size_t asked = 0;
  for (const Fetch& fetch : fetches_) asked += fetch.numbers.size();
  EXPECT_EQ(asked, 3U);
  keeper_->on_link_down(peer(5));
  read();
  EXPECT_EQ(given_.size(), 27U);
  EXPECT_TRUE(std::ranges::none_of(given_, [](const auto& given) { return given.first == peer(5); }));
  collect(peer(5));
  read();
  EXPECT_EQ(given_.size(), 30U);
}

TEST_F(KeeperTest, WhatIsAskedForAgainIsReadAgain) {
  ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, 1)));
  disk_reads_ = false;
  collect(kCarol);
  advance(config_.again_after);
  EXPECT_EQ(fetches_.size(), 1U) << "the disk is slow";
  read();
  EXPECT_EQ(given_.size(), 1U);
  advance(config_.again_after);
  EXPECT_EQ(fetches_.size(), 1U);
  read();
  EXPECT_EQ(given_.size(), 2U);
}

TEST_F(KeeperTest, WhatIsConfirmedIsErasedBeforeItsRoomIsFilledOnTheDisk) {
  config_.max_parcels = 2;
  config_.stranger_share = 1;
  for (Byte i = 1; i <= 2; ++i) ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, i)));
  collect(kCarol);
  confirm(kCarol, {1});
  restart();
  EXPECT_EQ(keeper_->status().used.parcels, 2U) << "a crash before it was erased";
  given_.clear();
  collect(kCarol);
  EXPECT_EQ(given_.size(), 2U);
  confirm(kCarol, {1});
  ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, 3)));
  restart();
  EXPECT_EQ(keeper_->status().used.parcels, 2U);
}

TEST_F(KeeperTest, WhatIsDeadIsOnTheDiskAndStaysDead) {
  for (Byte i = 1; i <= 9; ++i) ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, i)));
  collect(kCarol);
  confirm(kCarol, {2, 3, 9});
  advance(kEraseDelay);
  EXPECT_EQ(rows_of(store::Table::bodies), 9U);
  EXPECT_EQ(rows_of(store::Table::dead), 1U);
  EXPECT_EQ(keeper_->status().used.parcels, 6U);
  restart();
  EXPECT_EQ(keeper_->status().used.parcels, 6U);
  given_.clear();
  collect(kCarol);
  EXPECT_EQ(given_.size(), 6U);
  ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, 2)));
  EXPECT_EQ(given_.back().second, 10U) << "a dead one does not stand in the way, nor is its number used again";
  restart();
  EXPECT_EQ(keeper_->status().used.parcels, 7U);
  advance(kMaxDead);
  EXPECT_EQ(rows_of(store::Table::bodies), 7U);
  EXPECT_EQ(rows_of(store::Table::parcels), 7U);
  EXPECT_EQ(rows_of(store::Table::dead), 0U);
}

TEST_F(KeeperTest, SegmentsThatAreDueAtOnceAreCleanedOneCommitAfterTheOther) {
  constexpr std::size_t kSegments = 6;
  config_.stranger_share = 1;
  // Of each segment, Carol has one less than half, and another owner the one that is missing.
  const auto owner_of = [](std::size_t number) {
    const std::size_t place = number % kSegment;
    return place == kSegment / 2 ? peer(2) : place > 0 && place < kSegment / 2 ? kCarol : peer(3);
  };
  for (std::size_t number = 1; number < kSegments * kSegment; ++number) {
    const identity::PeerId from = peer(static_cast<Byte>(100 + number / 256));
    ASSERT_TRUE(deposit(from, parcel(from, owner_of(number), static_cast<Byte>(number % 256), 10)));
  }
  const auto take_all = [&](const identity::PeerId& owner) {
    given_.clear();
    collect(owner);
    for (std::size_t next = 0; next < given_.size(); ++next) confirm(owner, {given_[next].second});
  };
  take_all(kCarol);
  advance(kEraseDelay);
  EXPECT_EQ(rows_of(store::Table::dead), kSegments);
  EXPECT_EQ(rows_of(store::Table::parcels), kSegments * kSegment - 1);
  disk_works_ = false;
  take_all(peer(2));
  advance(kEraseDelay);
  std::size_t commits = 0;
  for (; !unsynced_.empty(); ++commits) {
    const auto erased = std::ranges::count_if(unsynced_.operations(), [](const store::Operation& operation) {
      return operation.key.table == store::Table::parcels && operation.erase;
    });
    EXPECT_LE(static_cast<std::size_t>(erased), kMaxCleaned + 2 * kSegments + kSegment / 2);
    sync();
  }
  EXPECT_GT(commits, 2U);
  EXPECT_EQ(rows_of(store::Table::parcels), keeper_->status().used.parcels);
  EXPECT_EQ(rows_of(store::Table::bodies), keeper_->status().used.parcels);
  EXPECT_EQ(rows_of(store::Table::dead), 0U);
}

TEST_F(KeeperTest, RowsWithTheirBodiesInThemAreSplitAtTheStart) {
  store::Batch old;
  for (Byte i = 1; i <= 3; ++i) {
    const Bytes body = parcel(kBob, kCarol, i);
    old.put(store::Table::parcels, i,
            wire::encode(WholeParcelRow{.until = kStart + milliseconds(days(1)), .parcel = body}));
  }
  disk_.apply(old);
  disk_works_ = false;
  restart();
  EXPECT_EQ(keeper_->status().used.parcels, 3U);
  collect(kCarol);
  EXPECT_TRUE(given_.empty()) << "not before it is on disk in its new form";
  sync();
  EXPECT_EQ(given_.size(), 3U);
  EXPECT_EQ(disk_.rows().size(), 6U);
  disk_works_ = true;
  restart();
  given_.clear();
  collect(kCarol);
  EXPECT_EQ(given_.size(), 3U);
  ASSERT_TRUE(deposit(kBob, parcel(kBob, kCarol, 4)));
  EXPECT_EQ(given_.back().second, 4U);
}

TEST_F(KeeperTest, ARowWithADamagedParcelInItFailsTheStart) {
  Bytes body = parcel(kBob, kCarol, 1);
  body[0] ^= 0xff;
  const Bytes row = wire::encode(WholeParcelRow{.until = kStart, .parcel = body});
  const auto loaded = keeper_->load_row(1, row);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::storage_corrupt);
}

}  // namespace
}  // namespace ekiden::mailbox
