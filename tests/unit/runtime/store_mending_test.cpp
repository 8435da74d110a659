// Damage among the bodies of parcels, wherever it is: the store opens, works, and has all else as it was.
#include "runtime/store_mending.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.hpp"
#include "unit/runtime/store_fixture.hpp"

namespace ekiden::runtime {
namespace {

using store::Table;

/// Every row of bodies says whose it is; every 500th is so long that most of it is on pages of its own.
Bytes mended_body(std::uint64_t number) {
  Bytes body(number % 500 == 7 ? 30'000 : 1'000, static_cast<Byte>(number));
  put_be(MutableBytes(body).first<8>(), number);
  return body;
}

class StoreMendingTest : public ::testing::Test {
 protected:
  /// `count` parcels, and rows of other tables before and behind them.
  void fill(std::uint64_t count) {
    ASSERT_TRUE(create_store(path_, vfs_.name()));
    auto store = open();
    ASSERT_TRUE(store);
    StoreWatch watch;
    (*store)->start(watch.events());
    store::Batch batch;
    for (std::uint64_t i = 0; i < 300; ++i) batch.put(Table::inbox, i, Bytes(500, static_cast<Byte>(i)));
    for (std::uint64_t i = 1; i <= count; ++i) {
      batch.put(Table::parcels, i, Bytes(130, static_cast<Byte>(i)));
      batch.put(Table::bodies, i, mended_body(i));
    }
    batch.put(Table::meta, as_bytes("a name"), Bytes(100, 5));
    (*store)->persist(store::PersistToken{1}, std::move(batch));
    ASSERT_TRUE((*store)->drain(kPatience));
    store->reset();
    count_ = count;
    whole_ = content();
    others_ = rows_of_others();
    ASSERT_EQ(others_.size(), 301 + count);
  }

  Result<std::unique_ptr<SqliteStore>> open() { return SqliteStore::open({.path = path_, .vfs = vfs_.name()}); }

  std::vector<store::Row> rows_of_others() {
    std::vector<store::Row> rows;
    auto store = open();
    if (!store) return rows;
    for (const auto reading : {store::Reading::gathered, store::Reading::streamed}) {
      const auto loaded = (*store)->load(reading, [&](const store::Key& key, ByteView value) -> Status {
        rows.push_back({key, to_bytes(value)});
        return {};
      });
      EXPECT_TRUE(loaded) << loaded.error().message;
    }
    return rows;
  }

