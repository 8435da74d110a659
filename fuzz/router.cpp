// Three routers under a script of faults, against their promises: accepted means delivered once or expired, no receipt
// without a stored message, no quota exceeded, nothing left behind. The model is a ledger of what was said to the
// applications and of what is on the disks; see tests/unit/router/play.hpp.
#include <cstddef>
#include <cstdint>

#include "tests/unit/router/play.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMaxScript = 4096;
  ekiden::router::test::Play play(ekiden::ByteView(data, size < kMaxScript ? size : kMaxScript));
  play.run();
  return 0;
}
