// A peer that fell behind what others hold of it, and what the messages of one neighbour do to what is known of it.
#include <gtest/gtest.h>

#include <algorithm>

#include "unit/node/forgotten.hpp"
#include "unit/node/logged.hpp"
#include "unit/node/stranger.hpp"

namespace ekiden::node {
namespace {

TEST(RestoredPeer, IsReachedAtOnceAndGoesAboveWhatOthersHoldOfIt) {
  Harness net(2);
  const std::uint64_t beyond = own_record_of(net, 1).sequence + 1'000'000;
  know_forgotten(net, 0, 1, {.sequence = beyond});
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

TEST(RestoredPeer, IsToldOfARecordThatStandsWithTheContactAlone) {
  Harness net(2);
  const std::uint64_t beyond = own_record_of(net, 1).sequence + 1'000'000;
  add_forgotten(net, 0, 1, {.sequence = beyond});
  net.introduce(1, 0, "alice");
  net.send(1, 0, "hello");
  net.advance(seconds(1));
  EXPECT_TRUE(has_logged(net[1].log, kFellBehind));
  EXPECT_EQ(own_record_of(net, 1).sequence, beyond + 1);
  EXPECT_EQ(sequence_known(net, 0, 1), beyond + 1);
}

/// What it showed held for that link alone.
TEST(RestoredPeer, IsDialledByTheNewestOnceItsLinkIsDown) {
  Harness net(2);
  const std::string elsewhere = "tcp://9.9.9.9:7555";
  know_forgotten(net, 0, 1, {.sequence = own_record_of(net, 1).sequence + 1'000'000, .endpoints = {elsewhere}});
  net.introduce(1, 0, "alice");
  net[1].disk_syncs = false;  // It does not go above.
  net.send(0, 1, "hello", router::DeliveryClass::volatile_);
  ASSERT_EQ(net[1].arrivals.size(), 1U);
  net.crash(1);
  net[0].dials.clear();
  net.send(0, 1, "are you there?");
  net.advance(minutes(1));
  EXPECT_TRUE(has_dialled(net, 0, elsewhere));
}

TEST(RestoredPeer, WithTheSequenceOfARecordThatItForgotGoesAboveIt) {
  Harness net(2);
  const std::uint64_t same = own_record_of(net, 1).sequence;
  know_forgotten(net, 0, 1, {.sequence = same});
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
  EXPECT_TRUE(answers_.empty());
  send(wire::MessageType::record, second);
  EXPECT_EQ(answer(wire::MessageType::record), first) << "it has gone back to it";
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
  send(wire::MessageType::record, record_of(stranger_, 4));
  EXPECT_EQ(answers_.size(), 2U) << "once for each";
  send(wire::MessageType::record, record_of(stranger_, 6));
  EXPECT_EQ(known(), 6U);
  send(wire::MessageType::record, record_of(stranger_, 5));
  EXPECT_EQ(answers_.size(), 2U) << "older than what it has shown since: it came late";
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
