// Which of our endpoints may be published: those that peers have reached.
//
// Inputs: endpoints that the owner configured, that a router maps to us, at which peers see us; peers that can be asked
// to dial back; their answers; the row of the disk; time. Outputs: Question (the driver sends it over the link),
// NeedPeer, Changed (publish endpoints() anew), Write, Notice. Timers: the next check of each endpoint, the end of each
// question. Randomness: jitter, and who is asked.
//
// How it goes. Each endpoint is a candidate until peers have dialled it back and found us there; then it is verified,
// checked again every `verify_interval`, and lost when several peers in a row do not reach it. What was verified is
// remembered for `good_for`, so that a node that restarts publishes at once and checks afterwards.
//
// Bounds: those of reachability/config.hpp. A candidate has at most one question under way, and all together
// `questions_per_minute`.
//
// Rules, and the attack that each stops:
//  1. An observed address becomes a candidate when `votes` voters (address prefixes; peers on a private network) see us
//     there, and is verified when as many voters have reached it. (One liar, or one host with many identities, that
//     makes us publish an address of its choice; see reachability/votes.hpp.)
//  2. A verified endpoint is lost after `failures` distinct peers in a row that do not reach it. (One liar that
//     takes us off the network.) Who has failed is asked again last.
//  3. Addresses that strangers may not dial are no candidates (identity::may_dial), but on a private network. (Nobody
//     could use them, and they tell of the network behind us.)
//  4. An observed candidate that is not verified goes when its votes do; verified ones go only to checks. (Churning
//     votes that push out what works.)
//  5. Refusals and silence say nothing about an endpoint: another peer is asked, and this one rests.
//  6. For a datagram endpoint, peers to whose address we have sent nothing are asked first. (A router lets in
//     those to whom we have spoken, and drops everybody else.)
//
//  7. A name, in place of an address, is verified like an address: who is asked resolves it, and dials it only where it
//     sees us. Names for datagrams are no candidates, for nobody resolves them. (A name of ours that leads to
//     a third party, or to the network behind who believes us.)
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/deadline_map.hpp"
#include "base/outbox.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"
#include "identity/node_info.hpp"
#include "reachability/config.hpp"
#include "reachability/events.hpp"
#include "reachability/votes.hpp"

namespace ekiden::reachability {

class Reachability {
 public:
  using Effect = std::variant<Question, NeedPeer, Changed, Write, Notice>;
  /// Whether we have sent datagrams to this address.
  using HasSentTo = std::function<bool(const identity::IpAddress&)>;

  Reachability(Config config, Rng rng, HasSentTo has_sent_to = {});
  Reachability(const Reachability&) = delete;
  Reachability& operator=(const Reachability&) = delete;

  // Before start().

  /// Restores the value of the row kRowName. Errors: storage_corrupt.
  Status load(ByteView row);
  /// What the owner says others may dial; over Config::max_candidates the last are dropped.
  void set_configured(std::vector<identity::Endpoint> endpoints);
  /// Where this node listens: the ports of observed addresses.
  void set_listening(std::vector<identity::Endpoint> endpoints);

  /// Call once. endpoints() has then what is remembered as verified.
  void start(Now now, Outbox<Effect>& out);

  // Inputs, after start().

  /// There is a link to a peer that answers questions. Again for the same: its address is another now.
  void on_peer_up(Now now, const Observer& peer, Outbox<Effect>& out);
  void on_peer_down(Now now, const identity::PeerId& peer, Outbox<Effect>& out);

  /// Over a link: of the address only the host counts.
  void on_observed_link(Now now, const Observer& by, const identity::IpAddress& address, Outbox<Effect>& out);
  /// In answer to a datagram.
  void on_observed_datagram(Now now, const Observer& by, const identity::SocketAddress& address, Outbox<Effect>& out);

  /// A router forwards what it gets at the endpoint to us, or no longer.
  void on_mapped(Now now, const identity::Endpoint& endpoint, Outbox<Effect>& out);
  void on_mapping_lost(Now now, const identity::Endpoint& endpoint, Outbox<Effect>& out);

  /// `detail`: for people. False if the peer was not asked this, or too long ago.
  bool on_answer(Now now, QuestionId question, const identity::PeerId& from, Verdict verdict, std::string detail,
                 Outbox<Effect>& out);

  std::optional<Instant> deadline() const;
  void on_deadline(Now now, Outbox<Effect>& out);

  // Queries.

