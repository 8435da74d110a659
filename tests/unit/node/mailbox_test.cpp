// Messages to peers that are not there: left with mailboxes by nodes that find each other through the DHT.
#include <gtest/gtest.h>

#include <algorithm>

#include "harness.hpp"
#include "mailbox/rows.hpp"

namespace ekiden::node {
namespace {

/// With time for everybody to choose mailboxes, and for the records that name them to be published.
Harness make_settled_network(std::size_t nodes, const mailbox::Config& mailbox = {}) {
  Harness net = make_network(nodes, [mailbox](std::size_t, Config& config) { config.mailbox = mailbox; });
  net.advance(minutes(3));
  return net;
}

bool has_receipt(Harness& net, std::size_t sender) {
  return std::ranges::any_of(
      net[sender].states, [](const StateChanged& change) { return change.state == router::MessageState::delivered; });
}

std::size_t parcels_at(Harness& net, std::size_t i) { return net[i].node->status().mailbox.used.parcels; }

/// At the first six nodes, of those that run.
std::size_t parcels(Harness& net, std::size_t nodes = 6) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < nodes; ++i) count += net[i].node ? parcels_at(net, i) : 0;
  return count;
}

TEST(Mailboxes, ANodeChoosesThreeAndNamesThemInItsRecord) {
  Harness net = make_settled_network(6);
  for (std::size_t i = 0; i < 6; ++i) {
    const auto own = net[i].node->status().own_mailboxes.own;
    ASSERT_EQ(own.size(), 3U) << i;
    const auto record = identity::verify_record_ignoring_time(net[i].node->own_record());
    ASSERT_TRUE(record);
    ASSERT_EQ(record->mailboxes.size(), 3U) << i;
    for (std::size_t j = 0; j < 3; ++j) {
      EXPECT_EQ(record->mailboxes[j], own[j].node);
      EXPECT_TRUE(own[j].up);
      EXPECT_NE(own[j].node, net[i].id);
    }
  }
}

TEST(Mailboxes, AMessageReachesWhoWasAwayWhileItsSenderIsAwayNow) {
  Harness net = make_settled_network(6);
  net.crash(5);
  net.send(4, 5, "for later");
  net.advance(minutes(1));
  EXPECT_EQ(parcels(net), 3U);
  net.crash(4);
  net.boot(5);
  net.advance(minutes(1));
  ASSERT_EQ(net[5].arrivals.size(), 1U);
  EXPECT_EQ(as_text(net[5].arrivals[0]->body), "for later");
  EXPECT_EQ(net[5].arrivals[0]->from, net[4].id);

  net.crash(5);
  net[4].states.clear();
  net.boot(4);
  net.advance(minutes(1));
  EXPECT_TRUE(has_receipt(net, 4));
  EXPECT_EQ(parcels(net), 0U) << "collected everywhere";
}

TEST(Mailboxes, WhoHasLeftIsFoundByStrangers) {
  Harness net = make_settled_network(6);
  net.stop(5);
  net.advance(minutes(10));
  net.crash(4);
  net.boot(4);  // It knows nothing of the other but its id.
  net.send(4, 5, "we have not met");
  net.advance(minutes(1));
  EXPECT_EQ(parcels(net), 3U);
  net.crash(4);
  net.boot(5);
  net.advance(minutes(1));
  ASSERT_EQ(net[5].arrivals.size(), 1U);
}

TEST(Mailboxes, WhoRestartsLeavesNothingTwice) {
  Harness net = make_settled_network(6);
  net.crash(5);
  net.send(4, 5, "once");
  net.advance(minutes(1));
  ASSERT_EQ(parcels(net), 3U);
  for (int i = 0; i < 3; ++i) {
    net.crash(4);
    net.boot(4);
    net.advance(minutes(1));
  }
  EXPECT_EQ(parcels(net), 3U);
  std::uint64_t stored = 0;
  for (std::size_t i = 0; i < 5; ++i) stored += net[i].node->status().mailbox.stored;
  EXPECT_LE(stored, 3U);
  net.boot(5);
  net.advance(minutes(1));
  EXPECT_EQ(net[5].arrivals.size(), 1U);
  EXPECT_TRUE(has_receipt(net, 4));
}

TEST(Mailboxes, AMailboxThatCrashesKeepsWhatItSaidItKeeps) {
  Harness net = make_settled_network(6);
  net.crash(5);
  net.send(4, 5, "on your disk");
  net.advance(minutes(1));
  net.crash(4);
  for (std::size_t i = 0; i < 4; ++i) {
    net.crash(i);
    net.boot(i);
  }
  net.advance(minutes(5));
  EXPECT_EQ(parcels(net), 3U);
  net.boot(5);
  net.advance(minutes(2));
  EXPECT_EQ(net[5].arrivals.size(), 1U);
}

