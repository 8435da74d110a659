#include "mailbox/keeper.hpp"

#include <algorithm>

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

Status Keeper::load_row(std::uint64_t number, ByteView value) {
  const auto corrupt = [&](std::string_view why) {
    return fail(Errc::storage_corrupt, "table parcels, row " + std::to_string(number) + ": " + std::string(why));
  };
  const auto row = wire::decode<ParcelRow>(value);
  if (!row) return corrupt(row.error().message);
  const auto parcel = wire::decode<Parcel>(row->parcel);
  if (!parcel) return corrupt(parcel.error().message);
  const Name name{parcel->to, parcel->from, parcel->id};
  if (number < next_number_ || numbers_.contains(name)) return corrupt("contradicts another one");
  next_number_ = number + 1;
  Held& held = insert(number, {.name = name,
                               .claim = {.from = parcel->from,
                                         .owner = parcel->to,
                                         .prefix = {row->prefix},
                                         .tier = std::max(tier_of_(parcel->from), tier_of_(parcel->to)),
                                         .bytes = row->parcel.size()},
                               .until = row->until,
                               .priority = parcel->priority,
                               .kind = parcel->kind,
                               .parcel = std::make_shared<const Bytes>(to_bytes(row->parcel))});
  held.persisted = true;
  owners_[parcel->to].queue.emplace(held.priority, number);
  return {};
}

void Keeper::start(Now now) {
  if (!held_.empty()) expiry_at_ = now.mono;
}

Keeper::Held& Keeper::insert(std::uint64_t number, Held held) {
  shares_.add(held.claim);
  numbers_.emplace(held.name, number);
  by_until_.emplace(held.until, number);
  return held_.emplace(number, std::move(held)).first->second;
}

