#include "runtime/tls_stream.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <utility>

#include "identity/address.hpp"
#include "runtime/tls_context.hpp"

namespace ekiden::runtime {
namespace {

TlsStream::Pipe& pipe_of(BIO* bio) { return *static_cast<TlsStream::Pipe*>(BIO_get_data(bio)); }

int write_below(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  TlsStream::Pipe& pipe = pipe_of(bio);
  auto outcome = pipe.stream->write(as_bytes({data, static_cast<std::size_t>(size)}));
  if (outcome.end) pipe.end = std::move(outcome.end);
  if (outcome.blocked) BIO_set_retry_write(bio);
  return outcome.bytes > 0 ? static_cast<int>(outcome.bytes) : -1;
}

int read_below(BIO* bio, char* data, int size) {
  BIO_clear_retry_flags(bio);
  TlsStream::Pipe& pipe = pipe_of(bio);
  auto outcome = pipe.stream->read({reinterpret_cast<Byte*>(data), static_cast<std::size_t>(size)});
  if (outcome.end) pipe.end = std::move(outcome.end);
  if (!outcome.bytes.empty()) return static_cast<int>(outcome.bytes.size());
  if (!pipe.end) BIO_set_retry_read(bio);
  return pipe.end ? 0 : -1;
}

long control_below(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
  if (command == BIO_CTRL_EOF) return pipe_of(bio).end ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

/// Made once; lives as long as the process.
BIO_METHOD* pipe_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
    if (made != nullptr) {
      BIO_meth_set_write(made, write_below);
      BIO_meth_set_read(made, read_below);
      BIO_meth_set_ctrl(made, control_below);
    }
    return made;
  }();
  return method;
}

std::string certificate_error(long result, const std::string& host) {
  switch (result) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "its certificate is for another name than " + host + ": dial the name that it is for";
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "its certificate has expired: its operator has to renew it";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "its certificate is not valid yet: is the clock of this machine right?";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "its certificate comes from an authority that is not trusted here: name the file of that authority in "
             "tls_ca under [network] in ekiden.toml";
    default:
      return std::string("its certificate does not verify: ") + X509_verify_cert_error_string(result);
  }
}

}  // namespace

void TlsStream::SslFree::operator()(SSL* ssl) const { SSL_free(ssl); }

Result<std::unique_ptr<TlsStream>> TlsStream::make(std::unique_ptr<Stream> below, SSL_CTX& context) {
  ERR_clear_error();
  auto made = std::unique_ptr<TlsStream>(new TlsStream);
  made->ssl_.reset(SSL_new(&context));
  BIO* const bio = pipe_method() == nullptr ? nullptr : BIO_new(pipe_method());
  if (!made->ssl_ || bio == nullptr) {
    BIO_free(bio);
    return fail(Errc::internal, "cannot begin TLS: " + tls_reason());
  }
  made->pipe_.stream = std::move(below);
  BIO_set_data(bio, &made->pipe_);
  BIO_set_init(bio, 1);
  SSL_set_bio(made->ssl_.get(), bio, bio);
  return made;
}

Result<std::unique_ptr<Stream>> TlsStream::server(std::unique_ptr<Stream> below, SSL_CTX& context) {
  EKIDEN_ASSIGN(auto made, make(std::move(below), context));
  SSL_set_accept_state(made->ssl_.get());
  return made;
}

Result<std::unique_ptr<Stream>> TlsStream::client(std::unique_ptr<Stream> below, SSL_CTX& context,
                                                  const std::string& host) {
  EKIDEN_ASSIGN(auto made, make(std::move(below), context));
  SSL* const ssl = made->ssl_.get();
  made->host_ = host;
  bool named = true;
  if (identity::IpAddress::parse(host)) {
    named = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
  } else {
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    named = SSL_set1_host(ssl, host.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
  }
  if (!named) return fail(Errc::internal, "cannot begin TLS: " + tls_reason());
  SSL_set_connect_state(ssl);
  return made;
}

std::string_view TlsStream::opening() const { return below_open_ ? "the TLS handshake" : pipe_.stream->opening(); }

Result<Wait> TlsStream::open(MutableBytes buffer) {
  if (!below_open_) {
    EKIDEN_ASSIGN(const Wait wait, pipe_.stream->open(buffer));
    if (wait != Wait::nothing) return wait;
    below_open_ = true;
  }
  ERR_clear_error();
  const int done = SSL_do_handshake(ssl_.get());
  if (done == 1) {
    open_ = true;
    return Wait::nothing;
  }
  switch (SSL_get_error(ssl_.get(), done)) {
    case SSL_ERROR_WANT_READ:
      return Wait::readable;
    case SSL_ERROR_WANT_WRITE:
      return Wait::writable;
    default:
      failed_ = true;
      return std::unexpected(handshake_error());
  }
}

Error TlsStream::handshake_error() {
  const std::string what = "the TLS handshake failed: ";
  const long result = SSL_get_verify_result(ssl_.get());
  if (!host_.empty() && (SSL_get_verify_mode(ssl_.get()) & SSL_VERIFY_PEER) != 0 && result != X509_V_OK) {
    ERR_clear_error();
    return {Errc::unauthenticated, what + certificate_error(result, host_)};
  }
  if (pipe_.end) return {pipe_.end->code, what + pipe_.end->message};
  return {Errc::malformed, what + tls_reason()};
}

Error TlsStream::broken(int why) {
  failed_ = why != SSL_ERROR_ZERO_RETURN;
  if (pipe_.end) return *pipe_.end;
  if (!failed_) return {Errc::closed, "the other side closed the connection"};
  return {Errc::closed, "TLS broke: " + tls_reason()};
}

ReadOutcome TlsStream::read(MutableBytes buffer) {
  ReadOutcome outcome;
  while (outcome.taken < buffer.size()) {
    std::size_t got = 0;
    ERR_clear_error();
    if (SSL_read_ex(ssl_.get(), buffer.data() + outcome.taken, buffer.size() - outcome.taken, &got) == 1) {
      outcome.taken += got;
      continue;
    }
    const int why = SSL_get_error(ssl_.get(), 0);
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) outcome.end = broken(why);
    break;
  }
  more_ = outcome.taken == buffer.size();
  outcome.bytes = buffer.first(outcome.taken);
  return outcome;
}

WriteOutcome TlsStream::write(ByteView bytes) {
  ERR_clear_error();
  if (bytes.empty()) {
    if (!goodbye_) return {};
    const int said = SSL_shutdown(ssl_.get());
    if (said < 0 && SSL_get_error(ssl_.get(), said) == SSL_ERROR_WANT_WRITE) return {.blocked = true};
    goodbye_ = false;
    ERR_clear_error();
    return {};
  }
  std::size_t written = 0;
  if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written) == 1) return {.bytes = written};
  const int why = SSL_get_error(ssl_.get(), 0);
  if (why == SSL_ERROR_WANT_WRITE || why == SSL_ERROR_WANT_READ) return {.blocked = true};
  return {.end = broken(why)};
}

bool TlsStream::finish() {
  more_ = false;
  goodbye_ = open_ && !failed_;
  // Also after a failure: the alert that says what it was is on its way.
  return below_open_;
}

}  // namespace ekiden::runtime
