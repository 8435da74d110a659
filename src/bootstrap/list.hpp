// NodeList: nodes through which others can join, signed by whoever vouches that they exist.
//
// A signed list is a COSE_Sign1 (EdDSA, strict profile, purpose "ekiden bootstrap list 1") over the description below.
// Two kinds of signers make them: people, whose lists stand in config/bootstrap_nodes.json, and nodes, which answer
// with a list of their own when they are asked. Both forms share one signature: the file holds it beside the values,
// and sign1_of() puts the two together again. verify_list() is the only door: no node of a list is stored, probed or
// passed on before it.
//
// Bounds: kMaxListSize bytes signed; lists and texts as declared. Clamps: a lifetime over kMaxListTtl counts as that
// much. An issue time may be kMaxListClockSkew in our future, for clocks differ. Timers: none; expires_at() tells.
//
// Rules and their reasons:
//   - the sequence grows with every list that a signer signs: an old list cannot replace a newer one;
//   - a list expires: nodes that were given up do not attract newcomers for ever;
//   - a node stands in a list once (a second entry would be a second vote for it);
//   - texts are printable ASCII: they end up in terminals and logs, where control characters are an attack;
//   - a list proves only who named a node. Whether it is there and holds its key is for a handshake to prove.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/keys.hpp"
#include "identity/endpoint.hpp"
#include "identity/identity.hpp"
#include "identity/peer_id.hpp"
#include "wire/message.hpp"

namespace ekiden::bootstrap {

inline constexpr std::uint32_t kListVersion = 1;
inline constexpr std::size_t kMaxListSize = 16 * 1024;
inline constexpr std::size_t kMaxListNodes = 64;
inline constexpr std::size_t kMaxNodeEndpoints = 4;
inline constexpr std::size_t kMaxEndpointSize = 128;
inline constexpr std::size_t kMaxNoteSize = 64;
inline constexpr seconds kMaxListTtl = days(400);  ///< A year, and a month to renew it.
inline constexpr minutes kMaxListClockSkew{10};

struct ListedNode {
  static constexpr std::string_view kName = "bootstrap_node";

  crypto::Ed25519PublicKey public_key;
  std::vector<std::string> endpoints;  ///< As text, for there may be transports that this build does not know.
  std::optional<std::string> note;     ///< For people: who runs it, where.

  static constexpr auto kFields =
      wire::fields(wire::field<1>("public_key", &ListedNode::public_key),
                   wire::field<2>("endpoints", &ListedNode::endpoints, wire::max_count(kMaxNodeEndpoints),
                                  wire::max_size(kMaxEndpointSize)),
                   wire::field<3>("note", &ListedNode::note, wire::max_size(kMaxNoteSize)));

  identity::PeerId id() const { return identity::PeerId::of(public_key); }
  /// The endpoints that this build understands, in the signer's order. Ask may_dial() before dialling them.
  std::vector<identity::Endpoint> known_endpoints() const;

  friend bool operator==(const ListedNode&, const ListedNode&) = default;
};

struct NodeList {
  static constexpr std::string_view kName = "bootstrap_list";

  std::uint32_t version = kListVersion;
  crypto::Ed25519PublicKey public_key;  ///< Of the signer.
  std::uint64_t sequence = 0;
  WallTime issued_at{};
  std::uint32_t ttl_seconds = 0;
  std::vector<ListedNode> nodes;

  static constexpr auto kFields =
      wire::fields(wire::field<1>("version", &NodeList::version), wire::field<2>("public_key", &NodeList::public_key),
                   wire::field<3>("sequence", &NodeList::sequence), wire::field<4>("issued_at", &NodeList::issued_at),
                   wire::field<5>("ttl_seconds", &NodeList::ttl_seconds),
                   wire::field<6>("nodes", &NodeList::nodes, wire::max_count(kMaxListNodes)));

  identity::PeerId signer() const { return identity::PeerId::of(public_key); }
  /// Issue time plus the clamped lifetime.
  WallTime expires_at() const;

  friend bool operator==(const NodeList&, const NodeList&) = default;
};

/// Signs a list that names `signer` as its signer. Errors: invalid_argument (another key, a lifetime of zero or over
/// the maximum, an unusable node, a node twice), too_large (a list or the whole is over its bound).
Result<Bytes> sign_list(const identity::Identity& signer, const NodeList& list);

/// Checks size, form, key, signature and time, and clamps. Errors: too_large, malformed, unsupported (a newer version),
/// refused (an unacceptable key, or issued in the future), unauthenticated, expired.
Result<NodeList> verify_list(ByteView signed_bytes, WallTime now);

/// The same but for the time: to show a list, or to say more about it than that it is over.
Result<NodeList> verify_list_ignoring_time(ByteView signed_bytes);

/// Errors: refused (issued in the future), expired.
Status check_list_time(const NodeList& list, WallTime now);

/// The signed form of values and signature that were kept apart, as in the configuration file. Nothing is verified.
/// Errors: too_large (the values are over the bounds of the description).
Result<Bytes> sign1_of(const NodeList& list, const crypto::Signature& signature);

/// The signature inside a signed list. Errors: malformed, unsupported.
Result<crypto::Signature> signature_of(ByteView signed_bytes);

}  // namespace ekiden::bootstrap
