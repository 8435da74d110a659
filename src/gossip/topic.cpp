#include "gossip/topic.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "wire/link_message.hpp"

namespace ekiden::gossip {
namespace {

/// More than what an item needs beside it in a message.
constexpr std::size_t kItemOverhead = 64;
constexpr std::size_t kMaxWaiting = 64;
/// Publishers whose items are missing, of whom is told at a time.
constexpr std::size_t kMaxMissed = 16;

}  // namespace

Topic::Topic(const identity::Identity& self, TopicName name, const Config& config, const Surroundings& around, Rng rng)
    : self_(self),
      name_(std::move(name.name)),
      realm_(std::move(name.realm)),
      id_(name.id),
      config_(config),
      view_(self.id(), id_, config, around, rng.split()),
      tree_(self.id(), config, rng.split()),
      publishers_(config),
      history_(config) {}

void Topic::start(Now now, std::uint64_t run, Effects& out) {
  run_ = run;
  view_.start(now);
  on_deadline(now, out);
}

void Topic::leave(Effects& out, const Error* why) {
  view_.leave(view_out_);
  view_out_.drain([&](ViewEffect&& effect) {
    if (auto* transmit = std::get_if<Transmit>(&effect)) out.push(std::move(*transmit));
    if (auto* want = std::get_if<Want>(&effect)) out.push(*want);
  });
  end_waiting(out, why);
}

// Publishing. ---------------------------------------------------------------------------------------------------------

void Topic::publish(Now now, PublishId id, ByteView payload, Effects& out) {
  if (waiting_.size() >= kMaxWaiting) {
    out.push(Published{id, fail(Errc::limit_exceeded, "too many publications wait for a first member of the topic")});
    return;
  }
  const Item item{.topic = id_,
                  .public_key = self_.public_key(),
                  .run = run_,
                  .sequence = ++sequence_,
                  .at = now.wall,
                  .payload = payload};
  auto bytes = std::make_shared<const Bytes>(sign_item(self_, item));
  const ItemId item_id = ItemId::of(*bytes);
  publishers_.note(self_.id(), run_, item.sequence);
  history_.add(now, item_id, std::move(bytes), 0);
  tree_.accept(now, item_id, self_.id(), std::nullopt, 0, tree_out_);
  ++counts_.published;
  waiting_.push_back({id, item.sequence});
  if (view_.active_size() != 0) {
    end_waiting(out);
  } else if (!waiting_until_) {
    waiting_until_ = now.mono + config_.publish_wait;
  }
  settle(now, out);
}

void Topic::end_waiting(Effects& out, const Error* why) {
  for (const Waiting& each : std::exchange(waiting_, {})) {
    if (why != nullptr) {
      out.push(Published{each.id, std::unexpected(*why)});
      continue;
    }
    out.push(Published{each.id, Publication{.sequence = each.sequence, .neighbours = view_.active_size()}});
  }
  waiting_until_.reset();
}

// Inputs of the node. -------------------------------------------------------------------------------------------------

void Topic::on_contacts(Now now, const std::vector<identity::PeerId>& peers, Effects& out) {
  view_.on_contacts(now, peers, view_out_);
  settle(now, out);
}

void Topic::on_link_up(Now now, const identity::PeerId& peer, Effects& out) {
  view_.on_link_up(now, peer, view_out_);
  settle(now, out);
}

void Topic::on_link_down(Now now, const identity::PeerId& peer, Effects& out) {
  view_.on_link_down(now, peer, view_out_);
  settle(now, out);
}

void Topic::on_unreachable(Now now, const identity::PeerId& peer, Effects& out) {
  view_.on_unreachable(now, peer, view_out_);
  settle(now, out);
}

void Topic::reunite(Now now, Effects& out) {
  view_.reunite(now, view_out_);
  settle(now, out);
}

std::optional<Instant> Topic::deadline() const {
  auto at = earlier(view_.deadline(), tree_.deadline());
  at = earlier(at, earlier(gap_at_, waiting_until_));
  return subscribers == 0 ? earlier(at, leave_at) : at;
}

void Topic::on_deadline(Now now, Effects& out) {
  view_.on_deadline(now, view_out_);
  tree_.on_deadline(now, tree_out_);
  if (waiting_until_ && *waiting_until_ <= now.mono) end_waiting(out);
  if (gap_at_ && *gap_at_ <= now.mono) ask_for_gaps(now, out);
  settle(now, out);
}

// Effects of the parts. -----------------------------------------------------------------------------------------------

void Topic::settle(Now now, Effects& out) {
  while (!view_out_.empty() || !tree_out_.empty()) {
    view_out_.drain([&](ViewEffect&& effect) { on_view_effect(now, std::move(effect), out); });
    tree_out_.drain([&](TreeEffect&& effect) { on_tree_effect(now, std::move(effect), out); });
  }
}

void Topic::on_view_effect(Now now, ViewEffect effect, Effects& out) {
  std::visit(Overloaded{
                 [&](Transmit& transmit) { out.push(std::move(transmit)); },
                 [&](const Want& want) { out.push(want); },
                 [&](Met& met) {
                   met.in_realm = !realm_.empty();
                   out.push(std::move(met));
                 },
                 [&](const NeighbourUp& up) {
                   tree_.on_neighbour_up(up.peer);
                   rates_.try_emplace(up.peer,
                                      Rates{flow::TokenBucket({config_.items_per_second, config_.item_burst}),
                                            flow::TokenBucket({config_.pulled_per_second, config_.pull_burst})});
                   tell_history(now, up.peer, out);
                   end_waiting(out);
                 },
                 [&](const NeighbourDown& down) {
                   tree_.on_neighbour_down(down.peer);
                   rates_.erase(down.peer);
                 },
                 [&](const NeedContacts&) { wants_contacts_ = true; },
             },
             effect);
}

void Topic::on_tree_effect(Now now, TreeEffect effect, Effects& out) {
  std::visit(
      Overloaded{
          [&](const Push& item) { push(item.to, item.id, item.round, out); },
          [&](const AnnounceTo& announce) {
            const Announce message{.topic = id_, .history = false, .items = announce.items};
            out.push(Transmit{announce.to, wire::Priority::normal,
                              link_message(wire::MessageType::topic_announce, message)});
          },
          [&](const GraftFrom& graft) {
            const Graft message{.topic = id_, .tree = graft.tree, .ids = graft.ids, .publisher = graft.publisher};
            out.push(Transmit{graft.from, wire::Priority::high, link_message(wire::MessageType::topic_graft, message)});
          },
          [&](const PruneAt& prune) {
            out.push(Transmit{prune.at, wire::Priority::high,
                              link_message(wire::MessageType::topic_prune, Prune{id_, prune.publisher})});
          },
          [&](const GiveUp& neighbour) {
            out.push(Misbehaved{neighbour.peer, "announces items of " + name_ + " that it does not send"});
            view_.expel(now, neighbour.peer, view_out_);
          },
      },
      effect);
}

void Topic::push(const identity::PeerId& to, const ItemId& id, std::uint32_t round, Effects& out) {
  const History::Entry* kept = history_.find(id);
  if (kept == nullptr) return;
  const Gossiped message{.topic = id_, .round = round, .item = *kept->item};
  out.push(Transmit{to, wire::Priority::normal,
                    link_message(wire::MessageType::topic_gossip, message, kept->item->size() + kItemOverhead)});
}

void Topic::tell_history(Now now, const identity::PeerId& to, Effects& out) {
  Announce message{.topic = id_, .history = true, .items = history_.latest(now, kMaxAnnounced)};
  if (message.items.empty()) return;
  out.push(Transmit{to, wire::Priority::normal, link_message(wire::MessageType::topic_announce, message)});
}

/// A number of a publisher is missing, and no neighbour has announced its item: somebody else may have it.
void Topic::ask_for_gaps(Now now, Effects& out) {
  gap_at_.reset();
  const std::vector<identity::PeerId> missed = publishers_.with_gaps(kMaxMissed);
  if (missed.empty()) {
    gap_attempts_ = 0;
    return;
  }
  if (realm_.empty()) {
    for (const identity::PeerId& publisher : missed) out.push(Missing{publisher});
  }
  if (gap_attempts_ == config_.gap_attempts) {
    gap_attempts_ = 0;
    return publishers_.close_gaps();
  }
  ++gap_attempts_;
  gap_at_ = now.mono + config_.gap_after * static_cast<std::int64_t>(gap_attempts_ + 1);
  const auto recall = link_message(wire::MessageType::topic_recall, Recall{id_});
  if (gap_attempts_ == config_.gap_attempts) {
    for (const identity::PeerId& peer : view_.active()) out.push(Transmit{peer, wire::Priority::normal, recall});
  } else if (const auto peer = view_.any_active()) {
    out.push(Transmit{*peer, wire::Priority::normal, recall});
  }
}

TopicStatus Topic::status() const {
  TopicStatus status = counts_;
  status.name = name_;
  status.realm = realm_;
  status.subscribers = subscribers;
  status.neighbours = view_.active_size();
  status.eager = tree_.eager_size();
  status.passive = view_.passive_size();
  status.history = history_.size();
  return status;
}

void Topic::check_invariants() const {
  view_.check_invariants();
  tree_.check_invariants();
  CHECK(view_out_.empty() && tree_out_.empty() && waiting_.size() <= kMaxWaiting);
  CHECK(history_.size() <= config_.history_items && history_.bytes() <= config_.history_bytes);
  CHECK(publishers_.size() <= config_.max_publishers && rates_.size() == view_.active_size());
}

}  // namespace ekiden::gossip
