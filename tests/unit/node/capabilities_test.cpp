// What a node offers is found by others, survives restarts, and ends when its owner says so.
#include <gtest/gtest.h>

#include "harness.hpp"

namespace ekiden::node {
namespace {

/// Who was found in the last search of node `i`, with what they offer.
std::map<identity::PeerId, std::string> owners(Harness& net, std::size_t i) {
  std::map<identity::PeerId, std::string> all;
  const CapabilityFound& found = net[i].owners.back();
  if (!found.owners) return all;
  for (const auto& [announcement, bytes] : *found.owners) all[announcement.owner()] = announcement.capability;
  return all;
}

void find(Harness& net, std::size_t i, const std::string& capability) {
  net.find(i, capability);
  net.advance(seconds(5));
}

TEST(Capabilities, AreFoundByNameAndByLeadingPart) {
  Harness net = make_network(6);
  offer(net, 2, "translate/ja-en");
  offer(net, 4, "translate/en-ja");
  find(net, 5, "translate/ja-en");
  EXPECT_EQ(owners(net, 5), (std::map<identity::PeerId, std::string>{{net[2].id, "translate/ja-en"}}));
  find(net, 5, "translate");
  EXPECT_EQ(owners(net, 5),
            (std::map<identity::PeerId, std::string>{{net[2].id, "translate/ja-en"}, {net[4].id, "translate/en-ja"}}));
  EXPECT_GE(net[5].owners.back().trail.answered, 1U);
  find(net, 5, "ocr");
  ASSERT_FALSE(net[5].owners.back().owners);
  EXPECT_EQ(net[5].owners.back().owners.error().code, Errc::not_found);
}

TEST(Capabilities, StandInTheRecord) {
  Harness net = make_network(4);
  offer(net, 2, "ocr");
  net.find(1, 2);
  net.advance(seconds(1));
  EXPECT_EQ(net[1].found.back().record->record.capabilities, std::vector<std::string>{"ocr"});
  const auto offers = net[2].node->offers();
  ASSERT_EQ(offers.size(), 1U);
  EXPECT_EQ(offers[0].capability, "ocr");
  EXPECT_EQ(offers[0].holders, 3U);
}

TEST(Capabilities, SurviveACrashAsSoonAsTheyAreConfirmed) {
  Harness net = make_network(5);
  const auto request = net.request<OfferCapability>(3, "ocr");
  ASSERT_TRUE(net[3].replies.at(request));
  net.crash(3);
  net.boot(3);
  net.advance(minutes(2));
  find(net, 1, "ocr");
  EXPECT_EQ(owners(net, 1).count(net[3].id), 1U);
}

TEST(Capabilities, AreConfirmedOnlyOnceTheyAreOnDisk) {
  Harness net = make_network(3);
  net[1].disk_syncs = false;
  const auto first = net.request<OfferCapability>(1, "ocr");
  const auto again = net.request<OfferCapability>(1, "ocr");
  net.advance(seconds(5));
  EXPECT_FALSE(net[1].replies.contains(first) || net[1].replies.contains(again));
  find(net, 2, "ocr");
  EXPECT_TRUE(owners(net, 2).empty()) << "a number that a crash could use again";
  net[1].disk_syncs = true;
  net.pump();
  net.advance(seconds(5));
  EXPECT_TRUE(net[1].replies.at(first) && net[1].replies.at(again));
  find(net, 2, "ocr");
  EXPECT_EQ(owners(net, 2).size(), 1U);
}

TEST(Capabilities, AreGoneOnceTheyAreWithdrawn) {
  Harness net = make_network(6);
  offer(net, 2, "translate/ja-en");
  offer(net, 2, "translate/en-ja");
  const auto request = net.request<WithdrawCapability>(2, "translate/en-ja");
  EXPECT_TRUE(net[2].replies.at(request));
  net.advance(seconds(5));
  find(net, 4, "translate/en-ja");
  EXPECT_TRUE(owners(net, 4).empty());
  find(net, 4, "translate");
  EXPECT_EQ(owners(net, 4), (std::map<identity::PeerId, std::string>{{net[2].id, "translate/ja-en"}}))
      << "the part that the other one shares goes on";
  EXPECT_EQ(net[2].replies.at(net.request<WithdrawCapability>(2, "ocr")).error().code, Errc::not_found);
}

TEST(Capabilities, AreAnnouncedAsLongAsTheNodeLives) {
  Harness net = make_network(4);
  offer(net, 2, "ocr");
  net.advance(days(3));
  find(net, 1, "ocr");
  EXPECT_EQ(owners(net, 1).size(), 1U) << "an announcement lives for a day";
}

TEST(Capabilities, AreAnnouncedAgainWhenAClockWasWrong) {
  Harness net = make_network(4);
  offer(net, 2, "ocr");
  net.set_clock(net.now().wall + days(400));
  net.advance(minutes(3));
  find(net, 1, "ocr");
  EXPECT_EQ(owners(net, 1).size(), 1U);
}

TEST(Capabilities, HaveBounds) {
  Harness net = make_network(2);
  const auto refused = [&](const std::string& name) {
    const auto& reply = net[1].replies.at(net.request<OfferCapability>(1, name));
    return reply ? Errc::internal : reply.error().code;
  };
  for (const std::string name : {"", "Ocr", "a//b", "/a", "a/", "a b", "\x1b[2J"}) {
    EXPECT_EQ(refused(name), Errc::invalid_argument) << name;
  }
  EXPECT_EQ(refused(std::string(65, 'a')), Errc::invalid_argument);
  for (char c = 'a'; c < 'a' + 3; ++c) offer(net, 1, std::string(1, c) + "/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f");
  EXPECT_EQ(refused("d/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f"), Errc::limit_exceeded) << "keys of the DHT";
  for (char c = 'd'; c < 'd' + 12; ++c) offer(net, 1, std::string(1, c));
  offer(net, 1, "z");
  EXPECT_EQ(refused("one-more"), Errc::limit_exceeded);
  EXPECT_EQ(net[1].node->offers().size(), 16U);
}

TEST(Capabilities, WithLongNamesStayOutOfTheRecordAlone) {
  Harness net = make_network(3);
  for (char c = 'a'; c < 'a' + 16; ++c) offer(net, 1, std::string(64, c));
  find(net, 2, std::string(64, 'p'));
  EXPECT_EQ(owners(net, 2).size(), 1U);
  net.find(2, 1);
  net.advance(seconds(1));
  ASSERT_TRUE(net[2].found.back().record);
  EXPECT_TRUE(net[2].found.back().record->record.capabilities.empty());
}

TEST(Capabilities, NeedDiscoveryToBeFound) {
  Harness net(2);
  EXPECT_TRUE(net[0].replies.at(net.request<OfferCapability>(0, "ocr")));
  net.find(0, "ocr");
  EXPECT_EQ(net[0].owners.back().owners.error().code, Errc::unsupported);
}

TEST(Leaving, LeavesARecordThatSaysWhereMessagesGo) {
  Harness net = make_network(6);
  net.stop(2);
  net.find(4, 2);
  net.advance(seconds(5));
  ASSERT_TRUE(net[4].found.back().record);
  const identity::PeerRecord& record = net[4].found.back().record->record;
  EXPECT_TRUE(record.endpoints.empty());
  EXPECT_TRUE(record.prekey.has_value());
  EXPECT_EQ(record.mailboxes.size(), 3U);
}

TEST(Leaving, WithdrawsTheRecordAndTheCapabilities) {
  Harness net = make_network(6, [](std::size_t, Config& config) { config.mailbox.collect = false; });
  offer(net, 2, "ocr");
  net.stop(2);
  find(net, 4, "ocr");
  EXPECT_TRUE(owners(net, 4).empty());
  net.find(4, 2);
  net.advance(seconds(5));
  ASSERT_FALSE(net[4].found.back().record);
  EXPECT_EQ(net[4].found.back().record.error().code, Errc::not_found);
}

TEST(Leaving, IsNoObstacleToComingBack) {
  Harness net = make_network(6);
  offer(net, 2, "ocr");
  net.stop(2);
  net.boot(2);
  net.advance(minutes(2));
  find(net, 4, "ocr");
  EXPECT_EQ(owners(net, 4).size(), 1U);
  net.find(4, 2);
  net.advance(seconds(5));
  EXPECT_TRUE(net[4].found.back().record);
}

TEST(Leaving, WaitsForNobodyForever) {
  Harness net = make_network(4);
  for (const std::size_t gone : {std::size_t{0}, std::size_t{1}, std::size_t{3}}) net.crash(gone);
  net.feed(2, ShutDown{});
  net.pump();
  EXPECT_TRUE(net[2].node->is_leaving());
  net.advance(Config{}.leave_max);
  EXPECT_FALSE(net[2].node->is_leaving());
}

TEST(Leaving, IsOverAtOnceWhereNothingIsPublished) {
  Harness net(2);
  net.feed(0, ShutDown{});
  net.pump();
  EXPECT_FALSE(net[0].node->is_leaving());
}

TEST(Leaving, DoesNotWaitForADiskThatFails) {
  Harness net = make_network(3);
  net[1].disk_syncs = false;
  net.feed(1, ShutDown{});
  net.pump();
  net.advance(Config{}.leave_max);
  EXPECT_FALSE(net[1].node->is_leaving());
}

}  // namespace
}  // namespace ekiden::node
