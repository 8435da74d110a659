// What explain and discover say, over a node made of containers.
#include <gtest/gtest.h>

#include <regex>
#include <sstream>

#include "cli/commands.hpp"
#include "unit/api/support/server_fixture.hpp"

namespace ekiden::cli {
namespace {

using api::test::FakeBackend;
using api::test::identity_of;

constexpr auto kAddress = "tcp://203.0.113.9:7420";

class Explain : public testing::Test {
 protected:
  Explain() {
    server_.run([](FakeBackend& backend) { backend.self.discovery = true; });
  }

  Status run(const std::string& peer, bool json = false) {
    out_.str("");
    Output output(out_, err_, {.json = json});
    return run_explain({server_.data_dir(), output}, peer);
  }
  api::Json json_of(const std::string& peer) {
    static_cast<void>(run(peer, true));
    return *api::parse_json(out_.str());
  }
  void publish(const std::vector<std::string>& endpoints) {
    server_.run([&](FakeBackend& backend) {
      identity::PeerRecord record;
      record.sequence = 9;
      record.endpoints = endpoints;
      backend.records[identity_of(2).id()] = {record, Bytes{1}};
    });
  }

  api::test::ServerFixture server_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(Explain, APeerThatWasStoppedLeavesMailboxesForItsMessages) {
  publish({});
  EXPECT_FALSE(run("bob"));
  EXPECT_NE(out_.str().find("it was stopped, or no peer could reach it yet"), std::string::npos) << out_.str();
  EXPECT_NE(out_.str().find("a message waits here until it comes"), std::string::npos) << out_.str();
  server_.run(
      [](FakeBackend& backend) { backend.records.at(identity_of(2).id()).record.mailboxes = {identity_of(3).id()}; });
  EXPECT_FALSE(run("bob"));
  EXPECT_NE(out_.str().find("messages are left with the mailboxes that its record names"), std::string::npos)
      << out_.str();
  EXPECT_NE(out_.str().find(identity_of(3).id().text()), std::string::npos) << out_.str();
}

TEST_F(Explain, APeerThatAnswers) {
  publish({kAddress, "udp://203.0.113.9:7420"});
  server_.run([](FakeBackend& backend) { backend.answers[kAddress] = {.round_trip = milliseconds(12)}; });
  EXPECT_TRUE(run("bob"));
  const auto text = out_.str();
  EXPECT_NE(text.find("found in the network, sequence 9"), std::string::npos) << text;
  EXPECT_NE(text.find("answers, round trip 12"), std::string::npos) << text;
  EXPECT_NE(text.find("FAILED: connection refused"), std::string::npos) << text;
  EXPECT_NE(text.find("verdict"), std::string::npos);
  const auto json = json_of("bob");
  EXPECT_EQ(json.at("reachable"), true);
  EXPECT_EQ(json.at("addresses").size(), 2U);
  server_.run([](FakeBackend& backend) {
    EXPECT_EQ(backend.probes[0].learned_from, identity::LearnedFrom::remote_record) << "a record named it";
  });
}

TEST_F(Explain, SaysHowOldTheRecordIs) {
  publish({});
  const auto age = json_of("bob").at("record").at("age_ms").get<std::int64_t>();
  EXPECT_GT(age, std::chrono::duration_cast<milliseconds>(days(20'000)).count()) << "issued at the Unix epoch";
  static_cast<void>(run("bob"));
  const std::regex line("issued +1970-01-01T00:00:00.000Z, [0-9]{5} d( [0-9]+ h)? ago, expires ");
  EXPECT_TRUE(std::regex_search(out_.str(), line)) << out_.str();
}

TEST_F(Explain, WithoutARecordSaysSoAndWhy) {
  const auto done = run("bob");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::unreachable);
  EXPECT_NE(out_.str().find("none: nobody has a record of it"), std::string::npos) << out_.str();
  EXPECT_NE(out_.str().find("NOT reachable"), std::string::npos);
}

TEST_F(Explain, TheAddressOfAContactIsTheOwners) {
  server_.run([](FakeBackend& backend) {
    auto contact = *backend.book.find(identity_of(2).id());
    contact.endpoints = {*identity::Endpoint::parse("tcp://127.0.0.1:1")};
    static_cast<void>(backend.book.update(contact));
  });
  const auto json = json_of("bob");
  ASSERT_EQ(json.at("addresses").size(), 1U);
  EXPECT_EQ(json.at("addresses").at(0).at("from"), "owner");
  EXPECT_EQ(json.at("addresses").at(0).at("problem").at("detail"), "connection refused");
  server_.run(
      [](FakeBackend& backend) { EXPECT_EQ(backend.probes.at(0).learned_from, identity::LearnedFrom::configuration); });
}

TEST_F(Explain, APeerThatAnswersOverUdpAloneIsToldApart) {
  publish({"udp://203.0.113.9:7420", kAddress});
  server_.run(
      [](FakeBackend& backend) { backend.answers["udp://203.0.113.9:7420"] = {.round_trip = milliseconds(1)}; });
  EXPECT_FALSE(run("bob"));
  EXPECT_NE(out_.str().find("answers over UDP, but no link"), std::string::npos) << out_.str();
}

TEST_F(Explain, AnAddressThatThisBuildDoesNotKnowIsNamed) {
  publish({"carrier-pigeon://203.0.113.9:1"});
  const auto json = json_of("bob");
  ASSERT_EQ(json.at("addresses").size(), 1U);
  EXPECT_EQ(json.at("addresses").at(0).at("reachable"), false);
}

TEST_F(Explain, WhatIsNoPeerIsAnError) { EXPECT_FALSE(run("nobody")); }

TEST_F(Explain, DiscoverShowsWhoNamedWhom) {
  server_.run([](FakeBackend& backend) {
    bootstrap::NodeStatus status;
    status.node = identity_of(2).id();
    status.signer = identity_of(3).id();
    status.depth = 1;
    status.failures = 2;
    status.last_error = "connection refused";
    backend.discovered = {status};
  });
  Output output(out_, err_, {});
  ASSERT_TRUE(run_bootstrap_discover({server_.data_dir(), output}, {.wait = seconds(30)})) << "it has been tried";
  EXPECT_NE(out_.str().find("list of " + identity_of(3).id().text()), std::string::npos) << out_.str();
  EXPECT_NE(out_.str().find("failed 2 times: connection refused"), std::string::npos) << out_.str();
}

}  // namespace
}  // namespace ekiden::cli
