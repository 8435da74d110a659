#include "api/event_hub.hpp"

#include <algorithm>
#include <utility>

#include "api/http_grammar.hpp"
#include "api/views.hpp"

namespace ekiden::api {
namespace {

Result<EventKinds> parse_kind(std::string_view name) {
  if (name == "message") return EventKinds::message;
  if (name == "state") return EventKinds::state;
  if (name == "peer") return EventKinds::peer;
  if (name == "request") return EventKinds::request;
  if (name == "reply") return EventKinds::reply;
  if (name == "entry") return EventKinds::entry;
  if (name == "partition") return EventKinds::partition;
  if (name == "realm") return EventKinds::realm;
  return fail(Errc::invalid_argument, "'" + std::string(name) +
                                          "' is not a kind of event; there are message, request, reply, state, peer, "
                                          "entry, partition and realm");
}

}  // namespace

Result<EventKinds> parse_event_kinds(std::string_view text) {
  if (text.empty()) return EventKinds::all;
  std::uint8_t kinds = 0;
  while (!text.empty()) {
    EKIDEN_ASSIGN(const auto kind, parse_kind(grammar::take_until(text, ',')));
    kinds = static_cast<std::uint8_t>(kinds | static_cast<std::uint8_t>(kind));
  }
  return static_cast<EventKinds>(kinds);
}

void EventHub::add(std::weak_ptr<EventSubscriber> subscriber, Wanted wanted) {
  entries_.push_back({std::move(subscriber), wanted.kinds, wanted.subscription});
}

bool EventHub::is_wanted(EventKinds kind) const {
  return std::ranges::any_of(
      entries_, [kind](const Entry& entry) { return includes(entry.kinds, kind) && !entry.subscriber.expired(); });
}

template <class Wants>
void EventHub::publish_to(Wants wants, std::string line) {
  std::erase_if(entries_, [](const Entry& entry) { return entry.subscriber.expired(); });
  const auto shared = std::make_shared<const std::string>(std::move(line));
  for (const auto& entry : entries_) {
    if (!wants(entry)) continue;
    if (const auto subscriber = entry.subscriber.lock()) subscriber->on_event(shared);
  }
}

void EventHub::publish(EventKinds kind, std::string line) {
  publish_to([kind](const Entry& entry) { return includes(entry.kinds, kind); }, std::move(line));
}

void EventHub::on_topic_message(const node::TopicMessage& message) {
  const auto wants = [&](const Entry& entry) {
    const auto subscription = entry.subscription.lock();
    return subscription && subscription->is_to(message) && !entry.subscriber.expired();
  };
  if (std::ranges::none_of(entries_, wants)) return;
  publish_to(wants, dump_json(topic_event(message, backend_.contacts())));
}

void EventHub::on_arrival(const router::ArrivedPtr& message) {
  auto kind = EventKinds::message;
  if (message->exchange) {
    kind = message->exchange->part == router::Exchange::Part::request ? EventKinds::request : EventKinds::reply;
  }
  if (!is_wanted(kind)) return;
  publish(kind, dump_json(message_event(*message, backend_.contacts())));
}

void EventHub::on_state(const node::StateChanged& change) {
  if (!is_wanted(EventKinds::state)) return;
  publish(EventKinds::state, dump_json(state_event(change, backend_.now().wall, backend_.contacts())));
}

void EventHub::on_entry_changed(const node::EntryChanged& changed) {
  if (!is_wanted(EventKinds::entry)) return;
  publish(EventKinds::entry, dump_json(entry_event(backend_, changed)));
}

void EventHub::on_realm_left(const std::string& realm) {
  const std::string reason = "this node has left the realm \"" + realm + "\"";
  for (const auto& entry : entries_) {
    const auto subscription = entry.subscription.lock();
    if (!subscription || subscription->realm() != realm) continue;
    subscription->lapse();
    if (const auto subscriber = entry.subscriber.lock()) subscriber->on_subscription_over(reason);
  }
  if (!is_wanted(EventKinds::realm)) return;
  publish(EventKinds::realm, dump_json({{"kind", "realm"}, {"realm", realm}, {"left", true}}));
}

void EventHub::on_network_changed(const node::NetworkChanged& changed) {
  if (!is_wanted(EventKinds::partition)) return;
  publish(EventKinds::partition, dump_json(partition_event(changed, backend_.contacts())));
}

void EventHub::on_peer_up(const identity::PeerId& peer) {
  if (!is_wanted(EventKinds::peer)) return;
  publish(EventKinds::peer, dump_json(peer_event(peer, nullptr, backend_.contacts())));
}

void EventHub::on_peer_down(const identity::PeerId& peer, const Error& why) {
  if (!is_wanted(EventKinds::peer)) return;
  publish(EventKinds::peer, dump_json(peer_event(peer, &why, backend_.contacts())));
}

}  // namespace ekiden::api
