// What somebody writes who wants a node to be busy with him: one link message after the other, each of which costs the
// node as much as it can and the writer as little.
//
// In turns: a message in a session, a first message whose last byte is wrong (it costs four key agreements to find out,
// and may be sent again and again), a durable packet for an accomplice behind the node, a parcel for him in its
// mailbox. For simulations and benchmarks; pure.
#pragma once

#include <cstdint>
#include <optional>

#include "base/rng.hpp"
#include "identity/identity.hpp"
#include "identity/peer_record.hpp"
#include "session/sessions.hpp"

namespace ekiden::sim {

class SpamLetters {
 public:
  static constexpr std::size_t kBody = 1024;

  /// `self` outlives it. The accomplice is another neighbour of the victim.
  SpamLetters(const identity::Identity& self, identity::PeerRecord victim, const identity::PeerId& accomplice, Rng rng);

  /// Type byte and body of the next link message.
  Bytes next(Now now);

 private:
  Bytes letter(Now now);
  Bytes false_first(Now now);
  Bytes packet(Now now);
  Bytes parcel(Now now);
  Bytes seal(Now now, session::Sessions& sessions, const Uuid& id);

  const identity::Identity& self_;
  const identity::PeerRecord victim_;
  const identity::PeerId accomplice_;
  Rng rng_;
  session::Sessions sessions_;
  Outbox<session::Sessions::Effect> out_;
  Bytes false_first_;  ///< made once
  std::uint64_t count_ = 0;
  std::uint64_t sequence_ = 0;
};

}  // namespace ekiden::sim
