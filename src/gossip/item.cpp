#include "gossip/item.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.hpp"
#include "crypto/hash.hpp"
#include "identity/cose_sign.hpp"
#include "identity/peer_record.hpp"

namespace ekiden::gossip {
namespace {

constexpr std::string_view kItemPurpose = "ekiden gossip 1";

struct Opened {
  wire::Sign1View parts;
  Item item;
};

Result<Opened> open_item(ByteView signed_bytes) {
  if (signed_bytes.size() > kMaxItemSize) {
    return fail(Errc::too_large, std::to_string(signed_bytes.size()) + " bytes, at most " +
                                     std::to_string(kMaxItemSize) + " are allowed");
  }
  Opened opened;
  EKIDEN_ASSIGN(opened.parts, wire::parse_sign1(signed_bytes));
  EKIDEN_ASSIGN(opened.item, wire::decode<Item>(opened.parts.payload));
  if (opened.item.sequence == 0) return fail(Errc::malformed, "its sequence is 0");
  return opened;
}

}  // namespace

TopicId TopicId::of(std::string_view name) {
  return {crypto::sha256({as_bytes("ekiden topic 1"), as_bytes(name)}).bytes};
}

TopicId TopicId::of(const ByteArray<32>& realm, std::string_view name) {
  return {crypto::sha256({as_bytes("ekiden realm topic 1"), realm, as_bytes(name)}).bytes};
}

bool is_topic(std::string_view name) {
  static_assert(kMaxTopicName == identity::kMaxCapabilitySize);
  return identity::is_capability(name);
}

ItemId ItemId::of(ByteView signed_bytes) { return {take_array<16>(crypto::sha256(signed_bytes).bytes)}; }

Bytes sign_item(const identity::Identity& identity, const Item& item) {
  CHECK(item.public_key == identity.public_key() && item.sequence != 0);
  Bytes out = identity::cose_sign(identity, as_bytes(kItemPurpose), wire::encode(item));
  CHECK(out.size() <= kMaxItemSize);
  return out;
}

Result<Item> read_item(ByteView signed_bytes) {
  auto opened = open_item(signed_bytes);
  if (!opened) return fail("the item is not valid", std::move(opened).error());
  return opened->item;
}

Result<Item> verify_item(ByteView signed_bytes) {
  auto opened = open_item(signed_bytes);
  if (!opened) return fail("the item is not valid", std::move(opened).error());
  const Status proven = identity::cose_verify(opened->parts, opened->item.public_key, as_bytes(kItemPurpose));
  if (!proven) return fail("the item is not valid", proven.error());
  return opened->item;
}

}  // namespace ekiden::gossip
