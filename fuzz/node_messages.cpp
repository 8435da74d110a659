// What is decoded from a neighbour or from the disk and belongs to no other target: messages of links, contacts, and
// the rows of the node and the router. What decodes encodes again to the same bytes, and to no more.
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/check.hpp"
#include "identity/contact.hpp"
#include "link/hello.hpp"
#include "node/messages.hpp"
#include "reachability/rows.hpp"
#include "router/first_contact.hpp"
#include "router/rows.hpp"
#include "wire/cbor.hpp"
#include "wire/message.hpp"

namespace {

using namespace ekiden;

template <class T>
std::optional<T> check_round_trip(ByteView bytes) {
  const auto message = wire::decode<T>(bytes);
  if (!message) return std::nullopt;
  const Bytes encoded = wire::encode(*message);
  CHECK(wire::validate(encoded).has_value());
  CHECK(encoded.size() <= bytes.size());  // Unknown keys are dropped.
  const auto again = wire::decode<T>(encoded);
  CHECK(again.has_value() && wire::encode(*again) == encoded);
  return *message;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  if (const auto error = check_round_trip<node::ErrorMessage>(bytes)) CHECK(error->detail.size() <= 256);
  check_round_trip<node::SessionReset>(bytes);
  check_round_trip<node::ObservedMessage>(bytes);
  check_round_trip<node::DialBack>(bytes);
  if (const auto answer = check_round_trip<node::DialBackAnswer>(bytes)) {
    CHECK(answer->detail.size() <= node::DialBackAnswer::kMaxDetail);
  }
  check_round_trip<node::RecordRow>(bytes);
  if (const auto row = check_round_trip<reachability::ReachabilityRow>(bytes)) {
    CHECK(row->verified.size() <= reachability::kMaxRowEndpoints);
  }
  check_round_trip<link::Hello>(bytes);
  check_round_trip<identity::Contact>(bytes);
  check_round_trip<router::MetaRow>(bytes);
  check_round_trip<router::WindowRow>(bytes);
  check_round_trip<router::StandingRow>(bytes);
  if (const auto row = check_round_trip<router::OutboxRow>(bytes)) CHECK(row->body.size() <= router::kMaxBody);
  if (const auto row = check_round_trip<router::InboxRow>(bytes); row && row->message) {
    CHECK(row->message->body.size() <= router::kMaxBody);
  }
  if (const auto row = check_round_trip<router::HistoryRow>(bytes))
    CHECK(row->entries.size() <= router::kMaxReceiptIds);
  return 0;
}
