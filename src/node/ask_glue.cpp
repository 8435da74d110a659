// Questions and messages to capabilities meet the router, the links and the DHT.
#include <utility>

#include "node/impl.hpp"

namespace ekiden::node {
namespace {

constexpr std::size_t kOwners = 20;  // that a search for somebody to ask looks for

}  // namespace

void Node::Impl::on_ask_effect(Now now, router::AskEffect effect) {
  std::visit(Overloaded{
                 [&](const router::FindOwners& request) { find_owners(now, request); },
                 [&](const router::Reach& request) {
                   if (request.wanted) {
                     want(now, request.peer, by_ask);
                   } else {
                     unwant(now, request.peer, by_ask);
                   }
                 },
                 [&](router::SubmitOwn& own) { router.submit(now, own.request, std::move(own.draft), router_out); },
                 [&](const router::TakeOwn& own) { router.take(now, own.request, own.numbers, router_out); },
                 [&](router::Answered& answered) { out->push(std::move(answered)); },
                 [&](router::Placed& placed) { out->push(std::move(placed)); },
                 [&](router::AnswerDone& done) { out->push(Reply{done.request, std::move(done.result)}); },
             },
             effect);
}

/// A repetition goes where the first one went: the choice was made then.
void Node::Impl::place(Now now, PlaceMessage& request) {
  std::vector<router::Candidate> candidates;
  const auto known = request.draft.id ? router.trace(*request.draft.id) : std::nullopt;
  if (known && known->outgoing) {
    candidates.push_back(candidate_of(known->peer, request.capability));
    return asks.place_again(now, request.request, std::move(request.draft), std::move(candidates.front()), ask_out);
  }
  candidates = known_to_offer(now, request.capability, /*with_realms=*/true);
  asks.place(now, request.request, std::move(request.draft), std::move(request.capability), std::move(candidates),
             ask_out);
}

void Node::Impl::answer(Now now, AnswerQuestion& request) {
  router::ArrivedPtr message;
  if (request.number > 0) {
    const auto found = router.inbox(request.number - 1, 1);
    if (!found.empty() && found.front()->number == request.number) message = found.front();
  }
  asks.answer(now, request.request, message, std::move(request.response), ask_out);
}

void Node::Impl::show_offers(Now now) {
  std::set<std::string> names;
  for (const auto reason : {OwnCapabilities::Reason::offered, OwnCapabilities::Reason::entry}) {
    for (std::string& capability : capabilities.with(reason)) names.insert(std::move(capability));
  }
  asks.set_offers(now, std::move(names), ask_out);
}

router::Candidate Node::Impl::candidate_of(const identity::PeerId& peer, std::string capability) const {
  return {.peer = peer,
          .capability = std::move(capability),
          .tier = contacts.tier_of(peer),
          .round_trip = links.round_trip(peer)};
}

std::vector<router::Candidate> Node::Impl::known_to_offer(Now now, const std::string& capability, bool with_realms) {
  std::vector<router::Candidate> found;
  if (capability.empty()) return found;
  for (const auto& [peer, neighbour] : neighbours) {
    const identity::PeerRecord* known = record_of(peer);
    if (known == nullptr) continue;
    for (const std::string& offered : known->capabilities) {
      if (!identity::is_capability(offered) || !router::covers(offered, capability)) continue;
      found.push_back(candidate_of(peer, offered));
      break;
    }
  }
  add_listed(now, capability, with_realms, found);
  return found;
}

void Node::Impl::find_owners(Now now, const router::FindOwners& request) {
  if (!takes_part()) return asks.on_owners(now, request.id, discovery_is_off(), ask_out);
  const dht::LookupId id = lookups.begin(LookupFor{.capability = request.capability, .ask = request.id});
  dht.find_capability(now, id, request.capability, kOwners, dht_out);
}

void Node::Impl::on_ask_owners(Now now, router::AskId ask, dht::LookupDone done) {
  if (!done.status) return asks.on_owners(now, ask, std::unexpected(done.status.error()), ask_out);
  std::vector<router::Candidate> owners;
  for (const auto& [announcement, bytes] : done.announcements) {
    if (announcement.owner() != self.id())
      owners.push_back(candidate_of(announcement.owner(), announcement.capability));
  }
  asks.on_owners(now, ask, std::move(owners), ask_out);
}

}  // namespace ekiden::node
