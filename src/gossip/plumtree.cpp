#include "gossip/plumtree.hpp"

#include <algorithm>
#include <bit>

#include "base/check.hpp"

namespace ekiden::gossip {

Plumtree::Plumtree(const identity::PeerId& self, const Config& config, Rng rng)
    : self_(self), config_(config), rng_(std::move(rng)), trees_(config.max_trees), known_(config.max_known) {
  CHECK(config.max_active + config.spare_active <= kMaxNeighbours);
}

/// Section 3.4: new neighbours are eager.
void Plumtree::on_neighbour_up(const identity::PeerId& peer) {
  Slots taken = 0;
  for (const auto& [other, neighbour] : neighbours_) taken |= neighbour.bit;
  const auto [entry, fresh] = neighbours_.try_emplace(peer);
  if (!fresh) return;
  CHECK(~taken != 0);
  entry->second.bit = Slots{1} << std::countr_one(taken);
  // What is still here it is told as a history.
  trees_.for_each([&](Tree& tree) {
    tree.eager |= entry->second.bit;
    tree.told |= entry->second.bit;
  });
}

Plumtree::Slots Plumtree::first_tree() const {
  const identity::PeerId* first = nullptr;
  Slots all = 0;
  for (const auto& [peer, neighbour] : neighbours_) all |= neighbour.bit;
  for (const auto& [publisher, tree] : trees_) {
    if (first != nullptr && *first < publisher) continue;
    first = &publisher;
    all = tree.eager;
  }
  return all;
}

Plumtree::Tree& Plumtree::tree_of(const identity::PeerId& publisher) {
  if (Tree* known = trees_.find(publisher)) return *known;
  return trees_.put(publisher, {.eager = first_tree()});
}

std::size_t Plumtree::eager_size() const { return static_cast<std::size_t>(std::popcount(first_tree())); }

/// The same from both sides, and another part of the items for each pair. But all to whom we brought items until
/// lately: if two have chosen each other as the shorter way at the same time, neither gets the next one.
bool Plumtree::is_announced_to(Now now, const identity::PeerId& peer, const Tree& tree, const ItemId& id) const {
  if ((tree.left & neighbours_.at(peer).bit) != 0 && now.mono < *tree.left_until) return true;
  const unsigned mixed = id.bytes[0] ^ self_.bytes[0] ^ peer.bytes[0];
  return mixed % 16 < config_.announced_in_16;
}

void Plumtree::on_neighbour_down(const identity::PeerId& peer) {
  const auto gone = neighbours_.find(peer);
  if (gone == neighbours_.end()) return;
  trees_.for_each([&](Tree& tree) {
    tree.eager &= ~gone->second.bit;
    tree.left &= ~gone->second.bit;
  });
  neighbours_.erase(gone);
  announce_due_.cancel(peer);
  for (auto entry = missing_.begin(); entry != missing_.end();) {
    Missing& missing = entry->second;
    std::erase_if(missing.sources, [&](const Source& source) { return source.peer == peer; });
    if (missing.announcer == peer) missing.announcer.reset();
    const auto next = std::next(entry);
    if (missing.sources.empty()) forget_missing(entry);
    entry = next;
  }
}

void Plumtree::accept(Now now, const ItemId& id, const identity::PeerId& publisher,
                      const std::optional<identity::PeerId>& from, std::uint32_t round, TreeEffects& out) {
  const Known known{.round = std::min(round, kMaxRound), .from = from, .publisher = publisher};
  known_.put(id, known);
  Tree& tree = tree_of(publisher);
  const auto entry = missing_.find(id);
  if (from) {
    if (const auto bringer = neighbours_.find(*from); bringer != neighbours_.end()) {
      bringer->second.note_brought();
      const bool is_beside = entry != missing_.end() && entry->second.history;
      if (!is_beside) tree.eager |= bringer->second.bit;
    }
  }
  const Announced onward{.id = id, .round = std::min(known.round + 1, kMaxRound)};
  Slots untold = 0;
  for (const auto& [peer, neighbour] : neighbours_) {
    if (from == peer) continue;
    const bool has_it =
        entry != missing_.end() &&
        std::ranges::any_of(entry->second.sources, [&](const Source& source) { return source.peer == peer; });
    if (has_it) continue;
    if ((tree.eager & neighbour.bit) != 0) {
      out.push(Push{peer, id, onward.round});
    } else if (is_announced_to(now, peer, tree, id)) {
      queue_for(now, peer, onward);
    } else {
      untold |= neighbour.bit;
    }
  }
  tree.last = onward;
  tree.told = ~untold;
  tree.tell_at = now.mono + config_.announce_last;
  last_due_ = earlier(last_due_, tree.tell_at);
  if (entry == missing_.end()) return;
  // Section 3.8: a way that was announced may be shorter.
  for (const Source& source : entry->second.sources) optimise(now, source.peer, {id, source.round}, known, out);
  forget_missing(entry);
}

void Plumtree::refuse(const ItemId& id) {
  known_.put(id, Known{});
  if (const auto entry = missing_.find(id); entry != missing_.end()) forget_missing(entry);
}

/// Section 3.5: the link makes a loop in the tree. It is cut where it is longer.
void Plumtree::on_copy(const identity::PeerId& from, const ItemId& id, std::uint32_t round, TreeEffects& out) {
  const auto sender = neighbours_.find(from);
  if (sender == neighbours_.end()) return;
  sender->second.note_brought();
  unqueue(from, id);
  Known* known = known_.find(id);
  if (known == nullptr || !known->publisher || known->from == from) return;
  note_told(*known->publisher, id, sender->second.bit);
  Tree& tree = tree_of(*known->publisher);
  auto cut = sender;
  const auto first = known->from ? neighbours_.find(*known->from) : neighbours_.end();
  if (round < known->round && first != neighbours_.end()) {
    tree.eager |= sender->second.bit;
    known->from = from;
    known->round = round;
    cut = first;
  }
  tree.eager &= ~cut->second.bit;
  out.push(PruneAt{cut->first, *known->publisher});
}

// Announcements: section 3.6. -----------------------------------------------------------------------------------------

void Plumtree::on_announce(Now now, const identity::PeerId& from, const Announce& message, TreeEffects& out) {
  if (!neighbours_.contains(from)) return;
  std::vector<ItemId> old;
  for (const Announced& item : message.items) {
    const Announced clamped{.id = item.id, .round = std::min(item.round, kMaxRound)};
    const Known* const known = known_.peek(item.id);
    // Whoever would have it by fewer hops from us is told so, though it announced first.
    if (known == nullptr || known->round + 1 + config_.optimise_hops >= clamped.round) unqueue(from, item.id);
    if (known != nullptr) {
      if (known->publisher) note_told(*known->publisher, item.id, neighbours_.at(from).bit);
      if (!message.history) optimise(now, from, clamped, *known, out);
    } else if (note_missing(now, from, clamped, message.history) && message.history) {
      old.push_back(item.id);
    }
  }
  // What is old does not come by itself. Asked for in the order in which it is told, it comes in this order.
  if (!old.empty()) out.push(GraftFrom{.from = from, .tree = false, .ids = std::move(old), .publisher = {}});
}

/// True if it was not known to be missing, and is now.
bool Plumtree::note_missing(Now now, const identity::PeerId& from, const Announced& item, bool history) {
  const auto known = missing_.find(item.id);
  if (known != missing_.end()) {
    auto& sources = known->second.sources;
    const bool is_told = std::ranges::any_of(sources, [&](const Source& source) { return source.peer == from; });
    if (!is_told && known->second.asked != from && sources.size() < kMaxSources) sources.push_back({from, item.round});
    return false;
  }
  Neighbour& neighbour = neighbours_.at(from);
  if (missing_.size() >= config_.max_missing || neighbour.missing >= config_.max_missing_per_neighbour) return false;
  ++neighbour.missing;
  Missing missing{.sources = {}, .announcer = from, .history = history};
  if (history) {
    missing.asked = from;
  } else {
    missing.sources.push_back({from, item.round});
  }
  missing_.emplace(item.id, std::move(missing));
  missing_due_.set(item.id, now.mono + (history ? config_.graft_retry : config_.graft_after));
  return true;
}

void Plumtree::forget_missing(std::map<ItemId, Missing>::iterator entry) {
  if (entry->second.announcer) --neighbours_.at(*entry->second.announcer).missing;
  missing_due_.cancel(entry->first);
  missing_.erase(entry);
}

/// Section 3.8, for a link that is not in the tree.
void Plumtree::optimise(Now now, const identity::PeerId& from, const Announced& item, const Known& known,
                        TreeEffects& out) {
  const auto neighbour = neighbours_.find(from);
  if (!known.from || *known.from == from || !known.publisher || neighbour == neighbours_.end()) return;
  if (item.round + config_.optimise_hops > known.round) return;
  Tree& tree = tree_of(*known.publisher);
  if ((tree.eager & neighbour->second.bit) != 0) return;
  if (tree.optimised && now.mono < *tree.optimised + config_.optimise_pause) return;
  tree.optimised = now.mono;
  tree.eager |= neighbour->second.bit;
  out.push(GraftFrom{.from = from, .tree = true, .ids = {}, .publisher = known.publisher});
}

void Plumtree::note_told(const identity::PeerId& publisher, const ItemId& id, Slots neighbour) {
  Tree* const tree = trees_.find(publisher);
  if (tree != nullptr && tree->last.id == id) tree->told |= neighbour;
}

/// Nothing that follows would show to those who have not got it that it is missing.
void Plumtree::tell_last(Now now) {
  if (!last_due_ || now.mono < *last_due_) return;
  last_due_.reset();
  trees_.for_each([&](Tree& tree) {
    if (!tree.tell_at) return;
    if (now.mono < *tree.tell_at) {
      last_due_ = earlier(last_due_, tree.tell_at);
      return;
    }
    tree.tell_at.reset();
    for (const auto& [peer, neighbour] : neighbours_) {
      if ((tree.told & neighbour.bit) == 0) queue_for(now, peer, tree.last);
    }
    tree.told = ~Slots{0};
  });
}

void Plumtree::queue_for(Now now, const identity::PeerId& peer, const Announced& item) {
  auto& queue = neighbours_.at(peer).queue;
  if (queue.size() >= config_.max_queued_ids) queue.erase(queue.begin());
  queue.push_back(item);
  if (!announce_due_.at(peer)) {
    const Duration delay = rng_.between(config_.lazy_delay / 2, config_.lazy_delay);
    announce_due_.set(peer, now.mono + (self_ > peer ? delay : 3 * delay));
  }
}

void Plumtree::unqueue(const identity::PeerId& peer, const ItemId& id) {
  auto& queue = neighbours_.at(peer).queue;
  std::erase_if(queue, [&](const Announced& item) { return item.id == id; });
  if (queue.empty()) announce_due_.cancel(peer);
}

/// Section 3.7: whoever asks for an item wants to be in the tree.
void Plumtree::on_graft(const identity::PeerId& from, const Graft& message) {
  const auto neighbour = neighbours_.find(from);
  if (!message.tree || neighbour == neighbours_.end()) return;
  const auto join = [&](const identity::PeerId& publisher) {
    if (Tree* tree = trees_.find(publisher)) tree->eager |= neighbour->second.bit;
  };
  if (message.publisher) join(*message.publisher);
  for (const ItemId& id : message.ids) {
    const Known* known = known_.peek(id);
    if (known != nullptr && known->publisher) join(*known->publisher);
  }
}

void Plumtree::on_prune(Now now, const identity::PeerId& from, const identity::PeerId& publisher) {
  const auto neighbour = neighbours_.find(from);
  Tree* tree = trees_.find(publisher);
  if (neighbour == neighbours_.end() || tree == nullptr) return;
  tree->eager &= ~neighbour->second.bit;
  if (!tree->left_until || *tree->left_until <= now.mono) tree->left = 0;
  tree->left |= neighbour->second.bit;
  tree->left_until = now.mono + config_.announce_all;
}

// Timers. -------------------------------------------------------------------------------------------------------------

void Plumtree::on_deadline(Now now, TreeEffects& out) {
  tell_last(now);
  while (const auto peer = announce_due_.pop_due(now.mono)) {
    auto& queue = neighbours_.at(*peer).queue;
    const std::size_t count = std::min(queue.size(), kMaxAnnounced);
    const auto end = queue.begin() + static_cast<std::ptrdiff_t>(count);
    out.push(AnnounceTo{*peer, std::vector<Announced>(queue.begin(), end)});
    queue.erase(queue.begin(), end);
    if (!queue.empty()) announce_due_.set(*peer, now.mono);
  }
  graft_missing(now, out);
}

/// Asks for what is due: one message for each neighbour.
void Plumtree::graft_missing(Now now, TreeEffects& out) {
  std::map<std::pair<identity::PeerId, bool>, std::vector<ItemId>> asked;
  std::set<identity::PeerId> silent;
  while (const auto id = missing_due_.pop_due(now.mono)) {
    const auto entry = missing_.find(*id);
    Missing& missing = entry->second;
    if (missing.asked) silent.insert(*missing.asked);
    if (missing.sources.empty()) {
      forget_missing(entry);
      continue;
    }
    const identity::PeerId source = missing.sources.front().peer;
    missing.sources.erase(missing.sources.begin());
    missing.asked = source;
    asked[{source, !missing.history}].push_back(*id);
    missing_due_.set(*id, now.mono + config_.graft_retry);
  }
  for (const identity::PeerId& peer : silent) count_unanswered(peer, out);
  for (auto& [key, ids] : asked) {
    const auto& [peer, tree] = key;
    for (std::size_t at = 0; at < ids.size(); at += kMaxGrafted) {
      const auto begin = ids.begin() + static_cast<std::ptrdiff_t>(at);
      const auto end = ids.begin() + static_cast<std::ptrdiff_t>(std::min(ids.size(), at + kMaxGrafted));
      out.push(GraftFrom{.from = peer, .tree = tree, .ids = std::vector<ItemId>(begin, end), .publisher = {}});
    }
  }
}

void Plumtree::count_unanswered(const identity::PeerId& peer, TreeEffects& out) {
  const auto neighbour = neighbours_.find(peer);
  if (neighbour == neighbours_.end()) return;
  if (++neighbour->second.unanswered == config_.max_unanswered) out.push(GiveUp{peer});
}

void Plumtree::check_invariants() const {
  CHECK(missing_.size() <= config_.max_missing && missing_.size() == missing_due_.size());
  Slots slots = 0;
  for (const auto& [peer, neighbour] : neighbours_) {
    CHECK(std::has_single_bit(neighbour.bit) && (slots & neighbour.bit) == 0);
    slots |= neighbour.bit;
  }
  for (const auto& [publisher, tree] : trees_) {
    CHECK((tree.eager & ~slots) == 0);
    CHECK(!tree.tell_at || (last_due_ && *last_due_ <= *tree.tell_at));
  }
  std::map<identity::PeerId, std::size_t> counts;
  for (const auto& [id, entry] : missing_) {
    CHECK(!knows(id) && entry.sources.size() <= kMaxSources);
    if (entry.announcer) ++counts[*entry.announcer];
  }
  for (const auto& [peer, neighbour] : neighbours_) {
    CHECK(neighbour.queue.size() <= config_.max_queued_ids && neighbour.missing == counts[peer]);
    CHECK(neighbour.queue.empty() == !announce_due_.at(peer).has_value());
  }
}

}  // namespace ekiden::gossip
