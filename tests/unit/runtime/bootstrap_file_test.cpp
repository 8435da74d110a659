#include "runtime/bootstrap_file.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "base/encoding.hpp"
#include "support/identities.hpp"

namespace ekiden::runtime {
namespace {

using test::kWall;
using test::make_identity;

bootstrap::ListedNode node(Byte number) {
  return {.public_key = make_identity(number).public_key(),
          .endpoints = {"tcp://boot.example.org:7420", "udp://198.51.100.7:7420"},
          .note = "Example Org"};
}

BootstrapFile sample_file() {
  BootstrapFile file{.comment = "two independent lists", .lists = {}};
  for (const Byte signer : {Byte{1}, Byte{2}}) {
    FileList list;
    list.list.nodes = {node(static_cast<Byte>(signer + 10)), node(static_cast<Byte>(signer + 20))};
    file.lists.push_back(sign_file_list(make_identity(signer), list, kWall, days(365)).value());
  }
  return file;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return at == std::string::npos ? text : text.replace(at, what.size(), with);
}

Error error_of(const std::string& text) {
  const auto file = parse_bootstrap_file(text, "nodes.json");
  EXPECT_FALSE(file) << text;
  if (file) return {};
  EXPECT_TRUE(file.error().message.starts_with("nodes.json: ")) << file.error().message;
  return file.error();
}

TEST(BootstrapFile, GoesRoundAndKeepsItsSignatures) {
  const BootstrapFile file = sample_file();
  const std::string text = format_bootstrap_file(file);
  const auto read = parse_bootstrap_file(text, "nodes.json");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, file);
  for (const FileList& list : read->lists) {
    const auto bytes = signed_form(list);
    ASSERT_TRUE(bytes);
    const auto verified = bootstrap::verify_list(*bytes, kWall);
    ASSERT_TRUE(verified) << verified.error().message;
    EXPECT_EQ(*verified, list.list);
  }
}

TEST(BootstrapFile, AChangeByHandBreaksTheSignature) {
  const std::string text = format_bootstrap_file(sample_file());
  for (const auto& [what, with] :
       {std::pair("boot.example.org", "evil.example.org"), std::pair("Example Org", "Ex Org"),
        std::pair("31536000", "31536001"), std::pair("\"sequence\": 1", "\"sequence\": 2")}) {
    const auto read = parse_bootstrap_file(replaced(text, what, with), "nodes.json");
    ASSERT_TRUE(read) << read.error().message;
    const auto verified = bootstrap::verify_list(*signed_form(read->lists[0]), kWall);
    ASSERT_FALSE(verified) << what;
    EXPECT_EQ(verified.error().code, Errc::unauthenticated) << what;
    EXPECT_TRUE(bootstrap::verify_list(*signed_form(read->lists[1]), kWall)) << what;
  }
}

TEST(BootstrapFile, ADraftNeedsOnlyItsNodes) {
  const std::string key = to_hex(make_identity(9).public_key().view());
  const auto draft = parse_bootstrap_file(R"({"format": "ekiden bootstrap nodes 1", "lists": [{"nodes": [
      {"public_key": ")" + key + R"(", "endpoints": ["tcp://192.0.2.1:7420"]}]}]})",
                                          "nodes.json");
  ASSERT_TRUE(draft) << draft.error().message;
  EXPECT_TRUE(draft->lists[0].is_draft());
  EXPECT_EQ(signed_form(draft->lists[0]).error().code, Errc::unauthenticated);
  const auto first = sign_file_list(make_identity(1), draft->lists[0], kWall, days(30));
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->list.sequence, 1U);
  EXPECT_TRUE(bootstrap::verify_list(*signed_form(*first), kWall));
  const auto second = sign_file_list(make_identity(1), *first, kWall + days(1), days(30));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->list.sequence, 2U);

  FileList named = draft->lists[0];
  named.list.nodes[0].endpoints.push_back("udp://boot.example.org:7420");
  const auto refused = sign_file_list(make_identity(1), named, kWall, days(30));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("udp://boot.example.org:7420: nodes do not resolve names"), std::string::npos);
  // A draft goes round, too.
  EXPECT_EQ(*parse_bootstrap_file(format_bootstrap_file(*draft), "again"), *draft);
  EXPECT_EQ(sign_file_list(make_identity(1), *first, kWall, days(401)).error().code, Errc::invalid_argument);
  EXPECT_EQ(sign_file_list(make_identity(1), *first, kWall, seconds(-1)).error().code, Errc::invalid_argument);
}

