// Dials of ws:// and wss:// through an HTTP proxy, and proxies that do not help.
#include <boost/asio/write.hpp>

#include "unit/runtime/web_fixture.hpp"

namespace ekiden::runtime {
namespace {

/// Does what CONNECT asks for, if it is asked in the right way.
class ConnectProxy {
 public:
  explicit ConnectProxy(asio::io_context& loop)
      : loop_(loop), acceptor_(loop, {asio::ip::address_v4::loopback(), 0}), port_(acceptor_.local_endpoint().port()) {
    accept();
  }

  std::uint16_t port() const { return port_; }
  std::string url(const std::string& credentials = "") const {
    return "http://" + credentials + "127.0.0.1:" + std::to_string(port_);
  }

  std::string answer = "HTTP/1.1 200 Connection established\r\n\r\n";
  std::string wanted;  ///< a line without which it answers 407
  std::vector<std::string> requests;
  std::size_t passed_up = 0;  ///< pieces
  std::size_t passed_down = 0;

 private:
  struct Pair {
    explicit Pair(Socket socket, asio::io_context& loop) : near(std::move(socket)), far(loop) {}
    Socket near;
    Socket far;
    std::string head;
    std::array<char, 16384> up{};
    std::array<char, 16384> down{};
  };
  using PairPtr = std::shared_ptr<Pair>;

  void accept() {
    acceptor_.async_accept([this](ErrorCode error, Socket socket) {
      if (error) return;
      read_head(std::make_shared<Pair>(std::move(socket), loop_));
      accept();
    });
  }

  void read_head(const PairPtr& pair) {
    pair->near.async_read_some(asio::buffer(pair->up), [this, pair](ErrorCode error, std::size_t size) {
      pair->head.append(pair->up.data(), size);
      if (error) return;
      if (!pair->head.ends_with("\r\n\r\n")) return read_head(pair);
      requests.push_back(pair->head);
      serve(pair);
    });
  }

  void serve(const PairPtr& pair) {
    std::string said = answer;
    if (pair->head.find(wanted) == std::string::npos) said = "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n";
    const auto colon = pair->head.find(':');
    const auto port = static_cast<std::uint16_t>(std::stoi(pair->head.substr(colon + 1)));
    ErrorCode ignored;
    if (!said.empty()) pair->near.write_some(asio::buffer(said), ignored);
    if (said.empty()) hanging_.push_back(pair);
    if (!said.starts_with("HTTP/1.1 200")) return;
    pair->far.connect({asio::ip::address_v4::loopback(), port}, ignored);
    pump(pair, pair->near, pair->far, pair->up, passed_up);
    pump(pair, pair->far, pair->near, pair->down, passed_down);
  }

  static void pump(const PairPtr& pair, Socket& from, Socket& to, std::array<char, 16384>& buffer,
                   std::size_t& passed) {
    from.async_read_some(asio::buffer(buffer), [pair, &from, &to, &buffer, &passed](ErrorCode error, std::size_t size) {
      ErrorCode ignored;
      if (error) to.shutdown(Socket::shutdown_send, ignored);
      if (error) return;
      ++passed;
      asio::async_write(to, asio::buffer(buffer.data(), size),
                        [pair, &from, &to, &buffer, &passed](ErrorCode failed, std::size_t /*size*/) {
                          if (!failed) pump(pair, from, to, buffer, passed);
                        });
    });
  }

  asio::io_context& loop_;
  Acceptor acceptor_;
  std::uint16_t port_;
  std::vector<PairPtr> hanging_;
};

class WebProxyTest : public WebTest {
 protected:
  void use_proxy(const std::string& url, const std::string& direct = "", Duration timeout = seconds(9),
                 Duration keep_alive = WebOptions{}.keep_alive) {
    WebOptions options = client_options();
    options.open_timeout = timeout;
    options.keep_alive = keep_alive;
    options.proxies = Proxies::from([&](const std::string& name) -> std::optional<std::string> {
      if (name == "HTTPS_PROXY" || name == "http_proxy") return url;
      if (name == "NO_PROXY") return direct;
      return std::nullopt;
    });
    ASSERT_TRUE(client_.tcp.use(options));
  }

