// An agent of the tests: a session engine with a disk that forgets what was not persisted. Throws std::logic_error when
// the engine breaks a promise, so that unit tests and fuzz targets share it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "session/sessions.hpp"
#include "store/memory_store.hpp"

namespace ekiden::session {

inline void require(bool condition, const std::string& what) {
  if (!condition) throw std::logic_error(what);
}

/// 14 November 2023, some time after the process was started.
inline Now at(Duration since_start) {
  return {Instant(hours(100) + since_start),
          WallTime(milliseconds(1'700'000'000'000)) + std::chrono::duration_cast<milliseconds>(since_start)};
}

inline ByteArray<32> seed_of(Byte value) {
  ByteArray<32> seed{};
  seed.fill(value);
  return seed;
}

inline crypto::X25519KeyPair pair_of(Byte value) {
  return crypto::X25519KeyPair::from_secret(crypto::X25519SecretKey(seed_of(value)));
}

inline constexpr std::string_view kAssociated = "envelope";

class Agent {
 public:
  /// A batch on its way to the disk, with what happens once it is there.
  struct Pending {
    store::Batch batch;
    std::uint64_t change = 0;
    std::vector<std::uint64_t> notes;  ///< of the test
  };

  explicit Agent(Byte seed, Config config = {}, Now now = at({}))
      : self(crypto::Ed25519Seed(seed_of(seed))), config_(config), rng_(seed_of(static_cast<Byte>(seed + 128))) {
    boot(now);
    persist();
  }

  const identity::PeerId& id() const { return self.id(); }

  identity::PeerRecord record(Now now) const {
    identity::PeerRecord out;
    out.public_key = self.public_key();
    out.sequence = 1;
    out.issued_at = now.wall;
    out.ttl_seconds = 7 * 24 * 3600;
    out.prekey = engine->prekey();
    return out;
  }

  Result<Sealed> seal(Now now, const identity::PeerRecord& to, Durability durability, std::string_view text) {
    store::Batch changes;
    auto sealed = engine->seal(now, to, durability, as_bytes(kAssociated), as_bytes(text), changes, effects);
    if (sealed) {
      require(!sealed->must_persist || !changes.empty(), "a message waits for the disk and nothing is written");
      require(durability != Durability::durable || sealed->must_persist, "a durable message does not wait");
    }
    keep(std::move(changes));
    engine->check_invariants();
    return sealed;
  }

  std::expected<Opened, OpenFailure> open(Now now, const identity::PeerId& from, ByteView body,
                                          Durability durability = Durability::durable,
                                          std::string_view associated = kAssociated) {
    store::Batch changes;
    auto opened = engine->open(now, from, durability, as_bytes(associated), body, changes, effects);
    require(opened || !engine->wants_batch(), "a message that was not opened wants to be persisted");
    if (engine->wants_batch()) engine->collect(changes);
    require(opened || changes.empty(), "a message that was not opened changes the store");
    require(!opened || durability == Durability::volatile_ || !changes.empty(), "a durable message changes nothing");
    keep(std::move(changes));
    engine->check_invariants();
    return opened;
  }

  bool reset(Now now, const identity::PeerId& from, const SessionId& session) {
    store::Batch changes;
    const bool closed = engine->on_reset(now, from, session, changes, effects);
    keep(std::move(changes));
    engine->check_invariants();
    return closed;
  }

  /// Lets the engine's timers run, as often as they ask for it.
  void tick(Now now) {
    for (int i = 0; engine->deadline() && *engine->deadline() <= now.mono; ++i) {
      require(i < 10, "the engine asks for the same deadline again and again");
      engine->on_deadline(now, effects);
      collect();
    }
    engine->check_invariants();
  }

  /// The disk takes the `count` oldest batches; returns their notes.
  std::vector<std::uint64_t> persist(std::size_t count = SIZE_MAX) {
    std::vector<std::uint64_t> notes;
    for (; count > 0 && !pending.empty(); --count) {
      Pending& first = pending.front();
      disk.apply(first.batch);
      engine->on_persisted(first.change);
      notes.insert(notes.end(), first.notes.begin(), first.notes.end());
      pending.pop_front();
    }
    return notes;
  }

  /// Something else is written, and takes along what is due.
  void collect_and_persist() {
    store::Batch batch;
    engine->collect(batch);
    keep(std::move(batch));
    persist();
  }

  /// The process dies and starts again from its disk.
  void crash(Now now) {
    pending.clear();
    boot(now);
  }

  /// The session that the agent would send on now; nil if there is none.
  SessionStatus active_with(const identity::PeerId& peer) const {
    for (const SessionStatus& status : engine->status()) {
      if (status.peer == peer && status.active) return status;
    }
    return {};
  }

  std::vector<store::Operation> state() const { return engine->snapshot().operations(); }

  identity::Identity self;
  std::unique_ptr<Sessions> engine;
  Outbox<Sessions::Effect> effects;  ///< Changed and PrekeyChanged; Flush effects go to the disk
  store::MemoryStore disk;
  std::deque<Pending> pending;

 private:
  void boot(Now now) {
    engine = std::make_unique<Sessions>(self, config_, rng_.split());
    const Status loaded = engine->load(disk.rows());
    require(loaded.has_value(), loaded ? "" : loaded.error().message);
    engine->check_invariants();
    engine->start(now, effects);
    collect();
  }

  void collect() {
    for (auto& effect : effects.take()) {
      if (auto* flush = std::get_if<Flush>(&effect)) {
        keep(std::move(flush->batch));
      } else {
        effects.push(std::move(effect));
      }
    }
  }

  void keep(store::Batch batch) {
    if (!batch.empty()) pending.push_back({std::move(batch), engine->last_change(), {}});
  }

  Config config_;
  Rng rng_;
};

}  // namespace ekiden::session
