#include "sim/network.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "sim/schedule.hpp"

namespace ekiden::sim {
namespace {

class RecordingHost final : public NetworkHost {
 public:
  bool is_up() const override { return up; }
  void on_accepted(link::ConnId conn, const identity::IpAddress&, std::uint16_t) override { accepted = conn; }
  void on_connected(link::ConnId, const identity::SocketAddress&) override { connected = true; }
  void on_connect_failed(link::ConnId, Error why) override { failed = std::move(why); }
  void on_bytes(link::ConnId, ByteView bytes) override { append(received, bytes); }
  void on_room(link::ConnId) override { ++rooms; }
  void on_closed(link::ConnId, Error why) override { closed = std::move(why); }
  void on_datagram(const identity::SocketAddress& from, ByteView bytes) override {
    datagrams.emplace_back(from, to_bytes(bytes));
  }

  bool up = true;
  bool connected = false;
  std::optional<link::ConnId> accepted;
  std::optional<Error> failed, closed;
  Bytes received;
  int rooms = 0;
  std::vector<std::pair<identity::SocketAddress, Bytes>> datagrams;
};

constexpr link::ConnId kConn{1};

struct Pair {
  explicit Pair(NetworkModel model, Byte seed = 1) : network(schedule, model, Rng(Rng::Seed{seed})) {
    network.add_host(a);
    network.add_host(b);
  }

  void run(Duration time) {
    const Instant end = schedule.now() + time;
    while (schedule.step(end)) {
    }
    schedule.advance_to(end);
  }
  void connect() {
    network.dial(0, kConn, Network::endpoint_of(1));
    run(seconds(10));
  }

  Schedule schedule;
  Network network;
  RecordingHost a, b;
};

Bytes numbered(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<Byte>(i * 31 >> 3);
  return bytes;
}

TEST(NetworkTest, AStreamIsCompleteAndInOrderOverLossDuplicationAndReordering) {
  std::uint64_t lost = 0;
  for (Byte seed = 1; seed <= 20; ++seed) {
    Pair pair({.loss = 200'000, .duplicate = 200'000, .reorder = 300'000}, seed);
    pair.connect();
    ASSERT_TRUE(pair.a.connected);
    const Bytes sent = numbered(150'000);
    pair.network.write(0, kConn, sent);
    pair.run(minutes(5));
    EXPECT_EQ(pair.b.received, sent);
    lost += pair.network.segments_lost();
  }
  EXPECT_GT(lost, 0U);
}

TEST(NetworkTest, ADatagramArrivesOrDoesNot) {
  const identity::SocketAddress a{Network::address_of(0), Network::kPort};
  const identity::SocketAddress b{Network::address_of(1), Network::kPort};
  Pair pair({.loss = 100'000, .duplicate = 100'000});
  for (Byte i = 0; i < 200; ++i) pair.network.send_datagram(0, b, Bytes{i});
  pair.run(seconds(1));
  EXPECT_GT(pair.b.datagrams.size(), 150U);
  EXPECT_NE(pair.b.datagrams.size(), 200U);
  EXPECT_EQ(pair.b.datagrams[0].first, a);
  std::set<Bytes> different;
  for (const auto& [from, bytes] : pair.b.datagrams) different.insert(bytes);
  EXPECT_LT(different.size(), pair.b.datagrams.size());
  EXPECT_LT(different.size(), 200U);

  const auto before = pair.b.datagrams.size();
  pair.network.calm();
  pair.network.send_datagram(0, {b.ip, 1}, Bytes{1});
  pair.network.send_datagram(0, {identity::IpAddress::v4({10, 9, 9, 1}), Network::kPort}, Bytes{1});
  pair.network.set_cut(0, 1, true);
  pair.network.send_datagram(0, b, Bytes{1});
  pair.network.heal_all();
  pair.b.up = false;
  pair.network.send_datagram(0, b, Bytes{1});
  pair.run(seconds(1));
  EXPECT_EQ(pair.b.datagrams.size(), before);
}

TEST(NetworkTest, AOneWayCutStopsOneDirectionOnlyAndItsRepairResumes) {
  Pair pair({});
  pair.connect();
  pair.network.set_cut(0, 1, true);
  pair.network.write(0, kConn, numbered(100));
  pair.network.write(1, *pair.b.accepted, numbered(200));
  pair.run(seconds(5));
  EXPECT_TRUE(pair.b.received.empty());
  EXPECT_EQ(pair.a.received.size(), 200U);
  pair.network.set_cut(0, 1, false);
  pair.run(seconds(30));
  EXPECT_EQ(pair.b.received.size(), 100U);
}

TEST(NetworkTest, AStreamThatCannotGetThroughIsAborted) {
  Pair pair({});
  pair.connect();
  pair.network.set_cut(0, 1, true);
  pair.network.write(0, kConn, numbered(100));
  pair.run(minutes(2));
  ASSERT_TRUE(pair.a.closed);
  EXPECT_EQ(pair.a.closed->code, Errc::timed_out);
}

TEST(NetworkTest, ADeadHostRefusesAndAMissingOneIsUnreachable) {
  Pair pair({});
  pair.b.up = false;
  pair.network.dial(0, kConn, Network::endpoint_of(1));
  pair.run(seconds(5));
  ASSERT_TRUE(pair.a.failed);
  pair.a.failed.reset();
  pair.network.dial(0, link::ConnId{2}, Network::endpoint_of(99));
  EXPECT_FALSE(pair.a.failed) << "answers come later, never inside dial()";
  pair.run(seconds(1));
  ASSERT_TRUE(pair.a.failed);
}

TEST(NetworkTest, WhatWasWrittenBeforeACloseArrivesBeforeIt) {
  Pair pair({.loss = 100'000});
  pair.connect();
  pair.network.write(0, kConn, numbered(50'000));
  pair.network.close(0, kConn);
  pair.run(minutes(1));
  EXPECT_EQ(pair.b.received.size(), 50'000U);
  EXPECT_TRUE(pair.b.closed);
}

TEST(NetworkTest, AResetIsToldAndALossOfPowerIsNot) {
  for (const bool reset : {true, false}) {
    Pair pair({});
    pair.connect();
    pair.network.crash(1, reset);
    pair.run(seconds(5));
    EXPECT_EQ(pair.a.closed.has_value(), reset);
  }
}

TEST(NetworkTest, TheWindowFillsAndSaysWhenThereIsRoomAgain) {
  Pair pair({.window = 1000});
  pair.connect();
  pair.network.write(0, kConn, numbered(1000));
  EXPECT_EQ(pair.network.room(0, kConn), 0U);
  pair.run(seconds(5));
  EXPECT_EQ(pair.a.rooms, 1);
  EXPECT_EQ(pair.network.room(0, kConn), 1000U);
}

}  // namespace
}  // namespace ekiden::sim
