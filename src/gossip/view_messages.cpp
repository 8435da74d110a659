// The messages of members, and the passive view that they fill.
#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "gossip/view.hpp"
#include "wire/link_message.hpp"

namespace ekiden::gossip {
namespace {

/// Room for a record beside what a message needs anyway.
constexpr std::size_t kRecordRoom = 512;

template <wire::Described T>
Transmit control(const identity::PeerId& to, wire::MessageType type, const T& message, std::size_t size = 64) {
  return {to, wire::Priority::high, link_message(type, message, size)};
}

}  // namespace

// Joining: section 4.2. -----------------------------------------------------------------------------------------------

void View::on_join(Now now, const identity::PeerId& from, ViewEffects& out) {
  if (!joins_.take(now.mono)) {
    out.push(control(from, wire::MessageType::topic_answer, Answer{topic_, Verdict::busy}));
    return;
  }
  // First of all: what a neighbour is told is taken of neighbours only.
  out.push(control(from, wire::MessageType::topic_answer, Answer{topic_, Verdict::accepted}));
  add_active(now, from, out);
  const ByteView record = around_.record_of(from);
  if (record.empty()) return;
  const ForwardJoin walk{.topic = topic_, .hops = config_.active_walk, .record = record};
  for (const auto& [peer, entry] : active_) {
    if (peer != from) out.push(control(peer, wire::MessageType::topic_forward_join, walk, kRecordRoom));
  }
}

Status View::on_forward_join(Now now, const identity::PeerId& from, const ForwardJoin& message, ViewEffects& out) {
  const auto sender = active_.find(from);
  if (sender == active_.end() || !sender->second.take(now.mono)) return {};
  auto verified = identity::verify_signed_record(message.record, now.wall);
  if (!verified) {
    // Every hop verifies, but not by the same clock.
    const Errc code = verified.error().code;
    if (code == Errc::expired || code == Errc::refused) return {};
    return std::unexpected(std::move(verified).error());
  }
  const identity::SignedRecord newcomer = std::move(*verified);
  const identity::PeerId peer = newcomer.record.id();
  const std::uint32_t hops = std::min(message.hops, config_.active_walk);
  const auto next = any_active_but(from);
  const bool is_new = peer != self_ && !active_.contains(peer);
  if (is_new && (hops == 0 || !next || *next == peer)) {
    add_passive(now, newcomer);
    if (may_ask(now, peer) && attempts_.size() < kMaxAttempts) begin(now, peer, Purpose::urgent_neighbour, out);
    return {};
  }
  if (is_new && hops == config_.passive_walk) add_passive(now, newcomer);
  if (hops == 0 || !next || *next == peer) return {};
  const ForwardJoin walk{.topic = topic_, .hops = hops - 1, .record = message.record};
  out.push(control(*next, wire::MessageType::topic_forward_join, walk, kRecordRoom));
  return {};
}

/// Section 4.3: one with priority is always accepted, one without if there is room.
void View::on_neighbour(Now now, const identity::PeerId& from, bool urgent, ViewEffects& out) {
  Verdict verdict = Verdict::accepted;
  if (!active_.contains(from) && active_.size() >= most_active()) {
    if (!urgent) {
      verdict = Verdict::full;
    } else if (!joins_.take(now.mono)) {
      verdict = Verdict::busy;
    }
  }
  out.push(control(from, wire::MessageType::topic_answer, Answer{topic_, verdict}));
  if (verdict == Verdict::accepted) add_active(now, from, out);
}

void View::on_answer(Now now, const identity::PeerId& from, Verdict verdict, ViewEffects& out) {
  const auto attempt = attempts_.find(from);
  if (attempt == attempts_.end() || !attempt->second.sent) return;
  if (verdict == Verdict::accepted) {
    add_active(now, from, out);
    return fill(now, out);
  }
  if (verdict == Verdict::busy) not_before_.put(from, now.mono + jittered(config_.contact_min));
  fail_attempt(now, from, verdict == Verdict::absent, out);
}

void View::on_disconnect(Now now, const identity::PeerId& from, bool leaving, ViewEffects& out) {
  fail_attempt(now, from, leaving, out);
  if (!active_.contains(from)) {
    if (leaving) passive_.erase(from);
    return;
  }
  remove_active(from, out);
  if (!leaving) keep_passive(from);
  (leaving ? not_before_ : full_).put(from, leaving ? now.mono + config_.attempt_pause : now.mono);
  fill(now, out);
}

// The passive view: section 4.4. --------------------------------------------------------------------------------------

void View::shuffle(Now now, ViewEffects& out) {
  const auto to = any_active();
  std::vector<Bytes> told = {to_bytes(around_.record_of(self_))};
  if (!to || told.front().empty()) return;
  own_walk_ = WalkId{rng_.bytes<8>()};
  shuffled_.clear();
  std::vector<identity::PeerId> neighbours = active();
  rng_.shuffle(neighbours);
  for (const identity::PeerId& peer : neighbours) {
    const ByteView record = around_.record_of(peer);
    if (told.size() <= config_.shuffle_active && peer != *to && !record.empty()) told.push_back(to_bytes(record));
  }
  Shuffle message{.topic = topic_, .walk = *own_walk_, .hops = config_.shuffle_walk, .records = {}};
  for (const Bytes& record : told) message.records.push_back(record);
  for (const ByteView record : sample(config_.shuffle_passive, *to)) message.records.push_back(record);
  if (message.records.size() > kMaxShuffled) message.records.resize(kMaxShuffled);
  out.push(control(*to, wire::MessageType::topic_shuffle, message, kRecordRoom * message.records.size()));
  fill(now, out);
}

/// Records of passive members at random. They live as long as the passive view does not change.
std::vector<ByteView> View::sample(std::size_t count, const identity::PeerId& without) {
  std::vector<identity::PeerId> peers;
  for (const auto& [peer, entry] : passive_) {
    if (peer != without) peers.push_back(peer);
  }
  rng_.shuffle(peers);
  if (peers.size() > count) peers.resize(count);
  std::vector<ByteView> records;
  for (const identity::PeerId& peer : peers) {
    records.push_back(passive_.at(peer).record);
    shuffled_.push_back(peer);
  }
  return records;
}

Status View::on_shuffle(Now now, const identity::PeerId& from, const Shuffle& message, ViewEffects& out) {
  const auto sender = active_.find(from);
  if (sender == active_.end() || !sender->second.take(now.mono)) return {};
  if (message.records.empty()) return fail(Errc::malformed, "a shuffle without the record of its origin");
  const std::uint32_t hops = std::min(message.hops, config_.shuffle_walk);
  const auto next = any_active_but(from);
  if (hops > 0 && next) {
    if (walks_.peek(message.walk) != nullptr) return {};  // It has been here: the way back has no loop.
    walks_.put(message.walk, from);
    const Shuffle walk{.topic = topic_, .walk = message.walk, .hops = hops - 1, .records = message.records};
    out.push(control(*next, wire::MessageType::topic_shuffle, walk, kRecordRoom * walk.records.size()));
    return {};
  }
  shuffled_.clear();
  const ShuffleReply reply{.topic = topic_, .walk = message.walk, .records = sample(message.records.size(), from)};
  out.push(control(from, wire::MessageType::topic_shuffle_reply, reply, kRecordRoom * reply.records.size()));
  take_records(now, message.records);
  return {};
}

void View::on_shuffle_reply(Now now, const identity::PeerId& from, const ShuffleReply& message, ViewEffects& out) {
  if (!active_.contains(from)) return;
  if (own_walk_ == message.walk) {
    own_walk_.reset();
    return take_records(now, message.records);
  }
  const identity::PeerId* back = walks_.peek(message.walk);
  if (back == nullptr) return;
  if (active_.contains(*back)) {
    out.push(control(*back, wire::MessageType::topic_shuffle_reply, message, kRecordRoom * message.records.size()));
  }
  walks_.erase(message.walk);
}

void View::take_records(Now now, const std::vector<ByteView>& records) {
  for (const ByteView bytes : records) {
    const bool is_held = std::ranges::any_of(
        passive_, [&](const auto& entry) { return std::ranges::equal(entry.second.record, bytes); });
    if (is_held) continue;
    if (const auto record = identity::verify_signed_record(bytes, now.wall)) add_passive(now, *record);
  }
}

void View::add_passive(Now now, const identity::SignedRecord& record) {
  const identity::PeerId peer = record.record.id();
  if (peer == self_ || active_.contains(peer)) return;
  if (const Instant* at = not_before_.peek(peer); at != nullptr && *at > now.mono && !passive_.contains(peer)) return;
  const auto known = passive_.find(peer);
  if (known != passive_.end() && known->second.sequence >= record.record.sequence) return;
  if (known == passive_.end()) make_passive_room();
  passive_.insert_or_assign(peer, Passive{record.signed_bytes, record.record.sequence});
}

void View::keep_passive(const identity::PeerId& peer) {
  const ByteView record = around_.record_of(peer);
  if (record.empty() || passive_.contains(peer)) return;
  make_passive_room();
  passive_.emplace(peer, Passive{to_bytes(record)});
}

/// Section 4.4: those go first that were sent to whom we exchange with; they are known there.
void View::make_passive_room() {
  while (passive_.size() >= config_.max_passive) {
    if (!shuffled_.empty()) {
      passive_.erase(shuffled_.back());
      shuffled_.pop_back();
      continue;
    }
    auto victim = passive_.begin();
    std::advance(victim, static_cast<std::ptrdiff_t>(rng_.below(passive_.size())));
    passive_.erase(victim);
  }
}

}  // namespace ekiden::gossip
