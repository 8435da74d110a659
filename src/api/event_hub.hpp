// Who hears what happens on the node: one hub, many subscribers, each with a bounded queue of its own.
//
// Inputs: what the Host tells its Listener. Outputs: one line of JSON per event, made once and shared by all
// subscribers, and only if somebody wants that kind. A subscriber that does not keep up is the subscriber's problem:
// its own queue overflows and its connection is closed with a reason (api/event_connection.hpp); the node never waits
// for it.
//
// Lives on the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/backend.hpp"
#include "base/result.hpp"

namespace ekiden::api {

using EventText = std::shared_ptr<const std::string>;

/// A set of kinds of events, as bits.
enum class EventKinds : std::uint8_t {
  none = 0,
  message = 1,
  state = 2,
  peer = 4,
  request = 8,
  reply = 16,
  entry = 32,
  partition = 64,
  realm = 128,
  all = 255
};

/// A topic that somebody at the API has subscribed to; ends with this object, or with the realm that the topic is in.
class Subscription {
 public:
  /// `backend` outlives this, and has subscribed to the topic.
  Subscription(Backend& backend, std::string topic, std::string realm)
      : backend_(backend), topic_(std::move(topic)), realm_(std::move(realm)) {}
  ~Subscription() {
    if (!lapsed_) backend_.unsubscribe_topic(topic_, realm_, [](const Status&) {});
  }
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  const std::string& realm() const { return realm_; }
  bool is_to(const node::TopicMessage& message) const {
    return !lapsed_ && message.topic == topic_ && message.realm == realm_;
  }
  /// The node has left the realm, and the topic with it. To end it then would take it from whoever subscribes after the
  /// realm was entered again.
  void lapse() { lapsed_ = true; }

 private:
  Backend& backend_;
  std::string topic_;
  std::string realm_;
  bool lapsed_ = false;
};

/// What a subscriber hears: events of the node, and what is published in a topic, if there is one.
struct Wanted {
  EventKinds kinds = EventKinds::all;
  std::shared_ptr<Subscription> subscription = {};
};

constexpr bool includes(EventKinds set, EventKinds kind) {
  return (static_cast<std::uint8_t>(set) & static_cast<std::uint8_t>(kind)) != 0;
}

/// Reads "message,state"; an empty text means all. Errors: invalid_argument, listing the kinds.
Result<EventKinds> parse_event_kinds(std::string_view text);

class EventSubscriber {
 public:
  virtual ~EventSubscriber() = default;
  virtual void on_event(const EventText& line) = 0;
  /// Nothing comes of the topic any more; `reason` is for people. Called at most once.
  virtual void on_subscription_over(std::string_view reason) = 0;
};

class EventHub final : public runtime::Listener {
 public:
  /// The backend outlives the hub.
  explicit EventHub(const Backend& backend) : backend_(backend) {}

  /// The subscriber leaves by dying.
  void add(std::weak_ptr<EventSubscriber> subscriber, Wanted wanted);

  void on_arrival(const router::ArrivedPtr& message) override;
  void on_state(const node::StateChanged& change) override;
  void on_topic_message(const node::TopicMessage& message) override;
  void on_entry_changed(const node::EntryChanged& changed) override;
  void on_realm_left(const std::string& realm) override;
  void on_network_changed(const node::NetworkChanged& changed) override;
  void on_peer_up(const identity::PeerId& peer) override;
  void on_peer_down(const identity::PeerId& peer, const Error& why) override;

 private:
  struct Entry {
    std::weak_ptr<EventSubscriber> subscriber;
    EventKinds kinds;
    std::weak_ptr<Subscription> subscription;
  };

  bool is_wanted(EventKinds kind) const;
  void publish(EventKinds kind, std::string line);
  template <class Wants>
  void publish_to(Wants wants, std::string line);

  const Backend& backend_;
  std::vector<Entry> entries_;
};

}  // namespace ekiden::api
