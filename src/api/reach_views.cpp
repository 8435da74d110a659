// The views of reaching peers: what is known of one, what a probe found, the nodes of discovery, and how others reach
// us.
#include <algorithm>

#include "api/views.hpp"

namespace ekiden::api {
namespace {

Json named(const identity::PeerId& peer, const identity::ContactBook& contacts) {
  Json json = {{"peer", peer.text()}};
  if (const auto* contact = contacts.find(peer)) json["name"] = contact->petname;
  return json;
}

Json texts_of(const std::vector<identity::Endpoint>& endpoints) {
  Json list = Json::array();
  for (const auto& endpoint : endpoints) list.push_back(endpoint.text());
  return list;
}

Json discovered_view(const bootstrap::NodeStatus& status, Now now, const identity::ContactBook& contacts) {
  Json json = named(status.node, contacts);
  json["endpoints"] = texts_of(status.endpoints);
  if (!status.source.empty()) json["source"] = status.source;
  if (status.signer) json["signer"] = status.signer->text();
  json["depth"] = status.depth;
  json["score"] = status.score;
  json["up"] = status.up;
  json["probing"] = status.probing;
  json["failures"] = status.failures;
  if (status.latency.count() > 0) json["latency_us"] = status.latency.count();
  if (status.last_reached) json["last_reached"] = iso_time(*status.last_reached);
  if (status.next_probe) {
    const auto wait = std::max(Duration(0), *status.next_probe - now.mono);
    json["next_probe_ms"] = std::chrono::duration_cast<milliseconds>(wait).count();
  }
  if (!status.last_error.empty()) json["last_error"] = status.last_error;
  return json;
}

}  // namespace

Json peer_view(const Backend& backend, const identity::PeerId& peer) {
  Json json = named(peer, backend.contacts());
  if (const auto* contact = backend.contacts().find(peer)) json["endpoints"] = texts_of(contact->endpoints);
  const auto neighbours = backend.lan_peers();
  const auto heard = std::ranges::find(neighbours, peer, &node::LanPeer::peer);
  if (heard != neighbours.end()) json["lan"] = texts_of(heard->endpoints);
  if (const auto record = backend.peer_record(peer)) json["record"] = record_view(*record);
  const auto links = backend.status().links;
  json["linked"] = std::ranges::any_of(links, [&](const auto& link) { return link.peer == peer; });
  json["self"] = peer == backend.id();
  return json;
}

Json probe_view(const node::PeerProbed& probed, const identity::ContactBook& contacts) {
  Json json = named(probed.peer, contacts);
  json["endpoint"] = probed.endpoint.text();
  json["reachable"] = probed.result.has_value();
  if (!probed.result) {
    json["problem"] = problem_view(probed.result.error());
    return json;
  }
  const node::Reachable& found = *probed.result;
  json["round_trip_us"] = microseconds_of(found.round_trip);
  if (found.address) json["address"] = found.address->text();
  if (found.version != 0) json["version"] = found.version;
  if (found.record) json["record"] = record_view(*found.record);
  return json;
}

Json own_endpoints_view(const node::NodeStatus& status, Now now) {
  Json list = Json::array();
  for (const reachability::EndpointStatus& endpoint : status.endpoints) {
    const bool is_published =
        endpoint.state == reachability::State::verified || endpoint.state == reachability::State::declared;
    Json json = {{"endpoint", endpoint.endpoint.text()},
                 {"source", reachability::source_name(endpoint.source)},
                 {"state", reachability::state_name(endpoint.state)},
                 {"published", is_published}};
    if (endpoint.verified_at) json["verified"] = iso_time(*endpoint.verified_at);
    if (!endpoint.last_error.empty()) json["why"] = endpoint.last_error;
    if (endpoint.refused_by) json["said_by"] = endpoint.refused_by->text();
    if (endpoint.next_check) {
      const auto wait = std::max(Duration(0), *endpoint.next_check - now.mono);
      json["next_check_ms"] = std::chrono::duration_cast<milliseconds>(wait).count();
    }
    list.push_back(std::move(json));
  }
  return list;
}

Json bootstrap_view(const Backend& backend) {
  const auto all = backend.bootstrap_status();
  Json json = {{"discovery", backend.status().discovery}, {"nodes_total", all.size()}};
  json["nodes"] = Json::array();
  for (const auto& status : all) {
    if (json["nodes"].size() == kMaxListed) break;
    json["nodes"].push_back(discovered_view(status, backend.now(), backend.contacts()));
  }
  return json;
}

}  // namespace ekiden::api
