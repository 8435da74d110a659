// Two links, wired together by a script: send, pull, deliver so many bytes, damage, drop, repeat, let time pass, close.
// The model is a list of what was sent, per side and priority: what arrives is a prefix of it, whatever happens to the
// wire; and all of it, if nothing does.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/check.hpp"
#include "tests/unit/link/pair.hpp"

namespace {

using namespace ekiden;
using namespace ekiden::link;
using ekiden::link::test::Pair;

constexpr std::size_t kMaxSteps = 400;
/// A wire that is repeated doubles: a script of nothing else must not outgrow memory.
constexpr std::size_t kMaxRepeated = 65'536;
/// What lies on a wire is delivered in at most so many pieces: each is cut from its front.
constexpr std::size_t kMaxPieces = 1000;

class Game {
 public:
  explicit Game(Byte setting) : pair_(setting % 2 == 0, make_config(setting)) {}

  void step(Byte what, Byte a, Byte b) {
    const auto side = what / 16 % 2 == 0 ? Pair::client : Pair::server;
    const std::size_t amount = a * std::size_t{256} + b;
    auto& wire = pair_.ends[side].wire;
    switch (what % 16) {
      case 0:
      case 1:
        return send(side, static_cast<wire::Priority>(a % wire::kPriorities), 1 + amount % kMaxMessage);
      case 2:
      case 3:
        return send(side, static_cast<wire::Priority>(a % wire::kPriorities), 1U + b);
      case 4:
      case 5:
        return pair_.pull(side);
      case 6:
      case 7:
        pair_.deliver(side, amount);
        return;
      case 8:
        return run(1 + amount);
      case 9:
        if (wire.empty()) return;
        wire[amount % wire.size()] ^= static_cast<Byte>(1U << b % 8);
        faulty_ = true;
        return;
      case 10:
        if (wire.empty()) return;
        wire.erase(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(1 + amount % wire.size()));
        faulty_ = true;
        return;
      case 11:
        if (wire.empty() || wire.size() > kMaxRepeated) return;
        append(wire, Bytes(wire));
        faulty_ = true;
        return;
      case 12:
        pair_.advance(milliseconds(amount));
        return;
      case 13:
        pair_.advance(seconds(a));
        timed_ = timed_ || a > 0;
        return;
      case 14:
        pair_.link(side).set_wanted(a % 2 == 0);
        return;
      case 15:
        return close(side, static_cast<CloseReason>(1 + a % 11));
    }
  }

  void finish() {
    check();
    pair_.run();
    check();
    if (faulty_ || timed_ || pair_.elapsed > seconds(4) || hard_close_) return;
    for (const auto side : {Pair::client, Pair::server}) {
      CHECK(received(side) == sent_[side]);
      if (!closed_) CHECK(pair_.link(side).is_open());
    }
  }

 private:
  using Lists = std::array<std::vector<Bytes>, wire::kPriorities>;

  static Config make_config(Byte setting) {
    Config config;
    if (setting / 2 % 2 == 1) config.rekey_bytes = 3000;
    if (setting / 4 % 2 == 1) config.max_queued_bytes = 50'000;
    return config;
  }

  void send(Pair::Side side, wire::Priority priority, std::size_t size) {
    if (!pair_.link(side).is_open()) return;
    const auto which = static_cast<std::size_t>(priority);
    Bytes message(size, static_cast<Byte>(sent_[side][which].size()));
    message[0] = static_cast<Byte>(which);
    const auto status = pair_.send(side, priority, message);
    CHECK(status || status.error().code == Errc::limit_exceeded);
    if (status) sent_[side][which].push_back(std::move(message));
  }

  void run(std::size_t piece) {
    pair_.pull(Pair::client);
    pair_.pull(Pair::server);
    const std::size_t longest = std::max(pair_.ends[Pair::client].wire.size(), pair_.ends[Pair::server].wire.size());
    pair_.run(std::max(piece, longest / kMaxPieces));
  }

  void close(Pair::Side side, CloseReason reason) {
    closed_ = true;
    // Before both are open, or for a reason that is not graceful, what was queued may be dropped.
    if (!is_graceful(reason) || !pair_.both_open()) hard_close_ = true;
    pair_.link(side).close(pair_.now(), reason, {Errc::closed, "the script says so"});
  }

  /// What the other side has received from this one.
  Lists received(Pair::Side from) const {
    Lists lists;
    for (const auto& message : pair_.ends[from == Pair::client ? Pair::server : Pair::client].messages) {
      lists[message[0]].push_back(message);
    }
    return lists;
  }

  void check() const {
    for (const auto side : {Pair::client, Pair::server}) {
      const auto lists = received(side);
      for (std::size_t i = 0; i < wire::kPriorities; ++i) {
        CHECK(lists[i].size() <= sent_[side][i].size());
        CHECK(std::equal(lists[i].begin(), lists[i].end(), sent_[side][i].begin()));
      }
      if (pair_.ends[side].opened) CHECK(pair_.ends[side].opened->id == pair_.parties[1 - side].identity.id());
    }
  }

  Pair pair_;
  std::array<Lists, 2> sent_;
  bool faulty_ = false;
  bool timed_ = false;
  bool closed_ = false;
  bool hard_close_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Game game(data[0]);
  for (std::size_t i = 1; i + 2 < size && i < 3 * kMaxSteps; i += 3) game.step(data[i], data[i + 1], data[i + 2]);
  game.finish();
  return 0;
}
