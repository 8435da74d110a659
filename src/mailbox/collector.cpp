#include "mailbox/collector.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "mailbox/wire_form.hpp"

namespace ekiden::mailbox {

Status Collector::load_row(ByteView value) {
  auto row = wire::decode<OwnRow>(value);
  if (!row) return fail(Errc::storage_corrupt, "table meta, row mailbox.own: " + row.error().message);
  own_ = std::move(row->own);
  former_ = std::move(row->former);
  std::ranges::sort(own_);
  own_.erase(std::ranges::unique(own_).begin(), own_.end());
  is_new_ = false;
  return {};
}

void Collector::start(Now now, Effects& out) {
  if (!config_.collect) return;
  look_interval_ = config_.look_min;
  look_at_ = now.mono + kFirstLook;
  for (const identity::PeerId& peer : config_.pinned) {
    if (!is_own(peer)) own_.insert(own_.begin(), peer);
  }
  while (own_.size() > kMaxOwn) own_.pop_back();
  if (has_enough()) is_new_ = false;
  for (const identity::PeerId& peer : own_) {
    want(peer, out);
    if (!links_.contains(peer)) replace_.set(peer, now.mono + config_.replace_after);
  }
  for (const identity::PeerId& peer : former_) {
    if (is_own(peer)) continue;
    want(peer, out);
    visits_.set(peer, now.mono + config_.visit);
  }
}

bool Collector::is_own(const identity::PeerId& peer) const { return std::ranges::find(own_, peer) != own_.end(); }

void Collector::want(const identity::PeerId& peer, Effects& out) {
  if (wanted_.insert(peer).second) out.push(Want{.peer = peer, .by = Wanter::collector, .wanted = true});
}

void Collector::unwant_if_unused(const identity::PeerId& peer, Effects& out) {
  if (is_own(peer) || visits_.at(peer) || wanted_.erase(peer) == 0) return;
  out.push(Want{.peer = peer, .by = Wanter::collector, .wanted = false});
}

void Collector::on_mailboxes(Now now, const std::vector<identity::PeerId>& nodes, Effects& out) {
  if (!config_.collect) return;
  const std::size_t visits = visits_.size();
  const std::size_t limit = is_new_ ? std::min(config_.max_visits, visits + config_.own + 1) : config_.max_visits;
  for (const identity::PeerId& node : nodes) {
    if (visits_.size() >= limit) break;
    if (node == self_ || is_own(node) || visits_.at(node)) continue;
    const auto link = links_.find(node);
    if (link != links_.end()) {  // It was asked when its link came up.
      if (link->second) adopt(now, node, out);
      continue;
    }
    visits_.set(node, now.mono + config_.visit);
    want(node, out);
  }
}

void Collector::adopt(Now now, const identity::PeerId& peer, Effects& out) {
  if (has_enough() || is_own(peer)) return;
  own_.push_back(peer);
  if (has_enough()) is_new_ = false;
  std::erase(former_, peer);
  want(peer, out);
  write(out);
  if (!announce_at_) announce_at_ = now.mono + kAnnounceDelay;
}

void Collector::replace(Now now, const identity::PeerId& peer, Effects& out) {
  if (std::ranges::find(config_.pinned, peer) != config_.pinned.end()) return;
  std::erase(own_, peer);
  std::erase(former_, peer);
  former_.insert(former_.begin(), peer);
  if (former_.size() > kMaxFormer) former_.resize(kMaxFormer);
  unwant_if_unused(peer, out);
  write(out);
  look_interval_ = config_.look_min;
  look_at_ = now.mono;
  if (!announce_at_) announce_at_ = now.mono + kAnnounceDelay;
}

void Collector::write(Effects& out) const {
  store::Batch batch;
  batch.put(store::Table::meta, as_bytes(kOwnRowName), wire::encode(OwnRow{.own = own_, .former = former_}));
  out.push(Persist{std::move(batch), std::nullopt});
}

void Collector::on_link_up(Now now, const identity::PeerId& peer, bool offers, Effects& out) {
  const auto [link, fresh] = links_.try_emplace(peer, offers);
  if (!fresh && std::exchange(link->second, offers) == offers) return;
  replace_.cancel(peer);
  if (!config_.collect || !offers) return;
  out.push(Transmit{
      peer, wire::Priority::normal,
      link_message(wire::MessageType::collect, Collect{.window = static_cast<std::uint32_t>(config_.max_window)})});
  if (wanted_.contains(peer)) adopt(now, peer, out);
}

void Collector::on_link_down(Now now, const identity::PeerId& peer) {
  links_.erase(peer);
  confirmed_.erase(peer);
  if (is_own(peer)) replace_.set(peer, now.mono + config_.replace_after);
}

Status Collector::on_parcel(const identity::PeerId& from, std::shared_ptr<const Bytes> buffer, ByteView body,
                            Effects& out) {
  EKIDEN_ASSIGN(const Delivery delivery, wire::decode<Delivery>(body));
  EKIDEN_ASSIGN(const Parcel parcel, wire::decode<Parcel>(delivery.parcel));
  if (parcel.to != self_ || parcel.from == self_) return fail(Errc::refused, "a parcel for somebody else");
  const Key key{parcel.from, parcel.id};
  if (open_.size() >= config_.max_open && !open_.contains(key)) return {};
  std::vector<Copy>& copies = open_[key];
  const Copy copy{from, delivery.number};
  if (copies.size() < kMaxCopies && std::ranges::find(copies, copy) == copies.end()) copies.push_back(copy);
  out.push(Arrived{.from = parcel.from,
                   .id = parcel.id,
                   .kind = parcel.kind,
                   .buffer = std::move(buffer),
                   .payload = parcel.payload});
  return {};
}

void Collector::settled(Now now, const identity::PeerId& sender, const Uuid& id, bool done) {
  const auto copies = open_.extract({sender, id});
  if (copies.empty() || !done) return;
  for (const auto& [node, number] : copies.mapped()) {
    if (!links_.contains(node)) continue;
    confirmed_[node].push_back(number);
    ++collected_;
  }
  if (!confirmed_.empty() && !confirm_at_) confirm_at_ = now.mono + kConfirmDelay;
}

void Collector::confirm(Effects& out) {
  confirm_at_.reset();
  for (const auto& [node, numbers] : std::exchange(confirmed_, {})) {
    for (std::size_t first = 0; first < numbers.size(); first += kMaxCollected) {
      const std::size_t last = std::min(numbers.size(), first + kMaxCollected);
      Collected collected;
      for (std::size_t i = first; i < last; ++i) collected.numbers.push_back(numbers[i]);
      out.push(Transmit{node, wire::Priority::normal, link_message(wire::MessageType::collected, collected)});
    }
  }
}

std::optional<Instant> Collector::deadline() const {
  const auto at = earlier(earlier(visits_.earliest(), replace_.earliest()), earlier(look_at_, announce_at_));
  return earlier(at, confirm_at_);
}

void Collector::on_deadline(Now now, Effects& out) {
  if (confirm_at_ && *confirm_at_ <= now.mono) confirm(out);
  while (const auto peer = visits_.pop_due(now.mono)) unwant_if_unused(*peer, out);
  while (const auto peer = replace_.pop_due(now.mono)) replace(now, *peer, out);
  if (look_at_ && *look_at_ <= now.mono) look(now, out);
  if (announce_at_ && *announce_at_ <= now.mono) {
    announce_at_.reset();
    out.push(OwnChanged{});
  }
}

/// Soon again if there are too few; and then only if that is still so.
void Collector::look(Now now, Effects& out) {
  const bool was_early = std::exchange(looks_early_, !has_enough());
  if (!was_early || looks_early_) out.push(FindMailboxes{.owner = self_, .far = true});
  look_at_ = now.mono + (looks_early_ ? look_interval_ : config_.round);
  if (looks_early_) look_interval_ = std::min(look_interval_ * 2, config_.look_max);
}

CollectorStatus Collector::status() const {
  CollectorStatus status{.own = {}, .open = open_.size(), .collected = collected_};
  for (const identity::PeerId& node : own_) status.own.push_back({.node = node, .up = links_.contains(node)});
  return status;
}

void Collector::check_invariants() const {
  CHECK(own_.size() <= kMaxOwn && former_.size() <= kMaxFormer);
  CHECK(std::set(own_.begin(), own_.end()).size() == own_.size());
  CHECK(open_.size() <= config_.max_open);
  CHECK(confirmed_.empty() || confirm_at_.has_value());
  for (const identity::PeerId& peer : wanted_) CHECK(is_own(peer) || visits_.at(peer).has_value());
}

}  // namespace ekiden::mailbox
