#include "gossip/gossip.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/check.hpp"
#include "wire/link_message.hpp"

namespace ekiden::gossip {
namespace {

/// Linked peers that are asked at once whether they are members.
constexpr std::size_t kAskedNeighbours = 8;

/// What all messages of topics begin with.
struct AnyTopicMessage {
  static constexpr std::string_view kName = "topic_message";
  TopicId topic;
  static constexpr auto kFields = wire::fields(wire::field<1>("topic", &AnyTopicMessage::topic));
};

void add_counts(TopicStatus& sum, const TopicStatus& more) {
  sum.published += more.published;
  sum.delivered += more.delivered;
  sum.copies += more.copies;
  sum.announcements += more.announcements;
  sum.refused += more.refused;
}

bool asks_for_answer(wire::MessageType type) {
  return type == wire::MessageType::topic_join || type == wire::MessageType::topic_neighbour;
}

}  // namespace

Gossip::Gossip(const identity::Identity& self, const Config& config, Rng rng, RecordOf record_of,
               IsOfOtherSide is_of_other_side)
    : self_(self),
      config_(config),
      rng_(std::move(rng)),
      record_of_(std::move(record_of)),
      is_of_other_side_(std::move(is_of_other_side)) {
  add_scope({});
}

template <class Call>
void Gossip::each(Now now, const std::string& realm, Effects& out, Call call) {
  for (auto& [id, topic] : topics_) {
    if (topic->realm() == realm) call(*topic);
  }
  settle(now, out);
}

void Gossip::start(Now now, std::uint64_t run, Effects& out) {
  run_ = run;
  for (auto& [id, topic] : topics_) {
    out.push(ShowMember{id, true});
    topic->start(now, run, inner_);
  }
  settle(now, out);
}

void Gossip::stop(Effects& out) {
  stopped_ = true;
  for (auto& [id, topic] : topics_) topic->leave(inner_);
  inner_.drain([&](Effect&& effect) {
    if (const auto* request = std::get_if<Want>(&effect)) return want(*request, out);
    out.push(std::move(effect));
  });
  topics_.clear();
}

// Realms. -------------------------------------------------------------------------------------------------------------

Gossip::Scope& Gossip::add_scope(const std::string& realm) {
  const auto [entry, fresh] = scopes_.try_emplace(realm);
  CHECK(fresh);
  Scope& scope = entry->second;
  scope.around = {.is_linked = [&scope](const identity::PeerId& peer) { return scope.linked.contains(peer); },
                  .record_of = record_of_,
                  .is_of_other_side = is_of_other_side_};
  return scope;
}

void Gossip::enter_realm(const std::string& realm, const ByteArray<32>& id) { add_scope(realm).id = id; }

void Gossip::change_realm(Now now, const std::string& realm, const ByteArray<32>& id, Effects& out) {
  const auto scope = scopes_.find(realm);
  if (scope == scopes_.end()) return;
  std::map<std::string, std::size_t> subscribers;  // by topic
  for (const auto& [known, topic] : topics_) {
    if (topic->realm() == realm && topic->subscribers > 0) subscribers.emplace(topic->name(), topic->subscribers);
  }
  leave_all(now, realm, {Errc::closed, "the realm has another key meanwhile: publish it again"}, out);
  scope->second.id = id;
  scope->second.linked.clear();
  for (const auto& [name, count] : subscribers) enter(now, *named(realm, name), out)->subscribers = count;
  settle(now, out);
}

void Gossip::leave_realm(Now now, const std::string& realm, Effects& out) {
  leave_all(now, realm, {Errc::closed, "the realm was left meanwhile"}, out);
  scopes_.erase(realm);
}

void Gossip::leave_all(Now now, const std::string& realm, const Error& why, Effects& out) {
  std::vector<TopicId> over;
  for (const auto& [id, topic] : topics_) {
    if (topic->realm() == realm) over.push_back(id);
  }
  for (const TopicId& id : over) leave(now, id, out, &why);
}

/// Nothing if the realm was not entered.
std::optional<TopicName> Gossip::named(const std::string& realm, const std::string& topic) const {
  const auto scope = scopes_.find(realm);
  if (scope == scopes_.end()) return std::nullopt;
  const TopicId id = realm.empty() ? TopicId::of(topic) : TopicId::of(scope->second.id, topic);
  return TopicName{.name = topic, .realm = realm, .id = id};
}

// The application. ----------------------------------------------------------------------------------------------------

Result<Topic*> Gossip::join(Now now, const std::string& name, const std::string& realm, Effects& out) {
  if (!is_topic(name)) {
    return fail(Errc::invalid_argument, "\"" + name.substr(0, kMaxTopicName) +
                                            "\" is no topic: one is like weather/tokyo, of lower-case letters, digits, "
                                            "'.', '-' and '_', at most 64 characters");
  }
  if (stopped_) return fail(Errc::closed, "the node ends");
  auto named_topic = named(realm, name);
  if (!named_topic) return fail(Errc::not_found, "this node is not in the realm of that topic");
  if (const auto known = topics_.find(named_topic->id); known != topics_.end()) return known->second.get();
  if (topics_.size() >= config_.max_topics + companies_) {
    return fail(Errc::limit_exceeded,
                "a node takes part in at most " + std::to_string(config_.max_topics) + " topics at a time");
  }
  return enter(now, std::move(*named_topic), out);
}

Topic* Gossip::enter(Now now, TopicName name, Effects& out) {
  const TopicId id = name.id;
  const Surroundings& around = scopes_.at(name.realm).around;
  auto topic = std::make_unique<Topic>(self_, std::move(name), config_, around, rng_.split());
  Topic* joined = topics_.emplace(id, std::move(topic)).first->second.get();
  if (!is_topic(joined->name())) ++companies_;
  if (run_) {
    out.push(ShowMember{id, true});
    joined->start(now, *run_ + returns_, inner_);
  }
  return joined;
}

Status Gossip::subscribe(Now now, const std::string& name, Effects& out, const std::string& realm) {
  const auto known = named(realm, name);
  const bool was_joined = known && topics_.contains(known->id);
  EKIDEN_ASSIGN(Topic* const topic, join(now, name, realm, out));
  if (++topic->subscribers == 1 && was_joined) topic->replay(now, inner_);
  settle(now, out);
  return {};
}

void Gossip::accompany(Now now, const std::string& name, Effects& out, const std::string& realm) {
  auto company = named(realm, name);
  CHECK(!is_topic(name) && company.has_value());
  if (stopped_ || topics_.contains(company->id)) return;
  enter(now, std::move(*company), out)->subscribers = 1;
  settle(now, out);
}

Status Gossip::unsubscribe(Now now, const std::string& name, const std::string& realm) {
  const auto known = named(realm, name);
  const auto topic = known ? topics_.find(known->id) : topics_.end();
  if (!is_topic(name) || topic == topics_.end() || topic->second->subscribers == 0) {
    return fail(Errc::not_found, "nobody here subscribes to \"" + name.substr(0, kMaxTopicName) + "\"");
  }
  if (--topic->second->subscribers == 0) topic->second->leave_at = now.mono + config_.linger;
  return {};
}

void Gossip::publish(Now now, PublishId id, const std::string& name, ByteView payload, Effects& out,
                     const std::string& realm) {
  if (payload.size() > kMaxPayload) {
    out.push(Published{id, fail(Errc::too_large, std::to_string(payload.size()) + " bytes: a topic takes at most " +
                                                     std::to_string(kMaxPayload))});
    return;
  }
  if (!run_) {
    out.push(Published{id, fail(Errc::busy, "the node is starting: try again")});
    return;
  }
  auto topic = join(now, name, realm, out);
  if (!topic) {
    out.push(Published{id, std::unexpected(std::move(topic).error())});
    return;
  }
  (*topic)->leave_at = now.mono + config_.linger;
  (*topic)->publish(now, id, payload, inner_);
  settle(now, out);
}

void Gossip::leave(Now now, const TopicId& id, Effects& out, const Error* why) {
  const auto topic = topics_.find(id);
  topic->second->leave(inner_, why);
  settle(now, out);
  add_counts(left_, topic->second->status());
  ++returns_;
  if (!is_topic(topic->second->name())) --companies_;
  topics_.erase(topic);
  out.push(ShowMember{id, false});
}

// Links and members. --------------------------------------------------------------------------------------------------

void Gossip::on_peer_up(Now now, const std::string& realm, const identity::PeerId& peer, Effects& out) {
  scopes_.at(realm).linked.insert(peer);
  each(now, realm, out, [&](Topic& topic) {
    topic.on_link_up(now, peer, inner_);
    if (topic.view().active_size() < config_.max_active) topic.on_contacts(now, {peer}, inner_);
  });
}

void Gossip::on_peer_down(Now now, const std::string& realm, const identity::PeerId& peer, Effects& out) {
  if (scopes_.at(realm).linked.erase(peer) == 0) return;
  each(now, realm, out, [&](Topic& topic) { topic.on_link_down(now, peer, inner_); });
}

void Gossip::on_link_up(Now now, const identity::PeerId& peer, Effects& out) { on_peer_up(now, {}, peer, out); }

void Gossip::on_link_down(Now now, const identity::PeerId& peer, Effects& out) { on_peer_down(now, {}, peer, out); }

void Gossip::on_member_up(Now now, const std::string& realm, const identity::PeerId& peer, Effects& out) {
  // Over links whose other side speaks of topics.
  if (scopes_.contains(realm) && scopes_.at({}).linked.contains(peer)) on_peer_up(now, realm, peer, out);
}

void Gossip::on_member_down(Now now, const std::string& realm, const identity::PeerId& peer, Effects& out) {
  if (scopes_.contains(realm)) on_peer_down(now, realm, peer, out);
}

void Gossip::on_unreachable(Now now, const identity::PeerId& peer, Effects& out) {
  if (!wanted_.contains(peer)) return;
  for (auto& [id, topic] : topics_) topic->on_unreachable(now, peer, inner_);
  settle(now, out);
}

void Gossip::reunite(Now now, Effects& out) {
  for (auto& [id, topic] : topics_) topic->reunite(now, inner_);
  settle(now, out);
}

void Gossip::on_members(Now now, const TopicId& id, const std::vector<identity::PeerId>& members, Effects& out) {
  const auto topic = topics_.find(id);
  if (topic == topics_.end()) return;
  topic->second->on_contacts(now, members, inner_);
  settle(now, out);
}

/// Linked peers are asked themselves; the node may find others.
void Gossip::seek(Now now, Topic& topic, Effects& out) {
  const std::set<identity::PeerId>& linked = scopes_.at(topic.realm()).linked;
  std::vector<identity::PeerId> peers(linked.begin(), linked.end());
  rng_.shuffle(peers);
  std::ranges::stable_partition(peers, is_of_other_side_);
  if (peers.size() > kAskedNeighbours) peers.resize(kAskedNeighbours);
  topic.on_contacts(now, peers, inner_);
  out.push(FindMembers{topic.id()});
}

Status Gossip::on_message(Now now, const identity::PeerId& from, wire::MessageType type, ByteView body, Effects& out) {
  EKIDEN_ASSIGN(const auto any, wire::decode<AnyTopicMessage>(body));
  if (!scopes_.at({}).linked.contains(from)) {
    return fail(Errc::refused, "a topic, from a peer that does not speak of topics");
  }
  const auto topic = topics_.find(any.topic);
  // To who is not in its realm a topic is one of which nobody here has heard.
  if (topic == topics_.end() || !scopes_.at(topic->second->realm()).linked.contains(from)) {
    const bool says_no = type == wire::MessageType::topic_answer || type == wire::MessageType::topic_disconnect;
    if (says_no || !strays_.take(now.mono)) return {};
    if (asks_for_answer(type)) {
      const Answer answer{any.topic, Verdict::absent};
      out.push(Transmit{from, wire::Priority::high, link_message(wire::MessageType::topic_answer, answer)});
    } else {
      const Disconnect goodbye{any.topic, /*leaving=*/true};
      out.push(Transmit{from, wire::Priority::high, link_message(wire::MessageType::topic_disconnect, goodbye)});
    }
    return {};
  }
  Status done = topic->second->on_message(now, from, type, body, inner_);
  settle(now, out);
  return done;
}

// Effects of topics. --------------------------------------------------------------------------------------------------

void Gossip::settle(Now now, Effects& out) {
  bool is_done = false;
  while (!is_done) {
    is_done = true;
    inner_.drain([&](Effect&& effect) {
      if (const auto* request = std::get_if<Want>(&effect)) return want(*request, out);
      out.push(std::move(effect));
    });
    for (auto& [id, topic] : topics_) {
      if (!topic->wants_contacts()) continue;
      seek(now, *topic, out);
      is_done = false;
    }
  }
}

void Gossip::want(const Want& request, Effects& out) {
  if (request.wanted) {
    if (++wanted_[request.peer] == 1) out.push(request);
    return;
  }
  const auto count = wanted_.find(request.peer);
  CHECK(count != wanted_.end());
  if (--count->second != 0) return;
  wanted_.erase(count);
  out.push(request);
}

std::optional<Instant> Gossip::deadline() const {
  std::optional<Instant> at;
  if (!run_) return at;
  for (const auto& [id, topic] : topics_) at = earlier(at, topic->deadline());
  return at;
}

void Gossip::on_deadline(Now now, Effects& out) {
  if (!run_) return;
  std::vector<TopicId> over;
  for (auto& [id, topic] : topics_) {
    const auto due = topic->deadline();
    if (!due || *due > now.mono) continue;
    topic->on_deadline(now, inner_);
    if (topic->subscribers == 0 && topic->leave_at && *topic->leave_at <= now.mono) over.push_back(id);
  }
  settle(now, out);
  for (const TopicId& id : over) leave(now, id, out);
}

std::vector<TopicStatus> Gossip::topics() const {
  std::vector<TopicStatus> all;
  for (const auto& [id, topic] : topics_) {
    TopicStatus status = topic->status();
    if (is_topic(status.name)) all.push_back(std::move(status));
  }
  std::ranges::sort(all, {}, [](const TopicStatus& topic) { return std::tie(topic.name, topic.realm); });
  return all;
}

TopicStatus Gossip::totals() const {
  TopicStatus all = left_;
  for (const auto& [id, topic] : topics_) add_counts(all, topic->status());
  return all;
}

void Gossip::check_invariants() const {
  CHECK(topics_.size() <= config_.max_topics + companies_ && inner_.empty());
  for (const auto& [id, topic] : topics_) topic->check_invariants();
}

}  // namespace ekiden::gossip
