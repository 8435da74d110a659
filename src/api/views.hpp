// How the things of a node look in JSON. docs/api.md names every key; a key that is there keeps its name and meaning.
//
// Times are ISO 8601 in UTC with milliseconds; durations are whole milliseconds in keys that end in _ms; sizes are
// bytes. Peers are ids; beside an id stands the petname, where the owner gave one. A body is "body" where it is plain
// text, else "body_base64"; exactly one of the two is there. Lists in a status are cut at kMaxListed, with the full
// count beside.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "api/backend.hpp"
#include "api/json.hpp"
#include "base/time.hpp"
#include "node/input.hpp"

namespace ekiden::api {

inline constexpr std::size_t kMaxListed = 256;

/// "2026-01-31T09:05:00.250Z"
std::string iso_time(WallTime time);

/// Whole microseconds, for keys that end in _us.
std::int64_t microseconds_of(Duration duration);

std::string_view class_name(router::DeliveryClass delivery);
/// Errors: invalid_argument, listing what there is.
Result<router::DeliveryClass> parse_class(std::string_view name);
Result<wire::Priority> parse_priority(std::string_view name);
Result<router::MessageState> parse_state(std::string_view name);

/// "size", and "body" or "body_base64".
void put_body(Json& json, ByteView body);
/// Why something did not work, within an answer that did.
Json problem_view(const Error& error);
Json status_view(const Backend& backend);
Json identity_view(const Backend& backend);
/// A link, as the status and the list of peers show it.
Json link_view(const link::LinkStatus& link, Now now, const identity::ContactBook& contacts);
/// Whom this node knows: nodes of the DHT (closest first), links, sessions of datagrams, peers on the local network.
Json nodes_view(const Backend& backend);
/// What a search has found, and whom it asked.
Json lookup_view(const node::PeerFound& found, const identity::ContactBook& contacts);
/// Who offers a capability, and whom the search asked.
Json owners_view(const node::CapabilityFound& found, const identity::ContactBook& contacts);
/// What this node offers.
Json offers_view(const Backend& backend);
/// The topics that this node is a member of, and what came through each.
Json topics_view(const Backend& backend);
/// An entry of the registry as a reader sees it; `registry` has the name's other values and elements.
Json entry_view(const Backend& backend, const registry::Registry& registry, const registry::Entry& entry);
Json conflict_view(const registry::Conflict& conflict, const identity::ContactBook& contacts);
/// What a name of the registry says now; nothing if there is no such name any more.
Json entry_event(const Backend& backend, const node::EntryChanged& changed);
Json record_view(const identity::SignedRecord& signed_record);
/// What this node knows of how to reach a peer, without asking anybody.
Json peer_view(const Backend& backend, const identity::PeerId& peer);
/// What a probe of one endpoint has found.
Json probe_view(const node::PeerProbed& probed, const identity::ContactBook& contacts);
/// Our endpoints, and whether each is published.
Json own_endpoints_view(const node::NodeStatus& status, Now now);
/// Every node that discovery knows of.
Json bootstrap_view(const Backend& backend);
Json contact_view(const identity::Contact& contact);
/// A stranger whose messages wait: of these the number, and a bit of the first.
Json contact_request_view(const router::Waiting& stranger, const identity::ContactBook& contacts);
Json blocked_view(const router::Blocked& blocked, const identity::ContactBook& contacts);
/// Who was chosen for a message to a capability.
Json placement_view(const router::Placement& placed, const identity::ContactBook& contacts);
/// What was asked of whom, and the reply.
Json answer_view(const router::Answer& answer, const identity::ContactBook& contacts);
/// "message", "request", "reply" or "failure".
std::string_view purpose_name(const std::optional<router::Exchange>& exchange);
Json message_view(const router::Arrived& message, const identity::ContactBook& contacts);
/// With steps and receipt, as one message shows it, or without, as lists do.
Json trace_view(const router::Trace& trace, const identity::ContactBook& contacts, bool with_story);

/// Whether the network is whole, who is on the other side if it is not, and what it was before.
Json partition_view(const Backend& backend);

// Events, one JSON object each, told apart by "kind".

Json message_event(const router::Arrived& message, const identity::ContactBook& contacts);
Json state_event(const node::StateChanged& change, WallTime at, const identity::ContactBook& contacts);
/// Something that was published in a topic.
Json topic_event(const node::TopicMessage& message, const identity::ContactBook& contacts);
Json partition_event(const node::NetworkChanged& changed, const identity::ContactBook& contacts);
/// `why`: nullptr if the peer came, else why it went.
Json peer_event(const identity::PeerId& peer, const Error* why, const identity::ContactBook& contacts);

}  // namespace ekiden::api
