// COSE_Sign1 vectors: cose-wg/Examples ("input", "output") and gluecose/test-vectors ("sign1::verify", "sign1::sign").
//
// Ekiden reads EdDSA with Ed25519 only: an object with any other algorithm must be refused for its structure, before
// any key is looked at. An EdDSA object must verify with its headers as they are (the lenient profile), and must not
// verify with a bit of its protected header, payload or signature changed.
#include "wire/cose.hpp"

#include "crypto/ed25519.hpp"
#include "formats.hpp"
#include "identity/cose_sign.hpp"

namespace ekiden::vectors {
namespace {

struct Sign1Case {
  Bytes encoded;
  Bytes external;
  bool verifies = false;  ///< According to the file, by a verifier that knows the algorithm.
  bool is_ed25519 = false;
  Json key;
  std::optional<Bytes> to_be_signed;
  std::optional<Bytes> payload;
};

constexpr auto kLenient = wire::Sign1Profile::lenient;

Bytes base64url(const std::string& text) {
  Bytes bytes;
  unsigned buffer = 0;
  int bits = 0;
  static const std::string kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (const char c : text) {
    const auto digit = kAlphabet.find(c);
    if (digit == std::string::npos) throw std::runtime_error("the key is not base64url");
    buffer = buffer << 6 | static_cast<unsigned>(digit);
    if ((bits += 6) >= 8) bytes.push_back(static_cast<Byte>(buffer >> (bits -= 8)));
  }
  return bytes;
}

/// A half of the key: "x", or "x_hex" where the file has it.
ByteArray<32> half_of(const Json& key, const std::string& name) {
  const auto in_hex = name + "_hex";
  const auto bytes = key.contains(in_hex) ? hex_at(key, in_hex.c_str()) : base64url(key.at(name).get<std::string>());
  if (bytes.size() != 32) throw std::runtime_error("the key is not 32 bytes long");
  return take_array<32>(bytes);
}

bool is_ed25519(const std::string& algorithm, const Json& key) {
  return algorithm == "EdDSA" && text_or_empty(key, "crv") == "Ed25519";
}

/// Where a view into the encoded bytes begins.
std::size_t offset_of(const Bytes& encoded, ByteView part) {
  return static_cast<std::size_t>(part.data() - encoded.data());
}

Status judge_tampering(const Sign1Case& test, const wire::Sign1View& parts, const crypto::Ed25519PublicKey& key) {
  for (const ByteView part : {parts.protected_header, parts.payload, parts.signature}) {
    for (std::size_t i = 0; i < part.size() * 8; ++i) {
      auto changed = test.encoded;
      auto& byte = changed[offset_of(test.encoded, part) + i / 8];
      byte = static_cast<Byte>(byte ^ (1u << i % 8));
      EKIDEN_TRY(expect(!identity::cose_open(changed, key, test.external, kLenient),
                        "verifies with a bit of byte " + std::to_string(i / 8) + " of a signed part changed"));
    }
  }
  return {};
}

/// Ed25519 is deterministic: where the file has the secret half, the signature can be made again.
Status judge_signing(const Sign1Case& test, const wire::Sign1View& parts, ByteView covered) {
  if (!test.key.contains("d") && !test.key.contains("d_hex")) return {};
  const auto pair = crypto::Ed25519KeyPair::from_seed(crypto::Ed25519Seed(half_of(test.key, "d")));
  EKIDEN_TRY(expect(pair.public_key().bytes == half_of(test.key, "x"), "the halves of the key do not fit"));
  return expect(to_bytes(pair.sign(covered).view()) == to_bytes(parts.signature), "signed differently");
}

Status judge(const Sign1Case& test) {
  const auto parts = wire::parse_sign1(test.encoded, kLenient);
  if (!test.is_ed25519) return expect(!parts.has_value(), "accepted, and is not EdDSA with Ed25519");
  const crypto::Ed25519PublicKey key{half_of(test.key, "x")};
  const auto payload = identity::cose_open(test.encoded, key, test.external, kLenient);
  if (!test.verifies) return expect(!payload.has_value(), "verifies, and should not");
  EKIDEN_TRY(expect(payload.has_value(), payload ? "" : payload.error().message));
  EKIDEN_TRY(expect(!test.payload || to_bytes(*payload) == *test.payload, "another payload"));
  const auto covered = wire::sig_structure(parts->protected_header, test.external, parts->payload);
  EKIDEN_TRY(expect(!test.to_be_signed || covered == *test.to_be_signed, "the signature covers other bytes"));
  EKIDEN_TRY(judge_signing(test, *parts, covered));
  return judge_tampering(test, *parts, key);
}

bool is_cose_wg(const VectorFile& file) {
  return file.json.is_object() && file.json.contains("input") && file.json.contains("output") &&
         file.json["output"].is_object() && file.json["output"].contains("cbor");
}

Sign1Case cose_wg_case(const Json& json) {
  const auto& signer = json.at("input").at("sign0");
  Sign1Case test{.encoded = hex_at(json.at("output"), "cbor"),
                 .external = hex_or_empty(signer, "external"),
                 .verifies = !json.value("fail", false),
                 .is_ed25519 = is_ed25519(text_or_empty(signer, "alg"), signer.at("key")),
                 .key = signer.at("key"),
                 .to_be_signed = std::nullopt,
                 .payload = std::nullopt};
  if (test.verifies) {
    test.to_be_signed = hex_at(json.at("intermediates"), "ToBeSign_hex");
    test.payload = to_bytes(as_bytes(json.at("input").at("plaintext").get_ref<const std::string&>()));
  }
  return test;
}

void run_cose_wg(const VectorFile& file, Report& report) {
  if (!file.json["input"].contains("sign0")) return report.skip("COSE other than COSE_Sign1");
  report.run(text_or_empty(file.json, "title"), [&] { return judge(cose_wg_case(file.json)); });
}

bool is_gluecose(const VectorFile& file) {
  return file.json.is_object() && (file.json.contains("sign1::verify") || file.json.contains("sign1::sign"));
}

Sign1Case gluecose_case(const Json& json) {
  const bool signing = json.contains("sign1::sign");
  const auto& test = json.at(signing ? "sign1::sign" : "sign1::verify");
  return {.encoded = hex_at(test.at(signing ? "expectedOutput" : "taggedCOSESign1"), "cborHex"),
          .external = hex_or_empty(test, "external"),
          .verifies = signing || test.at("shouldVerify").get<bool>(),
          .is_ed25519 = is_ed25519(text_or_empty(json, "alg"), json.at("key")),
          .key = json.at("key"),
          .to_be_signed = std::nullopt,
          .payload = std::nullopt};
}

void run_gluecose(const VectorFile& file, Report& report) {
  report.run(text_or_empty(file.json, "title"), [&] { return judge(gluecose_case(file.json)); });
}

}  // namespace

const Format kCoseWg{is_cose_wg, run_cose_wg};
const Format kGluecose{is_gluecose, run_gluecose};

}  // namespace ekiden::vectors
