// Messages of the DHT: a query and its reply, each one described struct (wire/message.hpp).
//
// The transport brings both, and proves who sent them; nothing here names the sender. Bounds: a body has at most
// kMaxBody bytes; a reply holds at most kMaxNodes nodes of each family and as many values as fit. Values are opaque
// here and prove themselves (dht/value.hpp).
//
// Nodes travel packed: the key (32 bytes), the address (4 or 16), the port (2, big endian), one after the other, as
// BEP 5 and BEP 32 do: twenty nodes and their frame fit one datagram, also with IPv6. Byte strings are views into the
// datagram, which must outlive the message.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "dht/key.hpp"
#include "identity/node_info.hpp"
#include "identity/peer_record.hpp"
#include "wire/message.hpp"

namespace ekiden::dht {

/// Bytes of a query or reply, so that with the frame of the secure datagram a packet stays within 1,280.
inline constexpr std::size_t kMaxBody = 1200;
inline constexpr std::size_t kMaxNodes = 20;
inline constexpr std::size_t kNode4Size = 32 + 4 + 2;
inline constexpr std::size_t kNode6Size = 32 + 16 + 2;
inline constexpr std::size_t kAddress4Size = 4 + 2;
inline constexpr std::size_t kAddress6Size = 16 + 2;
inline constexpr std::size_t kMaxValue = identity::kMaxRecordSize;
inline constexpr std::size_t kMaxValuesInReply = 8;

enum class QueryKind : std::uint8_t {
  ping,        ///< Are you there?
  find_node,   ///< Which nodes that you know are closest to `target`?
  find_value,  ///< The same, and what you keep under it.
  store,       ///< Keep `value` under `target`. Only from a sender whose address is proven.
};

enum class ValueKind : std::uint8_t { record, announcement };

struct Query {
  static constexpr std::string_view kName = "dht_query";

  QueryKind kind = QueryKind::ping;
  std::optional<Key> target{};            ///< Of all but ping.
  std::optional<ValueKind> value_kind{};  ///< Of find_value and store.
  std::optional<ByteView> value{};        ///< Of store.

  static constexpr auto kFields = wire::fields(
      wire::field<0>("kind", &Query::kind, wire::max_enum(QueryKind::store)), wire::field<1>("target", &Query::target),
      wire::field<2>("value_kind", &Query::value_kind, wire::max_enum(ValueKind::announcement)),
      wire::field<3>("value", &Query::value, wire::max_size(kMaxValue)));
  friend bool operator==(const Query&, const Query&) = delete;
};

/// What became of a query.
enum class Outcome : std::uint8_t {
  done,
  malformed,    ///< The query breaks its format.
  unsupported,  ///< A kind of query or value that this build does not know.
  unproven,     ///< A store in a first flight: send it again under the session keys.
  not_close,    ///< We know enough nodes that are closer to the key.
  too_many,     ///< Over the rate of the sender, or no room that is fair to the others: later.
  stale,        ///< We keep a newer value.
  invalid,      ///< The value does not prove itself, is over, or belongs under another key.
};

struct Reply {
  static constexpr std::string_view kName = "dht_reply";

  Outcome outcome = Outcome::done;
  ByteView nodes4{};               ///< Packed; see above.
  ByteView nodes6{};               ///< Packed.
  std::vector<ByteView> values{};  ///< Of find_value.
  /// Of ping: where the asker is, as seen from here: the address (4 or 16), the port (2, big endian).
  std::optional<ByteView> observed{};

  static constexpr auto kFields = wire::fields(
      wire::field<0>("outcome", &Reply::outcome, wire::max_enum(Outcome::invalid)),
      wire::field<1>("nodes4", &Reply::nodes4, wire::max_size(kMaxNodes* kNode4Size)),
      wire::field<2>("nodes6", &Reply::nodes6, wire::max_size(kMaxNodes* kNode6Size)),
      wire::field<3>("values", &Reply::values, wire::max_count(kMaxValuesInReply), wire::max_size(kMaxValue)),
      wire::field<4>("observed", &Reply::observed, wire::max_size(kAddress6Size)));
  friend bool operator==(const Reply&, const Reply&) = delete;
};

/// Reads a query and checks that it has what its kind needs. Errors: malformed, too_large, unsupported.
Result<Query> decode_query(ByteView body);

/// Reads a reply and checks that its nodes and addresses are whole. Errors: malformed, too_large, unsupported.
Result<Reply> decode_reply(ByteView body);

/// Builds the packed nodes of a reply. Holds its bytes itself: the reply that borrows them must be encoded before.
class NodePacker {
 public:
  /// False if there is no room for one more of its family.
  bool add(const identity::NodeInfo& node);
  ByteView nodes4() const { return ByteView(four_).first(size4_); }
  ByteView nodes6() const { return ByteView(six_).first(size6_); }
  /// Bytes that one more node takes.
  static std::size_t size_of(const identity::NodeInfo& node);
  void clear() { size4_ = size6_ = 0; }

 private:
  ByteArray<kMaxNodes * kNode4Size> four_{};
  ByteArray<kMaxNodes * kNode6Size> six_{};
  std::size_t size4_ = 0;
  std::size_t size6_ = 0;
};

/// The packed form of an address, in the first bytes of `to`; how many it takes.
std::size_t pack_address(const identity::SocketAddress& address, ByteArray<kAddress6Size>& to);
/// Where a decoded reply says that the asker is.
std::optional<identity::SocketAddress> observed_in(const Reply& reply);

/// How many nodes a decoded reply names, and each of them.
std::size_t count_nodes(const Reply& reply);
identity::NodeInfo node_at(const Reply& reply, std::size_t index);

std::string_view outcome_text(Outcome outcome);

}  // namespace ekiden::dht
