#include "runtime/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <array>
#include <cstring>
#include <utility>

#include "runtime/files.hpp"

namespace ekiden::runtime {
namespace {

constexpr std::array<unsigned char, 9> kAlpnHttp11 = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

/// A node has nobody to ask for a passphrase: without this, OpenSSL would ask the terminal.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

int select_http11(SSL* /*ssl*/, const unsigned char** out, unsigned char* size, const unsigned char* offered,
                  unsigned offered_size, void* /*context*/) {
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, size, kAlpnHttp11.data(), kAlpnHttp11.size(), offered, offered_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

Result<TlsContext> make_context(const SSL_METHOD* method) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(method));
  if (!context) return fail(Errc::internal, "TLS is not available: " + tls_reason());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 0);
  // What did not fit in the socket is offered again from wherever it is then; idle connections keep no buffers.
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context.get(), 1);
  return context;
}

Result<FileText> read_pem(const std::filesystem::path& path, std::string_view setting) {
  auto file = read_file(path, kMaxTlsFile);
  if (!file) return fail(setting, std::move(file).error());
  return file;
}

struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct X509Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct KeyFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

std::unique_ptr<BIO, BioFree> over(const std::string& text) {
  return std::unique_ptr<BIO, BioFree>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// "2026-05-01 12:00 UTC"
std::string date_text(const ASN1_TIME* time) {
  std::tm parts{};
  std::array<char, 32> text{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "a date that cannot be read";
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &parts);
  return {text.data(), size};
}

Status check_dates(const X509& certificate, const std::string& name, WallTime now) {
  auto at = static_cast<std::time_t>(std::chrono::duration_cast<seconds>(now.time_since_epoch()).count());
  if (X509_cmp_time(X509_get0_notAfter(&certificate), &at) < 0) {
    return fail(Errc::expired, name + " has expired at " + date_text(X509_get0_notAfter(&certificate)) + ": renew it");
  }
  if (X509_cmp_time(X509_get0_notBefore(&certificate), &at) > 0) {
    return fail(Errc::expired, name + " is not valid before " + date_text(X509_get0_notBefore(&certificate)) +
                                   ": is the clock of this machine right?");
  }
  return {};
}

/// The first certificate is the server's, further ones lead to an authority.
Status use_certificates(SSL_CTX& context, const std::string& pem, const std::string& name, WallTime now) {
  const auto bio = over(pem);
  const std::unique_ptr<X509, X509Free> own(PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr));
  if (!own) {
    return fail(Errc::malformed,
                name + " holds no certificate in PEM form (-----BEGIN CERTIFICATE-----): " + tls_reason());
  }
  EKIDEN_TRY(check_dates(*own, name, now));
  if (SSL_CTX_use_certificate(&context, own.get()) != 1) {
    return fail(Errc::malformed, name + " cannot be used: " + tls_reason());
  }
  while (X509* const next = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    // It belongs to the context from here on.
    if (SSL_CTX_add0_chain_cert(&context, next) == 1) continue;
    X509_free(next);
    return fail(Errc::malformed, name + ": its chain cannot be used: " + tls_reason());
  }
  const auto end = ERR_peek_last_error();
  if (ERR_GET_LIB(end) != ERR_LIB_PEM || ERR_GET_REASON(end) != PEM_R_NO_START_LINE) {
    return fail(Errc::malformed, name + ": a certificate of its chain cannot be read: " + tls_reason());
  }
  ERR_clear_error();
  return {};
}

Status use_key(SSL_CTX& context, const FileText& file, const std::string& name) {
  if ((file.mode & S_IROTH) != 0) {
    return fail(Errc::refused, name + " can be read by everybody on this machine: chmod o-rwx it");
  }
  bool asked = false;
  const auto bio = over(file.text);
  const std::unique_ptr<EVP_PKEY, KeyFree> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, &asked));
  if (!key && asked) {
    return fail(Errc::malformed, name +
                                     " is protected by a passphrase, and nobody is there to type it: remove it with "
                                     "`openssl pkey -in OLD -out NEW`");
  }
  if (!key) {
    return fail(Errc::malformed,
                name + " holds no private key in PEM form (-----BEGIN PRIVATE KEY-----): " + tls_reason());
  }
  if (SSL_CTX_use_PrivateKey(&context, key.get()) == 1 && SSL_CTX_check_private_key(&context) == 1) return {};
  ERR_clear_error();
  return fail(Errc::malformed, name + " is not the key of the certificate in tls_certificate: name the pair");
}

}  // namespace

void TlsContextFree::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

std::string tls_reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "no reason given" : reason;
}

std::optional<WallTime> certificate_end(const SSL_CTX& context) {
  const X509* const certificate = SSL_CTX_get0_certificate(&context);
  std::tm parts{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) != 1) return std::nullopt;
  return WallTime(seconds(::timegm(&parts)));
}

Result<TlsContext> make_server_context(const TlsFiles& files, WallTime now) {
  EKIDEN_ASSIGN(TlsContext context, make_context(TLS_server_method()));
  EKIDEN_ASSIGN(const FileText certificate, read_pem(files.certificate, "tls_certificate"));
  EKIDEN_ASSIGN(FileText key, read_pem(files.key, "tls_key"));
  EKIDEN_TRY(use_certificates(*context, certificate.text, "tls_certificate: " + files.certificate.string(), now));
  const Status used = use_key(*context, key, "tls_key: " + files.key.string());
  OPENSSL_cleanse(key.text.data(), key.text.size());
  EKIDEN_TRY(used);
  SSL_CTX_set_alpn_select_cb(context.get(), select_http11, nullptr);
  return context;
}

std::string tls_files_stamp(const TlsFiles& files) {
  std::string stamp;
  for (const auto* path : {&files.certificate, &files.key}) {
    struct stat info{};
    if (::stat(path->c_str(), &info) != 0) info = {};
    for (const auto number : {static_cast<long long>(info.st_mtim.tv_sec), static_cast<long long>(info.st_mtim.tv_nsec),
                              static_cast<long long>(info.st_ino), static_cast<long long>(info.st_size)}) {
      stamp += std::to_string(number) + " ";
    }
  }
  return stamp;
}

Result<TlsContext> make_client_context(const TlsTrust& trust) {
  EKIDEN_ASSIGN(TlsContext context, make_context(TLS_client_method()));
  SSL_CTX_set_alpn_protos(context.get(), kAlpnHttp11.data(), kAlpnHttp11.size());
  SSL_CTX_set_verify(context.get(), trust.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (trust.authorities.empty()) {
    SSL_CTX_set_default_verify_paths(context.get());
    ERR_clear_error();
    return context;
  }
  EKIDEN_ASSIGN(const FileText file, read_pem(trust.authorities, "tls_ca"));
  const auto bio = over(file.text);
  std::size_t authorities = 0;
  while (const std::unique_ptr<X509, X509Free> next{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), next.get());
    ++authorities;
  }
  if (authorities == 0) {
    return fail(Errc::malformed,
                "tls_ca: " + trust.authorities.string() +
                    " holds no certificate in PEM form (-----BEGIN CERTIFICATE-----): " + tls_reason());
  }
  ERR_clear_error();
  return context;
}

}  // namespace ekiden::runtime
