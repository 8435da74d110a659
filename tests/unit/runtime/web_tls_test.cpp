// The certificates of wss://: whom a dial trusts, what it says when it does not, and how they change.
#include "unit/runtime/web_fixture.hpp"

namespace ekiden::runtime {
namespace {

class WebTlsTest : public WebTest {
 protected:
  Error failure(const std::string& host = "127.0.0.1") { return failure_of(dialled("wss", host)); }
};

TEST_F(WebTlsTest, AnotherNameIsRefused) {
  use(authority_.issue({.names = {"node.example"}, .addresses = {"192.0.2.1"}}));
  const Error by_address = failure();
  EXPECT_EQ(by_address.code, Errc::unauthenticated);
  EXPECT_TRUE(mentions(by_address, "another name than 127.0.0.1")) << by_address.message;
  client_.failed.clear();
  const Error by_name = failure("localhost");
  EXPECT_TRUE(mentions(by_name, "another name than localhost")) << by_name.message;
}

TEST_F(WebTlsTest, AnExpiredCertificateIsRefused) {
  Pem pem = authority_.issue({.valid_from_s = -3600, .valid_to_s = -60});
  write_text(directory_ / "cert.pem", pem.certificate);
  write_text(directory_ / "key.pem", pem.key);
  // The server's clock is an hour behind: else it would not use it.
  ASSERT_TRUE(server_.tcp.load_certificate(now() - seconds(600)));
  const Error why = failure();
  EXPECT_EQ(why.code, Errc::unauthenticated);
  EXPECT_TRUE(mentions(why, "its certificate has expired")) << why.message;
}

TEST_F(WebTlsTest, ACertificateFromTheFutureIsRefused) {
  Pem pem = authority_.issue({.valid_from_s = 600, .valid_to_s = 3600});
  write_text(directory_ / "cert.pem", pem.certificate);
  write_text(directory_ / "key.pem", pem.key);
  ASSERT_TRUE(server_.tcp.load_certificate(now() + seconds(1200)));
  const Error why = failure();
  EXPECT_TRUE(mentions(why, "not valid yet")) << why.message;
}

TEST_F(WebTlsTest, AnAuthorityThatNobodyKnowsIsRefused) {
  ASSERT_TRUE(client_.tcp.use({}));
  const Error why = failure();
  EXPECT_EQ(why.code, Errc::unauthenticated);
  EXPECT_TRUE(mentions(why, "tls_ca")) << why.message;
  // The server hears of it, and of nothing else.
  ASSERT_TRUE(run_until([&] { return server_.closed.contains(accepted()); }));
  EXPECT_TRUE(mentions(server_.closed[accepted()], "TLS handshake")) << server_.closed[accepted()].message;
}

TEST_F(WebTlsTest, WithoutVerificationAnyCertificateCarries) {
  use(authority_.issue({.names = {"node.example"}, .addresses = {}}));
  ASSERT_TRUE(client_.tcp.use({.trust = {.verify = false}}));
  connect("wss");
}

TEST_F(WebTlsTest, TheOtherTransportIsSaidToBeOne) {
  const auto secure = dialled("wss");
  const Error plain = failure_of(endpoint("ws://127.0.0.1:" + std::to_string(secure.port)));
  EXPECT_TRUE(mentions(plain, "ws://127.0.0.1:")) << plain.message;
  ASSERT_TRUE(run_until([&] { return server_.closed.size() == 1; }));
  client_.failed.clear();
  const auto bare = listen("ws://127.0.0.1:0");
  const Error tls = failure_of(endpoint("wss://127.0.0.1:" + std::to_string(bare.port)));
  EXPECT_TRUE(mentions(tls, "TLS handshake failed")) << tls.message;
  ASSERT_TRUE(run_until([&] { return server_.closed.size() == 2; }));
}

TEST_F(WebTlsTest, AStrangerThatSpeaksNoTlsEnds) {
  RawPeer peer = RawPeer::connected(loop_, listen("wss://127.0.0.1:0").port);
  peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(run_until([&] { return server_.closed.size() == 1 && peer.ended(); }));
  EXPECT_EQ(server_.closed[accepted()].code, Errc::malformed) << server_.closed[accepted()].message;
}

TEST_F(WebTlsTest, ANewCertificateIsForNewConnectionsAndOldOnesStay) {
  connect("wss");
  const auto to = endpoint("wss://127.0.0.1:" + std::to_string(at_.port));
  // The next dial knows the new authority alone: it succeeds only with the new certificate.
  TestAuthority other;
  const Pem renewed = other.issue();
  write_text(directory_ / "cert.pem", renewed.certificate);
  write_text(directory_ / "key.pem", renewed.key);
  ASSERT_TRUE(server_.tcp.load_certificate(now()));
  write_text(directory_ / "ca.pem", other.certificate());
  ASSERT_TRUE(client_.tcp.use(client_options()));
  client_.tcp.dial(ConnId{2}, to);
  ASSERT_TRUE(run_until([&] { return client_.connected.size() == 2; }));

  const Bytes much = pattern(1 << 20);
  client_.write(kConn, much);
  ASSERT_TRUE(run_until([&] { return server_.received[accepted()].size() == much.size(); }));
  EXPECT_EQ(server_.received[accepted()], much);
  EXPECT_TRUE(server_.closed.empty() && client_.closed.empty());
}

TEST_F(WebTlsTest, APairThatCannotBeUsedLeavesTheOneInUse) {
  write_text(directory_ / "key.pem", authority_.issue().key);
  const auto loaded = server_.tcp.load_certificate(now());
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::malformed);
  connect("wss");
}

TEST_F(WebTlsTest, WithoutACertificateTheSettingsAreNamed) {
  Recorder user(loop_);
  const auto loaded = user.tcp.load_certificate(now());
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::not_found);
  EXPECT_TRUE(mentions(loaded.error(), "tls_certificate"));
  const auto bound = user.tcp.listen(*parse_listen("wss://127.0.0.1:0"));
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().code, Errc::not_found);
  EXPECT_EQ(user.tcp.listen(endpoint("udp://127.0.0.1:1")).error().code, Errc::unsupported);
}

TEST_F(WebTlsTest, AConnectionIsCutInTheMiddleOfTls) {
  for (const std::size_t sent : {0U, 1U, 5U, 6U}) {
    RawPeer peer = RawPeer::connected(loop_, listen("wss://127.0.0.1:0").port);
    ASSERT_TRUE(run_until([&] { return server_.tcp.connections() == 1; }));
    peer.send(std::string_view("\x16\x03\x01\x00\x80\x01", 6).substr(0, sent));
    peer.reset();
    ASSERT_TRUE(run_until([&] { return server_.tcp.connections() == 0; }));
  }
}

}  // namespace
}  // namespace ekiden::runtime
