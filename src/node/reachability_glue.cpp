// Which of our endpoints peers can reach, and the same for them: dial-backs over links.
//
// As the asker: the engine says whom to ask about what; what is verified comes into our record, which is made anew when
// that changes, at most once in publish_pause.
//
// As the one who is asked: we dial an address that somebody else named. Rules, and the attack that they stop:
//  - Only the address from which a link of the asker comes, and a name only where it resolves to that. (Nobody makes us
//    dial a third party.) What else a name resolves to, or that it resolves to nothing, is not told. (Nobody asks us
//    for the names of the network behind us.)
//  - Only addresses that strangers may name: not our loopback, nor the network behind us, unless this is a private
//    network. (A tunnel that ends on our machine, and asks us to dial its services.)
//  - So many a minute, for each peer and in total; so many at one time; few of names, for a name server of the asker
//    may keep a lookup waiting for half a minute. Refused is said at once, and costs the asker nothing but to ask
//    somebody else.
//  - Who is there has to prove the key of the asker. (Somebody who shows another node behind the same address.)
#include <algorithm>
#include <utility>

#include "node/impl.hpp"

namespace ekiden::node {
namespace {

constexpr std::size_t kMaxToMeet = 16;  ///< nodes among which one to meet is chosen

/// What a peer says may be shown: printable ASCII.
std::string printable(std::string text) {
  for (char& c : text) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return text;
}

}  // namespace

void Node::Impl::start_reachability(Now now) {
  if (!takes_part()) return;
  reachability.set_configured(config.advertised);
  reachability.set_listening(config.listening);
  reachability.start(now, reachability_out);
}

std::vector<identity::Endpoint> Node::Impl::public_endpoints() const {
  return takes_part() ? reachability.endpoints() : config.advertised;
}

std::vector<reachability::EndpointStatus> Node::Impl::endpoint_status() const {
  if (takes_part()) return reachability.status();
  std::vector<reachability::EndpointStatus> all;
  for (const identity::Endpoint& endpoint : config.advertised) {
    all.push_back(
        {.endpoint = endpoint, .source = reachability::Source::configured, .state = reachability::State::declared});
  }
  return all;
}

void Node::Impl::on_reachability_effect(Now now, reachability::Reachability::Effect effect) {
  std::visit(Overloaded{
                 [&](const reachability::Question& question) {
                   const DialBack asked{.request = static_cast<std::uint64_t>(question.id),
                                        .endpoint = question.endpoint.text()};
                   send_message(now, question.peer, wire::Priority::low, wire::MessageType::dial_back,
                                wire::encode(asked));
                 },
                 [&](const reachability::NeedPeer&) { meet_somebody(now); },
                 [&](const reachability::Changed&) { plan_publishing(now); },
                 [&](reachability::Write& write) { batch.append(std::move(write.batch)); },
                 [&](reachability::Notice& notice) {
                   const bool is_good = notice.kind == reachability::Notice::Kind::verified;
                   log(is_good ? LogLevel::info : LogLevel::warning, "reachability", std::move(notice.text));
                 },
             },
             effect);
}

// What we publish. ----------------------------------------------------------------------------------------------------

void Node::Impl::plan_publishing(Now now) {
  if (record_issued == std::nullopt || own_endpoints.publish_at) return;  // The first record has it anyway.
  own_endpoints.publish_at = now.mono + config.publish_gather;
  if (own_endpoints.published)
    own_endpoints.publish_at = std::max(*own_endpoints.publish_at, *own_endpoints.published + config.publish_pause);
}

void Node::Impl::publish_endpoints(Now now) {
  own_endpoints.publish_at.reset();
  if (ending || public_endpoints() == own_endpoints.shown) return;
  own_endpoints.published = now.mono;
  renew_record(now);
}

// As the asker. -------------------------------------------------------------------------------------------------------

void Node::Impl::greet(Now now, const identity::PeerId& peer, const link::Up& up) {
  if (!takes_part() || (up.features & kReachabilityFeature) == 0) return;
  const auto addresses = links.addresses(peer);
  std::optional<identity::IpAddress> address;
  if (!addresses.empty()) address = addresses.front().ip;
  if (!up.initiated_by_us && address) {
    send_message(now, peer, wire::Priority::low, wire::MessageType::observed,
                 wire::encode(ObservedMessage{address->text()}));
  }
  reachability.on_peer_up(now, {.peer = peer, .address = address}, reachability_out);
}

/// Only of peers that we chose to dial. Attack: whoever dials us, in numbers, to tell us where we are.
Status Node::Impl::on_observed(Now now, const identity::PeerId& from, ByteView body) {
  EKIDEN_ASSIGN(const auto observed, wire::decode<ObservedMessage>(body));
  EKIDEN_ASSIGN(const auto address, identity::IpAddress::parse(observed.address));
  if (!takes_part()) return {};
  for (const link::PeerAddress& known : links.addresses(from)) {
    if (!known.initiated_by_us) continue;
    reachability.on_observed_link(now, {.peer = from, .address = known.ip}, address, reachability_out);
    break;
  }
  return {};
}

Status Node::Impl::on_dial_back_answer(Now now, const identity::PeerId& from, ByteView body) {
  EKIDEN_ASSIGN(auto answer, wire::decode<DialBackAnswer>(body));
  const reachability::QuestionId question{answer.request};
  // One that comes too late is no fault.
  reachability.on_answer(now, question, from, answer.verdict, printable(std::move(answer.detail)), reachability_out);
  return {};
}

/// Nodes of discovery, contacts, and then whoever the DHT knows; somebody else each time.
void Node::Impl::meet_somebody(Now now) {
  if (ending || record.empty()) return;
  const std::size_t turn = meetings++;
  auto best = bootstrap.best(kMaxToMeet);
  if (!best.empty()) {
    std::ranges::rotate(best, best.begin() + static_cast<std::ptrdiff_t>(turn % best.size()));
  }
  for (const bootstrap::Candidate& known : best) {
    if (meet(now, known.node, known.public_key, known.endpoints, known.learned_from)) return;
  }
  std::vector<identity::PeerId> others;
  for (const auto& [id, contact] : contacts) others.push_back(id);
  if (!others.empty()) {
    std::ranges::rotate(others, others.begin() + static_cast<std::ptrdiff_t>(turn % others.size()));
  }
  for (const identity::PeerId& peer : others) {
    const identity::PeerRecord* known = record_of(peer);
    const auto key = known != nullptr ? std::optional(known->public_key) : std::nullopt;
    if (meet(now, peer, key, endpoints_of(peer), identity::LearnedFrom::remote_record)) return;
  }
  const auto nodes = dht.closest(self.id(), kMaxToMeet);
  if (nodes.empty()) return;
  const identity::NodeInfo& node = nodes[turn % nodes.size()];
  const identity::PeerId peer = node.id();
  if (links.is_up(peer)) return;
  const dht::LookupId id = lookups.begin(LookupFor{.peer = peer, .meeting = node});
  dht.find_peer(now, id, peer, dht_out);
}

/// A node that has published no address yet, as all in a network that was just switched on, mostly listens for links at
/// the port at which its datagrams come from.
void Node::Impl::meet_found(Now now, const LookupFor& purpose, const dht::LookupDone& done) {
  const identity::NodeInfo& node = *purpose.meeting;
  const auto source = identity::LearnedFrom::remote_record;
  if (done.record && meet(now, purpose.peer, node.public_key, done.record->record.known_endpoints(), source)) return;
  meet(now, purpose.peer, node.public_key, {{identity::Endpoint::Transport::tcp, node.at.ip.text(), node.at.port}},
       source);
}

/// Dials one of the endpoints, unless there is a link. False if there is nothing to dial.
bool Node::Impl::meet(Now now, const identity::PeerId& peer, const std::optional<crypto::Ed25519PublicKey>& key,
                      const std::vector<identity::Endpoint>& endpoints, identity::LearnedFrom learned_from) {
  if (ending || peer == self.id() || links.is_up(peer)) return false;
  const auto source = config.private_network ? identity::LearnedFrom::configuration : learned_from;
  for (const identity::Endpoint& endpoint : endpoints) {
    const auto address = endpoint.address();
    if (endpoint.is_udp() || (address && !identity::may_dial(*address, source))) continue;
    attempt(now, {.purpose = ForMeeting{}, .peer = peer, .endpoint = endpoint, .learned_from = source}, key);
    return true;
  }
  return false;
}

// As the one who is asked. --------------------------------------------------------------------------------------------

bool Node::Impl::spend_dial_back(Instant now, const identity::PeerId& peer, bool is_name) {
  const auto begin_minute = [now](MinuteCount& minute) {
    if (now - minute.since >= minutes(1)) minute = {.since = now};
  };
  MinuteCount* of_peer = dial_backs.by_peer.find(peer);
  if (of_peer == nullptr) of_peer = &dial_backs.by_peer.put(peer, {.since = now});
  begin_minute(*of_peer);
  begin_minute(dial_backs.all);
  bool has_room = dial_backs.running < config.max_dial_backs && of_peer->count < config.dial_backs_per_peer &&
                  dial_backs.all.count < config.dial_backs_per_minute;
  if (is_name) {
    has_room = has_room && of_peer->names < config.named_dial_backs_per_peer &&
               dial_backs.all.names < config.named_dial_backs_per_minute;
  }
  if (!has_room) return false;
  for (MinuteCount* minute : {of_peer, &dial_backs.all}) {
    ++minute->count;
    if (is_name) ++minute->names;
  }
  return true;
}

std::vector<identity::IpAddress> Node::Impl::own_addresses(const identity::PeerId& peer) const {
  std::vector<identity::IpAddress> own;
  for (const link::PeerAddress& known : links.addresses(peer)) {
    if (may_dial(known.ip)) own.push_back(known.ip);
  }
  return own;
}

Result<Attempt> Node::Impl::check_dial_back(Now now, const identity::PeerId& from, const DialBack& asked) {
  if (!takes_part() || ending || record.empty()) return fail(Errc::refused, "this node dials nobody back now");
  EKIDEN_ASSIGN(auto endpoint, identity::Endpoint::parse(asked.endpoint));
  const auto address = endpoint.address();
  if (!address && endpoint.is_udp()) return fail(Errc::refused, "names are not resolved for datagrams");
  if (address && !may_dial(*address)) {
    return fail(Errc::refused, address->text() + " is not an address that others may dial");
  }
  const auto own = own_addresses(from);
  const bool is_its_own = address ? std::ranges::find(own, *address) != own.end() : !own.empty();
  if (!is_its_own) {
    const auto known = links.addresses(from);
    const std::string seen = known.empty() ? "an address that is not known here" : known.front().ip.text();
    return fail(Errc::refused, "your link comes from " + seen);
  }
  if (record_of(from) == nullptr) return fail(Errc::refused, "your record is not known here");
  if (!spend_dial_back(now.mono, from, !address)) {
    return fail(Errc::limit_exceeded, "too many dial-backs were asked for");
  }
  return Attempt{.purpose = ForPeer{.asker = from, .request = asked.request},
                 .peer = from,
                 .endpoint = std::move(endpoint),
                 .learned_from = config.private_network ? identity::LearnedFrom::configuration
                                                        : identity::LearnedFrom::remote_record,
                 .only = address ? std::vector<identity::IpAddress>{} : own};
}

Status Node::Impl::on_dial_back(Now now, const identity::PeerId& from, ByteView body) {
  EKIDEN_ASSIGN(const auto asked, wire::decode<DialBack>(body));
  auto tried = check_dial_back(now, from, asked);
  if (!tried) {
    const ForPeer purpose{.asker = from, .request = asked.request};
    answer_dial_back(now, purpose, reachability::Verdict::refused, tried.error().message);
    return {};
  }
  ++dial_backs.running;
  attempt(now, std::move(*tried), record_of(from)->public_key);
  return {};
}

void Node::Impl::end_dial_back(Now now, const ForPeer& asked, const identity::Endpoint& endpoint,
                               const Result<Reachable>& result) {
  --dial_backs.running;
  if (result) return answer_dial_back(now, asked, reachability::Verdict::reached, {});
  const Error& why = result.error();
  // Not to have tried says nothing about the endpoint: another one may see the asker where its name leads.
  const bool leads_elsewhere = !endpoint.address() && why.code == Errc::not_found;
  const bool is_our_fault = ending || leads_elsewhere || why.code == Errc::limit_exceeded;
  const auto verdict = is_our_fault ? reachability::Verdict::refused : reachability::Verdict::not_reached;
  answer_dial_back(now, asked, verdict, why.message);
}

void Node::Impl::answer_dial_back(Now now, const ForPeer& asked, reachability::Verdict verdict,
                                  std::string_view detail) {
  if (!links.is_up(asked.asker)) return;
  const DialBackAnswer answer{.request = asked.request,
                              .verdict = verdict,
                              .detail = std::string(detail.substr(0, DialBackAnswer::kMaxDetail))};
  send_message(now, asked.asker, wire::Priority::low, wire::MessageType::dial_back_answer, wire::encode(answer));
}

}  // namespace ekiden::node
