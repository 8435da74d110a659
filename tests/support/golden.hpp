// Golden files: the bytes of a message, committed, so that a change of the wire format cannot slip in unseen.
//
//   TEST(Receipt, HasItsGoldenBytes) { test::check_golden(sample_receipt()); }
//
// compares encode(sample) with tests/golden/<kName>.hex and decodes the file back. The file holds hexadecimal digits,
// broken at will; lines that start with '#' show the value to readers and count for nothing. When a format changes on
// purpose, EKIDEN_REGENERATE_GOLDEN=1 in the environment writes the files again, and the difference is reviewed.
//
// The folder is found from the root of the project, where ctest starts the unit tests.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <concepts>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/encoding.hpp"
#include "wire/message.hpp"
#include "wire/value.hpp"

namespace ekiden::test {

inline std::filesystem::path golden_path(std::string_view name) {
  return std::filesystem::path("tests/golden") / (std::string(name) + ".hex");
}

inline void write_golden(std::string_view name, ByteView bytes) {
  constexpr std::size_t kBytesPerLine = 32;
  std::ofstream file(golden_path(name));
  const auto value = wire::decode_value(bytes);
  if (value) file << "# " << wire::to_diagnostic(*value) << "\n";
  for (std::size_t i = 0; i < bytes.size(); i += kBytesPerLine) {
    file << to_hex(bytes.subspan(i, std::min(kBytesPerLine, bytes.size() - i))) << "\n";
  }
}

/// The bytes of a golden file; a failure of the test if it is missing or not hexadecimal.
inline Bytes read_golden(std::string_view name) {
  std::ifstream file(golden_path(name));
  if (!file) {
    ADD_FAILURE() << golden_path(name)
                  << " is missing here; start tests in the root of the project; EKIDEN_REGENERATE_GOLDEN=1 writes it";
    return {};
  }
  std::string digits;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with('#')) digits += line;
  }
  auto bytes = from_hex(digits);
  if (!bytes) ADD_FAILURE() << golden_path(name) << ": " << bytes.error().message;
  return bytes.value_or(Bytes());
}

/// For bytes that are not a described message: signed objects, frames.
inline void check_golden_bytes(std::string_view name, ByteView bytes) {
  if (const char* regenerate = std::getenv("EKIDEN_REGENERATE_GOLDEN"); regenerate != nullptr && *regenerate == '1') {
    write_golden(name, bytes);
  }
  EXPECT_EQ(to_hex(bytes), to_hex(read_golden(name))) << "the encoding of " << name << " is not the committed one";
}

template <wire::Described T>
void check_golden(const T& sample) {
  const Bytes bytes = wire::encode(sample);
  ASSERT_TRUE(wire::validate(bytes)) << wire::validate(bytes).error().message;
  check_golden_bytes(T::kName, bytes);
  const Bytes golden = read_golden(T::kName);  // Outlives the decoded message, which may borrow from it.
  const auto decoded = wire::decode<T>(golden);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(to_hex(wire::encode(*decoded)), to_hex(bytes));
  if constexpr (std::equality_comparable<T>) {
    EXPECT_TRUE(*decoded == sample);
  }
}

}  // namespace ekiden::test
