#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "identity/identity.hpp"
#include "runtime/data_dir_lock.hpp"
#include "runtime/files.hpp"
#include "runtime/schema.hpp"
#include "runtime/settings.hpp"
#include "support/temporary_directory.hpp"

namespace ekiden::runtime {
namespace {

mode_t mode_of(const std::filesystem::path& path) {
  struct stat info{};
  EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 0777;
}

std::size_t entries(const std::filesystem::path& path) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(path)) ++count;
  return count;
}

class DataDirTest : public ::testing::Test {
 protected:
  Result<identity::PeerId> init() { return init_data_dir({.data_dir = path_, .advertise = {}}); }

  test::TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_ / "node";
};

TEST_F(DataDirTest, InitMakesAPrivateDirectoryThatCanBeLoaded) {
  const auto id = init();
  ASSERT_TRUE(id) << id.error().message;
  EXPECT_EQ(mode_of(path_), 0700u);
  for (const char* name : {"ekiden.toml", "identity.key", "ekiden.db"}) EXPECT_EQ(mode_of(path_ / name), 0600u) << name;
  EXPECT_EQ(entries(path_), 3u);
  const auto seed = load_identity(path_);
  ASSERT_TRUE(seed) << seed.error().message;
  EXPECT_EQ(identity::Identity(*seed).id(), *id);
  const auto settings = load_settings(path_);
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_TRUE(open_store(path_ / kStoreFile));
}

TEST_F(DataDirTest, InitWritesTheEndpointsItWasGiven) {
  ASSERT_TRUE(init_data_dir(
      {.data_dir = path_, .listen = {"tcp://127.0.0.1:0"}, .advertise = {"tcp://a.example:1", "tcp://b.example:2"}}));
  const auto settings = load_settings(path_);
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->listen.at(0).text(), "tcp://127.0.0.1:0");
  ASSERT_EQ(settings->node.advertised.size(), 2u);
  EXPECT_EQ(settings->node.advertised[1].text(), "tcp://b.example:2");
}

TEST_F(DataDirTest, InitRefusesBadEndpointsAndLeavesNothing) {
  for (const char* listen : {"tcp://name.example:1", "quic://0.0.0.0:1", "nonsense"}) {
    EXPECT_FALSE(init_data_dir({.data_dir = path_, .listen = {listen}, .advertise = {}}));
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(DataDirTest, InitRefusesToOverwriteAnything) {
  ASSERT_TRUE(init());
  const auto before = read_file(path_ / "identity.key", 1000);
  const auto again = init();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::already_exists);
  EXPECT_EQ(read_file(path_ / "identity.key", 1000)->text, before->text);

  for (const char* name : {"ekiden.toml", "identity.key", "ekiden.db"}) {
    const auto path = directory_ / (std::string("with-") + name);
    std::filesystem::create_directory(path);
    std::ofstream(path / name) << "mine";
    const auto refused = init_data_dir({.data_dir = path, .advertise = {}});
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error().code, Errc::already_exists);
    EXPECT_EQ(entries(path), 1u);
    EXPECT_EQ(read_file(path / name, 100)->text, "mine");
  }
}

TEST_F(DataDirTest, InitTakesAnEmptyDirectoryAndProtectsIt) {
  std::filesystem::create_directory(path_);
  ::chmod(path_.c_str(), 0755);
  ASSERT_TRUE(init());
  EXPECT_EQ(mode_of(path_), 0700u);
}

TEST_F(DataDirTest, InitDoesNotChangePermissionsOfADirectoryWithOtherThings) {
  std::filesystem::create_directory(path_);
  std::ofstream(path_ / "other") << "x";
  ::chmod(path_.c_str(), 0755);
  const auto refused = init();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::refused);
  EXPECT_EQ(mode_of(path_), 0755u);
  EXPECT_EQ(entries(path_), 1u);
  ::chmod(path_.c_str(), 0700);
  EXPECT_TRUE(init());
}

