// The sealed body of a message: a header in the clear, then the ciphertext with its tag.
//
// Input and output: bytes. The layout is fixed binary, big-endian, and not CBOR: every field has one size and one
// encoding, it is written and read for each message, and nothing in it is optional except the part that only initial
// messages have.
//
//   offset  size  field
//        0     1  kind: 1 ordinary, 2 initial; others belong to later versions and are refused
//        1    16  session: UUID v4, chosen by the initiator
//       17    32  ratchet: the sender's current ratchet key (X25519)
//       49     4  previous: how many numbers the sender's previous sending chain used ("PN")
//       53     4  number: of this message in its sending chain, from 0 ("N")
//       57     8  sequence: of this message in its direction of the session, from 1
//   and in initial messages only
//       65    32  ephemeral: the initiator's X3DH ephemeral key (X25519)
//       97     4  prekey: id of the recipient's signed prekey that was used
//      101     4  generation: how many sessions of this pair the initiator knew before, and one
//      105    32  sender: the initiator's Ed25519 key; must hash to the PeerId the message claims to be from
//   then the ciphertext, at least a tag.
//
// The initiator sends initial messages until the first message of the other side has come: any one of them is enough to
// start the session, whatever is lost or overtaken.
//
// Rule: nothing here is believed before the AEAD has verified, which covers every byte of the header. What is decided
// from it before (which session, duplicate or not) changes no state.
//
// Source of the fields: Double Ratchet (Signal, revision 1) section 3.4; X3DH (Signal, revision 1) section 3.3.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/uuid.hpp"
#include "crypto/keys.hpp"

namespace ekiden::session {

inline constexpr std::size_t kOrdinaryHeaderSize = 65;
inline constexpr std::size_t kInitialHeaderSize = 137;

/// Where a message stands in the ratchet of its sender.
struct Position {
  crypto::X25519PublicKey ratchet;
  std::uint32_t previous = 0;
  std::uint32_t number = 0;
  std::uint64_t sequence = 0;  ///< number + 1 + the lengths of all chains before: lets a receiver tell old from new

  friend bool operator==(const Position&, const Position&) = default;
};

/// What a recipient needs to compute the session's first key.
struct Initiation {
  crypto::X25519PublicKey ephemeral;
  std::uint32_t prekey = 0;
  std::uint32_t generation = 0;
  crypto::Ed25519PublicKey sender;

  friend bool operator==(const Initiation&, const Initiation&) = default;
};

struct Header {
  Uuid session;
  Position position;
  std::optional<Initiation> initiation;  ///< of initial messages

  friend bool operator==(const Header&, const Header&) = default;
};

/// A sealed body taken apart; the views point into it.
struct SealedView {
  Header header;
  ByteView header_bytes;
  ByteView ciphertext;  ///< at least a tag
};

void append_header(const Header& header, Bytes& out);

/// Errors: malformed (too short, not a UUID v4), unsupported (an unknown kind).
Result<SealedView> parse_sealed(ByteView sealed);

}  // namespace ekiden::session
