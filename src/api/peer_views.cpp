// The views of discovery: nodes of the DHT, and searches in it.
#include "api/base64.hpp"
#include "api/views.hpp"

namespace ekiden::api {
namespace {

Json peer_of(const identity::PeerId& peer, const identity::ContactBook& contacts) {
  Json json = {{"peer", peer.text()}};
  if (const auto* contact = contacts.find(peer)) json["name"] = contact->petname;
  return json;
}

std::string_view direction_name(bool begun_by_us) { return begun_by_us ? "out" : "in"; }

/// Since when, by the wall clock of now, and how long that is.
void put_age(Json& json, Instant since, Now now) {
  const auto age = std::chrono::duration_cast<milliseconds>(now.mono - since);
  json["since"] = iso_time(now.wall - age);
  json["age_ms"] = age.count();
}

Json datagram_session_view(const datagram::SessionStatus& session, Now now, const identity::ContactBook& contacts) {
  Json json = peer_of(session.node.id(), contacts);
  const identity::Endpoint::Transport udp = identity::Endpoint::Transport::udp;
  json["remote"] = "udp://" + session.node.at.text();
  json["transport"] = identity::transport_name(udp);
  json["direction"] = direction_name(session.begun_by_us);
  put_age(json, session.since, now);
  if (session.round_trip) json["round_trip_us"] = microseconds_of(*session.round_trip);
  return json;
}

std::string_view outcome_name(dht::StepOutcome outcome) {
  switch (outcome) {
    case dht::StepOutcome::waiting:
      return "waiting";
    case dht::StepOutcome::answered:
      return "answered";
    case dht::StepOutcome::failed:
      return "failed";
  }
  return "";
}

Json step_view(const dht::Step& step, const identity::ContactBook& contacts) {
  Json json = peer_of(step.node, contacts);
  json["at"] = "udp://" + step.at.text();
  json["path"] = step.path;
  json["depth"] = step.depth;
  json["outcome"] = outcome_name(step.outcome);
  json["had_value"] = step.had_value;
  if (step.outcome == dht::StepOutcome::answered) json["took_us"] = microseconds_of(step.took);
  return json;
}

}  // namespace

Json link_view(const link::LinkStatus& link, Now now, const identity::ContactBook& contacts) {
  Json json = peer_of(link.peer, contacts);
  json["remote"] = link.remote;
  json["transport"] = identity::transport_name(link.transport);
  json["direction"] = direction_name(link.initiated_by_us);
  put_age(json, link.since, now);
  if (link.round_trip) json["round_trip_us"] = microseconds_of(*link.round_trip);
  json["carries_traffic"] = link.carries_traffic;
  json["bytes_in"] = link.bytes_in;
  json["bytes_out"] = link.bytes_out;
  json["queued_bytes"] = link.queued_bytes;
  return json;
}

Json record_view(const identity::SignedRecord& signed_record) {
  const identity::PeerRecord& record = signed_record.record;
  std::vector<std::string> mailboxes;
  for (const identity::PeerId& mailbox : record.mailboxes) mailboxes.push_back(mailbox.text());
  return {{"sequence", record.sequence},
          {"issued", iso_time(record.issued_at)},
          {"expires", iso_time(record.expires_at())},
          {"endpoints", record.endpoints},
          {"capabilities", record.capabilities},
          {"mailboxes", mailboxes},
          {"signed_base64", to_base64(signed_record.signed_bytes)}};
}

namespace {

void add_trail(Json& json, const dht::Trail& trail, const identity::ContactBook& contacts) {
  json["asked"] = trail.asked;
  json["answered"] = trail.answered;
  json["failed"] = trail.failed;
  json["took_us"] = microseconds_of(trail.took);
  json["steps"] = Json::array();
  for (const dht::Step& step : trail.steps) json["steps"].push_back(step_view(step, contacts));
}

}  // namespace

Json nodes_view(const Backend& backend) {
  const auto status = backend.status();
  Json json = {{"discovery", status.discovery}, {"nodes_total", status.dht.nodes}};
  json["nodes"] = Json::array();
  for (const identity::NodeInfo& node : backend.known_nodes(kMaxListed)) {
    Json entry = peer_of(node.id(), backend.contacts());
    entry["at"] = "udp://" + node.at.text();
    json["nodes"].push_back(std::move(entry));
  }
  const Now now = backend.now();
  json["links"] = Json::array();
  for (const link::LinkStatus& link : status.links) {
    if (json["links"].size() == kMaxListed) break;
    if (!link.carries_traffic) continue;  // One for each peer.
    json["links"].push_back(link_view(link, now, backend.contacts()));
  }
  json["datagram_sessions"] = Json::array();
  for (const datagram::SessionStatus& session : backend.datagram_sessions(kMaxListed)) {
    json["datagram_sessions"].push_back(datagram_session_view(session, now, backend.contacts()));
  }
  json["lan"] = Json::array();
  for (const node::LanPeer& peer : backend.lan_peers()) {
    if (json["lan"].size() == kMaxListed) break;
    Json entry = peer_of(peer.peer, backend.contacts());
    entry["endpoints"] = Json::array();
    for (const identity::Endpoint& endpoint : peer.endpoints) entry["endpoints"].push_back(endpoint.text());
    json["lan"].push_back(std::move(entry));
  }
  return json;
}

Json lookup_view(const node::PeerFound& found, const identity::ContactBook& contacts) {
  Json json = peer_of(found.peer, contacts);
  json["found"] = found.record.has_value();
  if (found.record) {
    json["record"] = record_view(*found.record);
  } else {
    json["problem"] = problem_view(found.record.error());
  }
  add_trail(json, found.trail, contacts);
  return json;
}

Json owners_view(const node::CapabilityFound& found, const identity::ContactBook& contacts) {
  Json json = {{"capability", found.capability}, {"owners", Json::array()}};
  if (found.owners) {
    for (const auto& [announcement, signed_bytes] : *found.owners) {
      Json owner = peer_of(announcement.owner(), contacts);
      owner["capability"] = announcement.capability;
      owner["announced"] = iso_time(announcement.issued_at);
      owner["expires"] = iso_time(announcement.expires_at());
      json["owners"].push_back(std::move(owner));
    }
  } else {
    json["problem"] = problem_view(found.owners.error());
  }
  add_trail(json, found.trail, contacts);
  return json;
}

Json offers_view(const Backend& backend) {
  const auto status = backend.status();
  Json json = {{"discovery", status.discovery}, {"nodes_total", status.dht.nodes}, {"capabilities", Json::array()}};
  for (const node::Offer& offer : backend.offers()) {
    json["capabilities"].push_back(
        {{"capability", offer.capability}, {"of", offer.of_entry ? "registry" : "owner"}, {"holders", offer.holders}});
  }
  return json;
}

}  // namespace ekiden::api
