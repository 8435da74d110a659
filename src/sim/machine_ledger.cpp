// What the referee hears of a machine: arrivals, proven paths, and what it all has cost on the wire.
#include <algorithm>
#include <set>
#include <utility>

#include "base/check.hpp"
#include "sim/machine.hpp"
#include "wire/message_type.hpp"

namespace ekiden::sim {

void Machine::on_arrival(const router::ArrivedPtr& message) {
  const auto from = shared_.hosts.find(message->from);
  CHECK(from != shared_.hosts.end());
  if (message->exchange) {
    // A reply that nobody waits for is left to its deadline.
    if (message->exchange->part == router::Exchange::Part::request) on_request(message);
    return;
  }
  const auto number = shared_.ledger.arrived(host_, boots_, *message, from->second, shared_.schedule.now());
  if (!number || message->delivery == router::DeliveryClass::volatile_) return;
  shared_.schedule.after(rng_.between(Duration(0), app_.take_delay_max),
                         [this, boot = boots_, inbox_number = message->number, n = *number] {
                           if (boot == boots_ && node_ != nullptr) take(inbox_number, n);
                         });
}

void Machine::take(std::uint64_t inbox_number, SendNumber number) {
  const auto request = next_request();
  takes_[request] = number;
  feed(node::TakeMessages{request, {inbox_number}});
}

/// The path that is shown as proven leads from here to the recipient, by nodes that there are, each once.
void Machine::on_delivered(const router::MessageId& id) {
  const auto trace = node_->trace(id);
  if (!trace || trace->path.empty()) return;
  shared_.ledger.relayed(id, trace->path.size());
  std::set<identity::PeerId> passed{trace->peer};
  for (const path::Hop& hop : trace->path) {
    const auto by = identity::PeerId::of(hop.by);
    const bool is_somebody = shared_.hosts.contains(by) || shared_.traitors.contains(by);
    const bool is_ours = by == id_;
    if (is_somebody && is_ours == (passed.size() == 1) && passed.insert(by).second) continue;
    shared_.ledger.breach("host " + std::to_string(host_) + " shows a path of message " + id.text() +
                          " that cannot have been");
  }
}

/// Route requests and replies are packets that look for a way: they are no part of it, but for their frame headers.
std::uint64_t Machine::delivery_bytes() const {
  using Type = wire::MessageType;
  if (node_ == nullptr) return delivery_bytes_;
  std::uint64_t bytes = delivery_bytes_;
  for (const Type type : {Type::envelope, Type::receipt, Type::refusal, Type::deposit, Type::stored, Type::not_stored,
                          Type::collect, Type::parcel, Type::collected, Type::packet, Type::taken, Type::not_taken}) {
    bytes += node_->sent_bytes()[static_cast<std::size_t>(type)];
  }
  return bytes - std::min(bytes, node_->status().relay.search_bytes);
}

void Machine::on_topic_message(const node::TopicMessage& message) {
  if (!message.realm.empty()) {
    heard_in_realm_.emplace(as_text(message.payload));
    return;
  }
  if (shared_.traitors.contains(message.publisher)) return;
  const auto from = shared_.hosts.find(message.publisher);
  if (from == shared_.hosts.end()) return shared_.ledger.breach("an item of a topic is by somebody unknown");
  for (std::string& what : shared_.broadcasts.heard(host_, boots_, from->second, message.payload, message.hops)) {
    shared_.ledger.breach(std::move(what));
  }
}

}  // namespace ekiden::sim
