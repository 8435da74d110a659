// Whole nodes over ws:// and wss://: settings, certificate, links.
#include <gtest/gtest.h>

#include <fstream>

#include "unit/runtime/certificates.hpp"
#include "unit/runtime/host_fixture.hpp"

namespace ekiden::runtime {
namespace {

class WebHostTest : public ::testing::Test {
 protected:
  WebHostTest() { write_text(directory_ / "ca.pem", authority_.certificate()); }

  void configure(const TestNode& node, const std::string& network) {
    std::ofstream(node.data_dir() / "ekiden.toml") << "[network]\n" << network;
  }

  void give_certificate(const TestNode& node, const Pem& pem) {
    write_text(node.data_dir() / "cert.pem", pem.certificate);
    write_text(node.data_dir() / "key.pem", pem.key);
  }

  /// The node listens on wss://, and trusts the authority.
  void configure_wss(const TestNode& node) {
    give_certificate(node, authority_.issue());
    configure(node,
              "listen = [\"wss://127.0.0.1:0\"]\ntls_certificate = \"cert.pem\"\ntls_key = \"key.pem\"\ntls_ca = \"" +
                  (directory_ / "ca.pem").string() + "\"\n");
  }

  void exchange() {
    a_.start();
    b_.start();
    ASSERT_TRUE(a_.meet("b", b_));
    const auto there = a_.send(b_.id(), "hello");
    ASSERT_TRUE(there) << there.error().message;
    ASSERT_EQ(b_.heard().arrivals(1).size(), 1U);
    EXPECT_TRUE(a_.heard().wait_for_state(*there, router::MessageState::delivered));
    const auto back = b_.send(a_.id(), std::string(30'000, 'x'));
    ASSERT_TRUE(back);
    ASSERT_EQ(a_.heard().arrivals(1).size(), 1U);
    EXPECT_TRUE(b_.heard().wait_for_state(*back, router::MessageState::delivered));
  }

  std::string open_error(TestNode& node) {
    const auto opened = node.open();
    return opened ? "it opened" : opened.error().message;
  }

  test::TemporaryDirectory directory_;
  TestAuthority authority_;
  TestNode a_{directory_ / "a"};
  TestNode b_{directory_ / "b"};
};

TEST_F(WebHostTest, NodesExchangeMessagesOverWs) {
  configure(b_, "listen = [\"ws://127.0.0.1:0\"]\n");
  exchange();
  EXPECT_TRUE(b_.host().listening().at(0).text().starts_with("ws://127.0.0.1:"));
  EXPECT_TRUE(a_.stop());
  EXPECT_TRUE(b_.stop());
}

TEST_F(WebHostTest, NodesExchangeMessagesOverWss) {
  configure_wss(a_);
  configure_wss(b_);
  exchange();
  EXPECT_TRUE(a_.stop());
  EXPECT_TRUE(b_.stop());
}

TEST_F(WebHostTest, TheCertificateIsReadAgainAndLinksStay) {
  configure_wss(a_);
  configure_wss(b_);
  exchange();
  give_certificate(b_, authority_.issue());
  b_.host().reload_certificate();
  EXPECT_TRUE(b_.wait_for_log("was read again"));
  give_certificate(b_, {"nothing", "at all"});
  b_.host().reload_certificate();
  EXPECT_TRUE(b_.wait_for_log("stays as it was: tls_certificate"));
  const auto sent = a_.send(b_.id(), "still there");
  ASSERT_TRUE(sent);
  EXPECT_EQ(b_.heard().arrivals(2).size(), 2U);
  const auto links = b_.status().links;
  ASSERT_EQ(links.size(), 1U);
  EXPECT_TRUE(a_.stop());
  EXPECT_TRUE(b_.stop());
}

TEST_F(WebHostTest, ACertificateThatChangesIsNoticed) {
  configure_wss(b_);
  b_.set_certificate_watch(milliseconds(5));
  b_.start();
  give_certificate(b_, authority_.issue());
  EXPECT_TRUE(b_.wait_for_log("was read again"));
  std::filesystem::remove(b_.data_dir() / "key.pem");
  EXPECT_TRUE(b_.wait_for_log("stays as it was: tls_key"));
  EXPECT_TRUE(b_.stop());
}

TEST_F(WebHostTest, TheOwnerHearsOfACertificateThatEnds) {
  configure_wss(b_);
  give_certificate(b_, authority_.issue({.valid_to_s = 2}));
  b_.set_certificate_watch(milliseconds(5));
  b_.start();
  EXPECT_TRUE(b_.wait_for_log("the certificate of wss:// ends at "));
  EXPECT_TRUE(b_.wait_for_log("the certificate of wss:// has ended at "));
  EXPECT_LE(*b_.host().certificate_end(), b_.host().now().wall);
  give_certificate(b_, authority_.issue({.valid_to_s = 30L * 24 * 3600}));
  EXPECT_TRUE(b_.wait_for_log("was read again"));
  EXPECT_TRUE(b_.stop());
}

TEST_F(WebHostTest, ANodeWithoutAUsableCertificateDoesNotStart) {
  configure(b_, "listen = [\"wss://127.0.0.1:0\"]\n");
  EXPECT_NE(open_error(b_).find("tls_certificate"), std::string::npos) << open_error(b_);
  configure_wss(b_);
  std::filesystem::remove(b_.data_dir() / "cert.pem");
  EXPECT_NE(open_error(b_).find("cert.pem"), std::string::npos) << open_error(b_);
  configure(b_, "tls_ca = \"none.pem\"\n");
  EXPECT_NE(open_error(b_).find("none.pem"), std::string::npos) << open_error(b_);
}

}  // namespace
}  // namespace ekiden::runtime
