// What this node leaves in the mailboxes of others, for recipients that it cannot reach.
//
// Inputs: deposit and forget from above; who keeps mail for a recipient; links up and down; the answers of mailboxes;
// time. Outputs: Want, Transmit, FindMailboxes, Placed.
//
// A parcel goes to the first `copies` candidates that take it: those that the recipient's record names, and if they are
// not enough, nodes near its id. A candidate that cannot be reached, does not answer in time or refuses is passed over
// for a while, and the next one takes its place. When there are too few, they are looked for again, less and less
// often. The order of the candidates is the same each time, so that depositing again finds the copies that there are:
// who has one says so again and keeps no second. That is how copies that died with their mailbox are replaced: whoever
// is above deposits again from time to time, as long as there is no receipt.
//
// Timers: for each recipient and candidate, `answer_timeout`; for each recipient with too few, the next look.
//
// Bounds: max_deposits parcels and max_deposit_bytes under way, over these deposit() does nothing (whoever is above
// tries again); kMaxCandidates for a recipient; kMaxUnanswered bytes under way to one mailbox. Invariant: a mailbox is
// wanted exactly while some recipient uses it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "base/deadline_map.hpp"
#include "base/result.hpp"
#include "crypto/keys.hpp"
#include "mailbox/config.hpp"
#include "mailbox/events.hpp"

namespace ekiden::mailbox {

inline constexpr std::size_t kMaxCandidates = 24;
inline constexpr std::size_t kMaxUnanswered = 48 * 1024;

struct DepositorStatus {
  std::size_t parcels = 0;  ///< not placed as often as they should be
  std::size_t bytes = 0;
  std::uint64_t placed = 0;   ///< copies, since start
  std::uint64_t refused = 0;  ///< by mailboxes, since start
};

class Depositor {
 public:
  /// `config` outlives this.
  Depositor(const identity::PeerId& self, const Config& config) : self_(self), config_(config) {}

  /// Again for a parcel that is under way: nothing, unless its payload is another one.
  void deposit(Now now, const Parcel& parcel, Effects& out);
  /// It needs no more copies.
  void forget(Now now, const identity::PeerId& owner, const Uuid& id, Effects& out);

  /// The answer to FindMailboxes: the best first.
  void on_mailboxes(Now now, const identity::PeerId& owner, const std::vector<identity::PeerId>& nodes, Effects& out);

  /// `offers`: by its record it keeps mail, and can be dialled.
  void on_link_up(Now now, const identity::PeerId& peer, const crypto::Ed25519PublicKey& key, bool offers,
                  Effects& out);
  void on_link_down(Now now, const identity::PeerId& peer, Effects& out);
  /// The bodies of link messages. Errors are malformed or unauthenticated input.
  Status on_stored(Now now, const identity::PeerId& from, ByteView body, Effects& out);
  Status on_not_stored(Now now, const identity::PeerId& from, ByteView body, Effects& out);

  std::optional<Instant> deadline() const { return earlier(due_.earliest(), look_.earliest()); }
  void on_deadline(Now now, Effects& out);

  DepositorStatus status() const { return {parcels_, bytes_, placed_, refused_}; }
  void check_invariants() const;

 private:
  struct Item {
    std::shared_ptr<const Bytes> message;  ///< the deposit
    wire::Priority priority{};
    Instant give_up;  ///< of receipts: sent again anyway when they are asked for
    bool may_give_up = false;
    std::set<identity::PeerId> asked{};  ///< no answer yet
    std::set<identity::PeerId> stored{};
  };
  struct Recipient {
    std::map<Uuid, Item> items{};
    std::vector<identity::PeerId> candidates{};
    std::map<identity::PeerId, Instant> shunned{};
    std::set<identity::PeerId> used{};
    bool looking = false;  ///< FindMailboxes is not answered yet
    bool far = false;      ///< the candidates are more than those that the record names
    Duration interval{};
  };
  struct Neighbour {
    crypto::Ed25519PublicKey key;
    bool offers = false;
    std::size_t unanswered = 0;  ///< bytes
  };
  using Recipients = std::map<identity::PeerId, Recipient>;
  using Use = std::pair<identity::PeerId, identity::PeerId>;  ///< recipient, mailbox

  void look(Now now, const identity::PeerId& owner, Recipient& recipient, Effects& out);
  /// Whether there are enough candidates.
  bool place(Now now, const identity::PeerId& owner, Effects& out);
  bool place_item(Now now, const identity::PeerId& owner, Recipient& recipient, Item& item, Effects& out);
  void use(Now now, const identity::PeerId& owner, Recipient& recipient, const identity::PeerId& node, Effects& out);
  void shun(const identity::PeerId& owner, Recipient& recipient, const identity::PeerId& node, Instant until,
            Effects& out);
  void release(const identity::PeerId& owner, const identity::PeerId& node, Effects& out);
  void place_all(Now now, const identity::PeerId& node, Effects& out);
  void no_answer_any_more(Item& item, const identity::PeerId& node);
  void erase(Recipients::iterator recipient, std::map<Uuid, Item>::iterator item, Effects& out);

  const identity::PeerId self_;
  const Config& config_;
  Recipients recipients_;
  std::map<identity::PeerId, Neighbour> neighbours_;
  std::map<identity::PeerId, std::set<identity::PeerId>> users_;  ///< mailbox -> recipients
  DeadlineMap<Use> due_;
  DeadlineMap<identity::PeerId> look_;
  std::size_t parcels_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t placed_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace ekiden::mailbox
