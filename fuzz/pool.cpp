// Three pools under a script: peers are wanted and no longer, connections are made, cut in pieces, damaged and lost,
// nodes restart, strangers connect with bytes of the script or with what somebody else once sent, time passes.
//
// The model knows who ever wanted whom and what was sent: nobody is up whom neither side wanted, up is exactly who has
// a link, a message arrives at most once and as it was sent; and if nothing was lost, everybody who is wanted is up in
// the end, and everything has arrived.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/check.hpp"
#include "tests/unit/link/world.hpp"

namespace {

using namespace ekiden;
using namespace ekiden::link;
using ekiden::link::test::World;

constexpr std::size_t kNodes = 3;
constexpr std::size_t kMaxSteps = 300;
constexpr std::size_t kMaxRestarts = 50;

class Game {
 public:
  explicit Game(Byte setting) : world_(kNodes, make_config(setting)), faulty_(setting % 4 != 0) {}

  void step(Byte what, Byte a, Byte b) {
    const std::size_t node = what / 16U % kNodes;
    const std::size_t other = (node + 1 + a % (kNodes - 1)) % kNodes;
    switch (what % 16) {
      case 0:
      case 1:
      case 2:
        act(a, b);
        break;
      case 3:
        run();
        break;
      case 4:
      case 5:
        want(node, other, b % 2 == 0);
        break;
      case 6:
        unwant(node, other);
        break;
      case 7:
        send(node, other, 1 + a * std::size_t{64} + b);
        break;
      case 8:
        pass(milliseconds(a * 256 + b));
        break;
      case 9:
        pass(seconds(a));
        break;
      case 10:
        damage(a, b);
        break;
      case 11:
        lose(a, b % 2);
        break;
      case 12:
        world_.nodes[node]->reachable = a % 2 == 0;
        faulty_ = true;
        break;
      case 13:
        restart(node);
        break;
      case 14:
        disturb(node, other, b);
        break;
      default:
        intrude(node, a, b);
        break;
    }
    check();
  }

  void finish() {
    run();
    check();
    if (faulty_) return;
    CHECK(world_.actions().empty());
    for (std::size_t node = 0; node < kNodes; ++node) {
      for (const std::size_t other : wants_[node]) CHECK(world_.pool(node).is_up(world_.id(other)));
    }
    CHECK(std::all_of(sent_.begin(), sent_.end(), [](const auto& message) { return message.second.arrived; }));
  }

 private:
  struct Message {
    std::size_t from;
    std::size_t to;
    bool arrived = false;
  };

  static Config make_config(Byte setting) {
    Config config;
    if (setting / 4 % 2 == 1) config.rekey_bytes = 3000;
    if (setting % 4 == 1) config.max_links = 1;
    if (setting % 4 == 2) config.max_links_per_prefix = 1;
    if (setting % 4 == 3) config.max_queued_total = 20'000;
    return config;
  }

  // Commands. ---------------------------------------------------------------------------------------------------------

  void act(Byte a, Byte b) {
    const auto actions = world_.actions();
    if (actions.empty()) return;
    const auto& action = actions[a % actions.size()];
    if (action.kind == World::Kind::deliver && action.half == 1) {
      recorded_ = world_.streams[action.stream]->halves[1].incoming;
    }
    world_.perform(action, b % 2 == 0 ? ~std::size_t{0} : 1U + b);
  }

  void run() {
    constexpr std::size_t kMaxActions = 2000;  // Far more than everything that a script can set moving.
    std::size_t count = 0;
    for (auto next = world_.actions(); !next.empty(); next = world_.actions()) {
      CHECK(++count <= kMaxActions);
      world_.perform(next.front());
    }
  }

  void want(std::size_t node, std::size_t other, bool knows_key) {
    wants_[node].insert(other);
    wanted_once_.insert({node, other});
    world_.want(node, other, knows_key);
  }

  void unwant(std::size_t node, std::size_t other) {
    wants_[node].erase(other);
    world_.pool(node).unwant(world_.now(), world_.id(other));
    world_.handle(node);
  }

  void send(std::size_t from, std::size_t to, std::size_t size) {
    const bool is_up = world_.pool(from).is_up(world_.id(to));
    std::string text = std::to_string(sent_.size()) + " ";
    text.resize(std::max(text.size(), size), 'x');
    const auto status = world_.send(from, to, text);
    CHECK(status || status.error().code == (is_up ? Errc::limit_exceeded : Errc::unreachable));
    if (status) sent_.emplace(to_bytes(as_bytes(text)), Message{from, to});
  }

  void pass(Duration time) {
    world_.advance(time);
    passed_ += time;
    faulty_ = faulty_ || passed_ > seconds(4);  // Beyond this, timeouts end what the script did not move on.
  }

