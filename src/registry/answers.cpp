#include "registry/answers.hpp"

#include <algorithm>
#include <map>

namespace ekiden::registry {
namespace {

Place place_at(const Trie& trie, const Path& path, const Salt& salt) {
  Place place{.path = path.bytes(), .is_leaf = trie.is_leaf(path), .shorts = {}};
  if (place.is_leaf) {
    for (const Trie::Item& item : trie.items(path, Trie::kLeaf)) append(place.shorts, short_of(salt, item.digest));
  } else {
    for (Byte way = 0; way < Trie::kWays; ++way) append(place.shorts, short_of(salt, trie.digest(path.child(way))));
  }
  return place;
}

std::size_t size_of(const Place& place) { return place.path.size() + place.shorts.size() + 12; }

Result<Messages> answer_beginning(const Trie& trie, const Ask& ask, Budget& budget) {
  if (ask.shorts->size() != Trie::kWays * kShortSize || !ask.paths.empty()) {
    return fail(Errc::malformed, "a comparison that begins with other than sixteen digests");
  }
  if (!budget.take()) return Messages{};
  Places answer{.round = ask.round, .places = {}};
  const auto differs = [&](Byte way) {
    const Short mine = short_of(ask.salt, trie.digest(Path().child(way)));
    return !std::ranges::equal(ByteView(*ask.shorts).subspan(way * kShortSize, kShortSize), mine);
  };
  for (Byte way = 0; way < Trie::kWays; ++way) {
    if (!differs(way)) continue;
    if (!budget.take()) return Messages{};
    const Path path = trie.is_leaf({}) ? Path() : Path().child(way);
    answer.places.push_back(place_at(trie, path, ask.salt));
    if (path == Path()) break;
  }
  return Messages{link_message(wire::MessageType::registry_places, answer, 4096)};
}

/// The entries of one leaf that the asker has named by their digests.
void add_wanted(const Replica& replica, const Want& want, const Wanted& wanted, Budget& budget, Packer& packer) {
  const auto path = Path::from_bytes(wanted.path);
  if (!budget.take() || !path || !replica.trie().is_leaf(*path))
    return;  // It has grown since: the next comparison will see.
  for (const Trie::Item& item : replica.trie().items(*path, Trie::kLeaf)) {
    const Short name = short_of(want.salt, item.digest);
    bool is_wanted = false;
    for (std::size_t at = 0; at + kShortSize <= wanted.shorts.size() && !is_wanted; at += kShortSize) {
      is_wanted = std::ranges::equal(ByteView(wanted.shorts).subspan(at, kShortSize), name);
    }
    if (!is_wanted) continue;
    const Held& held = replica.at(item.slot);
    const auto theirs = std::ranges::lower_bound(want.have, item.id, {}, &Have::id);
    const bool is_older = theirs != want.have.end() && theirs->id == item.id && held.version().stamp < theirs->stamp;
    if (!is_older && budget.take()) packer.add(held.signed_bytes());
  }
}

}  // namespace

Result<Messages> answer_ask(const Trie& trie, ByteView body, Budget budget) {
  EKIDEN_ASSIGN(const Ask ask, wire::decode<Ask>(body));
  if (ask.shorts) return answer_beginning(trie, ask, budget);
  Messages messages;
  Places answer{.round = ask.round, .places = {}};
  std::size_t size = 0;
  const auto flush = [&] {
    messages.push_back(link_message(wire::MessageType::registry_places, answer, size + 64));
    answer.places.clear();
    size = 0;
  };
  for (const Bytes& bytes : ask.paths) {
    const auto path = Path::from_bytes(bytes);
    if (!path) return fail(Errc::malformed, "a path that leads nowhere");
    if (!budget.take()) break;
    Place place = place_at(trie, *path, ask.salt);
    if (size + size_of(place) > kMaxBody || answer.places.size() == kMaxPlaces) flush();
    size += size_of(place);
    answer.places.push_back(std::move(place));
  }
  if (!answer.places.empty()) flush();
  return messages;
}

Result<Messages> answer_want(const Replica& replica, ByteView body, Budget budget) {
  EKIDEN_ASSIGN(const Want want, wire::decode<Want>(body));
  if (want.round == 0) return fail(Errc::malformed, "a round without a number");
  const auto same = [](const Have& a, const Have& b) { return !(a.id < b.id); };
  if (std::ranges::adjacent_find(want.have, same) != want.have.end()) {
    return fail(Errc::malformed, "what it has is not in order");
  }
  Packer packer(want.round);
  for (const Have& have : want.have) {
    if (!budget.take()) break;
    const Held* held = replica.find(have.id);
    if (held == nullptr || held->version().stamp <= have.stamp) packer.want(have.id);
  }
  for (const Wanted& wanted : want.wanted) add_wanted(replica, want, wanted, budget, packer);
  return packer.take(true);
}

}  // namespace ekiden::registry
