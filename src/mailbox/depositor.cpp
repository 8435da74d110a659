#include "mailbox/depositor.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "mailbox/statement.hpp"
#include "mailbox/wire_form.hpp"

namespace ekiden::mailbox {

void Depositor::deposit(Now now, const Parcel& parcel, Effects& out) {
  auto message = link_message(wire::MessageType::deposit, parcel, parcel.payload.size() + kParcelOverhead);
  const auto [entry, fresh] = recipients_.try_emplace(parcel.to);
  if (fresh) entry->second.interval = config_.look_min;
  const auto known = entry->second.items.find(parcel.id);
  if (known != entry->second.items.end()) {
    if (*known->second.message == *message) return;
    erase(entry, known, out);
    return deposit(now, parcel, out);
  }
  if (parcels_ >= config_.max_deposits || bytes_ + message->size() > config_.max_deposit_bytes) {
    if (entry->second.items.empty()) recipients_.erase(entry);
    return;
  }
  ++parcels_;
  bytes_ += message->size();
  entry->second.items.emplace(parcel.id, Item{.message = std::move(message),
                                              .priority = parcel.priority,
                                              .give_up = now.mono + config_.look_max,
                                              .may_give_up = parcel.kind == ParcelKind::receipt});
  place(now, parcel.to, out);
}

void Depositor::forget(Now, const identity::PeerId& owner, const Uuid& id, Effects& out) {
  const auto recipient = recipients_.find(owner);
  if (recipient == recipients_.end()) return;
  const auto item = recipient->second.items.find(id);
  if (item != recipient->second.items.end()) erase(recipient, item, out);
}

/// With the last item of a recipient its mailboxes are released.
void Depositor::erase(Recipients::iterator recipient, std::map<Uuid, Item>::iterator item, Effects& out) {
  for (const identity::PeerId& node : std::set(item->second.asked)) no_answer_any_more(item->second, node);
  --parcels_;
  bytes_ -= item->second.message->size();
  recipient->second.items.erase(item);
  if (!recipient->second.items.empty()) return;
  const identity::PeerId owner = recipient->first;
  for (const identity::PeerId& node : std::set(recipient->second.used)) release(owner, node, out);
  look_.cancel(owner);
  recipients_.erase(recipient);
}

void Depositor::no_answer_any_more(Item& item, const identity::PeerId& node) {
  if (item.asked.erase(node) == 0) return;
  const auto neighbour = neighbours_.find(node);
  if (neighbour != neighbours_.end()) neighbour->second.unanswered -= item.message->size();
}

void Depositor::look(Now now, const identity::PeerId& owner, Recipient& recipient, Effects& out) {
  recipient.looking = true;
  look_.set(owner, now.mono + recipient.interval);
  recipient.interval = std::min(recipient.interval * 2, config_.look_max);
  out.push(FindMailboxes{.owner = owner, .far = recipient.far});
}

void Depositor::on_mailboxes(Now now, const identity::PeerId& owner, const std::vector<identity::PeerId>& nodes,
                             Effects& out) {
  const auto found = recipients_.find(owner);
  if (found == recipients_.end() || !found->second.looking) return;
  Recipient& recipient = found->second;
  recipient.looking = false;
  recipient.candidates.clear();
  for (const identity::PeerId& node : nodes) {
    if (node == self_ || node == owner || recipient.candidates.size() == kMaxCandidates) continue;
    if (std::ranges::find(recipient.candidates, node) == recipient.candidates.end())
      recipient.candidates.push_back(node);
  }
  place(now, owner, out);
}

/// Sends what can be sent; when there are too few mailboxes, looks for more.
bool Depositor::place(Now now, const identity::PeerId& owner, Effects& out) {
  Recipient& recipient = recipients_.at(owner);
  bool enough = true;
  for (auto& [id, item] : recipient.items) enough = place_item(now, owner, recipient, item, out) && enough;
  if (enough || recipient.looking) return enough;
  const bool has_looked = look_.at(owner).has_value();
  if (recipient.far) {
    if (!has_looked) look_.set(owner, now.mono + recipient.interval);
    return false;
  }
  recipient.far = has_looked || !recipient.candidates.empty();
  look(now, owner, recipient, out);
  return false;
}

/// Whether there are enough candidates.
bool Depositor::place_item(Now now, const identity::PeerId& owner, Recipient& recipient, Item& item, Effects& out) {
  std::size_t copies = item.stored.size() + item.asked.size();
  for (const identity::PeerId& node : recipient.candidates) {
    if (copies >= config_.copies) break;
    if (item.stored.contains(node) || item.asked.contains(node)) continue;
    const auto shunned = recipient.shunned.find(node);
    if (shunned != recipient.shunned.end() && shunned->second > now.mono) continue;
    const auto neighbour = neighbours_.find(node);
    if (neighbour != neighbours_.end() && !neighbour->second.offers) continue;
    ++copies;  // Or will be, or is passed over when its time is up.
    use(now, owner, recipient, node, out);
    if (neighbour == neighbours_.end()) continue;
    std::size_t& unanswered = neighbour->second.unanswered;
    if (unanswered > 0 && unanswered + item.message->size() > kMaxUnanswered) continue;
    unanswered += item.message->size();
    item.asked.insert(node);
    due_.set({owner, node}, now.mono + config_.answer_timeout);
    out.push(Transmit{node, item.priority, item.message});
  }
  return copies >= config_.copies;
}

void Depositor::use(Now now, const identity::PeerId& owner, Recipient& recipient, const identity::PeerId& node,
                    Effects& out) {
  if (!recipient.used.insert(node).second) return;
  due_.set({owner, node}, now.mono + config_.answer_timeout);
  auto& users = users_[node];
  if (users.empty()) out.push(Want{.peer = node, .by = Wanter::depositor, .wanted = true});
  users.insert(owner);
}

void Depositor::release(const identity::PeerId& owner, const identity::PeerId& node, Effects& out) {
  recipients_.at(owner).used.erase(node);
  due_.cancel({owner, node});
  const auto users = users_.find(node);
  users->second.erase(owner);
  if (!users->second.empty()) return;
  users_.erase(users);
  out.push(Want{.peer = node, .by = Wanter::depositor, .wanted = false});
}

void Depositor::shun(const identity::PeerId& owner, Recipient& recipient, const identity::PeerId& node, Instant until,
                     Effects& out) {
  recipient.shunned.insert_or_assign(node, until);
  for (auto& [id, item] : recipient.items) no_answer_any_more(item, node);
  if (recipient.used.contains(node)) release(owner, node, out);
  // Those that are no candidates any more are not remembered.
  std::erase_if(recipient.shunned, [&](const auto& entry) {
    return std::ranges::find(recipient.candidates, entry.first) == recipient.candidates.end();
  });
}

/// For all who use it: it has room in its window, or is there.
void Depositor::place_all(Now now, const identity::PeerId& node, Effects& out) {
  const auto users = users_.find(node);
  if (users == users_.end()) return;
  for (const identity::PeerId& owner : std::set(users->second)) {
    if (recipients_.contains(owner)) place(now, owner, out);
  }
}

void Depositor::on_link_up(Now now, const identity::PeerId& peer, const crypto::Ed25519PublicKey& key, bool offers,
                           Effects& out) {
  const auto [entry, fresh] = neighbours_.try_emplace(peer);
  Neighbour& neighbour = entry->second;
  if (!fresh && neighbour.offers == offers) return;
  neighbour.key = key;
  neighbour.offers = offers;
  const auto users = users_.find(peer);
  if (users == users_.end()) return;
  if (offers) return place_all(now, peer, out);
  for (const identity::PeerId& owner : std::set(users->second)) {
    shun(owner, recipients_.at(owner), peer, now.mono + config_.shun, out);
    place(now, owner, out);
  }
}

void Depositor::on_link_down(Now now, const identity::PeerId& peer, Effects&) {
  neighbours_.erase(peer);
  const auto users = users_.find(peer);
  if (users == users_.end()) return;
  for (const identity::PeerId& owner : users->second) {
    for (auto& [id, item] : recipients_.at(owner).items) item.asked.erase(peer);
    due_.set({owner, peer}, now.mono + config_.answer_timeout);
  }
}

Status Depositor::on_stored(Now now, const identity::PeerId& from, ByteView body, Effects& out) {
  const auto neighbour = neighbours_.find(from);
  if (neighbour == neighbours_.end()) return fail(Errc::unauthenticated, "a statement from a peer without a link");
  EKIDEN_ASSIGN(const Statement statement, open_statement(body, from, neighbour->second.key, self_));
  for (const StoredItem& stored : statement.stored) {
    const auto recipient = recipients_.find(stored.owner);
    if (recipient == recipients_.end()) continue;
    const auto item = recipient->second.items.find(stored.id);
    if (item == recipient->second.items.end() || !item->second.asked.contains(from)) continue;
    no_answer_any_more(item->second, from);
    item->second.stored.insert(from);
    ++placed_;
    out.push(Placed{.owner = stored.owner, .id = stored.id, .by = from, .until = stored.until});
    if (item->second.stored.size() >= config_.copies) erase(recipient, item, out);
  }
  place_all(now, from, out);
  return {};
}

Status Depositor::on_not_stored(Now now, const identity::PeerId& from, ByteView body, Effects& out) {
  EKIDEN_ASSIGN(const NotStored refusal, wire::decode<NotStored>(body));
  const auto recipient = recipients_.find(refusal.owner);
  if (recipient == recipients_.end()) return {};
  const auto item = recipient->second.items.find(refusal.id);
  if (item == recipient->second.items.end() || !item->second.asked.contains(from)) return {};
  ++refused_;
  const Duration wait = std::clamp<Duration>(milliseconds(refusal.retry_after_ms), config_.look_min, hours(1));
  shun(refusal.owner, recipient->second, from, now.mono + wait, out);
  place(now, refusal.owner, out);
  place_all(now, from, out);
  return {};
}

void Depositor::on_deadline(Now now, Effects& out) {
  while (const auto use = due_.pop_due(now.mono)) {
    const auto& [owner, node] = *use;
    Recipient& recipient = recipients_.at(owner);
    const auto is_asked = [&](const auto& entry) { return entry.second.asked.contains(node); };
    const bool waits = !neighbours_.contains(node) || std::ranges::any_of(recipient.items, is_asked);
    if (!waits) continue;  // It waits for room in the window, and others of that mailbox have their own time.
    shun(owner, recipient, node, now.mono + config_.shun, out);
    place(now, owner, out);
  }
  while (const auto owner = look_.pop_due(now.mono)) {
    const auto found = recipients_.find(*owner);
    for (auto item = found->second.items.begin(); item != found->second.items.end();) {
      const auto current = item++;
      const bool is_over = current->second.may_give_up && current->second.give_up <= now.mono;
      const bool is_last = found->second.items.size() == 1;
      if (is_over) erase(found, current, out);
      if (is_over && is_last) break;
    }
    if (recipients_.contains(*owner) && !place(now, *owner, out)) look(now, *owner, recipients_.at(*owner), out);
  }
}

void Depositor::check_invariants() const {
  std::size_t parcels = 0;
  std::size_t bytes = 0;
  std::map<identity::PeerId, std::size_t> unanswered;
  for (const auto& [owner, recipient] : recipients_) {
    CHECK(!recipient.items.empty());
    CHECK(recipient.candidates.size() <= kMaxCandidates);
    for (const auto& [id, item] : recipient.items) {
      ++parcels;
      bytes += item.message->size();
      CHECK(item.stored.size() < config_.copies);
      for (const identity::PeerId& node : item.asked) {
        CHECK(recipient.used.contains(node) && !item.stored.contains(node));
        unanswered[node] += item.message->size();
      }
    }
    for (const identity::PeerId& node : recipient.used) CHECK(users_.at(node).contains(owner));
  }
  CHECK(parcels == parcels_ && bytes == bytes_ && parcels <= config_.max_deposits);
  for (const auto& [node, neighbour] : neighbours_) {
    const auto sent = unanswered.find(node);
    CHECK(neighbour.unanswered == (sent == unanswered.end() ? 0 : sent->second));
  }
  for (const auto& [node, users] : users_) {
    CHECK(!users.empty());
    for (const identity::PeerId& owner : users) CHECK(recipients_.at(owner).used.contains(node));
  }
}

}  // namespace ekiden::mailbox