  void damage(Byte a, Byte b) {
    if (world_.streams.empty()) return;
    auto& incoming = world_.streams[a % world_.streams.size()]->halves[b % 2].incoming;
    if (incoming.empty()) return;
    incoming[b / 2U % incoming.size()] ^= static_cast<Byte>(1U << a % 8);
    faulty_ = true;
  }

  /// The end of a connection that nobody asked for; what was on the way to the other side still arrives.
  void lose(Byte a, std::size_t half) {
    if (world_.streams.empty()) return;
    const std::size_t index = a % world_.streams.size();
    if (!world_.streams[index]->halves[half].attached) return;
    world_.finish(index, half);
    world_.streams[index]->halves[1 - half].end_incoming = true;
    faulty_ = true;
  }

  void restart(std::size_t node) {
    if (world_.restarts >= kMaxRestarts) return;
    world_.restart(node);
    wants_[node].clear();
    up_[node] = 0;
    faulty_ = true;
  }

  void disturb(std::size_t node, std::size_t other, Byte how) {
    auto& out = world_.nodes[node]->out;
    if (how % 2 == 0) {
      world_.pool(node).retry_now(world_.now(), world_.id(other), out);
    } else {
      world_.pool(node).cut(world_.now(), world_.id(other), {Errc::refused, "the script says so"}, out);
      faulty_ = true;
    }
    world_.handle(node);
  }

  /// A connection of a stranger, with bytes of its own or recorded ones.
  void intrude(std::size_t node, Byte a, Byte b) {
    const ConnId conn{world_.accepted++};
    auto& out = world_.nodes[node]->out;
    const auto from = *identity::IpAddress::parse("192.0.2." + std::to_string(a));
    world_.pool(node).on_accepted(world_.now(), conn, from, 1, out);
    world_.handle(node);
    Bytes bytes = to_bytes(as_bytes("EKIDEN"));
    append(bytes, Bytes{1, static_cast<Byte>(1 + b % 2), 0, a, b});
    world_.pool(node).on_bytes(world_.now(), conn, b % 4 < 2 ? recorded_ : bytes, out);
    world_.handle(node);
    strangers_.insert(conn);
  }

  // The model. --------------------------------------------------------------------------------------------------------

  void check() {
    for (std::size_t node = 0; node < kNodes; ++node) {
      check_ups(node);
      check_links(node);
      check_messages(node);
    }
  }

  void check_ups(std::size_t node) {
    auto& ups = world_.nodes[node]->ups;
    for (const Up& up : ups) {
      const std::size_t other = node_of(up.record.record.id());
      CHECK(wanted_once_.contains({node, other}) || wanted_once_.contains({other, node}));
      CHECK(!up.initiated_by_us || wanted_once_.contains({node, other}));
    }
    // Nobody's record ever changes, so each Up is of a peer that was down.
    up_[node] += ups.size();
    up_[node] -= world_.nodes[node]->downs.size();
    CHECK(up_[node] == world_.nodes[node]->up.size());
    ups.clear();
    world_.nodes[node]->downs.clear();
  }

  void check_links(std::size_t node) {
    std::set<identity::PeerId> linked;
    const auto links = world_.links(node);
    CHECK(links.size() <= world_.config.max_links);
    for (const LinkStatus& link : links) {
      linked.insert(link.peer);
      CHECK(!strangers_.contains(link.conn));
    }
    CHECK(linked == world_.nodes[node]->up);
  }

  void check_messages(std::size_t node) {
    auto& messages = world_.nodes[node]->messages;
    for (const auto& [from, bytes] : messages) {
      const auto found = sent_.find(bytes);
      CHECK(found != sent_.end() && !found->second.arrived);
      CHECK(found->second.to == node && found->second.from == node_of(from));
      found->second.arrived = true;
    }
    messages.clear();
  }

  std::size_t node_of(const identity::PeerId& id) const {
    std::size_t node = 0;
    while (node < kNodes && world_.id(node) != id) ++node;
    CHECK(node < kNodes);
    return node;
  }

  World world_;
  bool faulty_;
  Duration passed_{};
  std::array<std::set<std::size_t>, kNodes> wants_;
  std::set<std::pair<std::size_t, std::size_t>> wanted_once_;
  std::array<std::size_t, kNodes> up_{};
  std::set<ConnId> strangers_;
  std::map<Bytes, Message> sent_;
  Bytes recorded_;  ///< What a node that dialled sent to another.
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Game game(data[0]);
  for (std::size_t i = 1; i + 2 < size && i < 3 * kMaxSteps; i += 3) game.step(data[i], data[i + 1], data[i + 2]);
  game.finish();
  return 0;
}
