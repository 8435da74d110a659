// Random scripts against one engine; the fuzz target runs the same with scripts that coverage has found.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "play.hpp"

namespace ekiden::dht {
namespace {

RC_GTEST_PROP(DhtModel, KeepsItsPromisesUnderRandomScripts, ()) {
  const auto script = *rc::gen::container<std::vector<Byte>>(600, rc::gen::arbitrary<Byte>());
  play(script);
}

}  // namespace
}  // namespace ekiden::dht
