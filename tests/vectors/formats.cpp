#include "formats.hpp"

namespace ekiden::vectors {
namespace {

bool is_anything(const VectorFile&) { return true; }

void explain(const VectorFile& file, Report& report) {
  if (file.claims_json && file.json.is_discarded()) {
    report.record("file", fail(Errc::malformed, "its name says JSON, but it is not: is it cut off?"));
  } else if (file.json.is_discarded()) {
    report.skip("not a vector file");
  } else {
    report.skip("not a format that concerns Ekiden");
  }
}

}  // namespace

const Format kForeign{is_anything, explain};

std::span<const Format* const> formats() {
  static constexpr const Format* kAll[] = {&kWycheproof,     &kHkdfRfc,      &kNoise,    &kCborAppendix, &kCborWg,
                                           &kCborMalformed,  &kCoseWg,       &kGluecose, &kAddresses,    &kUtf8,
                                           &kWebSocketCases, &kHttpRequests, &kForeign};
  return kAll;
}

}  // namespace ekiden::vectors