TEST_F(DataDirTest, AMissingConfigurationSaysWhatToDo) {
  const auto settings = load_settings(path_);
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().code, Errc::not_found);
  EXPECT_NE(settings.error().message.find("ekiden init"), std::string::npos);
  const auto seed = load_identity(path_);
  ASSERT_FALSE(seed);
  EXPECT_EQ(seed.error().code, Errc::not_found);
}

TEST_F(DataDirTest, AnIdentityThatOthersCanReadIsRefused) {
  ASSERT_TRUE(init());
  for (const mode_t mode : {0640u, 0604u, 0660u, 0644u}) {
    ::chmod((path_ / "identity.key").c_str(), mode);
    const auto seed = load_identity(path_);
    ASSERT_FALSE(seed);
    EXPECT_EQ(seed.error().code, Errc::refused);
    EXPECT_NE(seed.error().message.find("chmod 600"), std::string::npos);
  }
}

TEST_F(DataDirTest, ADamagedIdentityIsRefusedWithoutShowingIt) {
  ASSERT_TRUE(init());
  const auto path = path_ / "identity.key";
  const std::string text = read_file(path, 1000)->text;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] = damaged[i] == 'q' ? 'p' : 'q';
    std::ofstream(path, std::ios::trunc) << damaged;
    const auto seed = load_identity(path_);
    ASSERT_FALSE(seed) << i;
    EXPECT_EQ(seed.error().code, Errc::malformed);
    EXPECT_EQ(seed.error().message.find(text.substr(10, 20)), std::string::npos);
  }
  std::ofstream(path, std::ios::trunc) << "";
  EXPECT_FALSE(load_identity(path_));
  std::ofstream(path, std::ios::trunc) << std::string(10'000, 'x');
  EXPECT_EQ(load_identity(path_).error().code, Errc::too_large);
}

TEST_F(DataDirTest, TheDefaultDirectoryFollowsTheEnvironment) {
  ::setenv("EKIDEN_HOME", "/somewhere", 1);
  EXPECT_EQ(default_data_dir(), "/somewhere");
  ::unsetenv("EKIDEN_HOME");
  ::setenv("XDG_DATA_HOME", "/data", 1);
  EXPECT_EQ(default_data_dir(), "/data/ekiden");
  ::setenv("XDG_DATA_HOME", "relative", 1);
  ::setenv("HOME", "/home/a", 1);
  EXPECT_EQ(default_data_dir(), "/home/a/.local/share/ekiden");
  ::unsetenv("XDG_DATA_HOME");
}

TEST_F(DataDirTest, ASecondNodeOnADirectoryIsToldWhoRunsThere) {
  ASSERT_TRUE(init());
  auto first = DataDirLock::acquire(path_);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(mode_of(path_ / "lock"), 0600u);
  const auto second = DataDirLock::acquire(path_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::busy);
  EXPECT_NE(second.error().message.find("process " + std::to_string(::getpid())), std::string::npos);
  EXPECT_NE(second.error().message.find(path_.string()), std::string::npos);
  {
    const DataDirLock released = std::move(*first);
  }
  EXPECT_TRUE(DataDirLock::acquire(path_));
}

TEST_F(DataDirTest, ALockNeedsItsDirectory) {
  const auto lock = DataDirLock::acquire(path_);
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().code, Errc::not_found);
}

TEST_F(DataDirTest, FilesAreReplacedWholeAndReadOnlyUpToTheirBound) {
  const auto path = directory_ / "file";
  ASSERT_TRUE(replace_file(path, as_bytes("one")));
  ASSERT_TRUE(replace_file(path, as_bytes("two")));
  EXPECT_EQ(read_file(path, 3)->text, "two");
  EXPECT_EQ(mode_of(path), 0600u);
  EXPECT_EQ(read_file(path, 2).error().code, Errc::too_large);
  EXPECT_EQ(read_file(directory_.path(), 10).error().code, Errc::refused);
  EXPECT_EQ(write_new_file(path, as_bytes("x")).error().code, Errc::already_exists);
  ASSERT_EQ(::mkfifo((directory_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(read_file(directory_ / "pipe", 10).error().code, Errc::refused);
}

}  // namespace
}  // namespace ekiden::runtime
