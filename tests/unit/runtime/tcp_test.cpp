#include "runtime/tcp.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <functional>
#include <system_error>

#include "unit/runtime/tcp_fixture.hpp"

namespace ekiden::runtime {
namespace {

TEST_F(TcpTest, ConnectsAndCarriesBytesBothWays) {
  connect();
  const ConnId accepted = server_.accepted[0];
  EXPECT_EQ(static_cast<std::uint64_t>(accepted), link::kFirstAccepted);
  EXPECT_EQ(server_.from_text, "127.0.0.1");
  EXPECT_EQ(server_.over, identity::Endpoint::Transport::tcp);
  client_.write(kConn, Bytes{1, 2, 3});
  server_.write(accepted, Bytes{4, 5});
  ASSERT_TRUE(run_until([&] { return server_.received[accepted].size() == 3 && client_.received[kConn].size() == 2; }));
  EXPECT_EQ(server_.received[accepted], (Bytes{1, 2, 3}));
  EXPECT_EQ(client_.received[kConn], (Bytes{4, 5}));
}

TEST_F(TcpTest, CarriesMoreThanTheKernelBuffersWhole) {
  connect();
  Bytes large(20 << 20);
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<Byte>(i * 7 + i / 251);
  client_.write(kConn, large);
  EXPECT_FALSE(client_.outgoing[kConn].empty());
  const ConnId accepted = server_.accepted[0];
  ASSERT_TRUE(run_until([&] { return server_.received[accepted].size() == large.size(); }));
  EXPECT_EQ(server_.received[accepted], large);
  EXPECT_LE(server_.largest_read, Tcp::kReadSize);
}

TEST_F(TcpTest, AReaderThatDoesNotReadHoldsNobodyUp) {
  const auto at = listen();
  Socket lazy(loop_);
  lazy.connect({from_ip(*at.address()), at.port});
  ASSERT_TRUE(run_until([&] { return server_.accepted.size() == 1; }));
  server_.write(server_.accepted[0], Bytes(30 << 20));
  client_.tcp.dial(kConn, at);
  ASSERT_TRUE(run_until([&] { return server_.accepted.size() == 2; }));
  server_.write(server_.accepted[1], Bytes{9});
  ASSERT_TRUE(run_until([&] { return client_.received[kConn].size() == 1; }));
  EXPECT_FALSE(server_.outgoing[server_.accepted[0]].empty());
}

TEST_F(TcpTest, WhileReadingPausesWhatIsSentStaysInTheSocket) {
  connect();
  const ConnId accepted = server_.accepted[0];
  server_.tcp.pause_reading();
  client_.write(kConn, Bytes{1, 2, 3});
  server_.write(accepted, Bytes{4});
  ASSERT_TRUE(run_until([&] { return client_.received[kConn].size() == 1; }));
  while (loop_.poll() > 0) {
  }
  EXPECT_TRUE(server_.received[accepted].empty());

  // Whoever comes meanwhile waits, too; and dials that are under way are none of it.
  client_.tcp.dial(ConnId{2}, at_);
  server_.tcp.dial(ConnId{3}, at_);
  ASSERT_TRUE(run_until(
      [&] { return server_.accepted.size() == 3 && client_.connected.size() == 2 && server_.connected.size() == 1; }));
  client_.write(ConnId{2}, Bytes{5});
  while (loop_.poll() > 0) {
  }
  for (const ConnId conn : server_.accepted) EXPECT_TRUE(server_.received[conn].empty());

  server_.tcp.dial(ConnId{4}, at_);
  server_.tcp.resume_reading();
  server_.tcp.resume_reading();
  ASSERT_TRUE(run_until([&] { return server_.received[accepted].size() == 3; }));
  ASSERT_TRUE(run_until([&] { return server_.connected.size() == 2; }));
  client_.write(kConn, Bytes{6});
  ASSERT_TRUE(run_until([&] { return server_.received[accepted] == (Bytes{1, 2, 3, 6}); }));
}

TEST_F(TcpTest, AReaderThatPausesWithinACallbackReadsNoFurther) {
  connect();
  const ConnId accepted = server_.accepted[0];
  server_.pause_at_bytes = true;
  client_.write(kConn, Bytes(20 << 20));
  ASSERT_TRUE(run_until([&] { return !server_.received[accepted].empty(); }));
  while (loop_.poll() > 0) {
  }
  EXPECT_LE(server_.received[accepted].size(), Tcp::kReadSize);
  server_.pause_at_bytes = false;
  server_.tcp.resume_reading();
  EXPECT_TRUE(run_until([&] { return server_.received[accepted].size() == 20 << 20; }));
}

TEST_F(TcpTest, ALongRoundIsHalvedWhereMuchStillWaits) {
  connect();
  const ConnId accepted = server_.accepted[0];
  constexpr std::size_t kAll = 4 * Tcp::kReadSize;
  server_.tcp.pause_reading();
  client_.write(kConn, Bytes(kAll));
  ASSERT_TRUE(run_until([&] { return client_.outgoing[kConn].empty(); }));
  server_.tcp.resume_reading();
  ASSERT_TRUE(run_until([&] { return server_.received[accepted].size() == kAll; }));
  EXPECT_EQ(server_.pauses, 4u);
  // After the fourth read nothing waits.
  EXPECT_EQ(server_.halves, std::vector<std::size_t>{2 * Tcp::kReadSize});
}

TEST_F(TcpTest, AShortRoundIsNotHalved) {
  connect();
  const ConnId accepted = server_.accepted[0];
  constexpr std::size_t kAll = 2 * Tcp::kReadSize + Tcp::kOtherHalf - 1;
  server_.tcp.pause_reading();
  client_.write(kConn, Bytes(kAll));
  ASSERT_TRUE(run_until([&] { return client_.outgoing[kConn].empty(); }));
  server_.tcp.resume_reading();
  ASSERT_TRUE(run_until([&] { return server_.received[accepted].size() == kAll; }));
  EXPECT_GT(server_.pauses, 0u);
  EXPECT_TRUE(server_.halves.empty());
}

TEST_F(TcpTest, TheOtherSidesEndIsSaidOnce) {
  connect();
  client_.tcp.hang_up(kConn);
  EXPECT_EQ(client_.tcp.connections(), 0u);
  const ConnId accepted = server_.accepted[0];
  ASSERT_TRUE(run_until([&] { return server_.closed.contains(accepted); }));
  EXPECT_EQ(server_.closed[accepted].code, Errc::closed);
  EXPECT_EQ(server_.tcp.connections(), 0u);
  EXPECT_TRUE(client_.closed.empty());
}

TEST_F(TcpTest, WhatWasWrittenBeforeHangingUpArrives) {
  connect();
  client_.hang_up_after_writing = true;
  client_.write(kConn, Bytes(1000, 3));
  const ConnId accepted = server_.accepted[0];
  ASSERT_TRUE(run_until([&] { return server_.closed.contains(accepted); }));
  EXPECT_EQ(server_.received[accepted], Bytes(1000, 3));
}

TEST_F(TcpTest, HangingUpWithinACallbackIsSafe) {
  server_.hang_up_at_once = true;
  client_.tcp.dial(kConn, listen());
  ASSERT_TRUE(run_until([&] { return client_.closed.contains(kConn); }));
  EXPECT_EQ(server_.tcp.connections(), 0u);
}

TEST_F(TcpTest, NamesAreResolvedWithoutBlocking) {
  const auto at = listen();
  client_.tcp.dial(kConn, endpoint("tcp://localhost:" + std::to_string(at.port)));
  EXPECT_TRUE(client_.connected.empty());
  ASSERT_TRUE(run_until([&] { return !client_.connected.empty(); })) << "localhost has no address 127.0.0.1";
}

TEST_F(TcpTest, ANameThatDoesNotExistFailsWithItsName) {
  client_.tcp.dial(kConn, endpoint("tcp://no-such-host.invalid:7420"));
  ASSERT_TRUE(run_until([&] { return client_.failed.contains(kConn); }));
  EXPECT_EQ(client_.failed[kConn].code, Errc::unreachable);
  EXPECT_NE(client_.failed[kConn].message.find("no-such-host.invalid"), std::string::npos);
  EXPECT_EQ(client_.tcp.connections(), 0u);
}

TEST_F(TcpTest, ARefusedConnectionNamesTheEndpointAndTheReason) {
  const auto at = listen();
  server_.tcp.stop_accepting();
  client_.tcp.dial(kConn, at);
  ASSERT_TRUE(run_until([&] { return client_.failed.contains(kConn); }));
  EXPECT_EQ(client_.failed[kConn].code, Errc::unreachable);
  EXPECT_NE(client_.failed[kConn].message.find(at.text()), std::string::npos) << client_.failed[kConn].message;
  EXPECT_NE(client_.failed[kConn].message.find("refused"), std::string::npos) << client_.failed[kConn].message;
}

TEST_F(TcpTest, AddressesThatNobodyCanMeanAreNotDialled) {
  for (const char* text : {"tcp://0.0.0.0:1", "tcp://224.0.0.1:1", "tcp://[::]:1"}) {
    Recorder user(loop_);
    user.tcp.dial(kConn, endpoint(text));
    ASSERT_TRUE(run_until([&] { return user.failed.contains(kConn); })) << text;
    EXPECT_EQ(user.failed[kConn].code, Errc::refused) << text;
  }
}

TEST_F(TcpTest, ADialThatIsNoLongerWantedSaysNothing) {
  const auto at = listen();
  client_.tcp.dial(kConn, at);
  client_.tcp.dial(ConnId{2}, endpoint("tcp://localhost:" + std::to_string(at.port)));
  client_.tcp.hang_up(kConn);
  client_.tcp.hang_up(ConnId{2});
  client_.tcp.dial(ConnId{3}, at);
  ASSERT_TRUE(run_until([&] { return !client_.connected.empty(); }));
  EXPECT_EQ(client_.connected, std::vector{ConnId{3}});
  EXPECT_TRUE(client_.failed.empty());
}

TEST_F(TcpTest, APortInUseIsNamedWithWhatToDo) {
  const auto at = listen();
  const auto second = client_.tcp.listen(at);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::busy);
  EXPECT_NE(second.error().message.find(at.text()), std::string::npos) << second.error().message;
  EXPECT_NE(second.error().message.find("ekiden.toml"), std::string::npos);
}

TEST_F(TcpTest, AnAddressOfAnotherMachineCannotBeListenedOn) {
  const auto bound = client_.tcp.listen(*parse_listen("tcp://192.0.2.1:0"));
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().code, Errc::unreachable);
  EXPECT_FALSE(client_.tcp.listen({.host = "a.name", .port = 1}));
}

