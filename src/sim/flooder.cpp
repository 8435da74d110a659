#include "sim/flooder.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "dht/key.hpp"
#include "dht/messages.hpp"
#include "wire/message_codec.hpp"

namespace ekiden::sim {

Flooder::Flooder(Schedule& schedule, Network& network, const identity::IpAddress& at,
                 std::vector<std::string> capabilities, Rng rng)
    : DatagramHost(schedule, network, crypto::Ed25519Seed(rng.bytes<32>()), at, rng.split()),
      capabilities_(std::move(capabilities)) {}

void Flooder::set_victims(std::vector<identity::NodeInfo> honest) {
  victims_ = std::move(honest);
  for (const identity::NodeInfo& node : victims_) ids_.push_back(node.id());
}

void Flooder::start(std::uint32_t per_second) { flood(Duration(seconds(1)) / per_second); }

Bytes Flooder::answer_to(const datagram::Queried& /*query*/) { return wire::encode(dht::Reply{}); }

void Flooder::on_answer(const datagram::Answered& answer) {
  const auto reply = dht::decode_reply(answer.body.view());
  if (reply && reply->outcome == dht::Outcome::done) ++taken_;
}

void Flooder::flood(Duration pause) {
  if (rng_.chance(1, 2) || capabilities_.empty()) {
    store(self(), "flood/number-" + std::to_string(stored_));
  } else {
    store(identity::Identity(crypto::Ed25519Seed(rng_.bytes<32>())), capabilities_[rng_.below(capabilities_.size())]);
  }
  schedule_.after(pause, [this, pause] { flood(pause); });
}

void Flooder::store(const identity::Identity& owner, const std::string& capability) {
  const auto announcement = identity::sign_announcement(owner, {.public_key = owner.public_key(),
                                                                .capability = capability,
                                                                .sequence = ++stored_,
                                                                .issued_at = now().wall,
                                                                .ttl_seconds = 86'400});
  CHECK(announcement.has_value());
  const dht::Key key = dht::capability_key(capability);
  dht::Query query;
  query.kind = dht::QueryKind::store;
  query.target = key;
  query.value_kind = dht::ValueKind::announcement;
  query.value = *announcement;
  // The twenty closest are to keep it: one of them, at random.
  std::vector<std::pair<dht::Distance, std::size_t>> order;
  for (std::size_t i = 0; i < ids_.size(); ++i) order.emplace_back(dht::distance(key, ids_[i]), i);
  const std::size_t closest = std::min(dht::kMaxNodes, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(closest), order.end());
  ask(victims_[order[rng_.below(closest)].second], wire::encode(query), /*first_flight_allowed=*/false);
}

}  // namespace ekiden::sim
