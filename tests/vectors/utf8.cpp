// Byte sequences with a verdict: [{"group": ..., "valid": true, "hex": ...}].
#include "base/encoding.hpp"
#include "formats.hpp"

namespace ekiden::vectors {
namespace {

bool is_utf8_list(const VectorFile& file) {
  return is_array_with(file.json, "valid") && is_array_with(file.json, "hex") && is_array_with(file.json, "group");
}

void run_utf8_list(const VectorFile& file, Report& report) {
  for (const auto& test : file.json) {
    report.run(text_or_empty(test, "group") + ", " + text_or_empty(test, "hex"), [&] {
      const bool valid = test.at("valid").get<bool>();
      return expect(is_utf8(hex_at(test, "hex")) == valid, valid ? "refused" : "accepted");
    });
  }
}

}  // namespace

const Format kUtf8{is_utf8_list, run_utf8_list};

}  // namespace ekiden::vectors
