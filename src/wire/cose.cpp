#include "wire/cose.hpp"

#include <string>

#include "base/check.hpp"
#include "wire/cbor.hpp"

namespace ekiden::wire {
namespace {

constexpr std::uint64_t kTagSign1 = 18;
constexpr std::int64_t kLabelAlgorithm = 1;
constexpr std::int64_t kLabelCritical = 2;
constexpr std::int64_t kAlgorithmEdDsa = -8;
constexpr ByteArray<3> kProtectedHeader = {0xa1, 0x01, 0x27};

/// True if the next item is an integer, which most header labels are.
Result<bool> next_is_integer(const Decoder& in) {
  EKIDEN_ASSIGN(const Kind kind, in.peek());
  return kind == Kind::unsigned_integer || kind == Kind::negative_integer;
}

/// Reads the value of the algorithm label.
Status check_algorithm(Decoder& in) {
  EKIDEN_ASSIGN(const bool is_integer, next_is_integer(in));
  if (!is_integer) return fail(Errc::unsupported, "the signature algorithm is not EdDSA");
  EKIDEN_ASSIGN(const std::int64_t algorithm, in.integer());
  if (algorithm != kAlgorithmEdDsa) {
    return fail(Errc::unsupported,
                "signature algorithm " + std::to_string(algorithm) + "; only EdDSA (-8) is accepted");
  }
  return {};
}

/// Walks a header map. Returns whether it names the algorithm, which must then be EdDSA.
Result<bool> check_header(Decoder& in) {
  bool has_algorithm = false;
  EKIDEN_ASSIGN(const std::size_t pairs, in.map());
  for (std::size_t i = 0; i < pairs; ++i) {
    EKIDEN_ASSIGN(const bool is_integer, next_is_integer(in));
    if (!is_integer) {
      EKIDEN_TRY(in.skip());
      EKIDEN_TRY(in.skip());
      continue;
    }
    EKIDEN_ASSIGN(const std::int64_t label, in.integer());
    if (label == kLabelCritical)
      return fail(Errc::unsupported, "it has critical headers that this build does not know");
    if (label != kLabelAlgorithm) {
      EKIDEN_TRY(in.skip());
      continue;
    }
    EKIDEN_TRY(check_algorithm(in));
    has_algorithm = true;
  }
  return has_algorithm;
}

Status check_protected_header(ByteView bytes, Sign1Profile profile) {
  if (as_text(bytes) == as_text(kProtectedHeader)) return {};
  Decoder in(bytes);
  EKIDEN_ASSIGN(const bool has_algorithm, check_header(in));
  EKIDEN_TRY(in.finish());
  if (!has_algorithm) return fail(Errc::unsupported, "no algorithm in the protected header; only EdDSA is accepted");
  if (profile == Sign1Profile::strict) return fail(Errc::malformed, "the protected header is not exactly {1: -8}");
  return {};
}

/// RFC 9052 section 3: a label occurs in one of the two headers only; the algorithm belongs into the protected one.
Status check_unprotected_header(Decoder& in, Sign1Profile profile) {
  if (profile == Sign1Profile::strict) {
    EKIDEN_ASSIGN(const std::size_t pairs, in.map());
    return pairs == 0 ? Status() : fail(Errc::malformed, "the unprotected header is not empty");
  }
  EKIDEN_ASSIGN(const bool has_algorithm, check_header(in));
  return has_algorithm ? fail(Errc::malformed, "the algorithm is named outside the protected header") : Status();
}

Result<Sign1View> parse(ByteView bytes, Sign1Profile profile) {
  Decoder in(bytes);
  EKIDEN_ASSIGN(const std::uint64_t tag, in.tag());
  if (tag != kTagSign1) return fail(Errc::malformed, "the tag is " + std::to_string(tag) + ", not 18");
  EKIDEN_ASSIGN(const std::size_t parts, in.array());
  if (parts != 4) return fail(Errc::malformed, std::to_string(parts) + " parts, expected 4");
  Sign1View view;
  EKIDEN_ASSIGN(view.protected_header, in.bytes());
  EKIDEN_TRY(check_protected_header(view.protected_header, profile));
  EKIDEN_TRY(check_unprotected_header(in, profile));
  if (in.next_is_null()) return fail(Errc::unsupported, "the payload is detached");
  EKIDEN_ASSIGN(view.payload, in.bytes());
  EKIDEN_ASSIGN(view.signature, in.bytes());
  EKIDEN_TRY(in.finish());
  if (view.signature.size() != kSign1SignatureSize) {
    return fail(Errc::malformed, "the signature has " + std::to_string(view.signature.size()) + " bytes, expected 64");
  }
  return view;
}

}  // namespace

Result<Sign1View> parse_sign1(ByteView bytes, Sign1Profile profile) {
  auto view = parse(bytes, profile);
  if (!view) return fail("COSE_Sign1", std::move(view).error());
  return view;
}

ByteView eddsa_protected_header() { return kProtectedHeader; }

Bytes sig_structure(ByteView protected_header, ByteView external_aad, ByteView payload) {
  Bytes out;
  out.reserve(32 + protected_header.size() + external_aad.size() + payload.size());
  Encoder encoder(out);
  encoder.array(4);
  encoder.text("Signature1");
  encoder.bytes(protected_header);
  encoder.bytes(external_aad);
  encoder.bytes(payload);
  return out;
}

Bytes build_sign1(ByteView payload, ByteView signature) {
  CHECK(signature.size() == kSign1SignatureSize);
  Bytes out;
  out.reserve(payload.size() + signature.size() + 16);
  Encoder encoder(out);
  encoder.tag(kTagSign1);
  encoder.array(4);
  encoder.bytes(kProtectedHeader);
  encoder.map(0);
  encoder.bytes(payload);
  encoder.bytes(signature);
  return out;
}

}  // namespace ekiden::wire
