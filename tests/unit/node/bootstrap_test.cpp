// Nodes that find others through the lists of those they know, and what they tell who asks for theirs.
#include <gtest/gtest.h>

#include <algorithm>

#include "bootstrap/list.hpp"
#include "harness.hpp"

namespace ekiden::node {
namespace {

identity::Identity identity_of(std::size_t i) {
  ByteArray<32> seed{};
  seed[0] = static_cast<Byte>(i + 1);
  return identity::Identity(crypto::Ed25519Seed(seed));
}

bootstrap::Source source_of(std::size_t i) {
  return {.name = "test",
          .seeds = {{.id = identity_of(i).id(),
                     .public_key = {},
                     .endpoints = {{identity::Endpoint::Transport::tcp, "10.0." + std::to_string(i) + ".1", 7420}}}},
          .lists = {}};
}

Config discovering() {
  Config config;
  config.discovery = config.private_network = true;
  return config;
}

/// Each node is told the next one alone; the last, nobody. Those at the end start first.
Harness make_chain(std::size_t count) {
  Harness net(count, discovering(), [count](std::size_t i, Config& config) {
    if (i + 1 < count) config.sources = source_of(i + 1);
  });
  net.advance(minutes(2));
  for (std::size_t i = count; i-- > 0;) {
    net.crash(i);
    net.boot(i);
    net.advance(seconds(10));
  }
  return net;
}

std::optional<bootstrap::NodeStatus> known(Harness& net, std::size_t i, std::size_t other) {
  for (auto& status : net[i].node->bootstrap_status()) {
    if (status.node == net[other].id) return std::move(status);
  }
  return std::nullopt;
}

TEST(BootstrapGlue, ItIsEnoughThatEachIsToldTheNext) {
  Harness net = make_chain(6);
  net.advance(bootstrap::Config().survey_interval);
  EXPECT_EQ(known(net, 0, 1)->source, "test");
  EXPECT_EQ(known(net, 0, 1)->depth, 0U);
  for (std::size_t other = 2; other < 6; ++other) {
    const auto status = known(net, 0, other);
    ASSERT_TRUE(status) << other;
    EXPECT_TRUE(status->up) << status->last_error;
    EXPECT_GT(status->score, 0U);
    EXPECT_GE(status->depth, 1U);
    EXPECT_TRUE(status->signer) << "a node of a list";
  }
  EXPECT_TRUE(net[5].node->bootstrap_status().empty()) << "the last was told nobody, and is asked by others";
}

TEST(BootstrapGlue, ASurveyNeedsDiscovery) {
  Harness chain = make_chain(2);
  EXPECT_TRUE(chain[0].replies.at(chain.request<ProbeBootstrap>(0)));
  Harness plain(1);
  EXPECT_EQ(plain[0].replies.at(plain.request<ProbeBootstrap>(0)).error().code, Errc::unsupported);
}

TEST(BootstrapGlue, ARestartJoinsThroughWhatItRemembers) {
  Harness net = make_chain(4);
  net.advance(minutes(1));
  net.crash(0);
  net.crash(1);  // The only one that was named.
  store::Batch forget;
  for (const store::Row& row : net[0].disk.rows()) {
    if (row.key.table == store::Table::nodes) forget.erase(row.key.table, row.key.name);
  }
  net[0].disk.apply(forget);
  net.tune = {};
  net.boot(0);
  EXPECT_FALSE(net[0].node->bootstrap_status().empty());
  net.advance(minutes(2));
  EXPECT_GE(net[0].node->status().dht.nodes, 2U);
  EXPECT_TRUE(known(net, 0, 2)->up);
}

TEST(BootstrapGlue, ASeedOverUdpAloneIsEnoughWhenItsKeyIsKnown) {
  Harness net(2, discovering(), [](std::size_t i, Config& config) {
    if (i != 1) return;
    config.sources = source_of(0);
    config.sources.seeds[0].public_key = identity_of(0).public_key();
    config.sources.seeds[0].endpoints[0].transport = identity::Endpoint::Transport::udp;
  });
  net.advance(minutes(1));
  EXPECT_TRUE(known(net, 1, 0)->up);
  EXPECT_TRUE(std::ranges::all_of(net[1].dials, [](const Dial& dial) { return dial.endpoint.host == "10.0.0.1"; }))
      << "and then only to be dialled back";
  EXPECT_EQ(net[1].node->status().dht.nodes, 1U);
}

TEST(BootstrapGlue, AListOfTheConfigurationIsVerified) {
  const identity::Identity signer = identity_of(99);
  bootstrap::NodeList list{
      .public_key = signer.public_key(),
      .sequence = 1,
      .issued_at = kStartOfTime,
      .ttl_seconds = 86'400,
      .nodes = {{.public_key = identity_of(0).public_key(), .endpoints = {"tcp://10.0.0.1:7420"}, .note = {}}}};
  const Bytes good = *bootstrap::sign_list(signer, list);
  Bytes bad = good;
  bad.back() ^= 1;
  Harness net(3, discovering(), [&](std::size_t i, Config& config) {
    if (i > 0) config.sources = {.name = "file", .seeds = {}, .lists = {{"file", i == 1 ? good : bad}}};
  });
  net.advance(minutes(1));
  ASSERT_TRUE(known(net, 1, 0));
  EXPECT_TRUE(known(net, 1, 0)->up);
  EXPECT_EQ(known(net, 1, 0)->signer, signer.id());
  EXPECT_TRUE(net[2].node->bootstrap_status().empty());
  EXPECT_TRUE(std::ranges::any_of(net[2].log, [](const auto& line) { return line.starts_with("file: "); }));
}

TEST(BootstrapGlue, WhoKnowsNobodyGoesOnTrying) {
  Harness net(2, discovering(), [](std::size_t i, Config& config) {
    if (i == 1) config.sources = source_of(0);
  });
  net.crash(0);
  net.crash(1);
  net.boot(1);
  net.advance(hours(3));
  EXPECT_EQ(net[1].node->status().dht.nodes, 0U);
  EXPECT_LT(net[1].dials.size(), 60U) << "about one in five minutes";
  net.boot(0);
  net.advance(minutes(10));
  EXPECT_EQ(net[1].node->status().dht.nodes, 1U);
}

// Probes for people. --------------------------------------------------------------------------------------------------

class ProbeTest : public ::testing::Test {
 protected:
  explicit ProbeTest(Config config = discovering()) : net_(3, config) { net_.advance(seconds(1)); }

