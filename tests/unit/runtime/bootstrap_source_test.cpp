#include "runtime/bootstrap_source.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "base/encoding.hpp"
#include "runtime/bootstrap_file.hpp"
#include "support/identities.hpp"
#include "support/temporary_directory.hpp"

namespace ekiden::runtime {
namespace {

using test::make_identity;

std::string id_text(Byte number) { return make_identity(number).id().text(); }
std::string key_text(Byte number) { return to_hex(make_identity(number).public_key().view()); }

class BootstrapSourceTest : public testing::Test {
 protected:
  std::filesystem::path write_list(const std::filesystem::path& path, Byte signer, bool sign = true) const {
    FileList list;
    list.list.nodes = {{.public_key = make_identity(50).public_key(), .endpoints = {"tcp://a.example:1"}, .note = {}}};
    if (sign) list = sign_file_list(make_identity(signer), list, test::kWall, days(30)).value();
    std::ofstream(path) << format_bootstrap_file({.comment = {}, .lists = {list}});
    return path;
  }

  Result<BootstrapSource> read(std::optional<std::string> flag, std::optional<std::string> variable = {}) const {
    return read_bootstrap_source(
        {.flag = std::move(flag), .variable = std::move(variable), .data_dir = folder_.path()});
  }

  std::string refusal(const std::string& value) const {
    const auto source = read(value);
    EXPECT_FALSE(source) << value;
    if (source) return {};
    EXPECT_TRUE(source.error().message.starts_with("--bootstrap: ")) << source.error().message;
    return source.error().message;
  }

  test::TemporaryDirectory folder_;
};

TEST_F(BootstrapSourceTest, NothingIsConfiguredAtFirst) {
  const auto source = read({});
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_TRUE(source->seeds.empty());
  EXPECT_TRUE(source->lists.empty());
}

TEST_F(BootstrapSourceTest, TheFirstPlaceThatIsGivenCountsAlone) {
  write_list(folder_.path() / kBootstrapFileName, 1);
  const auto file = read({});
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->lists.size(), 1U);
  EXPECT_EQ(file->name, (folder_.path() / kBootstrapFileName).string());
  const auto variable = read({}, id_text(1) + "@tcp://a.example:1");
  ASSERT_TRUE(variable) << variable.error().message;
  EXPECT_EQ(variable->name, "EKIDEN_BOOTSTRAP");
  EXPECT_TRUE(variable->lists.empty());
  EXPECT_EQ(variable->seeds[0].id, make_identity(1).id());
  const auto flag = read(id_text(2) + "@tcp://a.example:1", id_text(1) + "@tcp://a.example:1");
  ASSERT_TRUE(flag);
  EXPECT_EQ(flag->name, "--bootstrap");
  ASSERT_EQ(flag->seeds.size(), 1U);
  EXPECT_EQ(flag->seeds[0].id, make_identity(2).id());
  for (const char* nothing : {"", "none"}) {
    const auto off = read(nothing, id_text(1) + "@tcp://a.example:1");
    ASSERT_TRUE(off);
    EXPECT_TRUE(off->seeds.empty() && off->lists.empty()) << nothing;
  }
}

TEST_F(BootstrapSourceTest, ReadsNodesKeysAndFilesInOneValue) {
  const auto path = write_list(folder_.path() / "other.json", 1);
  const auto source = read(id_text(1) + "@tcp://a.example:1," + key_text(2) + "@udp://192.0.2.1:7420," + path.string() +
                           "," + id_text(1) + "@wss://a.example:443," + key_text(1) + "@tcp://a.example:1");
  ASSERT_TRUE(source) << source.error().message;
  ASSERT_EQ(source->seeds.size(), 2U);
  EXPECT_EQ(source->seeds[0].endpoints.size(), 2U);
  EXPECT_EQ(source->seeds[0].public_key, make_identity(1).public_key());
  EXPECT_EQ(source->seeds[1].id, make_identity(2).id());
  EXPECT_EQ(source->seeds[1].endpoints[0].text(), "udp://192.0.2.1:7420");
  ASSERT_EQ(source->lists.size(), 1U);
  EXPECT_EQ(source->lists[0].file, path.string());
  EXPECT_TRUE(bootstrap::verify_list(source->lists[0].signed_list, test::kWall));
}

TEST_F(BootstrapSourceTest, ErrorsNameTheEntry) {
  const std::string good = id_text(1) + "@tcp://a.example:1";
  EXPECT_NE(refusal(good + "," + id_text(1).substr(0, 60) + "@tcp://a.example:1").find(id_text(1).substr(0, 60)),
            std::string::npos);
  EXPECT_NE(refusal(good + "," + id_text(2)).find("ek1...@tcp://host:port"), std::string::npos);
  EXPECT_NE(refusal("tcp://a.example:1").find("ek1...@tcp://host:port"), std::string::npos);
  EXPECT_NE(refusal(id_text(1) + "@a.example:1").find("the transport is missing"), std::string::npos);
  EXPECT_NE(refusal(id_text(1) + "@udp://192.0.2.1:1").find("needs the public key"), std::string::npos);
  EXPECT_NE(refusal(key_text(1) + "@udp://a.example:1").find("give the address"), std::string::npos);
  EXPECT_NE(refusal(std::string(64, '0') + "@tcp://a.example:1").find("not a proper Ed25519 key"), std::string::npos);
  EXPECT_NE(refusal(good + ",").find("an entry is empty"), std::string::npos);
  EXPECT_NE(refusal("/no/such/file.json").find("/no/such/file.json"), std::string::npos);
  const auto draft = write_list(folder_.path() / "draft.json", 1, /*sign=*/false);
  EXPECT_NE(refusal(draft.string()).find("draft.json: lists[0]: the list is not signed"), std::string::npos);
  std::ofstream(folder_.path() / "broken.json") << "{";
  EXPECT_NE(refusal((folder_.path() / "broken.json").string()).find("broken.json"), std::string::npos);
  // What comes from outside does not reach the terminal as it is.
  EXPECT_EQ(refusal("ek1\x1b[31m@tcp://a:1").find('\x1b'), std::string::npos);
}

TEST_F(BootstrapSourceTest, IsBounded) {
  EXPECT_NE(refusal(std::string(kMaxBootstrapValue + 1, 'a')).find("at most 65536 characters"), std::string::npos);
  EXPECT_NE(refusal(std::string(kMaxBootstrapEntries, ',')).find("at most 128 entries"), std::string::npos);
  std::string many;
  for (int port = 1; port <= 9; ++port) {
    many += (many.empty() ? "" : ",") + id_text(1) + "@tcp://a.example:" + std::to_string(port);
  }
  EXPECT_NE(refusal(many).find("more than 8 endpoints of one node"), std::string::npos);
}

TEST_F(BootstrapSourceTest, SignersAreIdsOrKeys) {
  const std::vector<std::string> both = {id_text(1), key_text(2)};
  const auto signers = parse_signers(both);
  ASSERT_TRUE(signers) << signers.error().message;
  EXPECT_EQ(*signers, (std::set{make_identity(1).id(), make_identity(2).id()}));
  const std::vector<std::string> wrong = {"alice"};
  EXPECT_NE(parse_signers(wrong).error().message.find("signer \"alice\""), std::string::npos);
}

}  // namespace
}  // namespace ekiden::runtime
