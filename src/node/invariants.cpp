// What holds between any two inputs.
#include "base/check.hpp"
#include "node/impl.hpp"

namespace ekiden::node {

void Node::check_invariants() const {
  impl_->links.check_invariants();
  impl_->sessions.check_invariants();
  impl_->router.check_invariants();
  impl_->asks.check_invariants();
  impl_->contacts.check_invariants();
  impl_->datagrams.check_invariants();
  impl_->dht.check_invariants();
  impl_->bootstrap.check_invariants();
  impl_->reachability.check_invariants();
  impl_->lan.check_invariants();
  impl_->keeper.check_invariants();
  impl_->depositor.check_invariants();
  impl_->collector.check_invariants();
  impl_->relay.check_invariants();
  impl_->gossip.check_invariants();
  if (impl_->open_registry.registry) impl_->open_registry.registry->check_invariants();
  impl_->realms.members.check_invariants();
  for (const auto& [name, held] : impl_->realms.held) {
    CHECK(held.realm.name == name && static_cast<std::uint32_t>(held.stay) <= impl_->realms.last_stay);
    if (held.registry.registry) held.registry.registry->check_invariants();
  }
  if (impl_->watch.detector) impl_->watch.detector->check_invariants();
  CHECK(impl_->link_out.empty() && impl_->session_out.empty() && impl_->router_out.empty() && impl_->ask_out.empty());
  CHECK(impl_->datagram_out.empty() && impl_->dht_out.empty() && impl_->bootstrap_out.empty());
  CHECK(impl_->reachability_out.empty() && impl_->lan_out.empty() && impl_->mailbox_out.empty());
  CHECK(impl_->gossip_out.empty() && impl_->open_registry.out.empty() && impl_->watch.out.empty() &&
        impl_->realms.is_settled() && impl_->relay_out.empty() &&
        impl_->relay.needs_flush() == impl_->relay_flush_at.has_value());
  CHECK(impl_->attempts.requested + impl_->dial_backs.running <=
        impl_->attempts.dials.size() + impl_->attempts.pings.size());
  for (const auto& [peer, search] : impl_->searches.all) {
    CHECK(impl_->wanted.contains(peer) && search.is_running != impl_->searches.due.at(peer).has_value());
  }
  CHECK(impl_->batch.empty() && !impl_->persist_wanted);
  CHECK(impl_->in_flight.empty() || impl_->in_flight.back().token == store::PersistToken{impl_->last_token});
}

}  // namespace ekiden::node
