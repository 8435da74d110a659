// Nodes that dial each other back, and publish what was reached.
#include <gtest/gtest.h>

#include <algorithm>

#include "harness.hpp"

namespace ekiden::node {
namespace {

using identity::Endpoint;

std::vector<std::string> published(Harness& net, std::size_t i) {
  return identity::verify_record_ignoring_time(net[i].node->own_record())->endpoints;
}

Endpoint tcp(const std::string& host, std::uint16_t port = 7420) { return {Endpoint::Transport::tcp, host, port}; }

reachability::EndpointStatus status_of(Harness& net, std::size_t i, const Endpoint& endpoint) {
  for (auto& status : net[i].node->status().endpoints) {
    if (status.endpoint == endpoint) return std::move(status);
  }
  ADD_FAILURE() << endpoint.text() << " is not known";
  return {};
}

TEST(Reachable, EverybodyIsDialledBackAndPublishesItsEndpoints) {
  Harness net = make_network(4);
  for (std::size_t i = 0; i < 4; ++i) {
    const std::vector<std::string> all = {net[i].endpoint.text(), "udp://10.0." + std::to_string(i) + ".1:7420"};
    EXPECT_EQ(published(net, i), all) << i;
    EXPECT_TRUE(std::ranges::any_of(net[i].log, [](const auto& line) { return line.contains("is reachable"); }));
  }
}

TEST(Reachable, WhoIsAloneHasNothingToPublish) {
  Harness net = make_network(1);
  EXPECT_TRUE(published(net, 0).empty());
  EXPECT_EQ(status_of(net, 0, net[0].endpoint).state, reachability::State::candidate);
}

TEST(Reachable, WithoutDiscoveryTheRecordShowsWhatIsConfigured) {
  Harness net(1);
  EXPECT_EQ(published(net, 0), std::vector{net[0].endpoint.text()});
  EXPECT_EQ(status_of(net, 0, net[0].endpoint).state, reachability::State::declared);
}

TEST(Reachable, AWrongPortIsNotPublishedAndTheStatusSaysWhy) {
  const Endpoint wrong = tcp("10.0.1.1", 7421);
  Harness net = make_network(3, [&](std::size_t i, Config& config) {
    config.mailbox.collect = false;  // Or links to mailboxes would show its true port to enough peers.
    if (i == 1) config.advertised[0] = wrong;
  });
  EXPECT_EQ(published(net, 1), std::vector<std::string>{"udp://10.0.1.1:7420"});
  const auto status = status_of(net, 1, wrong);
  EXPECT_EQ(status.state, reachability::State::unreachable);
  EXPECT_TRUE(status.last_error.contains("connection refused")) << status.last_error;
  EXPECT_TRUE(status.refused_by);
}

TEST(Reachable, NobodyIsMadeToDialAThirdParty) {
  const Endpoint third = tcp("10.0.77.1");
  const Endpoint name = tcp("victim.example");
  Harness net = make_network(3, [&](std::size_t i, Config& config) {
    config.mailbox.collect = false;  // Or it would be dialled to keep mail, as its record says.
    if (i != 1) return;
    config.advertised = {third, name};
    config.listening.clear();  // Its true address is not seen either.
    config.reachability.votes = 9;
  });
  for (std::size_t i = 0; i < 3; ++i) {
    for (const Dial& dial : net[i].dials) {
      EXPECT_NE(dial.endpoint, third);
      const std::vector only = {Harness::address_of(1).ip};
      EXPECT_TRUE(dial.endpoint != name || dial.only == only) << "resolved, to see whether it leads there";
    }
  }
  EXPECT_TRUE(published(net, 1).empty());
  const auto status = status_of(net, 1, third);
  EXPECT_EQ(status.state, reachability::State::candidate);
  EXPECT_TRUE(status.last_error.contains("your link comes from 10.0.1.1")) << status.last_error;
}

/// Three nodes, of which the second tells a name.
Harness network_with_name(const Endpoint& name, const std::string& leads_to) {
  Harness net = make_network(3, [&](std::size_t i, Config& config) {
    config.mailbox.collect = false;
    if (i != 1) return;
    config.advertised = {name};
    config.listening.clear();
    config.reachability.votes = 9;
  });
  net.names[name.host] = leads_to;
  net.advance(minutes(30));
  return net;
}

TEST(Reachable, ANameIsVerifiedWhereItLeadsToTheAsker) {
  const Endpoint name = tcp("boot.example.org");
  Harness net = network_with_name(name, "10.0.1.1");
  EXPECT_EQ(published(net, 1), std::vector{name.text()});
  EXPECT_EQ(status_of(net, 1, name).state, reachability::State::verified);
}

TEST(Reachable, ANameThatLeadsElsewhereIsNotPublished) {
  const Endpoint name = tcp("boot.example.org");
  for (const char* leads_to : {"10.0.2.1", "10.0.77.1", "127.0.0.1"}) {
    Harness net = network_with_name(name, leads_to);
    EXPECT_TRUE(published(net, 1).empty()) << leads_to;
    const auto status = status_of(net, 1, name);
    EXPECT_EQ(status.state, reachability::State::candidate);
    EXPECT_TRUE(status.last_error.contains("leads elsewhere")) << status.last_error;
  }
}

TEST(Reachable, FewNamesAreResolvedForOneAsker) {
  Harness net = make_network(2, [&](std::size_t i, Config& config) {
    config.mailbox.collect = false;
    if (i != 1) return;
    config.advertised.clear();
    for (const char* name : {"a.example", "b.example", "c.example", "d.example", "e.example", "f.example"}) {
      config.advertised.push_back(tcp(name));
    }
  });
  const auto is_name = [](const Dial& dial) { return !dial.endpoint.address(); };
  const auto dialled = std::ranges::count_if(net[0].dials, is_name);
  EXPECT_GE(dialled, 4);
  EXPECT_LE(dialled, 12) << "in two minutes and what is begun of a third";
  EXPECT_TRUE(std::ranges::any_of(net[1].node->status().endpoints,
                                  [](const auto& status) { return status.last_error.contains("too many"); }));
}

TEST(Reachable, WhoIsToldNothingLearnsItsAddressFromItsPeers) {
  Harness net = make_network(4, [](std::size_t i, Config& config) {
    if (i == 3) config.advertised.clear();
  });
  net.advance(minutes(30));
  const std::vector<std::string> all = published(net, 3);
  EXPECT_TRUE(std::ranges::find(all, "udp://10.0.3.1:7420") != all.end());
  EXPECT_TRUE(std::ranges::find(all, "tcp://10.0.3.1:7420") != all.end());
}

TEST(Reachable, WhatARouterForwardsIsVerifiedAndGoesWithTheMapping) {
  Harness net = make_network(3, [](std::size_t i, Config& config) {
    if (i != 1) return;
    config.advertised.clear();
    config.listening.clear();
  });
  const Endpoint mapped = tcp("10.0.1.1");
  net.feed(1, EndpointMapped{mapped});
  net.pump();
  net.advance(seconds(20));
  EXPECT_EQ(status_of(net, 1, mapped).source, reachability::Source::mapped);
  const auto is_shown = [&] {
    const auto all = published(net, 1);
    return std::ranges::find(all, mapped.text()) != all.end();
  };
  EXPECT_TRUE(is_shown());
  net.feed(1, MappingLost{mapped});
  net.pump();
  net.advance(seconds(20));
  EXPECT_FALSE(is_shown());
}

TEST(Reachable, WhatARouterForwardsFromAnotherPortIsPublishedWithThat) {
  Harness net = make_network(3, [](std::size_t i, Config& config) {
    if (i != 1) return;
    config.advertised.clear();
    config.listening.clear();
  });
  const Endpoint mapped{Endpoint::Transport::tcp, "10.0.1.1", 7431};
  net[1].endpoint.port = 7431;  // There the router takes what is for the node.
  net.feed(1, EndpointMapped{mapped});
  net.pump();
  net.advance(seconds(20));
  EXPECT_EQ(status_of(net, 1, mapped).state, reachability::State::verified);
  const auto all = published(net, 1);
  EXPECT_NE(std::ranges::find(all, mapped.text()), all.end());
}

TEST(Reachable, ARestartPublishesAtOnce) {
  Harness net = make_network(3);
  net.crash(1);
  net.crash(0);
  net.crash(2);
  net.boot(1);
  EXPECT_EQ(published(net, 1).size(), 2U);
}

TEST(Reachable, ChangesAreGathered) {
  Harness net = make_network(2);
  const auto record = [&] { return *identity::verify_record_ignoring_time(net[1].node->own_record()); };
  const auto before = record();
  net.advance(hours(3));
  EXPECT_EQ(record().sequence, before.sequence) << "checks that succeed change nothing";
}

TEST(Reachable, DialBacksAreBounded) {
  Config config;
  config.discovery = config.private_network = true;
  config.dial_backs_per_peer = 0;
  Harness net(2, config, [](std::size_t i, Config& tuned) {
    if (i == 1) {
      tuned.sources = {
          .name = "test", .seeds = {{.id = {}, .public_key = {}, .endpoints = {tcp("10.0.0.1")}}}, .lists = {}};
      ByteArray<32> seed{};
      seed[0] = 1;
      tuned.sources.seeds[0].id = identity::Identity(crypto::Ed25519Seed(seed)).id();
    }
  });
  net.advance(minutes(1));
  EXPECT_TRUE(published(net, 1).empty());
  EXPECT_TRUE(status_of(net, 1, net[1].endpoint).last_error.contains("too many"))
      << status_of(net, 1, net[1].endpoint).last_error;
}

}  // namespace
}  // namespace ekiden::node
