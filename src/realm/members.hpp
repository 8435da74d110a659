// Which of the linked peers are in which of our realms.
//
// Two members recognise each other by their links: each says a hello with a proof for each of its realms, which is an
// HMAC by the realm's key over who says it to whom. So a peer learns of a realm only if it holds the key, and what it
// has heard is of no use to anybody else: its link shows who says it. A link may begin at one end only, when the other
// takes it for a continuation: who has heard nothing asks.
//
// Inputs: realms entered and left; links that come up and end; hellos. Outputs: Transmit, MemberUp, MemberDown. No
// timer.
//
// Bounds: kMaxRealms; of each linked peer as many proofs, kept for realms that we enter later. Invariant: a MemberUp
// was pushed for each realm of a linked peer, and nothing more.
//
// Rules, and the attack that each stops:
//   - a proof names its prover and its verifier, and links are authenticated: it cannot be played again by others, nor
//     to others;
//   - only the number of realms is told to peers that are in none of them; nodes in no realm say nothing;
//   - proofs compare in constant time;
//   - whoever withdraws too often is no member before the next link. (Attack: to come and go, for each coming gets
//   fresh
//     limits from those who deal with members.)
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/outbox.hpp"
#include "identity/peer_id.hpp"
#include "realm/messages.hpp"
#include "realm/realm.hpp"

namespace ekiden::realm {

/// Send this to the peer: type byte and body. Before whatever else it is sent of the realms.
struct Transmit {
  identity::PeerId to;
  std::shared_ptr<const Bytes> message;
};
/// A linked peer is in this realm of ours.
struct MemberUp {
  std::string realm;
  identity::PeerId peer;
};
/// It is no longer, or we are not, or the link has ended.
struct MemberDown {
  std::string realm;
  identity::PeerId peer;
  bool lost = false;  ///< the link broke
};

using Effect = std::variant<Transmit, MemberUp, MemberDown>;
using Effects = Outbox<Effect>;

class Members {
 public:
  explicit Members(const identity::PeerId& self) : self_(self) {}

  /// In the place of one of that name. Errors: limit_exceeded.
  Status enter(const Realm& realm, Effects& out);
  /// Unknown names are ignored.
  void leave(const std::string& name, Effects& out);

  /// The link had no room for the last one. Nothing to peers that are no longer linked.
  void say_again(const identity::PeerId& peer, Effects& out) const;

  /// Of a peer with kRealmFeature; once more when it is known by a new record.
  void on_link_up(const identity::PeerId& peer, Effects& out);
  /// `lost`: nobody has ended it.
  void on_link_down(const identity::PeerId& peer, bool lost, Effects& out);
  /// The body of MessageType::realm_hello. Errors: malformed; refused (the peer did not say that it speaks of realms,
  /// or comes and goes).
  Status on_hello(const identity::PeerId& from, ByteView body, Effects& out);

  /// The name of the realm, if we are in it and this linked peer is. Null otherwise.
  const std::string* shared_with(const identity::PeerId& peer, const RealmId& realm) const;
  /// Whether this linked peer has said which realms it is in.
  bool has_heard(const identity::PeerId& peer) const;
  /// Linked peers.
  std::size_t count(const std::string& realm) const;
  void check_invariants() const;

 private:
  struct Entered {
    RealmId id;
    ProofKey key;
  };
  struct Linked {
    std::vector<Proof> proofs;     ///< as it says
    std::set<std::string> realms;  ///< of ours, which it has proven
    bool has_said = false;
    std::size_t withdrawn = 0;  ///< proofs of our realms, on this link
  };

  void say_hello(const identity::PeerId& to, Effects& out) const;
  void say_hello_to_all(Effects& out) const;
  void recognise(const identity::PeerId& peer, Linked& linked, const std::string& name, const Entered& realm,
                 Effects& out) const;
  static constexpr std::size_t kMaxWithdrawn = 16;

  bool proves(const identity::PeerId& peer, const Linked& linked, const Entered& realm) const;
  void forget(const std::string& name, Effects& out);

  const identity::PeerId self_;
  std::map<std::string, Entered> realms_;
  std::map<identity::PeerId, Linked> linked_;
};

}  // namespace ekiden::realm
