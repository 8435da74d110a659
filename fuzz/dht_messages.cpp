// What the DHT decodes: queries and replies of other nodes, and the rows of its tables. What decodes encodes again to
// no more bytes, and to the same ones from then on; nodes survive being packed again.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/check.hpp"
#include "dht/messages.hpp"
#include "dht/rows.hpp"
#include "dht/value.hpp"
#include "identity/announcement.hpp"
#include "wire/cbor.hpp"
#include "wire/message.hpp"

namespace {

using namespace ekiden;

template <class T>
Bytes check_encoding(const T& message, ByteView bytes) {
  Bytes encoded = wire::encode(message);
  CHECK(wire::validate(encoded).has_value());
  CHECK(encoded.size() <= bytes.size());  // Unknown keys are dropped.
  const auto again = wire::decode<T>(encoded);
  CHECK(again.has_value() && wire::encode(*again) == encoded);
  return encoded;
}

void check_query(ByteView bytes) {
  const auto query = dht::decode_query(bytes);
  if (!query) return;
  check_encoding(*query, bytes);
  CHECK(query->kind == dht::QueryKind::ping || query->target.has_value());
  CHECK(query->kind != dht::QueryKind::store || (query->value && query->value_kind));
}

void check_reply(ByteView bytes) {
  const auto reply = dht::decode_reply(bytes);
  if (!reply) return;
  check_encoding(*reply, bytes);
  CHECK(!dht::outcome_text(reply->outcome).empty() && reply->values.size() <= dht::kMaxValuesInReply);
  dht::NodePacker packer;
  for (std::size_t i = 0; i < dht::count_nodes(*reply); ++i) CHECK(packer.add(dht::node_at(*reply, i)));
  CHECK(std::ranges::equal(packer.nodes4(), reply->nodes4) && std::ranges::equal(packer.nodes6(), reply->nodes6));
  if (const auto address = dht::observed_in(*reply)) {
    ByteArray<dht::kAddress6Size> packed;
    const std::size_t size = dht::pack_address(*address, packed);
    CHECK(std::ranges::equal(ByteView(packed).first(size), *reply->observed));
  }
  const WallTime now = from_unix_ms(1'767'225'600'000);
  for (const ByteView value : reply->values) {
    static_cast<void>(dht::check_value(dht::ValueKind::record, {}, value, now));
    static_cast<void>(dht::check_value(dht::ValueKind::announcement, {}, value, now));
  }
}

template <class T>
void check_row(ByteView bytes) {
  if (const auto row = wire::decode<T>(bytes)) check_encoding(*row, bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  check_query(bytes);
  check_reply(bytes);
  check_row<dht::NodeRow>(bytes);
  check_row<dht::ValueRow>(bytes);
  check_row<identity::Announcement>(bytes);
  return 0;
}
