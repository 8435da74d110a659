// Peers that have lost their sessions, and whose senders reach them by way of others only.
#include <gtest/gtest.h>

#include <algorithm>

#include "harness.hpp"

namespace ekiden::node {
namespace {

/// The disk of a node that does not run loses its rows of one table.
void lose_rows(Harness::Peer& peer, store::Table table) {
  store::Batch batch;
  for (const store::Row& row : peer.disk.rows()) {
    if (row.key.table != table) continue;
    if (row.key.name.empty()) {
      batch.erase(table, row.key.number);
    } else {
      batch.erase(table, row.key.name);
    }
  }
  ASSERT_FALSE(batch.empty());
  peer.disk.apply(batch);
}

std::ptrdiff_t count_arrivals(const Harness::Peer& peer, std::string_view text) {
  return std::ranges::count_if(peer.arrivals,
                               [&](const router::ArrivedPtr& message) { return as_text(message->body) == text; });
}

bool is_delivered(const Harness::Peer& peer) {
  return std::ranges::any_of(
      peer.states, [](const StateChanged& change) { return change.state == router::MessageState::delivered; });
}

/// They have a session, and each has written in it.
void talk(Harness& net, std::size_t a, std::size_t b) {
  net.send(a, b, "one");
  net.advance(seconds(10));
  net.send(b, a, "two");
  net.advance(seconds(10));
  net.send(a, b, "three");
  net.advance(seconds(10));
  ASSERT_EQ(count_arrivals(net[b], "three"), 1);
  ASSERT_TRUE(is_delivered(net[a]));
  net[a].states.clear();
  net[b].arrivals.clear();
}

TEST(SessionLoss, IsToldThroughMailboxesAndTheMessageComesOnceInANewOne) {
  Harness net = make_network(6);
  net.advance(minutes(3));
  talk(net, 4, 5);
  net.crash(5);
  lose_rows(net[5], store::Table::sessions);
  net.send(4, 5, "four");
  net.advance(minutes(1));
  net.crash(4);

  // They are never there at the same time.
  for (const std::size_t there : {5U, 4U, 5U, 4U}) {
    net.boot(there);
    net.advance(minutes(2));
    net.crash(there);
  }
  EXPECT_EQ(count_arrivals(net[5], "four"), 1);
  EXPECT_TRUE(is_delivered(net[4]));
}

TEST(SessionLoss, IsToldThroughRelaysAndTheMessageComesOnceInANewOne) {
  Harness net = make_network(6);
  net.advance(minutes(3));
  // From now on nobody can dial them.
  net.crash(4);
  net.crash(5);
  for (const std::size_t closed : {4U, 5U}) {
    net.boot(closed);
    net[closed].endpoint.port = 1;
  }
  net.advance(minutes(3));
  talk(net, 4, 5);
  ASSERT_FALSE(net[4].up.contains(net[5].id));
  net.crash(5);
  lose_rows(net[5], store::Table::sessions);
  net.boot(5);
  net[5].endpoint.port = 2;
  net.advance(seconds(30));
  net.send(4, 5, "four");
  net.advance(seconds(30));
  EXPECT_EQ(count_arrivals(net[5], "four"), 1);
  EXPECT_TRUE(is_delivered(net[4]));
  EXPECT_FALSE(net[4].up.contains(net[5].id));
}

}  // namespace
}  // namespace ekiden::node
