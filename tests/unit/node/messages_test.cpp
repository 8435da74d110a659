#include "node/messages.hpp"

#include <gtest/gtest.h>

#include "support/golden.hpp"

namespace ekiden::node {
namespace {

TEST(ErrorMessage, HasItsGoldenBytes) {
  test::check_golden(ErrorMessage{.type = 9, .reason = ErrorMessage::Reason::malformed, .detail = "no such thing"});
}

TEST(SessionReset, HasItsGoldenBytes) {
  test::check_golden(SessionReset{*Uuid::parse("0f8fad5b-d9cb-469f-a165-70867728950e")});
}

TEST(ObservedMessage, HasItsGoldenBytes) { test::check_golden(ObservedMessage{"203.0.113.9"}); }

TEST(DialBack, HasItsGoldenBytes) { test::check_golden(DialBack{.request = 7, .endpoint = "tcp://203.0.113.9:7420"}); }

TEST(DialBackAnswer, HasItsGoldenBytes) {
  test::check_golden(
      DialBackAnswer{.request = 7, .verdict = reachability::Verdict::not_reached, .detail = "connection refused"});
}

}  // namespace
}  // namespace ekiden::node
