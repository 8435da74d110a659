// A node made of containers, for tests of the API and of the command: it answers at once, or when it is told to.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/backend.hpp"
#include "identity/identity.hpp"
#include "realm/realm.hpp"

namespace ekiden::api::test {

inline identity::Identity identity_of(Byte seed) {
  ByteArray<32> bytes{};
  bytes[0] = seed;
  return identity::Identity(crypto::Ed25519Seed(bytes));
}

inline Uuid message_id(Byte number) {
  Uuid id;
  id.bytes[6] = 0x40;
  id.bytes[8] = 0x80;
  id.bytes[15] = number;
  return id;
}

class FakeBackend final : public Backend {
 public:
  FakeBackend() {
    self.id = identity_of(1).id();
    self.ready = true;
    add_contact("bob", 2);
  }

  void add_contact(const std::string& name, Byte seed) {
    identity::Contact contact;
    contact.id = identity_of(seed).id();
    contact.petname = name;
    static_cast<void>(book.add(contact));
  }

  void arrive(const std::string& body, Byte from = 2) {
    auto message = std::make_shared<router::Arrived>();
    message->number = ++last_number;
    message->id = message_id(static_cast<Byte>(100 + last_number));
    message->from = identity_of(from).id();
    message->body = to_bytes(as_bytes(body));
    waiting.emplace(message->number, message);
    if (const auto heard = listener.lock()) heard->on_arrival(message);
  }

  void settle(const router::MessageId& id, router::MessageState state) {
    traces.at(id).state = state;
    if (const auto heard = listener.lock()) heard->on_state({id, traces.at(id).peer, state});
  }

  void find_peer(const identity::PeerId& peer, FindDone done) override {
    searched.push_back(peer);
    if (const auto found = records.find(peer); found != records.end()) return done({{}, peer, found->second, {}});
    done({{}, peer, fail(Errc::not_found, "nobody has a record of it"), {}});
  }
  std::vector<node::LanPeer> lan_peers() const override { return lan; }
  std::vector<identity::NodeInfo> known_nodes(std::size_t count) const override {
    return {nodes.begin(), nodes.begin() + static_cast<std::ptrdiff_t>(std::min(count, nodes.size()))};
  }
  std::vector<datagram::SessionStatus> datagram_sessions(std::size_t count) const override {
    return {over_udp.begin(), over_udp.begin() + static_cast<std::ptrdiff_t>(std::min(count, over_udp.size()))};
  }
  void find_capability(std::string capability, std::size_t limit, OwnersDone done) override {
    searched_capabilities.emplace_back(capability, limit);
    if (owners.empty()) return done({{}, capability, fail(Errc::not_found, "nobody offers it"), {}});
    done({{}, capability, owners, {}});
  }
  void offer_capability(std::string capability, Done done) override {
    if (capability == "one/too/many") return done(fail(Errc::limit_exceeded, "no room"));
    offered.insert(capability);
    done({});
  }
  void switch_relay(bool on, Done done) override {
    relay_on = on;
    done({});
  }
  void withdraw_capability(std::string capability, Done done) override {
    done(offered.erase(capability) == 1 ? Status() : fail(Errc::not_found, "not offered"));
  }
  std::vector<node::Offer> offers() const override {
    std::vector<node::Offer> all;
    for (const std::string& capability : offered) all.push_back({capability, false, 7});
    return all;
  }
  std::vector<std::pair<std::string, std::size_t>> searched_capabilities;
  std::vector<identity::SignedAnnouncement> owners;
  std::set<std::string> offered;
  std::optional<bool> relay_on;
  void put_entry(registry::Draft draft, std::string realm, Done done) override {
    auto* within = registry_of(realm);
    if (within == nullptr) return done(not_in(realm));
    end_entry(within->put(kWritten, draft, entries_out), realm, done);
  }
  void remove_entry(const identity::PeerId& owner, std::string name, std::string realm, Done done) override {
    auto* within = registry_of(realm);
    if (within == nullptr) return done(not_in(realm));
    end_entry(within->remove(kWritten, owner, name, entries_out), realm, done);
  }
  void end_entry(Result<store::PersistToken> token, const std::string& realm, const Done& done) {
    entries_out.drain([&](registry::Effect&& effect) {
      const auto* changed = std::get_if<registry::Changed>(&effect);
      const auto heard = listener.lock();
      if (heard && changed) heard->on_entry_changed({.realm = realm, .owner = changed->owner, .name = changed->name});
    });
    done(token ? Status() : std::unexpected(token.error()));
  }
  void read_registry() override { ++registry_reads; }
  const registry::Registry* registry(const std::string& realm) const override {
    if (!realm.empty()) ++realm_reads;
    const auto known = held_realms.find(realm);
    return realm.empty() ? &entries : known == held_realms.end() ? nullptr : known->second.entries.get();
  }
  registry::Registry* registry_of(const std::string& realm) {
    const auto known = held_realms.find(realm);
    return realm.empty() ? &entries : known == held_realms.end() ? nullptr : known->second.entries.get();
  }

