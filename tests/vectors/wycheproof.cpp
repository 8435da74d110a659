// Project Wycheproof (C2SP/wycheproof, testvectors and testvectors_v1).
//
// Where its files say "acceptable" or leave a choice, Ekiden is strict: an all-zero X25519 secret is refused and other
// unusual points are computed; AES-GCM has 256-bit keys, 96-bit nonces and 128-bit tags; Ed25519 signatures that are
// merely acceptable are refused. Truncated HMACs are compared with the start of ours.
#include <algorithm>
#include <string>

#include "crypto/aead.hpp"
#include "crypto/ed25519.hpp"
#include "crypto/hash.hpp"
#include "crypto/x25519.hpp"
#include "formats.hpp"

namespace ekiden::vectors {
namespace {

enum class Verdict { valid, invalid, acceptable };

Verdict verdict_of(const Json& test) {
  const auto text = test.at("result").get<std::string>();
  if (text == "valid") return Verdict::valid;
  if (text == "invalid") return Verdict::invalid;
  if (text == "acceptable") return Verdict::acceptable;
  throw std::runtime_error("unknown result '" + text + "'");
}

Status accepted_as(Verdict verdict, bool accepted) {
  return accepted ? expect(verdict == Verdict::valid, "accepted, and should not have been")
                  : expect(verdict != Verdict::valid, "refused, and should have been accepted");
}

Status judge_x25519(const Json&, const Json& test) {
  const auto mine = hex_at(test, "private");
  const auto theirs = hex_at(test, "public");
  const auto expected = hex_at(test, "shared");
  const bool zero = std::ranges::all_of(expected, [](Byte byte) { return byte == 0; });
  if (mine.size() != 32 || theirs.size() != 32) return accepted_as(verdict_of(test), false);
  const auto shared =
      crypto::x25519(crypto::X25519SecretKey(ByteView(mine)), crypto::X25519PublicKey{take_array<32>(theirs)});
  if (!shared) return expect(zero || verdict_of(test) == Verdict::invalid, "refused, and its secret is not zero");
  EKIDEN_TRY(expect(!zero && verdict_of(test) != Verdict::invalid, "computed, and should have been refused"));
  return expect(crypto::equal_in_constant_time(shared->view(), expected), "another shared secret");
}

Bytes ed25519_key(const Json& group) {
  // The older generation of these files calls the same object "key".
  return hex_at(group.at(group.contains("publicKey") ? "publicKey" : "key"), "pk");
}

Status judge_ed25519(const Json& group, const Json& test) {
  const auto key_bytes = ed25519_key(group);
  const auto signature = hex_at(test, "sig");
  if (key_bytes.size() != 32 || signature.size() != 64) return accepted_as(verdict_of(test), false);
  const crypto::Ed25519PublicKey key{take_array<32>(key_bytes)};
  const bool verifies = crypto::is_acceptable(key) &&
                        crypto::verify(key, hex_at(test, "msg"), crypto::Signature{take_array<64>(signature)});
  return accepted_as(verdict_of(test), verifies);
}

Status judge_aes_gcm(const Json&, const Json& test) {
  const crypto::AeadKey key(array_at<32>(test, "key"));
  const auto nonce = array_at<12>(test, "iv");
  const auto associated = hex_at(test, "aad");
  const auto message = hex_at(test, "msg");
  auto expected = hex_at(test, "ct");
  append(expected, hex_at(test, "tag"));
  const auto opened = crypto::open(key, nonce, associated, expected);
  EKIDEN_TRY(accepted_as(verdict_of(test), opened.has_value()));
  if (!opened) return {};
  Bytes sealed;
  crypto::seal(key, nonce, associated, message, sealed);
  EKIDEN_TRY(expect(*opened == message, "opened to something else"));
  return expect(sealed == expected, "sealed to something else");
}

Status judge_hkdf(const Json&, const Json& test) {
  Bytes output(test.at("size").get<std::size_t>());
  const auto key = crypto::hkdf_extract(hex_at(test, "salt"), hex_at(test, "ikm"));
  const auto status = crypto::hkdf_expand(key.view(), hex_at(test, "info"), output);
  EKIDEN_TRY(accepted_as(verdict_of(test), status.has_value()));
  return expect(!status || output == hex_at(test, "okm"), "another output");
}

Status judge_hmac(const Json& group, const Json& test) {
  const auto key = hex_at(test, "key");
  const auto message = hex_at(test, "msg");
  const auto tag = hex_at(test, "tag");
  const auto code = crypto::hmac_sha256(key, {message});
  const auto size = group.at("tagSize").get<std::size_t>() / 8;
  const bool verifies = size == code.view().size() ? crypto::hmac_sha256_verify(key, message, tag)
                                                   : crypto::equal_in_constant_time(
                                                         code.view().first(std::min(size, code.view().size())), tag);
  return accepted_as(verdict_of(test), verifies);
}

struct Algorithm {
  const char* algorithm;
  const char* group_type;
  /// Why a group is not about us; null if it is.
  const char* (*foreign)(const Json& group);
  Status (*judge)(const Json& group, const Json& test);
};

bool is_curve(const Json& object, std::initializer_list<const char*> names) {
  const auto curve = text_or_empty(object, "curve");
  return std::ranges::any_of(names, [&](const char* name) { return curve == name; });
}

const char* not_curve25519(const Json& group) {
  return is_curve(group, {"curve25519", "x25519"}) ? nullptr : "another curve than Curve25519";
}

const char* not_edwards25519(const Json& group) {
  const auto& key = group.at(group.contains("publicKey") ? "publicKey" : "key");
  return is_curve(key, {"edwards25519", "ed25519"}) ? nullptr : "another curve than Ed25519";
}

const char* not_our_sizes(const Json& group) {
  const bool ours = group.at("keySize") == 256 && group.at("ivSize") == 96 && group.at("tagSize") == 128;
  return ours ? nullptr : "AES-GCM with another size of key, nonce or tag than 256, 96 and 128 bits";
}

const char* never_foreign(const Json&) { return nullptr; }

constexpr Algorithm kAlgorithms[] = {
    {"XDH", "XdhComp", not_curve25519, judge_x25519},      {"EDDSA", "EddsaVerify", not_edwards25519, judge_ed25519},
    {"AES-GCM", "AeadTest", not_our_sizes, judge_aes_gcm}, {"HKDF-SHA-256", "HkdfTest", never_foreign, judge_hkdf},
    {"HMACSHA256", "MacTest", never_foreign, judge_hmac},
};

const Algorithm* find_algorithm(const std::string& name, const std::string& group_type) {
  const auto* const found = std::ranges::find_if(kAlgorithms, [&](const Algorithm& known) {
    // The X25519 file of the older generation names the curve as its algorithm.
    return (name == known.algorithm || (name == "X25519" && known.judge == judge_x25519)) &&
           group_type == known.group_type;
  });
  return found == std::end(kAlgorithms) ? nullptr : found;
}

void run_group(const std::string& algorithm_name, const Json& group, Report& report) {
  const auto& tests = group.at("tests");
  const auto type = text_or_empty(group, "type");
  const auto* const algorithm = find_algorithm(algorithm_name, type);
  if (algorithm == nullptr) return report.skip("not concerned: " + algorithm_name + ", " + type, tests.size());
  if (const auto* const why = algorithm->foreign(group)) return report.skip(why, tests.size());
  for (const auto& test : tests) {
    const auto name = "case " + (test.contains("tcId") ? test["tcId"].dump() : std::string("without a number"));
    report.run(name, [&] { return algorithm->judge(group, test); });
  }
}

bool is_wycheproof(const VectorFile& file) {
  return file.json.is_object() && file.json.contains("algorithm") && file.json.contains("testGroups");
}

void run_wycheproof(const VectorFile& file, Report& report) {
  for (const auto& group : file.json.at("testGroups")) {
    run_group(text_or_empty(file.json, "algorithm"), group, report);
  }
}

}  // namespace

const Format kWycheproof{is_wycheproof, run_wycheproof};

}  // namespace ekiden::vectors
