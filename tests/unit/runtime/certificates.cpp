#include "unit/runtime/certificates.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <fstream>

#include "base/check.hpp"

namespace ekiden::runtime {
namespace {

struct KeyFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct CertificateFree {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using Key = std::unique_ptr<EVP_PKEY, KeyFree>;
using Certificate = std::unique_ptr<X509, CertificateFree>;

Key make_key() { return Key(EVP_EC_gen("P-256")); }

template <class Write>
std::string pem(Write write) {
  BIO* const bio = BIO_new(BIO_s_mem());
  CHECK(write(bio) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

std::string pem(X509* certificate) {
  return pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

std::string pem(EVP_PKEY* key) {
  return pem([&](BIO* bio) { return PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

void add_extension(X509* certificate, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  CHECK(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate make_certificate(EVP_PKEY* key, const std::string& name, long from_s, long to_s, long number) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), number);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from_s);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), to_s);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return certificate;
}

}  // namespace

struct TestAuthority::Parts {
  Key key = make_key();
  Certificate certificate = make_certificate(key.get(), "Ekiden test authority", -7200, 7200, 1);
  long issued = 1;
};

TestAuthority::TestAuthority() : parts_(std::make_unique<Parts>()) {
  X509* const own = parts_->certificate.get();
  X509_set_issuer_name(own, X509_get_subject_name(own));
  add_extension(own, NID_basic_constraints, "critical,CA:TRUE");
  CHECK(X509_sign(own, parts_->key.get(), EVP_sha256()) > 0);
  own_ = {pem(own), pem(parts_->key.get())};
}

TestAuthority::~TestAuthority() = default;

Pem TestAuthority::issue(const Issue& issue) {
  const Key key = make_key();
  const Certificate made =
      make_certificate(key.get(), "a node", issue.valid_from_s, issue.valid_to_s, ++parts_->issued);
  X509_set_issuer_name(made.get(), X509_get_subject_name(parts_->certificate.get()));
  std::string names;
  for (const std::string& name : issue.names) names += (names.empty() ? "DNS:" : ",DNS:") + name;
  for (const std::string& address : issue.addresses) names += (names.empty() ? "IP:" : ",IP:") + address;
  add_extension(made.get(), NID_subject_alt_name, names);
  CHECK(X509_sign(made.get(), parts_->key.get(), EVP_sha256()) > 0);
  return {pem(made.get()), pem(key.get())};
}

std::string with_passphrase(const std::string& text) {
  BIO* const in = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
  const Key key(PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr));
  BIO_free(in);
  return pem([&](BIO* bio) {
    return PEM_write_bio_PKCS8PrivateKey(bio, key.get(), EVP_aes_128_cbc(), "open sesame", 11, nullptr, nullptr);
  });
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  // Another file and not another content: as those do who renew certificates.
  const std::filesystem::path fresh = path.string() + ".new";
  std::ofstream(fresh) << text;
  ::chmod(fresh.c_str(), 0600);
  std::filesystem::rename(fresh, path);
}

}  // namespace ekiden::runtime
