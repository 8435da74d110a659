#include "router/chooser.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ekiden::router {

bool covers(std::string_view offered, std::string_view wanted) {
  return offered.starts_with(wanted) && (offered.size() == wanted.size() || offered[wanted.size()] == '/');
}

void Chooser::begin(Now now, AskId id, std::string capability, std::vector<Candidate> neighbours, AskEffects& out) {
  const auto [entry, fresh] = choices_.emplace(id, Choice{.capability = std::move(capability)});
  CHECK(fresh);
  Choice& choice = entry->second;
  add(choice, std::move(neighbours));
  providers_.rank(now, choice.candidates, links_, rng_);
  const bool is_ready = !choice.candidates.empty() && links_.contains(choice.candidates.front().peer) &&
                        !providers_.has_failed(now, choice.candidates.front().peer);
  if (is_ready) return choose(id, choice, choice.candidates.front(), true, out);
  search(now, id, choice, out);
}

void Chooser::again(Now now, AskId id, const identity::PeerId& without, AskEffects& out) {
  const auto entry = choices_.find(id);
  CHECK(entry != choices_.end());
  Choice& choice = entry->second;
  choice.done = false;
  choice.excluded.insert(without);
  std::erase_if(choice.candidates, [&](const Candidate& candidate) { return candidate.peer == without; });
  choice.next = 0;
  if (!choice.searched) return search(now, id, choice, out);
  choice.until = now.mono + kReachMax;
  try_next(now, id, choice, out);
}

void Chooser::end(AskId id, AskEffects& out) {
  const auto entry = choices_.find(id);
  if (entry == choices_.end()) return;
  for (const auto& peer : entry->second.trying) unreach(peer, out);
  steps_.cancel(id);
  choices_.erase(entry);
}

/// The first word about a peer stands: neighbours come before what a search has found.
void Chooser::add(Choice& choice, std::vector<Candidate> more) {
  for (Candidate& candidate : more) {
    if (choice.candidates.size() == kMaxCandidates) return;
    const bool is_known =
        choice.excluded.contains(candidate.peer) ||
        std::ranges::any_of(choice.candidates, [&](const Candidate& each) { return each.peer == candidate.peer; });
    if (!is_known) choice.candidates.push_back(std::move(candidate));
  }
}

void Chooser::search(Now, AskId id, Choice& choice, AskEffects& out) {
  choice.searching = true;
  out.push(FindOwners{id, choice.capability});
}

void Chooser::on_owners(Now now, AskId id, Result<std::vector<Candidate>> owners, AskEffects& out) {
  const auto entry = choices_.find(id);
  if (entry == choices_.end() || !entry->second.searching) return;
  Choice& choice = entry->second;
  choice.searching = false;
  choice.searched = true;
  if (owners) add(choice, std::move(*owners));
  if (choice.candidates.empty() && !owners) {
    Error why = std::move(owners).error();
    if (why.code == Errc::unsupported) why = {Errc::not_found, "no neighbour offers it, and " + why.message};
    return choose(id, choice, fail("\"" + choice.capability + "\"", std::move(why)), false, out);
  }
  providers_.rank(now, choice.candidates, links_, rng_);
  choice.until = now.mono + kReachMax;
  try_next(now, id, choice, out);
}

void Chooser::try_next(Now now, AskId id, Choice& choice, AskEffects& out) {
  if (choice.candidates.empty()) {
    return choose(id, choice, fail(Errc::not_found, "nobody is found who offers \"" + choice.capability + "\""), false,
                  out);
  }
  if (choice.next == choice.candidates.size()) {
    if (choice.trying.empty()) return give_up_reaching(now, id, choice, out);
    return steps_.set(id, choice.until);
  }
  const Candidate& candidate = choice.candidates[choice.next++];
  if (links_.contains(candidate.peer)) return choose(id, choice, candidate, true, out);
  steps_.set(id, std::min(now.mono + kStep, choice.until));
  if (choice.trying.insert(candidate.peer).second) reach(candidate.peer, out);
}

void Chooser::give_up_reaching(Now, AskId id, Choice& choice, AskEffects& out) {
  choose(id, choice, choice.candidates.front(), false, out);
}

void Chooser::choose(AskId id, Choice& choice, Result<Candidate> candidate, bool linked, AskEffects& out) {
  choice.done = true;
  steps_.cancel(id);
  for (const auto& peer : std::exchange(choice.trying, {})) unreach(peer, out);
  chosen_.push_back({id, std::move(candidate), linked});
}

void Chooser::reach(const identity::PeerId& peer, AskEffects& out) {
  if (reaching_[peer]++ == 0) out.push(Reach{.peer = peer, .wanted = true});
}

void Chooser::unreach(const identity::PeerId& peer, AskEffects& out) {
  const auto entry = reaching_.find(peer);
  if (--entry->second > 0) return;
  reaching_.erase(entry);
  out.push(Reach{.peer = peer, .wanted = false});
}

void Chooser::on_link_up(Now, const identity::PeerId& peer, AskEffects& out) {
  links_.insert(peer);
  if (!reaching_.contains(peer)) return;
  for (auto& [id, choice] : choices_) {
    if (choice.done || !choice.trying.contains(peer)) continue;
    const auto candidate = std::ranges::find(choice.candidates, peer, &Candidate::peer);
    if (candidate != choice.candidates.end()) choose(id, choice, *candidate, true, out);
  }
}

void Chooser::on_unreachable(Now now, const identity::PeerId& peer, AskEffects& out) {
  if (!reaching_.contains(peer)) return;
  providers_.on_failure(now, peer);
  for (auto& [id, choice] : choices_) {
    if (choice.done || choice.trying.erase(peer) == 0) continue;
    unreach(peer, out);
    try_next(now, id, choice, out);
  }
}

void Chooser::on_deadline(Now now, AskEffects& out) {
  while (const auto id = steps_.pop_due(now.mono)) {
    Choice& choice = choices_.at(*id);
    if (choice.until <= now.mono) {
      give_up_reaching(now, *id, choice, out);
    } else {
      try_next(now, *id, choice, out);
    }
  }
}

void Chooser::check_invariants() const {
  std::map<identity::PeerId, std::size_t> trying;
  for (const auto& [id, choice] : choices_) {
    for (const auto& peer : choice.trying) ++trying[peer];
    CHECK(choice.candidates.size() <= kMaxCandidates);
    CHECK(!choice.done || (choice.trying.empty() && !steps_.at(id)));
    CHECK(choice.done || choice.searching || steps_.at(id).has_value());
  }
  CHECK(trying == reaching_);
  CHECK(chosen_.empty());
}

}  // namespace ekiden::router
