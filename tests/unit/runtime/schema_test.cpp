#include "runtime/schema.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <utility>

#include "runtime/lock_holder.hpp"
#include "runtime/sqlite_store.hpp"
#include "unit/runtime/store_fixture.hpp"

namespace ekiden::runtime {
namespace {

class SchemaTest : public ::testing::Test {
 protected:
  void fill() {
    ASSERT_TRUE(create_store(path_));
    auto opened = SqliteStore::open({.path = path_});
    ASSERT_TRUE(opened);
    const Script script = make_script(100, 2000);
    StoreWatch watch;
    (*opened)->start(watch.events());
    for (std::size_t i = 0; i < 100; ++i) {
      store::Batch batch;
      batch.put(store::Table::inbox, i, Bytes(2000, 7));
      (*opened)->persist(store::PersistToken{i + 1}, std::move(batch));
    }
    ASSERT_TRUE((*opened)->drain(kPatience));
  }

  Bytes content() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  void write(const Bytes& bytes) const {
    std::ofstream out(path_, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }

  /// Opening fails with this code and leaves the file as it was.
  void expect_refused(Errc code, const std::string& words) {
    const Bytes before = content();
    auto opened = SqliteStore::open({.path = path_});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, code) << opened.error().message;
    EXPECT_NE(opened.error().message.find(path_.string()), std::string::npos) << opened.error().message;
    EXPECT_NE(opened.error().message.find(words), std::string::npos) << opened.error().message;
    for (const char* technical : {"\n", "***", "PRAGMA", "SELECT"}) {
      EXPECT_EQ(opened.error().message.find(technical), std::string::npos) << opened.error().message;
    }
    EXPECT_EQ(content(), before);
  }

  void execute(const char* sql) {
    auto database = Database::open(path_, nullptr);
    ASSERT_TRUE(database);
    auto done = database->execute(sql);
    ASSERT_TRUE(done) << done.error().message;
  }

  test::TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_ / "ekiden.db";
};

TEST_F(SchemaTest, ANewStoreIsPrivateVersionedAndLeavesNothingElse) {
  ASSERT_TRUE(create_store(path_));
  struct stat info{};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory_.path())) ++files;
  EXPECT_EQ(files, 1u);
  auto database = open_store(path_);
  ASSERT_TRUE(database) << database.error().message;
  EXPECT_EQ(*database->query_number("PRAGMA user_version"), released_migrations().size());
  EXPECT_EQ(*database->query_number("PRAGMA synchronous"), 2u);
}

TEST_F(SchemaTest, AStoreIsNeverOverwritten) {
  fill();
  const Bytes before = content();
  auto created = create_store(path_);
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code, Errc::already_exists);
  EXPECT_EQ(content(), before);
}

TEST_F(SchemaTest, TheRemainsOfAnInterruptedCreationAreNoObstacle) {
  std::ofstream(path_.string() + ".new") << "half made";
  ASSERT_TRUE(create_store(path_));
  EXPECT_TRUE(open_store(path_));
}

TEST_F(SchemaTest, TheLogOfALostStoreIsNotPlayedIntoANewOne) {
  const std::filesystem::path log = path_.string() + "-wal";
  std::ofstream(log) << "what the lost store had committed last";
  const auto created = create_store(path_);
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code, Errc::already_exists);
  EXPECT_NE(created.error().message.find(log.string()), std::string::npos) << created.error().message;
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_TRUE(std::filesystem::exists(log));
  std::filesystem::remove(log);
  EXPECT_TRUE(create_store(path_));
}