TEST(Mailboxes, CopiesThatDieAreReplacedByTheSender) {
  Harness net = make_settled_network(8);
  net.crash(7);
  net.send(6, 7, "three of me");
  net.advance(minutes(1));
  ASSERT_EQ(parcels(net, 7), 3U);
  for (std::size_t i = 0, killed = 0; i < 6 && killed < 2; ++i) {
    if (parcels_at(net, i) == 0) continue;
    net.crash(i);
    ++killed;
  }
  EXPECT_EQ(parcels(net, 7), 1U);
  net.advance(minutes(35));
  EXPECT_EQ(parcels(net, 7), 3U);
}

TEST(Mailboxes, TheTraceSaysWhereAMessageIs) {
  Harness net = make_settled_network(6);
  net.crash(5);
  net.send(4, 5, "where am I?");
  net.advance(minutes(1));
  const auto traces = net[4].node->outgoing(1);
  ASSERT_EQ(traces.size(), 1U);
  EXPECT_EQ(traces[0].state, router::MessageState::in_flight);
  ASSERT_EQ(traces[0].stored.size(), 3U);
  EXPECT_EQ(traces[0].stored[0].until, traces[0].expires);
  net.boot(5);
  net.advance(minutes(1));
  const auto settled = net[4].node->trace(traces[0].id);
  ASSERT_TRUE(settled);
  EXPECT_EQ(settled->state, router::MessageState::delivered);
  EXPECT_EQ(settled->stored.size(), 3U);
}

TEST(Mailboxes, WhoMayNotServeIsNotAsked) {
  mailbox::Config config;
  config.serve = false;
  Harness net = make_settled_network(5, config);
  net.crash(4);
  net.send(3, 4, "nobody keeps me");
  net.advance(minutes(5));
  for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(net[i].node->status().own_mailboxes.own.empty());
  EXPECT_EQ(parcels(net, 4), 0U);
  net.boot(4);
  net.advance(minutes(11));
  EXPECT_EQ(net[4].arrivals.size(), 1U) << "the sender has kept it";
}

TEST(Mailboxes, AFullMailboxRefusesAndTheSenderKeepsTheMessage) {
  mailbox::Config config;
  config.max_parcels = 4;
  config.stranger_share = 2;
  Harness net = make_settled_network(6, config);
  net.crash(5);
  for (int i = 0; i < 20; ++i) net.send(4, 5, "number " + std::to_string(i));
  net.advance(minutes(1));
  for (std::size_t i = 0; i < 5; ++i) EXPECT_LE(parcels_at(net, i), 2U);
  net.boot(5);
  net.advance(minutes(11));
  EXPECT_EQ(net[5].arrivals.size(), 20U);
}

/// Changes what is kept of a node that is down, or whose disk does so behind its back.
template <class Change>
void change_bodies(Harness& net, std::size_t i, Change change) {
  store::Batch batch;
  for (const store::Row& row : net[i].disk.rows(store::Reading::on_demand)) change(row, batch);
  net[i].disk.apply(batch);
}

TEST(Mailboxes, DamagedCopiesAreToldAndDroppedAndTheOthersCollected) {
  Harness net = make_settled_network(6);
  net.crash(5);
  net.send(4, 5, "for later");
  net.advance(minutes(1));
  ASSERT_EQ(parcels(net), 3U);
  std::size_t whole = 3;
  for (std::size_t i = 0; i < 5; ++i) {
    if (parcels_at(net, i) == 0 || whole == 1) continue;
    --whole;
    change_bodies(net, i, [](const store::Row& row, store::Batch& batch) {
      Bytes value = row.value;
      value[value.size() - 9] ^= 0x40;
      batch.put(row.key.table, row.key.number, value);
    });
  }
  net.crash(4);
  net.boot(5);
  net.advance(minutes(1));
  ASSERT_EQ(net[5].arrivals.size(), 1U);
  EXPECT_EQ(as_text(net[5].arrivals[0]->body), "for later");
  std::size_t damaged = 0;
  std::size_t told = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    damaged += net[i].node->status().mailbox.damaged;
    told += static_cast<std::size_t>(
        std::ranges::count_if(net[i].log, [](const std::string& line) { return line.contains("is damaged"); }));
  }
  EXPECT_EQ(damaged, 2U);
  EXPECT_EQ(told, 2U);
}

TEST(Mailboxes, WhatEarlierVersionsKeptInOneRowIsGiven) {
  Harness net = make_settled_network(6);
  net.crash(5);
  net.send(4, 5, "for later");
  net.advance(minutes(1));
  net.crash(4);
  for (std::size_t i = 0; i < 4; ++i) {
    net.crash(i);
    change_bodies(net, i, [](const store::Row& row, store::Batch& batch) {
      const WallTime until = kStartOfTime + milliseconds(days(2));
      batch.put(store::Table::parcels, row.key.number,
                wire::encode(mailbox::WholeParcelRow{.until = until, .parcel = row.value}));
      batch.erase(row.key.table, row.key.number);
    });
  }
  for (std::size_t i = 0; i < 4; ++i) net.boot(i);
  EXPECT_EQ(parcels(net), 3U);
  net.boot(5);
  net.advance(minutes(3));
  ASSERT_EQ(net[5].arrivals.size(), 1U);
  EXPECT_EQ(as_text(net[5].arrivals[0]->body), "for later");
}

}  // namespace
}  // namespace ekiden::node
