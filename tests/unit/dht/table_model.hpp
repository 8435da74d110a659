// The routing table against a flat list with the same rules, under a script. The list is searched from end to end,
// counts bits one by one and sorts everything: it shares no idea with the table but the rules.
//
// Time moves on with every command, so that no two nodes were seen at once and each rule has one result.
#pragma once

#include <algorithm>
#include <vector>

#include "base/check.hpp"
#include "dht/table.hpp"
#include "testing.hpp"

namespace ekiden::dht {

class TableModel {
 public:
  struct Entry {
    identity::PeerId id;
    identity::NodeInfo info;
    Instant last_seen;
    std::size_t failures = 0;
    bool is_live = true;
  };

  TableModel(const identity::PeerId& self, const Config& config) : self_(self), config_(config) {}

  Table::Place confirm(Instant now, const identity::PeerId& id, const identity::NodeInfo& info) {
    if (id == self_) return Table::Place::refused;
    Entry* known = find(id);
    if (known != nullptr && known->is_live) {
      if (known->info.at != info.at && !allows(id, info, known)) {
        leave(*known);
        return Table::Place::refused;
      }
      known->info.at = info.at;
      known->last_seen = now;
      known->failures = 0;
      return Table::Place::known;
    }
    erase(id);
    const Entry fresh{.id = id, .info = info, .last_seen = now};
    if (count(id, true) < config_.k) {
      if (!allows(id, info, nullptr)) return Table::Place::refused;
      entries_.push_back(fresh);
      return Table::Place::added;
    }
    Entry* dead = oldest(id, true, [&](const Entry& entry) { return entry.failures >= config_.max_failures; });
    if (dead != nullptr && allows(id, info, dead)) {
      *dead = fresh;
      return Table::Place::added;
    }
    return keep(fresh);
  }

  void failed(Instant now, const identity::PeerId& id, const identity::SocketAddress& at) {
    Entry* known = find(id);
    if (known == nullptr || known->info.at != at) return;
    if (!known->is_live) return erase(id);
    if (++known->failures < config_.max_failures) return;
    if (!replace(*known) && now - known->last_seen > config_.forget_after) erase(id);
  }

  void remove(const identity::PeerId& id) {
    Entry* known = find(id);
    if (known == nullptr) return;
    if (!known->is_live) return erase(id);
    leave(*known);
  }

  std::vector<identity::PeerId> closest(const Key& target, std::size_t count, bool good) const {
    std::vector<const Entry*> all;
    for (const Entry& entry : entries_) {
      if (entry.is_live && (!good || entry.failures == 0)) all.push_back(&entry);
    }
    std::sort(all.begin(), all.end(), [&](const Entry* a, const Entry* b) {
      for (std::size_t i = 0; i < 32; ++i) {
        const int left = a->id.bytes[i] ^ target.bytes[i];
        const int right = b->id.bytes[i] ^ target.bytes[i];
        if (left != right) return left < right;
      }
      return false;
    });
    std::vector<identity::PeerId> ids;
    for (std::size_t i = 0; i < std::min(count, all.size()); ++i) ids.push_back(all[i]->id);
    return ids;
  }

