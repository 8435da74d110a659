// Peers that messages wait for and that cannot be reached are searched in the DHT, again and again while the messages
// wait.
#include <algorithm>
#include <utility>

#include "node/impl.hpp"

namespace ekiden::node {

void Node::Impl::search(Now now, const identity::PeerId& peer) {
  if (!takes_part() || !wanted.contains(peer)) return;
  // Mailboxes and relays have others in their place: under churn most of all searches would be for those that are away.
  const bool is_spare = (wanted.at(peer) & (by_router | by_ask)) == 0;
  const auto [entry, fresh] = searches.all.try_emplace(peer);
  Search& search = entry->second;
  if (!fresh && (is_spare || !search.is_spare)) return;
  search.interval = is_spare ? config.search_spare : config.search_min;
  search.is_spare = is_spare;
  if (!search.is_running) searches.due.set(peer, now.mono);
}

/// The DHT may have an older record than we hold: then the peer is where we could not reach it, or gone.
void Node::Impl::on_searched(Now now, const identity::PeerId& peer, const dht::LookupDone& done) {
  const auto entry = searches.all.find(peer);
  if (entry == searches.all.end()) return;
  Search& search = entry->second;
  search.is_running = false;
  searches.due.set(peer, now.mono + search.interval);
  search.interval = std::min(search.interval * 2, config.search_max);
  if (done.status) return;
  gossip.on_unreachable(now, peer, gossip_out);
  asks.on_unreachable(now, peer, ask_out);
  router.on_unreachable(now, peer,
                        {done.status.error().code, "searching " + peer.text() + ": " + done.status.error().message});
}

void Node::Impl::end_search(const identity::PeerId& peer) {
  searches.all.erase(peer);
  searches.due.cancel(peer);
}

void Node::Impl::search_again(Now now) {
  while (const auto peer = searches.due.pop_due(now.mono)) {
    searches.all.at(*peer).is_running = true;
    const dht::LookupId id = lookups.begin(LookupFor{.peer = *peer});
    dht.find_peer(now, id, *peer, dht_out, lan_node(*peer));
  }
}

}  // namespace ekiden::node