  const Result<Reachable>& probe(std::size_t from, const identity::PeerId& peer, const std::string& endpoint,
                                 const std::optional<crypto::Ed25519PublicKey>& key = {},
                                 identity::LearnedFrom source = identity::LearnedFrom::configuration) {
    net_.feed(from, ProbePeer{.request = net_.next_request(),
                              .peer = peer,
                              .public_key = key,
                              .endpoint = *identity::Endpoint::parse(endpoint),
                              .learned_from = source});
    net_.pump();
    net_.advance(seconds(20));
    CHECK(!net_[from].probed.empty());
    return net_[from].probed.back().result;
  }
  Errc code(const Result<Reachable>& result) { return result ? Errc::internal : result.error().code; }

  Harness net_;
};

class ProbeOfTheWorldTest : public ProbeTest {
 protected:
  ProbeOfTheWorldTest() : ProbeTest(Config{}) {}
};

TEST_F(ProbeTest, APeerThatIsThere) {
  const Bytes shown = to_bytes(net_[1].node->own_record());
  const auto& found = probe(0, net_[1].id, "tcp://10.0.1.1:7420");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->record->signed_bytes, shown);
  EXPECT_EQ(found->address->text(), "10.0.1.1:7420");
  EXPECT_GE(found->version, 1);
}

TEST_F(ProbeTest, OverUdpTheKeyHasToBeKnown) {
  const auto& unknown = probe(0, net_[1].id, "udp://10.0.1.1:7420");
  EXPECT_EQ(code(unknown), Errc::invalid_argument);
  const auto& found = probe(0, net_[1].id, "udp://10.0.1.1:7420", identity_of(1).public_key());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_FALSE(found->record);
  // A link shows the record, and with it the key.
  ASSERT_TRUE(probe(0, net_[2].id, "tcp://10.0.2.1:7420"));
  EXPECT_TRUE(probe(0, net_[2].id, "udp://10.0.2.1:7420"));
}

TEST_F(ProbeTest, WhatDoesNotWorkIsNamed) {
  const auto& wrong_port = probe(0, net_[1].id, "tcp://10.0.1.1:1");
  ASSERT_FALSE(wrong_port);
  EXPECT_EQ(wrong_port.error().message, "tcp://10.0.1.1:1: connecting: connection refused");
  const auto& wrong_node = probe(0, net_[1].id, "tcp://10.0.2.1:7420");
  ASSERT_FALSE(wrong_node);
  EXPECT_TRUE(wrong_node.error().message.starts_with("tcp://10.0.2.1:7420: ")) << wrong_node.error().message;
  EXPECT_EQ(code(probe(0, net_[0].id, "tcp://10.0.0.1:7420")), Errc::invalid_argument);
  EXPECT_EQ(code(probe(0, net_[1].id, "udp://10.0.9.1:7420", identity_of(1).public_key())), Errc::timed_out);
}

TEST_F(ProbeOfTheWorldTest, AddressesThatAStrangerMayNotNameAreNotDialled) {
  const auto& refused = probe(0, net_[1].id, "tcp://10.0.1.1:7420", {}, identity::LearnedFrom::remote_record);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::refused);
  EXPECT_NE(refused.error().message.find("10.0.1.1, a private"), std::string::npos) << refused.error().message;
  EXPECT_TRUE(net_[0].dials.empty());
  // A name is resolved by the driver, which is told whose it is.
  probe(0, net_[1].id, "tcp://evil.example:7420", {}, identity::LearnedFrom::remote_record);
  ASSERT_EQ(net_[0].dials.size(), 1U);
  EXPECT_EQ(net_[0].dials[0].learned_from, identity::LearnedFrom::remote_record);
}

