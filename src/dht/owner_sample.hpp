// Which owners a node keeps under one key when more announce there than it has places: bottom-k sampling.
//
// Every address prefix and every owner has a rank under a key, pseudo-random under a secret of this node. Of the owners
// that are known, a prefix keeps those of best rank, and places go round the prefixes: one to each, then a second to
// each, and so on; where a round does not suffice, to the prefixes of best rank. What remains is thus the same in
// whatever order the owners came: of all that announce, each prefix has the same chance at each node, and within a
// prefix each owner.
//
// Rules, and the attack that each stops:
//   - prefixes are ranked first and owners only within theirs: identities cost nothing, and a thousand of them displace
//     no more of other prefixes than one does. Who owns more prefixes has more chances; they cannot be made up, for
//     values are taken from proven addresses only;
//   - the ranks are keyed with a secret that never leaves the node: nobody can compute which identities, or which of
//     his prefixes, to use. Who tries them out learns it of one node and one key, until the secret changes;
//   - no first come, first served: whoever fills a popular key before others, and republishes, does not keep them out;
//   - the secret changes after each period (and with each start of the node): nobody is out of luck for ever, and what
//     somebody has tried out is worth nothing any more.
//
// Inputs: the owners under a key, time. Outputs: who gives way. Timers: none. Bounds: one secret, whatever the keys.
//
// Source: Cohen and Kaplan, "Summarizing Data using Bottom-k Sketches", PODC 2007.
#pragma once

#include <optional>
#include <span>

#include "base/rng.hpp"
#include "base/time.hpp"
#include "crypto/keys.hpp"
#include "dht/key.hpp"
#include "identity/address.hpp"
#include "identity/peer_id.hpp"

namespace ekiden::dht {

class OwnerSample {
 public:
  struct Owner {
    identity::PeerId id;
    identity::AddressPrefix from;
  };

  /// `rng` outlives it; nothing is drawn before the first call.
  explicit OwnerSample(Rng& rng) : rng_(rng) {}

  /// The index of the one of these owners, all different, that a sample of one less is without. The ranks are new at
  /// the first call and `period` after they were. REQUIRES: owners is not empty.
  std::size_t odd_one_out(Instant now, Duration period, const Key& key, std::span<const Owner> owners);

 private:
  crypto::Digest rank(const Key& key, ByteView of) const;

  Rng& rng_;
  std::optional<Rng::Seed> secret_;
  Instant drawn_{};
};

}  // namespace ekiden::dht