  /// What may be published: configured first, then mapped, then observed.
  std::vector<identity::Endpoint> endpoints() const;
  /// In the same order, all.
  std::vector<EndpointStatus> status() const;
  std::size_t asking() const { return questions_.size(); }

  void check_invariants() const;

 private:
  using Effects = Outbox<Effect>;

  struct Candidate {
    Source source{};
    State state = State::candidate;
    std::uint64_t order = 0;  ///< Of its coming.
    bool may_be_asked = true;
    std::optional<WallTime> verified_at = {};
    Instant good_until{};                              ///< If it is verified.
    std::set<Voter> reached_by = {};                   ///< Since it was last not verified; at most Config::votes.
    std::map<identity::PeerId, Voter> failed_by = {};  ///< In a row; at most Config::failures.
    std::map<identity::PeerId, Instant> resting = {};  ///< Peers not to be asked before then; only such as are up.
    std::uint32_t failures = 0;                        ///< In a row, for the back-off.
    std::uint32_t unanswered = 0;                      ///< Questions in a row that were refused or not answered.
    std::uint32_t starved = 0;                         ///< Checks in a row for which no peer was there.
    std::optional<QuestionId> asking = {};
    std::string last_error = {};
    std::optional<identity::PeerId> refused_by = {};
  };
  using Candidates = std::map<identity::Endpoint, Candidate>;
  using Item = Candidates::value_type;

  struct Peer {
    std::optional<identity::IpAddress> address = {};
    std::optional<identity::IpAddress> sees = {};  ///< Where it said that it sees us.
  };
  struct Asked {
    identity::Endpoint endpoint;
    identity::PeerId peer;
  };

  // candidates.cpp: which endpoints there are.
  void add(Now now, const identity::Endpoint& endpoint, Source source, Effects& out);
  void remove(const identity::Endpoint& endpoint, Effects& out);
  bool has_room_for_observed() const;
  bool make_room_for_observed();
  void observe(Now now, const Observer& by, Votes& votes, const identity::SocketAddress& address, Effects& out);
  std::vector<identity::Endpoint> endpoints_at(const identity::IpAddress& address) const;
  std::size_t votes_for(const identity::Endpoint& endpoint) const;
  void add_observed(Now now, const identity::SocketAddress& address, Effects& out);
  void drop_outvoted(Effects& out);
  void doubt_outvoted(Now now);
  void recall(Now now, const identity::Endpoint& endpoint, Candidate& candidate) const;
  bool is_fresh(Now now, WallTime verified_at) const;
  void remember(Effects& out) const;
  bool is_allowed(const identity::IpAddress& address) const;
  Voter voter(const identity::PeerId& peer, const std::optional<identity::IpAddress>& address) const;
  std::vector<const Item*> in_order() const;

  // questions.cpp: whom to ask, and what the answers mean.
  void pump(Now now, Effects& out);
  void ask(Now now, Item& item, Effects& out);
  std::optional<identity::PeerId> choose(Now now, const Item& item);
  std::optional<unsigned> rank(Now now, const Item& item, const identity::PeerId& id, const Peer& peer) const;
  bool spend_question(Instant now);
  void end_question(std::map<QuestionId, Asked>::iterator asked);
  void reached(Now now, Item& item, const identity::PeerId& by, Effects& out);
  void not_reached(Now now, Item& item, const identity::PeerId& by, std::string detail, Effects& out);
  void not_answered(Now now, Item& item, const identity::PeerId& by, std::string detail);
  Item* item_of(const identity::Endpoint& endpoint);
  void lose(Item& item, State state, const std::string& why, Effects& out);
  Duration back_off(std::uint32_t failures);

  const Config config_;
  Rng rng_;
  const HasSentTo has_sent_to_;
  std::vector<identity::Endpoint> configured_;
  std::vector<identity::Endpoint> listening_;
  std::map<identity::Endpoint, std::pair<Source, WallTime>> remembered_;  ///< Of the disk.
  Candidates candidates_;
  std::map<identity::PeerId, Peer> peers_;
  Votes link_votes_;
  Votes datagram_votes_;
  std::map<QuestionId, Asked> questions_;
  DeadlineMap<QuestionId> timeouts_;
  DeadlineMap<identity::Endpoint>
      checks_;                     ///< Of every candidate that may be asked about and is not being asked about.
  std::optional<Instant> minute_;  ///< When the count of questions began.
  std::size_t asked_in_minute_ = 0;
  std::uint64_t last_question_ = 0;
  std::uint64_t last_order_ = 0;
  bool started_ = false;
};

}  // namespace ekiden::reachability
