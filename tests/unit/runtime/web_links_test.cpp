// ws:// and wss:// between two users of the transport, and what a stranger can do to either.
#include "unit/runtime/web_fixture.hpp"
#include "unit/runtime/websocket_frames.hpp"

namespace ekiden::runtime {
namespace {

class WebLinksTest : public WebTest, public ::testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(Transports, WebLinksTest, ::testing::Values("ws", "wss"),
                         [](const auto& each) { return std::string(each.param); });

TEST_P(WebLinksTest, ConnectsAndCarriesBytesBothWays) {
  connect(GetParam());
  EXPECT_EQ(server_.from_text, "127.0.0.1");
  EXPECT_EQ(identity::transport_name(server_.over), GetParam());
  client_.write(kConn, Bytes{1, 2, 3});
  server_.write(accepted(), Bytes{4, 5});
  ASSERT_TRUE(
      run_until([&] { return server_.received[accepted()].size() == 3 && client_.received[kConn].size() == 2; }));
  EXPECT_EQ(server_.received[accepted()], (Bytes{1, 2, 3}));
  EXPECT_EQ(client_.received[kConn], (Bytes{4, 5}));
}

TEST_P(WebLinksTest, CarriesMuchBothWaysAtOnce) {
  connect(GetParam());
  const Bytes there = pattern(6 << 20);
  const Bytes back(there.rbegin(), there.rend());
  client_.write(kConn, there);
  server_.write(accepted(), back);
  EXPECT_FALSE(client_.outgoing[kConn].empty());
  ASSERT_TRUE(run_until([&] {
    return server_.received[accepted()].size() >= there.size() && client_.received[kConn].size() >= back.size();
  }));
  EXPECT_EQ(server_.received[accepted()], there);
  EXPECT_EQ(client_.received[kConn], back);
  EXPECT_LE(server_.largest_read, Tcp::kReadSize);
}

TEST_P(WebLinksTest, NamesAreResolvedAndVerified) { connect(GetParam(), "localhost"); }

TEST_P(WebLinksTest, WhatIsWrittenBeforeTheHandshakeEndsArrives) {
  client_.tcp.dial(kConn, dialled(GetParam()));
  client_.write(kConn, Bytes{1});
  ASSERT_TRUE(run_until([&] { return server_.accepted.size() == 1; }));
  server_.write(accepted(), Bytes{2});
  ASSERT_TRUE(
      run_until([&] { return server_.received[accepted()].size() == 1 && client_.received[kConn].size() == 1; }));
}

TEST_P(WebLinksTest, WhileReadingPausesWhatIsSentStaysInTheSocket) {
  connect(GetParam());
  server_.pause_at_bytes = true;
  const Bytes much = pattern(2 << 20);
  client_.write(kConn, much);
  ASSERT_TRUE(run_until([&] { return !server_.received[accepted()].empty(); }));
  while (loop_.poll() > 0) {
  }
  EXPECT_LE(server_.received[accepted()].size(), Tcp::kReadSize);
  server_.pause_at_bytes = false;
  server_.tcp.resume_reading();
  ASSERT_TRUE(run_until([&] { return server_.received[accepted()].size() == much.size(); }));
  EXPECT_EQ(server_.received[accepted()], much);
}

TEST_P(WebLinksTest, AReaderThatDoesNotReadHoldsNobodyUp) {
  connect(GetParam());
  client_.tcp.pause_reading();
  server_.write(accepted(), Bytes(8 << 20));
  client_.tcp.dial(ConnId{2}, at_);
  ASSERT_TRUE(run_until([&] { return server_.accepted.size() == 2 && client_.connected.size() == 2; }));
  client_.write(ConnId{2}, Bytes{9});
  ASSERT_TRUE(run_until([&] { return server_.received[server_.accepted[1]].size() == 1; }));
  EXPECT_FALSE(server_.outgoing[accepted()].empty());
  client_.tcp.resume_reading();
  ASSERT_TRUE(run_until([&] { return client_.received[kConn].size() == 8 << 20; }));
}

TEST_P(WebLinksTest, TheOtherSidesEndIsSaidOnce) {
  connect(GetParam());
  client_.hang_up_after_writing = true;
  client_.write(kConn, Bytes(1000, 3));
  ASSERT_TRUE(run_until([&] { return server_.closed.contains(accepted()); }));
  EXPECT_EQ(server_.received[accepted()], Bytes(1000, 3));
  EXPECT_EQ(server_.closed[accepted()].code, Errc::closed);
  EXPECT_TRUE(mentions(server_.closed[accepted()], "closed the WebSocket")) << server_.closed[accepted()].message;
  EXPECT_TRUE(client_.closed.empty());
  EXPECT_EQ(server_.tcp.connections() + client_.tcp.connections(), 0U);
}

TEST_P(WebLinksTest, HangingUpWithinACallbackIsSafe) {
  server_.hang_up_at_once = true;
  const Error why = failure_of(dialled(GetParam()));
  EXPECT_EQ(why.code, Errc::closed) << why.message;
  EXPECT_EQ(server_.tcp.connections(), 0U);
  EXPECT_TRUE(server_.closed.empty());
}

TEST_P(WebLinksTest, ADialGivenUpInAnyStepSaysNothing) {
  const auto to = dialled(GetParam());
  // One step of the loop more before each end: every state of the handshakes is met.
  for (unsigned steps = 0; steps < 24; ++steps) {
    const ConnId conn{100 + steps};
    client_.tcp.dial(conn, to);
    for (unsigned i = 0; i < steps; ++i) {
      loop_.restart();
      loop_.run_one_for(std::chrono::milliseconds(1));
    }
    client_.tcp.hang_up(conn);
  }
  client_.tcp.dial(kConn, to);
  ASSERT_TRUE(run_until([&] { return std::ranges::find(client_.connected, kConn) != client_.connected.end(); }));
  ASSERT_TRUE(run_until([&] { return server_.tcp.connections() == 1; }));
  EXPECT_TRUE(client_.failed.empty());
  EXPECT_TRUE(client_.closed.empty());
}

TEST_P(WebLinksTest, AServerThatEndsInAnyStepIsNoticed) {
  for (unsigned steps = 0; steps < 16; ++steps) {
    Recorder server(loop_);
    ASSERT_TRUE(server.tcp.use(server_options()));
    ASSERT_TRUE(server.tcp.load_certificate(now()));
    const auto bound = server.tcp.listen(*parse_listen(std::string(GetParam()) + "://127.0.0.1:0"));
    ASSERT_TRUE(bound);
    server.tcp.start_accepting();
    const ConnId conn{100 + steps};
    client_.tcp.dial(conn, *bound);
    ASSERT_TRUE(run_until([&] { return !server.accepted.empty(); }));
    for (unsigned i = 0; i < steps; ++i) {
      loop_.restart();
      loop_.run_one_for(std::chrono::milliseconds(1));
    }
    server.tcp.close_all();
    ASSERT_TRUE(run_until([&] { return client_.failed.contains(conn) || client_.closed.contains(conn); })) << steps;
    const bool was_open = std::ranges::find(client_.connected, conn) != client_.connected.end();
    EXPECT_EQ(client_.closed.contains(conn), was_open);
    while (loop_.poll() > 0) {
    }
  }
  EXPECT_EQ(client_.tcp.connections(), 0U);
}

TEST_P(WebLinksTest, ASilentServerIsGivenUpWithTheStepThatWasWaitedFor) {
  RawServer silent(loop_);
  WebOptions options = client_options();
  options.open_timeout = milliseconds(50);
  ASSERT_TRUE(client_.tcp.use(options));
  const auto to = endpoint(std::string(GetParam()) + "://127.0.0.1:" + std::to_string(silent.port()));
  const Error why = failure_of(to);
  EXPECT_EQ(why.code, Errc::timed_out);
  EXPECT_TRUE(mentions(why, to.text()) && mentions(why, "handshake")) << why.message;
  EXPECT_EQ(client_.tcp.connections(), 0U);
}

/// A stranger at a ws:// port.
class WebStrangerTest : public WebTest {
 protected:
  RawPeer stranger() { return RawPeer::connected(loop_, listen("ws://127.0.0.1:0").port); }

