// Two users of the transport with certificates, for tests of ws:// and wss://.
#pragma once

#include <string>

#include "support/temporary_directory.hpp"
#include "unit/runtime/certificates.hpp"
#include "unit/runtime/raw_peer.hpp"
#include "unit/runtime/tcp_fixture.hpp"

namespace ekiden::runtime {

class WebTest : public TcpTest {
 protected:
  WebTest() {
    write_text(directory_ / "ca.pem", authority_.certificate());
    use(authority_.issue());
    EXPECT_TRUE(client_.tcp.use(client_options()));
  }

  static WallTime now() {
    return std::chrono::time_point_cast<milliseconds>(
        WallTime(std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch())));
  }

  WebOptions server_options() const {
    return {.server = {.certificate = directory_ / "cert.pem", .key = directory_ / "key.pem"}};
  }
  WebOptions client_options() const { return {.trust = {.authorities = directory_ / "ca.pem"}}; }

  /// The server shows this certificate from now on.
  void use(const Pem& pem) {
    write_text(directory_ / "cert.pem", pem.certificate);
    write_text(directory_ / "key.pem", pem.key);
    EXPECT_TRUE(server_.tcp.use(server_options()));
    const auto loaded = server_.tcp.load_certificate(now());
    EXPECT_TRUE(loaded) << loaded.error().message;
  }

  void connect(const std::string& transport, const std::string& host = "127.0.0.1") {
    client_.tcp.dial(kConn, dialled(transport, host));
    ASSERT_TRUE(run_until([&] { return !client_.connected.empty() || client_.failed.contains(kConn); }));
    ASSERT_FALSE(client_.failed.contains(kConn)) << client_.failed[kConn].message;
    ASSERT_TRUE(run_until([&] { return server_.accepted.size() == 1; }));
  }

  /// What to dial to reach the server, which listens from now on.
  identity::Endpoint dialled(const std::string& transport, const std::string& host = "127.0.0.1") {
    return endpoint(transport + "://" + host + ":" + std::to_string(listen(transport + "://127.0.0.1:0").port));
  }

  /// A dial that has to fail.
  Error failure_of(const identity::Endpoint& to) {
    client_.tcp.dial(kConn, to);
    EXPECT_TRUE(run_until([&] { return client_.failed.contains(kConn) || !client_.connected.empty(); }));
    EXPECT_TRUE(client_.connected.empty()) << to.text();
    return client_.failed[kConn];
  }

  ConnId accepted() const { return server_.accepted.at(0); }

  static Bytes pattern(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<Byte>(i * 7 + i / 251);
    return bytes;
  }

  test::TemporaryDirectory directory_;
  TestAuthority authority_;
};

inline bool mentions(const Error& error, std::string_view text) {
  return error.message.find(text) != std::string::npos;
}

}  // namespace ekiden::runtime
