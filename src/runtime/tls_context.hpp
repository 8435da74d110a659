// What TLS connections are made from: a server's certificate and key, a client's trust.
//
// TLS is here so that a node can be reached where only HTTPS gets through; who is on the other side is proven by Noise
// inside. So there is nothing to resume and nothing to renegotiate: no tickets, no session cache, no compression,
// TLS 1.2 at least. ALPN says http/1.1, so that a front-end does not choose HTTP/2.
//
// Inputs: paths, and the wall time against which a certificate is judged. Errors name the file, what is wrong with it
// and what to do. Secrets: OpenSSL reads the key from its file and erases its own copies; nothing of it is logged.
#pragma once

#include <openssl/types.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"

namespace ekiden::runtime {

inline constexpr std::size_t kMaxTlsFile = 1024 * 1024;

struct TlsContextFree {
  void operator()(SSL_CTX* context) const;
};
/// A connection keeps what it was made from alive: replacing a context changes nothing for those that are there.
using TlsContext = std::unique_ptr<SSL_CTX, TlsContextFree>;

struct TlsFiles {
  std::filesystem::path certificate;  ///< PEM: the server's certificate, then those that lead to a known authority
  std::filesystem::path key;          ///< PEM, without a passphrase

  friend bool operator==(const TlsFiles&, const TlsFiles&) = default;
};

/// Errors: not_found, refused (unreadable; a key that everybody may read), malformed (not PEM, a key with a passphrase,
/// a key of another certificate), expired (or not valid yet).
Result<TlsContext> make_server_context(const TlsFiles& files, WallTime now);

/// Until when the certificate of a server's context is valid; nothing if its date cannot be read.
std::optional<WallTime> certificate_end(const SSL_CTX& context);

/// Says what the files are like now; another text after they were replaced or written. Files that are missing count
/// too.
std::string tls_files_stamp(const TlsFiles& files);

struct TlsTrust {
  std::filesystem::path authorities = {};  ///< PEM; empty: those of the system
  bool verify = true;                      ///< the certificate's chain and name
};

/// Errors: not_found, refused, malformed.
Result<TlsContext> make_client_context(const TlsTrust& trust);

/// The newest reason that OpenSSL gives on this thread, and clears it: "no certificate or crl found".
std::string tls_reason();

}  // namespace ekiden::runtime
