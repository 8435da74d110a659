// A world of two agents for random scripts: they seal, lose, repeat and reorder messages, crash, and their clocks leap.
// The world checks the promises of session/sessions.hpp after every command and throws std::logic_error when one
// breaks.
//
// What it checks:
//   - two different bodies under one message key never both leave an agent;
//   - an authentic message is never `bad`, and is called a duplicate only if it was opened and not forgotten in a
//   crash;
//   - a durable message whose opening was persisted is never opened again, and no message twice without a crash
//   between;
//   - a body that was changed is refused and leaves the state as it was, bit for bit;
//   - from any state, once the faults stop, a few resets are enough for the agents to understand each other again, on
//     one session.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <tuple>

#include "agent.hpp"
#include "session/header.hpp"

namespace ekiden::session {

/// Any three numbers are a command: scripts come from RapidCheck and from fuzzers.
struct Command {
  std::uint8_t what = 0;
  std::uint8_t who = 0;
  std::uint16_t detail = 0;
};

class World {
 public:
  explicit World(Config config) : agents_{Agent(1, config), Agent(2, config)} {
    for (std::size_t i : {0U, 1U}) records_[i] = agents_[i].record(now(i));
  }

  void run(const Command& command) {
    const std::size_t who = command.who % 2;
    switch (command.what % 16) {
      case 0:
      case 1:
        return seal(who, Durability::durable);
      case 2:
      case 3:
        return seal(who, Durability::volatile_);
      case 4:
        return persist(who, 1 + command.detail % 4);
      case 5:
        return persist(who, SIZE_MAX);
      case 6:
      case 7:
      case 8:
        return deliver(command.detail, true);
      case 9:
        return deliver(command.detail, false);
      case 10:
        return forge(command.detail);
      case 11:
        return drop(command.detail);
      case 12:
        return deliver_reset(command.detail);
      case 13:
        return crash(who);
      case 14:
        return wait(command.detail);
      case 15:
        return misfortune(who, command.detail);
    }
  }

  /// The faults end; the agents must find each other again.
  void recover() {
    letters_.clear();
    resets_.clear();
    mono_ += hours(2);  // The limit on resets is by the hour.
    for (std::size_t who : {0U, 1U}) {
      agents_[who].tick(now(who));
      persist(who, SIZE_MAX);
      records_[who] = agents_[who].record(now(1 - who));
    }
    int rounds = 0;
    for (bool understood = false; !understood; ++rounds) {
      require(rounds < 12, "the agents do not find each other again");
      understood = exchange(0) && exchange(1) &&
                   agents_[0].active_with(agents_[1].id()).id == agents_[1].active_with(agents_[0].id()).id;
    }
  }

  std::size_t opened() const { return opened_; }

 private:
  struct Letter {
    std::uint64_t id = 0;
    std::size_t from = 0;
    Durability durability = Durability::durable;
    Bytes body;
  };
  struct Fate {
    std::optional<std::uint64_t> opened_in;  ///< the life of the recipient
    bool persisted = false;
  };
  struct Reset {
    std::size_t to = 0;
    SessionId session;
  };

  /// Notes of a pending batch: letters that may leave once it is on disk, or that were opened with it.
  static constexpr std::uint64_t kOpened = std::uint64_t{1} << 63;

  Now now(std::size_t who) const {
    Now value = at(mono_);
    value.wall += wall_offset_[who];
    return value;
  }

  void seal(std::size_t who, Durability durability) {
    Agent& agent = agents_[who];
    const std::uint64_t id = ++last_id_;
    const bool is_reserved =
        durability == Durability::durable && agent.engine->has_reserved(now(who), agents_[1 - who].id());
    const auto sealed =
        agent.seal(now(who), records_[1 - who], is_reserved ? Durability::reserved : durability, std::to_string(id));
    if (!sealed) return;
    written_.emplace(id, Letter{.id = id, .from = who, .durability = durability, .body = sealed->sealed});
    if (sealed->must_persist) {
      agent.pending.back().notes.push_back(id);
    } else {
      leave(id);
    }
  }

  void leave(std::uint64_t id) {
    const Letter& letter = written_.at(id);
    const auto view = parse_sealed(letter.body);
    require(view.has_value(), "a sealed body does not parse");
    const Position& position = view->header.position;
    const auto key = std::tuple(view->header.session, position.ratchet, position.number);
    const auto [entry, fresh] = left_.emplace(key, id);
    require(fresh, "message keys are used again: messages " + std::to_string(entry->second) + " and " +
                       std::to_string(id) + " share one");
    letters_.push_back(id);
  }

  void persist(std::size_t who, std::size_t count) {
    for (const std::uint64_t note : agents_[who].persist(count)) {
      if ((note & kOpened) != 0) {
        fates_[note & ~kOpened].persisted = true;
      } else {
        leave(note);
      }
    }
  }

  void deliver(std::size_t pick, bool keep_copy) {
    if (letters_.empty()) return;
    const std::size_t index = pick % letters_.size();
    const std::uint64_t id = letters_[index];
    if (!keep_copy) letters_.erase(letters_.begin() + static_cast<std::ptrdiff_t>(index));
    receive(written_.at(id));
  }