  /// The dial fails and names the proxy, but not its password.
  Error failure() {
    const Error why = failure_of(dialled("wss"));
    EXPECT_TRUE(mentions(why, "the proxy http://127.0.0.1:")) << why.message;
    EXPECT_FALSE(mentions(why, "secret")) << why.message;
    EXPECT_TRUE(server_.accepted.empty());
    EXPECT_EQ(client_.tcp.connections(), 0U);
    return why;
  }

  /// Both directions of a tunnel go on carrying something.
  void expect_signs_of_life() {
    for (const char* transport : {"ws", "wss"}) {
      const ConnId conn{10 + proxy_.requests.size()};
      client_.tcp.dial(conn, dialled(transport));
      ASSERT_TRUE(run_until([&] { return std::ranges::find(client_.connected, conn) != client_.connected.end(); }));
      const std::size_t up = proxy_.passed_up;
      const std::size_t down = proxy_.passed_down;
      EXPECT_TRUE(run_until([&] { return proxy_.passed_up >= up + 5 && proxy_.passed_down >= down + 5; })) << transport;
      EXPECT_TRUE(client_.received[conn].empty());
      client_.tcp.hang_up(conn);
      ASSERT_TRUE(run_until([&] { return server_.tcp.connections() + client_.tcp.connections() == 0; }));
    }
  }

