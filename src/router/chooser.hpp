// Choosing one peer among those that offer a capability: the best one that can be reached.
//
// Inputs: begin, again (the one that was chosen will not do), owners found, links up and down, dials that failed, time.
// Outputs: FindOwners and Reach in the caller's outbox; whom it chose, through take_chosen(). Timers: the next step of
// each choice.
//
// A choice goes:
//   1. Those that are known to offer it: neighbours, by their records, and owners of entries in registries. If the best
//   of them has not failed lately it is chosen at once: a
//      question over an open link waits for no search.
//   2. Otherwise the owners are searched, and all candidates are ranked (router/providers.hpp).
//   3. From the best down: one with a link is chosen; to one without, a link is tried. The next candidate follows when
//      that has failed, or after kStep while it goes on. The first with a link is chosen.
//   4. When none could be reached, or after kReachMax, the best is chosen without a link: there may be other ways to
//      it, and it may come back before the message expires.
//
// Bounds: kMaxCandidates for each choice; the caller bounds the choices. Invariants: a link is wanted of a peer as long
// as some choice tries it; a choice that waits for something has a deadline.
#pragma once

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/deadline_map.hpp"
#include "router/providers.hpp"
#include "router/question.hpp"

namespace ekiden::router {

class Chooser {
 public:
  static constexpr std::size_t kMaxCandidates = 32;
  static constexpr Duration kStep = seconds(1);
  static constexpr Duration kReachMax = seconds(10);

  struct Chosen {
    AskId id;
    Result<Candidate> candidate;  ///< errors: not_found, and those of the search
    bool linked = false;
  };

  explicit Chooser(Rng rng) : rng_(std::move(rng)) {}

  /// REQUIRES: no choice of this id is under way.
  void begin(Now now, AskId id, std::string capability, std::vector<Candidate> neighbours, AskEffects& out);
  /// The next best after the one that was chosen.
  void again(Now now, AskId id, const identity::PeerId& without, AskEffects& out);
  /// The choice is not needed any more; harmless for an unknown id.
  void end(AskId id, AskEffects& out);
  bool knows(AskId id) const { return choices_.contains(id); }
  bool is_linked(const identity::PeerId& peer) const { return links_.contains(peer); }

  void on_owners(Now now, AskId id, Result<std::vector<Candidate>> owners, AskEffects& out);
  void on_link_up(Now now, const identity::PeerId& peer, AskEffects& out);
  void on_link_down(const identity::PeerId& peer) { links_.erase(peer); }
  void on_unreachable(Now now, const identity::PeerId& peer, AskEffects& out);

  std::vector<Chosen> take_chosen() { return std::exchange(chosen_, {}); }
  Providers& providers() { return providers_; }

  std::optional<Instant> deadline() const { return steps_.earliest(); }
  void on_deadline(Now now, AskEffects& out);

  void check_invariants() const;

 private:
  struct Choice {
    std::string capability;
    std::vector<Candidate> candidates{};    ///< best first once ranked
    std::size_t next = 0;                   ///< of the candidates: to be tried
    std::set<identity::PeerId> trying{};    ///< links to these are wanted
    std::set<identity::PeerId> excluded{};  ///< chosen before, and no good
    Instant until{};                        ///< then without a link
    bool searching = false;
    bool searched = false;
    bool done = false;  ///< somebody is chosen
  };

  void add(Choice& choice, std::vector<Candidate> more);
  void search(Now now, AskId id, Choice& choice, AskEffects& out);
  void try_next(Now now, AskId id, Choice& choice, AskEffects& out);
  void give_up_reaching(Now now, AskId id, Choice& choice, AskEffects& out);
  void choose(AskId id, Choice& choice, Result<Candidate> candidate, bool linked, AskEffects& out);
  void reach(const identity::PeerId& peer, AskEffects& out);
  void unreach(const identity::PeerId& peer, AskEffects& out);

  Rng rng_;
  Providers providers_;
  std::set<identity::PeerId> links_;
  std::map<AskId, Choice> choices_;
  std::map<identity::PeerId, std::size_t> reaching_;  ///< by how many choices
  DeadlineMap<AskId> steps_;
  std::vector<Chosen> chosen_;
};

}  // namespace ekiden::router
