#include "registry/registry.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "registry/answers.hpp"
#include "registry/reserved.hpp"
#include "wire/cose.hpp"

namespace ekiden::registry {
namespace {

using identity::PeerId;

constexpr std::size_t kMaxShunned = 256;
constexpr std::size_t kMaxRates = 4096;
/// The wall clock may be set: what expires is looked for again after this, however far away it seems.
constexpr milliseconds kLookAgain = minutes(1);
constexpr Duration kMostSoon = milliseconds(500);

}  // namespace

Registry::Registry(const identity::Identity& self, Config config, Rng rng, std::vector<PeerId> neighbours,
                   Domain domain)
    : self_(self),
      config_(config),
      rng_(std::move(rng)),
      replica_(config_, rng_.split(), std::move(domain)),
      conflicts_(config.max_conflicts),
      renewals_(rng_),
      rejoin_(config_, rng_),
      shunned_(kMaxShunned),
      rates_(kMaxRates),
      silent_(std::move(neighbours)) {}

// What is new. --------------------------------------------------------------------------------------------------------

void Registry::note(Now now, const Entry& entry, const Applied& applied, const PeerId& from, Effects& out) {
  if (is_equivocal(applied.standing)) note_equivocation(now, entry, applied, out);
  if (entry.shape == Shape::shared) look_for_conflict(now, entry.owner_id(), entry.name);
  out.push(Changed{.owner = entry.owner_id(), .name = entry.name});
  if (from != self_.id()) note_news(now, entry.id(), from);
  if (replica_.size() == 1) compare_soon(now);
}

void Registry::note_news(Now now, const EntryId& id, const PeerId& from) {
  if (neighbours_.empty() || news_.size() == config_.max_news) return;
  news_.push_back({.id = id, .from = from});
  if (!tell_at_) tell_at_ = now.mono + config_.tell_after;
}

void Registry::note_equivocation(Now now, const Entry& entry, const Applied& applied, Effects& out) {
  const Held* held = replica_.find(entry.id());
  CHECK(held != nullptr);
  const auto dropped = read_entry(applied.dropped);
  CHECK(dropped.has_value());
  conflicts_.on_equivocation(now.wall, held->entry(), *dropped);
  out.push(Equivocated{.author = entry.author_id(),
                       .name = entry.name,
                       .taken = to_bytes(held->signed_bytes()),
                       .dropped = applied.dropped});
}

void Registry::look_for_conflict(Now now, const PeerId& owner, const std::string& name) {
  const auto view = view_of(replica_, owner, name, now.wall);
  conflicts_.on_values(now.wall, owner, name, view ? view->values : std::vector<Entry>());
}

/// To some neighbours, in messages that they share; nobody is told what it has told us.
void Registry::tell(Effects& out) {
  tell_at_.reset();
  const std::vector<News> news = std::exchange(news_, {});
  std::vector<PeerId> peers;
  for (const auto& [peer, neighbour] : neighbours_) peers.push_back(peer);
  rng_.shuffle(peers);
  peers.resize(std::min(peers.size(), config_.max_told));
  for (const PeerId& peer : peers) {
    Packer packer(0);
    for (const News& item : news) {
      const Held* held = item.from == peer ? nullptr : replica_.find(item.id);
      if (held != nullptr) packer.add(held->signed_bytes());
    }
    send(peer, wire::Priority::normal, packer.take(false), out);
  }
}

// Entries of others. --------------------------------------------------------------------------------------------------

Status Registry::on_entries(Now now, const PeerId& from, ByteView body, Effects& out) {
  Neighbour* neighbour = heard(now, from);
  if (neighbour == nullptr) return {};
  EKIDEN_ASSIGN(const Entries message, wire::decode<Entries>(body));
  Arrivals arrivals;
  bool is_honest = true;
  for (const ByteView signed_bytes : message.entries) {
    is_honest = take(now, from, signed_bytes, arrivals, out);
    if (!is_honest) break;
  }
  if (!arrivals.rows.empty()) out.push(Persist{std::move(arrivals.rows), std::nullopt});
  if (arrivals.taken > 0) set_expiry(now);
  if (!is_honest) {
    return misbehaved(now, from, {Errc::unauthenticated, "an entry that its author has not signed"}, out);
  }
  neighbour->has_gained = neighbour->has_gained || arrivals.taken > 0;
  neighbour->was_behind = neighbour->was_behind || arrivals.has_late;
  if (!neighbour->comparison) return {};
  auto messages = neighbour->comparison->on_entries(message);
  if (!messages) return misbehaved(now, from, std::move(messages).error(), out);
  go_on(now, from, *neighbour, *messages, out);
  return {};
}

bool Registry::take(Now now, const PeerId& from, ByteView signed_bytes, Arrivals& arrivals, Effects& out) {
  const auto entry = read_entry(signed_bytes);
  if (!entry) return entry.error().code == Errc::unsupported;
  const EntryId id = entry->id();
  const auto standing = replica_.standing_of(id, {entry->stamp, digest_of(signed_bytes)});
  if (standing == Standing::older || standing == Standing::same) return true;
  const PeerId author = entry->author_id();
  if (!check_time(*entry, now.wall) || !has_rate(now, author)) {
    ++counts_.refused;
    return true;
  }
  if (!verify_entry(signed_bytes, *entry, replica_.domain())) return false;
  const auto applied = replica_.put(now.wall, *entry, to_bytes(signed_bytes));
  if (!applied) {
    ++counts_.refused;
    return true;
  }
  if (!is_newer(applied->standing)) {
    note_equivocation(now, *entry, *applied, out);
    return true;
  }
  ++counts_.taken;
  ++arrivals.taken;
  arrivals.rows.put(store::Table::registry, id.bytes, to_bytes(signed_bytes));
  const std::size_t open_before = conflicts_.open();
  note(now, *entry, *applied, from, out);
  const WallTime written = from_unix_ms(entry->stamp.ms);
  arrivals.has_late = arrivals.has_late || now.wall - written > config_.late_after;
  if (entry->name == kRecordName) return true;  // Nobody has written it.
  out.push(
      Taken{.author = author, .from = from, .written = written, .opened_conflict = conflicts_.open() > open_before});
  return true;
}

bool Registry::has_rate(Now now, const PeerId& author) {
  flow::TokenBucket* rate = rates_.find(author);
  if (rate == nullptr) rate = &rates_.put(author, flow::TokenBucket(config_.updates));
  return rate->take(now.mono);
}

// Neighbours. ---------------------------------------------------------------------------------------------------------

Registry::Neighbour& Registry::attend(Now now, const PeerId& peer) {
  const auto [found, fresh] = neighbours_.try_emplace(peer, config_.answers);
  found->second.interval = config_.compare_every;
  if (fresh) compare_.set(peer, now.mono + rng_.between(Duration(0), kMostSoon));
  return found->second;
}

void Registry::on_link_up(Now now, const PeerId& peer, Effects& out) {
  if (replica_.size() > 0 || neighbours_.contains(peer)) {
    attend(now, peer);
  } else if (std::ranges::find(silent_, peer) == silent_.end()) {
    silent_.push_back(peer);
  }
  const Rejoin::Kept kept = rejoin_.on_up(peer);
  if (kept.is_bridge) out.push(KeepLink{.peer = peer, .wanted = true});
  if (kept.dropped) out.push(KeepLink{.peer = *kept.dropped, .wanted = false});
}

void Registry::on_link_down(Now now, const PeerId& peer, bool lost, Effects& out) {
  if (neighbours_.erase(peer) + std::erase(silent_, peer) == 0) return;
  compare_.cancel(peer);
  if (rejoin_.drop_bridge(peer)) out.push(KeepLink{.peer = peer, .wanted = false});
  // Whoever holds nothing has lost nothing.
  if (lost && replica_.size() > 0) rejoin_.on_lost(now, peer);
}

Registry::Neighbour* Registry::heard(Now now, const PeerId& peer) {
  if (const Instant* until = shunned_.peek(peer); until != nullptr && now.mono < *until) return nullptr;
  if (std::erase(silent_, peer) != 0) return &attend(now, peer);
  const auto found = neighbours_.find(peer);
  return found == neighbours_.end() ? nullptr : &found->second;
}

Status Registry::misbehaved(Now now, const PeerId& peer, Error why, Effects& out) {
  shunned_.put(peer, now.mono + config_.shun);
  const auto found = neighbours_.find(peer);
  if (found != neighbours_.end()) {
    found->second.comparison.reset();
    compare_.set(peer, now.mono + config_.shun);
  }
  out.push(Misbehaved{.peer = peer, .what = why.message});
  return std::unexpected(std::move(why));
}

void Registry::send(const PeerId& to, wire::Priority priority, const Messages& messages, Effects& out) const {
  for (const auto& message : messages) out.push(Transmit{.to = to, .priority = priority, .message = message});
}

Status Registry::on_ask(Now now, const PeerId& from, ByteView body, Effects& out) {
  Neighbour* neighbour = heard(now, from);
  if (neighbour == nullptr) return {};
  EKIDEN_ASSIGN(const Messages messages, answer_ask(replica_.trie(), body, {neighbour->answers, now.mono}));
  send(from, wire::Priority::low, messages, out);
  return {};
}

Status Registry::on_want(Now now, const PeerId& from, ByteView body, Effects& out) {
  Neighbour* neighbour = heard(now, from);
  if (neighbour == nullptr) return {};
  EKIDEN_ASSIGN(const Messages messages, answer_want(replica_, body, {neighbour->answers, now.mono}));
  send(from, wire::Priority::low, messages, out);
  return {};
}

Status Registry::on_places(Now now, const PeerId& from, ByteView body, Effects& out) {
  Neighbour* neighbour = heard(now, from);
  if (neighbour == nullptr || !neighbour->comparison) return {};
  auto messages = neighbour->comparison->on_places(body);
  if (!messages) return misbehaved(now, from, std::move(messages).error(), out);
  go_on(now, from, *neighbour, *messages, out);
  return {};
}

void Registry::begin(Now now, const PeerId& peer, Neighbour& neighbour, Effects& out) {
  if (++last_round_ == 0) ++last_round_;
  neighbour.has_gained = neighbour.was_behind = false;
  neighbour.comparison = std::make_unique<Comparison>(config_, replica_, last_round_, rng_.bytes<8>());
  send(peer, wire::Priority::low, neighbour.comparison->begin(), out);
  compare_.set(peer, now.mono + config_.compare_within);
}

/// Each answer gives the neighbour time for the next one.
void Registry::go_on(Now now, const PeerId& peer, Neighbour& neighbour, const Messages& messages, Effects& out) {
  send(peer, wire::Priority::low, messages, out);
  if (neighbour.comparison->is_over()) {
    end(now, peer, neighbour, out);
  } else if (!messages.empty()) {
    compare_.set(peer, now.mono + config_.compare_within);
  }
}

void Registry::end(Now now, const PeerId& peer, Neighbour& neighbour, Effects& out) {
  const bool has_differed = neighbour.comparison->has_differed();
  const bool goes_on = neighbour.comparison->is_cut() && neighbour.has_gained;
  ++counts_.comparisons;
  if (has_differed) ++counts_.differed;
  const bool is_in_vain = has_differed && !neighbour.has_gained;
  neighbour.interval = is_in_vain ? std::min(neighbour.interval * 2, config_.compare_most) : config_.compare_every;
  out.push(Compared{.peer = peer, .was_behind = neighbour.was_behind, .differs = neighbour.comparison->is_cut()});
  neighbour.comparison.reset();
  compare_.set(peer, goes_on ? now.mono : now.mono + rng_.between(neighbour.interval / 2, neighbour.interval));
}

/// There is something to compare now.
void Registry::compare_soon(Now now) {
  for (const PeerId& peer : std::exchange(silent_, {})) attend(now, peer);
  for (const auto& [peer, neighbour] : neighbours_) {
    if (!neighbour.comparison && heard(now, peer) != nullptr)
      compare_.set_no_later_than(peer, now.mono + rng_.between(Duration(0), kMostSoon));
  }
}

// Time. ---------------------------------------------------------------------------------------------------------------

std::optional<Instant> Registry::deadline() const {
  return earlier(earlier(compare_.earliest(), tell_at_), earlier(expire_at_, rejoin_.deadline()));
}

void Registry::on_deadline(Now now, Effects& out) {
  while (const auto peer = compare_.pop_due(now.mono)) {
    Neighbour& neighbour = neighbours_.at(*peer);
    if (neighbour.comparison) {
      out.push(
          Compared{.peer = *peer, .was_behind = neighbour.was_behind, .differs = neighbour.comparison->has_differed()});
      neighbour.comparison.reset();
      compare_.set(*peer, now.mono + rng_.between(neighbour.interval / 2, neighbour.interval));
    } else if (replica_.size() == 0) {
      compare_.set(*peer, now.mono + config_.compare_most);
    } else {
      begin(now, *peer, neighbour, out);
    }
  }
  if (tell_at_ && *tell_at_ <= now.mono) tell(out);
  if (const auto peer = rejoin_.next(now)) out.push(Seek{*peer});
  if (expire_at_ && *expire_at_ <= now.mono) {
    renew(now, out);
    // After a long sleep there is more than one part of it, and what is not renewed yet would be forgotten.
    if (!renewals_.next(now.wall)) expire(now, out);
    set_expiry(now);
  }
}

void Registry::expire(Now now, Effects& out) {
  store::Batch batch;
  while (const auto over = replica_.expire(now.wall)) {
    if (over->ended) {
      batch.erase(store::Table::registry, over->entry.id().bytes);
      renewals_.erase(over->entry.id(), batch);
    }
    if (over->was_shown) out.push(Changed{.owner = over->entry.owner_id(), .name = over->entry.name});
    if (over->entry.shape == Shape::shared) look_for_conflict(now, over->entry.owner_id(), over->entry.name);
  }
  if (!batch.empty()) out.push(Persist{std::move(batch), std::nullopt});
}

void Registry::set_expiry(Now now) {
  auto due = replica_.due();
  if (const auto renewal = renewals_.due(); renewal && (!due || *renewal < *due)) due = renewal;
  if (!due) {
    expire_at_.reset();
    return;
  }
  expire_at_ = now.mono + std::clamp(*due - now.wall, milliseconds(0), kLookAgain);
}

// Reading. ------------------------------------------------------------------------------------------------------------

/// Whether a name says this, among others.
bool Registry::is_shown(const Entry& entry, WallTime wall) const {
  if (entry.removed || entry.expires <= wall) return false;
  if (entry.shape == Shape::own) return true;
  const auto view = view_of(replica_, entry.owner_id(), entry.name, wall);
  if (!view || view->shape != entry.shape) return false;
  if (entry.shape == Shape::set) return !entry.author;
  return std::ranges::any_of(view->values, [&](const Entry& value) { return value.author == entry.author; });
}

Registry::Page Registry::find(Now now, const Query& query, Slot from, std::size_t max) const {
  Page page;
  const std::vector<Slot> slots = replica_.search(query, from, max);
  for (const Slot slot : slots) {
    Entry entry = replica_.at(slot).entry();
    if (is_shown(entry, now.wall)) page.entries.push_back(std::move(entry));
  }
  if (slots.size() == max && max > 0) page.next = slots.back() + 1;
  return page;
}

std::vector<Entry> Registry::list(Now now, std::optional<EntryId> from, std::size_t max) const {
  std::vector<Entry> entries;
  EntryId at = from.value_or(EntryId{});
  for (const Held* held = replica_.after(at); held != nullptr && entries.size() < max; held = replica_.after(at)) {
    at = held->id;
    if (!held->is_shown) continue;
    Entry entry = held->entry();
    if (is_shown(entry, now.wall)) entries.push_back(std::move(entry));
  }
  return entries;
}

RegistryStatus Registry::status() const {
  RegistryStatus status = counts_;
  status.entries = replica_.size();
  status.shown = replica_.shown();
  status.bytes = replica_.bytes();
  status.neighbours = neighbours_.size() + silent_.size();
  status.conflicts = conflicts_.open();
  status.renewals = renewals_.size();
  return status;
}

void Registry::check_invariants() const {
  replica_.check_invariants();
  CHECK(news_.size() <= config_.max_news && (news_.empty() || tell_at_.has_value()));
  CHECK(compare_.size() == neighbours_.size());
  CHECK(silent_.empty() || replica_.size() == 0);
  CHECK(last_written_ + unwritten_.size() == last_token_);
  renewals_.check_invariants();
}

}  // namespace ekiden::registry
