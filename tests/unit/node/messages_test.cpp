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

}  // namespace
}  // namespace ekiden::node
