// The link messages that belong to no single engine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/uuid.hpp"
#include "identity/endpoint.hpp"
#include "identity/peer_record.hpp"
#include "reachability/events.hpp"
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

/// Bit of the features of a link: the sender answers dial_back, and says what it observes.
inline constexpr std::uint64_t kReachabilityFeature = 1;

/// MessageType::observed: the address from which the link of the reader comes.
struct ObservedMessage {
  static constexpr std::string_view kName = "observed";
  std::string address;  ///< "203.0.113.9"

  static constexpr auto kFields =
      wire::fields(wire::field<1>("address", &ObservedMessage::address, wire::max_size(45)));
  friend bool operator==(const ObservedMessage&, const ObservedMessage&) = default;
};

/// MessageType::dial_back: is the sender at this endpoint? Text, for a newer sender may name transports that the reader
/// does not know.
struct DialBack {
  static constexpr std::string_view kName = "dial_back";
  std::uint64_t request = 0;
  std::string endpoint;

  static constexpr auto kFields =
      wire::fields(wire::field<1>("request", &DialBack::request),
                   wire::field<2>("endpoint", &DialBack::endpoint, wire::max_size(identity::Endpoint::kWireTextMax)));
  friend bool operator==(const DialBack&, const DialBack&) = default;
};

/// MessageType::dial_back_answer.
struct DialBackAnswer {
  static constexpr std::string_view kName = "dial_back_answer";
  static constexpr std::size_t kMaxDetail = 160;
  std::uint64_t request = 0;
  reachability::Verdict verdict{};
  std::string detail;  ///< For people: why not.

  static constexpr auto kFields =
      wire::fields(wire::field<1>("request", &DialBackAnswer::request),
                   wire::field<2>("verdict", &DialBackAnswer::verdict, wire::max_enum(reachability::kLastVerdict)),
                   wire::field<3>("detail", &DialBackAnswer::detail, wire::max_size(kMaxDetail)));
  friend bool operator==(const DialBackAnswer&, const DialBackAnswer&) = default;
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

/// Table::meta: the owner has switched relaying on or off.
struct RelayRow {
  static constexpr std::string_view kName = "relay_row";
  bool on = false;
  static constexpr auto kFields = wire::fields(wire::field<1>("on", &RelayRow::on));
  friend bool operator==(const RelayRow&, const RelayRow&) = default;
};
inline constexpr std::string_view kRelayRowName = "node.relay";

}  // namespace ekiden::node