TEST_F(TcpTest, WithoutDescriptorsAcceptingPausesAndGoesOn) {
  const auto at = listen();
  Socket waiting(loop_);
  waiting.connect({from_ip(*at.address()), at.port});
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const bool paused = run_until([&] { return !server_.paused.empty(); });
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_TRUE(paused);
  EXPECT_EQ(server_.paused.size(), 1u);
  EXPECT_TRUE(run_until([&] { return server_.accepted.size() == 1; }));
}

/// The socket of this process that listens on the port.
int listening_descriptor(std::uint16_t port) {
  for (int fd = 0; fd < 1024; ++fd) {
    int listens = 0;
    ::socklen_t size = sizeof listens;
    if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0) continue;
    sockaddr_in at{};
    size = sizeof at;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0 && ntohs(at.sin_port) == port) return fd;
  }
  return -1;
}

TEST_F(TcpTest, AnErrorOfAcceptingThatLastsDoesNotSpin) {
  const auto at = listen();
  // A socket that listens no more answers EINVAL, at once and for ever.
  ASSERT_EQ(::shutdown(listening_descriptor(at.port), SHUT_RDWR), 0);
  ASSERT_TRUE(run_until([&] { return !server_.paused.empty(); }));
  EXPECT_NE(server_.paused[0].message.find("accepting"), std::string::npos) << server_.paused[0].message;
  loop_.restart();
  EXPECT_EQ(loop_.poll(), 0u);
  // Two pauses more: it goes on trying, and says so no second time.
  for (int tries = 0; tries < 2; ++tries) ASSERT_EQ(loop_.run_one_for(std::chrono::seconds(30)), 1u);
  EXPECT_EQ(server_.paused.size(), 1u);
}

