// Random scripts of faults against the promises of the router. See play.hpp.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "play.hpp"

namespace ekiden::router {
namespace {

RC_GTEST_PROP(Model, KeepsItsPromisesUnderAnyScript, ()) {
  const auto script = *rc::gen::scale(4.0, rc::gen::arbitrary<std::vector<std::uint8_t>>());
  test::Play play{script};
  play.run();
  RC_TAG(play.delivered() == 0 ? "nothing delivered" : play.delivered() < 5 ? "a few delivered" : "many delivered");
}

/// Long scripts from a seed, where RapidCheck's are short.
TEST(Model, KeepsItsPromisesInLongRuns) {
  std::size_t delivered = 0;
  std::uint64_t gaps = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Rng::Seed bytes{};
    put_be(bytes, seed);
    Rng rng(bytes);
    Bytes script(2000);
    rng.fill(script);
    test::Play play{script};
    ASSERT_NO_THROW(play.run()) << "seed " << seed;
    delivered += play.delivered();
    gaps += play.gaps();
  }
  EXPECT_GT(delivered, 500u) << "the scripts test something";
  EXPECT_GT(gaps, 5u);
}

}  // namespace
}  // namespace ekiden::router
