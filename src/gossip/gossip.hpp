// Topics: what somebody publishes in one reaches all members, once, and each link carries it about once.
//
// A node is a member of the topics that it subscribes to, and for a while of those that it publishes in. Members find
// each other by what the node finds for them: linked peers, and searches. From there on each topic has an overlay of
// its own (topic.hpp).
//
// Inputs: subscriptions and publications of the application; links that come up, end or cannot be made; members that
// were found; link messages; time. Outputs: events.hpp. Timers: those of the topics; the end of a topic that nobody
// subscribes to.
//
// Bounds: max_topics; each topic bounds its own state. Invariant: a Want was pushed for each peer that any topic wants,
// once.
//
// Rules, and the attack that each stops:
//   - topics that others name are never joined for that: a message of an unknown topic makes no state, and its answer
//     is within a rate;
//   - an open topic is open: who knows its name can publish in it. Readers see by whom each item is signed;
//   - of a topic in a realm nothing is said to, or heard from, a peer that has not proven to be in it: for its topics
//     only members are linked.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "flow/token_bucket.hpp"
#include "gossip/config.hpp"
#include "gossip/events.hpp"
#include "gossip/topic.hpp"
#include "gossip/view.hpp"
#include "identity/identity.hpp"

namespace ekiden::gossip {

class Gossip {
 public:
  using RecordOf = std::function<ByteView(const identity::PeerId&)>;
  using IsOfOtherSide = std::function<bool(const identity::PeerId&)>;

  /// `self` outlives this. `record_of`: the signed record of a peer that we hold, or our own; empty if there is none.
  /// `is_of_other_side`: whether a split, in which this node is or was until now, has taken it away.
  Gossip(const identity::Identity& self, const Config& config, Rng rng, RecordOf record_of,
         IsOfOtherSide is_of_other_side);

  /// Links may be made. `run`: a number that this node has never given before, larger than all that it has. What was
  /// asked for earlier begins now.
  void start(Now now, std::uint64_t run, Effects& out);
  /// Leaves all topics. Nothing may follow but link messages.
  void stop(Effects& out);

  /// Topics can be in this realm from now on. REQUIRES: it was not entered, or was left since.
  void enter_realm(const std::string& realm, const ByteArray<32>& id);
  /// It is called otherwise from now on, and nobody has proven to be in it: its topics are others, with the same
  /// subscribers. What waits to be published ends with closed. Unknown realms are ignored.
  void change_realm(Now now, const std::string& realm, const ByteArray<32>& id, Effects& out);
  /// Its topics end, whoever subscribes to them. Unknown realms are ignored.
  void leave_realm(Now now, const std::string& realm, Effects& out);

  /// As often as there are subscribers. Errors: invalid_argument (not a topic), limit_exceeded; not_found (a realm that
  /// was not entered).
  Status subscribe(Now now, const std::string& topic, Effects& out, const std::string& realm = {});
  /// One subscriber less. Errors: not_found.
  Status unsubscribe(Now now, const std::string& topic, const std::string& realm = {});
  /// Be a member for good, without subscribing, of a topic whose name no application can give: for who needs its
  /// neighbours and nothing else. It is not among topics(). REQUIRES: not is_topic(name); the realm was entered.
  void accompany(Now now, const std::string& name, Effects& out, const std::string& realm = {});
  /// Ends with Published: at once if there are neighbours, otherwise when there is one, or publish_wait is over. Errors
  /// there: those of subscribe(), too_large, busy (before start()).
  void publish(Now now, PublishId id, const std::string& topic, ByteView payload, Effects& out,
               const std::string& realm = {});

  /// A linked peer has proven to be in this realm, or is no longer; before on_link_down().
  void on_member_up(Now now, const std::string& realm, const identity::PeerId& peer, Effects& out);
  void on_member_down(Now now, const std::string& realm, const identity::PeerId& peer, Effects& out);

  /// Of peers that speak gossip. `peer` is authenticated by its link.
  void on_link_up(Now now, const identity::PeerId& peer, Effects& out);
  void on_link_down(Now now, const identity::PeerId& peer, Effects& out);
  void on_unreachable(Now now, const identity::PeerId& peer, Effects& out);
  /// A split heals: most of those whom it took away can be reached again. Overlays that came to be apart become one.
  void reunite(Now now, Effects& out);
  /// The end of FindMembers.
  void on_members(Now now, const TopicId& topic, const std::vector<identity::PeerId>& members, Effects& out);
  /// A link message of one of the types of topics. Errors are malformed or unauthenticated input.
  Status on_message(Now now, const identity::PeerId& from, wire::MessageType type, ByteView body, Effects& out);

  std::optional<Instant> deadline() const;
  void on_deadline(Now now, Effects& out);

  /// In the order of names.
  std::vector<TopicStatus> topics() const;
  /// What was counted since the start, in topics that were left too; without a name.
  TopicStatus totals() const;
  /// Whether it is joined.
  bool is_member(const TopicId& topic) const { return topics_.contains(topic); }
  void check_invariants() const;

 private:
  /// What topics see of the node: those in no realm all linked peers, those in a realm the members among them.
  struct Scope {
    ByteArray<32> id{};
    std::set<identity::PeerId> linked{};
    Surroundings around{};
  };

  Scope& add_scope(const std::string& realm);
  void leave_all(Now now, const std::string& realm, const Error& why, Effects& out);
  std::optional<TopicName> named(const std::string& realm, const std::string& topic) const;
  Topic* enter(Now now, TopicName name, Effects& out);
  Result<Topic*> join(Now now, const std::string& name, const std::string& realm, Effects& out);
  void leave(Now now, const TopicId& topic, Effects& out, const Error* why = nullptr);
  void on_peer_up(Now now, const std::string& realm, const identity::PeerId& peer, Effects& out);
  void on_peer_down(Now now, const std::string& realm, const identity::PeerId& peer, Effects& out);
  /// What a topic has pushed goes out; wants are counted.
  void settle(Now now, Effects& out);
  void want(const Want& request, Effects& out);
  void seek(Now now, Topic& topic, Effects& out);
  template <class Call>
  void each(Now now, const std::string& realm, Effects& out, Call call);

  const identity::Identity& self_;
  const Config config_;
  Rng rng_;
  RecordOf record_of_;
  IsOfOtherSide is_of_other_side_;
  std::map<std::string, Scope> scopes_;  ///< by realm; that without a name is always there
  std::map<TopicId, std::unique_ptr<Topic>> topics_;
  std::map<identity::PeerId, std::size_t> wanted_;  ///< by how many topics
  Effects inner_;                                   ///< of topics, before wants are counted
  flow::TokenBucket strays_{{.per_second = 32, .burst = 128}};
  TopicStatus left_;  ///< counts of topics that were left
  std::optional<std::uint64_t> run_;
  /// Topics that were left. Whoever comes back to one begins to count anew, and members that have heard it before would
  /// take that for a replay: it has a run of its own. Each has lasted for Config::linger, so that runs, which are
  /// milliseconds of the clock, stay below those of the next start.
  std::uint64_t returns_ = 0;
  std::size_t companies_ = 0;  ///< see accompany()
  bool stopped_ = false;
};

}  // namespace ekiden::gossip