  /// A realm that this node is in.
  struct HeldRealm {
    realm::Realm realm;
    std::unique_ptr<registry::Registry> entries;
  };
  void enter_realm(node::EnterRealm request, Done done) override {
    using How = node::EnterRealm::How;
    const auto known = held_realms.find(request.name);
    const bool is_in = known != held_realms.end();
    if (request.how == How::change_key && !is_in) return done(not_in(request.name));
    if (request.how == How::change_key && !known->second.realm.closed) {
      return done(fail(Errc::invalid_argument, "an open one has no key to change"));
    }
    if (request.how == How::create_closed && is_in) return done(fail(Errc::already_exists, "another of that name"));
    auto realm = request.how == How::open      ? realm::Realm::open(request.name)
                 : request.how == How::invited ? request.invitation.value()
                                               : realm::Realm::make_closed(request.name, random);
    if (is_in) {
      known->second.realm = std::move(realm);
      return done({});
    }
    auto within = std::make_unique<registry::Registry>(identity, registry::Config{}, random.split());
    held_realms.emplace(request.name, HeldRealm{.realm = std::move(realm), .entries = std::move(within)});
    done({});
  }
  void leave_realm(std::string name, Done done) override {
    if (held_realms.erase(name) == 0) return done(not_in(name));
    std::erase_if(subscriptions, [&](const auto& each) { return each.first.ends_with("@" + name); });
    if (const auto heard = listener.lock()) heard->on_realm_left(name);
    done({});
  }
  std::vector<node::RealmStatus> realms() const override {
    std::vector<node::RealmStatus> all;
    for (const auto& [name, each] : held_realms) {
      all.push_back({.realm = each.realm, .members = 2, .registry = each.entries->status()});
    }
    return all;
  }
  static std::unexpected<Error> not_in(const std::string& realm) {
    return fail(Errc::not_found, "this node is not in the realm \"" + realm + "\"");
  }

