// The router's line to the store: numbers the batches it asks to persist and remembers who waits for which.
//
// Inputs: write (a batch), write_soon (one that may share the next commit), wait (something waits for a token),
// on_persisted (cumulative). Outputs: Persist effects, and the waiters whose time has come, in the order in which they
// began to wait. Timer: the end of the patience of what was to be written soon.
//
// Also keeps the router's own row of Table::meta (Counters): the epoch of the outbox and two counters that are reserved
// in blocks. The row that extends a reservation is written before the row that uses it, and batches are applied in
// order, so no crash can lead to a number being given twice.
//
// Bounds: one waiter for each batch; batches are bounded by the quotas of what causes them. Invariant: tokens of
// waiters never decrease.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <variant>

#include "base/check.hpp"
#include "router/router.hpp"
#include "router/rows.hpp"

namespace ekiden::router {

using Effects = Outbox<Router::Effect>;

/// A message of ours waits: to be answered as accepted, or to be transmitted.
struct OutgoingWaits {
  MessageId id;
};
/// A received message waits to be announced and receipted.
struct ArrivalWaits {
  std::uint64_t number;
};
/// One that had to wait for others of its conversation waits to be announced under a new number.
struct ReleaseWaits {
  std::uint64_t number;
};
/// An application waits to hear that what it took is gone.
struct TakeWaits {
  RequestId request;
  Status answer;
};
using Waiter = std::variant<OutgoingWaits, ArrivalWaits, ReleaseWaits, TakeWaits>;

class Journal {
 public:
  static constexpr milliseconds kPatience{2};

  /// Asks for the batch to be persisted. An empty batch asks for nothing: the token is that of the last batch.
  store::PersistToken write(store::Batch batch, Effects& out) {
    if (batch.empty()) return last();
    if (!soon_.empty()) {
      soon_.append(std::move(batch));
      batch = std::exchange(soon_, {});
    }
    out.push(Persist{.batch = std::move(batch), .token = store::PersistToken{++last_}});
    return last();
  }

  /// Asks for it together with the batch that is written next, at the latest after kPatience: it costs no commit of its
  /// own, and of a row that the next batch changes again only the end is written. REQUIRES: not empty.
  store::PersistToken write_soon(Now now, store::Batch batch) {
    if (soon_.empty()) flush_at_ = now.mono + kPatience;
    soon_.append(std::move(batch));
    return store::PersistToken{last_ + 1};
  }

  void flush(Effects& out) {
    if (!soon_.empty()) write(std::exchange(soon_, {}), out);
  }

  std::optional<Instant> deadline() const { return soon_.empty() ? std::nullopt : std::optional(flush_at_); }
  void on_deadline(Now now, Effects& out) {
    if (flush_at_ <= now.mono) flush(out);
  }

  void wait(store::PersistToken token, Waiter waiter) {
    ASSUME(waiting_.empty() || waiting_.back().token <= token);
    waiting_.push_back({token, std::move(waiter)});
  }

  bool is_persisted(store::PersistToken token) const { return static_cast<std::uint64_t>(token) <= persisted_; }
  store::PersistToken last() const { return store::PersistToken{last_}; }

  /// Calls `wake(Waiter)` for all who waited for `token` or an earlier one.
  template <class Wake>
  void on_persisted(store::PersistToken token, Wake&& wake) {
    const auto number = static_cast<std::uint64_t>(token);
    CHECK(number <= last_);
    if (number <= persisted_) return;
    persisted_ = number;
    while (!waiting_.empty() && waiting_.front().token <= token) {
      Waiter waiter = std::move(waiting_.front().waiter);
      waiting_.pop_front();
      wake(std::move(waiter));
    }
  }

 private:
  struct Waiting {
    store::PersistToken token;
    Waiter waiter;
  };

  std::uint64_t last_ = 0;
  std::uint64_t persisted_ = 0;
  std::deque<Waiting> waiting_;
  store::Batch soon_;
  Instant flush_at_{};
};

/// The epoch and the reserved counters. Sequences are counted by recipient, but one ceiling covers all: after a restart
/// the numbers to every recipient continue above it. (One row instead of one for each recipient ever written to; the
/// gaps mean nothing to the recipient, whose window holds a set and not a range.)
class Counters {
 public:
  static constexpr std::uint64_t kSequenceBlock = 1024;
  static constexpr std::uint64_t kArrivalBlock = 64;

  Status load(ByteView value) {
    EKIDEN_ASSIGN(row_, wire::decode<MetaRow>(value));
    arrival_ = row_.arrivals;
    first_sequence_ = row_.sequences;
    loaded_ = true;
    return {};
  }

  bool is_loaded() const { return loaded_; }

  /// A fresh data directory gets its epoch: the time of its creation.
  void start(Now now, Journal& journal, Effects& out) {
    if (loaded_) return;
    loaded_ = true;
    row_.epoch = to_unix_ms(now.wall);
    save(journal, out);
  }

  std::uint64_t epoch() const { return row_.epoch; }
  /// Every sequence of this run is above this one; earlier runs used none above it.
  std::uint64_t sequences_before() const { return first_sequence_; }
  std::uint64_t sequence_ceiling() const { return row_.sequences; }
  std::uint64_t arrival_ceiling() const { return row_.arrivals; }

  /// Call before a sequence is used.
  void cover(std::uint64_t sequence, Journal& journal, Effects& out) {
    if (sequence <= row_.sequences) return;
    row_.sequences = sequence + kSequenceBlock - 1;
    save(journal, out);
  }

  std::uint64_t next_arrival(Journal& journal, Effects& out) {
    if (++arrival_ > row_.arrivals) {
      row_.arrivals = arrival_ + kArrivalBlock - 1;
      save(journal, out);
    }
    return arrival_;
  }

 private:
  void save(Journal& journal, Effects& out) const {
    store::Batch batch;
    batch.put(store::Table::meta, as_bytes(kMetaName), wire::encode(row_));
    journal.write(std::move(batch), out);
  }

  MetaRow row_;
  std::uint64_t arrival_ = 0;
  std::uint64_t first_sequence_ = 0;
  bool loaded_ = false;
};

}  // namespace ekiden::router
