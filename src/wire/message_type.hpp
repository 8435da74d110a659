// The kinds of message that neighbours exchange: the first byte of a message frame, before its CBOR map.
//
// Each engine owns the messages it handles; only their numbers meet here, so that none is given twice.
#pragma once

#include <cstdint>

namespace ekiden::wire {

enum class MessageType : std::uint8_t {
  error = 0,                 ///< node: your message was not understood (unknown type, malformed)
  record = 1,                ///< node: my PeerRecord has changed
  envelope = 2,              ///< router: an end-to-end encrypted message on its way
  receipt = 3,               ///< router: signed by the recipient: these messages were delivered
  refusal = 4,               ///< router: these messages were not accepted now, and why
  session_reset = 5,         ///< session: I cannot decrypt under this session: start a new one
  list_request = 6,          ///< node: send me your bootstrap list. No body; what a later version may add is ignored
  list = 7,                  ///< node: the bootstrap list that I have signed (bootstrap/list.hpp), not a map
  observed = 8,              ///< node: the address from which your link comes
  dial_back = 9,             ///< node: dial this endpoint of mine, and say whether you found me there
  dial_back_answer = 10,     ///< node: what came of it
  deposit = 16,              ///< mailbox: keep this parcel for somebody
  stored = 17,               ///< mailbox: signed: these parcels are on my disk (mailbox/statement.hpp)
  not_stored = 18,           ///< mailbox: I do not keep this parcel, and why
  collect = 19,              ///< mailbox: give me what you keep for me
  parcel = 20,               ///< mailbox: here is one
  collected = 21,            ///< mailbox: these are on my disk
  packet = 24,               ///< relay: hand this on, or it is for you
  taken = 25,                ///< relay: these packets are on my disk
  not_taken = 26,            ///< relay: I do not take this packet, and why
  topic_join = 32,           ///< gossip: be my neighbour in a topic, and tell others of me
  topic_forward_join = 33,   ///< gossip: somebody has joined
  topic_neighbour = 34,      ///< gossip: be my neighbour
  topic_answer = 35,         ///< gossip: whether I am
  topic_disconnect = 36,     ///< gossip: I am your neighbour no longer
  topic_shuffle = 37,        ///< gossip: members whom I know, on a random walk
  topic_shuffle_reply = 38,  ///< gossip: others, for those
  topic_gossip = 39,         ///< gossip: something that was published
  topic_announce = 40,       ///< gossip: what I could send
  topic_graft = 41,          ///< gossip: send it
  topic_prune = 42,          ///< gossip: send nothing, announce it
  topic_recall = 43,         ///< gossip: announce again what you have
  realm_hello = 46,          ///< realm: which realms I am in, as far as you are
  realm_message = 47,        ///< node: a message of another type, for a realm that both are in
  registry_ask = 48,         ///< registry: what is at these places of your replica?
  registry_places = 49,      ///< registry: digests of what is there
  registry_want = 50,        ///< registry: send me these entries, and say which of mine you want
  registry_entries = 51,     ///< registry: entries, asked for or new
  partition_heartbeat = 52,  ///< partition: I am here, and hear you
  partition_statement = 53,  ///< partition: signed: I am here, and these neighbours of mine are silent (a COSE_Sign1)
};

/// Whether a message that begins with this shows that somebody has a use for the link. What only watches over links, or
/// goes to whoever happens to be linked (replicas are compared with all neighbours), does not keep them: every link
/// that there ever was would stay.
constexpr bool is_use(std::uint8_t first) {
  const auto type = static_cast<MessageType>(first);
  return type < MessageType::realm_message || type > MessageType::partition_statement;
}

}  // namespace ekiden::wire
