#include "router/receipts.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "identity/cose_sign.hpp"
#include "router/wire_form.hpp"

namespace ekiden::router {

bool Answers::Pending::empty() const {
  return delivered.empty() && std::ranges::all_of(refusals, [](const Refusal& r) { return r.ids.empty(); });
}

void Answers::on_link_up(Now now, const identity::PeerId& peer, Effects& out) {
  if (!up_.insert(peer).second) return;
  const auto kept = silent_.find(peer);
  if (kept == silent_.end()) return;
  send_receipts(now, peer, kept->second, out);
  silent_.erase(kept);
  mail_.cancel(peer);
}

void Answers::on_link_down(const identity::PeerId& peer) {
  up_.erase(peer);
  const auto found = ready_.find(peer);
  if (found == ready_.end()) return;
  if (!found->second.delivered.empty() && silent_.size() < kMaxSilentPeers) {
    silent_[peer] = std::move(found->second.delivered);
  }
  ready_.erase(found);
  if (ready_.empty()) flush_at_.reset();
}

/// Where answers to this peer gather; nullptr if it has no link.
Answers::Pending* Answers::pending(Now now, const identity::PeerId& peer) {
  if (!up_.contains(peer)) return nullptr;
  if (!flush_at_) flush_at_ = now.mono + kAnswerDelay;
  return &ready_[peer];
}

bool Answers::settle_parcel(const identity::PeerId& from, const MessageId& id, bool done, Effects& out) {
  if (parcels_.empty() || parcels_.erase({from, id}) == 0) return false;
  out.push(ParcelSettled{.from = from, .id = id, .done = done});
  return true;
}

void Answers::delivered(Now now, const identity::PeerId& to, const MessageId& id, Effects& out) {
  const bool by_mail = settle_parcel(to, id, true, out);
  if (Pending* answers = pending(now, to)) {
    answers->delivered.push_back(id);
    if (answers->delivered.size() >= kMaxPendingReceipts) flush_peer(now, to, *answers, out);
    return;
  }
  if (silent_.size() >= kMaxSilentPeers && !silent_.contains(to)) return;
  auto& ids = silent_[to];
  if (ids.size() < kMaxPendingReceipts) ids.push_back(id);
  if (by_mail) mail_.set_no_later_than(to, now.mono + kMailDelay);
}

void Answers::refuse(Now now, const identity::PeerId& to, const MessageId& id, Refusal::Reason reason,
                     Duration retry_after, Effects& out) {
  const bool later = reason != Refusal::Reason::expired && reason != Refusal::Reason::window;
  settle_parcel(to, id, !later, out);
  Pending* answers = pending(now, to);
  if (answers == nullptr) return;
  Refusal& refusal = answers->refusals[static_cast<std::size_t>(reason)];
  refusal.reason = reason;
  refusal.retry_after_ms = static_cast<std::uint32_t>(std::chrono::duration_cast<milliseconds>(retry_after).count());
  refusal.ids.push_back(id);
  if (refusal.ids.size() >= kMaxReceiptIds) flush_peer(now, to, *answers, out);
}

Bytes Answers::sign_receipt(Now now, const identity::PeerId& peer, std::span<const MessageId> ids) const {
  const Receipt receipt{.by = self_.id(), .to = peer, .at = now.wall, .delivered = {ids.begin(), ids.end()}};
  return identity::cose_sign(self_, as_bytes(kReceiptPurpose), wire::encode(receipt));
}

void Answers::send_receipts(Now now, const identity::PeerId& peer, const std::vector<MessageId>& ids,
                            Effects& out) const {
  for (std::size_t first = 0; first < ids.size(); first += kMaxReceiptIds) {
    const std::size_t last = std::min(ids.size(), first + kMaxReceiptIds);
    Bytes message{static_cast<Byte>(wire::MessageType::receipt)};
    append(message, sign_receipt(now, peer, std::span(ids).subspan(first, last - first)));
    out.push(Transmit{
        .to = peer, .priority = wire::Priority::high, .message = std::make_shared<const Bytes>(std::move(message))});
  }
}

void Answers::flush_peer(Now now, const identity::PeerId& peer, Pending& pending, Effects& out) const {
  send_receipts(now, peer, pending.delivered, out);
  pending.delivered.clear();
  for (Refusal& refusal : pending.refusals) {
    if (refusal.ids.empty()) continue;
    out.push(Transmit{.to = peer,
                      .priority = wire::Priority::high,
                      .message = std::make_shared<const Bytes>(
                          link_message(wire::MessageType::refusal, refusal, 32 + 17 * refusal.ids.size()))});
    refusal.ids.clear();
  }
}

void Answers::flush(Now now, Effects& out) {
  flush_at_.reset();
  for (auto& [peer, answers] : ready_) flush_peer(now, peer, answers, out);
  ready_.clear();
}

void Answers::on_deadline(Now now, Effects& out) {
  if (flush_at_ && *flush_at_ <= now.mono) flush(now, out);
  while (const auto peer = mail_.pop_due(now.mono)) {
    const auto ids = silent_.extract(*peer);
    if (ids.empty()) continue;
    for (std::size_t first = 0; first < ids.mapped().size(); first += kMaxReceiptIds) {
      const std::size_t count = std::min(ids.mapped().size() - first, kMaxReceiptIds);
      out.push(DepositReceipt{*peer, sign_receipt(now, *peer, std::span(ids.mapped()).subspan(first, count))});
    }
  }
}

void Answers::check_invariants() const {
  CHECK(silent_.size() <= kMaxSilentPeers);
  for (const auto& [peer, ids] : silent_) CHECK(ids.size() <= kMaxPendingReceipts && !up_.contains(peer));
  CHECK(ready_.empty() || flush_at_.has_value());
  for (const auto& [peer, answers] : ready_) {
    CHECK(up_.contains(peer));
    CHECK(answers.delivered.size() < kMaxPendingReceipts);
    for (const Refusal& refusal : answers.refusals) CHECK(refusal.ids.size() < kMaxReceiptIds);
  }
}

Result<Receipt> open_receipt(ByteView cose, const identity::PeerId& from, const crypto::Ed25519PublicKey& key,
                             const identity::PeerId& self) {
  if (cose.size() > kMaxReceiptSize) return fail(Errc::too_large, "a receipt of more than 8 KiB");
  EKIDEN_ASSIGN(const wire::Sign1View parts, wire::parse_sign1(cose));
  EKIDEN_TRY(identity::cose_verify(parts, key, as_bytes(kReceiptPurpose)));
  EKIDEN_ASSIGN(Receipt receipt, wire::decode<Receipt>(parts.payload));
  if (receipt.by != from) return fail(Errc::refused, "a receipt by somebody else than the neighbour that sent it");
  if (receipt.to != self) return fail(Errc::refused, "a receipt for somebody else's messages");
  return receipt;
}

}  // namespace ekiden::router