void Keeper::erase(std::uint64_t number, store::Batch& batch) {
  const auto found = held_.find(number);
  const Held& held = found->second;
  shares_.remove(held.claim);
  numbers_.erase(held.name);
  by_until_.erase({held.until, number});
  batch.erase(store::Table::parcels, number);
  const auto owner = owners_.find(held.claim.owner);
  if (owner != owners_.end()) {
    owner->second.queue.erase({held.priority, number});
    if (owner->second.given.erase(number) > 0) owner->second.given_bytes -= held.claim.bytes;
    if (owner->second.queue.empty() && !owner->second.collects) owners_.erase(owner);
  }
  held_.erase(found);
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
  const Name name{parcel.to, from, parcel.id};
  const auto known = numbers_.find(name);
  const bool replaces = known != numbers_.end() && !std::ranges::equal(*held_.at(known->second).parcel, body);
  if (known != numbers_.end() && !replaces) {
    if (held_.at(known->second).persisted) confirm(now, known->second);
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
  if (replaces) erase(known->second, batch);
  const std::uint64_t number = next_number_++;
  const auto keep = std::chrono::duration_cast<milliseconds>(config_.max_keep);
  const WallTime until = std::min(parcel.expires, now.wall + keep);
  batch.put(store::Table::parcels, number,
            wire::encode(ParcelRow{.prefix = prefix.bytes, .until = until, .parcel = body}));
  insert(number, {.name = name,
                  .claim = claim,
                  .until = until,
                  .priority = parcel.priority,
                  .kind = parcel.kind,
                  .parcel = std::make_shared<const Bytes>(to_bytes(body))});
  if (!expiry_at_) expiry_at_ = now.mono + kExpiryCheck;
  const store::PersistToken token{++last_token_};
  waiting_.emplace_back(token, number);
  out.push(Persist{std::move(batch), token});
  return {};
}

void Keeper::on_persisted(Now now, store::PersistToken token, Effects& out) {
  std::set<identity::PeerId> fed;
  while (!waiting_.empty() && waiting_.front().first <= token) {
    const std::uint64_t number = waiting_.front().second;
    waiting_.pop_front();
    const auto found = held_.find(number);
    if (found == held_.end()) continue;  // Replaced or expired meanwhile.
    Held& held = found->second;
    held.persisted = true;
    ++stored_;
    owners_[held.claim.owner].queue.emplace(held.priority, number);
    fed.insert(held.claim.owner);
    confirm(now, number);
  }
  if (fed.empty()) return;
  flush_answers(now, out);
  for (const identity::PeerId& owner : fed) give(now, owner, owners_.at(owner), out);
}

void Keeper::confirm(Now now, std::uint64_t number) {
  const Held& held = held_.at(number);
  std::vector<StoredItem>& items = answers_[held.claim.from];
  const StoredItem item{.id = std::get<Uuid>(held.name), .owner = held.claim.owner, .until = held.until};
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
  owner.given.clear();
  owner.given_bytes = 0;
  give(now, id, owner, out);
  return {};
}

/// Highest priority first, as many as the window takes.
void Keeper::give(Now now, const identity::PeerId& id, Owner& owner, Effects& out) {
  if (!owner.collects) return;
  for (const auto& [priority, number] : owner.queue) {
    if (owner.given.size() >= owner.window) break;
    if (owner.given.contains(number)) continue;
    const Held& held = held_.at(number);
    const std::size_t bytes = held.claim.bytes;
    if (!owner.given.empty() && owner.given_bytes + bytes > config_.max_window_bytes) break;
    owner.given.emplace(number, bytes);
    owner.given_bytes += bytes;
    out.push(Transmit{id, priority,
                      link_message(wire::MessageType::parcel, Delivery{.number = number, .parcel = *held.parcel},
                                   bytes + kParcelOverhead)});
  }
  if (owner.given.empty()) {
    again_.cancel(id);
  } else {
    again_.set(id, now.mono + config_.again_after);
  }
}

Status Keeper::on_collected(Now now, const identity::PeerId& id, ByteView body, Effects& out) {
  EKIDEN_ASSIGN(const Collected collected, wire::decode<Collected>(body));
  store::Batch batch;
  for (const std::uint64_t number : collected.numbers) {
    const auto found = held_.find(number);
    if (found == held_.end() || found->second.claim.owner != id || !found->second.persisted) continue;
    erase(number, batch);
    ++collected_;
  }
  if (!batch.empty()) out.push(Persist{std::move(batch), std::nullopt});
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
  owner->second.given.clear();
  owner->second.given_bytes = 0;
  if (owner->second.queue.empty()) owners_.erase(owner);
}

void Keeper::expire(Now now, Effects& out) {
  if (!expiry_at_ || *expiry_at_ > now.mono) return;
  store::Batch batch;
  while (!by_until_.empty() && by_until_.begin()->first <= now.wall) {
    ++expired_;
    erase(by_until_.begin()->second, batch);
  }
  if (!batch.empty()) out.push(Persist{std::move(batch), std::nullopt});
  expiry_at_.reset();
  if (!held_.empty()) expiry_at_ = now.mono + kExpiryCheck;
}

std::optional<Instant> Keeper::deadline() const { return earlier(earlier(again_.earliest(), expiry_at_), answers_at_); }

void Keeper::on_deadline(Now now, Effects& out) {
  if (answers_at_ && *answers_at_ <= now.mono) flush_answers(now, out);
  expire(now, out);
  while (const auto id = again_.pop_due(now.mono)) {
    const auto owner = owners_.find(*id);
    if (owner == owners_.end()) continue;
    owner->second.given.clear();
    owner->second.given_bytes = 0;
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
          .refused = refused_};
}

void Keeper::check_invariants() const {
  CHECK(held_.size() == numbers_.size() && held_.size() == by_until_.size());
  CHECK(held_.size() == shares_.all().parcels && shares_.all().parcels <= config_.max_parcels);
  CHECK(shares_.all().bytes <= config_.max_bytes);
  CHECK(held_.empty() || expiry_at_.has_value());
  CHECK(answers_.empty() || answers_at_.has_value());
  std::size_t bytes = 0;
  std::size_t persisted = 0;
  for (const auto& [number, held] : held_) {
    CHECK(number < next_number_ && numbers_.at(held.name) == number);
    CHECK(held.parcel->size() == held.claim.bytes);
    bytes += held.claim.bytes;
    persisted += held.persisted ? 1 : 0;
  }
  CHECK(bytes == shares_.all().bytes);
  for (const auto& [id, owner] : owners_) {
    CHECK(owner.collects || (!owner.queue.empty() && owner.given.empty()));
    CHECK(owner.given.size() <= config_.max_window);
    CHECK(owner.given.empty() || again_.at(id).has_value());
    persisted -= owner.queue.size();
  }
  CHECK(persisted == 0);
}

}  // namespace ekiden::mailbox