TEST(ResolverTest, WithoutAThreadALookupFailsAndTheNodeGoesOn) {
  asio::io_context loop{1};
  Resolver resolver(loop, [](std::function<void()> /*work*/) {
    throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
  });
  std::vector<Result<std::vector<identity::IpAddress>>> answers;
  const auto keep = [&](auto answer) { answers.push_back(std::move(answer)); };
  for (std::size_t i = 0; i <= Resolver::kMaxLookups; ++i) resolver.resolve("a.name", keep);
  EXPECT_TRUE(answers.empty());
  loop.run();
  ASSERT_EQ(answers.size(), Resolver::kMaxLookups + 1);
  for (const auto& answer : answers) {
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::limit_exceeded);
    EXPECT_NE(answer.error().message.find("a.name"), std::string::npos) << answer.error().message;
    EXPECT_NE(answer.error().message.find("thread"), std::string::npos) << answer.error().message;
  }
}

TEST_F(TcpTest, ANameThatAStrangerChoseIsJudgedByWhatItResolvesTo) {
  const auto at = listen();
  const auto named = endpoint("tcp://localhost:" + std::to_string(at.port));
  client_.tcp.dial(kConn, named, identity::LearnedFrom::remote_record);
  ASSERT_TRUE(run_until([&] { return client_.failed.contains(kConn); }));
  EXPECT_EQ(client_.failed[kConn].code, Errc::refused);
  const std::string& why = client_.failed[kConn].message;
  EXPECT_TRUE(why.starts_with(named.text() + ": localhost: refused to dial ")) << why;
  EXPECT_NE(why.find("a loopback address"), std::string::npos) << why;
  client_.tcp.dial(ConnId{2}, at, identity::LearnedFrom::remote_record);
  ASSERT_TRUE(run_until([&] { return client_.failed.contains(ConnId{2}); }));
  EXPECT_EQ(client_.failed[ConnId{2}].code, Errc::refused);
  EXPECT_TRUE(server_.accepted.empty());
  // Who wrote it into his own configuration knows what he wants.
  client_.tcp.dial(ConnId{3}, named, identity::LearnedFrom::configuration);
  ASSERT_TRUE(run_until([&] { return client_.connected.size() == 1; }));
  EXPECT_EQ(client_.connected_to[ConnId{3}].text(), "127.0.0.1:" + std::to_string(at.port));
}

