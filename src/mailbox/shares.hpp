// Who may use how much of a mailbox.
//
// Counted in parcels and bytes: all of it, what strangers use together, and each depositor, each owner and each network
// (address prefix) of depositors. Rules, and why:
//   - a new identity buys nothing: a network has a share, whatever the number of identities in it;
//   - nobody fills the mailbox of one owner alone, and one owner does not fill the mailbox;
//   - a parcel between two whom the owner of this node does not know is of a stranger. Strangers have a pool of their
//     own, so that however many there are, those that the owner has named find room;
//   - whom the owner of this node trusts is bounded by the whole alone.
//
// A plain value. Invariant: every count is the sum over what was added and not removed.
#pragma once

#include <map>
#include <optional>

#include "identity/address.hpp"
#include "identity/contact.hpp"
#include "mailbox/config.hpp"
#include "mailbox/messages.hpp"

namespace ekiden::mailbox {

struct Use {
  std::size_t parcels = 0;
  std::size_t bytes = 0;
  friend bool operator==(const Use&, const Use&) = default;
};

/// Whose room a parcel takes.
struct Claim {
  identity::PeerId from;
  identity::PeerId owner;
  identity::AddressPrefix prefix;
  identity::TrustTier tier = identity::TrustTier::stranger;  ///< of depositor or owner, whoever is trusted more
  std::size_t bytes = 0;
};

class Shares {
 public:
  /// `config` outlives this.
  explicit Shares(const Config& config) : config_(config) {}

  /// Why there is no room for one more; nothing if there is.
  std::optional<RefusalReason> check(const Claim& claim) const;
  void add(const Claim& claim);
  /// REQUIRES: it was added.
  void remove(const Claim& claim);

  const Use& all() const { return all_; }
  const Use& strangers() const { return strangers_; }
  Use of_sender(const identity::PeerId& from) const { return find(by_sender_, from); }
  Use of_owner(const identity::PeerId& owner) const { return find(by_owner_, owner); }
  std::size_t owners() const { return by_owner_.size(); }

 private:
  template <class Key>
  static Use find(const std::map<Key, Use>& uses, const Key& key) {
    const auto found = uses.find(key);
    return found == uses.end() ? Use{} : found->second;
  }

  const Config& config_;
  Use all_;
  Use strangers_;
  std::map<identity::PeerId, Use> by_sender_;
  std::map<identity::PeerId, Use> by_owner_;
  std::map<identity::AddressPrefix, Use> by_prefix_;
};

}  // namespace ekiden::mailbox
