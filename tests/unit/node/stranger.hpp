// A node, and at the other end of a link somebody who says what he likes.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "node/messages.hpp"
#include "node/node.hpp"
#include "store/memory_store.hpp"
#include "wire/message_type.hpp"

namespace ekiden::node {

/// A node under test, linked to a bare link pool that sends whatever it likes.
class StrangerTest : public ::testing::Test {
 protected:
  /// `features`: that the stranger says it has.
  explicit StrangerTest(std::uint64_t features = 0, const Config& config = {})
      : features_(features),
        stranger_(crypto::Ed25519Seed(ByteArray<32>{2})),
        pool_(stranger_, {}, Rng(Rng::Seed{2})),
        node_(crypto::Ed25519Seed(ByteArray<32>{1}), config, Rng(Rng::Seed{1})) {
    pool_.set_own_record(record_of(stranger_, 1));
    EXPECT_TRUE(node_.load({}));
    node_.start(now_, node_out_);
    pump();
    dial();
  }

  /// Issued now unless told otherwise.
  Bytes record_of(const identity::Identity& owner, std::uint64_t sequence, Duration issued_in = {},
                  std::vector<std::string> endpoints = {}) const {
    identity::PeerRecord record;
    record.public_key = owner.public_key();
    record.sequence = sequence;
    record.issued_at = now_.wall + std::chrono::duration_cast<milliseconds>(issued_in);
    record.ttl_seconds = 3600;
    record.features = features_;
    record.endpoints = std::move(endpoints);
    return *identity::sign_record(owner, record);
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
        } else if (const auto* datagram = std::get_if<SendDatagram>(&effect)) {
          datagrams_to_.push_back(datagram->to);
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

  const std::uint64_t features_;
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
  std::vector<identity::SocketAddress> datagrams_to_;
  store::MemoryStore disk_;
  store::Batch written_;
  std::optional<store::PersistToken> unsynced_;
  bool disk_is_slow_ = false;
  bool cut_ = false;
};

}  // namespace ekiden::node
