// A few stations that are each other's contacts, the links between them, and time. Mail moves when the test says so: in
// order, or lost, repeated and reordered.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "station.hpp"

namespace ekiden::router::test {

inline constexpr WallTime kStartOfWorld{milliseconds(1'767'225'600'000)};

class World {
 public:
  explicit World(std::size_t stations, Config config = {}) {
    for (std::size_t i = 0; i < stations; ++i) {
      stations_.push_back(std::make_unique<Station>(static_cast<std::uint8_t>(i + 1), config));
    }
    for (const auto& station : stations_) {
      for (const auto& other : stations_) {
        if (station != other) station->set_contact(other->id(), true);
      }
      station->boot(now);
    }
  }

  Station& operator[](std::size_t i) { return *stations_[i]; }
  std::size_t size() const { return stations_.size(); }
  std::deque<Mail>& mail() { return mail_; }
  Now now{.mono = Instant(seconds(1000)), .wall = kStartOfWorld};

  /// The time as station i sees it.
  Now at(std::size_t i) const { return {.mono = now.mono, .wall = now.wall + stations_[i]->skew}; }

  // Links. ------------------------------------------------------------------------------------------------------------

  bool is_linked(std::size_t a, std::size_t b) const { return links_.contains(std::minmax(a, b)); }

  void link(std::size_t a, std::size_t b) {
    if (a == b || !(*this)[a].is_running() || !(*this)[b].is_running()) return;
    if (!links_.insert(std::minmax(a, b)).second) return;
    for (const auto& [x, y] : {std::pair{a, b}, std::pair{b, a}}) {
      Station& other = (*this)[y];
      (*this)[x].call(
          [&](auto& out) { (*this)[x].router().on_link_up(at(x), other.id(), other.self().public_key(), out); }, at(x));
    }
    collect();
  }

  void unlink(std::size_t a, std::size_t b) {
    if (links_.erase(std::minmax(a, b)) == 0) return;
    std::erase_if(mail_, [&](const Mail& each) { return goes_between(each, a, b); });
    for (const auto& [x, y] : {std::pair{a, b}, std::pair{b, a}}) {
      if (!(*this)[x].is_running()) continue;
      (*this)[x].call([&](auto& out) { (*this)[x].router().on_link_down(at(x), (*this)[y].id(), out); }, at(x));
    }
    collect();
  }

  // Faults. -----------------------------------------------------------------------------------------------------------

  void crash(std::size_t i, std::size_t synced = 0) {
    if (!(*this)[i].is_running()) return;
    (*this)[i].crash(synced);
    for (std::size_t other = 0; other < size(); ++other) unlink(i, other);
  }

  void boot(std::size_t i) {
    if ((*this)[i].is_running()) return;
    (*this)[i].boot(at(i));
    collect();
  }

  // Progress. ---------------------------------------------------------------------------------------------------------

  RequestId send(std::size_t from, std::size_t to, Draft draft) {
    draft.to = (*this)[to].id();
    const RequestId request = (*this)[from].submit(at(from), std::move(draft));
    collect();
    return request;
  }

  RequestId send(std::size_t from, std::size_t to, std::string_view text) {
    Draft draft;
    draft.body = to_bytes(as_bytes(text));
    return send(from, to, std::move(draft));
  }

  void sync(std::size_t i, std::size_t batches = SIZE_MAX) {
    if (!(*this)[i].is_running()) return;
    (*this)[i].sync(at(i), batches);
    collect();
  }

  /// Delivers one piece of mail and keeps it for another time if told so.
  void deliver(std::size_t index, bool keep = false) {
    if (index >= mail_.size()) return;
    const Mail each = mail_[index];
    if (!keep) mail_.erase(mail_.begin() + static_cast<std::ptrdiff_t>(index));
    const std::size_t to = index_of(each.to);
    (*this)[to].receive(at(to), each);
    collect();
  }

  /// Puts a copy of earlier mail back, if its link is up: what a network may do.
  void inject(const Mail& copy) {
    if (is_linked(index_of(copy.from), index_of(copy.to))) mail_.push_back(copy);
  }

  void retry_now(std::size_t i, std::size_t to) {
    Station& station = (*this)[i];
    station.call([&](auto& out) { station.router().retry_now(at(i), (*this)[to].id(), out); }, at(i));
    collect();
  }

  void take_all(std::size_t i) {
    if (!(*this)[i].is_running()) return;
    std::vector<std::uint64_t> numbers;
    for (const auto& message : (*this)[i].router().inbox(0, 1000)) numbers.push_back(message->number);
    if (!numbers.empty()) (*this)[i].take(at(i), numbers);
    collect();
  }

  void tick(std::size_t i) {
    Station& station = (*this)[i];
    if (!station.is_running()) return;
    station.call([&](auto& out) { station.router().on_deadline(at(i), out); }, at(i));
    collect();
  }

  /// Everything under way arrives and is synced, without time passing.
  void flow() {
    for (std::size_t rounds = 0;; ++rounds) {
      must(rounds < 1000, "the stations keep each other busy without end");
      for (std::size_t i = 0; i < size(); ++i) sync(i);
      if (mail_.empty()) return;
      for (std::size_t left = mail_.size(); left > 0 && !mail_.empty(); --left) deliver(0);
    }
  }

  /// Time passes, from deadline to deadline; all that is under way arrives.
  void pass(Duration duration, bool flowing = true) {
    const Instant end = now.mono + duration;
    for (std::size_t rounds = 0;; ++rounds) {
      must(rounds < 100'000, "timers fire without end");
      if (flowing) flow();
      const Instant next = std::max(now.mono, next_deadline(end));
      advance(next - now.mono);
      for (std::size_t i = 0; i < size(); ++i) tick(i);
      if (next >= end) break;
    }
    if (flowing) flow();
  }

  /// Both clocks, without timers.
  void advance(Duration by) {
    fraction_ += by;
    const auto whole = std::chrono::duration_cast<milliseconds>(fraction_);
    fraction_ -= whole;
    now.mono += by;
    now.wall += whole;
  }

 private:
  bool goes_between(const Mail& each, std::size_t a, std::size_t b) {
    const auto& x = (*this)[a].id();
    const auto& y = (*this)[b].id();
    return (each.from == x && each.to == y) || (each.from == y && each.to == x);
  }

  std::size_t index_of(const identity::PeerId& id) const {
    for (std::size_t i = 0; i < stations_.size(); ++i) {
      if (stations_[i]->id() == id) return i;
    }
    throw Violation("mail for nobody");
  }

  void collect() {
    for (auto& each : stations_) {
      for (Mail& out : each->take_mail()) {
        must(is_linked(index_of(out.from), index_of(out.to)), "transmitted without a link");
        mail_.push_back(std::move(out));
      }
    }
  }

  Instant next_deadline(Instant end) {
    for (auto& each : stations_) {
      if (!each->is_running()) continue;
      if (const auto at = each->router().deadline(); at && *at < end) end = *at;
    }
    return end;
  }

  std::vector<std::unique_ptr<Station>> stations_;
  std::set<std::pair<std::size_t, std::size_t>> links_;
  std::deque<Mail> mail_;
  Duration fraction_{};
};

}  // namespace ekiden::router::test
