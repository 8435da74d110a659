// Two nodes that exchange datagrams by a script: ask, lose, damage, repeat and redirect packets, forget, let time pass;
// and bytes that no node has made. The model is the list of queries: each ends at most once, an answer is what was
// asked with its first byte raised, and all have ended after a long silence.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.hpp"
#include "tests/unit/datagram/net.hpp"

namespace {

using namespace ekiden;
using namespace ekiden::datagram;
using datagram::test::Net;
using datagram::test::Packet;
using datagram::test::Peer;

constexpr std::size_t kMaxSteps = 200;

Config make_config(Byte setting) {
  Config config;
  if (setting % 2 == 1) config.handshakes = {1, 1};
  if (setting / 2 % 2 == 1) config.max_sessions = 1;
  if (setting / 4 % 2 == 1) config.max_queries = 2;
  config.max_provisional = 2;
  config.max_unanswered = 2;
  return config;
}

class Game {
 public:
  explicit Game(Byte setting) : a_(net_.add(1, make_config(setting))), b_(net_.add(2, make_config(setting))) {
    net_.on_the_way = [this](Packet& packet) { return pass(packet); };
  }

  void step(Byte what, Byte detail, ByteView rest) {
    Peer& peer = what / 16 % 2 == 0 ? a_ : b_;
    Peer& other = &peer == &a_ ? b_ : a_;
    switch (what % 8) {
      case 0:
      case 1:
        if (forgotten_ && &peer == &b_) return;
        return net_.ask(peer, ++asked_, other.info(), "aloha", detail % 2 == 0);
      case 2:
        fate_ = detail;
        return;
      case 3:
        return net_.run(milliseconds(detail) * 4);
      case 4:
        return net_.run(seconds(detail) * 10);
      case 5:
        if (net_.sent.empty()) return;
        return net_.bring(peer, detail % 2 == 0 ? other.at : datagram::test::address_of(9),
                          Bytes(net_.sent[detail / 2 % net_.sent.size()].bytes));
      case 6:
        return net_.bring(peer, other.at, rest.first(std::min<std::size_t>(rest.size(), detail * std::size_t{6})));
      case 7:
        forgotten_ = true;
        return b_.restart();
    }
  }

  void finish() {
    fate_ = 0;
    net_.run(minutes(1));
    CHECK(a_.datagrams->status().queries == 0 && b_.datagrams->status().queries == 0);
    for (const auto& [id, text] : a_.answered) CHECK(text == "bloha" && !a_.failed.contains(id));
    for (const auto& [id, text] : b_.answered) CHECK(text == "bloha" && !b_.failed.contains(id));
    if (!forgotten_) CHECK(a_.answered.size() + a_.failed.size() + b_.answered.size() + b_.failed.size() == asked_);
  }

 private:
  bool pass(Packet& packet) const {
    if (fate_ % 4 == 1) return false;
    if (fate_ % 4 == 2) packet.bytes[fate_ * std::size_t{5} % packet.bytes.size()] ^= static_cast<Byte>(fate_ | 1);
    if (fate_ % 4 == 3) packet.bytes.resize(fate_ * std::size_t{5} % (packet.bytes.size() + 1));
    return true;
  }

  Net net_;
  Peer& a_;
  Peer& b_;
  std::uint64_t asked_ = 0;
  Byte fate_ = 0;
  bool forgotten_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteView input(data, size);
  if (input.empty()) return 0;
  Game game(input[0]);
  input = input.subspan(1);
  for (std::size_t steps = 0; input.size() >= 2 && steps < kMaxSteps; ++steps) {
    game.step(input[0], input[1], input.subspan(2));
    input = input.subspan(2);
  }
  game.finish();
  return 0;
}
