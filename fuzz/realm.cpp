// Realms: invitations and hellos from anybody, and what nodes make of them. The first byte chooses: a text as an
// invitation, which counts only as it was written; or a script of four nodes that enter and leave realms, are linked
// and cut, and say hellos, changed ones and played-back ones among them, beside a model that knows who holds which key.
#include "realm/realm.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/check.hpp"
#include "realm/members.hpp"
#include "support/identities.hpp"
#include "wire/message_type.hpp"

namespace {

using namespace ekiden;

constexpr std::size_t kNodes = 4;
constexpr std::size_t kNames = 3;

void check_text(ByteView bytes) {
  const std::string text(as_text(bytes));
  const auto realm = realm::read_invitation(text);
  if (!realm) return;
  CHECK(realm->closed && realm::is_realm_name(realm->name));
  const auto again = realm::read_invitation(realm::invitation_to(*realm));
  CHECK(again && *again == *realm && again->id() == realm->id());
}

const identity::PeerId& id_of(std::size_t node) {
  static const auto kIds = [] {
    std::vector<identity::PeerId> ids;
    for (std::size_t i = 0; i < kNodes; ++i) ids.push_back(test::make_identity(static_cast<Byte>(i + 1)).id());
    return ids;
  }();
  return kIds[node];
}

struct Player {
  std::vector<realm::Members> nodes;
  std::map<std::pair<std::size_t, std::string>, Byte> keys;  ///< by node and realm
  std::set<std::pair<std::size_t, std::size_t>> links;       ///< both ways
  std::set<std::tuple<std::size_t, std::size_t, std::string>> known;
  std::vector<Bytes> said;  ///< bodies of hellos

  Player() {
    for (std::size_t i = 0; i < kNodes; ++i) nodes.emplace_back(id_of(i));
  }

  static std::size_t index_of(const identity::PeerId& id) {
    std::size_t i = 0;
    while (id_of(i) != id) ++i;
    return i;
  }

  void take(std::size_t node, realm::Effects& out) {
    for (const realm::Effect& effect : out.take()) {
      if (const auto* up = std::get_if<realm::MemberUp>(&effect)) {
        CHECK(known.insert({node, index_of(up->peer), up->realm}).second);
      } else if (const auto* down = std::get_if<realm::MemberDown>(&effect)) {
        CHECK(known.erase({node, index_of(down->peer), down->realm}) == 1);
      } else if (const auto* hello = std::get_if<realm::Transmit>(&effect)) {
        const std::size_t to = index_of(hello->to);
        CHECK(links.contains({node, to}));
        said.push_back(to_bytes(ByteView(*hello->message).subspan(1)));
        if (said.size() > 64) said.erase(said.begin());
        realm::Effects more;
        const Status heard = nodes[to].on_hello(id_of(node), said.back(), more);
        CHECK(heard.has_value() || heard.error().code == Errc::refused);
        take(to, more);
      }
    }
  }

  void step(Byte what, Byte a, Byte b) {
    const std::size_t node = a % kNodes;
    const std::size_t other = a / kNodes % kNodes;
    const std::string name = "r" + std::to_string(b % kNames);
    realm::Effects out;
    switch (what % 6) {
      case 0: {
        const Byte key = static_cast<Byte>(b / kNames % 2 + 1);
        keys[{node, name}] = key;
        const realm::Realm entered{
            .name = name, .key = realm::RealmKey(ByteArray<32>{key}), .tag = {1}, .closed = true};
        CHECK(nodes[node].enter(entered, out));
        break;
      }
      case 1:
        keys.erase({node, name});
        nodes[node].leave(name, out);
        break;
      case 2:
        if (node == other) return;
        return come_up(node, other, /*both=*/b % 3 != 0);
      case 3:
        return go_down(node, other, b);
      default:
        return hear(node, other, what, b);
    }
    take(node, out);
  }

  /// At one end only if the other takes it for a continuation.
  void come_up(std::size_t node, std::size_t other, bool both) {
    realm::Effects ours;
    realm::Effects theirs;
    links.insert({node, other});
    nodes[node].on_link_up(id_of(other), ours);
    if (both) {
      links.insert({other, node});
      nodes[other].on_link_up(id_of(node), theirs);
    }
    take(node, ours);
    take(other, theirs);
  }

  void go_down(std::size_t node, std::size_t other, Byte b) {
    realm::Effects ours;
    realm::Effects theirs;
    if (links.erase({node, other}) != 0) nodes[node].on_link_down(id_of(other), b % 2 == 0, ours);
    take(node, ours);
    if (b % 3 == 0) return;
    if (links.erase({other, node}) != 0) nodes[other].on_link_down(id_of(node), b % 2 == 0, theirs);
    take(other, theirs);
  }

  /// Something that was said once, whole or changed, by whoever likes. It may make somebody unknown, for it takes the
  /// place of what was said; it makes nobody a member who does not hold the key.
  void hear(std::size_t node, std::size_t other, Byte what, Byte b) {
    if (said.empty()) return;
    Bytes body = said[b % said.size()];
    if (what % 6 == 5 && !body.empty()) body[what % body.size()] ^= static_cast<Byte>(1 + b % 255);
    realm::Effects out;
    static_cast<void>(nodes[node].on_hello(id_of(other), body, out));
    take(node, out);
  }

  void check() const {
    for (const realm::Members& node : nodes) node.check_invariants();
    for (const auto& [node, peer, name] : known) {
      CHECK(links.contains({node, peer}));
      const auto ours = keys.find({node, name});
      CHECK(ours != keys.end());
      // It has said so with this key, though it may have left since and a link played that back; never without it.
      CHECK(held.contains({peer, name, ours->second}));
    }
  }
  void note_held() {
    for (const auto& [where, key] : keys) held.insert({where.first, where.second, key});
  }
  std::set<std::tuple<std::size_t, std::string, Byte>> held;  ///< keys that a node has ever had
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  if (input.empty()) return 0;
  const ByteView rest = input.subspan(1);
  if (input[0] % 2 == 0) {
    check_text(rest);
    return 0;
  }
  Player player;
  for (std::size_t i = 0; i + 2 < rest.size() && i < 3 * 256; i += 3) {
    player.step(rest[i], rest[i + 1], rest[i + 2]);
    player.note_held();
    player.check();
  }
  return 0;
}
