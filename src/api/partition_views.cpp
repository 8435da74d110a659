// Whether the network is whole, in JSON.
#include "api/views.hpp"

namespace ekiden::api {
namespace {

std::int64_t in_ms(Duration time) { return std::chrono::duration_cast<milliseconds>(time).count(); }

Json peers_view(const std::vector<identity::PeerId>& peers, const identity::ContactBook& contacts) {
  Json list = Json::array();
  for (const identity::PeerId& peer : peers) {
    Json json = {{"peer", peer.text()}};
    if (const auto* contact = contacts.find(peer)) json["name"] = contact->petname;
    list.push_back(std::move(json));
  }
  return list;
}

Json change_view(const partition::Changed& changed, const identity::ContactBook& contacts) {
  Json json = {{"state", partition::state_name(changed.state)},
               {"since", iso_time(changed.wall)},
               {"reason", partition::reason_name(changed.reason)},
               {"here", changed.here},
               {"away", changed.away},
               {"other_side", peers_view(changed.listed, contacts)}};
  if (changed.healed) {
    json["healed"] = {{"split_for_ms", in_ms(changed.healed->split_for)},
                      {"took_ms", in_ms(changed.healed->took)},
                      {"away", changed.healed->away_most},
                      {"back", changed.healed->back},
                      {"merged", changed.healed->merged},
                      {"conflicts", changed.healed->conflicts}};
  }
  return json;
}

}  // namespace

Json partition_view(const Backend& backend) {
  const node::NetworkStatus network = backend.network();
  Json json = {{"watched", network.is_watched}};
  if (!network.is_watched) return json;
  const partition::DetectorStatus& counts = network.counts;
  json["state"] = partition::state_name(counts.last.state);
  json["since"] = iso_time(counts.last.wall);
  json["reason"] = partition::reason_name(counts.last.reason);
  json["here"] = counts.members + 1 - counts.away;
  json["away"] = counts.away;
  json["missing"] = counts.missing;
  json["neighbours"] = counts.neighbours;
  json["neighbours_well"] = counts.well;
  json["other_side"] = peers_view(network.away, backend.contacts());
  json["history"] = Json::array();
  for (const partition::Changed& changed : network.history) {
    json["history"].push_back(change_view(changed, backend.contacts()));
  }
  return json;
}

Json partition_event(const node::NetworkChanged& changed, const identity::ContactBook& contacts) {
  Json json = change_view(changed, contacts);
  json["kind"] = "partition";
  return json;
}

}  // namespace ekiden::api