  std::size_t live_count() const {
    return static_cast<std::size_t>(
        std::count_if(entries_.begin(), entries_.end(), [](const Entry& e) { return e.is_live; }));
  }
  std::size_t spare_count() const { return entries_.size() - live_count(); }
  bool has_live(const identity::PeerId& id) const {
    return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.is_live && e.id == id; });
  }

 private:
  std::size_t bucket(const identity::PeerId& id) const {
    std::size_t bits = 0;
    while (bits < 256 && (id.bytes[bits / 8] >> (7 - bits % 8) & 1) == (self_.bytes[bits / 8] >> (7 - bits % 8) & 1))
      ++bits;
    return bits;
  }

  Entry* find(const identity::PeerId& id) {
    for (Entry& entry : entries_) {
      if (entry.id == id) return &entry;
    }
    return nullptr;
  }

  void erase(const identity::PeerId& id) {
    std::erase_if(entries_, [&](const Entry& entry) { return entry.id == id; });
  }

  std::size_t count(const identity::PeerId& near, bool live) const {
    return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
      return entry.is_live == live && bucket(entry.id) == bucket(near);
    }));
  }

  std::size_t count_prefix(const identity::PeerId& near, const identity::NodeInfo& info, bool live, bool anywhere,
                           const Entry* leaving) const {
    std::size_t found = 0;
    for (const Entry& entry : entries_) {
      const bool here = anywhere || bucket(entry.id) == bucket(near);
      const bool same = identity::prefix_of(entry.info.at.ip) == identity::prefix_of(info.at.ip);
      if (&entry != leaving && entry.is_live == live && here && same) ++found;
    }
    return found;
  }

  bool allows(const identity::PeerId& near, const identity::NodeInfo& info, const Entry* leaving) const {
    return count_prefix(near, info, true, false, leaving) < config_.max_prefix_in_bucket &&
           count_prefix(near, info, true, true, leaving) < config_.max_prefix_in_table;
  }

  template <class Wanted>
  Entry* oldest(const identity::PeerId& near, bool live, Wanted&& wanted) {
    Entry* found = nullptr;
    for (Entry& entry : entries_) {
      if (entry.is_live != live || bucket(entry.id) != bucket(near) || !wanted(entry)) continue;
      if (found == nullptr || entry.last_seen < found->last_seen) found = &entry;
    }
    return found;
  }

  Table::Place keep(Entry spare) {
    spare.is_live = false;
    if (count_prefix(spare.id, spare.info, false, false, nullptr) >= config_.max_prefix_in_bucket)
      return Table::Place::refused;
    if (count(spare.id, false) >= config_.spares) {
      erase(identity::PeerId(oldest(spare.id, false, [](const Entry&) { return true; })->id));
    }
    entries_.push_back(spare);
    return Table::Place::spare;
  }

  /// The newest spare that may stand in its place.
  bool replace(Entry& leaving) {
    Entry* best = nullptr;
    for (Entry& entry : entries_) {
      if (entry.is_live || bucket(entry.id) != bucket(leaving.id) || !allows(entry.id, entry.info, &leaving)) continue;
      if (best == nullptr || entry.last_seen > best->last_seen) best = &entry;
    }
    if (best == nullptr) return false;
    best->is_live = true;
    erase(identity::PeerId(leaving.id));
    return true;
  }

  void leave(Entry& entry) {
    if (!replace(entry)) erase(identity::PeerId(entry.id));
  }

  identity::PeerId self_;
  Config config_;
  std::vector<Entry> entries_;
};

/// Three bytes are a command. CHECKs that table and model agree after each.
inline void play_table(ByteView script) {
  constexpr std::size_t kNodes = 96;
  Config config;
  config.k = 4;
  config.spares = 3;
  config.max_prefix_in_bucket = 2;
  config.max_prefix_in_table = 5;
  config.forget_after = hours(1);
  const identity::PeerId self = fake_node(1000).id();
  Table table(self, config);
  TableModel model(self, config);
  std::vector<const Contact*> near;
  Duration time{};
  for (std::size_t i = 0; i + 2 < script.size() && i < 3000; i += 3) {
    // Twelve networks, so that their limits are met; a node may show itself at two addresses.
    const std::size_t number = script[i + 1] % kNodes;
    identity::NodeInfo node = fake_node(number);
    node.at = test_address((number + script[i + 2] / 128 * 5) % 12, static_cast<Byte>(number));
    const identity::PeerId id = node.id();
    time += milliseconds(1) + (script[i] / 8 % 8 == 7 ? Duration(minutes(script[i + 2])) : Duration{});
    switch (script[i] % 8) {
      case 0:
      case 1:
      case 2:
        CHECK(table.confirm(at(time).mono, id, node) == model.confirm(at(time).mono, id, node));
        break;
      case 3:
        if (table.seen(at(time).mono, id, node.at)) model.confirm(at(time).mono, id, node);
        break;
      case 4:
      case 5:
        table.failed(at(time).mono, id, node.at);
        model.failed(at(time).mono, id, node.at);
        break;
      case 6:
        table.remove(id);
        model.remove(id);
        break;
      default:
        break;
    }
    table.check_invariants();
    CHECK(table.size() == model.live_count() && table.spare_count() == model.spare_count());
    CHECK((table.find(id) != nullptr) == model.has_live(id));
    const Key target = Key::of(fake_node(script[i + 2]).id());
    const std::size_t count = script[i] / 8 % 16;
    table.closest(target, count, script[i] % 2 == 0, near);
    std::vector<identity::PeerId> ids;
    for (const Contact* contact : near) ids.push_back(contact->id);
    CHECK(ids == model.closest(target, count, script[i] % 2 == 0));
  }
}

}  // namespace ekiden::dht
