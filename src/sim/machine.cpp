#include "sim/machine.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/check.hpp"

namespace ekiden::sim {
namespace {

node::StorageStalled full_disk() { return {{Errc::storage_full, "no space left on device"}}; }

}  // namespace

Machine::Machine(Shared& shared, node::Config config, DiskModel disk, AppModel app, Rng rng)
    : Machine(shared, std::move(config), disk, app, crypto::Ed25519Seed(rng.bytes<32>()), rng) {}

Machine::Machine(Shared& shared, const crypto::Ed25519Seed& seed, node::Config config, DiskModel disk, AppModel app,
                 Rng rng)
    : Machine(shared, std::move(config), disk, app, seed, rng) {}

Machine::Machine(Shared& shared, node::Config config, DiskModel disk, AppModel app, const crypto::Ed25519Seed& seed,
                 Rng& rng)
    : shared_(shared),
      config_(std::move(config)),
      app_(app),
      rng_(std::move(rng)),
      seed_(seed),
      id_(identity::Identity(seed_).id()),
      host_(shared.network.add_host(*this)),
      disk_(shared.schedule, disk, rng_.split(), [this](store::PersistToken token) { feed(node::Persisted{token}); }),
      processor_(shared.schedule, shared.processor, [this](link::ConnId conn) { shared_.network.offer(host_, conn); }) {
  shared_.hosts[id_] = host_;
}

Machine::~Machine() = default;

identity::NodeInfo Machine::info() const {
  return {identity::Identity(seed_).public_key(), {Network::address_of(host_), Network::kPort}};
}

void Machine::boot() {
  CHECK(node_ == nullptr);
  ++boots_;
  is_leaving_ = false;
  left_record_.reset();
  log("machine", "boots");
  shared_.ledger.came(host_, shared_.schedule.now());
  in_order_since_ = shared_.schedule.now();
  node_ = std::make_unique<node::Node>(seed_, config_, rng_.split());
  begin_trace(Step::boot);
  trace(shared_.trace, disk_.synced().rows());
  if (auto status = load(); !status) {
    failure_ = "host " + std::to_string(host_) + " cannot load its store: " + status.error().message;
    node_.reset();
    return;
  }
  node_->start(now(), out_);
  run_effects();
  check();
  for (const auto& [request, contact] : std::exchange(unsaved_contacts_, {})) put_contact(contact);
  for (const std::string& topic : topics_) feed(node::SubscribeTopic{next_request(), topic});
  for (const auto& [realm, topic] : topics_in_realms_) feed(node::SubscribeTopic{next_request(), topic, realm});
  if (disk_.is_stalled()) feed(full_disk());
  watch_contact_requests();
}

void Machine::crash(bool reset, std::optional<std::size_t> reached) {
  if (node_ == nullptr) return;
  log("machine", reset ? "the process dies" : "the power goes");
  begin_trace(reset ? Step::process_died : Step::power_went);
  shared_.ledger.went(host_);
  shared_.broadcasts.gone(host_);
  delivery_bytes_ = delivery_bytes();
  leave_record();
  node_.reset();
  out_.take();
  to_flush_.clear();
  sends_.clear();
  for (const auto& [request, number] : takes_) shared_.ledger.take_unanswered(number);
  takes_.clear();
  writes_.clear();
  timer_.reset();
  disk_.crash(reached);
  shared_.network.crash(host_, reset);
  const Error why{Errc::closed, "the node went down"};
  for (auto& [request, finding] : std::exchange(finds_, {})) {
    finding.found({.request = request, .peer = {}, .record = std::unexpected(why), .trail = {}}, Duration(0));
  }
  for (auto& [request, finding] : std::exchange(owner_finds_, {})) {
    finding.found({.request = request, .capability = {}, .owners = std::unexpected(why), .trail = {}}, Duration(0));
  }
  for (auto& [request, finding] : std::exchange(asks_, {})) {
    finding.found({.request = request, .to = {}, .result = std::unexpected(why)}, Duration(0));
  }
}

void Machine::leave() {
  if (node_ == nullptr) return;
  in_order_since_ = shared_.schedule.now();  // What it withdraws now cannot be found.
  is_leaving_ = true;
  feed(node::ShutDown{});
  shared_.schedule.after(config_.leave_max + seconds(1), [this, boot = boots_] {
    if (boot == boots_) crash(true);
  });
}

void Machine::add_contact(const std::string& name, const identity::PeerId& id,
                          std::vector<identity::Endpoint> endpoints) {
  identity::Contact contact;
  contact.id = id;
  contact.petname = name;
  contact.endpoints = std::move(endpoints);
  put_contact(contact);
}

void Machine::put_contact(const identity::Contact& contact) {
  const auto request = next_request();
  unsaved_contacts_.emplace(request, contact);
  feed(node::PutContact{request, contact, true});
}

void Machine::send(const Machine& to, router::DeliveryClass delivery, wire::Priority priority, std::size_t body_size,
                   Duration ttl) {
  if (node_ == nullptr) return;
  // Clocks may be wrong: a message counts as expired only when it is by every clock, but a lost one may let it expire
  // at once.
  const bool is_lost = wall_is_lost() || to.wall_is_lost();
  const Instant expires = shared_.schedule.now() + (is_lost ? Duration(0) : ttl);
  const SendNumber number = shared_.ledger.submit(host_, to.host(), delivery, body_size, expires, rng_);
  const auto request = next_request();
  sends_[request] = number;
  router::Draft draft;
  draft.to = to.id();
  draft.body = shared_.ledger.body_of(number);
  draft.ttl = ttl;
  draft.priority = priority;
  draft.delivery = delivery;
  if (delivery == router::DeliveryClass::durable) {
    draft.unordered = number % 8 == 7;
    draft.conversation = number % 4 == 1 ? "tea" : "";
    if (!draft.unordered) shared_.ledger.order(number, draft.conversation);
  }
  feed(node::SendMessage{request, std::move(draft)});
}

void Machine::write_to_stranger(const identity::PeerId& to) {
  router::Draft draft;
  draft.to = to;
  draft.body = {1};
  draft.ttl = minutes(2);
  draft.delivery = router::DeliveryClass::volatile_;
  feed(node::SendMessage{next_request(), std::move(draft)});
}

void Machine::find(const identity::PeerId& peer, Found found) {
  if (node_ == nullptr) return;
  const auto request = next_request();
  finds_.emplace(request, Finding<Found>{shared_.schedule.now(), std::move(found)});
  feed(node::FindPeer{request, peer});
}

void Machine::find(const std::string& capability, std::size_t limit, OwnersFound found) {
  if (node_ == nullptr) return;
  const auto request = next_request();
  owner_finds_.emplace(request, Finding<OwnersFound>{shared_.schedule.now(), std::move(found)});
  feed(node::FindCapability{request, capability, limit});
}

void Machine::offer(const std::string& capability) { feed(node::OfferCapability{next_request(), capability}); }

void Machine::ask(router::Question question, Asked asked) {
  if (node_ == nullptr) return asked({.request = {}, .to = {}, .result = fail(Errc::closed, "down")}, Duration(0));
  const auto request = next_request();
  asks_.emplace(request, Finding<Asked>{shared_.schedule.now(), std::move(asked)});
  feed(node::AskQuestion{request, std::move(question)});
}

void Machine::subscribe(const std::string& topic) {
  if (topics_.insert(topic).second) feed(node::SubscribeTopic{next_request(), topic});
}

void Machine::publish(const std::string& topic, Bytes payload) {
  feed(node::PublishInTopic{next_request(), topic, std::move(payload)});
}

void Machine::put_entry(registry::Draft draft, Written written, const std::string& realm) {
  if (node_ == nullptr) return;
  const auto request = next_request();
  writes_.emplace(request, std::move(written));
  feed(node::PutEntry{request, std::move(draft), realm});
}

void Machine::enter_realm(node::EnterRealm realm) {
  realm.request = next_request();
  feed(std::move(realm));
}

void Machine::listen_in_realm(const std::string& realm, const std::string& topic) {
  topics_in_realms_.emplace(realm, topic);
  feed(node::SubscribeTopic{next_request(), topic, realm});
}

void Machine::publish_in_realm(const std::string& realm, const std::string& topic, const std::string& text) {
  feed(node::PublishInTopic{next_request(), topic, to_bytes(as_bytes(text)), realm});
}

void Machine::remove_entry(const std::string& name, Written written) {
  if (node_ == nullptr) return;
  const auto request = next_request();
  writes_.emplace(request, std::move(written));
  feed(node::RemoveEntry{request, id_, name});
}

/// Every eighth question cannot be answered, whoever is asked.
router::Response Machine::response_to(ByteView body) {
  router::Response response;
  response.failed = !body.empty() && body[0] % 8 == 0;
  response.body = to_bytes(as_bytes("re: "));
  append(response.body, body);
  return response;
}

void Machine::on_request(const router::ArrivedPtr& message) {
  shared_.schedule.after(rng_.between(Duration(0), app_.take_delay_max), [this, boot = boots_, message] {
    if (boot != boots_ || node_ == nullptr) return;
    feed(node::AnswerQuestion{next_request(), message->number, response_to(message->body)});
  });
}

void Machine::stall_disk(bool stalled) {
  if (stalled && node_ != nullptr) feed(full_disk());
  disk_.set_stalled(stalled);
  if (!stalled && node_ != nullptr) feed(node::StorageResumed{});
}

void Machine::feed(node::Input input) {
  if (node_ == nullptr) return;
  CHECK(!feeding_);
  feeding_ = true;
  ++shared_.inputs;
  begin_trace(Step::input);
  trace(shared_.trace, input);
  const auto* read = std::get_if<node::ConnBytes>(&input);
  processor_.work(read == nullptr ? 0 : read->bytes.size(), [&] { node_->handle(now(), std::move(input), out_); });
  feeding_ = false;
  run_effects();
  check();
}

void Machine::begin_trace(Step step) {
  shared_.trace.add(std::uint64_t{host_} << 8 | static_cast<std::uint64_t>(step));
  trace(shared_.trace, now());
}

/// Only the node that has just acted: nothing in the others has changed.
void Machine::check() {
  if (++shared_.steps % shared_.check_every == 0 && node_ != nullptr) node_->check_invariants();
}

void Machine::run_effects() {
  while (node_ != nullptr && (!out_.empty() || !to_flush_.empty())) {
    out_.drain([this](node::Effect&& effect) { run_effect(std::move(effect)); });
    for (const link::ConnId conn : std::exchange(to_flush_, {})) flush(conn);
  }
  arm_timer();
}

void Machine::run_effect(node::Effect effect) {
  trace(shared_.trace, effect);
  std::visit(
      Overloaded{
          [&](const node::Dial& dial) { shared_.network.dial(host_, dial.conn, dial.endpoint, dial.learned_from); },
          [&](const node::Hangup& hangup) { shared_.network.close(host_, hangup.conn); },
          [&](const node::WantWrite& want) { to_flush_.insert(want.conn); },
          [&](const node::Resume& resume) { shared_.network.resume(host_, resume.conn); },
          [&](node::SendDatagram& datagram) {
            shared_.network.send_datagram(host_, datagram.to, std::move(datagram.packet));
          },
          [&](node::SayBeacon& word) { shared_.network.say(host_, std::move(word.bytes)); },
          [&](node::Persist& persist) {
            count_kept(persist.batch);
            disk_.write(persist.token, std::move(persist.batch));
          },
          [&](node::Fetch& wanted) {
            disk_.read(std::move(wanted), [this](store::Fetched rows) { feed(std::move(rows)); });
          },
          [&](const node::Reply& reply) {
            if (auto sent = sends_.extract(reply.request)) {
              if (reply.result) {
                shared_.ledger.accepted(sent.mapped(), *reply.result, shared_.schedule.now());
              } else {
                shared_.ledger.refused(sent.mapped());
              }
            } else if (auto took = takes_.extract(reply.request); took && reply.result) {
              shared_.ledger.taken(took.mapped());
            } else if (auto written = writes_.extract(reply.request)) {
              written.mapped()(reply.result.has_value());
            } else if (reply.result) {
              unsaved_contacts_.erase(reply.request);
            }
          },
          [&](const node::PeerFound& found) {
            const auto asked = finds_.extract(found.request);
            asked.mapped().found(found, shared_.schedule.now() - asked.mapped().since);
          },
          [&](const node::CapabilityFound& found) {
            const auto asked = owner_finds_.extract(found.request);
            asked.mapped().found(found, shared_.schedule.now() - asked.mapped().since);
          },
          [&](const node::PeerProbed&) {},
          [&](const node::Placed&) {},
          [&](const node::TopicMessage& message) { on_topic_message(message); },
          [&](const node::TopicPublished&) {},
          [&](const node::EntryChanged&) {},
          [&](const node::RealmLeft&) {},
          [&](const node::NetworkChanged& changed) {
            if (changed.state == partition::State::split) ++splits_told_;
          },
          [&](const node::Answered& answered) {
            const auto asked = asks_.extract(answered.request);
            asked.mapped().found(answered, shared_.schedule.now() - asked.mapped().since);
          },
          [&](const node::Arrival& arrival) { on_arrival(arrival.message); },
          [&](const node::StateChanged& change) {
            shared_.ledger.state_changed(host_, change.id, change.state, shared_.schedule.now());
            if (change.state == router::MessageState::delivered) on_delivered(change.id);
          },
          [&](const node::PeerUp&) {},
          [&](const node::PeerDown&) {},
          [&](const node::Log& line) {
            log(line.component, line.text);
            if (line.level >= node::LogLevel::warning) note_accused(line.component, line.text);
          },
      },
      effect);
}

void Machine::log(std::string_view component, const std::string& text) const {
  if (!shared_.print_log) return;
  const auto us = std::chrono::duration_cast<microseconds>(shared_.schedule.now().time_since_epoch()).count();
  std::printf("%12.6f host %u %.*s: %s\n", static_cast<double>(us) / 1e6, host_, static_cast<int>(component.size()),
              component.data(), text.c_str());
}

/// Lines about what somebody has done begin with who it was.
void Machine::note_accused(std::string_view component, const std::string& text) {
  if (component != "gossip" && component != "registry") return;
  for (const identity::PeerId& traitor : shared_.traitors) {
    if (text.starts_with(traitor.text())) shared_.accused[traitor].insert(text.substr(traitor.text().size()));
  }
  if (shared_.traitors.empty()) return;
  for (const auto& [peer, host] : shared_.hosts) {
    if (text.starts_with(peer.text())) shared_.ledger.breach("the log of a machine names an honest one: " + text);
  }
}

void Machine::flush(link::ConnId conn) {
  for (;;) {
    const std::size_t room = shared_.network.room(host_, conn);
    if (room == 0) return;  // on_room() comes back, or the connection is gone.
    ByteView bytes = node_->to_send(now(), conn);
    if (bytes.empty()) return;
    bytes = bytes.first(std::min(room, bytes.size()));
    begin_trace(Step::write);
    shared_.trace.add(static_cast<std::uint64_t>(conn));
    shared_.trace.add(bytes);
    shared_.network.write(host_, conn, bytes);
    node_->mark_sent(now(), conn, bytes.size(), out_);
    out_.drain([this](node::Effect&& effect) { run_effect(std::move(effect)); });
  }
}

void Machine::arm_timer() {
  if (node_ == nullptr) return;
  const auto deadline = node_->deadline();
  if (!deadline) return;
  const Instant at = std::max(*deadline, stalled_until_);
  if (timer_ && *timer_ <= at) return;
  timer_ = at;
  shared_.schedule.at(at, [this, boot = boots_, at] {
    if (boot != boots_ || node_ == nullptr || timer_ != at) return;
    timer_.reset();
    // What it was set for may be over.
    const auto due = node_->deadline();
    if (due && *due <= shared_.schedule.now() && !is_stalled()) {
      feed(node::Tick{});
    } else {
      arm_timer();
    }
  });
}

}  // namespace ekiden::sim
