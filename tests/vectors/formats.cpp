#include "formats.hpp"

namespace ekiden::vectors {
namespace {

bool is_anything(const VectorFile&) { return true; }

bool contains(const VectorFile& file, const char* text) { return file.text.find(text) != std::string::npos; }

void explain(const VectorFile& file, Report& report) {
  if (file.claims_json && file.json.is_discarded()) {
    report.record("file", fail(Errc::malformed, "its name says JSON, but it is not: is it cut off?"));
  } else if (contains(file, "<!-- meta={\"type\":")) {
    report.skip("HTTP requests: framing is checked where the local API is");
  } else if (is_array_with(file.json, "expectation")) {
    report.skip("descriptions of WebSocket cases, without data");
  } else if (file.json.is_discarded()) {
    report.skip("not a vector file");
  } else {
    report.skip("not a format that concerns Ekiden");
  }
}

}  // namespace

const Format kForeign{is_anything, explain};

std::span<const Format* const> formats() {
  static constexpr const Format* kAll[] = {&kWycheproof, &kHkdfRfc,       &kNoise,  &kCborAppendix,
                                           &kCborWg,     &kCborMalformed, &kCoseWg, &kGluecose,
                                           &kAddresses,  &kUtf8,          &kForeign};
  return kAll;
}

}  // namespace ekiden::vectors
