// Relays: a script of links, cuts, crashes, losses, messages and strangers' bytes for four of them, whose disks have to
// keep what they have acknowledged; and every message and row as an attacker would write it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>

#include "base/check.hpp"
#include "relay/messages.hpp"
#include "relay/rows.hpp"
#include "unit/relay/world.hpp"
#include "wire/cbor.hpp"

namespace {

using namespace ekiden;
using namespace ekiden::relay;

template <class T>
void check_round_trip(ByteView bytes) {
  const auto message = wire::decode<T>(bytes);
  if (!message) return;
  const Bytes first = wire::encode(*message);
  CHECK(wire::validate(first).has_value() && first.size() <= bytes.size());
  const auto again = wire::decode<T>(first);
  CHECK(again.has_value() && wire::encode(*again) == first);
}

constexpr std::size_t kNodes = 4;
constexpr std::size_t kMaxSteps = 40;

class Script {
 public:
  explicit Script(ByteView bytes) : bytes_(bytes) {}

  void run() {
    for (std::size_t steps = 0; steps < kMaxSteps && !bytes_.empty(); ++steps) step();
    finish();
  }

 private:
  Byte next() {
    if (bytes_.empty()) return 0;
    const Byte byte = bytes_[0];
    bytes_ = bytes_.subspan(1);
    return byte;
  }

  void step() {
    const Byte what = next();
    const std::size_t a = next() % kNodes;
    const std::size_t b = (a + 1 + next() % (kNodes - 1)) % kNodes;
    switch (what % 8) {
      case 0:
        return world_.link(a, b);
      case 1:
        return world_.unlink(a, b);
      case 2:
        return world_.want(a, b);
      case 3:
        if (sent_ < 200 && world_.send(a, b, static_cast<Byte>(++sent_), what % 16 < 12)) return;
        return;
      case 4:
        return world_.advance(seconds(1) * next());
      case 5:
        return world_.restart(a);
      case 6: {
        const Byte lost = what;
        world_.carries = [a, b, lost](std::size_t from, std::size_t to, wire::MessageType type) {
          const bool concerned = from == a && to == b;
          return !concerned || (lost & 0x80 ? type != wire::MessageType::taken : type != wire::MessageType::packet);
        };
        return;
      }
      default:
        inject(a, b);
    }
  }

  /// Bytes that a neighbour that is no honest relay makes up: what it says of its own packets and of others.
  void inject(std::size_t a, std::size_t b) {
    const std::size_t size = std::min<std::size_t>(next() * 4, bytes_.size());
    const Bytes body = to_bytes(bytes_.first(size));
    bytes_ = bytes_.subspan(size);
    constexpr wire::MessageType kTypes[] = {wire::MessageType::packet, wire::MessageType::taken,
                                            wire::MessageType::not_taken};
    static_cast<void>(world_.inject(a, b, kTypes[size % 3], body));
  }

  /// When all is well again, what relays had taken arrives.
  void finish() {
    world_.carries = [](auto, auto, auto) { return true; };
    for (std::size_t i = 0; i + 1 < kNodes; ++i) world_.link(i, i + 1);
    world_.advance(minutes(30));
    std::set<std::pair<identity::PeerId, Uuid>> arrived;
    for (std::size_t i = 0; i < kNodes; ++i) {
      for (const Arrived& packet : world_[i].arrived) arrived.emplace(world_.id(i), packet.id);
    }
    for (std::size_t i = 0; i < kNodes; ++i) {
      for (const HandedOn& packet : world_[i].handed_on) CHECK(arrived.contains({packet.to, packet.id}));
    }
    CHECK(world_.held() == 0);
  }

  ByteView bytes_;
  relay::test::World world_{kNodes};
  std::size_t sent_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes{data, size};
  check_round_trip<path::Hop>(bytes);
  check_round_trip<Packet>(bytes);
  check_round_trip<Taken>(bytes);
  check_round_trip<NotTaken>(bytes);
  check_round_trip<PacketRow>(bytes);
  if (size <= 4096) Script(bytes).run();
  return 0;
}
