// Peers that messages wait for and that cannot be reached are searched in the DHT, again and again while the messages
// wait; and a node that knows nobody in the DHT links with its bootstrap nodes, whose records tell their UDP address.
#include <algorithm>
#include <utility>

#include "node/impl.hpp"

namespace ekiden::node {

void Node::Impl::search(Now now, const identity::PeerId& peer) {
  if (!config.discovery || !wanted.contains(peer)) return;
  const auto [entry, fresh] = searches.try_emplace(peer, Search{config.search_min});
  if (fresh) search_due.set(peer, now.mono);
}

/// The DHT may have an older record than we hold: then the peer is where we could not reach it, or gone.
void Node::Impl::on_searched(Now now, const identity::PeerId& peer, const dht::LookupDone& done) {
  const auto entry = searches.find(peer);
  if (entry == searches.end()) return;
  Search& search = entry->second;
  search.is_running = false;
  search_due.set(peer, now.mono + search.interval);
  search.interval = std::min(search.interval * 2, config.search_max);
  if (done.status) return;
  router.on_unreachable(now, peer,
                        {done.status.error().code, "searching " + peer.text() + ": " + done.status.error().message});
}

void Node::Impl::end_search(const identity::PeerId& peer) {
  searches.erase(peer);
  search_due.cancel(peer);
}

void Node::Impl::search_again(Now now) {
  while (const auto peer = search_due.pop_due(now.mono)) {
    searches.at(*peer).is_running = true;
    const dht::LookupId id{++last_lookup};
    lookups.emplace(id, LookupFor{.peer = *peer});
    dht.find_peer(now, id, *peer, dht_out);
  }
}

/// Asked over UDP as well, where its key and address are known: that is one packet, and a link is many.
void Node::Impl::propose_bootstrap_node(Now now, const BootstrapNode& node) {
  for (const identity::Endpoint& endpoint : node.endpoints) {
    const auto address = endpoint.address();
    if (endpoint.transport != identity::Endpoint::Transport::udp || !address || !node.public_key) continue;
    dht.on_candidate(now, {*node.public_key, {*address, endpoint.port}}, dht_out);
  }
}

void Node::Impl::join(Now now) {
  join_look.reset();
  if (!config.discovery || config.bootstrap.empty()) return;
  const bool is_in = dht.status().nodes > 0;
  for (const BootstrapNode& node : config.bootstrap) {
    if (node.id == self.id()) continue;
    const bool is_joining = joining.contains(node.id);
    if (!is_in && !is_joining) {
      joining.insert(node.id);
      links.want(now, node.id, without_udp(node.endpoints), std::nullopt, link_out);
      propose_bootstrap_node(now, node);
    } else if (is_in && is_joining) {
      joining.erase(node.id);
      if (!wanted.contains(node.id)) links.unwant(now, node.id);
    }
  }
  join_look = now.mono + config.join_interval;
}

}  // namespace ekiden::node
