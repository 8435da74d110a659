#include "registry/comparison.hpp"

#include <algorithm>
#include <utility>

namespace ekiden::registry {
namespace {

constexpr std::size_t kHaveSize = 32;

Short short_at(ByteView shorts, std::size_t which) {
  return take_array<kShortSize>(shorts.subspan(which * kShortSize, kShortSize));
}

}  // namespace

Messages Comparison::begin() {
  Ask ask{.round = round_, .salt = salt_, .paths = {}, .shorts = Bytes()};
  asked_.insert(Path());
  for (Byte way = 0; way < Trie::kWays; ++way) {
    const Path child = Path().child(way);
    append(*ask.shorts, short_of(salt_, replica_.trie().digest(child)));
    asked_.insert(child);
  }
  return {link_message(wire::MessageType::registry_ask, ask)};
}

Messages Comparison::next_level() {
  Messages messages;
  if (next_.empty()) return wants();
  Ask ask{.round = round_, .salt = salt_, .paths = {}, .shorts = {}};
  for (const Path& path : std::exchange(next_, {})) {
    ask.paths.push_back(path.bytes());
    asked_.insert(path);
    if (ask.paths.size() < kMaxAskedAtOnce) continue;
    messages.push_back(link_message(wire::MessageType::registry_ask, ask));
    ask.paths.clear();
  }
  if (!ask.paths.empty()) messages.push_back(link_message(wire::MessageType::registry_ask, ask));
  return messages;
}

Result<Messages> Comparison::on_places(ByteView body) {
  EKIDEN_ASSIGN(const Places message, wire::decode<Places>(body));
  if (message.round != round_ || (message.places.empty() && !is_beginning_)) return Messages{};
  for (const Place& place : message.places) EKIDEN_TRY(look(place));
  if (std::exchange(is_beginning_, false)) asked_.clear();
  return asked_.empty() ? next_level() : Messages{};
}

Status Comparison::look(const Place& place) {
  const auto path = Path::from_bytes(place.path);
  if (!path || asked_.erase(*path) == 0) return fail(Errc::refused, "a place that nobody has asked about");
  if (place.shorts.size() % kShortSize != 0) return fail(Errc::malformed, "a part of a digest");
  const std::size_t shorts = place.shorts.size() / kShortSize;
  if (place.is_leaf) {
    look_at_leaf(*path, place);
    return {};
  }
  if (shorts != Trie::kWays) return fail(Errc::malformed, "a place with more or less than sixteen children");
  if (path->depth() == EntryId::kNibbles) return fail(Errc::malformed, "a place below the last level");
  look_at_children(*path, place);
  return {};
}

void Comparison::look_at_children(const Path& path, const Place& place) {
  for (Byte way = 0; way < Trie::kWays; ++way) {
    const Path child = path.child(way);
    if (short_of(salt_, replica_.trie().digest(child)) == short_at(place.shorts, way)) continue;
    has_differed_ = true;
    if (looked_at_ == config_.max_asked) {
      is_cut_ = true;
      return;
    }
    ++looked_at_;
    next_.push_back(child);
  }
}

void Comparison::look_at_leaf(const Path& path, const Place& place) {
  const std::size_t room = config_.max_moved - have_.size();
  const auto mine = replica_.trie().items(path, room + Trie::kLeaf);
  std::set<Short> theirs;
  for (std::size_t i = 0; i * kShortSize < place.shorts.size(); ++i) theirs.insert(short_at(place.shorts, i));
  for (const Trie::Item& item : mine) {
    if (theirs.erase(short_of(salt_, item.digest)) > 0) continue;
    has_differed_ = true;
    if (have_.size() == config_.max_moved) {
      is_cut_ = true;
      break;
    }
    have_.push_back({.id = item.id, .stamp = replica_.at(item.slot).version().stamp});
  }
  if (theirs.empty()) return;
  has_differed_ = true;
  Wanted wanted{.path = place.path, .shorts = {}};
  for (const Short& name : theirs) {
    if (wanted_count_ == config_.max_moved) {
      is_cut_ = true;
      break;
    }
    ++wanted_count_;
    append(wanted.shorts, name);
  }
  if (!wanted.shorts.empty()) wanted_.push_back(std::move(wanted));
}

/// In the order of ids on both lists, so that of an entry that differs both sides are in one message.
Messages Comparison::wants() {
  Messages messages;
  std::ranges::sort(have_, {}, &Have::id);
  std::vector<Wanted*> order;
  for (Wanted& wanted : wanted_) order.push_back(&wanted);
  std::ranges::sort(order, [](const Wanted* a, const Wanted* b) { return a->path < b->path; });
  Want want{.round = round_, .salt = salt_, .wanted = {}, .have = {}};
  std::size_t size = 0;
  const auto flush = [&] {
    messages.push_back(link_message(wire::MessageType::registry_want, want, size + 64));
    want.wanted.clear();
    want.have.clear();
    size = 0;
    ++waiting_;
  };
  auto have = have_.begin();
  auto next = order.begin();
  while (have != have_.end() || next != order.end()) {
    const bool is_have_next =
        have != have_.end() && (next == order.end() || have->id < Path::from_bytes((*next)->path)->first());
    if (is_have_next) {
      offered_.insert(have->id);
      want.have.push_back(*have++);
      size += kHaveSize;
    } else {
      Wanted& wanted = **next++;
      size += wanted.path.size() + wanted.shorts.size() + 8;
      // What lies below goes with it, so that the neighbour sees which of both is newer.
      const Path path = *Path::from_bytes(wanted.path);
      want.wanted.push_back(std::move(wanted));
      while (have != have_.end() && path.covers(have->id) && want.have.size() < kMaxWantedAtOnce) {
        offered_.insert(have->id);
        want.have.push_back(*have++);
        size += kHaveSize;
      }
    }
    const bool is_full = want.have.size() + Trie::kLeaf > kMaxWantedAtOnce || want.wanted.size() == kMaxWantedAtOnce;
    if (size > kMaxBody / 2 || is_full) flush();
  }
  if (size > 0) flush();
  have_.clear();
  wanted_.clear();
  return messages;
}

Result<Messages> Comparison::on_entries(const Entries& message) {
  if (message.round != round_ || waiting_ == 0) return Messages{};
  Packer packer(0);
  for (const EntryId& id : message.wanted) {
    if (offered_.erase(id) == 0) return fail(Errc::refused, "it wants what was not offered");
    if (const Held* held = replica_.find(id)) packer.add(held->signed_bytes());
  }
  if (message.last) --waiting_;
  return packer.take(false);
}

}  // namespace ekiden::registry
