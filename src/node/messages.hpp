// The link messages that belong to no single engine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/uuid.hpp"
#include "identity/peer_record.hpp"
#include "wire/message.hpp"

namespace ekiden::node {

/// MessageType::error: what the neighbour sent was not understood. Never answered itself.
struct ErrorMessage {
  static constexpr std::string_view kName = "error";
  enum class Reason : std::uint8_t { unknown_type = 0, malformed = 1 };
  std::uint8_t type = 0;  ///< the type byte of what was not understood
  Reason reason = Reason::unknown_type;
  std::string detail;

  static constexpr auto kFields =
      wire::fields(wire::field<1>("type", &ErrorMessage::type),
                   wire::field<2>("reason", &ErrorMessage::reason, wire::max_enum(Reason::malformed)),
                   wire::field<3>("detail", &ErrorMessage::detail, wire::max_size(256)));
  friend bool operator==(const ErrorMessage&, const ErrorMessage&) = default;
};

/// MessageType::session_reset: the sender of this cannot open messages of the session. Believed only from the link of
/// the peer the session is with.
struct SessionReset {
  static constexpr std::string_view kName = "session_reset";
  Uuid session;

  static constexpr auto kFields = wire::fields(wire::field<1>("session", &SessionReset::session));
  friend bool operator==(const SessionReset&, const SessionReset&) = default;
};

/// The single values of Table::meta that belong to the node.
struct RecordRow {
  static constexpr std::string_view kName = "record_row";
  std::uint64_t sequence = 0;

  static constexpr auto kFields = wire::fields(wire::field<1>("sequence", &RecordRow::sequence));
  friend bool operator==(const RecordRow&, const RecordRow&) = default;
};
inline constexpr std::string_view kRecordRowName = "node.record";
/// A RecordRow too: of the bootstrap list that we sign.
inline constexpr std::string_view kListRowName = "node.list";

/// What the node offers.
struct CapabilitiesRow {
  static constexpr std::string_view kName = "capabilities_row";
  std::vector<std::string> capabilities;

  static constexpr auto kFields = wire::fields(wire::field<1>("capabilities", &CapabilitiesRow::capabilities,
                                                              wire::max_count(identity::kMaxRecordCapabilities),
                                                              wire::max_size(identity::kMaxCapabilitySize)));
  friend bool operator==(const CapabilitiesRow&, const CapabilitiesRow&) = default;
};
inline constexpr std::string_view kCapabilitiesRowName = "node.capabilities";

}  // namespace ekiden::node
