// The partition detector as neighbours and members use and attack it: a script of links, heartbeats, statements of
// several members, anything as an attacker would write it, and time, next to a naive model of who has spoken last and
// of which states may follow each other. And every message by itself.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/check.hpp"
#include "partition/detector.hpp"
#include "partition/statement.hpp"
#include "support/identities.hpp"
#include "wire/cbor.hpp"
#include "wire/message_type.hpp"

namespace {

using namespace ekiden;
using namespace ekiden::partition;

constexpr std::size_t kPeople = 8;

const identity::Identity& person(std::size_t number) {
  static const auto kAll = [] {
    std::vector<identity::Identity> all;
    for (Byte i = 0; i <= kPeople; ++i) all.push_back(test::make_identity(static_cast<Byte>(i + 1)));
    return all;
  }();
  return kAll[number];
}

template <class T>
void check_round_trip(ByteView bytes) {
  const auto message = wire::decode<T>(bytes);
  if (!message) return;
  const Bytes first = wire::encode(*message);
  CHECK(wire::validate(first).has_value() && first.size() <= bytes.size());
  const auto again = wire::decode<T>(first);
  CHECK(again.has_value() && *again == *message);
}

class World {
 public:
  World() {
    config_.max_members = 6;  // Fewer than there are people.
    config_.max_neighbours = 4;
    config_.max_history = 8;
    detector_.emplace(person(kPeople), config_, test::make_rng(1), now());
  }

  void step(ByteView& script) {
    const auto next = [&]() -> Byte {
      if (script.empty()) return 0;
      const Byte byte = script[0];
      script = script.subspan(1);
      return byte;
    };
    const Byte what = next();
    const identity::PeerId who = person(next() % kPeople).id();
    switch (what % 9) {
      case 0:
        detector_->on_neighbour_up(now(), who, out_);
        if (links_.size() < config_.max_neighbours) links_.insert(who);
        break;
      case 1:
        detector_->on_neighbour_down(now(), who, next() % 2 == 0);
        links_.erase(who);
        break;
      case 2:
        heartbeat(who, next());
        break;
      case 3:
        statement(who, next(), next(), next());
        break;
      case 4:
        pass(milliseconds(20) * next());
        break;
      case 5:
        pass(seconds(next()) * (what / 9 % 4 == 0 ? 3600 : 1));  // Without a call in between: it was asleep.
        break;
      case 6:
        detector_->on_member(now(), who);
        break;
      case 7:
        others(who, next());
        break;
      default:
        hostile(who, script.first(std::min<std::size_t>(next(), script.size())));
        break;
    }
    look();
  }

 private:
  Now now() const { return test::at(time_); }

  void heartbeat(const identity::PeerId& who, Byte kind) {
    const std::uint64_t sequence = kind % 4 == 3 ? UINT64_MAX : ++sent_;
    const std::uint64_t echo = kind % 4 == 2 ? UINT64_MAX : last_heard_[who];
    CHECK(detector_->on_heartbeat(now(), who, wire::encode(Heartbeat{sequence, echo}), out_).has_value());
  }

  void statement(const identity::PeerId& from, Byte author, Byte sequence, Byte silent) {
    const identity::Identity& self = person(author % kPeople);
    Statement said{.public_key = self.public_key(), .sequence = 1U + sequence, .silent = {}, .leaving = silent == 255};
    for (std::size_t i = 0; i < kPeople; ++i) {
      if ((silent >> i) % 2 == 1) said.silent.push_back(person(i).id());
    }
    const std::uint64_t before = detector_->status(now()).taken;
    CHECK(detector_->on_statement(now(), from, sign_statement(self, said), out_).has_value());
    const bool is_taken = detector_->status(now()).taken > before;
    CHECK(!is_taken || (links_.contains(from) && last_said_[self.id()] < said.sequence));
    if (is_taken) last_said_[self.id()] = said.sequence;
  }

