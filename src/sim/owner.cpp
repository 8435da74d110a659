// The owner of a simulated machine, who is asked about strangers. What was decided once is decided: a node that forgets
// it in a crash is told again when the stranger's messages show up again.
#include "sim/machine.hpp"

namespace ekiden::sim {

void Machine::watch_contact_requests() {
  if (!app_.first_contact) return;
  shared_.schedule.after(rng_.between(Duration(0), app_.owner_delay_max), [this, boot = boots_] {
    if (boot != boots_ || node_ == nullptr) return;
    judge_contact_requests();
    watch_contact_requests();
  });
}

void Machine::judge_contact_requests() {
  for (const router::Waiting& stranger : node_->contact_requests()) {
    const HostIndex from = shared_.hosts.at(stranger.peer);
    const auto [verdict, is_new] = verdicts_.try_emplace(stranger.peer, rng_.below(100) >= app_.block_percent);
    if (verdict->second) {
      add_contact("host" + std::to_string(from), stranger.peer, {});
    } else {
      shared_.ledger.blocked(host_, from);
      feed(node::BlockPeer{next_request(), stranger.peer, true});
    }
  }
}

}  // namespace ekiden::sim
