#include "runtime/lan_socket.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <boost/asio/ip/multicast.hpp>
#include <string>
#include <utility>
#include <vector>

#include "runtime/lan_place.hpp"

namespace ekiden::runtime {
namespace {

struct User final : LanUser {
  explicit User(asio::io_context& loop) : lan(loop, *this) {}
  void on_beacon(const identity::SocketAddress& from, ByteView bytes) override {
    got.emplace_back(as_text(bytes));
    last_from = from;
  }
  void end_round() override {}

  LanSocket lan;
  std::vector<std::string> got;
  identity::SocketAddress last_from;
};

/// Asked with plain sockets, so that a fault of ours is not taken for a machine without multicast.
bool carries_multicast() {
  asio::io_context loop;
  const auto group = asio::ip::make_address_v4("239.255.74.21");
  const auto loopback = asio::ip::address_v4::loopback();
  DatagramSocket in(loop, asio::ip::udp::endpoint(asio::ip::udp::v4(), 0));
  DatagramSocket out(loop, asio::ip::udp::endpoint(asio::ip::udp::v4(), 0));
  ErrorCode error;
  in.set_option(asio::ip::multicast::join_group(group, loopback), error);
  if (!error) out.set_option(asio::ip::multicast::outbound_interface(loopback), error);
  if (!error) out.send_to(asio::buffer("?", 1), {group, in.local_endpoint().port()}, 0, error);
  if (error) return false;
  bool has_arrived = false;
  in.async_wait(DatagramSocket::wait_read, [&](ErrorCode failed) { has_arrived = !failed; });
  loop.run_one_for(std::chrono::seconds(5));
  return has_arrived;
}

/// Two nodes of one machine, on its loopback interface and a port of their own.
class LanSocketTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!carries_multicast()) GTEST_SKIP() << "the system does not carry multicast on the loopback interface";
    LanOptions options;
    options.port = free_port();
    options.loopback = true;
    options.from = {identity::IpAddress::v4({127, 0, 0, 1})};
    for (User* user : {&a_, &b_}) {
      const auto opened = user->lan.open(options);
      ASSERT_TRUE(opened) << opened.error().message;
      user->lan.start();
    }
    at_ = {options.group, options.port};
  }
  static std::uint16_t free_port() {
    asio::io_context loop;
    DatagramSocket probe(loop, asio::ip::udp::endpoint(asio::ip::udp::v4(), 0));
    return probe.local_endpoint().port();
  }
  template <class Holds>
  bool runs_until(Holds holds) {
    while (!holds() && loop_.run_one_for(std::chrono::seconds(5)) > 0) {
    }
    return holds();
  }

  asio::io_context loop_;
  User a_{loop_};
  User b_{loop_};
  identity::SocketAddress at_;
};

TEST_F(LanSocketTest, WhatOneSaysAllHear) {
  EXPECT_EQ(a_.lan.say(as_bytes("here I am")), 1U);
  ASSERT_TRUE(runs_until([&] { return !a_.got.empty() && !b_.got.empty(); }));
  EXPECT_EQ(b_.got[0], "here I am");
  EXPECT_EQ(b_.last_from.ip.text(), "127.0.0.1");
  EXPECT_EQ(a_.got, b_.got) << "whoever speaks hears himself";
}

TEST_F(LanSocketTest, WhatWasNotSentToTheGroupIsNotHeard) {
  DatagramSocket other(loop_, asio::ip::udp::endpoint(asio::ip::udp::v4(), 0));
  const std::string words = "to you alone";
  ErrorCode error;
  other.send_to(asio::buffer(words), {asio::ip::address_v4::loopback(), at_.port}, 0, error);
  b_.lan.say(as_bytes("to all"));
  ASSERT_TRUE(runs_until([&] { return !a_.got.empty() && !b_.got.empty(); }));
  EXPECT_EQ(a_.got, std::vector<std::string>{"to all"});
}

TEST_F(LanSocketTest, WhatIsTooLongIsDroppedAndTheRestArrives) {
  a_.lan.say(Bytes(LanSocket::kMaxSize + 1));
  a_.lan.say(Bytes(LanSocket::kMaxSize));
  ASSERT_TRUE(runs_until([&] { return !b_.got.empty(); }));
  ASSERT_EQ(b_.got.size(), 1U);
  EXPECT_EQ(b_.got[0].size(), LanSocket::kMaxSize);
}

TEST_F(LanSocketTest, AfterTheEndNothingIsSaid) {
  a_.lan.close();
  EXPECT_FALSE(a_.lan.is_open());
  EXPECT_EQ(a_.lan.say(as_bytes("hello?")), 0U);
}

TEST(LanSocket, APortThatAnotherProgramHoldsAloneIsAnError) {
  asio::io_context loop;
  DatagramSocket holder(loop, asio::ip::udp::endpoint(asio::ip::udp::v4(), 0));
  User user(loop);
  LanOptions options;
  options.port = holder.local_endpoint().port();
  const auto opened = user.lan.open(options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::busy);
  EXPECT_NE(opened.error().message.find("239.255.74.20"), std::string::npos) << opened.error().message;
  EXPECT_FALSE(user.lan.is_open());
  user.lan.start();
  EXPECT_EQ(user.lan.say(as_bytes("hello?")), 0U);
}

/// "udp port, tcp port, addresses", or "nothing".
std::string place_of(const std::vector<std::string>& listening) {
  std::vector<identity::Endpoint> endpoints;
  for (const std::string& text : listening) endpoints.push_back(identity::Endpoint::parse(text).value());
  const auto place = lan_place(endpoints);
  if (!place) return "nothing";
  std::string text = std::to_string(place->ports.udp) + " " + std::to_string(place->ports.tcp);
  for (const auto& address : place->from) text += " " + address.text();
  return text;
}

TEST(LanPlace, IsWhereOthersOfTheNetworkReachTheNode) {
  EXPECT_EQ(place_of({"tcp://0.0.0.0:1", "udp://0.0.0.0:2"}), "2 1");
  EXPECT_EQ(place_of({"udp://0.0.0.0:2"}), "2 0");
  EXPECT_EQ(place_of({"tcp://127.0.0.1:1", "udp://0.0.0.0:2"}), "2 0");
  EXPECT_EQ(place_of({"tcp://0.0.0.0:1", "udp://10.0.0.1:2"}), "2 1 10.0.0.1");
  EXPECT_EQ(place_of({"tcp://10.0.0.1:1", "udp://0.0.0.0:2"}), "2 1 10.0.0.1");
  EXPECT_EQ(place_of({"tcp://10.0.0.1:1", "udp://10.0.0.2:2"}), "2 0 10.0.0.2");
  EXPECT_EQ(place_of({"wss://0.0.0.0:1", "ws://0.0.0.0:3", "udp://0.0.0.0:2"}), "2 0");
  EXPECT_EQ(place_of({"tcp://127.0.0.1:1", "udp://127.0.0.1:2", "udp://192.168.0.1:3"}), "3 0 192.168.0.1");
}

TEST(LanPlace, IsNowhereForWhoListensElsewhere) {
  EXPECT_EQ(place_of({}), "nothing");
  EXPECT_EQ(place_of({"tcp://0.0.0.0:1"}), "nothing");
  EXPECT_EQ(place_of({"tcp://127.0.0.1:1", "udp://127.0.0.1:2"}), "nothing");
  EXPECT_EQ(place_of({"tcp://8.8.8.8:1", "udp://8.8.8.8:2"}), "nothing");
  EXPECT_EQ(place_of({"tcp://[::]:1", "udp://[::]:2"}), "nothing");
}

}  // namespace
}  // namespace ekiden::runtime
