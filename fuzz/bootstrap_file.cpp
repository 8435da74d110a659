// The reader of bootstrap_nodes.json, which comes from other people, and of the values of --bootstrap: what it takes is
// within the bounds, is written and read back the same, and is signed or called a draft; what it refuses, it refuses
// with a place. The first byte chooses between file and node.
#include "runtime/bootstrap_file.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.hpp"
#include "runtime/bootstrap_source.hpp"

namespace {

using namespace ekiden;
using namespace ekiden::runtime;

constexpr std::string_view kName = "nodes.json";

void read_file_text(std::string_view text) {
  const auto file = parse_bootstrap_file(text, kName);
  if (!file) {
    const Errc code = file.error().code;
    CHECK(code == Errc::malformed || code == Errc::too_large || code == Errc::unsupported);
    CHECK(file.error().message.starts_with(kName));
    return;
  }
  CHECK(file->lists.size() <= kMaxBootstrapLists);
  const auto again = parse_bootstrap_file(format_bootstrap_file(*file), kName);
  CHECK(again.has_value() && *again == *file);
  for (const FileList& list : file->lists) {
    const auto bytes = signed_form(list);
    CHECK(bytes.has_value() != list.is_draft());
    if (!bytes) continue;
    const auto verified = bootstrap::verify_list_ignoring_time(*bytes);
    if (verified) CHECK(*verified == list.list);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = as_text(ByteView(data, size).subspan(1));
  if (data[0] % 2 == 0) {
    const auto seed = parse_seed(text);
    if (seed)
      CHECK(seed->endpoints.size() == 1 && (!seed->public_key || identity::PeerId::of(*seed->public_key) == seed->id));
  } else {
    read_file_text(text);
  }
  return 0;
}
