// CBOR vectors: RFC 8949 appendix A ("roundtrip", "decoded" or "diagnostic"), appendix F (bytes that are not
// well-formed) and cbor-wg/cbor-test-vectors ("encoded_hex", "decoded_cbor_hex", "fail").
//
// What is well-formed and valid but not deterministic must be refused like what is malformed. What is accepted must
// have the value that the file names and must come back as the same bytes.
#include "wire/cbor.hpp"

#include <algorithm>
#include <bit>

#include "base/encoding.hpp"
#include "formats.hpp"
#include "support/cbor_reference.hpp"
#include "wire/value.hpp"

namespace ekiden::vectors {
namespace {

/// Accepts or refuses as expected; what is accepted comes back as the same bytes.
Status judge_bytes(const Bytes& bytes, bool expected) {
  const auto value = wire::decode_value(bytes);
  const auto valid = wire::validate(bytes);
  EKIDEN_TRY(expect(value.has_value() == valid.has_value(), "validate() and decode_value() do not agree"));
  if (!value) return expect(!expected, "refused: " + value.error().message);
  EKIDEN_TRY(expect(expected, "accepted, and should have been refused"));
  return expect(wire::encode_value(*value) == bytes, "comes back as other bytes");
}

/// A big number (RFC 8949 section 3.4.3) as a JSON parser leaves it: as a double.
double big_number(ByteView magnitude, bool negative) {
  double value = 0;
  for (const Byte byte : magnitude) value = value * 256 + byte;
  return negative ? -1 - value : value;
}

bool equals(const wire::Value& value, const Json& json);

bool equals_map(const wire::Map& map, const Json& json) {
  if (!json.is_object() || json.size() != map.size()) return false;
  for (const auto& [key, value] : map) {
    const auto* const name = std::get_if<std::string>(&key.of);
    if (name == nullptr || !json.contains(*name) || !equals(value, json[*name])) return false;
  }
  return true;
}

bool equals_array(const wire::Array& array, const Json& json) {
  if (!json.is_array() || json.size() != array.size()) return false;
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (!equals(array[i], json[i])) return false;
  }
  return true;
}

struct EqualsJson {
  const Json& json;

  bool operator()(std::uint64_t number) const { return json.is_number_unsigned() && json == number; }
  bool operator()(const wire::Negative& number) const {
    if (json.is_number_float()) return json.get<double>() == -1 - static_cast<double>(number.n);
    return json.is_number_integer() && json.get<std::int64_t>() == -1 - static_cast<std::int64_t>(number.n);
  }
  bool operator()(const Bytes&) const { return false; }
  bool operator()(const std::string& text) const { return json.is_string() && json == text; }
  bool operator()(const wire::Array& array) const { return equals_array(array, json); }
  bool operator()(const wire::Map& map) const { return equals_map(map, json); }
  bool operator()(const wire::Tagged& tagged) const {
    const auto* const magnitude = std::get_if<Bytes>(&tagged.content.front().of);
    return magnitude != nullptr && (tagged.tag == 2 || tagged.tag == 3) && json.is_number() &&
           json.get<double>() == big_number(*magnitude, tagged.tag == 3);
  }
  bool operator()(const wire::Simple& simple) const {
    if (json.is_boolean()) return simple.value == (json.get<bool>() ? 21 : 20);
    return json.is_null() && simple.value == 22;
  }
  bool operator()(const wire::Floating& floating) const {
    return json.is_number() && std::bit_cast<std::uint64_t>(json.get<double>()) == floating.bits;
  }
};

bool equals(const wire::Value& value, const Json& json) { return std::visit(EqualsJson{json}, value.of); }

/// Our diagnostic notation shows floats as bits, so that it cannot be compared where there is one.
bool has_float(const wire::Value& value) {
  if (const auto* const tagged = std::get_if<wire::Tagged>(&value.of)) return has_float(tagged->content.front());
  if (const auto* const array = std::get_if<wire::Array>(&value.of)) return std::ranges::any_of(*array, has_float);
  return std::holds_alternative<wire::Floating>(value.of);
}

/// simple(24), in the appendix of RFC 7049. RFC 8949 section 3.3 made it malformed and put it into its appendix F.
constexpr const char* kWithdrawn = "f818";

Status judge_appendix_a(const Json& test) {
  const auto bytes = hex_at(test, "hex");
  const bool expected = test::CborReference::accepts(bytes);
  const bool stated = test.at("roundtrip").get<bool>() && text_or_empty(test, "hex") != kWithdrawn;
  EKIDEN_TRY(expect(expected == stated, "the reference model and the file do not agree"));
  EKIDEN_TRY(judge_bytes(bytes, expected));
  if (!expected) return {};
  const auto value = wire::decode_value(bytes);
  if (test.contains("decoded")) return expect(equals(*value, test["decoded"]), "another value");
  const auto diagnostic = text_or_empty(test, "diagnostic");
  return expect(has_float(*value) || wire::to_diagnostic(*value) == diagnostic,
                "shown as " + wire::to_diagnostic(*value) + " and not as " + diagnostic);
}

bool is_appendix_a(const VectorFile& file) {
  return is_array_with(file.json, "hex") && is_array_with(file.json, "roundtrip");
}

void run_appendix_a(const VectorFile& file, Report& report) {
  for (const auto& test : file.json) {
    report.run(text_or_empty(test, "hex"), [&] { return judge_appendix_a(test); });
  }
}

Status judge_cbor_wg(const Json& test) {
  const auto bytes = hex_at(test, "encoded_hex");
  const bool must_fail = test.at("fail").get<bool>();
  const bool expected = !must_fail && test::CborReference::accepts(bytes);
  EKIDEN_TRY(judge_bytes(bytes, expected));
  // The file gives the same value in the preferred encoding: for what we accept it is the encoding.
  return expect(!expected || hex_at(test, "decoded_cbor_hex") == bytes, "accepted, and not in its preferred encoding");
}

bool is_cbor_wg(const VectorFile& file) {
  return is_array_with(file.json, "encoded_hex") && is_array_with(file.json, "fail");
}

void run_cbor_wg(const VectorFile& file, Report& report) {
  for (const auto& test : file.json) {
    report.run(text_or_empty(test, "file") + ", " + text_or_empty(test, "description"),
               [&] { return judge_cbor_wg(test); });
  }
}

bool is_malformed_list(const VectorFile& file) {
  return file.json.is_object() && file.json.contains("not_well_formed");
}

void run_malformed_list(const VectorFile& file, Report& report) {
  for (const auto& [group, tests] : file.json.at("not_well_formed").items()) {
    for (const auto& test : tests) {
      const auto text = test.get<std::string>();
      report.run(group + ", " + text, [&] { return judge_bytes(hex_bytes(text), false); });
    }
  }
}

}  // namespace

const Format kCborAppendix{is_appendix_a, run_appendix_a};
const Format kCborWg{is_cbor_wg, run_cbor_wg};
const Format kCborMalformed{is_malformed_list, run_malformed_list};

}  // namespace ekiden::vectors
