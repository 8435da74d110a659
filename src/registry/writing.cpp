#include "registry/writing.hpp"

#include <algorithm>
#include <utility>

#include "base/encoding.hpp"

namespace ekiden::registry {
namespace {

using identity::PeerId;

/// For at most kMaxElements: std::sort is ten kilobytes of instructions for each type of a struct.
template <class T>
void sort_few(std::vector<T>& list) {
  for (std::size_t end = 1; end < list.size(); ++end) {
    for (std::size_t i = end; i > 0 && list[i] < list[i - 1]; --i) std::swap(list[i], list[i - 1]);
  }
}

std::unexpected<Error> wrong(std::string what) { return fail(Errc::invalid_argument, std::move(what)); }

template <class List>
bool fits(const List& list, std::size_t max) {
  return std::ranges::all_of(list, [&](const auto& item) { return item.size() <= max; });
}

Status check_draft(const Draft& draft) {
  if (!is_entry_name(draft.name)) {
    return wrong("\"" + draft.name +
                 "\" is not a name: write lower-case letters, digits, '.', '-', '_' and single "
                 "slashes, like \"printers/third-floor\"");
  }
  if (draft.lifetime < kMinLifetime || draft.lifetime > kMaxLifetime)
    return wrong("an entry lives from 1 s to 30 days");
  if (!draft.capability.empty() && !identity::is_capability(draft.capability)) {
    return wrong("\"" + draft.capability + "\" is not a capability, like \"translate/ja-en\"");
  }
  if (draft.value.size() > kMaxValue) return wrong("a value has at most 1024 bytes");
  if (draft.metadata.size() > kMaxMetadata) return wrong("at most 16 metadata");
  for (const Metadata& item : draft.metadata) {
    const bool is_text = is_utf8(as_bytes(item.key)) && is_utf8(as_bytes(item.value));
    if (item.key.empty() || item.key.size() > kMaxMetadataKey || item.value.size() > kMaxMetadataValue || !is_text) {
      return wrong("metadata are texts: a key of 1 to 32 bytes and a value of at most 128");
    }
  }
  if (!fits(draft.add, kMaxElementSize) || !fits(draft.take, kMaxElementSize)) {
    return wrong("an element has at most 128 bytes");
  }
  if (draft.writers.size() > kMaxWriters) return wrong("at most 16 writers");
  return {};
}

Status check_shape(const Draft& draft, Shape shape) {
  if (shape == Shape::own && !draft.writers.empty()) return wrong("a name with writers is shared or a set");
  if (shape != Shape::set && !(draft.add.empty() && draft.take.empty())) return wrong("only a set has elements");
  if (shape == Shape::set && !draft.value.empty()) return wrong("a set has elements, and no value");
  return {};
}

/// The right to write what is not ours.
Result<crypto::Signature> grant_for(const PeerId& self, const Context& context, WallTime wall) {
  if (!context.owner || context.owner->removed || context.owner->expires <= wall) {
    return fail(Errc::not_found, "its owner has no such name");
  }
  const auto& writers = context.owner->writers;
  const auto found = std::ranges::find(writers, self, &Writer::id);
  if (found == writers.end()) return fail(Errc::refused, "its owner has not named this node as a writer");
  return found->grant;
}

/// A stamp after all that is there; what we wrote while our clock was ahead does not count.
Result<Stamp> next_stamp(HybridClock& clock, const Context& context, WallTime wall) {
  const bool own_is_ahead = context.own && is_ahead(context.own->stamp, wall) && context.own->stamp == context.last;
  return clock.next(wall, own_is_ahead ? Stamp{} : context.last);
}

void put_times(Entry& entry, const Context& context, milliseconds lifetime) {
  const WallTime end = from_unix_ms(entry.stamp.ms) + kMaxLifetime;
  entry.expires = std::min(from_unix_ms(entry.stamp.ms) + lifetime, end);
  entry.kept = std::min(std::max(entry.expires, context.kept), end);
}

Status put_seen(Entry& entry, const Context& context) {
  const PeerId self = entry.author_id();
  for (const auto& [author, stamp] : context.seen.all()) {
    if (author != self && stamp < entry.stamp) entry.seen.push_back({.author = author, .stamp = stamp});
  }
  if (entry.seen.size() <= kMaxWriters) return {};
  return fail(Errc::limit_exceeded, "too many authors have written this name in the last 30 days");
}

std::vector<Writer> writers_of(const identity::Identity& self, const Draft& draft, const Domain& domain) {
  std::vector<Writer> writers;
  for (const PeerId& id : draft.writers) {
    const bool is_known = id == self.id() || std::ranges::find(writers, id, &Writer::id) != writers.end();
    if (!is_known) writers.push_back({.id = id, .grant = sign_grant(self, draft.name, id, domain)});
  }
  sort_few(writers);
  return writers;
}

/// The merged set as this author leaves it: each addition by its author's place in `seen`.
Status put_elements(Entry& entry, const Context& context, const Draft& draft) {
  const PeerId self = entry.author_id();
  ObservedSet<PeerId, Bytes> set = context.set;
  for (const Bytes& element : draft.take) set.remove(element);
  for (const Bytes& element : draft.add) {
    set.add({self, entry.stamp}, element);
    entry.stamp = successor(entry.stamp);
  }
  for (const auto& [dot, value] : set.additions()) {
    const auto seen = std::ranges::find(entry.seen, dot.author, &Seen::author);
    const auto by = dot.author == self ? 0 : seen - entry.seen.begin() + 1;
    entry.elements.push_back({.by = static_cast<std::uint8_t>(by), .stamp = dot.stamp, .value = value});
  }
  if (entry.elements.size() > kMaxElements) return fail(Errc::limit_exceeded, "a set has at most 32 elements");
  sort_few(entry.elements);
  return {};
}

Result<Own> sign(const identity::Identity& self, Entry entry, const Domain& domain) {
  if (const Status formed = check_form(entry); !formed) return fail(Errc::invalid_argument, formed.error().message);
  EKIDEN_ASSIGN(Bytes bytes, sign_entry(self, entry, domain));
  return Own{.entry = std::move(entry), .signed_bytes = std::move(bytes)};
}

/// What nobody can bring back any more is left out, and its elements with it.
void forget_old(Entry& entry, WallTime wall) {
  const Stamp before = forget_before(wall);
  std::vector<Seen> seen;
  std::vector<Element> elements;
  std::vector<std::uint8_t> place(entry.seen.size() + 1);
  for (std::size_t i = 0; i < entry.seen.size(); ++i) {
    if (entry.seen[i].stamp < before) continue;
    seen.push_back(entry.seen[i]);
    place[i + 1] = static_cast<std::uint8_t>(seen.size());
  }
  for (Element& element : entry.elements) {
    const bool is_gone = element.stamp < before || (element.by != 0 && place[element.by] == 0);
    if (is_gone) continue;
    element.by = place[element.by];
    elements.push_back(std::move(element));
  }
  entry.seen = std::move(seen);
  entry.elements = std::move(elements);
}

/// Those that nobody has taken, and that would otherwise end with their age.
void add_anew(Entry& entry, const Replica& replica, WallTime wall) {
  const Entry held = entry;
  const std::uint64_t half = to_unix_ms(wall) - static_cast<std::uint64_t>((kMaxLifetime / 2).count());
  for (Element& element : entry.elements) {
    const bool is_old = element.by == 0 && element.stamp.ms < half;
    if (!is_old || is_taken(replica, held, element)) continue;
    element.stamp = entry.stamp;
    entry.stamp = successor(entry.stamp);
  }
  sort_few(entry.elements);
}

}  // namespace

Result<Own> write_entry(const identity::Identity& self, HybridClock& clock, const Replica& replica, WallTime wall,
                        const Draft& draft) {
  EKIDEN_TRY(check_draft(draft));
  const PeerId owner = draft.owner.value_or(self.id());
  const Context context = context_of(replica, owner, self.id(), draft.name, wall);
  Entry entry;
  entry.name = draft.name;
  entry.owner = self.public_key();
  entry.shape = draft.shape;
  if (owner != self.id()) {
    EKIDEN_ASSIGN(entry.grant, grant_for(self.id(), context, wall));
    entry.owner = context.owner->owner;
    entry.author = self.public_key();
    entry.shape = context.owner->shape;
  }
  EKIDEN_TRY(check_shape(draft, entry.shape));
  EKIDEN_ASSIGN(entry.stamp, next_stamp(clock, context, wall));
  if (entry.shape != Shape::own) EKIDEN_TRY(put_seen(entry, context));
  if (entry.shape == Shape::set) EKIDEN_TRY(put_elements(entry, context, draft));
  put_times(entry, context, draft.lifetime);
  entry.capability = draft.capability;
  entry.metadata = draft.metadata;
  sort_few(entry.metadata);
  entry.value = draft.value;
  entry.writers = writers_of(self, draft, replica.domain());
  return sign(self, std::move(entry), replica.domain());
}

Result<Own> write_removal(const identity::Identity& self, HybridClock& clock, const Replica& replica, WallTime wall,
                          const PeerId& owner, std::string_view name) {
  const Context context = context_of(replica, owner, self.id(), name, wall);
  const bool is_there = view_of(replica, owner, name, wall).has_value();
  if (!is_there || !context.owner) return fail(Errc::not_found, "there is no such name");
  if (owner != self.id() && context.owner->shape == Shape::set) {
    return fail(Errc::refused, "only its owner removes a set; take its elements");
  }
  Entry entry;
  entry.name = std::string(name);
  entry.owner = context.owner->owner;
  entry.shape = context.owner->shape;
  entry.removed = true;
  if (owner != self.id()) {
    EKIDEN_ASSIGN(entry.grant, grant_for(self.id(), context, wall));
    entry.author = self.public_key();
  }
  EKIDEN_ASSIGN(entry.stamp, next_stamp(clock, context, wall));
  if (entry.shape != Shape::own) EKIDEN_TRY(put_seen(entry, context));
  put_times(entry, context, milliseconds(0));
  return sign(self, std::move(entry), replica.domain());
}

Result<Own> write_renewal(const identity::Identity& self, HybridClock& clock, const Replica& replica, WallTime wall,
                          const Entry& held, milliseconds lifetime) {
  const PeerId owner = held.owner_id();
  const Context context = context_of(replica, owner, self.id(), held.name, wall);
  Entry entry = held;
  if (held.removed) return fail(Errc::not_found, "it was removed");
  if (entry.shape == Shape::shared && is_overwritten(replica, held)) {
    if (owner != self.id()) return fail(Errc::not_found, "others have overwritten it");
    entry.capability.clear();
    entry.metadata.clear();
    entry.value.clear();
  }
  EKIDEN_ASSIGN(entry.stamp, next_stamp(clock, context, wall));
  forget_old(entry, wall);
  if (entry.shape == Shape::set) add_anew(entry, replica, wall);
  put_times(entry, context, lifetime);
  return sign(self, std::move(entry), replica.domain());
}

}  // namespace ekiden::registry
