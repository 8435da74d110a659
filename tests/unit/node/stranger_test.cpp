// What a neighbour may do that speaks the link protocol and nothing else that is right.
#include <gtest/gtest.h>

#include <deque>

#include "bootstrap/list.hpp"
#include "node/messages.hpp"
#include "node/node.hpp"
#include "store/memory_store.hpp"
#include "wire/message_type.hpp"

namespace ekiden::node {
namespace {

/// A node under test, linked to a bare link pool that sends whatever it likes.
class StrangerTest : public ::testing::Test {
 protected:
  StrangerTest()
      : stranger_(crypto::Ed25519Seed(ByteArray<32>{2})),
        pool_(stranger_, {}, Rng(Rng::Seed{2})),
        node_(crypto::Ed25519Seed(ByteArray<32>{1}), {}, Rng(Rng::Seed{1})) {
    identity::PeerRecord record;
    record.public_key = stranger_.public_key();
    record.sequence = 1;
    record.issued_at = now_.wall;
    record.ttl_seconds = 3600;
    pool_.set_own_record(*identity::sign_record(stranger_, record));
    EXPECT_TRUE(node_.load({}));
    node_.start(now_, node_out_);
    pump();
    dial();
  }

  void send(std::uint8_t type, ByteView body) {
    Bytes message{type};
    append(message, body);
    ASSERT_TRUE(pool_.send(now_, node_.self().id(), wire::Priority::normal, message, pool_out_));
    pump();
  }
  void send(wire::MessageType type, ByteView body) { send(static_cast<std::uint8_t>(type), body); }

  void pump() {
    for (bool moved = true; moved;) {
      moved = !node_out_.empty() || !pool_out_.empty() || (!disk_is_slow_ && unsynced_);
      if (!disk_is_slow_ && unsynced_) {
        disk_.apply(std::exchange(written_, {}));
        node_.handle(now_, Persisted{*std::exchange(unsynced_, std::nullopt)}, node_out_);
      }
      for (Effect& effect : node_out_.take()) {
        if (auto* persist = std::get_if<Persist>(&effect)) {
          written_.append(std::move(persist->batch));
          unsynced_ = persist->token;
        } else if (std::get_if<WantWrite>(&effect)) {
          pull([&] { return node_.to_send(now_, ours_); },
               [&](std::size_t n) { node_.mark_sent(now_, ours_, n, node_out_); }, to_pool_);
        } else if (const auto* line = std::get_if<Log>(&effect)) {
          log_.push_back(line->text);
        } else if (std::get_if<Hangup>(&effect)) {
          pool_.on_closed(now_, theirs_, {Errc::closed, "closed"}, pool_out_);
        }
      }
      for (link::LinkPool::Effect& effect : pool_out_.take()) {
        if (const auto* dial = std::get_if<link::Dial>(&effect)) {
          ours_ = ConnId{link::kFirstAccepted + accepted_++};
          theirs_ = dial->conn;
          node_.handle(now_, ConnAccepted{ours_, *identity::IpAddress::parse("10.0.1.1"), 4000}, node_out_);
          pool_.on_connected(now_, theirs_, std::nullopt, pool_out_);
        } else if (std::get_if<link::WantWrite>(&effect)) {
          pull([&] { return pool_.to_send(now_, theirs_); },
               [&](std::size_t n) { pool_.mark_sent(now_, theirs_, n, pool_out_); }, to_node_);
        } else if (auto* message = std::get_if<link::Message>(&effect)) {
          answers_.push_back(to_bytes(message->bytes));
        } else if (std::get_if<link::Down>(&effect)) {
          cut_ = true;
        }
      }
      for (; !to_pool_.empty(); to_pool_.pop_front()) pool_.on_bytes(now_, theirs_, to_pool_.front(), pool_out_);
      for (; !to_node_.empty(); to_node_.pop_front()) {
        node_.handle(now_, ConnBytes{ours_, to_node_.front()}, node_out_);
      }
    }
    node_.check_invariants();
  }

  template <class ToSend, class MarkSent>
  static void pull(ToSend to_send, MarkSent mark_sent, std::deque<Bytes>& wire) {
    for (;;) {
      const ByteView bytes = to_send();
      if (bytes.empty()) return;
      wire.push_back(to_bytes(bytes));
      mark_sent(bytes.size());
    }
  }

  /// An envelope whose content decrypts to nothing.
  Bytes forged_envelope() {
    router::Envelope envelope;
    envelope.id = Uuid::random(rng_);
    envelope.from = stranger_.id();
    envelope.to = node_.self().id();
    envelope.expires = now_.wall + hours(1);
    const Bytes sealed = to_bytes(rng_.bytes<200>());
    envelope.sealed = sealed;
    return wire::encode(envelope);
  }

  /// The time goes on in steps in which links stay alive.
  void pass(Duration by) {
    for (const Instant end = now_.mono + by; now_.mono < end;) {
      now_.mono += seconds(20);
      now_.wall += seconds(20);
      node_.handle(now_, Tick{}, node_out_);
      pool_.on_deadline(now_, pool_out_);
      pump();
    }
  }

  void dial() {
    pool_.want(now_, node_.self().id(), {*identity::Endpoint::parse("tcp://10.0.0.1:7420")}, std::nullopt, pool_out_);
    pump();
  }

  Now now_{Instant(seconds(1)), WallTime(milliseconds(1'767'225'600'000))};
  identity::Identity stranger_;
  link::LinkPool pool_;
  Node node_;
  Outbox<Effect> node_out_;
  Outbox<link::LinkPool::Effect> pool_out_;
  Rng rng_{Rng::Seed{5}};
  ConnId ours_{};
  ConnId theirs_{};
  std::uint64_t accepted_ = 0;
  std::deque<Bytes> to_pool_, to_node_;
  std::vector<Bytes> answers_;
  std::vector<std::string> log_;
  store::MemoryStore disk_;
  store::Batch written_;
  std::optional<store::PersistToken> unsynced_;
  bool disk_is_slow_ = false;
  bool cut_ = false;
};

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
  identity::PeerRecord record;
  record.public_key = other.public_key();
  record.sequence = 9;
  record.issued_at = now_.wall;
  record.ttl_seconds = 3600;
  send(wire::MessageType::record, *identity::sign_record(other, record));
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_EQ(answers_[0][0], static_cast<Byte>(wire::MessageType::error));
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