TEST_F(TcpTest, ANameMayBeHeldToTheAddressesOfWhoToldIt) {
  const auto at = listen();
  const auto named = endpoint("tcp://localhost:" + std::to_string(at.port));
  const std::vector theirs = {*identity::IpAddress::parse("203.0.113.7")};
  client_.tcp.dial(kConn, named, identity::LearnedFrom::configuration, theirs);
  const auto missing = endpoint("tcp://nobody.invalid:" + std::to_string(at.port));
  client_.tcp.dial(ConnId{2}, missing, identity::LearnedFrom::configuration, theirs);
  ASSERT_TRUE(run_until([&] { return client_.failed.size() == 2; }));
  // Whether there is such a name is not told.
  EXPECT_EQ(client_.failed[kConn],
            (Error{Errc::not_found, named.text() + ": localhost does not resolve to 203.0.113.7"}));
  EXPECT_EQ(client_.failed[ConnId{2}],
            (Error{Errc::not_found, missing.text() + ": nobody.invalid does not resolve to 203.0.113.7"}));
  EXPECT_TRUE(server_.accepted.empty());
  // It does not make an address good that strangers may not name.
  const std::vector loopback = {*identity::IpAddress::parse("127.0.0.1")};
  client_.tcp.dial(ConnId{3}, named, identity::LearnedFrom::remote_record, loopback);
  ASSERT_TRUE(run_until([&] { return client_.failed.size() == 3; }));
  EXPECT_EQ(client_.failed[ConnId{3}].code, Errc::refused);
  client_.tcp.dial(ConnId{4}, named, identity::LearnedFrom::configuration, loopback);
  ASSERT_TRUE(run_until([&] { return client_.connected.size() == 1; }));
  EXPECT_EQ(client_.connected_to[ConnId{4}].text(), "127.0.0.1:" + std::to_string(at.port));
}

TEST_F(TcpTest, BehindAProxyNobodySeesWhereANameLeads) {
  WebOptions options;
  options.proxies = Proxies::from([](const std::string& name) {
    return name == "http_proxy" ? std::optional<std::string>("http://127.0.0.1:9") : std::nullopt;
  });
  ASSERT_TRUE(client_.tcp.use(std::move(options)));
  client_.tcp.dial(kConn, endpoint("ws://localhost:80"), identity::LearnedFrom::configuration,
                   {*identity::IpAddress::parse("127.0.0.1")});
  ASSERT_TRUE(run_until([&] { return client_.failed.size() == 1; }));
  EXPECT_EQ(client_.failed[kConn].code, Errc::not_found);
}

TEST(ConnectorTest, FamiliesTakeTurns) {
  const auto parse = [](const char* text) { return *identity::IpAddress::parse(text); };
  const std::vector addresses = {parse("2001:db8::1"), parse("2001:db8::2"), parse("2001:db8::3"), parse("192.0.2.1")};
  const std::vector expected = {parse("2001:db8::1"), parse("192.0.2.1"), parse("2001:db8::2"), parse("2001:db8::3")};
  EXPECT_EQ(interleave_families(addresses), expected);
  EXPECT_TRUE(interleave_families({}).empty());
}

}  // namespace
}  // namespace ekiden::runtime
