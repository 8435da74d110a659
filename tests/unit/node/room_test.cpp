// Who finds room at a node, and who is told that there is none.
#include <gtest/gtest.h>

#include <algorithm>

#include "unit/node/harness.hpp"

namespace ekiden::node {
namespace {

std::string last_step(Harness::Peer& peer, std::uint64_t request) {
  return peer.node->trace(*peer.replies.at(request))->steps.back().what;
}

std::size_t waiting(Harness::Peer& peer) { return peer.node->status().router.inbox_messages; }

TEST(RoomTest, StrangersDoNotKeepOutContactsAndTheContactBookSaysWhoIsOne) {
  Config config;
  config.router.max_inbox_messages = 8;
  Harness net(4, config);
  net.introduce(0, 1, "alice");
  for (std::size_t sender = 1; sender < 4; ++sender) net.introduce(sender, 0, "bob");
  net.send(2, 0, "from a stranger");
  net.send(3, 0, "from another");
  const auto refused = net.send(3, 0, "and one too many");
  EXPECT_EQ(waiting(net[0]), 2U);
  net.advance(milliseconds(20));
  EXPECT_NE(last_step(net[3], refused).find("room for strangers is full"), std::string::npos);
  net.send(1, 0, "from a contact");
  EXPECT_EQ(waiting(net[0]), 3U);

  net.crash(0);
  net.boot(0);
  net.advance(seconds(20));
  ASSERT_TRUE(net[0].up.contains(net[1].id));
  net.send(1, 0, "still a contact");
  EXPECT_EQ(waiting(net[0]), 4U);

  net.feed(0, RemoveContact{net.next_request(), net[1].id});
  net.pump();
  net.send(1, 0, "no longer");
  EXPECT_EQ(waiting(net[0]), 4U);
}

TEST(RoomTest, AContactOfTheTierOfStrangersIsAStranger) {
  Config config;
  config.router.max_inbox_messages = 4;
  Harness net(2, config);
  net.introduce(1, 0, "bob");
  identity::Contact contact;
  contact.id = net[1].id;
  contact.petname = "somebody";
  contact.tier = identity::TrustTier::stranger;
  net.feed(0, PutContact{net.next_request(), contact, false});
  net.pump();
  net.send(1, 0, "one");
  net.send(1, 0, "two");
  EXPECT_EQ(waiting(net[0]), 1U);
  contact.tier = identity::TrustTier::contact;
  net.feed(0, PutContact{net.next_request(), contact, true});
  net.pump();
  net.advance(minutes(1));
  EXPECT_EQ(waiting(net[0]), 2U);
}

TEST(RoomTest, ASenderIsToldThatThereIsNoRoomForASession) {
  Config config;
  config.session.max_sessions = 2;
  config.session.max_sessions_per_peer = 2;
  Harness net(4, config);
  for (std::size_t sender = 1; sender < 4; ++sender) net.introduce(sender, 0, "bob");
  for (std::size_t sender = 1; sender < 3; ++sender) {
    net.send(sender, 0, "hello");
    net.send(0, sender, "hello");  // Only a session that we have sent on is kept against others.
  }
  const auto refused = net.send(3, 0, "hello");
  net.advance(milliseconds(20));
  EXPECT_EQ(waiting(net[0]), 2U);
  EXPECT_NE(last_step(net[3], refused).find("recipient refused: inbox full"), std::string::npos)
      << last_step(net[3], refused);
  const auto& log = net[0].log;
  EXPECT_TRUE(std::ranges::any_of(
      log, [](const std::string& line) { return line.find("no room for another session") != std::string::npos; }));
}

}  // namespace
}  // namespace ekiden::node
