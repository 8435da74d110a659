#include "router/receipts.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "identity/cose_sign.hpp"
#include "router/wire_form.hpp"

namespace ekiden::router {
namespace {

// Sizes of the parts of a receipt; each is at least as large as any encoding.
constexpr std::size_t kReceiptFrame = 256;  // COSE_Sign1, the two peers and the time
constexpr std::size_t kIdSize = 17;
constexpr std::size_t kPathFrame = 48;
constexpr std::size_t kHopFrame = 128;

}  // namespace

bool Answers::Pending::empty() const {
  return delivered.empty() && std::ranges::all_of(refusals, [](const Refusal& r) { return r.ids.empty(); });
}

void Answers::on_link_up(Now now, const identity::PeerId& peer, Effects& out) {
  if (!up_.insert(peer).second) return;
  for (auto* kept : {&silent_, &routed_}) {
    const auto found = kept->find(peer);
    if (found == kept->end()) continue;
    send_receipts(now, peer, std::move(found->second), out);
    kept->erase(found);
  }
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
  if (ready_.empty() && routed_.empty()) flush_at_.reset();
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

std::optional<std::optional<CameBy>> Answers::take_expected(const identity::PeerId& from, const MessageId& id,
                                                            Effects& out) {
  const auto parcel = parcels_.empty() ? parcels_.end() : parcels_.find({from, id});
  if (parcel == parcels_.end()) return std::nullopt;
  std::optional<std::optional<CameBy>> way = std::move(parcel->second);
  settle_parcel(from, id, true, out);
  return way;
}

void Answers::delivered(Now now, const identity::PeerId& to, const MessageId& id, Effects& out) {
  auto way = take_expected(to, id, out);
  const bool was_brought = way.has_value();
  Delivered done{.id = id, .way = was_brought ? std::move(*way) : std::nullopt};
  if (Pending* answers = pending(now, to)) {
    answers->delivered.push_back(std::move(done));
    if (answers->delivered.size() >= kMaxPendingReceipts) flush_peer(now, to, *answers, out);
    return;
  }
  keep(now, to, std::move(done), was_brought);
}

/// For a peer without a link.
void Answers::keep(Now now, const identity::PeerId& to, Delivered word, bool was_brought) {
  const bool by_relays = word.way.has_value();
  auto& kept = by_relays ? routed_ : silent_;
  if (kept.size() >= kMaxSilentPeers && !kept.contains(to)) return;
  auto& waiting = kept[to];
  if (waiting.size() < kMaxPendingReceipts) waiting.push_back(std::move(word));
  if (by_relays) {
    flush_at_ = earlier(flush_at_, now.mono + kAnswerDelay);
  } else if (was_brought) {
    mail_.set_no_later_than(to, now.mono + kMailDelay);
  }
}

/// What is not told now is told when the message comes again.
void Answers::keep_unopened(Now now, const identity::PeerId& to, Delivered word) {
  for (const auto* kept : {&silent_, &routed_}) {
    const auto waiting = kept->find(to);
    if (waiting != kept->end() &&
        std::ranges::find(waiting->second, word.id, &Delivered::id) != waiting->second.end()) {
      return;
    }
  }
  if (now.mono - unopened_since_ >= minutes(1)) {
    unopened_since_ = now.mono;
    unopened_count_ = 0;
  }
  if (unopened_count_ == kMaxUnopened) return;
  if (!word.way) {
    const Instant* told = unopened_told_.find(to);
    // With those of the same moment it is gathered.
    if (told != nullptr && now.mono - *told >= kMailDelay && now.mono - *told < kUnopenedPause) return;
    if (told == nullptr || now.mono - *told >= kUnopenedPause) unopened_told_.put(to, now.mono);
  }
  ++unopened_count_;
  keep(now, to, std::move(word), true);
}

void Answers::session_unknown(Now now, const identity::PeerId& to, const MessageId& id, const Uuid& session,
                              Effects& out) {
  auto way = take_expected(to, id, out);
  if (!way || up_.contains(to)) return;
  keep_unopened(now, to, {.id = session, .way = std::move(*way), .fate = Fate::unknown_session});
}

void Answers::refuse(Now now, const identity::PeerId& to, const MessageId& id, Refusal::Reason reason,
                     Duration retry_after, Effects& out) {
  const bool later =
      reason != Refusal::Reason::expired && reason != Refusal::Reason::window && reason != Refusal::Reason::unwanted;
  if (reason == Refusal::Reason::window && !up_.contains(to)) {
    auto way = take_expected(to, id, out);
    if (way) keep_unopened(now, to, {.id = id, .way = std::move(*way), .fate = Fate::unplaced});
    return;
  }
  settle_parcel(to, id, !later, out);
  Pending* answers = pending(now, to);
  if (answers == nullptr) return;
  Refusal& refusal = answers->refusals[static_cast<std::size_t>(reason)];
  refusal.reason = reason;
  refusal.retry_after_ms = static_cast<std::uint32_t>(std::chrono::duration_cast<milliseconds>(retry_after).count());
  refusal.ids.push_back(id);
  if (refusal.ids.size() >= kMaxReceiptIds) flush_peer(now, to, *answers, out);
}

/// As many as one receipt bears, in each.
std::vector<Bytes> Answers::sign_receipts(Now now, const identity::PeerId& peer,
                                          std::vector<Delivered> delivered) const {
  std::vector<Bytes> signed_receipts;
  Receipt receipt{.by = self_.id(), .to = peer, .at = now.wall, .delivered = {}};
  std::size_t size = kReceiptFrame;
  const auto sign = [&] {
    signed_receipts.push_back(identity::cose_sign(self_, as_bytes(kReceiptPurpose), wire::encode(receipt)));
    receipt.delivered.clear();
    receipt.paths.reset();
    receipt.unopened.reset();
    size = kReceiptFrame;
  };
  for (Delivered& one : delivered) {
    if (one.fate != Fate::delivered) {
      const bool is_full = receipt.unopened && (receipt.unopened->sessions.size() == kMaxLostSessions ||
                                                receipt.unopened->messages.size() == kMaxReceiptIds);
      if (is_full || size + kIdSize > kMaxReceiptSize) sign();
      size += kIdSize;
      if (!receipt.unopened) receipt.unopened.emplace();
      auto& told = one.fate == Fate::unplaced ? receipt.unopened->messages : receipt.unopened->sessions;
      told.push_back(one.id);
      continue;
    }
    std::size_t more = kIdSize;
    if (one.way) {
      more += kPathFrame;
      for (const path::Hop& hop : one.way->hops) more += kHopFrame + hop.proof.size();
    }
    if (receipt.delivered.size() == kMaxReceiptIds || size + more > kMaxReceiptSize) sign();
    size += more;
    if (one.way) {
      if (!receipt.paths) receipt.paths.emplace();
      receipt.paths->paths.push_back({.item = static_cast<std::uint32_t>(receipt.delivered.size()),
                                      .subject = one.way->subject,
                                      .hops = std::move(one.way->hops)});
    }
    receipt.delivered.push_back(one.id);
  }
  if (!receipt.delivered.empty() || receipt.unopened) sign();
  return signed_receipts;
}

void Answers::send_receipts(Now now, const identity::PeerId& peer, std::vector<Delivered> delivered,
                            Effects& out) const {
  for (const Bytes& receipt : sign_receipts(now, peer, std::move(delivered))) {
    Bytes message{static_cast<Byte>(wire::MessageType::receipt)};
    append(message, receipt);
    out.push(Transmit{
        .to = peer, .priority = wire::Priority::high, .message = std::make_shared<const Bytes>(std::move(message))});
  }
}

void Answers::flush_peer(Now now, const identity::PeerId& peer, Pending& pending, Effects& out) const {
  send_receipts(now, peer, std::exchange(pending.delivered, {}), out);
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
  for (auto& [peer, delivered] : std::exchange(routed_, {})) {
    for (Bytes& receipt : sign_receipts(now, peer, std::move(delivered))) {
      out.push(ForwardReceipt{peer, std::make_shared<const Bytes>(std::move(receipt))});
    }
  }
}

void Answers::on_deadline(Now now, Effects& out) {
  if (flush_at_ && *flush_at_ <= now.mono) flush(now, out);
  while (const auto peer = mail_.pop_due(now.mono)) {
    auto delivered = silent_.extract(*peer);
    if (delivered.empty()) continue;
    for (Bytes& receipt : sign_receipts(now, *peer, std::move(delivered.mapped()))) {
      out.push(DepositReceipt{*peer, std::move(receipt)});
    }
  }
}

void Answers::check_invariants() const {
  CHECK(silent_.size() <= kMaxSilentPeers);
  for (const auto& [peer, ids] : silent_) CHECK(ids.size() <= kMaxPendingReceipts && !up_.contains(peer));
  CHECK((ready_.empty() && routed_.empty()) || flush_at_.has_value());
  for (const auto& [peer, answers] : ready_) {
    CHECK(up_.contains(peer));
    CHECK(answers.delivered.size() < kMaxPendingReceipts);
    for (const Refusal& refusal : answers.refusals) CHECK(refusal.ids.size() < kMaxReceiptIds);
  }
}

Result<Receipt> open_receipt(ByteView cose, const identity::PeerId& from, const crypto::Ed25519PublicKey& key,
                             const identity::PeerId& self, path::Verifier& verifier) {
  if (cose.size() > kMaxReceiptSize) return fail(Errc::too_large, "a receipt of more than 8 KiB");
  EKIDEN_ASSIGN(const wire::Sign1View parts, wire::parse_sign1(cose));
  EKIDEN_TRY(identity::cose_verify(parts, key, as_bytes(kReceiptPurpose)));
  EKIDEN_ASSIGN(Receipt receipt, wire::decode<Receipt>(parts.payload));
  if (receipt.by != from) return fail(Errc::refused, "a receipt by somebody else than the neighbour that sent it");
  if (receipt.to != self) return fail(Errc::refused, "a receipt for somebody else's messages");
  if (!receipt.paths) return receipt;
  for (const ProvenPath& way : receipt.paths->paths) {
    if (way.item >= receipt.delivered.size()) return fail(Errc::malformed, "a path of no message");
    if (auto proven = verifier.verify(way.subject, receipt.to, receipt.by, way.hops); !proven) {
      return fail("a receipt with a path that is not proven", std::move(proven).error());
    }
  }
  return receipt;
}

path::Hops path_of(ByteView cose, const MessageId& id) {
  const auto parts = wire::parse_sign1(cose);
  if (!parts) return {};
  auto receipt = wire::decode<Receipt>(parts->payload);
  if (!receipt || !receipt->paths) return {};
  for (ProvenPath& way : receipt->paths->paths) {
    if (way.item < receipt->delivered.size() && receipt->delivered[way.item] == id) return std::move(way.hops);
  }
  return {};
}

}  // namespace ekiden::router
