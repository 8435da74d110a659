// What a neighbour may do that speaks the link protocol and nothing else that is right.
#include "stranger.hpp"

#include <gtest/gtest.h>

#include "bootstrap/list.hpp"

namespace ekiden::node {
namespace {

TEST_F(StrangerTest, AnUnknownTypeIsAnsweredWithAnErrorAndTheLinkStays) {
  send(200, Bytes{0xa0});
  ASSERT_EQ(answers_.size(), 1U);
  ASSERT_EQ(answers_[0][0], static_cast<Byte>(wire::MessageType::error));
  const auto error = wire::decode<ErrorMessage>(ByteView(answers_[0]).subspan(1));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->type, 200);
  EXPECT_EQ(error->reason, ErrorMessage::Reason::unknown_type);
  EXPECT_FALSE(cut_);
}

TEST_F(StrangerTest, TheBootstrapListIsSignedAndItsSequenceIsOnDiskBeforeItIsShown) {
  disk_is_slow_ = true;
  send(wire::MessageType::list_request, {});
  EXPECT_TRUE(answers_.empty());
  disk_is_slow_ = false;
  pump();
  ASSERT_EQ(answers_.size(), 1U);
  ASSERT_EQ(answers_[0][0], static_cast<Byte>(wire::MessageType::list));
  const auto list = bootstrap::verify_list(ByteView(answers_[0]).subspan(1), now_.wall);
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->signer(), node_.self().id());
  EXPECT_TRUE(list->nodes.empty());
  bool is_on_disk = false;
  for (const store::Row& row : disk_.rows()) {
    if (row.key.table != store::Table::meta || as_text(row.key.name) != kListRowName) continue;
    is_on_disk = true;
    EXPECT_EQ(wire::decode<RecordRow>(row.value)->sequence, list->sequence);
  }
  EXPECT_TRUE(is_on_disk);
}

TEST_F(StrangerTest, TheSameListServesUntilHalfItsLifeIsOver) {
  const auto ask = [&] {
    answers_.clear();
    send(wire::MessageType::list_request, Bytes{0xa0});  // What a later version may add is ignored.
    return bootstrap::verify_list(ByteView(answers_.at(0)).subspan(1), now_.wall)->sequence;
  };
  const auto first = ask();
  pass(hours(1));
  EXPECT_EQ(ask(), first) << "nothing has changed";
  pass(days(4));
  EXPECT_GT(ask(), first);
}

TEST_F(StrangerTest, WhoAsksForTheListAllTheTimeIsCut) {
  send(wire::MessageType::list_request, {});
  ASSERT_EQ(answers_.size(), 1U);
  send(wire::MessageType::list_request, {});
  ASSERT_EQ(answers_.size(), 2U);
  EXPECT_EQ(answers_[1][0], static_cast<Byte>(wire::MessageType::error));
  for (int i = 0; i < 15; ++i) send(wire::MessageType::list_request, {});
  EXPECT_TRUE(cut_);
}

TEST_F(StrangerTest, AListThatNobodyAskedForIsABadMessage) {
  send(wire::MessageType::list, Bytes(100));
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_EQ(answers_[0][0], static_cast<Byte>(wire::MessageType::error));
}

TEST_F(StrangerTest, AnErrorIsNeverAnswered) {
  const ErrorMessage error{.type = 2, .reason = ErrorMessage::Reason::malformed, .detail = "x"};
  send(wire::MessageType::error, wire::encode(error));
  EXPECT_TRUE(answers_.empty());
}

TEST_F(StrangerTest, AFloodOfErrorsDoesNotFillTheLog) {
  const ErrorMessage error{.type = 2, .reason = ErrorMessage::Reason::malformed, .detail = "x"};
  log_.clear();
  for (int i = 0; i < 1000; ++i) send(wire::MessageType::error, wire::encode(error));
  EXPECT_EQ(log_.size(), Config{}.max_peer_lines_per_second);
  now_.mono += seconds(1);
  send(wire::MessageType::error, wire::encode(error));
  EXPECT_NE(log_.back().find("(984 more were not shown)"), std::string::npos) << log_.back();
}

