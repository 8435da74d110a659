#include "mailbox/keeper.hpp"

#include <algorithm>
#include <set>

#include "base/check.hpp"
#include "mailbox/statement.hpp"
#include "mailbox/wire_form.hpp"

namespace ekiden::mailbox {
namespace {

constexpr milliseconds kExpiryCheck = minutes(1);

std::uint32_t milliseconds_of(Duration duration) {
  return static_cast<std::uint32_t>(std::chrono::duration_cast<milliseconds>(duration).count());
}

}  // namespace

void Keeper::insert(std::uint64_t number, const ParcelRow& row) {
  next_number_ = number + 1;
  const Slot slot = shelf_.insert(number, row, std::max(tier_of_(row.from), tier_of_(row.to)));
  shares_.add(shelf_.claim(slot));
  segments_.add(number, row.size);
}

/// It is on disk.
void Keeper::queue(Slot slot) {
  const Held& held = shelf_[slot];
  Owner& owner = owners_[*held.owner];
  shelf_.enqueue(slot, owner.queues[static_cast<std::size_t>(held.priority)]);
  ++owner.queued;
}

void Keeper::erase(Now now, Slot slot) {
  segments_.bury(now, shelf_[slot].number, shelf_[slot].size);
  forget(slot);
}

/// Its rows give way to others at once.
void Keeper::replace(Slot slot, store::Batch& batch) {
  const Held& held = shelf_[slot];
  segments_.remove(held.number, held.size);
  batch.erase(store::Table::parcels, held.number);
  batch.erase(store::Table::bodies, held.number);
  forget(slot);
}

void Keeper::forget(Slot slot) {
  const Held& held = shelf_[slot];
  shares_.remove(shelf_.claim(slot));
  const auto owner = owners_.find(*held.owner);
  if (held.persisted) {
    if (const auto given = owner->second.given.extract(held.number)) {
      owner->second.given_bytes -= given.mapped().bytes;
    }
    shelf_.dequeue(slot, owner->second.queues[static_cast<std::size_t>(held.priority)]);
    --owner->second.queued;
  }
  shelf_.erase(slot);
  if (owner != owners_.end()) forget_if_idle(owner);
}

void Keeper::forget_if_idle(Owners::iterator owner) {
  if (owner->second.queued == 0 && !owner->second.collects) owners_.erase(owner);
}

void Keeper::refuse(const identity::PeerId& from, const Parcel& parcel, RefusalReason reason, Effects& out) {
  ++refused_;
  const NotStored answer{
      .id = parcel.id, .owner = parcel.to, .reason = reason, .retry_after_ms = milliseconds_of(config_.retry_after)};
  out.push(Transmit{from, wire::Priority::high, link_message(wire::MessageType::not_stored, answer)});
}

Status Keeper::on_deposit(Now now, const identity::PeerId& from, const identity::AddressPrefix& prefix, ByteView body,
                          Effects& out) {
  EKIDEN_ASSIGN(const Parcel parcel, wire::decode<Parcel>(body));
  if (parcel.from != from) return fail(Errc::refused, "a parcel of somebody else than the neighbour that brought it");
  if (parcel.to == from || parcel.to == self_.id()) return fail(Errc::refused, "a parcel that needs no mailbox");
  if (body.size() > kMaxParcel) return fail(Errc::too_large, "a parcel with too much around its payload");
  const auto keep = std::chrono::duration_cast<milliseconds>(config_.max_keep);
  const ParcelRow row = row_of(parcel, body, prefix.bytes, std::min(parcel.expires, now.wall + keep));
  const Slot known = shelf_.find(parcel.to, from, parcel.id);
  if (known != kNoSlot && shelf_[known].digest == row.digest) {
    if (shelf_[known].persisted) confirm(now, known);
    return {};
  }
  const Claim claim{.from = from,
                    .owner = parcel.to,
                    .prefix = prefix,
                    .tier = std::max(tier_of_(from), tier_of_(parcel.to)),
                    .bytes = body.size()};
  if (!config_.serve) return refuse(from, parcel, RefusalReason::off, out), Status{};
  if (!storage_works_) return refuse(from, parcel, RefusalReason::storage, out), Status{};
  if (parcel.expires <= now.wall) return refuse(from, parcel, RefusalReason::expired, out), Status{};
  if (const auto full = shares_.check(claim)) return refuse(from, parcel, *full, out), Status{};

  store::Batch batch;
  if (known != kNoSlot) replace(known, batch);
  const std::uint64_t number = next_number_;
  batch.put(store::Table::parcels, number, wire::encode(row));
  batch.put(store::Table::bodies, number, to_bytes(body));
  insert(number, row);
  if (!expiry_at_) expiry_at_ = now.mono + kExpiryCheck;
  const store::PersistToken token{++last_token_};
  waiting_.emplace_back(token, number);
  persist(std::move(batch), token, out);
  return {};
}

void Keeper::persist(store::Batch batch, std::optional<store::PersistToken> token, Effects& out) {
  erase_at_.reset();
  if (segments_.write(batch)) {
    if (!token) token = store::PersistToken{++last_token_};
    if (!cleaned_at_) cleaned_at_ = token;
  }
  if (!batch.empty()) out.push(Persist{std::move(batch), token});
}

void Keeper::on_persisted(Now now, store::PersistToken token, Effects& out) {
  std::set<identity::PeerId> fed;
  while (!waiting_.empty() && waiting_.front().first <= token) {
    const Slot slot = shelf_.find(waiting_.front().second);
    waiting_.pop_front();
    if (slot == kNoSlot) continue;  // Replaced or expired meanwhile.
    queue(slot);
    ++stored_;
    fed.insert(*shelf_[slot].owner);
    confirm(now, slot);
  }
  if (!fed.empty()) flush_answers(now, out);
  for (const identity::PeerId& owner : fed) give(now, owner, owners_.at(owner), out);
  if (!cleaned_at_ || token < *cleaned_at_) return;
  cleaned_at_.reset();
  segments_.on_cleaned();
  if (segments_.is_any_due()) persist({}, std::nullopt, out);
}

void Keeper::confirm(Now now, Slot slot) {
  const Held& held = shelf_[slot];
  std::vector<StoredItem>& items = answers_[*held.from];
  const StoredItem item{.id = held.id, .owner = *held.owner, .until = held.until};
  if (std::ranges::find(items, item) == items.end()) items.push_back(item);
  if (!answers_at_) answers_at_ = now.mono + kAnswerDelay;
}

void Keeper::flush_answers(Now now, Effects& out) {
  answers_at_.reset();
  for (const auto& [to, items] : std::exchange(answers_, {})) {
    for (std::size_t first = 0; first < items.size(); first += kMaxStatementItems) {
      const std::size_t last = std::min(items.size(), first + kMaxStatementItems);
      Statement statement{.by = self_.id(), .to = to, .at = now.wall, .stored = {}};
      for (std::size_t i = first; i < last; ++i) statement.stored.push_back(items[i]);
      Bytes message{static_cast<Byte>(wire::MessageType::stored)};
      append(message, sign_statement(self_, statement));
      out.push(Transmit{to, wire::Priority::high, std::make_shared<const Bytes>(std::move(message))});
    }
  }
}

Status Keeper::on_collect(Now now, const identity::PeerId& id, ByteView body, Effects& out) {
  EKIDEN_ASSIGN(const Collect collect, wire::decode<Collect>(body));
  Owner& owner = owners_[id];
  owner.collects = true;
  owner.window = std::clamp<std::size_t>(collect.window, 1, config_.max_window);
  take_back(owner);
  give(now, id, owner, out);
  return {};
}

/// Highest priority first, as many as the window takes.
void Keeper::give(Now now, const identity::PeerId& id, Owner& owner, Effects& out) {
  if (!owner.collects) return;
  store::Fetch wanted{.table = store::Table::bodies, .numbers = {}};
  bool more = true;
  for (const Queue& queue : owner.queues) {
    for (Slot slot = queue.first; more && slot != kNoSlot; slot = shelf_[slot].in_queue.after) {
      more = take_next(owner, slot, wanted);
    }
  }
  if (!more && !owner.waits && fetching_bytes_ >= config_.max_fetch_bytes) {
    owner.waits = true;
    waiting_owners_.push_back(id);
  }
  if (!wanted.numbers.empty()) out.push(std::move(wanted));
  if (owner.given.empty()) {
    again_.cancel(id);
  } else {
    again_.set(id, now.mono + config_.again_after);
  }
}

/// False if neither this nor what comes after it may be given now.
bool Keeper::take_next(Owner& owner, Slot slot, store::Fetch& wanted) {
  const Held& held = shelf_[slot];
  if (owner.given.size() >= owner.window) return false;
  if (owner.given.contains(held.number)) return true;
  if (!owner.given.empty() && owner.given_bytes + held.size > config_.max_window_bytes) return false;
  if (!fetching_.contains(held.number)) {
    if (fetching_bytes_ >= config_.max_fetch_bytes) return false;
    fetching_.emplace(held.number, held.size);
    fetching_bytes_ += held.size;
    wanted.numbers.push_back(held.number);
  }
  owner.given.emplace(held.number, Given{.bytes = held.size});
  owner.given_bytes += held.size;
  return true;
}

/// To be given from the start.
void Keeper::take_back(Owner& owner) {
  owner.given.clear();
  owner.given_bytes = 0;
}

void Keeper::on_fetched(Now now, std::vector<store::FetchedRow> bodies, Effects& out) {
  std::set<identity::PeerId> freed;
  for (const auto& [number, body] : bodies) {
    const auto fetching = fetching_.extract(number);
    if (!fetching) continue;
    fetching_bytes_ -= fetching.mapped();
    const Slot slot = shelf_.find(number);
    if (slot == kNoSlot) continue;  // Collected, replaced or expired meanwhile.
    const identity::PeerId id = *shelf_[slot].owner;
    if (!body || digest_of(*body) != shelf_[slot].digest) {
      out.push(Damaged{.owner = id, .from = *shelf_[slot].from});
      ++damaged_;
      freed.insert(id);
      erase(now, slot);
    } else {
      send(id, owners_.at(id), slot, *body, out);
    }
  }
  if (!freed.empty()) persist({}, std::nullopt, out);
  for (const identity::PeerId& id : freed) {
    if (const auto owner = owners_.find(id); owner != owners_.end()) give(now, id, owner->second, out);
  }
  give_to_waiting(now, out);
}

/// Unless it was taken back meanwhile, with its owner's link.
void Keeper::send(const identity::PeerId& id, Owner& owner, Slot slot, const Bytes& body, Effects& out) {
  const Held& held = shelf_[slot];
  const auto given = owner.given.find(held.number);
  if (given == owner.given.end() || given->second.sent) return;
  given->second.sent = true;
  out.push(Transmit{id, held.priority,
                    link_message(wire::MessageType::parcel, Delivery{.number = held.number, .parcel = body},
                                 body.size() + kParcelOverhead)});
}

void Keeper::give_to_waiting(Now now, Effects& out) {
  while (!waiting_owners_.empty() && fetching_bytes_ < config_.max_fetch_bytes) {
    const identity::PeerId id = waiting_owners_.front();
    waiting_owners_.pop_front();
    Owner& owner = owners_.at(id);
    owner.waits = false;
    give(now, id, owner, out);
  }
}

Status Keeper::on_collected(Now now, const identity::PeerId& id, ByteView body, Effects& out) {
  EKIDEN_ASSIGN(const Collected collected, wire::decode<Collected>(body));
  for (const std::uint64_t number : collected.numbers) {
    const Slot slot = shelf_.find(number);
    if (slot == kNoSlot || *shelf_[slot].owner != id || !shelf_[slot].persisted) continue;
    erase(now, slot);
    ++collected_;
  }
  if (segments_.buried() >= kMaxBuried) persist({}, std::nullopt, out);
  if (segments_.buried() > 0 && !erase_at_) erase_at_ = now.mono + kEraseDelay;
  const auto owner = owners_.find(id);
  if (owner != owners_.end()) give(now, id, owner->second, out);
  return {};
}

void Keeper::on_link_down(const identity::PeerId& peer) {
  answers_.erase(peer);
  again_.cancel(peer);
  const auto owner = owners_.find(peer);
  if (owner == owners_.end()) return;
  owner->second.collects = false;
  take_back(owner->second);
  if (std::exchange(owner->second.waits, false)) std::erase(waiting_owners_, peer);
  forget_if_idle(owner);
}

void Keeper::expire(Now now, Effects& out) {
  if (!expiry_at_ || *expiry_at_ > now.mono) return;
  for (Slot slot = kNoSlot; (slot = shelf_.find_expired(now.wall)) != kNoSlot;) {
    ++expired_;
    erase(now, slot);
  }
  if (segments_.buried() > 0) persist({}, std::nullopt, out);
  expiry_at_.reset();
  if (shelf_.size() > 0) expiry_at_ = now.mono + kExpiryCheck;
}

std::optional<Instant> Keeper::deadline() const {
  return earlier(earlier(earlier(again_.earliest(), expiry_at_), earlier(answers_at_, erase_at_)),
                 segments_.deadline());
}

void Keeper::on_deadline(Now now, Effects& out) {
  if (answers_at_ && *answers_at_ <= now.mono) flush_answers(now, out);
  expire(now, out);
  const bool is_due = segments_.on_deadline(now);
  if (is_due || (erase_at_ && *erase_at_ <= now.mono)) persist({}, std::nullopt, out);
  while (const auto id = again_.pop_due(now.mono)) {
    const auto owner = owners_.find(*id);
    if (owner == owners_.end()) continue;
    take_back(owner->second);
    give(now, *id, owner->second, out);
  }
}

KeeperStatus Keeper::status() const {
  const Config& c = config_;
  return {.serves = c.serve,
          .limit = {c.max_parcels, c.max_bytes},
          .stranger_limit = {c.max_parcels / c.stranger_share, c.max_bytes / c.stranger_share},
          .sender_limit = {c.max_parcels_per_sender, c.max_bytes_per_sender},
          .owner_limit = {c.max_parcels_per_owner, c.max_bytes_per_owner},
          .prefix_limit = {c.max_parcels_per_prefix, c.max_bytes_per_prefix},
          .used = shares_.all(),
          .strangers = shares_.strangers(),
          .owners = shares_.owners(),
          .collecting = static_cast<std::size_t>(
              std::ranges::count_if(owners_, [](const auto& entry) { return entry.second.collects; })),
          .stored = stored_,
          .collected = collected_,
          .expired = expired_,
          .refused = refused_,
          .damaged = damaged_};
}

void Keeper::check_invariants() const {
  shelf_.check_invariants();
  CHECK(shelf_.size() == shares_.all().parcels && shares_.all().parcels <= config_.max_parcels);
  CHECK(shares_.all().bytes <= config_.max_bytes);
  CHECK(shelf_.size() == 0 || expiry_at_.has_value());
  CHECK(answers_.empty() || answers_at_.has_value());
  segments_.check_invariants();
  CHECK(segments_.live_bytes() == shares_.all().bytes);
  CHECK((segments_.buried() > 0) == erase_at_.has_value());
  CHECK(!segments_.is_any_due() || erase_at_.has_value() || cleaned_at_.has_value());
  std::size_t fetching = 0;
  for (const auto& [number, size] : fetching_) fetching += size;
  CHECK(fetching == fetching_bytes_ && fetching < config_.max_fetch_bytes + kMaxParcel);
  CHECK(waiting_owners_.empty() || !fetching_.empty());
  std::size_t waiting = 0;
  for (const auto& [id, owner] : owners_) {
    CHECK(owner.collects || (owner.queued > 0 && owner.given.empty() && !owner.waits));
    CHECK(owner.given.size() <= config_.max_window);
    CHECK(owner.given.empty() || again_.at(id).has_value());
    std::size_t queued = 0;
    for (const Queue& queue : owner.queues) {
      for (Slot slot = queue.first; slot != kNoSlot; slot = shelf_[slot].in_queue.after) {
        CHECK(shelf_[slot].persisted && *shelf_[slot].owner == id);
        ++queued;
      }
    }
    CHECK(queued == owner.queued);
    std::size_t given = 0;
    for (const auto& [number, entry] : owner.given) {
      CHECK(entry.sent || fetching_.contains(number));
      given += entry.bytes;
    }
    CHECK(given == owner.given_bytes);
    waiting += owner.waits ? 1 : 0;
  }
  CHECK(waiting == waiting_owners_.size());
}

}  // namespace ekiden::mailbox
