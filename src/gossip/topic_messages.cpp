// What neighbours send in a topic.
#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "gossip/topic.hpp"
#include "wire/link_message.hpp"

namespace ekiden::gossip {

/// What follows from being neighbours. Whoever believes that it is one hears that it is none: an answer or a goodbye
/// was lost where a link was full.
bool Topic::is_of_neighbour(Now now, const identity::PeerId& from, wire::MessageType type, Effects& out) {
  switch (type) {
    case wire::MessageType::topic_join:
    case wire::MessageType::topic_neighbour:
    case wire::MessageType::topic_answer:
    case wire::MessageType::topic_disconnect:
      return true;
    default:
      break;
  }
  if (view_.is_active(from)) return true;
  correct(now, from, out);
  return false;
}

void Topic::correct(Now now, const identity::PeerId& peer, Effects& out) {
  if (!corrections_.take(now.mono)) return;
  out.push(Transmit{peer, wire::Priority::high,
                    link_message(wire::MessageType::topic_disconnect, Disconnect{id_, /*leaving=*/false})});
}

Status Topic::on_message(Now now, const identity::PeerId& from, wire::MessageType type, ByteView body, Effects& out) {
  if (!is_of_neighbour(now, from, type, out)) return {};
  Status done;
  switch (type) {
    case wire::MessageType::topic_gossip: {
      EKIDEN_ASSIGN(const auto message, wire::decode<Gossiped>(body));
      done = on_gossip(now, from, message, out);
      break;
    }
    case wire::MessageType::topic_announce: {
      EKIDEN_ASSIGN(const auto message, wire::decode<Announce>(body));
      if (!message.history) counts_.announcements += message.items.size();
      tree_.on_announce(now, from, message, tree_out_);
      break;
    }
    case wire::MessageType::topic_graft: {
      EKIDEN_ASSIGN(const auto message, wire::decode<Graft>(body));
      on_graft(now, from, message, out);
      break;
    }
    case wire::MessageType::topic_prune: {
      EKIDEN_ASSIGN(const auto message, wire::decode<Prune>(body));
      tree_.on_prune(now, from, message.publisher);
      break;
    }
    case wire::MessageType::topic_recall: {
      EKIDEN_TRY(wire::decode<Recall>(body));
      if (rates_.at(from).pulls.take(now.mono)) tell_history(now, from, out);
      break;
    }
    default:
      done = on_view_message(now, from, type, body, out);
  }
  settle(now, out);
  return done;
}

Status Topic::on_view_message(Now now, const identity::PeerId& from, wire::MessageType type, ByteView body,
                              Effects& out) {
  switch (type) {
    case wire::MessageType::topic_join: {
      EKIDEN_TRY(wire::decode<Join>(body));
      view_.on_join(now, from, view_out_);
      return {};
    }
    case wire::MessageType::topic_forward_join: {
      EKIDEN_ASSIGN(const auto message, wire::decode<ForwardJoin>(body));
      return view_.on_forward_join(now, from, message, view_out_);
    }
    case wire::MessageType::topic_neighbour: {
      EKIDEN_ASSIGN(const auto message, wire::decode<Neighbour>(body));
      view_.on_neighbour(now, from, message.urgent, view_out_);
      return {};
    }
    case wire::MessageType::topic_answer: {
      EKIDEN_ASSIGN(const auto message, wire::decode<Answer>(body));
      view_.on_answer(now, from, message.verdict, view_out_);
      // A disconnection that it had sent before has ended our attempt meanwhile.
      if (message.verdict == Verdict::accepted && view_.has_nothing_with(from)) correct(now, from, out);
      return {};
    }
    case wire::MessageType::topic_disconnect: {
      EKIDEN_ASSIGN(const auto message, wire::decode<Disconnect>(body));
      view_.on_disconnect(now, from, message.leaving, view_out_);
      return {};
    }
    case wire::MessageType::topic_shuffle: {
      EKIDEN_ASSIGN(const auto message, wire::decode<Shuffle>(body));
      return view_.on_shuffle(now, from, message, view_out_);
    }
    case wire::MessageType::topic_shuffle_reply: {
      EKIDEN_ASSIGN(const auto message, wire::decode<ShuffleReply>(body));
      view_.on_shuffle_reply(now, from, message, view_out_);
      return {};
    }
    default:
      return fail(Errc::unsupported, "no message of a topic");
  }
}

Status Topic::on_gossip(Now now, const identity::PeerId& from, const Gossiped& message, Effects& out) {
  if (!rates_.at(from).items.take(now.mono)) {
    ++counts_.refused;
    return {};
  }
  ++counts_.copies;
  const ItemId id = ItemId::of(message.item);
  if (tree_.knows(id)) {
    tree_.on_copy(from, id, std::clamp<std::uint32_t>(message.round, 1, kMaxRound), tree_out_);
    return {};
  }
  EKIDEN_ASSIGN(const Item seen, read_item(message.item));
  if (seen.topic != id_) return fail(Errc::refused, "an item of another topic");
  const identity::PeerId publisher = seen.publisher();
  if (publishers_.judge(publisher, seen.run, seen.sequence) != Novelty::fresh || publisher == self_.id()) {
    // A replay, or a second item with one number. Its bringer may not know better.
    ++counts_.refused;
    tree_.refuse(id);
    return {};
  }
  auto bytes = std::make_shared<const Bytes>(to_bytes(message.item));
  EKIDEN_ASSIGN(const Item item, verify_item(*bytes));
  if (!publishers_.spend(now, publisher)) {
    ++counts_.refused;
    tree_.refuse(id);
    if (publishers_.blame(publisher)) {
      out.push(Misbehaved{publisher, "publishes more in " + name_ + " than anybody hands on"});
    }
    return {};
  }
  const std::uint32_t round = std::clamp<std::uint32_t>(message.round, 1, kMaxRound);
  publishers_.note(publisher, item.run, item.sequence);
  history_.add(now, id, bytes, round);
  tree_.accept(now, id, publisher, from, round, tree_out_);
  if (!gap_at_ && publishers_.has_gap(publisher)) gap_at_ = now.mono + config_.gap_after;
  if (realm_.empty()) out.push(Heard{.publisher = publisher, .from = from, .at = item.at});
  deliver(item, round, std::move(bytes), out);
  return {};
}

void Topic::deliver(const Item& item, std::uint32_t round, std::shared_ptr<const Bytes> bytes, Effects& out) {
  ++counts_.delivered;
  counts_.last_hops = round;
  if (subscribers == 0) return;
  out.push(Delivered{.topic = name_,
                     .realm = realm_,
                     .publisher = item.publisher(),
                     .run = item.run,
                     .sequence = item.sequence,
                     .at = item.at,
                     .hops = round,
                     .signed_bytes = std::move(bytes),
                     .payload = item.payload});
}

void Topic::replay(Now now, Effects& out) {
  for (const Announced& each : history_.latest(now, config_.history_items)) {
    const History::Entry& kept = *history_.find(each.id);
    const auto item = read_item(*kept.item);
    CHECK(item.has_value());
    if (kept.round == 0) continue;  // It was published here.
    --counts_.delivered;
    deliver(*item, kept.round, kept.item, out);
  }
}

void Topic::on_graft(Now now, const identity::PeerId& from, const Graft& message, Effects& out) {
  tree_.on_graft(from, message);
  for (const ItemId& id : message.ids) {
    const History::Entry* kept = history_.find(id);
    if (kept == nullptr) continue;
    if (!rates_.at(from).pulls.take(now.mono)) return;
    push(from, id, std::min(kept->round + 1, kMaxRound), out);
  }
}

}  // namespace ekiden::gossip
