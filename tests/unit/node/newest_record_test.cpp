// Of the records of a peer the newest holds, whoever brings it and wherever it stands.
#include <gtest/gtest.h>

#include <algorithm>

#include "unit/node/forgotten.hpp"

namespace ekiden::node {
namespace {

/// A node that was asked has told a record.
bool had_value(const PeerFound& found) {
  return std::ranges::any_of(found.trail.steps, [](const auto& step) { return step.had_value; });
}

/// The ends have links to the middle, and do not know each other.
Harness line_of_three() {
  Harness net(3);
  net.introduce(0, 1, "bob");
  net.introduce(1, 2, "carol");
  net.send(0, 1, "hello");
  net.send(1, 2, "hello");
  net.advance(seconds(1));
  return net;
}

TEST(NewestRecord, IsNotDisplacedByAnOlderOneOfTheDht) {
  Harness net = restarted_network(4, 0);
  const std::uint64_t real = own_record_of(net, 2).sequence;
  net.crash(2);
  net.boot(0);
  know_forgotten(net, 0, 2, {.sequence = real + 5});
  // From now on it stands with the contact alone, until somebody asks for it.
  net.crash(0);
  net.boot(0);
  net.advance(minutes(1));
  net.find(0, 2);
  net.advance(seconds(5));
  ASSERT_EQ(net[0].found.size(), 1U);
  ASSERT_TRUE(net[0].found[0].record) << net[0].found[0].record.error().message;
  EXPECT_TRUE(had_value(net[0].found[0])) << "the older one stands in the DHT";
  EXPECT_EQ(net[0].found[0].record->record.sequence, real + 5) << "and is not the answer";
  EXPECT_EQ(sequence_known(net, 0, 2), real + 5);
}

TEST(NewestRecord, ThatStandsWithTheContactAloneIsNotDisplacedEither) {
  // Who wants no mailboxes wants no link to the peer, and does not look at its record before it is sought.
  Harness net = restarted_network(4, 0, [](std::size_t, Config& config) { config.mailbox.collect = false; });
  const std::uint64_t real = own_record_of(net, 2).sequence;
  net.crash(2);
  net.boot(0);
  net.advance(minutes(1));
  ASSERT_EQ(sequence_known(net, 0, 2), 0U);
  add_forgotten(net, 0, 2, {.sequence = real + 5});
  net.find(0, 2);
  net.advance(seconds(5));
  ASSERT_EQ(net[0].found.size(), 1U);
  ASSERT_TRUE(net[0].found[0].record) << net[0].found[0].record.error().message;
  EXPECT_TRUE(had_value(net[0].found[0])) << "the older one stands in the DHT";
  EXPECT_EQ(net[0].found[0].record->record.sequence, real + 5);
  EXPECT_EQ(sequence_known(net, 0, 2), real + 5);
}

TEST(NewestRecord, IsTheFirstOfTwoWithOneSequence) {
  Harness net = restarted_network(4, 0);
  const std::uint64_t real = own_record_of(net, 2).sequence;
  net.crash(2);
  net.boot(0);
  know_forgotten(net, 0, 2, {.sequence = real});
  net.advance(minutes(1));
  net.find(0, 2);
  net.advance(seconds(5));
  ASSERT_EQ(net[0].found.size(), 1U);
  EXPECT_TRUE(had_value(net[0].found[0])) << "the other stands in the DHT";
  EXPECT_TRUE(net[0].node->peer_record(net[2].id)->record.endpoints.empty()) << "the one that was there";
}

TEST(NewestRecord, OfTheDhtDisplacesAnOlderOne) {
  Harness net = restarted_network(4, 0);
  const std::uint64_t real = own_record_of(net, 2).sequence;
  net.crash(2);
  net.boot(0);
  know_forgotten(net, 0, 2, {.sequence = real - 1});
  net.advance(minutes(1));
  net.find(0, 2);
  net.advance(seconds(5));
  EXPECT_EQ(sequence_known(net, 0, 2), real);
}

TEST(NewestRecord, IsNotDisplacedByAnOlderOneThatCameThroughRelays) {
  Harness net = restarted_network(6, 4);
  const std::uint64_t beyond = own_record_of(net, 5).sequence + 10'000'000;
  net.crash(5);
  // Nobody can dial the two.
  net.boot(4);
  net[4].endpoint.port = 1;
  know_forgotten(net, 4, 5, {.sequence = beyond});
  net.boot(5);
  net[5].endpoint.port = 1;
  net.advance(minutes(2));
  net.send(4, 5, "hello");
  net.advance(minutes(1));
  ASSERT_FALSE(net[4].up.contains(net[5].id));
  EXPECT_GT(net[4].node->status().relay.routed_peers, 0U) << "its answer came, and with it the record";
  EXPECT_EQ(sequence_known(net, 4, 5), beyond);
}

TEST(NewestRecord, IsNotDisplacedByAnOlderOneThatAMemberOfATopicShows) {
  Harness net = line_of_three();
  const std::uint64_t beyond = own_record_of(net, 2).sequence + 100'000;
  const std::string elsewhere = "tcp://9.9.9.9:7555";
  know_forgotten(net, 0, 2, {.sequence = beyond, .endpoints = {elsewhere}});
  net[2].endpoint.port = 1;  // Or it would hear of it.
  net[0].dials.clear();
  for (std::size_t i = 0; i < 3; ++i) net.request<SubscribeTopic>(i, std::string("weather"));
  net.advance(minutes(2));
  EXPECT_TRUE(has_dialled(net, 0, elsewhere)) << "it met the member, and goes by what it knew";
  EXPECT_EQ(sequence_known(net, 0, 2), beyond);
}

TEST(NewestRecord, OfAMemberComesWithTheTopic) {
  Harness net = line_of_three();
  ASSERT_EQ(sequence_known(net, 0, 2), 0U);
  net[2].endpoint.port = 1;  // Its link would bring it, too.
  for (std::size_t i = 0; i < 3; ++i) net.request<SubscribeTopic>(i, std::string("weather"));
  net.advance(minutes(2));
  EXPECT_EQ(sequence_known(net, 0, 2), own_record_of(net, 2).sequence);
}

TEST(NewestRecord, OfTheOtherEndComesThroughTheRelay) {
  Harness net = line_of_three();
  ASSERT_EQ(sequence_known(net, 0, 2), 0U);
  net.send(0, 2, "hello");
  net.advance(seconds(10));
  EXPECT_EQ(sequence_known(net, 0, 2), own_record_of(net, 2).sequence);
  ASSERT_EQ(net[2].arrivals.size(), 2U);
  EXPECT_EQ(net[2].arrivals.back()->from, net[0].id);
}

TEST(NewestRecord, OfAContactIsNotDisplacedByARowFromBeforeItWasOne) {
  Harness net(2);
  net.crash(0);
  identity::Contact contact;
  contact.id = net[1].id;
  contact.petname = "bob";
  contact.record = forgotten_record(net, 1, {.sequence = 9});
  for (const std::uint64_t sequence : {5U, 12U}) {
    store::Batch rows;
    rows.put(store::Table::contacts, contact.id.view(), wire::encode(contact));
    rows.put(store::Table::records, contact.id.view(), forgotten_record(net, 1, {.sequence = sequence}));
    net[0].disk.apply(rows);
    net.boot(0);
    EXPECT_EQ(sequence_known(net, 0, 1), std::max<std::uint64_t>(9, sequence));
    net.crash(0);
  }
}

TEST(NewestRecord, IsWhatThePeerIsDialledByThoughTheDhtHasAnOlderOne) {
  Harness net = restarted_network(4, 0);
  const std::string elsewhere = "tcp://9.9.9.9:7555";
  const std::uint64_t real = own_record_of(net, 2).sequence;
  net.crash(2);
  net.boot(0);
  know_forgotten(net, 0, 2, {.sequence = real + 5, .endpoints = {elsewhere}});
  net.advance(minutes(1));
  net.find(0, 2);
  net.advance(seconds(5));
  ASSERT_EQ(net[0].found.size(), 1U);
  ASSERT_TRUE(had_value(net[0].found[0]));
  net[0].dials.clear();
  net.send(0, 2, "hello");
  net.advance(minutes(1));
  EXPECT_TRUE(has_dialled(net, 0, elsewhere));
}

TEST(NewestRecord, ThatIsOverIsNotTheAnswerWhereTheDhtHasOneThatHolds) {
  Harness net = restarted_network(4, 0);
  const std::uint64_t real = own_record_of(net, 2).sequence;
  net.crash(2);
  net.boot(0);
  know_forgotten(net, 0, 2, {.sequence = real + 5, .ttl_seconds = 60});
  net.advance(minutes(2));
  net.find(0, 2);
  net.advance(seconds(5));
  ASSERT_EQ(net[0].found.size(), 1U);
  ASSERT_TRUE(net[0].found[0].record) << net[0].found[0].record.error().message;
  EXPECT_EQ(net[0].found[0].record->record.sequence, real);
  EXPECT_EQ(sequence_known(net, 0, 2), real + 5) << "and it is not displaced";
}

TEST(NewestRecord, OfWhoBecomesAContactIsOnDiskWithIt) {
  Harness net(2);
  net.introduce(1, 0, "alice");
  net.send(1, 0, "hello");
  const std::uint64_t shown = own_record_of(net, 1).sequence;
  ASSERT_EQ(sequence_known(net, 0, 1), shown);
  net.introduce(0, 1, "bob");
  identity::Contact renamed = *net[0].node->contacts().find(net[1].id);
  renamed.petname = "robert";
  renamed.record.reset();  // Who changes a contact does not give it.
  net.request<PutContact>(0, renamed, true);
  net.crash(1);
  net.crash(0);
  net.boot(0);
  EXPECT_EQ(sequence_known(net, 0, 1), shown);
}

TEST(NewestRecord, ThatStandsUnderTheNameOfSomebodyElseIsNotLoaded) {
  Harness net(3);
  net.crash(0);
  store::Batch rows;
  rows.put(store::Table::records, net[2].id.view(), forgotten_record(net, 1, {.sequence = 5}));
  net[0].disk.apply(rows);
  Node node(net[0].seed, {}, Rng(Rng::Seed{9}));
  const auto loaded = node.load(net[0].disk.rows(store::Reading::gathered));
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::storage_corrupt) << loaded.error().message;
}

}  // namespace
}  // namespace ekiden::node
