// Questions: a request to a peer, or to whoever offers a capability, and the one answer that it gets.
//
// Works on top of Router: requests, replies and failures are durable messages with an Exchange, whose expiry is the
// deadline of the question. Inputs: ask, place (a message to a capability), answer (to a request in the inbox), what
// Router says of arrivals, states and own submissions, what Chooser needs. Outputs: AskEffect. Timers: the deadline of
// each question; that of each request and reply in the inbox; the steps of choices.
//
// At who asks: choosing (Chooser) -> submitting -> waiting for the reply -> answered. A failure that says "not-offered"
// makes the next candidate the one that is asked; every other failure is the answer. A question that its deadline ends
// says how far it came. Questions live in memory: a node that crashes forgets whom it asked, and what comes then stays
// in the inbox until its deadline.
//
// At who answers: a request for what the node offers waits in the inbox, for whoever reads requests of that capability.
// One for what it does not offer is refused at once, also when an offer is withdrawn meanwhile: the one who asks can
// turn to somebody else. The id of a reply follows from that of its request (reply_id), and a request is taken only
// after its reply was accepted: a crash in between repeats the request, and the reply of the first time stands.
//
// Rules, and why:
//   - a reply counts only from whom the request went to. (Anybody may know an id.)
//   - requests and replies leave the inbox when their deadline is over. (What nobody reads must not fill it.) The
//     deadline is measured from the arrival by the time that the sender gave, so that clocks may differ.
//
// Bounds: kMaxAsks questions under way; the rest follows the quotas of the inbox.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/deadline_map.hpp"
#include "router/chooser.hpp"
#include "router/question.hpp"

namespace ekiden::router {

/// Types of failures that nodes give themselves.
inline constexpr std::string_view kNotOffered = "not-offered";

/// The same for every attempt to answer a request: the second finds the first.
MessageId reply_id(const Arrived& request, const identity::PeerId& self);

class Asks {
 public:
  static constexpr std::size_t kMaxAsks = 4096;
  static constexpr std::size_t kMaxFailureText = 2048;  ///< of the body of a failure, in an error

  Asks(const identity::PeerId& self, Rng rng) : self_(self), chooser_(rng.split()), rng_(std::move(rng)) {}

  // The application.

  /// Answered by Answered. `neighbours`: peers that are known to offer the capability; empty for a question to a
  /// peer. Errors: as Answered; invalid_argument; limit_exceeded.
  void ask(Now now, RequestId request, Question question, std::vector<Candidate> neighbours, AskEffects& out);
  /// Chooses who gets this draft among those who offer the capability. Answered by Placed, within about
  /// Chooser::kReachMax after the search is over.
  void place(Now now, RequestId request, Draft draft, std::string capability, std::vector<Candidate> neighbours,
             AskEffects& out);
  /// The same for a draft whose id was placed before: to the peer that was chosen then.
  void place_again(Now now, RequestId request, Draft draft, Candidate chosen, AskEffects& out);
  /// `request_message`: what the inbox holds under the number that the application named, or null. Answered by
  /// AnswerDone when the reply is accepted and the request taken. Errors: not_found; invalid_argument (no request);
  /// busy (it is being answered); those of Router::submit, after which the request waits on.
  void answer(Now now, RequestId request, const ArrivedPtr& request_message, Response response, AskEffects& out);
  /// What the node offers now. Before Router::start for what is loaded.
  void set_offers(Now now, std::set<std::string> offers, AskEffects& out);

  // Router.

  /// True if the message is the engine's own business, and the application need not hear of it.
  bool on_arrival(Now now, const ArrivedPtr& message, AskEffects& out);
  /// The application took these.
  void on_taken(const std::vector<std::uint64_t>& numbers);
  void on_state(const MessageId& id, MessageState state);
  void on_submitted(Now now, RequestId own, Result<MessageId> result, AskEffects& out);
  void on_take_done(RequestId own, AskEffects& out);

  // Links and searches.

  void on_owners(Now now, AskId id, Result<std::vector<Candidate>> owners, AskEffects& out);
  void on_link_up(Now now, const identity::PeerId& peer, AskEffects& out);
  void on_link_down(const identity::PeerId& peer) { chooser_.on_link_down(peer); }
  void on_unreachable(Now now, const identity::PeerId& peer, AskEffects& out);

  std::optional<Instant> deadline() const;
  void on_deadline(Now now, AskEffects& out);

  // Queries.

  /// Requests that wait for an answer, in the order of their arrival: those for this offer of the node.
  std::vector<ArrivedPtr> requests(std::string_view offer, std::uint64_t after, std::size_t limit) const;
  std::size_t waiting_requests() const { return requests_.size(); }
  std::size_t questions() const { return pending_.size(); }
  void check_invariants() const;

 private:
  struct Pending {
    RequestId request{};
    Draft draft{};
    std::string capability{};  ///< as it was asked for
    std::string offered{};     ///< as who was chosen offers it
    bool is_question = false;  ///< otherwise a message to a capability
    bool is_choosing = false;
    bool linked = false;  ///< when it was chosen
    Instant began{};
    Duration timeout{};
    std::optional<MessageId> sent{};  ///< the request under way
    MessageState state = MessageState::queued;
  };
  struct Waiting {
    ArrivedPtr message;
    std::string offer;  ///< which of ours it is for
  };
  /// What an own submission is for.
  struct OfAsk {
    AskId id;
  };
  struct OfAnswer {
    RequestId request;
    std::uint64_t number = 0;
    MessageId reply;
  };
  struct OfRefusal {
    std::uint64_t number = 0;
  };
  using Submission = std::variant<OfAsk, OfAnswer, OfRefusal>;

  RequestId next_own() { return RequestId{kFirstOwnRequest + ++own_}; }
  std::optional<std::string> offer_for(const std::string& capability) const;
  std::string why_not(const std::string& capability) const;
  void begin(Now now, Pending pending, std::vector<Candidate> neighbours, AskEffects& out);
  void run_choices(Now now, AskEffects& out);
  void submit(Now now, AskId id, Pending& pending, const identity::PeerId& to, AskEffects& out);
  void end(Now now, AskId id, Result<Answer> result, AskEffects& out);
  void time_out(Now now, AskId id, AskEffects& out);
  bool on_request(Now now, const ArrivedPtr& message, AskEffects& out);
  bool on_reply(Now now, const ArrivedPtr& message, AskEffects& out);
  /// Which of our offers a waiting request is for has to be seen anew.
  void find_home(Now now, std::uint64_t number, AskEffects& out);
  void refuse(Now now, const Arrived& message, AskEffects& out);
  void take(std::uint64_t number, AskEffects& out);
  /// What is left of the time that its sender gave.
  static Duration time_left(Now now, const Arrived& message);
  static Draft reply_to(Now now, const Arrived& message, Response response, const identity::PeerId& self);

  const identity::PeerId self_;
  Chooser chooser_;
  Rng rng_;
  std::uint64_t last_id_ = 0;
  std::uint64_t own_ = 0;

  std::map<AskId, Pending> pending_;
  std::map<MessageId, AskId> by_message_;  ///< requests under way
  DeadlineMap<AskId> deadlines_;

  std::set<std::string> offers_;
  std::map<std::uint64_t, Waiting> requests_;  ///< in the inbox, by number
  std::set<std::uint64_t> answering_;          ///< of these
  DeadlineMap<std::uint64_t> inbox_deadlines_;
  std::map<RequestId, Submission> submissions_;
  std::map<RequestId, AnswerDone> takes_;  ///< to be told when the request is taken
};

}  // namespace ekiden::router
