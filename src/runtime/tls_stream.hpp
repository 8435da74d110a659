// TLS on another stream, by OpenSSL.
//
// A client checks the chain and the name of the certificate if its context says so. Errors say what is wrong with it in
// words (another name, expired, an authority that nobody here knows), and what may be done.
//
// Bounds: OpenSSL's, about 40 KiB while a record is under way, given back when a connection is idle. The close of TLS
// is sent at the end, and not waited for: whether all was received is for the layers above to know.
//
// Source: RFC 8446, RFC 6125 (names in certificates), SSL_read(3), SSL_write(3).
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>

#include "runtime/stream.hpp"

namespace ekiden::runtime {

class TlsStream final : public Stream {
 public:
  /// `host`: the name or address that the certificate is for. Errors: internal (no memory).
  static Result<std::unique_ptr<Stream>> client(std::unique_ptr<Stream> below, SSL_CTX& context,
                                                const std::string& host);
  static Result<std::unique_ptr<Stream>> server(std::unique_ptr<Stream> below, SSL_CTX& context);

  Result<Wait> open(MutableBytes buffer) override;
  std::string_view opening() const override;
  ReadOutcome read(MutableBytes buffer) override;
  WriteOutcome write(ByteView bytes) override;
  bool has_input() const override { return more_; }
  bool has_output() const override { return goodbye_; }
  bool finish() override;

  /// The stream below, as OpenSSL sees it.
  struct Pipe {
    std::unique_ptr<Stream> stream;
    std::optional<Error> end;
  };

 private:
  struct SslFree {
    void operator()(SSL* ssl) const;
  };

  TlsStream() = default;
  static Result<std::unique_ptr<TlsStream>> make(std::unique_ptr<Stream> below, SSL_CTX& context);
  Error broken(int why);
  Error handshake_error();

  Pipe pipe_;
  std::unique_ptr<SSL, SslFree> ssl_;
  std::string host_;  ///< empty at a server
  bool below_open_ = false;
  bool open_ = false;
  bool failed_ = false;
  bool more_ = false;
  bool goodbye_ = false;  ///< is to be said
};

}  // namespace ekiden::runtime
