// The DHT under a script of bytes. The first byte chooses: the whole engine among candidates, queries, answers,
// failures and time, with a model of what it may know; or the routing table alone, against a flat list with the same
// rules.
#include <cstddef>
#include <cstdint>

#include "tests/unit/dht/play.hpp"
#include "tests/unit/dht/table_model.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ekiden::ByteView script = ekiden::ByteView(data, size).subspan(1);
  if (data[0] % 4 == 0) {
    ekiden::dht::play_table(script);
  } else {
    ekiden::dht::play(script);
  }
  return 0;
}
