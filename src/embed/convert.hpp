// Between the public types of include/ekiden and those of the modules.
#pragma once

#include <ekiden/contact.hpp>
#include <ekiden/message.hpp>
#include <ekiden/network.hpp>
#include <ekiden/topic.hpp>
#include <ekiden/trace.hpp>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "identity/contact.hpp"
#include "node/node.hpp"
#include "router/question.hpp"
#include "router/router.hpp"

namespace ekiden::embed {

/// The value as the public API knows it, or the error.
template <class T, class Convert>
auto converted(const Result<T>& result, Convert convert) -> Result<decltype(convert(*result))> {
  if (!result) return std::unexpected(result.error());
  return convert(*result);
}

Message to_message(const router::Arrived& arrived, TrustTier tier);
Answer to_answer(const router::Answer& answer);
/// `capability`: which of ours it is for.
Request to_request(const router::Arrived& arrived, const std::string& capability);
Placement to_placement(const router::Placement& placed);
router::Question to_question(Question question);
/// What a handler answered; one that is too large becomes a failure.
router::Response to_response(Result<Reply> reply);
NetworkChange to_network_change(const node::NetworkChanged& changed);
/// The last one is how it is now.
std::vector<NetworkChange> to_network_changes(const node::NetworkStatus& network);
TopicMessage to_topic_message(const node::TopicMessage& message);
Publication to_publication(const gossip::Publication& made);
Trace to_trace(const router::Trace& trace);

/// Errors: invalid_argument, malformed (an id that is not a UUID v4).
Result<router::Draft> to_draft(OutgoingMessage message);

/// Errors: as identity::check_contact and Endpoint::parse.
Result<identity::Contact> to_contact(const std::string& name, const PeerId& id,
                                     const std::vector<std::string>& endpoints);
Contact from_contact(const identity::Contact& contact);
ContactRequest to_contact_request(const router::Waiting& stranger);

}  // namespace ekiden::embed
