// Registries and the DHT tell the same. What the owner of this node offers stands in every registry of which it is a
// member, under names of the node (registry/reserved.hpp); the capabilities of what it has put in the registry of all
// are announced in the DHT, as far as there is room. What is said in a realm is announced nowhere else.
//
// Beside its entries stands the record of a node, so that members reach who has put something without a lookup. A node
// that ends withdraws what it announced; its entries stay until they expire, as do those of one that crashed.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/encoding.hpp"
#include "crypto/hash.hpp"
#include "node/impl.hpp"
#include "registry/reserved.hpp"

namespace ekiden::node {
namespace {

/// Owners that registries name for one question, beside those that the DHT names.
constexpr std::size_t kMostListed = 8;
/// Entries that are looked at for it, from one place on.
constexpr std::size_t kMostRead = 32;
/// Owners whose records are known to be none. Of others each look costs a signature check.
constexpr std::size_t kMaxBadRecords = 4096;
/// As long as its announcement holds; it is renewed meanwhile.
constexpr milliseconds kOfferLifetime = days(1);

/// The capability itself where it fits; a longer one is told by its entry.
std::string offer_name(const std::string& capability) {
  std::string name = std::string(registry::kOffers) + capability;
  if (name.size() <= registry::kMaxEntryName) return name;
  const crypto::Digest digest = crypto::sha256(as_bytes(capability));
  return std::string(registry::kLongOffers) + to_hex(digest.view().first(16));
}

bool is_offer(std::string_view name) {
  return name.starts_with(registry::kOffers) || name.starts_with(registry::kLongOffers);
}

}  // namespace

void Node::Impl::on_own_entry(Now now, HeldRegistry& held, const std::string& name) {
  const auto entry = held.registry->own(now, name);
  const auto known = held.own.find(name);
  const std::string before = known == held.own.end() ? "" : known->second;
  const std::string after = entry ? entry->capability : "";
  if (entry) {
    held.own.insert_or_assign(name, after);
  } else if (known != held.own.end()) {
    held.own.erase(known);
  }
  list_record(now, held);
  if (before == after || registry::is_reserved(name)) return;
  const bool is_offered = capabilities.has(before, OwnCapabilities::Reason::offered) ||
                          capabilities.has(after, OwnCapabilities::Reason::offered);
  if (is_offered) list_offers(now, held);
  if (&held != &open_registry) return;
  if (!after.empty()) capabilities.add(after, OwnCapabilities::Reason::entry);
  if (!before.empty()) capabilities.remove(before, OwnCapabilities::Reason::entry);
}

void Node::Impl::list_in_all(Now now) {
  list_offers(now, open_registry);
  for (auto& [name, held] : realms.held) list_offers(now, held.registry);
}

/// In the registry of all only for those who use it: each member holds all of it, and whoever is linked to one becomes
/// one.
void Node::Impl::list_offers(Now now, HeldRegistry& held) {
  const bool is_used = &held != &open_registry || held.is_read || !held.own.empty();
  if (!held.is_member || !is_used || ending || storage) return;
  std::set<std::string> put;  // By its user, who may say more of it.
  for (const auto& [name, capability] : held.own) {
    if (!registry::is_reserved(name)) put.insert(capability);
  }
  std::map<std::string, std::string> listed;
  for (std::string& capability : capabilities.with(OwnCapabilities::Reason::offered)) {
    if (put.contains(capability)) continue;
    std::string name = offer_name(capability);
    listed.emplace(std::move(name), std::move(capability));
  }
  const auto look = [&](const std::string& name, const auto& done) {
    if (!done) log(LogLevel::debug, "registry", name + ": " + done.error().message);
  };
  for (const auto& [name, capability] : held.own) {
    if (is_offer(name) && !listed.contains(name)) look(name, held.registry->remove(now, self.id(), name, held.out));
  }
  for (const auto& [name, capability] : listed) {
    if (held.own.contains(name)) continue;
    registry::Draft draft;
    draft.name = name;
    draft.capability = capability;
    draft.lifetime = kOfferLifetime;
    draft.renew = true;
    look(name, held.registry->put(now, draft, held.out));
  }
  list_record(now, held);
}

/// For the sake of what else we have there.
void Node::Impl::list_record(Now now, HeldRegistry& held) {
  const std::string name(registry::kRecordName);
  const bool has_own = held.own.size() > (held.own.contains(name) ? 1U : 0U);
  if (!has_own || !held.is_member || ending || storage || record.empty() || held.listed_record == record) return;
  const auto own_record = identity::verify_record_ignoring_time(record);
  const milliseconds left = own_record ? own_record->expires_at() - now.wall : milliseconds(0);
  registry::Draft draft;
  draft.name = name;
  draft.value = record;
  draft.lifetime = std::clamp(left, registry::kMinLifetime, registry::kMaxLifetime);
  if (held.registry->put(now, draft, held.out)) held.listed_record = record;
}

/// Of a peer that is of no interest now it is read when it is. One that was read already, because somebody asked for it
/// since it is there, has not been heard of by those who wait for it.
void Node::Impl::on_listed_record(Now now, const identity::PeerId& owner) {
  registry_links.bad_records.erase(owner);
  if (!wanted.contains(owner) && contacts.find(owner) == nullptr && records.find(owner) == nullptr) return;
  auto listed = listed_record(owner);
  if (!listed || !identity::verify_signed_record(listed->signed_bytes, now.wall)) return;
  const identity::SignedRecord* held = records.find(owner);
  const bool was_read = held != nullptr && held->signed_bytes == listed->signed_bytes;
  if (!was_read) return learn(now, std::move(*listed), Heard::from_others);
  if (!wanted.contains(owner) || links.is_up(owner)) return;
  reach(now, owner);
  router.on_record(now, owner, router_out);
}

/// Attack: whoever names itself as the sender of many packets, and has put what is no record.
std::optional<identity::SignedRecord> Node::Impl::listed_record(const identity::PeerId& peer) {
  std::optional<identity::SignedRecord> newest;
  if (registry_links.bad_records.contains(peer)) return newest;
  const auto look = [&](const HeldRegistry& held) {
    if (!held.registry || held.registry->replica().size() == 0) return;
    const auto* found = held.registry->replica().find(registry::EntryId::of(peer, peer, registry::kRecordName));
    if (found == nullptr) return;
    Bytes signed_bytes = found->entry().value;
    auto known = identity::verify_record_ignoring_time(signed_bytes);
    if (!known || known->id() != peer) {
      if (registry_links.bad_records.size() < kMaxBadRecords) registry_links.bad_records.insert(peer);
      return;
    }
    if (newest && !identity::is_newer(*known, newest->record)) return;
    newest = identity::SignedRecord{std::move(*known), std::move(signed_bytes)};
  };
  look(open_registry);
  for (const auto& [name, held] : realms.held) look(held.registry);
  return newest;
}

/// A few of them, from a random place on: others find theirs by the DHT, and those who put most shall not be all. What
/// stands in a realm is no answer to questions, which anybody may put. (`with_realms`: to a message that is left.)
void Node::Impl::add_listed(Now now, const std::string& capability, bool with_realms,
                            std::vector<router::Candidate>& candidates) {
  std::set<identity::PeerId> owners;
  registry::Query query;
  query.capability = capability;
  const auto add = [&](const HeldRegistry& held) {
    if (!held.registry) return;
    const registry::Slot start = static_cast<registry::Slot>(realms.rng.below(held.registry->replica().size() + 1));
    for (const registry::Slot from : {start, registry::Slot{0}}) {
      for (const auto& entry : held.registry->find(now, query, from, kMostRead).entries) {
        if (owners.size() == kMostListed) return;
        const identity::PeerId owner = entry.owner_id();
        if (owner == self.id() || !owners.insert(owner).second) continue;
        candidates.push_back(candidate_of(owner, entry.capability));
      }
    }
  };
  for (const auto& [name, held] : realms.held) {
    if (with_realms) add(held.registry);
  }
  add(open_registry);
}

}  // namespace ekiden::node
