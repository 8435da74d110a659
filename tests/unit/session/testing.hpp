// What the tests of sessions share: an agent is an engine with a disk that forgets what was not persisted.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "session/sessions.hpp"
#include "store/memory_store.hpp"

namespace ekiden::session {

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

inline constexpr std::string_view kAssociated = "envelope";

class Agent {
 public:
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
    last_changes = changes;
    keep(std::move(changes));
    engine->check_invariants();
    return sealed;
  }

  /// Seals what must succeed, and persists.
  Bytes sealed(Now now, const Agent& to, std::string_view text, Durability durability = Durability::durable) {
    auto result = seal(now, to.record(now), durability, text);
    EXPECT_TRUE(result.has_value());
    persist();
    return result ? result->sealed : Bytes{};
  }

  std::expected<Opened, OpenFailure> open(Now now, const identity::PeerId& from, ByteView body,
                                          Durability durability = Durability::durable,
                                          std::string_view associated = kAssociated) {
    store::Batch changes;
    auto opened = engine->open(now, from, durability, as_bytes(associated), body, changes, effects);
    last_changes = changes;
    EXPECT_TRUE(opened || changes.empty());
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

  /// Lets the engine's timers run up to `now`.
  void tick(Now now) {
    engine->on_deadline(now, effects);
    collect();
    engine->check_invariants();
  }

  /// The disk takes the `count` oldest batches.
  void persist(std::size_t count = SIZE_MAX) {
    for (; count > 0 && !pending.empty(); --count) {
      disk.apply(pending.front().batch);
      engine->on_persisted(pending.front().change);
      pending.pop_front();
    }
  }

  /// The process dies and starts again from its disk.
  void crash(Now now) {
    pending.clear();
    boot(now);
  }

  const SessionStatus* active_with(const identity::PeerId& peer) {
    status_ = engine->status();
    const auto found = std::ranges::find_if(status_, [&](const auto& s) { return s.peer == peer && s.active; });
    return found == status_.end() ? nullptr : &*found;
  }

  std::vector<store::Operation> state() const { return engine->snapshot().operations(); }

  struct Pending {
    store::Batch batch;
    std::uint64_t change;
  };

  identity::Identity self;
  std::unique_ptr<Sessions> engine;
  Outbox<Sessions::Effect> effects;  ///< Changed and PrekeyChanged; Flush effects go to the disk
  store::MemoryStore disk;
  std::deque<Pending> pending;
  store::Batch last_changes;

 private:
  void boot(Now now) {
    engine = std::make_unique<Sessions>(self, config_, rng_.split());
    const Status loaded = engine->load(disk.rows());
    EXPECT_TRUE(loaded.has_value()) << loaded.error().message;
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
    if (!batch.empty()) pending.push_back({std::move(batch), engine->last_change()});
  }

  Config config_;
  Rng rng_;
  std::vector<SessionStatus> status_;
};

inline std::string text_of(const Opened& opened) { return std::string(as_text(opened.plaintext)); }

/// `to` opens what `from` sealed and finds the text.
inline void expect_opens(Now now, Agent& to, const Agent& from, ByteView body, std::string_view text,
                         Durability durability = Durability::durable) {
  const auto opened = to.open(now, from.id(), body, durability);
  ASSERT_TRUE(opened.has_value()) << "failure " << static_cast<int>(opened.error());
  EXPECT_EQ(as_text(opened->plaintext), text);
  EXPECT_EQ(opened->from, from.id());
}

/// One message each way, persisted: an established session.
inline void converse(Now now, Agent& a, Agent& b) {
  expect_opens(now, b, a, a.sealed(now, b, "hello"), "hello");
  b.persist();
  expect_opens(now, a, b, b.sealed(now, a, "well met"), "well met");
  a.persist();
}

}  // namespace ekiden::session