TEST_F(StrangerTest, TooManyMalformedMessagesCutTheLink) {
  for (int i = 0; i < 15; ++i) send(wire::MessageType::envelope, Bytes{0xff});
  EXPECT_FALSE(cut_);
  send(wire::MessageType::envelope, Bytes{0xff});
  EXPECT_TRUE(cut_);
}

TEST_F(StrangerTest, ARecordOfSomebodyElseChangesNothing) {
  const identity::Identity other(crypto::Ed25519Seed(ByteArray<32>{3}));
  send(wire::MessageType::record, record_of(other, 9));
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_EQ(answers_[0][0], static_cast<Byte>(wire::MessageType::error));
}

class DiscoveringTest : public StrangerTest {
 protected:
  DiscoveringTest() : StrangerTest(0, with_discovery()) {}

  static Config with_discovery() {
    Config config;
    config.discovery = true;
    return config;
  }
};

TEST_F(DiscoveringTest, ANewRecordLeadsTheDhtToGlobalAddressesAlone) {
  send(wire::MessageType::record,
       record_of(stranger_, 2, {}, {"udp://11.0.0.1:7420", "udp://10.0.0.9:7420", "udp://127.0.0.1:7420"}));
  EXPECT_EQ(datagrams_to_, std::vector({identity::SocketAddress{*identity::IpAddress::parse("11.0.0.1"), 7420}}));
}

TEST_F(StrangerTest, AForgedEnvelopeArrivesNowhere) {
  for (int i = 0; i < 15; ++i) send(wire::MessageType::envelope, forged_envelope());
  EXPECT_EQ(node_.status().router.received, 0U);
  EXPECT_TRUE(answers_.empty()) << "what does not verify is not answered";
  EXPECT_FALSE(cut_);
  send(wire::MessageType::envelope, forged_envelope());
  EXPECT_TRUE(cut_) << "but it counts";
  EXPECT_TRUE(answers_.empty());
}

TEST_F(StrangerTest, WhatComesWithTheEndOfALinkDoesNotCountAgainstTheNext) {
  const auto pull_once = [&](Bytes& all) {
    for (auto bytes = pool_.to_send(now_, theirs_); !bytes.empty(); bytes = pool_.to_send(now_, theirs_)) {
      append(all, bytes);
      pool_.mark_sent(now_, theirs_, bytes.size(), pool_out_);
    }
  };
  Bytes last_words;
  for (int i = 0; i < 15; ++i) {
    Bytes message{static_cast<Byte>(wire::MessageType::envelope)};
    append(message, forged_envelope());
    ASSERT_TRUE(pool_.send(now_, node_.self().id(), wire::Priority::normal, message, pool_out_));
  }
  pull_once(last_words);
  pool_.cut(now_, node_.self().id(), {Errc::refused, "test"}, pool_out_);
  pull_once(last_words);
  log_.clear();
  node_.handle(now_, ConnBytes{ours_, last_words}, node_out_);
  pump();
  ASSERT_EQ(log_.size(), 16U) << "each forged one, and the end";

  pool_.unwant(now_, node_.self().id());
  cut_ = false;
  dial();
  send(wire::MessageType::envelope, Bytes{0xff});
  EXPECT_FALSE(cut_);
  EXPECT_FALSE(answers_.empty()) << "it was told";
}

TEST_F(StrangerTest, AResetOfAForeignSessionChangesNothing) {
  send(wire::MessageType::session_reset, wire::encode(SessionReset{Uuid::random(rng_)}));
  EXPECT_FALSE(cut_);
  EXPECT_TRUE(answers_.empty());
}

}  // namespace
}  // namespace ekiden::node