TEST_F(ProbeOfTheWorldTest, WithoutDatagramsUdpIsUnsupported) {
  EXPECT_EQ(code(probe(0, net_[1].id, "udp://10.0.1.1:7420", identity_of(1).public_key())), Errc::unsupported);
}

TEST_F(ProbeOfTheWorldTest, WhatAContactNamesWasWrittenByTheOwner) {
  net_.introduce(0, 1, "bob");
  net_.send(0, 1, "hello");
  ASSERT_EQ(net_[0].dials.size(), 1U);
  EXPECT_EQ(net_[0].dials[0].learned_from, identity::LearnedFrom::configuration);
}

TEST(ProbeOnly, ANodeThatTakesNoPartIsUnknownToTheNetwork) {
  Harness net(2, discovering(), [](std::size_t i, Config& config) {
    if (i != 1) return;
    config.take_part = false;
    config.sources = source_of(0);
  });
  net.feed(1, ProbePeer{.request = net.next_request(),
                        .peer = net[0].id,
                        .public_key = identity_of(0).public_key(),
                        .endpoint = *identity::Endpoint::parse("udp://10.0.0.1:7420"),
                        .learned_from = identity::LearnedFrom::configuration});
  net.pump();
  net.advance(minutes(10));
  ASSERT_EQ(net[1].probed.size(), 1U);
  EXPECT_TRUE(net[1].probed[0].result);
  EXPECT_EQ(net[0].node->status().dht.nodes, 0U);
  EXPECT_TRUE(net[1].node->bootstrap_status().empty());
  net.find(1, 0);
  EXPECT_EQ(net[1].found[0].record.error().code, Errc::unsupported);
}

}  // namespace
}  // namespace ekiden::node
