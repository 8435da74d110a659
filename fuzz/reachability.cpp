// Reachability under an attacker, in two ways, chosen by the first byte:
//   0  a script of commands, three bytes each: peers come and go, say where they see us, answer questions with truth
//   and
//      lies or not at all; routers map; the node restarts and its wall clock leaps. The bounds hold after every input;
//      an endpoint is published only if it was verified, and at the end honest peers get the configured ones published
//   1  arbitrary bytes as the row of the disk: what loads can be used
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

#include "base/check.hpp"
#include "tests/unit/reachability/world.hpp"

namespace {

using namespace ekiden;
using namespace ekiden::reachability;

constexpr std::size_t kMaxCommands = 150;
constexpr Byte kPeers = 60;
const std::string kConfigured = "tcp://9.9.9.9:7420";
const std::string kName = "wss://me.example:443";

Config tight_config() {
  Config config;
  config.max_candidates = 5;
  config.max_observed = 2;
  config.max_votes = 6;
  config.max_peers = 8;
  config.questions_per_minute = 6;
  return config;
}

struct Command {
  Byte what;
  Byte who;
  Byte detail;

  Byte peer() const { return static_cast<Byte>(1 + who % kPeers); }
  std::string address() const {
    return detail % 7 == 0 ? "192.168.0.1" : std::to_string(7 + detail % 5) + ".9.9." + std::to_string(1 + detail % 3);
  }
  identity::Endpoint mapped() const { return endpoint("tcp://5.5.5." + std::to_string(1 + detail % 9) + ":7420"); }
};

class Script {
 public:
  Script() : world_(tight_config(), {kConfigured, kName}) {}

  void run(Command command) {
    switch (command.what % 10) {
      case 0:
        come(command.peer(), static_cast<World::Answer>(command.detail % 4));
        break;
      case 1:
        if (world_.peers.contains(command.peer())) world_.down(command.peer());
        break;
      case 2:
        world_.sees(command.peer(), command.address());
        break;
      case 3:
        world_.sees_datagrams(command.peer(), command.address(), static_cast<std::uint16_t>(1000 + command.who % 3));
        break;
      case 4:
        world_.run(seconds(1 + command.detail));
        break;
      case 5:
        world_.run(minutes(1 + command.detail % 90));
        break;
      case 6:
        world_.step_wall(hours(command.detail) - hours(command.who));
        break;
      case 7:
        world_.peers.clear();
        world_.boot(command.who);
        break;
      case 8:
        answer_late(command);
        break;
      default:
        map(command);
    }
    check();
  }

  void recover() {
    while (!world_.peers.empty()) world_.down(world_.peers.begin()->first);
    for (const Byte number : std::initializer_list<Byte>{201, 211, 221}) world_.up(number);
    world_.run(hours(2));
    CHECK(world_.publishes(kConfigured) && world_.publishes(kName));
  }

 private:
  void come(Byte number, World::Answer answer) {
    if (world_.peers.contains(number)) {
      world_.peers[number] = answer;
      return;
    }
    // The engine forgets somebody else for it; who that is, is its secret: all but the newcomer go.
    if (world_.peers.size() >= tight_config().max_peers) {
      while (!world_.peers.empty()) world_.down(world_.peers.begin()->first);
    }
    world_.up(number, answer);
  }

  void answer_late(Command command) {
    const auto verdict = static_cast<Verdict>(command.detail % 3);
    world_.engine->on_answer(world_.now(), QuestionId{command.who}, peer_id(command.peer()), verdict, "late",
                             world_.out);
    world_.settle();
  }

  void map(Command command) {
    if (command.who % 2 == 0) {
      world_.engine->on_mapped(world_.now(), command.mapped(), world_.out);
    } else {
      world_.engine->on_mapping_lost(world_.now(), command.mapped(), world_.out);
    }
    world_.settle();
  }

  void check() const {
    for (const EndpointStatus& status : world_.engine->status()) {
      const bool is_published = world_.publishes(status.endpoint.text());
      CHECK(is_published == (status.state == State::verified));
      CHECK(status.endpoint.host != "192.168.0.1");
    }
  }

  World world_;
};

void run_script(ByteView bytes) {
  Script script;
  for (std::size_t i = 0; i < kMaxCommands && bytes.size() >= 3; ++i, bytes = bytes.subspan(3)) {
    script.run({bytes[0], bytes[1], bytes[2]});
  }
  script.recover();
}

void load_row(ByteView bytes) {
  Reachability engine(tight_config(), test::make_rng(3));
  if (const Status loaded = engine.load(bytes); !loaded) {
    CHECK(loaded.error().code == Errc::storage_corrupt);
    return;
  }
  Outbox<Reachability::Effect> out;
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
    load_row(rest);
  }
  return 0;
}
