#include "node/node.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "base/deadline_map.hpp"
#include "node/engine_configs.hpp"
#include "node/impl.hpp"

namespace ekiden::node {
namespace {

/// Nodes of the DHT near a peer that relays may dial to find a way to it.
constexpr std::size_t kScouted = 8;

/// Whose store it is. Rationale: two nodes on copies of one store, or one identity with the store of another, would
/// take the same steps of the same sessions, and use keys twice.
struct OwnerRow {
  static constexpr std::string_view kName = "owner_row";
  identity::PeerId id;

  static constexpr auto kFields = wire::fields(wire::field<1>("id", &OwnerRow::id));
};
constexpr std::string_view kOwnerRowName = "node.owner";

/// Whether the store has such a row: a new one has none yet. Errors: refused (it is another's), storage_corrupt.
Result<bool> check_owner(const std::vector<store::Row>& rows, const identity::PeerId& self) {
  const auto is_owner = [](const store::Row& row) {
    return row.key.table == store::Table::meta && as_text(row.key.name) == kOwnerRowName;
  };
  const auto row = std::ranges::find_if(rows, is_owner);
  if (row == rows.end()) return false;
  const auto owner = wire::decode<OwnerRow>(row->value);
  if (!owner) {
    return fail(Errc::storage_corrupt, "table meta, row " + std::string(kOwnerRowName) + ": " + owner.error().message);
  }
  if (owner->id == self) return true;
  return fail(Errc::refused, "the store (ekiden.db) is that of " + owner->id.text() +
                                 ", and the key (identity.key) is that of " + self.text() +
                                 ": put the one back that belongs to the other; a store that is lost is "
                                 "moved away and begun anew with `ekiden up --new-store`");
}

/// The owner wants something of others now.
bool is_of_owner(const Input& input) {
  return std::holds_alternative<SendMessage>(input) || std::holds_alternative<AskQuestion>(input);
}

/// Lends the driver's outbox to the engines' glue for the length of one call.
class Borrow {
 public:
  Borrow(Outbox<Effect>*& slot, Outbox<Effect>& out) : slot_(slot) {
    CHECK(slot == nullptr);
    slot = &out;
  }
  ~Borrow() { slot_ = nullptr; }
  Borrow(const Borrow&) = delete;
  Borrow& operator=(const Borrow&) = delete;

