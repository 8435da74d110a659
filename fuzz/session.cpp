// Sessions under an attacker, in three ways, chosen by the first byte:
//   0  a script of commands, four bytes each, over two agents, against the naive model in world.hpp: crashes, losses,
//      repetitions, forgeries, clocks that leap; at the end the agents must understand each other again
//   1  arbitrary bytes as a sealed message: nothing opens, nothing changes
//   2  arbitrary rows from the disk: what loads is sound, writes itself as it was read, and can be used
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/check.hpp"
#include "session/header.hpp"
#include "session/sessions.hpp"
#include "tests/unit/session/world.hpp"

namespace {

using namespace ekiden;
using namespace ekiden::session;

constexpr std::size_t kMaxCommands = 400;

void run_script(ByteView bytes) {
  World world(tight_config());
  for (std::size_t i = 0; i < kMaxCommands && bytes.size() >= 4; ++i, bytes = bytes.subspan(4)) {
    world.run({.what = bytes[0], .who = bytes[1], .detail = get_be<std::uint16_t>(bytes.subspan(2))});
  }
  world.recover();
}

/// Two agents that have talked; made once, because a message that does not open changes nothing.
struct Talked {
  Talked() {
    for (int i = 0; i < 2; ++i) {
      Agent& from = i == 0 ? alice : bob;
      Agent& to = i == 0 ? bob : alice;
      const auto sealed = from.seal(at({}), to.record(at({})), Durability::durable, "hello");
      CHECK(to.open(at({}), from.id(), sealed->sealed).has_value());
    }
  }
  Agent alice{1}, bob{2};
};

void open_sealed(ByteView bytes) {
  static Talked talked;
  const auto view = parse_sealed(bytes);
  CHECK(view.has_value() == Sessions::peek_session(bytes).has_value());
  if (view) {
    Bytes again;
    append_header(view->header, again);
    CHECK(std::ranges::equal(again, view->header_bytes));
  }
  const auto before = talked.bob.state();
  CHECK(!talked.bob.open(at({}), talked.alice.id(), bytes).has_value());
  CHECK(talked.bob.state() == before);
}

/// Table, then a key and a value, each with its length before it.
std::vector<store::Row> rows_of(ByteView bytes) {
  std::vector<store::Row> rows;
  const auto take = [&](std::size_t size) {
    const ByteView taken = bytes.first(std::min(size, bytes.size()));
    bytes = bytes.subspan(taken.size());
    return taken;
  };
  while (bytes.size() >= 4 && rows.size() < 64) {
    const bool is_prekey = take(1)[0] % 4 == 0;
    store::Row row{
        .key = {.table = is_prekey ? store::Table::prekeys : store::Table::sessions, .number = 0, .name = {}},
        .value = {}};
    const ByteView key = take(take(1)[0] % 65);
    if (is_prekey) {
      for (const Byte byte : key) row.key.number = row.key.number << 8 | byte;
    } else {
      row.key.name = to_bytes(key);
    }
    if (bytes.size() < 2) break;
    row.value = to_bytes(take(get_be<std::uint16_t>(take(2))));
    const bool is_new = std::ranges::none_of(rows, [&](const store::Row& other) { return other.key == row.key; });
    if (is_new) rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<store::Row> snapshot_of(const Sessions& engine) {
  std::vector<store::Row> rows;
  for (const store::Operation& op : engine.snapshot().operations()) rows.push_back({op.key, op.value});
  return rows;
}

void load_rows(ByteView bytes) {
  static Agent alice(1), bob(2);
  Sessions engine(bob.self, {}, Rng(seed_of(9)));
  if (const Status loaded = engine.load(rows_of(bytes)); !loaded) {
    CHECK(loaded.error().code == Errc::storage_corrupt);
    return;
  }
  engine.check_invariants();
  const auto rows = snapshot_of(engine);
  Sessions again(bob.self, {}, Rng(seed_of(9)));
  CHECK(again.load(rows).has_value());
  CHECK(snapshot_of(again) == rows);

  Outbox<Sessions::Effect> effects;
  store::Batch changes;
  engine.start(at({}), effects);
  for (const SessionStatus& session : engine.status())
    engine.on_reset(at({}), session.peer, session.id, changes, effects);
  static_cast<void>(
      engine.seal(at({}), alice.record(at({})), Durability::volatile_, as_bytes("a"), as_bytes("b"), changes, effects));
  engine.check_invariants();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView rest = ByteView(data, size).subspan(1);
  switch (data[0] % 3) {
    case 0:
      run_script(rest);
      break;
    case 1:
      open_sealed(rest);
      break;
    default:
      load_rows(rest);
  }
  return 0;
}
