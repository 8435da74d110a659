// What a message costs in the session engine alone: sealing and opening 1 KiB, and what comes on top of it now and then
// (a DH step, a new session).
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string_view>
#include <utility>

#include "session/sessions.hpp"

namespace {

using namespace ekiden;
using session::Durability;
using session::Sessions;

constexpr std::string_view kAssociated =
    "the immutable part of an envelope: ids, expiry, priority; about as long as this";

ByteArray<32> seed_of(Byte value) {
  ByteArray<32> seed{};
  seed.fill(value);
  return seed;
}

struct Party {
  explicit Party(Byte seed, const session::Config& config = {}) : Party(seed, config, Rng(seed_of(seed))) {}

  Party(Byte seed, const session::Config& config, Rng rng)
      : self(crypto::Ed25519Seed(seed_of(seed))), engine(self, config, std::move(rng)) {
    engine.start(now, effects);
    record.public_key = self.public_key();
    record.issued_at = now.wall;
    record.ttl_seconds = 7 * 24 * 3600;
    record.prekey = engine.prekey();
  }

  Bytes seal(const Party& to, Durability durability, ByteView plaintext) {
    store::Batch changes;
    auto sealed = engine.seal(now, to.record, durability, as_bytes(kAssociated), plaintext, changes, effects);
    engine.on_persisted(engine.last_change());
    return std::move(sealed->sealed);
  }

  bool open(const Party& from, Durability durability, ByteView sealed) {
    store::Batch changes;
    const bool opened =
        engine.open(now, from.self.id(), durability, as_bytes(kAssociated), sealed, changes, effects).has_value();
    if (engine.wants_batch()) engine.collect(changes);
    return opened;
  }

  Now now{Instant(hours(1)), WallTime(milliseconds(1'700'000'000'000))};
  identity::Identity self;
  Sessions engine;
  Outbox<Sessions::Effect> effects;
  identity::PeerRecord record;
};

/// A session that both sides have used, so that messages carry the short header.
void introduce(Party& a, Party& b) {
  b.open(a, Durability::durable, a.seal(b, Durability::durable, as_bytes("hello")));
  a.open(b, Durability::durable, b.seal(a, Durability::durable, as_bytes("well met")));
}

Durability durability_of(const benchmark::State& state) {
  return state.range(1) == 0 ? Durability::durable : Durability::volatile_;
}

void seal(benchmark::State& state) {
  Party a(1), b(2);
  introduce(a, b);
  const Bytes plaintext(static_cast<std::size_t>(state.range(0)), Byte{0x5a});
  for (auto _ : state) benchmark::DoNotOptimize(a.seal(b, durability_of(state), plaintext));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void seal_and_open(benchmark::State& state) {
  Party a(1), b(2);
  introduce(a, b);
  const Bytes plaintext(static_cast<std::size_t>(state.range(0)), Byte{0x5a});
  for (auto _ : state) {
    const Bytes sealed = a.seal(b, durability_of(state), plaintext);
    if (!b.open(a, durability_of(state), sealed)) state.SkipWithError("the message was not opened");
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

/// Request and reply with a DH step on either side every time: the most a message can cost in a running session.
void round_trip_with_steps(benchmark::State& state) {
  session::Config config;
  config.dh_step_interval = Duration(0);
  Party a(1, config), b(2, config);
  introduce(a, b);
  const Bytes plaintext(1024, Byte{0x5a});
  for (auto _ : state) {
    const bool request = b.open(a, Durability::volatile_, a.seal(b, Durability::volatile_, plaintext));
    const bool reply = a.open(b, Durability::volatile_, b.seal(a, Durability::volatile_, plaintext));
    if (!request || !reply) state.SkipWithError("a message was not opened");
  }
}

void start_a_session(benchmark::State& state) {
  Party b(2);
  Rng rng(seed_of(3));  // Each session needs another UUID.
  const Bytes plaintext(1024, Byte{0x5a});
  for (auto _ : state) {
    state.PauseTiming();
    Party a(1, {}, rng.split());
    state.ResumeTiming();
    if (!b.open(a, Durability::durable, a.seal(b, Durability::durable, plaintext))) {
      state.SkipWithError("the message was not opened");
    }
  }
}

BENCHMARK(seal)->ArgNames({"bytes", "volatile"})->Args({1024, 0})->Args({1024, 1})->Args({32768, 1});
BENCHMARK(seal_and_open)->ArgNames({"bytes", "volatile"})->Args({1024, 0})->Args({1024, 1})->Args({32768, 1});
BENCHMARK(round_trip_with_steps);
BENCHMARK(start_a_session)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