 private:
  Outbox<Effect>*& slot_;
};

}  // namespace

Node::Impl::Impl(const crypto::Ed25519Seed& seed, Config cfg, Rng rng)
    : self(seed),
      config(with_features(std::move(cfg))),
      links(self, config.link, rng.split()),
      sessions(self, config.session, rng.split()),
      router(self, config.router, rng.split()),
      asks(self.id(), rng.split()),
      datagrams(self, config.datagram, rng.split()),
      dht(self.id(), dht_config(config), rng.split()),
      bootstrap(self.id(), bootstrap_config(config), rng.split()),
      reachability(reachability_config(config), rng.split(),
                   [this](const identity::IpAddress& address) { return datagram_hosts.contains(address); }),
      lan(self, lan_config(config), rng.split()),
      keeper(self, config.mailbox, rng.split(), [this](const identity::PeerId& peer) { return tier_of(peer); }),
      depositor(self.id(), config.mailbox),
      collector(self.id(), config.mailbox),
      relay(
          self, config.relay, rng.split(),
          [this](const identity::PeerId& peer) { return contacts.tier_of(peer) != identity::TrustTier::stranger; },
          [this](const identity::PeerId& peer) {
            const identity::PeerRecord* known = record_of(peer);
            return known == nullptr ? std::vector<identity::PeerId>{} : known->relays;
          },
          [this](const identity::PeerId& peer) {
            std::vector<identity::PeerId> near;
            for (const identity::NodeInfo& node : dht.closest(peer, kScouted)) near.push_back(node.id());
            return near;
          }),
      gossip(
          self, config.gossip, rng.split(), [this](const identity::PeerId& peer) { return signed_record_of(peer); },
          [this](const identity::PeerId& peer) { return watch.detector && watch.detector->is_of_other_side(peer); }),
      registry_rng(rng.split()),
      watch(rng.bytes<32>()),
      realms(self.id(), rng.split()),
      contacts(config.max_contacts),
      records(config.max_peer_records,
              [this](const identity::PeerId& peer) { return wanted.contains(peer) || links.is_up(peer); }),
      link_lines(config.max_peer_lines_per_second),
      message_lines(config.max_peer_lines_per_second),
      capabilities(config.dht.max_own_values - 1) {
  links.guard([this](const identity::PeerId& peer) { return comes_first(peer); });
}

Node::Node(const crypto::Ed25519Seed& seed, Config config, Rng rng)
    : impl_(std::make_unique<Impl>(seed, std::move(config), std::move(rng))) {}
Node::~Node() = default;

Status Node::load(const std::vector<store::Row>& rows) {
  EKIDEN_ASSIGN(const bool is_bound, check_owner(rows, impl_->self.id()));
  if (!is_bound)
    impl_->batch.put(store::Table::meta, as_bytes(kOwnerRowName), wire::encode(OwnerRow{impl_->self.id()}));
  EKIDEN_TRY(impl_->sessions.load(rows));
  EKIDEN_TRY(impl_->router.load(rows));
  EKIDEN_TRY(impl_->dht.load(rows));
  EKIDEN_TRY(impl_->bootstrap.load(rows));
  for (const store::Row& row : rows) {
    if (row.key.table == store::Table::meta) EKIDEN_TRY(impl_->load_meta_row(row));
    if (row.key.table == store::Table::contacts) EKIDEN_TRY(impl_->load_contact_row(row));
    if (row.key.table == store::Table::records) EKIDEN_TRY(impl_->load_peer_record_row(row));
    if (row.key.table == store::Table::realms) EKIDEN_TRY(impl_->load_realm_row(row));
    if (row.key.table == store::Table::dead) EKIDEN_TRY(impl_->keeper.load_dead_row(row.key.number, row.value));
  }
  return impl_->load_packets(rows);
}

Status Node::load_row(const store::Key& key, ByteView value) {
  if (key.table == store::Table::registry) return impl_->load_registry_row(key.name, value);
  if (key.table == store::Table::realm_registry) return impl_->load_realm_entry(key.name, value);
  CHECK(key.table == store::Table::parcels);
  return impl_->keeper.load_row(key.number, value);
}

void Node::set_advertised(std::vector<identity::Endpoint> endpoints) {
  impl_->config.advertised = std::move(endpoints);
}

void Node::set_listening(std::vector<identity::Endpoint> endpoints) { impl_->config.listening = std::move(endpoints); }

void Node::set_lan_ports(std::optional<lan::Ports> ports) { impl_->config.lan_ports = ports; }

void Node::start(Now now, Outbox<Effect>& out) {
  const Borrow borrow(impl_->out, out);
  impl_->sessions.start(now, impl_->session_out);
  impl_->show_offers(now);
  impl_->router.start(now, impl_->router_out);
  impl_->keeper.start(now, impl_->mailbox_out);
  impl_->relay.start(now, impl_->relay_out);
  if (impl_->takes_part()) impl_->dht.start(now, impl_->dht_out);
  impl_->start_registry(now);
  impl_->start_realms(now);
  impl_->start_reachability(now);
  if (impl_->config.watch_network) impl_->watch.begun = now;
  impl_->renew_record_in_time(now);
  impl_->settle(now);
}

void Node::handle(Now now, Input input, Outbox<Effect>& out) {
  const Borrow borrow(impl_->out, out);
  if (is_of_owner(input)) impl_->links.occupy(now);
  impl_->handle(now, std::move(input));
  impl_->settle(now);
}

void Node::Impl::handle(Now now, Input input) {
  std::visit(
      Overloaded{
          [&](const ConnAccepted& in) {
            if (record.empty() || ending) {
              out->push(Hangup{in.conn});
            } else {
              links.on_accepted(now, in.conn, in.from, in.port, link_out, in.transport);
            }
          },
          [&](const ConnConnected& in) { links.on_connected(now, in.conn, in.address, link_out); },
          [&](const ConnFailed& in) { links.on_connect_failed(now, in.conn, in.why, link_out); },
          [&](const ConnBytes& in) { links.on_bytes(now, in.conn, in.bytes, link_out); },
          [&](const ConnClosed& in) { links.on_closed(now, in.conn, in.why, link_out); },
          [&](const DatagramArrived& in) {
            if (config.discovery && !record.empty()) datagrams.on_packet(now, in.from, in.bytes, datagram_out);
          },
          [&](const BeaconHeard& in) { lan.on_beacon(now, in.from, in.bytes, lan_out); },
          [&](const Persisted& in) { on_persisted(now, in.up_to); },
          [&](const StorageStalled& in) { set_storage(now, in.why); },
          [&](const StorageResumed&) { set_storage(now, std::nullopt); },
          [&](SendMessage& in) { router.submit(now, in.request, std::move(in.draft), router_out); },
          [&](PlaceMessage& in) { place(now, in); },
          [&](AskQuestion& in) {
            auto candidates =
                known_to_offer(now, in.question.to ? std::string() : in.question.capability, /*with_realms=*/false);
            asks.ask(now, in.request, std::move(in.question), std::move(candidates), ask_out);
          },
          [&](AnswerQuestion& in) { answer(now, in); },
          [&](const SwitchRelay& in) { switch_relay(now, in); },
          [&](Fetched& in) { keeper.on_fetched(now, std::move(in.rows), mailbox_out); },
          [&](const TakeMessages& in) {
            asks.on_taken(in.numbers);
            router.take(now, in.request, in.numbers, router_out);
          },
          [&](const PutContact& in) { put_contact(now, in); },
          [&](const RemoveContact& in) { remove_contact(now, in); },
          [&](const BlockPeer& in) { block(now, in); },
          [&](const RetryNow& in) { retry_peer(now, in); },
          [&](const SubscribeTopic& in) { reply(in.request, gossip.subscribe(now, in.topic, gossip_out, in.realm)); },
          [&](const UnsubscribeTopic& in) { reply(in.request, gossip.unsubscribe(now, in.topic, in.realm)); },
          [&](const PublishInTopic& in) {
            const gossip::PublishId id{static_cast<std::uint64_t>(in.request)};
            gossip.publish(now, id, in.topic, in.payload, gossip_out, in.realm);
          },
          [&](const PutEntry& in) { put_entry(now, in); },
          [&](const RemoveEntry& in) { remove_entry(now, in); },
          [&](const ReadRegistry&) {
            if (std::exchange(open_registry.is_read, true)) return;
            become_member(now, {}, open_registry);
            list_offers(now, open_registry);
          },
          [&](const EnterRealm& in) { enter_realm(now, in); },
          [&](const LeaveRealm& in) { leave_realm(now, in); },
          [&](const ProbeBootstrap& in) { survey_bootstrap(now, in); },
          [&](const FindPeer& in) { find_for_request(now, in); },
          [&](FindCapability& in) { find_capability(now, in); },
          [&](const OfferCapability& in) { offer(now, in); },
          [&](const WithdrawCapability& in) { withdraw_offer(now, in); },
          [&](const ProbePeer& in) { probe_for_request(now, in); },
          [&](const EndpointMapped& in) { reachability.on_mapped(now, in.endpoint, reachability_out); },
          [&](const MappingLost& in) { reachability.on_mapping_lost(now, in.endpoint, reachability_out); },
          [&](const Tick&) { tick(now); },
          [&](const ShutDown&) { shut_down(now); },
      },
      input);
}

/// `fault`: why the store does not commit; without one it does again.
void Node::Impl::set_storage(Now now, std::optional<Error> fault) {
  router.set_storage(now, fault ? Status(std::unexpected(*fault)) : Status());
  keeper.set_storage(!fault);
  relay.set_storage(!fault);
  log(fault ? LogLevel::error : LogLevel::info, "store", fault ? fault->message : "the store commits again");
  storage = std::move(fault);
}

void Node::Impl::shut_down(Now now) {
  leave(now);
  // Goodbyes go out before the links end.
  if (watch.detector) watch.detector->leave(now, watch.out);
  watch.out.drain([&](partition::Effect&& effect) { on_partition_effect(now, std::move(effect)); });
  gossip.stop(gossip_out);
  gossip_out.drain([&](gossip::Effect&& effect) { on_gossip_effect(now, std::move(effect)); });
  router.flush(router_out);
  lan.stop();
  links.shut_down(now, link_out);
  dht.flush(now, dht_out);
  bootstrap.flush(bootstrap_out);
}

void Node::Impl::on_persisted(Now now, store::PersistToken up_to) {
  InFlight done{};
  while (!in_flight.empty() && in_flight.front().token <= up_to) {
    InFlight& first = in_flight.front();
    if (first.router) done.router = first.router;
    if (first.keeper) done.keeper = first.keeper;
    if (first.relay) done.relay = first.relay;
    if (first.registry) done.registry = first.registry;
    for (const auto& written : first.realm_registries) done.realm_registries.push_back(written);
    if (!first.record.empty()) done.record = std::move(first.record);
    if (!first.withdrawal.empty()) done.withdrawal = std::move(first.withdrawal);
    for (Bytes& announcement : first.announcements) done.announcements.push_back(std::move(announcement));
    if (!first.list.empty()) done.list = std::move(first.list);
    done.sessions = first.sessions;
    for (const RequestId request : first.answers) reply(request, {});
    in_flight.pop_front();
  }
  sessions.on_persisted(done.sessions);
  if (done.router) router.on_persisted(now, *done.router, router_out);
  if (done.keeper) keeper.on_persisted(now, *done.keeper, mailbox_out);
  if (done.relay) relay.on_persisted(*done.relay);
  if (done.registry) open_registry.registry->on_persisted(now, *done.registry, open_registry.out);
  for (const auto& [stay, token] : done.realm_registries) on_realm_persisted(now, stay, token);
  if (!done.record.empty()) publish_record(now, std::move(done.record));
  publish_announcements(now, std::move(done.announcements));
  // Nothing is withdrawn that was never published.
  if (!done.withdrawal.empty()) static_cast<void>(dht.withdraw(now, std::move(done.withdrawal), dht_out));
  if (!done.list.empty()) publish_list(now, std::move(done.list));
}

void Node::Impl::tick(Now now) {
  links.on_deadline(now, link_out);
  sessions.on_deadline(now, session_out);
  router.on_deadline(now, router_out);
  keeper.on_deadline(now, mailbox_out);
  depositor.on_deadline(now, mailbox_out);
  collector.on_deadline(now, mailbox_out);
  relay.on_deadline(now, relay_out);
  asks.on_deadline(now, ask_out);
  gossip.on_deadline(now, gossip_out);
  if (open_registry.registry) open_registry.registry->on_deadline(now, open_registry.out);
  tick_realms(now);
  if (watch.detector) watch.detector->on_deadline(now, watch.out);
  seal_waiting(now);  // After the sessions have written what is older.
  if (std::exchange(relay_flush_at, std::nullopt)) relay.flush(now, relay_out);
  renew_record_in_time(now);
  if (!config.discovery) return;
  datagrams.on_deadline(now, datagram_out);
  dht.on_deadline(now, dht_out);
  bootstrap.on_deadline(now, bootstrap_out);
  reachability.on_deadline(now, reachability_out);
  if (own_endpoints.publish_at && *own_endpoints.publish_at <= now.mono) publish_endpoints(now);
  lan.on_deadline(now, lan_out);
  while (const auto probe = list_due.pop_due(now.mono)) end_probe(now, *probe, std::nullopt);
  search_again(now);
  if (joining.look && *joining.look <= now.mono) join_again(now);
  if (leave_by && *leave_by <= now.mono) leave_by.reset();
}

void Node::Impl::settle(Now now) {
  while (!link_out.empty() || !session_out.empty() || !router_out.empty() || !ask_out.empty() ||
         !datagram_out.empty() || !dht_out.empty() || !bootstrap_out.empty() || !reachability_out.empty() ||
         !lan_out.empty() || !mailbox_out.empty() || !relay_out.empty() || !gossip_out.empty() ||
         !open_registry.out.empty() || !realms.is_settled() || !watch.out.empty()) {
    link_out.drain([&](link::LinkPool::Effect&& effect) { on_link_effect(now, std::move(effect)); });
    session_out.drain([&](session::Sessions::Effect&& effect) { on_session_effect(now, std::move(effect)); });
    router_out.drain([&](router::Router::Effect&& effect) { on_router_effect(now, std::move(effect)); });
    ask_out.drain([&](router::AskEffect&& effect) { on_ask_effect(now, std::move(effect)); });
    datagram_out.drain([&](datagram::Datagrams::Effect&& effect) { on_datagram_effect(now, std::move(effect)); });
    dht_out.drain([&](dht::Dht::Effect&& effect) { on_dht_effect(now, std::move(effect)); });
    bootstrap_out.drain([&](bootstrap::Bootstrap::Effect&& effect) { on_bootstrap_effect(now, std::move(effect)); });
    reachability_out.drain(
        [&](reachability::Reachability::Effect&& effect) { on_reachability_effect(now, std::move(effect)); });
    lan_out.drain([&](lan::Lan::Effect&& effect) { on_lan_effect(now, std::move(effect)); });
    mailbox_out.drain([&](mailbox::Effect&& effect) { on_mailbox_effect(now, std::move(effect)); });
    relay_out.drain([&](relay::Effect&& effect) { on_relay_effect(now, std::move(effect)); });
    gossip_out.drain([&](gossip::Effect&& effect) { on_gossip_effect(now, std::move(effect)); });
    settle_registries(now);
    watch.out.drain([&](partition::Effect&& effect) { on_partition_effect(now, std::move(effect)); });
  }
  if (relay.needs_flush() && !relay_flush_at) relay_flush_at = now.mono;
  if (batch.empty() && !persist_wanted && !sessions.wants_batch()) return end_leaving();
  sessions.collect(batch);
  waiting.token = store::PersistToken{++last_token};
  waiting.sessions = sessions.last_change();
  out->push(Persist{waiting.token, std::exchange(batch, {})});
  in_flight.push_back(std::exchange(waiting, {}));
  persist_wanted = false;
}

void Node::Impl::log(LogLevel level, std::string_view component, std::string text) {
  out->push(Log{level, component, std::move(text)});
}

void Node::Impl::log_limited(Now now, link::LineLimit& limit, LogLevel level, std::string_view component,
                             std::string text) {
  if (limit.admit(now.mono, text)) log(level, component, std::move(text));
}

void Node::Impl::reply(RequestId request, Status status) {
  if (status) {
    out->push(Reply{request, router::MessageId{}});
  } else {
    out->push(Reply{request, std::unexpected(std::move(status).error())});
  }
}

bool Node::may_read(Now now, ConnId conn) { return impl_->links.may_read(now, conn); }

ByteView Node::to_send(Now now, ConnId conn) { return impl_->links.to_send(now, conn); }

void Node::mark_sent(Now now, ConnId conn, std::size_t bytes, Outbox<Effect>& out) {
  const Borrow borrow(impl_->out, out);
  impl_->links.mark_sent(now, conn, bytes, impl_->link_out);
  impl_->settle(now);
}

std::optional<Instant> Node::deadline() const {
  auto at = earlier(impl_->links.deadline(), impl_->sessions.deadline());
  at = earlier(at, earlier(impl_->router.deadline(), impl_->asks.deadline()));
  at = earlier(at, earlier(impl_->record_look, impl_->sealing.at));
  at = earlier(at, earlier(impl_->relay_flush_at, impl_->gossip.deadline()));
  at = earlier(at, earlier(impl_->keeper.deadline(), impl_->depositor.deadline()));
  at = earlier(at, earlier(impl_->collector.deadline(), impl_->relay.deadline()));
  if (impl_->open_registry.registry) at = earlier(at, impl_->open_registry.registry->deadline());
  at = earlier(at, impl_->realms.deadline());
  if (impl_->watch.detector) at = earlier(at, impl_->watch.detector->deadline());
  if (!impl_->config.discovery) return at;
  at = earlier(at, earlier(impl_->datagrams.deadline(), impl_->dht.deadline()));
  at = earlier(at, earlier(impl_->leave_by, impl_->lan.deadline()));
  at = earlier(at, earlier(impl_->reachability.deadline(), impl_->own_endpoints.publish_at));
  at = earlier(at, earlier(impl_->bootstrap.deadline(), impl_->list_due.earliest()));
  return earlier(at, earlier(impl_->searches.due.earliest(), impl_->joining.look));
}

}  // namespace ekiden::node