  bool receive(const Letter& letter) {
    const std::size_t who = 1 - letter.from;
    Agent& agent = agents_[who];
    Fate& fate = fates_[letter.id];
    const auto opened = agent.open(now(who), agents_[letter.from].id(), letter.body, letter.durability);
    if (opened) {
      ++opened_;
      require(as_text(opened->plaintext) == std::to_string(letter.id), "a message was opened as another");
      require(!fate.persisted, "a durable message was opened again after it was persisted");
      require(fate.opened_in != lives_[who], "a message was opened twice");
      fate.opened_in = lives_[who];
      if (letter.durability == Durability::durable) agent.pending.back().notes.push_back(letter.id | kOpened);
      return true;
    }
    refuse(letter, fate, opened.error());
    return false;
  }

  void refuse(const Letter& letter, const Fate& fate, OpenFailure why) {
    const std::size_t who = 1 - letter.from;
    switch (why) {
      case OpenFailure::duplicate:
        if (letter.durability == Durability::durable) {
          require(fate.persisted || fate.opened_in == lives_[who],
                  "a message is called a duplicate but was not received");
        } else {
          require(fate.opened_in.has_value(), "a volatile message is called a duplicate but was never received");
        }
        return;
      case OpenFailure::bad:
      case OpenFailure::full:
        throw std::logic_error("an authentic message was refused");
      case OpenFailure::unknown_session:
      case OpenFailure::too_far:
      case OpenFailure::expired:
        resets_.push_back({.to = letter.from, .session = *Sessions::peek_session(letter.body)});
        return;
    }
  }

  /// Somebody on the way changes one bit.
  void forge(std::uint16_t detail) {
    if (letters_.empty()) return;
    const Letter& letter = written_.at(letters_[detail % letters_.size()]);
    Bytes body = letter.body;
    const std::size_t bit = (detail * std::size_t{2'654'435'761}) % (body.size() * 8);
    body[bit / 8] = static_cast<Byte>(body[bit / 8] ^ (1U << bit % 8));
    Agent& agent = agents_[1 - letter.from];
    const auto before = agent.state();
    require(!agent.open(now(1 - letter.from), agents_[letter.from].id(), body, letter.durability),
            "a changed message was opened");
    require(agent.state() == before, "a message that was refused changed the state");
  }

  void drop(std::size_t pick) {
    if (letters_.empty()) return;
    letters_.erase(letters_.begin() + static_cast<std::ptrdiff_t>(pick % letters_.size()));
  }

  void deliver_reset(std::size_t pick) {
    if (resets_.empty()) return;
    const std::size_t index = pick % resets_.size();
    const Reset reset = resets_[index];
    resets_.erase(resets_.begin() + static_cast<std::ptrdiff_t>(index));
    agents_[reset.to].reset(now(reset.to), agents_[1 - reset.to].id(), reset.session);
  }

  void crash(std::size_t who) {
    ++lives_[who];
    agents_[who].crash(now(who));
  }

  void wait(std::uint16_t detail) {
    mono_ += detail % 4 == 0 ? Duration(hours(detail % 200)) : Duration(milliseconds(detail % 1500));
    for (std::size_t who : {0U, 1U}) agents_[who].tick(now(who));
  }

  void misfortune(std::size_t who, std::uint16_t detail) {
    switch (detail % 4) {
      case 0:  // The clock is set, up to fifty days either way.
        wall_offset_[who] += hours(detail / 4 % 2400) - hours(1200);
        return;
      case 1:
        agents_[who].tick(now(who));
        return;
      default:  // Otherwise the records that agents have of each other age.
        records_[who] = agents_[who].record(now(1 - who));
    }
  }

  /// One durable message over a network without faults; a reset if it is not understood.
  bool exchange(std::size_t from) {
    seal(from, Durability::durable);
    persist(from, SIZE_MAX);
    const Letter& letter = written_.at(last_id_);
    const bool understood = receive(letter);
    persist(1 - from, SIZE_MAX);
    while (!resets_.empty()) deliver_reset(0);
    persist(from, SIZE_MAX);
    return understood;
  }

  std::array<Agent, 2> agents_;
  std::array<identity::PeerRecord, 2> records_;
  std::array<std::uint64_t, 2> lives_{};
  std::array<milliseconds, 2> wall_offset_{};
  Duration mono_{};
  std::uint64_t last_id_ = 0;
  std::size_t opened_ = 0;
  std::map<std::uint64_t, Letter> written_;
  std::map<std::uint64_t, Fate> fates_;
  std::vector<std::uint64_t> letters_;  ///< on the network
  std::vector<Reset> resets_;
  std::map<std::tuple<Uuid, crypto::X25519PublicKey, std::uint32_t>, std::uint64_t> left_;
};

/// Small numbers, so that short scripts reach every bound.
inline Config tight_config() {
  Config config;
  config.max_sessions = 8;
  config.max_sessions_per_peer = 3;
  config.max_skipped = 12;
  config.dh_step_messages = 3;
  config.reserve_block = 4;
  config.burst = 2;
  config.flush_messages = 3;
  return config;
}

}  // namespace ekiden::session