  ConnectProxy proxy_{loop_};
};

TEST_F(WebProxyTest, BothTransportsGoThroughIt) {
  use_proxy(proxy_.url());
  for (const char* transport : {"ws", "wss"}) {
    const auto to = dialled(transport);
    const ConnId conn{10 + proxy_.requests.size()};
    client_.tcp.dial(conn, to);
    ASSERT_TRUE(run_until([&] { return std::ranges::find(client_.connected, conn) != client_.connected.end(); }));
    const std::string authority = "127.0.0.1:" + std::to_string(to.port);
    EXPECT_TRUE(
        proxy_.requests.back().starts_with("CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n"));
    const ConnId there = server_.accepted.back();
    const Bytes much = pattern(1 << 20);
    client_.write(conn, much);
    server_.write(there, much);
    ASSERT_TRUE(run_until(
        [&] { return server_.received[there].size() == much.size() && client_.received[conn].size() == much.size(); }));
    EXPECT_EQ(server_.received[there], much);
    client_.tcp.hang_up(conn);
    ASSERT_TRUE(run_until([&] { return server_.closed.contains(there); }));
  }
  EXPECT_EQ(proxy_.requests.size(), 2U);
}

/// Pings come through from either end, and are answered, while the users have nothing to say.
TEST_F(WebProxyTest, AnIdleTunnelIsNotSilentAtAClient) {
  use_proxy(proxy_.url(), "", seconds(9), milliseconds(5));
  expect_signs_of_life();
}

TEST_F(WebProxyTest, AnIdleTunnelIsNotSilentAtAServer) {
  use_proxy(proxy_.url());
  WebOptions options = server_options();
  options.keep_alive = milliseconds(5);
  ASSERT_TRUE(server_.tcp.use(options));
  ASSERT_TRUE(server_.tcp.load_certificate(now()));
  expect_signs_of_life();
}

TEST_F(WebProxyTest, TheNameIsLeftToTheProxy) {
  use_proxy(proxy_.url());
  connect("wss", "localhost");
  EXPECT_TRUE(proxy_.requests.at(0).starts_with("CONNECT localhost:")) << proxy_.requests[0];
}

/// Whoever writes a record would otherwise reach into the network of the proxy.
TEST_F(WebProxyTest, WhatOthersSayLeadsNowhereBehindTheProxy) {
  use_proxy(proxy_.url());
  for (const char* to : {"wss://intranet.example:443", "ws://10.0.0.1:80", "wss://[::1]:443"}) {
    client_.failed.clear();
    client_.tcp.dial(kConn, endpoint(to), identity::LearnedFrom::remote_record);
    ASSERT_TRUE(run_until([&] { return client_.failed.contains(kConn); })) << to;
    EXPECT_EQ(client_.failed[kConn].code, Errc::refused) << client_.failed[kConn].message;
  }
  EXPECT_TRUE(proxy_.requests.empty());
}

TEST_F(WebProxyTest, PlainTcpAndWhatIsListedGoDirectly) {
  use_proxy(proxy_.url(), "127.0.0.0/8");
  connect("wss");
  client_.tcp.dial(ConnId{2}, listen("tcp://127.0.0.1:0"));
  ASSERT_TRUE(run_until([&] { return client_.connected.size() == 2; }));
  EXPECT_TRUE(proxy_.requests.empty());
}

TEST_F(WebProxyTest, CredentialsAreSentAndAskedFor) {
  proxy_.wanted = "Proxy-Authorization: Basic bWU6c2VjcmV0";
  use_proxy(proxy_.url());
  const Error asks = failure();
  EXPECT_EQ(asks.code, Errc::refused);
  EXPECT_TRUE(mentions(asks, "asks for a name and a password")) << asks.message;
  client_.failed.clear();
  use_proxy(proxy_.url("me:wrong-secret@"));
  const Error wrong = failure();
  EXPECT_EQ(wrong.code, Errc::refused);
  EXPECT_TRUE(mentions(wrong, "does not accept")) << wrong.message;
  client_.failed.clear();
  use_proxy(proxy_.url("me:secret@"));
  connect("wss");
}

TEST_F(WebProxyTest, ARefusalIsQuoted) {
  proxy_.answer = "HTTP/1.1 403 Forbidden by policy\r\nContent-Length: 4\r\n\r\nnope";
  use_proxy(proxy_.url("me:secret@"));
  const Error why = failure();
  EXPECT_EQ(why.code, Errc::unreachable);
  EXPECT_TRUE(mentions(why, "403 Forbidden by policy")) << why.message;
}

TEST_F(WebProxyTest, AProxyThatDoesNotAnswerIsGivenUp) {
  proxy_.answer = "";
  use_proxy(proxy_.url("me:secret@"), "", milliseconds(50));
  const Error why = failure();
  EXPECT_EQ(why.code, Errc::timed_out);
  EXPECT_TRUE(mentions(why, "the answer of the proxy")) << why.message;
}

TEST_F(WebProxyTest, AProxyThatAnswersInAnotherLanguageIsNamed) {
  for (const char* answer : {"SSH-2.0-x\r\n\r\n", "220 smtp.example\n", "HTTP/1.1 2x0 OK\r\n\r\n"}) {
    proxy_.answer = answer;
    use_proxy(proxy_.url());
    EXPECT_EQ(failure().code, Errc::malformed) << answer;
    client_.failed.clear();
  }
}

TEST_F(WebProxyTest, NothingMayComeBehindTheAnswer) {
  proxy_.answer = "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n\r\n";
  use_proxy(proxy_.url());
  const Error why = failure_of(dialled("ws"));
  EXPECT_EQ(why.code, Errc::malformed);
  EXPECT_TRUE(mentions(why, "more than its answer")) << why.message;
}

TEST_F(WebProxyTest, AProxyThatIsNotThereIsNamed) {
  std::uint16_t closed = 0;
  {
    const ConnectProxy gone(loop_);
    closed = gone.port();
  }
  use_proxy("http://me:secret@127.0.0.1:" + std::to_string(closed));
  EXPECT_EQ(failure().code, Errc::unreachable);
}

TEST_F(WebProxyTest, AProxyThatHangsUpIsNamed) {
  RawServer server(loop_);
  use_proxy("http://127.0.0.1:" + std::to_string(server.port()));
  client_.tcp.dial(kConn, endpoint("wss://node.example:443"));
  ASSERT_TRUE(run_until([&] { return !server.peers.empty() && server.peers[0].has("\r\n\r\n"); }));
  server.peers[0].send("HTTP/1.1 200");
  server.peers[0].close();
  ASSERT_TRUE(run_until([&] { return client_.failed.contains(kConn); }));
  EXPECT_TRUE(mentions(client_.failed[kConn], "the proxy http://127.0.0.1:")) << client_.failed[kConn].message;
}

TEST_F(WebProxyTest, AVariableThatCannotBeUsedIsNamedWithinTheDial) {
  use_proxy("socks5://me:secret@127.0.0.1:1");
  const Error why = failure_of(dialled("wss"));
  EXPECT_EQ(why.code, Errc::unsupported);
  EXPECT_TRUE(mentions(why, "HTTPS_PROXY") && !mentions(why, "secret")) << why.message;
}

}  // namespace
}  // namespace ekiden::runtime
