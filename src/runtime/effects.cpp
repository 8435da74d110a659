// What the node asks for, done. Visited without a catch-all: a new effect does not compile until it is handled here.
#include <string>
#include <utility>

#include "base/check.hpp"
#include "runtime/host_impl.hpp"

namespace ekiden::runtime {
namespace {

/// Batches that one round may make before the store's thread has its turn.
constexpr std::uint64_t kBetweenTurns = 4;

}  // namespace

/// Effects that come while effects run are done by the same loop, after those before them.
void Host::Impl::run_effects() {
  if (draining) return;
  draining = true;
  outbox.drain([this](node::Effect&& effect) { run(std::move(effect)); });
  draining = false;
}

void Host::Impl::run(node::Effect&& effect) {
  std::visit(
      Overloaded{
          [this](node::Dial& dial) { tcp.dial(dial.conn, dial.endpoint, dial.learned_from, std::move(dial.only)); },
          [this](link::Hangup& hangup) { tcp.hang_up(hangup.conn); },
          [this](link::WantWrite& want) { tcp.want_write(want.conn); },
          [this](link::Resume& resume) { tcp.resume(resume.conn); },
          [this](node::SendDatagram& datagram) { udp.send(datagram.to, std::move(datagram.packet)); },
          [this](const node::SayBeacon& word) { lan.say(word.bytes); },
          [this](node::Persist& asked_for) { persist(std::move(asked_for)); },
          [this](node::Fetch& wanted) { store->fetch(std::move(wanted)); },
          [this](node::Reply& reply) { answer(reply); },
          [this](const node::PeerFound& found) {
            const auto waiting = finds.extract(found.request);
            CHECK(!waiting.empty());
            waiting.mapped()(found);
          },
          [this](const node::CapabilityFound& found) {
            const auto waiting = owner_finds.extract(found.request);
            CHECK(!waiting.empty());
            waiting.mapped()(found);
          },
          [this](const node::PeerProbed& probed) {
            const auto waiting = probes.extract(probed.request);
            CHECK(!waiting.empty());
            waiting.mapped()(probed);
          },
          [this](const node::Placed& placed) {
            const auto waiting = places.extract(placed.request);
            CHECK(!waiting.empty());
            waiting.mapped()(placed.result);
          },
          [this](const node::Answered& answered) {
            const auto waiting = asks.extract(answered.request);
            CHECK(!waiting.empty());
            waiting.mapped()(answered);
          },
          [this](const node::TopicPublished& published) {
            const auto waiting = publications.extract(published.request);
            CHECK(!waiting.empty());
            waiting.mapped()(published.result);
          },
          [this](const node::TopicMessage& message) {
            tell([&](Listener& listener) { listener.on_topic_message(message); });
          },
          [this](const node::EntryChanged& changed) {
            tell([&](Listener& listener) { listener.on_entry_changed(changed); });
          },
          [this](const node::RealmLeft& left) {
            tell([&](Listener& listener) { listener.on_realm_left(left.realm); });
          },
          [this](const node::NetworkChanged& changed) {
            tell([&](Listener& listener) { listener.on_network_changed(changed); });
          },
          [this](router::Arrival& arrival) { tell([&](Listener& listener) { listener.on_arrival(arrival.message); }); },
          [this](router::StateChanged& change) { tell([&](Listener& listener) { listener.on_state(change); }); },
          [this](node::PeerUp& up) { tell([&](Listener& listener) { listener.on_peer_up(up.peer); }); },
          [this](node::PeerDown& down) {
            tell([&](Listener& listener) { listener.on_peer_down(down.peer, down.why); });
          },
          [this](node::Log& line) { log(line.level, line.component, line.text); },
      },
      effect);
}

void Host::Impl::persist(node::Persist&& asked_for) {
  asked = asked_for.token;
  const bool was_congested = backlog.congested();
  backlog.add(asked_for.token, asked_for.batch.byte_size());
  store->persist(asked_for.token, std::move(asked_for.batch));
  if (static_cast<std::uint64_t>(asked_for.token) % kBetweenTurns == 0) let_store_in();
  if (was_congested || !backlog.congested()) return;
  tcp.pause_reading();
  log(node::LogLevel::warning, "store",
      "the disk is behind by " + std::to_string(backlog.bytes()) + " bytes: reading from other nodes pauses");
}

void Host::Impl::answer(const node::Reply& reply) {
  const auto found = requests.find(reply.request);
  CHECK(found != requests.end());
  const SendDone done = std::move(found->second);
  requests.erase(found);
  done(reply.result);
}

template <class Call>
void Host::Impl::tell(Call call) {
  // By index: a listener may be added meanwhile.
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    if (const auto listener = listeners[i].lock()) call(*listener);
  }
  std::erase_if(listeners, [](const std::weak_ptr<Listener>& listener) { return listener.expired(); });
}

}  // namespace ekiden::runtime