  Bytes content() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  void write(const Bytes& bytes) const {
    std::ofstream out(path_, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }

  /// Of the whole store: where pages begin that belong to a table and are of this kind.
  std::vector<std::size_t> pages_of(const std::string& table, const std::string& kind) const {
    std::vector<std::size_t> begins;
    auto database = open_store(path_, vfs_.name());
    EXPECT_TRUE(database);
    auto pages = database->prepare("SELECT pageno FROM dbstat WHERE name = '" + table + "' AND pagetype = '" + kind +
                                   "' ORDER BY pageno");
    EXPECT_TRUE(pages) << pages.error().message;
    while (pages && pages->step() == SQLITE_ROW) {
      begins.push_back((static_cast<std::size_t>(pages->number(0)) - 1) * kPageSize);
    }
    return begins;
  }

  /// Bodies as a node reads them: what is there, and what of it is right.
  struct Found {
    std::uint64_t there = 0;
    std::uint64_t right = 0;
  };
  Found bodies_of(SqliteStore& store, StoreWatch& watch) const {
    store::Fetch wanted{.table = Table::bodies, .numbers = {}};
    for (std::uint64_t i = 1; i <= count_; ++i) wanted.numbers.push_back(i);
    const std::size_t before = watch.wait_for_fetched(0).size();
    store.fetch(std::move(wanted));
    store.submit();
    const auto fetched = watch.wait_for_fetched(before + 1);
    Found found;
    if (fetched.size() != before + 1) return found;
    for (const auto& [number, value] : fetched.back().rows) {
      if (!value) continue;
      ++found.there;
      if (*value == mended_body(number)) ++found.right;
    }
    return found;
  }

  /// Opens what is there now; it works, and is whole but for `lost` bodies at the most.
  void expect_works(std::uint64_t lost, const std::string& where) {
    {
      auto store = open();
      ASSERT_TRUE(store) << where << ": " << store.error().message;
      StoreWatch watch;
      (*store)->start(watch.events());
      const Found found = bodies_of(**store, watch);
      EXPECT_GE(found.right + lost, count_) << where << ", of which are there " << found.there;
      store::Batch batch;
      for (std::uint64_t i = 1; i <= count_; i += 3) batch.erase(Table::bodies, i);
      batch.put(Table::bodies, count_ + 1, mended_body(count_ + 1));
      (*store)->persist(store::PersistToken{1}, std::move(batch));
      ASSERT_TRUE((*store)->drain(kPatience)) << where;
      EXPECT_FALSE(watch.failure()) << where << ": " << watch.failure()->message;
    }
    EXPECT_EQ(rows_of_others(), others_) << where;
    EXPECT_TRUE(open_store(path_, vfs_.name())) << where << ": something is left of the damage";
    EXPECT_FALSE(std::filesystem::exists(path_.string() + ".mended")) << where;
  }

  FaultyVfs vfs_;  // Its syncs take no time.
  test::TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_ / "ekiden.db";
  std::uint64_t count_ = 0;
  Bytes whole_;
  std::vector<store::Row> others_;
};

TEST_F(StoreMendingTest, AWholeStoreIsLeftAlone) {
  fill(100);
  const auto store = open();
  ASSERT_TRUE(store);
  EXPECT_FALSE((*store)->mended());
  EXPECT_EQ(content(), whole_);
}

TEST_F(StoreMendingTest, DamageToAnyKindOfPageCostsAtMostTheBodiesBelowIt) {
  fill(10'000);
  ASSERT_GT(whole_.size(), std::size_t{10} << 20);
  const auto inner = pages_of("bodies", "internal");
  const auto leaves = pages_of("bodies", "leaf");
  const auto overflow = pages_of("bodies", "overflow");
  ASSERT_GT(inner.size(), 2u);  // A tree of three levels: its root, and those below.
  ASSERT_GT(leaves.size(), 1'000u);
  ASSERT_FALSE(overflow.empty());
  Rng rng(Rng::Seed{7});
  const auto spoil = [&](std::size_t begin, std::size_t size, std::uint64_t lost, const std::string& where) {
    Bytes bytes = whole_;
    for (std::size_t i = 0; i < size; ++i) bytes[begin + i] = static_cast<Byte>(rng.next());
    write(bytes);
    expect_works(lost, where);
  };
  for (const std::size_t page : inner) spoil(page, 200, count_, "the inner page at " + std::to_string(page));
  for (const std::size_t page : {leaves.front(), leaves[leaves.size() / 2], leaves.back()}) {
    spoil(page, 40, 8, "the head of the leaf at " + std::to_string(page));
    spoil(page, kPageSize, 8, "all of the leaf at " + std::to_string(page));
  }
  spoil(overflow.front(), 4, 1, "where the first long body goes on");
}

TEST_F(StoreMendingTest, AFlippedBitInTheTreeCostsTheBodiesBelowItAtMost) {
  fill(60);
  const auto leaves = pages_of("bodies", "leaf");
  const auto inner = pages_of("bodies", "internal");
  ASSERT_EQ(inner.size(), 1u);
  // The head of the first leaf with the places of its rows, of its last row that with its number and size, the root.
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < 24; ++i) places.push_back(leaves.front() + i);
  const std::size_t last_row = std::size_t{whole_[leaves.front() + 5]} << 8U | whole_[leaves.front() + 6];
  for (std::size_t i = 0; i < 8; ++i) places.push_back(leaves.front() + last_row + i);
  for (std::size_t i = 0; i < 24; ++i) places.push_back(inner.front() + i);
  for (const std::size_t place : places) {
    const std::size_t bit = place % 8;
    Bytes bytes = whole_;
    bytes[place] ^= static_cast<Byte>(1U << bit);
    write(bytes);
    const std::uint64_t lost = place >= inner.front() && place < inner.front() + kPageSize ? count_ : 8;
    expect_works(lost, "bit " + std::to_string(bit) + " of byte " + std::to_string(place));
    if (HasFailure()) return;
  }
}

TEST_F(StoreMendingTest, AStoreWhoseEndIsMissingKeepsWhatIsThere) {
  fill(10'000);
  const std::size_t pages = whole_.size() / kPageSize;
  const std::size_t inner = pages_of("bodies", "internal").back() / kPageSize;
  const std::size_t parcels = pages_of("parcels", "leaf").back() / kPageSize;
  for (const std::size_t left : {pages - 1, (inner + pages) / 2, inner + 1}) {
    Bytes bytes = whole_;
    bytes.resize(left * kPageSize);
    write(bytes);
    if (parcels < left) {
      expect_works((pages - left) * 8 + 100, "cut after page " + std::to_string(left));
    } else {
      EXPECT_FALSE(open()) << "parcels are missing after page " << left;
      EXPECT_EQ(content(), bytes);
    }
  }
}

TEST_F(StoreMendingTest, FreePagesThatAreDamagedCostNothing) {
  fill(500);
  {
    auto store = open();
    ASSERT_TRUE(store);
    StoreWatch watch;
    (*store)->start(watch.events());
    store::Batch batch;
    for (std::uint64_t i = 100; i < 400; ++i) batch.erase(Table::bodies, i);
    (*store)->persist(store::PersistToken{1}, std::move(batch));
    ASSERT_TRUE((*store)->drain(kPatience));
  }
  Bytes bytes = content();
  const auto first_free = get_be<std::uint32_t>(ByteView(bytes).subspan(32, 4));  // In the header of the file.
  ASSERT_GT(first_free, 0u);
  bytes[(std::size_t{first_free} - 1) * kPageSize + 9] ^= 0x10;
  write(bytes);
  ASSERT_FALSE(open_store(path_, vfs_.name()));
  expect_works(300, "the list of free pages");
}

TEST_F(StoreMendingTest, DamageElsewhereIsRefusedAndChangesNothing) {
  fill(200);
  const auto bodies = pages_of("bodies", "leaf");
  for (const char* table : {"inbox", "parcels"}) {
    Bytes bytes = whole_;
    const std::size_t page = pages_of(table, "leaf").front();
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(page), 100, Byte{0xff});
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(bodies.front()), 100, Byte{0xff});
    write(bytes);
    const auto store = open();
    ASSERT_FALSE(store) << table;
    EXPECT_EQ(store.error().code, Errc::storage_corrupt);
    EXPECT_NE(store.error().message.find("restore"), std::string::npos) << store.error().message;
    EXPECT_EQ(content(), bytes);
    EXPECT_FALSE(std::filesystem::exists(path_.string() + ".mended"));
    write(whole_);
  }
}

TEST_F(StoreMendingTest, DamageThatIsMetWhileTheNodeRunsIsMendedThen) {
  fill(10'000);
  const auto leaves = pages_of("bodies", "leaf");
  for (const bool reads : {true, false}) {
    write(whole_);
    auto store = open();
    ASSERT_TRUE(store);
    StoreWatch watch;
    (*store)->start(watch.events());
    {
      std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
      for (const std::size_t page : leaves) {
        file.seekp(static_cast<std::streamoff>(page));
        if (page != leaves.front()) file.write("spoiled!", 8);
      }
    }
    if (reads) {
      const Found found = bodies_of(**store, watch);
      EXPECT_EQ(found.there, found.right);
    }
    store::Batch batch;
    for (std::uint64_t i = 5'000; i < 5'100; ++i) batch.erase(Table::bodies, i);
    batch.put(Table::bodies, count_ + 1, mended_body(count_ + 1));
    batch.put(Table::meta, as_bytes("a later name"), Bytes(10, 1));
    (*store)->persist(store::PersistToken{1}, std::move(batch));
    EXPECT_TRUE((*store)->drain(kPatience));
    EXPECT_EQ(watch.mended().size(), 1u);
    EXPECT_EQ(watch.mended().front().total, count_);
    EXPECT_FALSE(watch.failure()) << watch.failure()->message;
    store->reset();
    EXPECT_EQ(rows_of_others().size(), others_.size() + 1);
  }
}

TEST_F(StoreMendingTest, AFailureInTheMiddleLeavesAStoreThatCanBeMended) {
  fill(60);
  Bytes damaged = whole_;
  std::fill_n(damaged.begin() + static_cast<std::ptrdiff_t>(pages_of("bodies", "leaf")[1]), 100, Byte{0xff});
  for (const Fault fault : {Fault::full, Fault::write_error, Fault::sync_error}) {
    for (std::uint64_t nth = 0;; nth += 1 + nth / 4) {
      write(damaged);
      vfs_.fail(fault, nth);
      const auto mended = mend_store(path_, vfs_.name());
      const bool failed = vfs_.failed();
      vfs_.fail(Fault::none, 0);
      const std::string where = "fault at call " + std::to_string(nth);
      EXPECT_NE(mended.has_value(), failed) << where;
      if (!mended) {
        EXPECT_EQ(mended.error().code == Errc::storage_full, fault == Fault::full) << where;
        EXPECT_EQ(content(), damaged) << where;
      }
      expect_works(8, where);
      if (mended || HasFailure()) {
        EXPECT_GT(nth, 10u);
        break;
      }
    }
  }
}

TEST_F(StoreMendingTest, NothingOfTheOldFileIsLeft) {
  fill(60);
  Bytes damaged = whole_;
  std::fill_n(damaged.begin() + static_cast<std::ptrdiff_t>(pages_of("bodies", "leaf")[1]), 100, Byte{0xff});
  write(damaged);
  const std::filesystem::path old = directory_ / "old";
  std::filesystem::create_hard_link(path_, old);
  const auto mended = mend_store(path_, vfs_.name());
  ASSERT_TRUE(mended) << mended.error().message;
  EXPECT_EQ(mended->total, 60u);
  EXPECT_GE(mended->kept, 52u);
  EXPECT_LT(mended->kept, 60u);
  std::ifstream in(old, std::ios::binary);
  const Bytes left{std::istreambuf_iterator<char>(in), {}};
  EXPECT_GE(left.size(), damaged.size());
  EXPECT_TRUE(std::ranges::all_of(left, [](Byte byte) { return byte == 0; }));
}

}  // namespace
}  // namespace ekiden::runtime