TEST_F(SchemaTest, AMissingStoreIsAnErrorAndNotANewStore) {
  auto opened = open_store(path_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::not_found);
  EXPECT_NE(opened.error().message.find("is missing"), std::string::npos);
  EXPECT_NE(opened.error().message.find("--new-store"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(SchemaTest, AnEmptyFileIsCorruptAndNotANewStore) {
  write({});
  expect_refused(Errc::storage_corrupt, "is empty");
}

TEST_F(SchemaTest, AFileThatIsNoDatabaseIsCorrupt) {
  write(Bytes(5000, 'x'));
  expect_refused(Errc::storage_corrupt, "cannot read the store: file is not a database: keep the file");
}

TEST_F(SchemaTest, ADamagedPageIsFoundAtOpening) {
  fill();
  Bytes bytes = content();
  ASSERT_GT(bytes.size(), 20u * 4096u);
  std::fill(bytes.begin() + 10 * 4096, bytes.begin() + 10 * 4096 + 200, Byte{0xff});
  write(bytes);
  expect_refused(Errc::storage_corrupt, "is damaged or cannot be read (Page 6: ");
}

TEST_F(SchemaTest, OfALargeStoreWhatIsReadOnDemandIsNotCheckedAtOpening) {
  fill();
  {
    auto opened = SqliteStore::open({.path = path_});
    ASSERT_TRUE(opened);
    StoreWatch watch;
    (*opened)->start(watch.events());
    store::Batch batch;
    for (std::uint64_t i = 0; i < 100; ++i) batch.put(store::Table::bodies, i, Bytes(2000, 0xb0));
    (*opened)->persist(store::PersistToken{1}, std::move(batch));
    ASSERT_TRUE((*opened)->drain(kPatience));
  }
  const Bytes whole = content();
  const auto damage_page_with = [&](Byte value) {
    Bytes bytes = whole;
    const Bytes row(2000, value);
    const auto found = std::search(bytes.begin(), bytes.end(), row.begin(), row.end()) - bytes.begin();
    ASSERT_LT(found, static_cast<std::ptrdiff_t>(bytes.size()));
    const auto page = bytes.begin() + found / kPageSize * kPageSize;
    std::fill(page, page + 200, Byte{0xff});
    write(bytes);
  };
  const auto open_large = [&] { return open_store(path_, nullptr, released_migrations(), 0); };
  damage_page_with(7);
  EXPECT_FALSE(open_large()) << "the inbox";
  damage_page_with(0xb0);
  EXPECT_TRUE(open_large());
  EXPECT_FALSE(open_store(path_)) << "a small one is checked to the end";
}

TEST_F(SchemaTest, ATruncatedStoreIsFoundAtOpening) {
  fill();
  Bytes bytes = content();
  bytes.resize(bytes.size() / 2);
  write(bytes);
  expect_refused(Errc::storage_corrupt, "restore");
}

TEST_F(SchemaTest, AStoreOfANewerVersionSaysSo) {
  ASSERT_TRUE(create_store(path_));
  execute("PRAGMA user_version = 999");
  expect_refused(Errc::unsupported, "newer ekiden");
}

TEST_F(SchemaTest, ADatabaseOfAnotherProgramIsRefused) {
  ASSERT_TRUE(create_store(path_));
  execute("PRAGMA application_id = 1");
  expect_refused(Errc::storage_corrupt, "not an Ekiden store");
}

TEST_F(SchemaTest, AMissingTableIsCorruption) {
  ASSERT_TRUE(create_store(path_));
  execute("DROP TABLE inbox");
  expect_refused(Errc::storage_corrupt, "no table inbox");
}

TEST_F(SchemaTest, AStoreThatIsOpenInThisProcessIsBusyAndNoOtherIsBlamed) {
  ASSERT_TRUE(create_store(path_));
  const auto holder = SqliteStore::open({.path = path_});
  ASSERT_TRUE(holder);
  const auto second = SqliteStore::open({.path = path_});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::busy) << second.error().message;
  const std::string said =
      path_.string() + ": cannot read the store: database is locked: end the program that holds it";
  EXPECT_EQ(second.error().message, said);
}

TEST(LockHolderTest, FindsTheProcessThatHoldsAFile) {
  constexpr std::string_view kLocks =
      "1: FLOCK  ADVISORY  WRITE 101 fe:00:7 0 EOF\n"
      "2: -> POSIX  ADVISORY  WRITE 102 fe:00:8 0 EOF\n"
      "3: POSIX  ADVISORY  READ 103 fe:00:8 1073741826 1073742335\n"
      "4: POSIX  ADVISORY  WRITE 104 fe:00:8 1073741824 1073741825\n"
      "5: OFDLCK ADVISORY  WRITE -1 fe:00:9 0 0\n";
  constexpr int kSelf = 100;
  EXPECT_EQ(find_lock_holder(kLocks, "fe:00:7", kSelf), 101);
  EXPECT_EQ(find_lock_holder(kLocks, "fe:00:8", kSelf), 103);
  EXPECT_EQ(find_lock_holder(kLocks, "fe:00:8", 103), 104) << "the one who asks is not the holder it looks for";
  EXPECT_EQ(find_lock_holder(kLocks, "fe:00:7", 101), std::nullopt);
  EXPECT_EQ(find_lock_holder(kLocks, "fe:00:9", kSelf), std::nullopt);
  EXPECT_EQ(find_lock_holder(kLocks, "fe:00:10", kSelf), std::nullopt);
  EXPECT_EQ(find_lock_holder("", "fe:00:7", kSelf), std::nullopt);
}

}  // namespace
}  // namespace ekiden::runtime
