// What lists and the configuration bring: which nodes of them are new, which are known, and which are turned away.
#include <algorithm>
#include <utility>

#include "bootstrap/bootstrap.hpp"

namespace ekiden::bootstrap {
namespace {

using Endpoints = std::vector<identity::Endpoint>;

/// Those of `first`, then those of `then` that are not among them, at most `most`.
Endpoints merged(Endpoints first, const Endpoints& then, std::size_t most) {
  for (const auto& endpoint : then) {
    if (std::ranges::find(first, endpoint) == first.end()) first.push_back(endpoint);
  }
  if (first.size() > most) first.resize(most);
  return first;
}

bool includes_all(const Endpoints& all, const Endpoints& some) {
  return std::ranges::all_of(some, [&](const auto& endpoint) { return std::ranges::find(all, endpoint) != all.end(); });
}

Seed seed_of(const ListedNode& node) {
  return {.id = node.id(), .public_key = node.public_key, .endpoints = node.known_endpoints()};
}

}  // namespace

std::string Bootstrap::Harvest::text() const {
  std::string out = std::to_string(taken) + " new";
  const auto add = [&out](std::size_t number, std::string_view what) {
    if (number > 0) out += ", " + std::to_string(number) + " " + std::string(what);
  };
  add(known, "known already");
  add(self, "of itself or of this node");
  add(unusable, "without an address that may be dialled");
  add(buried, "found dead before");
  add(over_cap, "over the limits");
  return out;
}

void Bootstrap::add_seeds(Now now, std::string_view source, const std::vector<Seed>& seeds, Effects& out) {
  CHECK(!source.empty());
  const Teller teller{.source = std::string(source)};
  Harvest harvest;
  for (const Seed& seed : seeds) hear_of(now, teller, seed, harvest);
  out.push(Notice{Notice::Kind::source_taken, {}, teller.source + ": " + harvest.text()});
  pump(now, out);
}

void Bootstrap::add_list(Now now, std::string_view source, ByteView signed_list, Effects& out) {
  CHECK(!source.empty());
  const auto refuse = [&](const identity::PeerId& signer, std::string_view why) {
    out.push(Notice{Notice::Kind::source_refused, signer, std::string(source) + ": " + std::string(why)});
  };
  const auto list = verify_list(signed_list, now.wall);
  if (!list) return refuse({}, list.error().message);
  const identity::PeerId signer = list->signer();
  if (config_.trusted_signers && !config_.trusted_signers->contains(signer)) {
    return refuse(signer, "the list of " + signer.text() + " is not used: it is not one of the trusted signers");
  }
  const Teller teller{.source = std::string(source), .signer = signer};
  Harvest harvest;
  for (const ListedNode& node : list->nodes) hear_of(now, teller, seed_of(node), harvest);
  out.push(Notice{Notice::Kind::source_taken, signer,
                  teller.source + ": the list of " + signer.short_text() + ": " + harvest.text()});
  pump(now, out);
}

Result<NodeList> Bootstrap::check_own_list(Now now, const identity::PeerId& node, ByteView signed_list) const {
  EKIDEN_ASSIGN(NodeList list, verify_list(signed_list, now.wall));
  if (list.signer() != node) {
    return fail(Errc::refused, "the bootstrap list is signed by " + list.signer().short_text() + ", not by the node");
  }
  const std::uint64_t seen = table_.find(node)->list_sequence;
  if (list.sequence < seen) {
    return fail(Errc::refused, "the bootstrap list has the sequence " + std::to_string(list.sequence) +
                                   ", older than the " + std::to_string(seen) + " seen before");
  }
  return list;
}

void Bootstrap::take_list(Now now, const identity::PeerId& node, ByteView signed_list, Effects& out) {
  Entry& entry = *table_.find(node);
  const auto list = check_own_list(now, node, signed_list);
  if (!list) {
    ++entry.bad_lists;
    out.push(Notice{Notice::Kind::list_refused, node, node.short_text() + ": " + list.error().message});
    return;
  }
  entry.bad_lists = 0;
  entry.list_sequence = list->sequence;
  const Teller teller{.source = {}, .signer = node, .depth = entry.depth + 1};
  Harvest harvest;
  for (const ListedNode& listed : list->nodes) hear_of(now, teller, seed_of(listed), harvest);
  out.push(Notice{Notice::Kind::list_taken, node, node.short_text() + " lists: " + harvest.text()});
}

/// The addresses that may be dialled when they come from there, each once. Names are judged once they are resolved.
Endpoints Bootstrap::usable(const Endpoints& endpoints, identity::LearnedFrom from) const {
  Endpoints out;
  for (const auto& endpoint : endpoints) {
    const auto address = endpoint.address();
    if (address && !identity::may_dial(*address, from)) continue;
    if (std::ranges::find(out, endpoint) == out.end()) out.push_back(endpoint);
  }
  return out;
}

void Bootstrap::hear_of(Now now, const Teller& teller, const Seed& seed, Harvest& harvest) {
  if (seed.id == self_ || (!teller.is_owner() && seed.id == teller.signer)) {
    ++harvest.self;
    return;
  }
  Seed heard = seed;
  heard.endpoints =
      usable(seed.endpoints, teller.is_owner() ? identity::LearnedFrom::configuration : config_.listed_as);
  const bool key_fits = seed.public_key && identity::PeerId::of(*seed.public_key) == seed.id;
  if (!key_fits) heard.public_key.reset();
  // A datagram is sealed for a key, and goes to an address.
  std::erase_if(heard.endpoints, [&](const auto& e) { return e.is_udp() && (!key_fits || !e.address()); });
  if (heard.endpoints.empty()) {
    ++harvest.unusable;
    return;
  }
  if (table_.find(seed.id) != nullptr) return hear_again(now, teller, heard, harvest);
  if (!teller.is_owner()) {
    std::erase_if(heard.endpoints, [&](const auto& endpoint) { return was_dead_at(now.mono, seed.id, endpoint); });
    if (heard.endpoints.empty()) {
      ++harvest.buried;
      return;
    }
  }
  Entry entry{.endpoints = merged({}, heard.endpoints, config_.max_endpoints),
              .depth = teller.depth,
              .source = teller.source,
              .signer = teller.signer};
  entry.public_key = heard.public_key;
  entry.named_by_owner = teller.is_owner();
  ++(admit(now, seed.id, std::move(entry)) ? harvest.taken : harvest.over_cap);
}

bool Bootstrap::admit(Now now, const identity::PeerId& node, Entry entry) {
  entry.claimed = places_of(entry.endpoints);
  NodeTable::Room room = table_.room_for(entry);
  if (room == NodeTable::Room::table_full || room == NodeTable::Room::depth_full) {
    const auto is_busy = [this](const identity::PeerId& other) { return schedule_.is_probing(other); };
    if (const auto leaving = table_.giving_way(entry, room, is_busy)) {
      remove(now, *leaving);
      room = table_.room_for(entry);
    }
  }
  if (room != NodeTable::Room::enough) return false;
  const Entry& admitted = table_.insert(node, std::move(entry));
  schedule_.plan(node, admitted.depth, first_probe_at(now));
  return true;
}

/// A node that is known already.
void Bootstrap::hear_again(Now now, const Teller& teller, const Seed& seed, Harvest& harvest) {
  Entry& entry = *table_.find(seed.id);
  if (!entry.public_key) entry.public_key = seed.public_key;
  if (teller.is_owner()) return name_by_owner(now, teller, seed, harvest);
  ++harvest.known;
  pull_nearer(now, seed.id, teller.depth);
  const bool doubtful = entry.failures > 0 || !entry.standing.was_reached();
  if (entry.named_by_owner || !doubtful || includes_all(entry.endpoints, seed.endpoints)) return;
  const auto room = table_.change(seed.id, [&](Entry& changed) {
    changed.endpoints = merged(seed.endpoints, changed.endpoints, config_.max_endpoints);
  });
  if (room != NodeTable::Room::enough) return;
  entry.next_endpoint = 0;
  const auto planned = schedule_.planned_at(seed.id);
  if (!planned || is_newcomer(entry)) return;
  schedule_.plan(seed.id, entry.depth, std::min(*planned, now.mono + config_.retry_min));
}

/// The owner names a node that is known: it is configured from now on, and his addresses replace those of others.
void Bootstrap::name_by_owner(Now now, const Teller& teller, const Seed& seed, Harvest& harvest) {
  Entry& entry = *table_.find(seed.id);
  const auto room = table_.change(seed.id, [&](Entry& changed) {
    const bool keep = changed.named_by_owner;
    changed.endpoints = merged(keep ? changed.endpoints : Endpoints(), seed.endpoints, config_.max_endpoints);
    if (changed.is_configured()) return;
    changed.source = teller.source;
    changed.signer = teller.signer;
    changed.depth = 0;
    changed.named_by_owner = true;
  });
  if (room != NodeTable::Room::enough) {
    ++harvest.over_cap;
    return;
  }
  ++harvest.known;
  entry.next_endpoint = 0;
  if (schedule_.is_probing(seed.id)) return;
  const auto planned = schedule_.planned_at(seed.id);
  const Instant first = planned ? *planned : first_probe_at(now);
  schedule_.plan(seed.id, 0, is_newcomer(entry) ? first : now.mono);
}

/// A shorter way to a known node was found. It is asked for its list anew, so that what lies behind it comes nearer
/// too.
void Bootstrap::pull_nearer(Now now, const identity::PeerId& node, std::uint32_t depth) {
  Entry& entry = *table_.find(node);
  if (entry.is_configured() || entry.depth <= depth) return;
  const auto room = table_.change(node, [&](Entry& changed) { changed.depth = depth; });
  if (room != NodeTable::Room::enough) return;
  entry.list_due = Instant::min();
  const auto planned = schedule_.planned_at(node);
  if (planned) schedule_.plan(node, depth, entry.up ? now.mono : *planned);
}

}  // namespace ekiden::bootstrap
