// COSE_Sign1 and what Ekiden signs with it. The first byte chooses: bytes as a COSE_Sign1, against a model that walks
// the value tree; or a proper signed record that the rest changes, of which nothing but the original may verify.
#include "wire/cose.hpp"

#include <cstddef>
#include <cstdint>

#include "base/check.hpp"
#include "identity/cose_sign.hpp"
#include "identity/peer_record.hpp"
#include "wire/message.hpp"
#include "wire/value.hpp"

namespace {

using namespace ekiden;
using wire::Sign1Profile;

constexpr WallTime kNow{milliseconds(1'800'000'000'000)};

/// The four parts of something tagged as a COSE_Sign1; none if it is anything else.
wire::Array sign1_parts(ByteView bytes) {
  const auto value = wire::decode_value(bytes);
  if (!value) return {};
  const auto* tagged = std::get_if<wire::Tagged>(&value->of);
  if (tagged == nullptr || tagged->tag != 18) return {};
  const auto* parts = std::get_if<wire::Array>(&tagged->content.front().of);
  return parts != nullptr && parts->size() == 4 ? *parts : wire::Array();
}

/// A header that the lenient profile accepts: says whether it names the algorithm, which is then EdDSA.
struct Header {
  bool acceptable = false;
  bool has_algorithm = false;
};

Header judge_header(const wire::Value& value) {
  const auto* map = std::get_if<wire::Map>(&value.of);
  if (map == nullptr) return {};
  Header header{.acceptable = true};
  for (const auto& [label, content] : *map) {
    const auto* number = std::get_if<std::uint64_t>(&label.of);
    if (number != nullptr && *number == 2) header.acceptable = false;
    if (number == nullptr || *number != 1) continue;
    const auto* algorithm = std::get_if<wire::Negative>(&content.of);
    if (algorithm == nullptr || algorithm->n != 7) header.acceptable = false;
    header.has_algorithm = true;
  }
  return header;
}

bool has_labels_over_64_bits(const wire::Value& value) {
  const auto* map = std::get_if<wire::Map>(&value.of);
  if (map == nullptr) return false;
  for (const auto& [label, content] : *map) {
    const auto* positive = std::get_if<std::uint64_t>(&label.of);
    const auto* negative = std::get_if<wire::Negative>(&label.of);
    if (positive != nullptr && *positive > INT64_MAX) return true;
    if (negative != nullptr && negative->n > INT64_MAX) return true;
  }
  return false;
}

/// What parse_sign1 has to say, from the value tree.
bool is_sign1(ByteView bytes, Sign1Profile profile) {
  const wire::Array parts = sign1_parts(bytes);
  if (parts.empty()) return false;
  const auto* protected_bytes = std::get_if<Bytes>(&parts[0].of);
  const auto* payload = std::get_if<Bytes>(&parts[2].of);
  const auto* signature = std::get_if<Bytes>(&parts[3].of);
  if (protected_bytes == nullptr || payload == nullptr || signature == nullptr || signature->size() != 64) return false;
  if (profile == Sign1Profile::strict) {
    const auto* unprotected = std::get_if<wire::Map>(&parts[1].of);
    return *protected_bytes == Bytes{0xa1, 0x01, 0x27} && unprotected != nullptr && unprotected->empty();
  }
  const auto header = wire::decode_value(*protected_bytes);
  if (!header || has_labels_over_64_bits(*header) || has_labels_over_64_bits(parts[1])) return false;
  const Header inside = judge_header(*header);
  const Header outside = judge_header(parts[1]);
  return inside.acceptable && inside.has_algorithm && outside.acceptable && !outside.has_algorithm;
}

void check_parser(ByteView bytes) {
  const auto strict = wire::parse_sign1(bytes, Sign1Profile::strict);
  const auto lenient = wire::parse_sign1(bytes, Sign1Profile::lenient);
  CHECK(strict.has_value() == is_sign1(bytes, Sign1Profile::strict));
  CHECK(lenient.has_value() == is_sign1(bytes, Sign1Profile::lenient));
  CHECK(!strict || lenient);
  if (strict) CHECK(wire::build_sign1(strict->payload, strict->signature) == to_bytes(bytes));
}

/// The payload of a record, without the signature that the fuzzer cannot make.
void check_payload(ByteView bytes) {
  const auto record = wire::decode<identity::PeerRecord>(bytes);
  if (!record) return;
  CHECK(record->endpoints.size() <= identity::kMaxRecordEndpoints);
  CHECK(record->known_endpoints().size() <= record->endpoints.size());
  CHECK(record->expires_at() <= record->issued_at + identity::kMaxRecordTtl);
  const Bytes again = wire::encode(*record);
  CHECK(wire::decode<identity::PeerRecord>(again) == *record);
}

const Bytes& signed_record() {
  static const Bytes kRecord = [] {
    const identity::Identity self(crypto::Ed25519Seed(ByteArray<32>{1}));
    identity::PeerRecord record;
    record.public_key = self.public_key();
    record.sequence = 7;
    record.issued_at = kNow;
    record.ttl_seconds = 3600;
    record.endpoints = {"tcp://192.0.2.1:7420"};
    return *identity::sign_record(self, record);
  }();
  return kRecord;
}

/// Pairs of bytes say where, and by what, the record changes; an odd one at the end cuts it.
void check_changed(ByteView script) {
  Bytes bytes = signed_record();
  for (std::size_t i = 0; i + 1 < script.size(); i += 2) bytes[script[i] * bytes.size() / 256] ^= script[i + 1];
  if (script.size() % 2 == 1) bytes.resize(bytes.size() * script.back() / 255);
  CHECK(identity::verify_record(bytes, kNow).has_value() == (bytes == signed_record()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  if (bytes.empty()) return 0;
  const ByteView rest = bytes.subspan(1);
  if (bytes[0] % 2 == 1) {
    check_changed(rest);
  } else {
    check_parser(rest);
    check_payload(rest);
  }
  return 0;
}