  /// How a topic is called in `subscriptions` and `published`: "news", in a realm "news@kitchen".
  static std::string in_realm(const std::string& topic, const std::string& realm) {
    return realm.empty() ? topic : topic + "@" + realm;
  }
  void subscribe_topic(std::string topic, std::string realm, Done done) override {
    if (topic == "NO") return done(fail(Errc::invalid_argument, "no topic"));
    if (registry_of(realm) == nullptr) return done(not_in(realm));
    ++subscriptions[in_realm(topic, realm)];
    done({});
  }
  void unsubscribe_topic(std::string topic, std::string realm, Done done) override {
    --subscriptions[in_realm(topic, realm)];
    done({});
  }
  void publish(std::string topic, std::string realm, Bytes payload, PublishDone done) override {
    if (payload.size() > 16'384) return done(fail(Errc::too_large, "a topic takes at most 16384"));
    if (registry_of(realm) == nullptr) return done(not_in(realm));
    done(gossip::Publication{.sequence = ++published[in_realm(topic, realm)], .neighbours = 3});
  }
  /// Something that bob has published.
  void hear(const std::string& topic, const std::string& text, const std::string& realm = {}) {
    auto bytes = std::make_shared<const Bytes>(to_bytes(as_bytes(text)));
    const auto heard = listener.lock();
    if (heard == nullptr) return;
    heard->on_topic_message({.topic = topic,
                             .realm = realm,
                             .publisher = identity_of(2).id(),
                             .run = 7,
                             .sequence = 1,
                             .at = {},
                             .hops = 2,
                             .signed_bytes = bytes,
                             .payload = *bytes});
  }
  static constexpr Now kWritten{Instant(hours(1)), WallTime(milliseconds(1'767'225'600'000))};
  identity::Identity identity = identity_of(1);
  registry::Registry entries{identity, {}, Rng(Rng::Seed{1})};
  registry::Effects entries_out;
  std::map<std::string, HeldRealm> held_realms;
  Rng random{Rng::Seed{2}};
  std::size_t registry_reads = 0;
  mutable std::size_t realm_reads = 0;
  std::map<std::string, int> subscriptions;
  std::map<std::string, std::uint64_t> published;
  node::NetworkStatus network() const override { return network_status; }
  node::NetworkStatus network_status = {};
  void probe_peer(node::ProbePeer probe, ProbeDone done) override {
    probes.push_back(probe);
    const auto found = answers.find(probe.endpoint.text());
    node::PeerProbed probed{{}, probe.peer, probe.endpoint, fail(Errc::unreachable, "connection refused")};
    if (found != answers.end()) probed.result = found->second;
    done(probed);
  }
  std::optional<identity::SignedRecord> peer_record(const identity::PeerId& peer) const override {
    const auto found = held_records.find(peer);
    return found == held_records.end() ? std::nullopt : std::optional(found->second);
  }
  std::vector<bootstrap::NodeStatus> bootstrap_status() const override { return discovered; }
  std::vector<node::ProbePeer> probes;
  std::map<std::string, node::Reachable> answers;  ///< to probes, by endpoint
  std::map<identity::PeerId, identity::SignedRecord> held_records;
  std::vector<bootstrap::NodeStatus> discovered;

  std::vector<identity::PeerId> searched;
  std::map<identity::PeerId, identity::SignedRecord> records;
  std::vector<identity::NodeInfo> nodes;
  std::vector<datagram::SessionStatus> over_udp;
  std::vector<node::LanPeer> lan;

  void send(router::Draft draft, SendDone done) override {
    drafts.push_back(draft);
    if (held) return held_sends.push_back(std::move(done));
    if (!accepts) return done(std::unexpected<Error>(*refusal));
    const auto id = draft.id.value_or(message_id(static_cast<Byte>(drafts.size())));
    router::Trace trace;
    trace.id = id;
    trace.peer = draft.to;
    trace.size = draft.body.size();
    trace.steps.push_back({from_unix_ms(0), "accepted"});
    traces.emplace(id, trace);
    done(id);
    if (delivers) settle(id, router::MessageState::delivered);
  }

  void place(router::Draft draft, std::string capability, PlaceDone done) override {
    placed.emplace_back(draft, capability);
    if (!accepts) return done(std::unexpected<Error>(*refusal));
    done(router::Placement{message_id(200), identity_of(2).id(), capability + "/ja-en", true});
  }

  void ask(router::Question question, AskDone done) override {
    questions.push_back(question);
    const auto to = question.to.value_or(identity_of(2).id());
    if (!accepts) return done({{}, to, std::unexpected<Error>(*refusal)});
    auto reply = std::make_shared<router::Arrived>();
    reply->from = to;
    reply->body = question.body;
    reply->exchange = router::Exchange{router::Exchange::Part::reply, ""};
    done({{}, to, router::Answer{message_id(201), question.capability, reply, milliseconds(3)}});
  }

  void answer(std::uint64_t number, router::Response response, SendDone done) override {
    if (waiting.erase(number) == 0) return done(fail(Errc::not_found, "no such request"));
    responses.emplace(number, response);
    done(message_id(202));
  }

  /// A request for a capability comes in.
  void be_asked(const std::string& body, const std::string& capability) {
    auto message = std::make_shared<router::Arrived>();
    message->number = ++last_number;
    message->id = message_id(static_cast<Byte>(100 + last_number));
    message->from = identity_of(2).id();
    message->body = to_bytes(as_bytes(body));
    message->expires = from_unix_ms(60'000);
    message->exchange = router::Exchange{router::Exchange::Part::request, capability};
    waiting.emplace(message->number, message);
    if (const auto heard = listener.lock()) heard->on_arrival(message);
  }

  std::vector<std::pair<router::Draft, std::string>> placed;
  std::vector<router::Question> questions;
  std::map<std::uint64_t, router::Response> responses;

  void take(std::vector<std::uint64_t> numbers, Done done) override {
    Status result;
    for (const auto number : numbers) {
      taken.push_back(number);
      if (waiting.erase(number) == 0) result = fail(Errc::not_found, "no such number");
    }
    done(result);
  }

  void put_contact(identity::Contact contact, bool replace, Done done) override {
    const bool is_known = book.find(contact.id) != nullptr;
    done(replace && is_known ? book.update(std::move(contact)) : book.add(std::move(contact)));
  }

  void remove_contact(const identity::PeerId& id, Done done) override {
    const auto removed = book.remove(id);
    done(removed ? Status{} : std::unexpected<Error>(removed.error()));
  }

  void block(const identity::PeerId& id, bool blocked, Done done) override {
    if (blocked) {
      refused.insert(id);
      return done({});
    }
    done(refused.erase(id) == 1 ? Status() : fail(Errc::not_found, "not blocked"));
  }
  std::vector<router::Waiting> contact_requests() const override { return strangers; }
  std::vector<router::Blocked> blocked() const override {
    std::vector<router::Blocked> all;
    for (const auto& id : refused) all.push_back({id, from_unix_ms(0)});
    return all;
  }
  std::set<identity::PeerId> refused;
  std::vector<router::Waiting> strangers;

  void retry_now(const identity::PeerId& peer, Done done) override {
    retried.push_back(peer);
    done({});
  }

  void probe_bootstrap(Done done) override {
    ++bootstrap_probes;
    done({});
  }
  std::size_t bootstrap_probes = 0;

  node::NodeStatus status() const override {
    ++status_asked;
    return self;
  }
  identity::PeerId id() const override { return self.id; }
  crypto::Ed25519PublicKey public_key() const override { return identity_of(1).public_key(); }
  Bytes own_record() const override { return {}; }

  std::optional<router::Trace> trace(const router::MessageId& id) const override {
    const auto found = traces.find(id);
    return found == traces.end() ? std::nullopt : std::optional(found->second);
  }

  std::vector<router::Trace> outgoing(std::size_t limit, const router::OutgoingFilter& filter) const override {
    std::vector<router::Trace> out;
    for (auto i = traces.rbegin(); i != traces.rend() && out.size() < limit; ++i) {
      if (!filter.state || i->second.state == *filter.state) out.push_back(i->second);
    }
    return out;
  }

  std::vector<router::ArrivedPtr> inbox(std::uint64_t after, std::size_t limit,
                                        const router::InboxFilter& filter) const override {
    std::vector<router::ArrivedPtr> out;
    for (auto i = waiting.upper_bound(after); i != waiting.end() && out.size() < limit; ++i) {
      if (filter.matches(*i->second)) out.push_back(i->second);
    }
    return out;
  }

  std::vector<router::ArrivedPtr> requests(const std::string& capability, std::uint64_t after,
                                           std::size_t limit) const override {
    std::vector<router::ArrivedPtr> out;
    for (auto i = waiting.upper_bound(after); i != waiting.end() && out.size() < limit; ++i) {
      if (i->second->exchange && i->second->exchange->capability == capability) out.push_back(i->second);
    }
    return out;
  }

  const identity::ContactBook& contacts() const override { return book; }
  std::vector<identity::Endpoint> listening() const override { return {}; }
  std::string data_dir() const override { return "/data"; }
  Now now() const override { return {}; }
  std::uint64_t uptime_ms() const override { return 61'000; }
  std::optional<WallTime> certificate_end() const override { return certificate; }
  void subscribe(std::weak_ptr<runtime::Listener> heard) override { listener = std::move(heard); }

  node::NodeStatus self{};
  identity::ContactBook book;
  std::optional<WallTime> certificate;
  std::map<router::MessageId, router::Trace> traces;
  std::map<std::uint64_t, router::ArrivedPtr> waiting;
  std::vector<router::Draft> drafts;
  std::vector<std::uint64_t> taken;
  std::vector<identity::PeerId> retried;
  std::vector<SendDone> held_sends;
  std::weak_ptr<runtime::Listener> listener;
  std::uint64_t last_number = 0;
  mutable std::size_t status_asked = 0;
  bool accepts = true;
  bool delivers = false;  ///< The receipt comes right after the acceptance.
  bool held = false;      ///< Sends are not answered.
  std::optional<Error> refusal;
};

}  // namespace ekiden::api::test