TEST(BootstrapFile, ErrorsNameTheEntry) {
  const std::string text = format_bootstrap_file(sample_file());
  const auto message = [&](std::string_view what, std::string_view with) {
    const Error error = error_of(replaced(text, what, with));
    EXPECT_EQ(error.code, Errc::malformed);
    return error.message;
  };
  const std::string first_id = make_identity(11).id().text();
  EXPECT_NE(message("\"note\"", "\"nota\"").find("lists[0].nodes[0]: the key 'nota' is not known"), std::string::npos);
  EXPECT_NE(message(first_id, make_identity(12).id().text()).find("lists[0].nodes[0]: 'id' is not the id of the key"),
            std::string::npos);
  EXPECT_NE(message(first_id, first_id.substr(0, 60)).find("lists[0].nodes[0]: 'id': "), std::string::npos);
  EXPECT_NE(message("\"signature\": \"", "\"signature\": \"zz\", \"x\": \"").find("lists[0]: 'signature'"),
            std::string::npos);
  EXPECT_NE(message("\"sequence\": 1", "\"sequence\": -1").find("lists[0]: 'sequence'"), std::string::npos);
  EXPECT_NE(message("\"sequence\": 1,", "").find("a signed list needs"), std::string::npos);
  EXPECT_NE(message("\"issued_at\": \"2", "\"issued_at\": \"x").find("a time must look like"), std::string::npos);
  EXPECT_NE(message("\"endpoints\": [", "\"endpoints\": [1,").find("lists[0].nodes[0]: 'endpoints'"),
            std::string::npos);
  EXPECT_NE(message("\"lists\": [", "\"lists\": [7,").find("lists[0]: a JSON object"), std::string::npos);
}

TEST(BootstrapFile, IsBounded) {
  EXPECT_EQ(error_of(std::string(kMaxBootstrapFile + 1, ' ')).code, Errc::too_large);
  EXPECT_EQ(error_of("{").code, Errc::malformed);
  EXPECT_EQ(error_of("[]").code, Errc::malformed);
  EXPECT_EQ(error_of(R"({"format": "ekiden bootstrap nodes 2", "lists": []})").code, Errc::unsupported);
  EXPECT_EQ(error_of(R"({"format": "ekiden bootstrap nodes 1"})").code, Errc::malformed);
  EXPECT_EQ(error_of(R"({"format": "ekiden bootstrap nodes 1", "lists": [], "lists": []})").code, Errc::malformed);
  BootstrapFile file = sample_file();
  while (file.lists.size() <= kMaxBootstrapLists) file.lists.push_back(file.lists[0]);
  EXPECT_EQ(error_of(format_bootstrap_file(file)).code, Errc::malformed);
  file = sample_file();
  while (file.lists[1].list.nodes.size() <= bootstrap::kMaxListNodes) file.lists[1].list.nodes.push_back(node(3));
  EXPECT_NE(error_of(format_bootstrap_file(file)).message.find("lists[1]: 'nodes'"), std::string::npos);
}

TEST(BootstrapFile, TheExampleOfTheProjectIsValid) {
  std::ifstream in("config/bootstrap_nodes.json");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto file = parse_bootstrap_file(text, "config/bootstrap_nodes.json");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->lists.size(), 2U);
  for (const FileList& list : file->lists) {
    const auto verified = bootstrap::verify_list_ignoring_time(*signed_form(list));
    ASSERT_TRUE(verified) << verified.error().message;
    for (const auto& listed : verified->nodes) EXPECT_EQ(listed.known_endpoints().size(), listed.endpoints.size());
  }
  EXPECT_NE(file->lists[0].list.public_key, file->lists[1].list.public_key);
  EXPECT_EQ(format_bootstrap_file(*file), text);
}

}  // namespace
}  // namespace ekiden::runtime
