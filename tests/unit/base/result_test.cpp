#include "base/result.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <set>

namespace ekiden {
namespace {

Result<int> half_of(int number) {
  if (number % 2 != 0) return fail(Errc::invalid_argument, std::to_string(number) + " is odd");
  return number / 2;
}

Result<int> quarter_of(int number, int& steps) {
  EKIDEN_ASSIGN(const int half, half_of(number));
  ++steps;
  EKIDEN_ASSIGN(int quarter, half_of(half));
  ++steps;
  return quarter;
}

Status check_both(int a, int b, int& steps) {
  EKIDEN_TRY(half_of(a));  // Drops the value.
  ++steps;
  if (a != b) EKIDEN_TRY(half_of(b));
  ++steps;
  return {};
}

TEST(Result, CarriesAValueThroughTheMacros) {
  int steps = 0;
  EXPECT_EQ(quarter_of(12, steps), 3);
  EXPECT_EQ(steps, 2);
  EXPECT_TRUE(check_both(2, 4, steps));
}

TEST(Result, ReturnsTheFirstErrorAtOnce) {
  int steps = 0;
  const auto result = quarter_of(6, steps);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), (Error{Errc::invalid_argument, "3 is odd"}));
  EXPECT_EQ(steps, 1);
  const auto status = check_both(2, 5, steps);
  EXPECT_EQ(status.error().message, "5 is odd");
  EXPECT_EQ(steps, 2);
}

Result<std::unique_ptr<int>> make_owned() { return std::make_unique<int>(7); }

Result<int> use_owned() {
  EKIDEN_ASSIGN(const auto owned, make_owned());
  return *owned;
}

TEST(Result, MovesWhatCannotBeCopied) { EXPECT_EQ(use_owned(), 7); }

TEST(Result, SaysWhatWasBeingDone) {
  const Result<int> outer = fail("reading the contacts", half_of(3).error());
  EXPECT_EQ(outer.error().message, "reading the contacts: 3 is odd");
  EXPECT_EQ(outer.error().code, Errc::invalid_argument);
}

TEST(Errc, HasNamesThatGoBothWaysAndAreDistinct) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Errc::failed); ++i) {
    const auto code = static_cast<Errc>(i);
    EXPECT_TRUE(names.insert(errc_name(code)).second);
    EXPECT_EQ(errc_from_name(errc_name(code)), code);
    for (const char c : errc_name(code)) EXPECT_TRUE(c == '-' || (c >= 'a' && c <= 'z'));
  }
  EXPECT_EQ(errc_name(Errc::not_found), "not-found");
  EXPECT_EQ(errc_from_name("from-the-future"), Errc::internal);
}

}  // namespace
}  // namespace ekiden
