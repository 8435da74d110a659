// Of the records of a peer the newest holds, whoever brings it; and a peer that fell behind what others hold of it.
#include <gtest/gtest.h>

#include <algorithm>

#include "harness.hpp"
#include "stranger.hpp"

namespace ekiden::node {
namespace {

identity::PeerRecord own_record_of(Harness& net, std::size_t i) {
  return *identity::verify_record_ignoring_time(net[i].node->own_record());
}

/// Of whom `i` knows.
std::uint64_t sequence_known(Harness& net, std::size_t i, std::size_t of) {
  const auto known = net[i].node->peer_record(net[of].id);
  return known ? known->record.sequence : 0;
}

bool has_logged(const std::vector<std::string>& log, std::string_view text) {
  return std::ranges::any_of(log, [&](const std::string& line) { return line.contains(text); });
}
constexpr std::string_view kFellBehind = "others hold a newer record of this node";

/// A record that the peer signed in a life of which it has no memory. It names no address and no prekey.
Bytes forgotten_record(Harness& net, std::size_t of, std::uint64_t sequence) {
  const identity::Identity owner(net[of].seed);
  identity::PeerRecord record;
  record.public_key = owner.public_key();
  record.sequence = sequence;
  record.issued_at = net.now().wall;
  record.ttl_seconds = 86'400;
  return *identity::sign_record(owner, record);
}

/// `i` has a contact whose record it heard of in that life. REQUIRES: it knows no other.
void know_forgotten(Harness& net, std::size_t i, std::size_t of, std::uint64_t sequence) {
  ASSERT_EQ(sequence_known(net, i, of), 0U);
  identity::Contact contact;
  contact.id = net[of].id;
  contact.petname = "restored";
  contact.endpoints = {net[of].endpoint};
  contact.record = forgotten_record(net, of, sequence);
  net.request<PutContact>(i, contact, false);
  ASSERT_EQ(sequence_known(net, i, of), sequence);
}

/// A network in which `i` has forgotten all records.
Harness restarted_network(std::size_t count, std::size_t i) {
  Harness net = make_network(count);
  net.crash(i);
  store::Batch batch;
  for (const store::Row& row : net[i].disk.rows()) {
    if (row.key.table == store::Table::records || row.key.table == store::Table::values) {
      batch.erase(row.key.table, row.key.name);
    }
  }
  net[i].disk.apply(batch);
  return net;
}

TEST(NewestRecord, IsNotDisplacedByAnOlderOneOfTheDht) {
  Harness net = restarted_network(4, 0);
  const std::uint64_t real = own_record_of(net, 2).sequence;
  net.crash(2);
  net.boot(0);
  know_forgotten(net, 0, 2, real + 5);
  // From now on it stands with the contact alone, until somebody asks for it.
  net.crash(0);
  net.boot(0);
  net.advance(minutes(1));
  net.find(0, 2);
  net.advance(seconds(5));
  ASSERT_EQ(net[0].found.size(), 1U);
  ASSERT_TRUE(net[0].found[0].record) << net[0].found[0].record.error().message;
  EXPECT_TRUE(std::ranges::any_of(net[0].found[0].trail.steps, [](const auto& step) { return step.had_value; }))
      << "the older one stands in the DHT";
  EXPECT_EQ(net[0].found[0].record->record.sequence, real + 5) << "and is not the answer";
  EXPECT_EQ(sequence_known(net, 0, 2), real + 5);
}

TEST(NewestRecord, IsTheFirstOfTwoWithOneSequence) {
  Harness net = restarted_network(4, 0);
  const std::uint64_t real = own_record_of(net, 2).sequence;
  net.crash(2);
  net.boot(0);
  know_forgotten(net, 0, 2, real);
  net.find(0, 2);
  net.advance(seconds(5));
  ASSERT_EQ(net[0].found.size(), 1U);
  EXPECT_TRUE(net[0].node->peer_record(net[2].id)->record.endpoints.empty()) << "the one that was there";
}

TEST(NewestRecord, OfTheDhtDisplacesAnOlderOne) {
  Harness net = restarted_network(4, 0);
  const std::uint64_t real = own_record_of(net, 2).sequence;
  net.crash(2);
  net.boot(0);
  know_forgotten(net, 0, 2, real - 1);
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
  know_forgotten(net, 4, 5, beyond);
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
  Harness net(3);
  net.introduce(0, 1, "bob");
  net.introduce(1, 2, "carol");
  net.send(0, 1, "hello");
  net.send(1, 2, "hello");
  net.advance(seconds(1));
  const std::uint64_t beyond = own_record_of(net, 2).sequence + 100'000;
  know_forgotten(net, 0, 2, beyond);
  net[2].endpoint.port = 1;  // Or it would hear of it.
  net[0].dials.clear();
  for (std::size_t i = 0; i < 3; ++i) net.request<SubscribeTopic>(i, std::string("weather"));
  net.advance(minutes(2));
  EXPECT_TRUE(std::ranges::any_of(net[0].dials, [](const Dial& dial) { return dial.endpoint.host == "10.0.2.1"; }))
      << "it met the member";
  EXPECT_EQ(sequence_known(net, 0, 2), beyond);
}

TEST(NewestRecord, OfAContactIsNotDisplacedByARowFromBeforeItWasOne) {
  Harness net(2);
  net.crash(0);
  identity::Contact contact;
  contact.id = net[1].id;
  contact.petname = "bob";
  contact.record = forgotten_record(net, 1, 9);
  for (const std::uint64_t sequence : {5U, 12U}) {
    store::Batch rows;
    rows.put(store::Table::contacts, contact.id.view(), wire::encode(contact));
    rows.put(store::Table::records, contact.id.view(), forgotten_record(net, 1, sequence));
    net[0].disk.apply(rows);
    net.boot(0);
    EXPECT_EQ(sequence_known(net, 0, 1), std::max<std::uint64_t>(9, sequence));
    net.crash(0);
  }
}

TEST(RestoredPeer, IsReachedAtOnceAndGoesAboveWhatOthersHoldOfIt) {
  Harness net(2);
  const std::uint64_t beyond = own_record_of(net, 1).sequence + 1'000'000;
  know_forgotten(net, 0, 1, beyond);
  net.introduce(1, 0, "alice");
  net[1].disk_syncs = false;  // It goes above only once that is on disk.
  net.send(0, 1, "hello", router::DeliveryClass::volatile_);
  net.advance(seconds(1));
  ASSERT_EQ(net[1].arrivals.size(), 1U) << "it is sealed with the prekey that the peer itself shows";
  EXPECT_EQ(sequence_known(net, 0, 1), beyond) << "which displaces nothing";
  EXPECT_TRUE(has_logged(net[1].log, kFellBehind));

  net[1].disk_syncs = true;
  net.pump();
  EXPECT_EQ(own_record_of(net, 1).sequence, beyond + 1);
  EXPECT_EQ(sequence_known(net, 0, 1), beyond + 1);
  net.crash(0);
  net.boot(0);
  EXPECT_EQ(sequence_known(net, 0, 1), beyond + 1) << "and that is on disk";
  net.crash(1);
  net.boot(1);
  EXPECT_GT(own_record_of(net, 1).sequence, beyond + 1) << "on both";
}

TEST(RestoredPeer, WithTheSequenceOfARecordThatItForgotGoesAboveIt) {
  Harness net(2);
  const std::uint64_t same = own_record_of(net, 1).sequence;
  know_forgotten(net, 0, 1, same);
  net.send(0, 1, "hello");
  net.advance(seconds(1));
  EXPECT_GT(sequence_known(net, 0, 1), same);
  EXPECT_EQ(net[0].node->peer_record(net[1].id)->signed_bytes, to_bytes(net[1].node->own_record()));
  ASSERT_EQ(net[1].arrivals.size(), 1U);
}

TEST(RestoredPeer, HearsOfItFromTheNodesOfTheDht) {
  // Over datagrams alone: no link tells it.
  Harness net = make_network(4, [](std::size_t i, Config& config) {
    const auto udp = [](identity::Endpoint& endpoint) { endpoint.transport = identity::Endpoint::Transport::udp; };
    std::erase_if(config.advertised, [](const auto& at) { return at.transport == identity::Endpoint::Transport::tcp; });
    config.listening = config.advertised;
    config.sources.seeds[0].public_key = identity::Identity(crypto::Ed25519Seed(ByteArray<32>{1})).public_key();
    udp(config.sources.seeds[0].endpoints[0]);
    if (i == 0) config.sources = {};
    config.mailbox.collect = false;  // Who seeks mailboxes looks up its own id.
  });
  for (std::size_t i = 0; i < 4; ++i) net[i].endpoint.port = 1;  // Nor can any be made.
  net.advance(minutes(1));
  net.crash(3);
  const store::MemoryStore backup = net[3].disk;
  const WallTime before = net.now().wall;
  net.set_clock(before + minutes(9));
  net.boot(3);
  net.advance(minutes(1));
  const std::uint64_t beyond = own_record_of(net, 3).sequence;
  net.crash(3);
  net[3].disk = backup;
  net.set_clock(before + minutes(1));
  net[3].log.clear();
  net.boot(3);
  ASSERT_LT(to_unix_ms(net.now().wall) + 1000, beyond) << "by the clock it would be behind";
  net.advance(minutes(1));
  EXPECT_TRUE(has_logged(net[3].log, kFellBehind));
  EXPECT_GT(own_record_of(net, 3).sequence, beyond);
  net.find(0, 3);
  net.advance(seconds(5));
  ASSERT_EQ(net[0].found.size(), 1U);
  ASSERT_TRUE(net[0].found[0].record) << net[0].found[0].record.error().message;
  EXPECT_EQ(net[0].found[0].record->record, own_record_of(net, 3));
  EXPECT_TRUE(std::ranges::all_of(net.peers(), [](const auto& peer) { return peer.up.empty(); }));
}

/// The messages of one neighbour.
class RecordMessages : public StrangerTest {
 protected:
  std::uint64_t known() const {
    const auto record = node_.peer_record(stranger_.id());
    return record ? record->record.sequence : 0;
  }
  std::uint64_t own() const { return identity::verify_record_ignoring_time(node_.own_record())->sequence; }
  /// The last answer, if it is of this type.
  Bytes answer(wire::MessageType type) const {
    if (answers_.empty() || answers_.back()[0] != static_cast<Byte>(type)) return {};
    return to_bytes(ByteView(answers_.back()).subspan(1));
  }