  /// One whose upgrade was answered.
  RawPeer upgraded() {
    RawPeer peer = stranger();
    peer.send(upgrade_request("h"));
    EXPECT_TRUE(run_until([&] { return peer.has("\r\n\r\n"); }));
    EXPECT_TRUE(peer.got().starts_with("HTTP/1.1 101 ")) << peer.got();
    peer.forget();
    return peer;
  }

  static std::string frame(Opcode opcode, std::string_view payload, bool final = true) {
    Bytes bytes = frame_of(opcode, as_bytes(payload), MaskKey{1, 2, 3, 4});
    if (!final) bytes[0] &= 0x7f;
    return std::string(as_text(bytes));
  }

  /// What is answered to a request, until the end.
  std::string answer_to(std::string_view request) {
    RawPeer peer = stranger();
    peer.send(request);
    EXPECT_TRUE(run_until([&] { return peer.ended(); }));
    return peer.got();
  }
};

TEST_F(WebStrangerTest, OtherRequestsAreAnsweredAndTheConnectionEnds) {
  EXPECT_TRUE(answer_to("GET / HTTP/1.1\r\nHost: h\r\n\r\n").starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(answer_to("GET /ekiden/1 HTTP/1.1\r\nHost: h\r\n\r\n").starts_with("HTTP/1.1 426 "));
  EXPECT_TRUE(answer_to("GET /ekiden/1 HTTP/1.1\nHost: h\n\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(answer_to("GET /" + std::string(9000, 'a')).starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(
      answer_to("POST /ekiden/1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc").starts_with("HTTP/1.1 400 "));
  const std::string good = upgrade_request("h");
  EXPECT_TRUE(answer_to(good + good).starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(answer_to("\x16\x03\x01 hello\r\n\r\n").starts_with("HTTP/1.1 400 "));
  ASSERT_TRUE(run_until([&] { return server_.tcp.connections() == 0; }));
  EXPECT_EQ(server_.closed.size(), server_.accepted.size());
  for (const auto& [conn, bytes] : server_.received) EXPECT_TRUE(bytes.empty());
}

TEST_F(WebStrangerTest, ARequestInSinglePiecesIsAnswered) {
  RawPeer peer = stranger();
  for (const char c : upgrade_request("h")) {
    EXPECT_TRUE(peer.got().empty());
    peer.send({&c, 1});
    loop_.restart();
    loop_.poll();
  }
  EXPECT_TRUE(run_until([&] { return peer.has("\r\n\r\n"); }));
}

TEST_F(WebStrangerTest, FragmentsPingsAndPiecesAreOneStream) {
  RawPeer peer = upgraded();
  const std::string wire = frame(Opcode::binary, "one ", false) + frame(Opcode::ping, "beat") +
                           frame(Opcode::continuation, "two ", false) + frame(Opcode::continuation, "") +
                           frame(Opcode::binary, "three");
  for (const char c : wire) {
    peer.send({&c, 1});
    loop_.restart();
    loop_.poll();
  }
  ASSERT_TRUE(run_until([&] { return server_.received[accepted()].size() == 13; }));
  EXPECT_EQ(as_text(server_.received[accepted()]), "one two three");
  ASSERT_TRUE(run_until([&] {
    return peer.got() ==
           "\x8a\x04"
           "beat";
  })) << peer.got();
}

TEST_F(WebStrangerTest, PingsAreAnsweredInOrder) {
  RawPeer peer = upgraded();
  std::string wire;
  for (int i = 0; i < 500; ++i) wire += frame(Opcode::ping, std::to_string(1000 + i));
  peer.send(wire + frame(Opcode::binary, "x"));
  ASSERT_TRUE(run_until([&] { return server_.received[accepted()].size() == 1 && peer.has("1499"); }));
  const auto pongs = frames_in(as_bytes(peer.got()));
  ASSERT_EQ(pongs.size(), 500U);
  for (std::size_t i = 0; i < pongs.size(); ++i) {
    EXPECT_EQ(pongs[i].opcode(), Opcode::pong);
    EXPECT_EQ(as_text(pongs[i].payload), std::to_string(1000 + i));
  }
}

TEST_F(WebStrangerTest, AFloodOfPingsEnds) {
  RawPeer peer = upgraded();
  std::string wire;
  for (int i = 0; i < 4000; ++i) wire += frame(Opcode::ping, "");
  peer.send(wire);
  ASSERT_TRUE(run_until([&] { return server_.closed.contains(accepted()); }));
  EXPECT_EQ(server_.closed[accepted()].code, Errc::malformed) << server_.closed[accepted()].message;
  ASSERT_TRUE(run_until([&] { return peer.ended(); }));
  EXPECT_TRUE(peer.has("\x03\xf0")) << "1008";
}

TEST_F(WebStrangerTest, ABrokenRuleIsAnsweredWithItsCodeAndTheEnd) {
  const std::pair<std::string, unsigned> cases[] = {
      {frame(Opcode::text, "hello"), 1003},
      {std::string("\x82\x01x"), 1002},
      {std::string("\xc2\x80\x01\x02\x03\x04"), 1002},
      {std::string("\x82\xff\x00\x00\x00\x00\x00\x20\x00\x00\x01\x02\x03\x04", 14), 1009},
      {frame(Opcode::continuation, "x"), 1002},
      {frame(Opcode::close, "\x03\xe8\xff"), 1002},
  };
  for (const auto& [wire, code] : cases) {
    RawPeer peer = upgraded();
    peer.send(wire);
    ASSERT_TRUE(run_until([&] { return peer.ended(); }));
    const Bytes got = to_bytes(as_bytes(peer.got()));
    ASSERT_GE(got.size(), 4U);
    EXPECT_EQ(got[0], 0x88);
    EXPECT_EQ(got[2] * 256 + got[3], static_cast<int>(code));
  }
  ASSERT_TRUE(run_until([&] { return server_.closed.size() == std::size(cases); }));
}

TEST_F(WebStrangerTest, AnEndIsAnsweredWithItsCode) {
  RawPeer peer = upgraded();
  peer.send(frame(Opcode::binary, "last") + frame(Opcode::close, "\x03\xe9gone") + frame(Opcode::binary, "more"));
  ASSERT_TRUE(run_until([&] { return peer.ended(); }));
  EXPECT_EQ(peer.got(), "\x88\x02\x03\xe9");
  ASSERT_TRUE(run_until([&] { return server_.closed.contains(accepted()); }));
  EXPECT_EQ(as_text(server_.received[accepted()]), "last");
  EXPECT_TRUE(mentions(server_.closed[accepted()], "1001") && mentions(server_.closed[accepted()], "gone"))
      << server_.closed[accepted()].message;
}

TEST_F(WebStrangerTest, WhoDoesNotCloseIsNotWaitedForLong) {
  WebOptions options = server_options();
  options.leave_timeout = milliseconds(20);
  ASSERT_TRUE(server_.tcp.use(options));
  RawPeer peer = upgraded();
  server_.tcp.hang_up(accepted());
  EXPECT_EQ(server_.tcp.connections(), 0U);
  ASSERT_TRUE(run_until([&] { return peer.ended(); }));
  EXPECT_EQ(peer.got(), "\x88\x02\x03\xe8");
  // The socket is gone: what is sent to it now is answered with a reset.
  ASSERT_TRUE(run_until([&] { return peer.fails(); }));
}

TEST_F(WebStrangerTest, AConnectionThatIsResetEndsInEveryStep) {
  const std::string request = upgrade_request("h");
  const std::string wire = request + frame(Opcode::binary, "abc");
  for (const std::size_t sent :
       {std::size_t{0}, std::size_t{1}, request.size() - 1, request.size(), request.size() + 3}) {
    RawPeer peer = stranger();
    ASSERT_TRUE(run_until([&] { return server_.tcp.connections() == 1; }));
    peer.send(std::string_view(wire).substr(0, std::min(sent, request.size())));
    if (sent >= request.size()) {
      ASSERT_TRUE(run_until([&] { return peer.has("101"); }));
      peer.send(std::string_view(wire).substr(request.size(), sent - request.size()));
    }
    peer.reset();
    ASSERT_TRUE(run_until([&] { return server_.tcp.connections() == 0; })) << sent;
  }
  EXPECT_EQ(server_.closed.size(), 5U);
}

TEST_F(WebStrangerTest, AQuietConnectionGetsPings) {
  WebOptions options = server_options();
  options.keep_alive = milliseconds(5);
  ASSERT_TRUE(server_.tcp.use(options));
  RawPeer peer = upgraded();
  const std::string ping("\x89\x00", 2);
  ASSERT_TRUE(run_until([&] { return peer.has(ping + ping); }));
  // Answers are taken without a word to the user, and bytes come between.
  peer.send(frame(Opcode::pong, "") + frame(Opcode::binary, "x"));
  server_.write(accepted(), Bytes{'y'});
  ASSERT_TRUE(run_until([&] { return server_.received[accepted()].size() == 1 && peer.has("\x82\x01y" + ping); }));
  EXPECT_TRUE(server_.closed.empty());
}

/// Servers that are not what was dialled.
TEST_F(WebStrangerTest, ServersThatAreNoEkidenNodesAreNamed) {
  const std::string answers[] = {
      "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 503 Busy\r\n\r\n" + std::string(20'000, 'x'),
      "HTTP/1.1 302 Found\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello",
      "HTTP/1.1 403 Forbidden\r\nContent-Length: 1000000\r\n\r\nx",
      "SSH-2.0-OpenSSH\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
      std::string(9000, 'a'),
      "",
  };
  for (const std::string& answer : answers) {
    RawServer server(loop_);
    const ConnId conn{10 + client_.failed.size()};
    client_.tcp.dial(conn, endpoint("ws://127.0.0.1:" + std::to_string(server.port())));
    ASSERT_TRUE(run_until([&] { return !server.peers.empty() && server.peers[0].has("\r\n\r\n"); }));
    EXPECT_TRUE(server.peers[0].got().starts_with("GET /ekiden/1 HTTP/1.1\r\nHost: 127.0.0.1:"));
    server.peers[0].send(answer);
    server.peers[0].close();
    ASSERT_TRUE(run_until([&] { return client_.failed.contains(conn); }));
    EXPECT_TRUE(mentions(client_.failed[conn], "ws://127.0.0.1:")) << client_.failed[conn].message;
  }
  EXPECT_TRUE(mentions(client_.failed[ConnId{10}], "404 Not Found")) << client_.failed[ConnId{10}].message;
  EXPECT_TRUE(mentions(client_.failed[ConnId{11}], "503 Busy")) << client_.failed[ConnId{11}].message;
  EXPECT_TRUE(mentions(client_.failed[ConnId{12}], "302 Found")) << client_.failed[ConnId{12}].message;
  EXPECT_TRUE(mentions(client_.failed[ConnId{13}], "403 Forbidden")) << client_.failed[ConnId{13}].message;
  EXPECT_TRUE(client_.connected.empty());
}

TEST_F(WebStrangerTest, WhatComesWithTheAnswerIsRead) {
  RawServer server(loop_);
  client_.tcp.dial(kConn, endpoint("ws://127.0.0.1:" + std::to_string(server.port())));
  ASSERT_TRUE(run_until([&] { return !server.peers.empty() && server.peers[0].has("\r\n\r\n"); }));
  server.peers[0].send(upgrade_answer(key_of(server.peers[0].got())) +
                       "\x82\x05"
                       "early");
  ASSERT_TRUE(run_until([&] { return client_.received[kConn].size() == 5; }));
  EXPECT_EQ(as_text(client_.received[kConn]), "early");
}

}  // namespace
}  // namespace ekiden::runtime
