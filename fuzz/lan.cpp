// Beacons and what a node makes of them. The first byte chooses: bytes as a beacon, of which nothing but what a key
// has signed may count; or a script of good, changed and played-back beacons from many addresses, of time, and of the
// start, after each step of which the engine keeps its bounds.
#include "lan/lan.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/check.hpp"
#include "identity/lan_beacon.hpp"
#include "support/identities.hpp"

namespace {

using namespace ekiden;

constexpr std::size_t kPeople = 8;

const identity::Identity& person(std::size_t number) {
  static const auto kAll = [] {
    std::vector<identity::Identity> all;
    for (Byte i = 0; i < kPeople; ++i) all.push_back(test::make_identity(static_cast<Byte>(i + 1)));
    return all;
  }();
  return kAll[number % kPeople];
}

Bytes beacon_of(std::size_t number, bool asks, std::uint16_t port) {
  const identity::Identity& who = person(number);
  return *identity::sign_lan_beacon(who,
                                    {.public_key = who.public_key(), .udp_port = port, .tcp_port = port, .asks = asks});
}

void check_bytes(ByteView bytes) {
  const auto beacon = identity::verify_lan_beacon(bytes);
  if (!beacon) return;
  CHECK(bytes.size() <= identity::kMaxLanBeaconSize && beacon->udp_port != 0);
  CHECK(wire::decode<identity::LanBeacon>(wire::encode(*beacon)) == *beacon);
}

struct Player {
  identity::Identity self = test::make_identity(99);
  lan::Config config = {
      .max_peers = 5, .max_places = 2, .max_per_address = 3, .special_sources = true, .max_sources = 4};
  lan::Lan lan{self, config, test::make_rng(1)};
  Outbox<lan::Lan::Effect> out;
  Duration now{};
  bool started = false;
  std::optional<Instant> said;

  void step(Byte what, Byte a, Byte b) {
    const Now time = test::at(now);
    const identity::SocketAddress from{identity::IpAddress::v4({static_cast<Byte>(b % 7 == 0 ? 8 : 10), 0, 0, b}), 9};
    switch (what % 5) {
      case 0:
        now += seconds(a) + milliseconds(b);
        for (auto next = lan.deadline(); next && *next <= test::at(now).mono; next = lan.deadline()) {
          lan.on_deadline({std::max(*next, time.mono), time.wall}, out);
          look(std::max(*next, time.mono));
        }
        break;
      case 1:
      case 2:
        lan.on_beacon(time, from, beacon_of(a, what % 2 == 0, static_cast<std::uint16_t>(b % 3 + 1)), out);
        break;
      case 3: {
        Bytes changed = beacon_of(a, true, 7);
        changed[b % changed.size()] ^= static_cast<Byte>(1U << what / 5 % 8);
        const auto before = lan.status().heard;
        lan.on_beacon(time, from, changed, out);
        CHECK(lan.status().heard == before);
        break;
      }
      case 4:
        if (!started) lan.start(time, {.udp = 7420, .tcp = 7420}, out);
        started = true;
        break;
    }
    look(test::at(now).mono);
  }

  void look(Instant at) {
    for (const auto& effect : out.take()) {
      CHECK(started);
      const auto* word = std::get_if<lan::Say>(&effect);
      if (word == nullptr) continue;
      const auto beacon = identity::verify_lan_beacon(word->beacon);
      CHECK(beacon && beacon->public_key == self.public_key());
      // Its own questions come by the clock, all else at most once a second.
      CHECK(!said || beacon->asks || at - *said >= config.min_pause);
      said = at;
    }
    lan.check_invariants();
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  if (input.empty()) return 0;
  const ByteView rest = input.subspan(1);
  if (input[0] % 2 == 0) {
    check_bytes(rest);
    return 0;
  }
  Player player;
  for (std::size_t i = 0; i + 2 < rest.size() && i < 3 * 256; i += 3) player.step(rest[i], rest[i + 1], rest[i + 2]);
  return 0;
}
