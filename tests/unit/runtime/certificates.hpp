// Certificates for tests: an authority of its own, and what it issues.
#pragma once

#include <openssl/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace ekiden::runtime {

struct Pem {
  std::string certificate;
  std::string key;
};

struct Issue {
  std::vector<std::string> names = {"localhost"};  ///< DNS names
  std::vector<std::string> addresses = {"127.0.0.1"};
  long valid_from_s = -3600;  ///< from now
  long valid_to_s = 3600;
};

class TestAuthority {
 public:
  TestAuthority();
  ~TestAuthority();
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  const std::string& certificate() const { return own_.certificate; }
  Pem issue(const Issue& issue = {});

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
  Pem own_;
};

/// The same key under a passphrase.
std::string with_passphrase(const std::string& key);

void write_text(const std::filesystem::path& path, const std::string& text);

}  // namespace ekiden::runtime
