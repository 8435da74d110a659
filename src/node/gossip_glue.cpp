// Topics: links carry their messages, records say where members are, and the DHT finds members: each announces itself
// under a capability that the topic's name makes.
#include <algorithm>
#include <utility>

#include "base/encoding.hpp"
#include "node/impl.hpp"

namespace ekiden::node {
namespace {

/// Members that a search asks for: enough to try another when some are gone.
constexpr std::size_t kSoughtMembers = 16;

/// One segment: what leads to all topics would be one key for the whole network. Half of the id is enough to tell
/// topics apart, and whoever has made another that collides is no member there.
std::string member_capability(const gossip::TopicId& topic) {
  return "topic-" + to_hex(ByteView(topic.bytes).first(topic.bytes.size() / 2));
}

}  // namespace

void Node::Impl::on_gossip_effect(Now now, gossip::Effect effect) {
  std::visit(Overloaded{
                 [&](const gossip::Transmit& transmit) {
                   // What a link does not take is missed, and asked for.
                   static_cast<void>(links.send(now, transmit.to, transmit.priority, *transmit.message, link_out));
                 },
                 [&](const gossip::Want& request) {
                   if (request.wanted) {
                     want(now, request.peer, by_gossip);
                   } else {
                     unwant(now, request.peer, by_gossip);
                   }
                 },
                 [&](gossip::Met& met) {
                   if (!met.in_realm) show_to_watch(now, met.record.record);
                   learn(now, std::move(met.record), Heard::from_others);
                 },
                 [&](const gossip::FindMembers& find) { find_members(now, find.topic); },
                 [&](const gossip::ShowMember& show) { show_member(now, show); },
                 [&](gossip::Delivered& delivered) { out->push(std::move(delivered)); },
                 [&](const gossip::Heard& heard) {
                   if (!watch.detector) return;
                   watch.detector->on_heard(now, heard.publisher, heard.from, heard.at, watch.out);
                 },
                 [&](const gossip::Missing& missing) {
                   if (watch.detector) watch.detector->on_gap(now, missing.publisher);
                 },
                 [&](gossip::Published& published) {
                   const RequestId request{static_cast<std::uint64_t>(published.id)};
                   out->push(TopicPublished{request, std::move(published.result)});
                 },
                 [&](const gossip::Misbehaved& neighbour) {
                   log_limited(now, message_lines, LogLevel::warning, "gossip",
                               neighbour.peer.text() + ": " + neighbour.what);
                 },
             },
             effect);
}

/// In the DHT a member is found by its announcement.
void Node::Impl::show_member(Now now, const gossip::ShowMember& show) {
  const std::string capability = member_capability(show.topic);
  const bool is_shown = capabilities.has(capability, OwnCapabilities::Reason::topic);
  if (show.shown) {
    capabilities.add(capability, OwnCapabilities::Reason::topic);
  } else if (is_shown) {
    capabilities.remove(capability, OwnCapabilities::Reason::topic);
  }
  announce_in_time(now);
}

void Node::Impl::find_members(Now now, const gossip::TopicId& topic) {
  if (!takes_part()) return;
  const std::string capability = member_capability(topic);
  const dht::LookupId id = lookups.begin(LookupFor{.capability = capability, .topic = topic});
  dht.find_capability(now, id, capability, kSoughtMembers, dht_out);
}

void Node::Impl::on_members_found(Now now, const gossip::TopicId& topic, const dht::LookupDone& done) {
  std::vector<identity::PeerId> members;
  for (const auto& found : done.announcements) members.push_back(found.announcement.owner());
  gossip.on_members(now, topic, members, gossip_out);
}

/// The signed record of a peer that has shown it, or our own.
ByteView Node::Impl::signed_record_of(const identity::PeerId& peer) {
  if (peer == self.id()) return record;
  const identity::SignedRecord* known = newest_of(peer);
  return known == nullptr ? ByteView() : ByteView(known->signed_bytes);
}

}  // namespace ekiden::node
