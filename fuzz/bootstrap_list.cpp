// Signed bootstrap lists as anybody could make them. The first byte chooses:
//   0  arbitrary bytes as a signed list: nobody has signed them, so nothing verifies
//   1  arbitrary bytes as the payload of a list that is signed: what verifies is within the bounds, and goes round
#include <cstddef>
#include <cstdint>

#include "base/check.hpp"
#include "bootstrap/list.hpp"
#include "identity/cose_sign.hpp"

namespace {

using namespace ekiden;
using namespace ekiden::bootstrap;

const identity::Identity& signer() {
  static const identity::Identity made{crypto::Ed25519Seed(ByteArray<32>{7})};
  return made;
}

/// The key of the payload is not the signer's, unless the fuzzer finds it in a seed of the corpus.
void check_payload(ByteView payload) {
  const Bytes bytes = identity::cose_sign(signer(), as_bytes("ekiden bootstrap list 1"), payload);
  const auto list = verify_list_ignoring_time(bytes);
  if (!list) {
    CHECK(!list.error().message.empty());
    return;
  }
  CHECK(list->public_key == signer().public_key() && bytes.size() <= kMaxListSize);
  CHECK(list->nodes.size() <= kMaxListNodes && list->expires_at() - list->issued_at <= kMaxListTtl);
  for (const ListedNode& node : list->nodes) {
    CHECK(!node.endpoints.empty() && node.endpoints.size() <= kMaxNodeEndpoints);
    CHECK(node.known_endpoints().size() <= node.endpoints.size());
  }
  const Bytes again = wire::encode(*list);
  const auto second =
      verify_list_ignoring_time(identity::cose_sign(signer(), as_bytes("ekiden bootstrap list 1"), again));
  CHECK(second.has_value() && *second == *list);
  static_cast<void>(sign_list(signer(), *list));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView rest = ByteView(data, size).subspan(1);
  if (data[0] % 2 == 0) {
    CHECK(!verify_list_ignoring_time(rest).has_value() || signature_of(rest).has_value());
  } else {
    check_payload(rest);
  }
  return 0;
}