  const identity::Identity self_{crypto::Ed25519Seed(ByteArray<32>{1})};  ///< the node's
};

TEST_F(RecordMessages, OnlyANewerOneThatProvesItselfCounts) {
  ASSERT_EQ(known(), 1U) << "of the handshake";
  send(wire::MessageType::record, record_of(stranger_, 5));
  EXPECT_EQ(known(), 5U);
  send(wire::MessageType::record, record_of(stranger_, 4));
  EXPECT_EQ(known(), 5U) << "an older one";
  EXPECT_TRUE(answers_.empty());

  Bytes forged = record_of(stranger_, 9);
  forged.back() ^= 1;
  const identity::Identity other(crypto::Ed25519Seed(ByteArray<32>{3}));
  const std::pair<const char*, Bytes> bad[] = {{"expired", record_of(stranger_, 9, -hours(1))},
                                               {"of the future", record_of(stranger_, 9, minutes(11))},
                                               {"forged", forged},
                                               {"of somebody else", record_of(other, 9)}};
  for (const auto& [what, record] : bad) {
    answers_.clear();
    send(wire::MessageType::record, record);
    EXPECT_FALSE(answer(wire::MessageType::error).empty()) << what;
    EXPECT_EQ(known(), 5U) << what;
    EXPECT_FALSE(node_.peer_record(other.id()).has_value()) << what;
  }
  send(wire::MessageType::record, record_of(stranger_, 6, minutes(9)));
  EXPECT_EQ(known(), 6U) << "clocks differ";
}

TEST_F(RecordMessages, WhoShowsAnotherOfTheSameSequenceIsToldOfTheFirst) {
  const Bytes first = record_of(stranger_, 5);
  send(wire::MessageType::record, first);
  const Bytes second = record_of(stranger_, 5, {}, {"tcp://203.0.113.9:7420"});
  send(wire::MessageType::record, second);
  EXPECT_EQ(answer(wire::MessageType::record), first);
  EXPECT_EQ(node_.peer_record(stranger_.id())->signed_bytes, first);
  answers_.clear();
  send(wire::MessageType::record, second);
  EXPECT_TRUE(answers_.empty()) << "once";
  send(wire::MessageType::record, first);
  send(wire::MessageType::record, record_of(stranger_, 6));
  EXPECT_EQ(known(), 6U);
}

TEST_F(RecordMessages, WhatAHandshakeShowsIsForItsLinkAlone) {
  send(wire::MessageType::record, record_of(stranger_, 5));
  pool_.cut(now_, node_.self().id(), {Errc::closed, "test"}, pool_out_);
  pump();
  pool_.unwant(now_, node_.self().id());
  answers_.clear();
  pool_.set_own_record(record_of(stranger_, 3, {}, {"tcp://203.0.113.9:7420"}));
  dial();
  EXPECT_EQ(known(), 5U);
  EXPECT_EQ(answer(wire::MessageType::record), record_of(stranger_, 5)) << "it is told";
  // An old node says that it does not understand, and goes on.
  send(wire::MessageType::record, record_of(stranger_, 4));
  EXPECT_EQ(known(), 5U);
  EXPECT_EQ(answers_.size(), 2U) << "and told again, for it has signed another";
  send(wire::MessageType::record, record_of(stranger_, 6));
  EXPECT_EQ(known(), 6U);
  EXPECT_FALSE(cut_ && answers_.empty());
}

TEST_F(RecordMessages, ANodeGoesAboveItsOwnThatItForgotButNotAboveAForgedOne) {
  const std::uint64_t before = own();
  Bytes forged = record_of(self_, before + 500);
  forged.back() ^= 1;
  send(wire::MessageType::record, forged);
  EXPECT_FALSE(answer(wire::MessageType::error).empty());
  EXPECT_EQ(own(), before);
  answers_.clear();
  send(wire::MessageType::record, record_of(self_, before - 1));
  EXPECT_TRUE(answers_.empty()) << "an older one is nothing to answer";
  EXPECT_EQ(own(), before);
  send(wire::MessageType::record, node_.own_record());
  EXPECT_EQ(answer(wire::MessageType::record), to_bytes(node_.own_record())) << "its link showed the one before";
  EXPECT_EQ(own(), before);
  EXPECT_FALSE(has_logged(log_, kFellBehind));

  // Whatever its time: what counts is that others hold it.
  answers_.clear();
  send(wire::MessageType::record, record_of(self_, before + 500, -days(300)));
  EXPECT_EQ(own(), before + 501);
  EXPECT_TRUE(has_logged(log_, kFellBehind));
  EXPECT_EQ(answer(wire::MessageType::record), to_bytes(node_.own_record())) << "all neighbours hear of it";
}

TEST_F(RecordMessages, TwoNodesWithOneKeyDoNotOutbidEachOtherAllTheTime) {
  const std::uint64_t before = own();
  send(wire::MessageType::record, record_of(self_, before + 500));
  EXPECT_EQ(own(), before + 501);
  send(wire::MessageType::record, record_of(self_, before + 1500));
  send(wire::MessageType::record, record_of(self_, before + 2500));
  EXPECT_EQ(own(), before + 501) << "once a minute";
  pass(seconds(40));
  EXPECT_EQ(own(), before + 501);
  pass(minutes(2));
  EXPECT_GT(own(), before + 2500) << "though nobody says it again";
}

TEST_F(RecordMessages, NumbersDoNotEnd) {
  const std::uint64_t before = own();
  send(wire::MessageType::record, record_of(self_, std::numeric_limits<std::uint64_t>::max()));
  EXPECT_EQ(own(), before);
  send(wire::MessageType::record, record_of(self_, before + 500));
  EXPECT_EQ(own(), before + 501);
}

}  // namespace
}  // namespace ekiden::node
