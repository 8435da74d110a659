#include "runtime/utc_text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace ekiden::runtime {
namespace {

TEST(UtcText, IsRfc3339) {
  EXPECT_EQ(utc_text(from_unix_ms(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(utc_text(from_unix_ms(1'709'210'096'007)), "2024-02-29T12:34:56.007Z");
  EXPECT_EQ(utc_text(from_unix_ms(kMaxUnixMs)), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(utc_text(WallTime(milliseconds(-1))), "1970-01-01T00:00:00Z");
}

TEST(UtcText, ReadsNothingElse) {
  for (const char* text :
       {"", "2024-02-29", "2024-02-29T12:34:56", "2024-02-29 12:34:56Z", "2023-02-29T12:34:56Z", "2024-13-01T00:00:00Z",
        "2024-02-29T24:00:00Z", "2024-02-29T12:60:00Z", "2024-02-29T12:34:60Z", "1969-12-31T23:59:59Z",
        "2024-02-29T12:34:56.07Z", "2024-02-29T12:34:56+00", "+024-02-29T12:34:56Z", "2024-02-29T12:34:56.0070Z"}) {
    EXPECT_FALSE(parse_utc(text)) << text;
  }
}

RC_GTEST_PROP(UtcText, GoesRound, ()) {
  const auto time = from_unix_ms(*rc::gen::inRange<std::uint64_t>(0, kMaxUnixMs + 1));
  const auto read = parse_utc(utc_text(time));
  RC_ASSERT(read.has_value());
  RC_ASSERT(*read == time);
}

}  // namespace
}  // namespace ekiden::runtime
