#include "runtime/udp.hpp"

#include <gtest/gtest.h>

#include <string>

namespace ekiden::runtime {
namespace {

identity::Endpoint any_port(const std::string& host) { return {identity::Endpoint::Transport::udp, host, 0}; }

struct UdpEnd final : UdpUser {
  explicit UdpEnd(asio::io_context& loop) : udp(loop, *this) {}
  void on_datagram(const identity::SocketAddress& from, ByteView bytes) override {
    got.emplace_back(as_text(bytes));
    last_from = from;
    if (echo) udp.send(from, to_bytes(bytes));
  }
  void end_round() override {
    ++rounds;
    udp.flush();
  }

  Udp udp;
  bool echo = false;
  int rounds = 0;
  std::vector<std::string> got;
  identity::SocketAddress last_from;
  identity::SocketAddress at;
};

class UdpTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    for (UdpEnd* user : {&a_, &b_}) {
      auto bound = user->udp.listen(any_port(GetParam()));
      ASSERT_TRUE(bound) << bound.error().message;
      ASSERT_NE(bound->port, 0);
      user->at = {identity::IpAddress::parse(GetParam()).value(), bound->port};
      user->udp.start();
    }
  }
  template <class Holds>
  void run_until(Holds holds) {
    while (!holds() && loop_.run_one_for(std::chrono::seconds(10)) > 0) {
    }
    ASSERT_TRUE(holds());
  }

  asio::io_context loop_;
  UdpEnd a_{loop_};
  UdpEnd b_{loop_};
};

TEST_P(UdpTest, ManyGoThereAndBackInFewRounds) {
  b_.echo = true;
  for (int i = 0; i < 100; ++i) a_.udp.send(b_.at, to_bytes(as_bytes(std::to_string(i))));
  a_.udp.flush();
  run_until([&] { return a_.got.size() == 100; });
  ASSERT_EQ(a_.got.size(), 100U);
  EXPECT_EQ(b_.got.size(), 100U);
  EXPECT_EQ(a_.got[42], "42");
  EXPECT_EQ(a_.last_from, b_.at);
  EXPECT_EQ(b_.last_from, a_.at);
  EXPECT_LE(b_.rounds, 20);
}

TEST_P(UdpTest, WhatIsTooLongIsDroppedAndTheRestArrives) {
  a_.udp.send(b_.at, Bytes(Udp::kMaxSize + 1));
  a_.udp.send(b_.at, Bytes(Udp::kMaxSize));
  a_.udp.flush();
  run_until([&] { return !b_.got.empty(); });
  EXPECT_EQ(b_.got.size(), 1U);
  EXPECT_EQ(b_.got[0].size(), Udp::kMaxSize);
}

TEST_P(UdpTest, WhatCannotBeSentIsCounted) {
  const bool v6 = a_.at.ip.family == identity::IpAddress::Family::v6;
  const auto other = identity::IpAddress::parse(v6 ? "127.0.0.1" : "::1").value();
  a_.udp.send({other, 1}, Bytes(3));  // No socket of that family.
  a_.udp.send({b_.at.ip, 0}, Bytes(3));
  a_.udp.send(b_.at, to_bytes(as_bytes("behind it")));
  a_.udp.flush();
  EXPECT_EQ(a_.udp.dropped(), 2U);
  run_until([&] { return !b_.got.empty(); });
  EXPECT_EQ(b_.got[0], "behind it");
}

TEST_P(UdpTest, APortInUseIsNamed) {
  identity::Endpoint taken = any_port(GetParam());
  taken.port = a_.at.port;
  const auto refused = b_.udp.listen(taken);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::busy);
  EXPECT_NE(refused.error().message.find("udp://"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Families, UdpTest, testing::Values("127.0.0.1", "::1"),
                         [](const auto& tested) { return tested.index == 0 ? "V4" : "V6"; });

}  // namespace
}  // namespace ekiden::runtime
