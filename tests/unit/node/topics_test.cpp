// What is published in a topic reaches its members through whole nodes: found in the DHT, linked, once each.
#include <gtest/gtest.h>

#include "harness.hpp"

namespace ekiden::node {
namespace {

const std::string kWeather = "weather/tokyo";

void subscribe(Harness& net, std::size_t i, const std::string& topic) {
  const auto request = net.request<SubscribeTopic>(i, topic);
  ASSERT_TRUE(net[i].replies.at(request)) << net[i].replies.at(request).error().message;
}

std::uint64_t publish(Harness& net, std::size_t i, const std::string& topic, const std::string& text) {
  return net.request<PublishInTopic>(i, topic, to_bytes(as_bytes(text)));
}

std::vector<std::string> heard(const Harness::Peer& peer) {
  std::vector<std::string> all;
  for (const TopicMessage& message : peer.topic_messages) all.emplace_back(as_text(message.payload));
  return all;
}

using Texts = std::vector<std::string>;

TEST(Topics, ReachAllSubscribersOnceAndNobodyElse) {
  Harness net = make_network(7);
  for (std::size_t i = 1; i < 6; ++i) subscribe(net, i, kWeather);
  net.advance(seconds(30));
  const auto first = publish(net, 3, kWeather, "sunny");
  publish(net, 5, kWeather, "cloudy");
  net.advance(seconds(5));
  ASSERT_TRUE(net[3].published.at(first));
  EXPECT_EQ(net[3].published.at(first)->sequence, 1U);
  EXPECT_GE(net[3].published.at(first)->neighbours, 1U);
  for (const std::size_t i : {1U, 2U, 4U}) {
    Texts texts = heard(net[i]);
    std::ranges::sort(texts);
    EXPECT_EQ(texts, (Texts{"cloudy", "sunny"})) << i;
  }
  EXPECT_EQ(heard(net[3]), Texts{"cloudy"});
  EXPECT_EQ(net[3].topic_messages.front().publisher, net[5].id);
  EXPECT_TRUE(net[0].topic_messages.empty() && net[6].topic_messages.empty());
  EXPECT_TRUE(net[6].node->status().topics.empty());
}

TEST(Topics, MayBePublishedInByOneThatDoesNotSubscribe) {
  Harness net = make_network(5);
  for (const std::size_t i : {1U, 2U}) subscribe(net, i, kWeather);
  net.advance(seconds(30));
  const auto request = publish(net, 4, kWeather, "rain");
  net.advance(seconds(12));
  ASSERT_TRUE(net[4].published.at(request));
  EXPECT_GE(net[4].published.at(request)->neighbours, 1U);
  EXPECT_EQ(heard(net[1]), Texts{"rain"});
  EXPECT_EQ(heard(net[2]), Texts{"rain"});
  // It takes part for a minute, and leaves.
  EXPECT_EQ(net[4].node->status().topics.size(), 1U);
  net.advance(minutes(2));
  EXPECT_TRUE(net[4].node->status().topics.empty());
  EXPECT_EQ(net[4].node->status().topic_totals.published, 1U);
}

TEST(Topics, AreCaughtUpWithAfterACrash) {
  Harness net = make_network(5);
  for (std::size_t i = 1; i < 5; ++i) subscribe(net, i, kWeather);
  net.advance(seconds(30));
  publish(net, 1, kWeather, "one");
  net.advance(seconds(2));
  net.crash(3);
  net[3].topic_messages.clear();
  publish(net, 1, kWeather, "two");
  net.advance(seconds(2));
  net.boot(3);
  subscribe(net, 3, kWeather);
  net.advance(seconds(20));
  EXPECT_EQ(heard(net[3]), (Texts{"one", "two"}));
  // Its own run of numbers is another: what it publishes now is no replay.
  publish(net, 3, kWeather, "three");
  net.advance(seconds(2));
  EXPECT_EQ(heard(net[2]), (Texts{"one", "two", "three"}));
}

TEST(Topics, AreFoundWithoutDiscoveryAmongLinkedPeers) {
  Harness net(2);
  net.introduce(0, 1, "bob");
  net.send(0, 1, "hello");
  net.advance(seconds(1));
  subscribe(net, 1, kWeather);
  net.advance(seconds(5));
  publish(net, 0, kWeather, "sunny");
  net.advance(seconds(5));
  EXPECT_EQ(heard(net[1]), Texts{"sunny"});
}

TEST(Topics, AreLeftAtTheEnd) {
  Harness net = make_network(4);
  for (std::size_t i = 1; i < 4; ++i) subscribe(net, i, kWeather);
  net.advance(seconds(30));
  ASSERT_EQ(net[1].node->status().topics.front().neighbours, 2U);
  net.stop(3);
  net.advance(seconds(1));
  EXPECT_EQ(net[1].node->status().topics.front().neighbours, 1U);
  const auto request = net.request<UnsubscribeTopic>(1, kWeather);
  EXPECT_TRUE(net[1].replies.at(request));
  net.advance(minutes(2));
  EXPECT_TRUE(net[1].node->status().topics.empty());
  const auto again = net.request<UnsubscribeTopic>(1, kWeather);
  EXPECT_EQ(net[1].replies.at(again).error().code, Errc::not_found);
}

TEST(Topics, HaveNamesAndLimits) {
  Harness net(1);
  EXPECT_EQ(net[0].replies.at(net.request<SubscribeTopic>(0, std::string("No Topic"))).error().code,
            Errc::invalid_argument);
  const auto large = publish(net, 0, kWeather, std::string(gossip::kMaxPayload + 1, 'x'));
  EXPECT_EQ(net[0].published.at(large).error().code, Errc::too_large);
  for (std::size_t i = 0; i < gossip::Config{}.max_topics; ++i) subscribe(net, 0, "topic-" + std::to_string(i));
  EXPECT_EQ(net[0].replies.at(net.request<SubscribeTopic>(0, kWeather)).error().code, Errc::limit_exceeded);
}

}  // namespace
}  // namespace ekiden::node