  void pass(Duration time) {
    time_ += time;
    for (int i = 0; i < 4; ++i) {
      const auto due = detector_->deadline();
      CHECK(due.has_value() || links_.empty());
      if (due && *due <= now().mono) detector_->on_deadline(now(), out_);
    }
  }

  void others(const identity::PeerId& who, Byte kind) {
    if (kind % 4 == 0) detector_->on_gap(now(), who);
    if (kind % 4 == 1) detector_->on_compared(now(), who, static_cast<Replicas>(kind / 4 % 3));
    const WallTime signed_at = now().wall - milliseconds(500) * (kind / 32);
    if (kind % 4 == 2) detector_->on_taken(who, signed_at, kind / 4 % 2 == 0);
    if (kind % 4 == 3) detector_->on_heard(now(), who, person(kind / 4 % kPeople).id(), signed_at, out_);
  }

  void hostile(const identity::PeerId& who, ByteView bytes) {
    static_cast<void>(detector_->on_heartbeat(now(), who, bytes, out_));
    static_cast<void>(detector_->on_statement(now(), who, bytes, out_));
  }

  /// What is sent goes to neighbours and can be read; states follow each other as they may.
  void look() {
    out_.drain([&](Effect&& effect) {
      if (const auto* transmit = std::get_if<Transmit>(&effect)) {
        CHECK(links_.contains(transmit->to) && transmit->message->size() <= kMaxStatementSize + 1);
        const ByteView body = ByteView(*transmit->message).subspan(1);
        if (transmit->message->front() == static_cast<Byte>(wire::MessageType::partition_heartbeat)) {
          const auto heartbeat = wire::decode<Heartbeat>(body);
          CHECK(heartbeat.has_value() && heartbeat->sequence > last_heard_[transmit->to]);
          last_heard_[transmit->to] = heartbeat->sequence;
        } else {
          const auto said = read_statement(body);
          CHECK(said.has_value() && verify_statement(body, *said).has_value());
        }
      } else if (const auto* changed = std::get_if<Changed>(&effect)) {
        check_change(*changed);
      } else if (const auto* probe = std::get_if<Probe>(&effect)) {
        CHECK(state_ == State::split || state_ == State::healing);
        CHECK(probe->peer != person(kPeople).id());
      } else if (const auto* abandon = std::get_if<Abandon>(&effect)) {
        CHECK(links_.contains(abandon->peer));
      }
    });
    detector_->check_invariants();
    const DetectorStatus status = detector_->status(now());
    CHECK(status.last.state == state_ && status.members <= config_.max_members);
    CHECK(status.away + status.missing <= status.members && status.well <= status.neighbours);
    CHECK(status.neighbours == links_.size());
  }

  void check_change(const Changed& changed) {
    const State from = state_;
    CHECK(changed.healed.has_value() == (from == State::healing && changed.state == State::whole));
    state_ = changed.state;
    switch (changed.state) {
      case State::whole:
        CHECK(from == State::suspected || from == State::healing);
        break;
      case State::suspected:
        CHECK(from == State::whole);
        break;
      case State::split:
        // Where many are named by one each, only the call that follows shows who is away.
        CHECK(changed.away > 0 || changed.reason == Reason::members_silent);
        break;
      case State::healing:
        CHECK(from == State::split);
        break;
    }
    CHECK(changed.listed.size() <= changed.away);
  }

  Config config_;
  Duration time_{};
  std::optional<Detector> detector_;
  Effects out_;
  std::set<identity::PeerId> links_;
  std::map<identity::PeerId, std::uint64_t> last_heard_;  ///< heartbeats of the detector, by who got them
  std::map<identity::PeerId, std::uint64_t> last_said_;
  std::uint64_t sent_ = 0;
  State state_ = State::whole;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteView bytes(data, size);
  check_round_trip<Heartbeat>(bytes);
  check_round_trip<Statement>(bytes);
  if (const auto statement = read_statement(bytes)) static_cast<void>(verify_statement(bytes, *statement));
  World world;
  for (int steps = 0; steps < 400 && !bytes.empty(); ++steps) world.step(bytes);
  return 0;
}
