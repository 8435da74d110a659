#include "cli/text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "base/encoding.hpp"

namespace ekiden::cli {
namespace {

TEST(ParseDuration, AddsUnitsUp) {
  EXPECT_EQ(*parse_duration("90s"), seconds(90));
  EXPECT_EQ(*parse_duration("250ms"), milliseconds(250));
  EXPECT_EQ(*parse_duration("7d"), days(7));
  EXPECT_EQ(*parse_duration("2w"), days(14));
  EXPECT_EQ(*parse_duration("1h30m"), minutes(90));
  EXPECT_EQ(*parse_duration("0s"), seconds(0));
  EXPECT_EQ(*parse_duration("3650d"), days(3650));
}

TEST(ParseDuration, RefusesEverythingElse) {
  for (const auto* text : {"", "7", "d", "-1s", "+1s", "1.5h", "1 h", " 1h", "1h ", "1y", "1D", "3651d", "99999999999s",
                           "9999999999w", "3650d1ms", "1h1"}) {
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_EQ(duration.error().code, Errc::invalid_argument) << text;
  }
}

TEST(HumanText, IsShort) {
  EXPECT_EQ(human_duration(microseconds(249)), "0.2 ms");
  EXPECT_EQ(human_duration(microseconds(9'999)), "9.9 ms");
  EXPECT_EQ(human_duration(milliseconds(10)), "10 ms");
  EXPECT_EQ(human_duration(milliseconds(999)), "999 ms");
  EXPECT_EQ(human_duration(milliseconds(1'000)), "1.000 s");
  EXPECT_EQ(human_duration(milliseconds(9'999)), "9.999 s");
  EXPECT_EQ(human_duration(seconds(59)), "59 s");
  EXPECT_EQ(human_duration(seconds(245)), "4 min 5 s");
  EXPECT_EQ(human_duration(hours(3)), "3 h");
  EXPECT_EQ(human_duration(hours(52)), "2 d 4 h");
  EXPECT_EQ(human_duration(microseconds(99)), "99 us");
  EXPECT_EQ(human_duration(seconds(-1)), "0 us");
  EXPECT_EQ(counted(1, "message"), "1 message");
  EXPECT_EQ(counted(0, "message"), "0 messages");
  EXPECT_EQ(counted(1'234'567, "byte"), "1,234,567 bytes");
  EXPECT_EQ(human_size(1023), "1,023 bytes");
  EXPECT_EQ(human_size(1536), "1.5 KiB");
  EXPECT_EQ(human_size(std::uint64_t{5} << 40), "5.0 TiB");
}

TEST(SafeText, LeavesOrdinaryTextAlone) {
  const std::string text = "Grüße, 駅伝 🦉 \\ \"quoted\" | ~";
  EXPECT_EQ(safe_text(text, /*keep_lines=*/false), text);
  EXPECT_EQ(safe_text("a\n\tb", /*keep_lines=*/true), "a\n\tb");
}

TEST(SafeText, EscapesWhatControlsATerminal) {
  EXPECT_EQ(safe_text("\x1b[2J\x1b]0;title\x07", false), "\\x1b[2J\\x1b]0;title\\x07");
  EXPECT_EQ(safe_text("a\rb\bc\x7f", true), "a\\x0db\\x08c\\x7f");
  EXPECT_EQ(safe_text("a\nb\tc", false), "a\\x0ab\\x09c");
  EXPECT_EQ(safe_text("\xc2\x9b"
                      "31m",
                      true),
            "\\u{9b}31m");
  EXPECT_EQ(safe_text(std::string_view("a\0b", 3), true), "a\\x00b");
}

TEST(SafeText, EscapesWhatDeceivesAReader) {
  EXPECT_EQ(safe_text("user\u202egnp.exe", false), "user\\u{202e}gnp.exe");
  EXPECT_EQ(safe_text("b\u200bob\ufeff", false), "b\\u{200b}ob\\u{feff}");
  EXPECT_EQ(safe_text("\u2066x\u2069\u2028", true), "\\u{2066}x\\u{2069}\\u{2028}");
  EXPECT_EQ(safe_text("\U000e0041", false), "\\u{e0041}");
}

TEST(SafeText, EscapesBytesThatAreNotUtf8) {
  EXPECT_EQ(safe_text("a\xff\xc3(\xe2\x82", false), "a\\xff\\xc3(\\xe2\\x82");
  EXPECT_EQ(safe_text("\xc0\x9b\xed\xa0\x80", false), "\\xc0\\x9b\\xed\\xa0\\x80");
}

RC_GTEST_PROP(SafeText, NeverLetsAControlCharacterThrough, (const std::string& text)) {
  const auto safe = safe_text(text, /*keep_lines=*/false);
  RC_ASSERT(is_utf8(as_bytes(safe)));
  RC_ASSERT(std::ranges::none_of(safe, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }));
}

TEST(Text, AReasonDoesNotRepeatTheNameBesideIt) {
  EXPECT_EQ(reason_at("tcp://a:1", "tcp://a:1: connecting: tcp://a:1: refused"), "connecting: refused");
  EXPECT_EQ(reason_at("tcp://a:1", "tcp://a:11: refused"), "tcp://a:11: refused");
  EXPECT_EQ(reason_at("tcp://a:1", ""), "");
}

}  // namespace
}  // namespace ekiden::cli
