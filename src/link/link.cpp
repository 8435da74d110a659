// What a link receives, how it ends, and its timers.
#include "link/link.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.hpp"
#include "wire/message_type.hpp"

namespace ekiden::link {
namespace {

constexpr Duration kMeasureEvery = minutes(1);

/// So long a link may wait to be read. Attack: many that are left behind full would keep their places for ever.
constexpr Duration kMaxUnread = minutes(10);

}  // namespace

void Link::receive(Now now, ByteView bytes, Outbox<LinkEvent>& events) {
  bytes_in_ += bytes.size();
  while (!bytes.empty() && reads()) {
    if (stage_ == Stage::handshake) {
      receive_handshake(now, bytes);
    } else {
      receive_records(now, bytes, events);
    }
  }
}

/// After an ungraceful goodbye of ours, and after any of theirs, nothing is listened to.
bool Link::reads() const {
  if (peer_closed_ || stage_ == Stage::over) return false;
  return stage_ != Stage::closing || drains_;
}

void Link::receive_records(Now now, ByteView& input, Outbox<LinkEvent>& events) {
  if (!reader_->is_inside_record()) record_began_ = now.mono;
  while (!input.empty() && reads()) {
    auto record = reader_->next(input);
    if (!record) return close(now, CloseReason::protocol, why_unreadable(std::move(record).error()));
    if (*record == nullptr) return;
    record_began_ = now.mono;
    last_received_ = now.mono;
    on_record(now, *record, events);
  }
}

/// What it means that a record does not decrypt: the cipher itself cannot know.
Error Link::why_unreadable(Error why) const {
  if (why.code != Errc::unauthenticated) return why;
  why.message = stage_ == Stage::confirming ? "its first record does not decrypt: a replayed or forged handshake"
                                            : "record " + std::to_string(reader_->records()) +
                                                  " from it was changed, repeated or lost on the way";
  return why;
}

void Link::on_record(Now now, const SharedBytes& record, Outbox<LinkEvent>& events) {
  FrameReader frames(*record);
  while (reads()) {
    auto frame = frames.next();
    if (!frame) return close(now, CloseReason::protocol, std::move(frame).error());
    // A first record that only says goodbye opens nothing.
    if (stage_ == Stage::confirming && !(*frame && (*frame)->kind == FrameKind::close)) confirm(now, events);
    if (!*frame) return;
    on_frame(now, **frame, record, events);
  }
}

void Link::on_frame(Now now, const Frame& frame, const SharedBytes& record, Outbox<LinkEvent>& events) {
  switch (frame.kind) {
    case FrameKind::ping: {
      const auto ping = read_probe(frame);
      peer_wants_ = ping.keep;
      pong_to_send_ = Probe{ping.token, wanted_};
      return;
    }
    case FrameKind::pong:
      return on_pong(now, read_probe(frame));
    case FrameKind::rekey:
      return reader_->rekey();
    case FrameKind::close:
      return on_peer_close(now, read_close(frame), events);
    case FrameKind::message:
      if (frame.payload.empty() || wire::is_use(frame.payload.front())) last_message_ = now.mono;
      measure(now);  // Pings also tell whether the link is wanted still.
      events.push(Message{peer_, record, frame.payload});
      return;
  }
}

/// The other side may be about to close it.
void Link::set_wanted(bool wanted) {
  const bool is_news = wanted && !wanted_;
  wanted_ = wanted;
  if (!is_news || stage_ != Stage::open) return;
  if (ping_to_send_) {
    ping_to_send_->keep = true;
  } else if (ping_sent_) {
    is_news_to_tell_ = true;  // There is one ping at a time.
  } else {
    ping_to_send_ = Probe{next_token_++, wanted_};
  }
}

/// A link on which messages flow is never silent, and would not be pinged.
void Link::measure(Now now) {
  if (stage_ != Stage::open || ping_sent_ || ping_to_send_) return;
  if (round_trip_ && now.mono - measured_ < kMeasureEvery) return;
  ping_to_send_ = Probe{next_token_++, wanted_};
}

void Link::on_pong(Now now, const Probe& pong) {
  peer_wants_ = pong.keep;
  if (!ping_sent_ || pong.token != next_token_ - 1) return;
  const auto sample = now.mono - *ping_sent_;
  // RFC 6298 section 2: the new sample counts an eighth.
  round_trip_ = round_trip_ ? (7 * *round_trip_ + sample) / 8 : sample;
  measured_ = now.mono;
  ping_sent_.reset();
  if (std::exchange(is_news_to_tell_, false) && stage_ == Stage::open) ping_to_send_ = Probe{next_token_++, wanted_};
}

void Link::on_peer_close(Now now, CloseReason reason, Outbox<LinkEvent>& events) {
  peer_closed_ = true;
  Error why{Errc::closed, "the other side closed the link: " + std::string(reason_text(reason))};
  if (!is_graceful(reason) || stage_ == Stage::confirming) {
    why.code = is_graceful(reason) ? Errc::closed : Errc::refused;
    return end(std::move(why));
  }
  if (stage_ == Stage::closing) {
    if (close_is_written()) end(std::move(why));
    return;
  }
  close_began_ = now.mono;
  events.push(PeerClosed{reason});
  // The pool says goodbye on a superseded link, once it has moved what waits here to the one that took over.
  if (reason != CloseReason::superseded) close(now, reason, std::move(why));
}

// Ending. -------------------------------------------------------------------------------------------------------------

void Link::close(Now now, CloseReason reason, Error why) {
  if (stage_ == Stage::over) return;
  if (stage_ == Stage::handshake) return end(std::move(why));
  const bool drains = is_graceful(reason) && stage_ != Stage::confirming;
  if (stage_ == Stage::closing && drains) return;
  if (said_close_ && !drains) return end(std::move(why));
  drains_ = drains;
  if (!drains) {
    queue_.clear();
    pong_to_send_.reset();  // The record that refuses a link must not open it at the other side.
  }
  if (stage_ != Stage::closing) close_began_ = now.mono;
  stage_ = Stage::closing;
  close_to_send_ = reason;
  ping_to_send_.reset();
  why_ = std::move(why);
}

void Link::end(Error why) {
  if (stage_ == Stage::over) return;
  if (stage_ != Stage::closing) why_ = std::move(why);
  stage_ = Stage::over;
  handshake_.reset();
  queue_.clear();
  output_ = {};
  output_sent_ = 0;
}

// Timers. -------------------------------------------------------------------------------------------------------------

Instant Link::deadline() const {
  if (stage_ == Stage::handshake || stage_ == Stage::confirming) return started_ + config_->handshake_timeout;
  if (stage_ == Stage::over) return unsent() > 0 ? close_began_ + config_->close_timeout : started_;
  auto at = silent_until();
  const auto no_later_than = [&](Instant other) { at = std::min(at, other); };
  if (reader_->is_inside_record() && !unread_since_) no_later_than(record_began_ + config_->record_timeout);
  if (unsent() > 0) no_later_than(output_moved_ + 2 * config_->keepalive_interval);
  if (stage_ == Stage::closing || peer_closed_) no_later_than(close_began_ + config_->close_timeout);
  if (stage_ == Stage::open && !unread_since_) {
    if (!ping_sent_ && !ping_to_send_) no_later_than(last_received_ + config_->keepalive_interval);
    if (may_idle()) no_later_than(last_message_ + idle_timeout_);
  }
  return at;
}

void Link::on_deadline(Now now) {
  if (now.mono < deadline()) return;
  if (stage_ == Stage::over) {
    output_ = {};
    output_sent_ = 0;
  } else if (stage_ == Stage::handshake || stage_ == Stage::confirming) {
    end({Errc::timed_out, "the handshake did not finish in time"});
  } else if (auto dead = why_dead(now)) {
    end(std::move(*dead));
  } else if (may_idle() && !unread_since_ && now.mono >= last_message_ + idle_timeout_) {
    close(now, CloseReason::idle, {Errc::closed, "the link was idle"});
  } else {
    ping_to_send_ = Probe{next_token_++, wanted_};
  }
}

/// When the link is dead if nothing is heard until then.
Instant Link::silent_until() const {
  return unread_since_ ? *unread_since_ + kMaxUnread : last_received_ + 2 * config_->keepalive_interval;
}

void Link::set_unread(Now now, bool unread) {
  if (unread == unread_since_.has_value()) return;
  if (unread) {
    unread_since_ = now.mono;
    return;
  }
  unread_since_.reset();
  last_received_ = now.mono;
  record_began_ = now.mono;
  ping_sent_.reset();  // Its answer has waited here, and measures nothing.
}

std::optional<Error> Link::why_dead(Now now) const {
  const auto passed = [&](Instant since, Duration limit) { return now.mono >= since + limit; };
  if (now.mono >= silent_until()) {
    if (unread_since_) return Error{Errc::closed, "others came first for too long: it was not read"};
    return Error{Errc::timed_out, "nothing was heard from the other side, although it was asked"};
  }
  if (reader_->is_inside_record() && !unread_since_ && passed(record_began_, config_->record_timeout)) {
    return Error{Errc::timed_out, "the other side began a record and did not complete it in time"};
  }
  if (unsent() > 0 && passed(output_moved_, 2 * config_->keepalive_interval)) {
    return Error{Errc::timed_out, "the other side does not take what we send"};
  }
  if ((stage_ == Stage::closing || peer_closed_) && passed(close_began_, config_->close_timeout)) {
    return Error{Errc::timed_out, "the other side did not say goodbye in time"};
  }
  return std::nullopt;
}

void Link::check_invariants() const {
  queue_.check_invariants();
  CHECK(output_sent_ <= output_.size());
  CHECK((stage_ == Stage::handshake) == (handshake_ != nullptr));
  CHECK((stage_ == Stage::confirming && remote_ != nullptr) || stage_ != Stage::confirming);
  CHECK(stage_ != Stage::open || (writer_ && reader_ && !remote_));
  CHECK(stage_ == Stage::open || stage_ == Stage::closing || queue_.empty());
  CHECK(!said_close_ || !close_to_send_);
  CHECK(!ping_sent_ || next_token_ > 0);
  if (handshake_) CHECK(handshake_->gathered_bytes() <= kMaxHandshakeMessage + kRecordHeader);
  if (reader_) CHECK(reader_->gathered_bytes() < kRecordHeader + kMaxRecordCiphertext);
}

}  // namespace ekiden::link
