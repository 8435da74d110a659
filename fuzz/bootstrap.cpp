// Discovery under an attacker, in two ways, chosen by the first byte:
//   0  a script of commands, three bytes each, over a network of hosts: they appear and vanish, serve lists of every
//      kind, answer as others; the node loses its network, restarts, and its wall clock leaps. The caps hold after
//      every input; at the end, what the owner named and is there is reached again.
//   1  arbitrary rows from the disk: what loads is sound, writes itself as it was read, and can be used
#include <cstddef>
#include <cstdint>
#include <set>

#include "base/check.hpp"
#include "bootstrap/rows.hpp"
#include "tests/unit/bootstrap/world.hpp"

namespace {

using namespace ekiden;
using namespace ekiden::bootstrap;

constexpr std::size_t kMaxCommands = 200;
constexpr Byte kHosts = 24;

Config tight_config() {
  Config config;
  config.max_nodes = 20;
  config.max_per_source = 6;
  config.max_per_signer = 4;
  config.max_per_prefix = 2;
  config.max_per_domain = 2;
  config.max_per_depth = 8;
  config.max_endpoints = 3;
  config.max_probe_endpoints = 2;
  config.max_buried = 4;
  config.max_parallel = 3;
  config.max_offered = 4;
  return config;
}

struct Command {
  Byte what;
  Byte who;
  Byte detail;

  Byte host() const { return static_cast<Byte>(1 + who % kHosts); }
};

/// A list of what `detail` says, at the place where it is or elsewhere.
Bytes list_for(Command command) {
  std::vector<ListedNode> nodes;
  std::set<Byte> named;
  for (Byte i = 0; i < command.detail % 9; ++i) {
    const auto number = static_cast<Byte>(1 + (command.detail / 9 + i * command.who) % (kHosts + 8));
    if (!named.insert(number).second) continue;
    const bool misplaced = (command.who + i) % 5 == 0;
    nodes.push_back(misplaced ? entry_of(number, {"tcp://n.evil.example:" + std::to_string(1 + i)}) : entry_of(number));
  }
  NodeList list = list_of(command.host(), nodes);
  list.sequence = command.detail;
  const auto signer = static_cast<Byte>(command.who >= 240 ? command.host() % kHosts + 1 : command.host());
  Bytes bytes = signed_by(signer, list);
  if (command.who >= 224 && command.who < 240) bytes[command.detail % bytes.size()] ^= 1;
  return bytes;
}

class Script {
 public:
  Script() : world_(tight_config()) {}

  void run(Command command) {
    switch (command.what % 10) {
      case 0:
        name_seed(command.host());
        break;
      case 1:
        world_.host(command.host()).up = command.detail % 2 == 0;
        break;
      case 2:
        world_.host(command.host()).list = list_for(command);
        break;
      case 3:
        world_.host(command.host()).list = Bytes(command.detail * std::size_t{70}, command.who);
        break;
      case 4:
        world_.run(seconds(1 + command.detail));
        break;
      case 5:
        world_.run(minutes(command.detail) * (1 + command.who % 4));
        break;
      case 6:
        world_.network = command.detail % 2 == 0;
        break;
      case 7:
        world_.step_wall(hours(command.detail) - hours(command.who));
        break;
      case 8:
        restart(command);
        break;
      default:
        static_cast<void>(world_.engine->retry_now(world_.now(), world_.out));
        world_.settle();
    }
  }

  void recover() {
    world_.network = true;
    for (const Byte number : named_) world_.host(number).up = true;
    world_.run(hours(4));
    const auto up = world_.up();
    for (const Byte number : named_) CHECK(up.contains(id_of(number)));
    CHECK(world_.most_in_flight() <= world_.config().max_parallel);
    for (const auto& node : up) CHECK(world_.engine->is_online(world_.now().mono) && node != id_of(kSelf));
  }

 private:
  void name_seed(Byte number) {
    if (named_.size() >= world_.config().max_per_source && !named_.contains(number)) return;
    named_.insert(number);
    world_.seeds({number});
  }

  void restart(Command command) {
    if (command.detail % 2 == 0) world_.engine->flush(world_.out);
    world_.settle();
    world_.restart(command.who);
    for (const Byte number : named_) world_.seeds({number});
  }

  World world_;
  std::set<Byte> named_;
};

void run_script(ByteView bytes) {
  Script script;
  for (std::size_t i = 0; i < kMaxCommands && bytes.size() >= 3; ++i, bytes = bytes.subspan(3)) {
    script.run({bytes[0], bytes[1], bytes[2]});
  }
  script.recover();
}

/// Values with their length before them; the key is that of the node in them, or made up.
void load_rows(ByteView bytes) {
  std::vector<store::Row> rows;
  while (bytes.size() >= 3 && rows.size() < 32) {
    const std::size_t size = std::min<std::size_t>(get_be<std::uint16_t>(bytes), bytes.size() - 2);
    store::Row row{.key = {.table = store::Table::bootstrap, .number = 0, .name = {}},
                   .value = to_bytes(bytes.subspan(2, size))};
    const auto read = wire::decode<NodeRow>(row.value);
    row.key.name = read ? to_bytes(identity::PeerId::of(read->public_key).view()) : Bytes(32, 1);
    rows.push_back(std::move(row));
    bytes = bytes.subspan(2 + size);
  }
  Bootstrap engine(id_of(kSelf), tight_config(), test::make_rng(3));
  if (const Status loaded = engine.load(rows); !loaded) {
    CHECK(loaded.error().code == Errc::storage_corrupt);
    return;
  }
  engine.check_invariants();
  std::vector<store::Row> again;
  for (const auto& op : engine.snapshot().operations()) again.push_back({op.key, op.value});
  Bootstrap second(id_of(kSelf), tight_config(), test::make_rng(3));
  CHECK(second.load(again).has_value());
  CHECK(second.snapshot().operations() == engine.snapshot().operations());
  Outbox<Bootstrap::Effect> out;
  engine.start(test::at({}), out);
  engine.on_deadline(test::at(hours(2)), out);
  engine.check_invariants();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView rest = ByteView(data, size).subspan(1);
  if (data[0] % 2 == 0) {
    run_script(rest);
  } else {
    load_rows(rest);
  }
  return 0;
}
