#include "runtime/tls_context.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/temporary_directory.hpp"
#include "unit/runtime/certificates.hpp"

namespace ekiden::runtime {
namespace {

class TlsContextTest : public ::testing::Test {
 protected:
  TlsContextTest() { put(authority_.issue()); }

  void put(const Pem& pem) {
    write_text(files_.certificate, pem.certificate);
    write_text(files_.key, pem.key);
  }

  static WallTime now(seconds later = seconds(0)) {
    const auto since = std::chrono::system_clock::now().time_since_epoch() + later;
    return WallTime(std::chrono::duration_cast<milliseconds>(since));
  }

  /// The error that names the file and says all the words.
  void expect_error(Errc code, const std::vector<std::string>& words, seconds later = seconds(0)) const {
    const auto made = make_server_context(files_, now(later));
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, code) << made.error().message;
    for (const std::string& word : words) {
      EXPECT_NE(made.error().message.find(word), std::string::npos) << made.error().message;
    }
  }

  test::TemporaryDirectory directory_;
  TestAuthority authority_;
  TlsFiles files_{.certificate = directory_ / "cert.pem", .key = directory_ / "key.pem"};
};

TEST_F(TlsContextTest, APairThatFitsIsTaken) {
  EXPECT_TRUE(make_server_context(files_, now()));
  const auto made = make_server_context(files_, now());
  ASSERT_TRUE(made);
  EXPECT_EQ(SSL_CTX_get_min_proto_version(made->get()), TLS1_2_VERSION);
}

TEST_F(TlsContextTest, AChainIsTakenAndItsDamageNoticed) {
  const Pem pem = authority_.issue();
  write_text(files_.key, pem.key);
  write_text(files_.certificate, pem.certificate + authority_.certificate() + "\nand a comment\n");
  EXPECT_TRUE(make_server_context(files_, now()));
  std::string damaged = authority_.certificate();
  damaged[damaged.size() / 2] = '!';
  write_text(files_.certificate, pem.certificate + damaged);
  expect_error(Errc::malformed, {"cert.pem", "chain"});
}

TEST_F(TlsContextTest, MissingFilesAreNamedWithTheirSetting) {
  std::filesystem::remove(files_.key);
  expect_error(Errc::not_found, {"tls_key", "key.pem"});
  std::filesystem::remove(files_.certificate);
  expect_error(Errc::not_found, {"tls_certificate", "cert.pem"});
}

TEST_F(TlsContextTest, AFileThatMayNotBeReadIsNamed) {
  if (::geteuid() == 0) GTEST_SKIP() << "the administrator may read everything";
  ::chmod(files_.certificate.c_str(), 0);
  expect_error(Errc::refused, {"tls_certificate", "cert.pem"});
}

TEST_F(TlsContextTest, FilesThatAreNoPemAreNamed) {
  const Pem pem = authority_.issue();
  write_text(files_.certificate, "hello");
  expect_error(Errc::malformed, {"cert.pem", "BEGIN CERTIFICATE"});
  write_text(files_.certificate, "");
  expect_error(Errc::malformed, {"cert.pem", "BEGIN CERTIFICATE"});
  put({pem.certificate, "hello"});
  expect_error(Errc::malformed, {"key.pem", "BEGIN PRIVATE KEY"});
  put({pem.key, pem.certificate});
  expect_error(Errc::malformed, {"cert.pem"});
  put({pem.certificate, std::string(kMaxTlsFile + 1, 'a')});
  expect_error(Errc::too_large, {"key.pem"});
}

TEST_F(TlsContextTest, AKeyOfAnotherCertificateIsNamed) {
  put({authority_.issue().certificate, authority_.issue().key});
  expect_error(Errc::malformed, {"key.pem", "not the key of the certificate"});
}

TEST_F(TlsContextTest, AKeyWithAPassphraseIsNamed) {
  const Pem pem = authority_.issue();
  put({pem.certificate, with_passphrase(pem.key)});
  expect_error(Errc::malformed, {"key.pem", "passphrase"});
}

TEST_F(TlsContextTest, AKeyThatEverybodyMayReadIsRefused) {
  ::chmod(files_.key.c_str(), 0644);
  expect_error(Errc::refused, {"key.pem", "chmod"});
  ::chmod(files_.key.c_str(), 0640);
  EXPECT_TRUE(make_server_context(files_, now()));
}

TEST_F(TlsContextTest, ACertificateOutsideOfItsTimeIsNamedWithTheDate) {
  expect_error(Errc::expired, {"cert.pem", "expired", "UTC"}, seconds(4000));
  expect_error(Errc::expired, {"cert.pem", "not valid before", "UTC"}, seconds(-4000));
}

TEST_F(TlsContextTest, AnotherPairHasAnotherStamp) {
  const std::string before = tls_files_stamp(files_);
  EXPECT_EQ(tls_files_stamp(files_), before);
  put(authority_.issue());
  const std::string after = tls_files_stamp(files_);
  EXPECT_NE(after, before);
  std::filesystem::remove(files_.key);
  EXPECT_NE(tls_files_stamp(files_), after);
}

TEST_F(TlsContextTest, FilesOfAuthoritiesAreChecked) {
  write_text(directory_ / "ca.pem", authority_.certificate());
  EXPECT_TRUE(make_client_context({.authorities = directory_ / "ca.pem"}));
  EXPECT_TRUE(make_client_context({}));
  const auto missing = make_client_context({.authorities = directory_ / "none.pem"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::not_found);
  EXPECT_NE(missing.error().message.find("tls_ca"), std::string::npos);
  const auto wrong = make_client_context({.authorities = files_.key});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Errc::malformed);
}

}  // namespace
}  // namespace ekiden::runtime
