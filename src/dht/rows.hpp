// What the DHT keeps in the store: names and descriptions of its rows.
//
// Table::nodes, by PeerId: NodeRow, a node that answered, to begin with after a restart.
// Table::values, by key(32) owner(32): ValueRow, a value that is kept for its owner.
//
// Rules: unknown keys of a map are skipped, so that a newer version can add fields; a row that does not decode, or that
// contradicts its name, is corruption. Values in rows were verified before they were written.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "crypto/keys.hpp"
#include "dht/messages.hpp"
#include "identity/address.hpp"
#include "wire/message.hpp"

namespace ekiden::dht {

struct NodeRow {
  static constexpr std::string_view kName = "node_row";
  crypto::Ed25519PublicKey public_key;
  bool is_v4 = false;
  ByteArray<16> address{};  ///< IPv4 in its mapped form.
  std::uint16_t port = 0;

  static constexpr auto kFields =
      wire::fields(wire::field<1>("public_key", &NodeRow::public_key), wire::field<2>("is_v4", &NodeRow::is_v4),
                   wire::field<3>("address", &NodeRow::address), wire::field<4>("port", &NodeRow::port));
  friend bool operator==(const NodeRow&, const NodeRow&) = default;
};

struct ValueRow {
  static constexpr std::string_view kName = "value_row";
  ValueKind kind{};
  Bytes bytes;  ///< Empty: only the sequence is remembered.
  std::uint64_t sequence = 0;
  WallTime expires{};
  WallTime stored_at{};
  identity::AddressPrefix from;

  static constexpr auto kFields =
      wire::fields(wire::field<1>("kind", &ValueRow::kind, wire::max_enum(ValueKind::announcement)),
                   wire::field<2>("bytes", &ValueRow::bytes, wire::max_size(kMaxValue)),
                   wire::field<3>("sequence", &ValueRow::sequence), wire::field<4>("expires", &ValueRow::expires),
                   wire::field<5>("stored_at", &ValueRow::stored_at), wire::field<6>("from", &ValueRow::from));
  friend bool operator==(const ValueRow&, const ValueRow&) = default;
};

}  // namespace ekiden::dht
