// The HTTP proxy through which WebSocket links leave, as the environment says.
//
// HTTPS_PROXY counts for wss://, HTTP_PROXY for ws://; the names in lower case are looked at first, as others do.
// NO_PROXY lists what is reached directly: `*`, names (with all below them, a leading dot is dropped), addresses,
// prefixes such as 10.0.0.0/8; a name or address may have a port. Links over tcp:// never use a proxy.
//
// The value is http://name:password@host:port, or host:port; name and password with %-escapes. They are sent to the
// proxy alone, and never logged or put into an error.
//
// Bounds: kMaxValue characters; further entries of NO_PROXY than kMaxDirect are dropped.
//
// Source: RFC 9110 section 9.3.6; the variables are a custom without a standard, as curl(1) describes it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "identity/address.hpp"
#include "identity/endpoint.hpp"

namespace ekiden::runtime {

struct Proxy {
  std::string host;  ///< a name or an address without brackets
  std::uint16_t port = 0;
  std::optional<std::string> credentials;  ///< name:password, unescaped

  /// "http://proxy.example:3128", without the credentials.
  std::string text() const;

  friend bool operator==(const Proxy&, const Proxy&) = default;
};

class Proxies {
 public:
  static constexpr std::size_t kMaxValue = 4096;
  static constexpr std::size_t kMaxDirect = 256;
  static constexpr std::uint16_t kDefaultPort = 80;

  /// None at all.
  Proxies() = default;

  /// Looks the variables up with `get`, which returns nothing for one that is not set.
  using Get = std::function<std::optional<std::string>(const std::string& name)>;
  static Proxies from(const Get& get);
  static Proxies from_environment();

  /// The proxy for a dial, if it is to use one. Errors: malformed or unsupported, for a value that cannot be used: its
  /// variable is named, and only dials that need it fail.
  Result<std::optional<Proxy>> find(const identity::Endpoint& endpoint) const;

 private:
  struct Direct {
    std::string name;  ///< empty: an address; "*": everything
    identity::IpAddress address;
    unsigned prefix = 0;     ///< bits of the address that count, of 128
    std::uint16_t port = 0;  ///< 0: any
  };
  static std::optional<Direct> parse_direct(std::string_view text);
  static bool covers(const Direct& direct, const identity::Endpoint& endpoint);

  Result<std::optional<Proxy>> http_ = std::nullopt;
  Result<std::optional<Proxy>> https_ = std::nullopt;
  std::vector<Direct> direct_;
};

/// Reads the value of a variable. Errors: malformed, unsupported (a proxy that is not http).
Result<Proxy> parse_proxy(std::string_view text);

}  // namespace ekiden::runtime
