// The messages of relays: what a node hands to a neighbour for somebody who is not its neighbour.
//
//   origin --packet--> relay --packet--> ... --packet--> recipient
//   each --taken | not_taken--> the one before it
//
// Routes are source routes (RFC 4728, DSR): a packet names the relays that are still before it. They are found by
// route requests, which travel to neighbours that are near the recipient's id, and by the replies that come back.
//
// A relay sees who writes to whom, how much and until when; payloads are sealed or signed by their origin.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "base/uuid.hpp"
#include "identity/peer_id.hpp"
#include "path/path.hpp"
#include "wire/message.hpp"
#include "wire/priority.hpp"

namespace ekiden::relay {

/// Bit of the features of a peer record: the node hands on packets of others.
inline constexpr std::uint64_t kRelayFeature = 4;

inline constexpr std::size_t kMaxPayload = 34'304;  ///< an envelope or a receipt
inline constexpr std::size_t kMaxMessage = 34'816;  ///< of a link
inline constexpr std::size_t kMaxRoute = path::kMaxHops - 1;
inline constexpr std::size_t kMaxAvoided = 8;
inline constexpr std::size_t kMaxTaken = 64;

/// What the payload is.
enum class PacketKind : std::uint8_t {
  envelope = 0,       ///< the body of a link message `envelope`
  receipt = 1,        ///< the COSE_Sign1 of a link message `receipt`
  route_request = 2,  ///< the record of the origin: by which relays am I to send to you?
  route_reply = 3,    ///< the record of the one that was looked for; its path is the route, backwards
};

/// MessageType::packet.
struct Packet {
  static constexpr std::string_view kName = "packet";
  Uuid id{};  ///< of the message; of a request chosen at random, and the same in the reply
  identity::PeerId from{};
  identity::PeerId to{};
  WallTime expires{};
  wire::Priority priority = wire::Priority::normal;
  PacketKind kind = PacketKind::envelope;
  /// Who takes it keeps it on disk until the next one has taken it. Envelopes only.
  bool durable = false;
  std::vector<identity::PeerId> route{};  ///< the relays still before it, the next one first; empty in requests
  path::Hops path{};                      ///< empty if it is an envelope that is not durable
  std::vector<identity::PeerId> avoid{};  ///< of requests: relays by which the origin has a route already, or no luck
  ByteView payload{};                     ///< borrowed

  static constexpr auto kFields = wire::fields(
      wire::field<1>("id", &Packet::id), wire::field<2>("from", &Packet::from), wire::field<3>("to", &Packet::to),
      wire::field<4>("expires", &Packet::expires),
      wire::field<5>("priority", &Packet::priority, wire::max_enum(wire::Priority::background)),
      wire::field<6>("kind", &Packet::kind, wire::max_enum(PacketKind::route_reply)),
      wire::field<7>("durable", &Packet::durable), wire::field<8>("route", &Packet::route, wire::max_count(kMaxRoute)),
      wire::field<9>("path", &Packet::path, wire::max_count(path::kMaxHops)),
      wire::field<10>("avoid", &Packet::avoid, wire::max_count(kMaxAvoided)),
      wire::field<11>("payload", &Packet::payload, wire::max_size(kMaxPayload)));

  /// What its hops sign, and what it is called in answers: the hash of what no relay may change.
  crypto::Digest subject() const;
};

/// MessageType::taken: these durable packets are on my disk.
struct Taken {
  static constexpr std::string_view kName = "taken";
  std::vector<crypto::Digest> subjects;

  static constexpr auto kFields =
      wire::fields(wire::field<1>("subjects", &Taken::subjects, wire::max_count(kMaxTaken)));
  friend bool operator==(const Taken&, const Taken&) = default;
};

enum class Refusal : std::uint8_t {
  off = 0,       ///< this node hands on nothing
  storage = 1,   ///< it cannot write to its disk
  expired = 2,   ///< by its clock
  full = 3,      ///< its room, or the share of this neighbour or of strangers, is used up
  no_route = 4,  ///< it has no link to the next one, and knows no other way
  too_far = 5,   ///< another hop would be one too many
  absent = 6,    ///< the recipient keeps links here, but has none now
  repeated = 7,  ///< a route request that has been here
};
inline constexpr Refusal kLastRefusal = Refusal::repeated;
std::string_view refusal_text(Refusal reason);

/// MessageType::not_taken. Of durable packets and route requests.
struct NotTaken {
  static constexpr std::string_view kName = "not_taken";
  crypto::Digest subject;
  Refusal reason{};

  static constexpr auto kFields =
      wire::fields(wire::field<1>("subject", &NotTaken::subject),
                   wire::field<2>("reason", &NotTaken::reason, wire::max_enum(kLastRefusal)));
  friend bool operator==(const NotTaken&, const NotTaken&) = default;
};

}  // namespace ekiden::relay
