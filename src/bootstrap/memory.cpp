// What is remembered: rows of the store, and the dead.
#include <algorithm>
#include <utility>

#include "bootstrap/bootstrap.hpp"
#include "bootstrap/rows.hpp"

namespace ekiden::bootstrap {
namespace {

std::unexpected<Error> corrupt(const std::string& what) {
  return fail(Errc::storage_corrupt, "a row of the table bootstrap " + what);
}

Standing standing_of(const NodeRow& row) {
  return {.outcomes = row.outcomes,
          .probes = row.probes,
          .latency = microseconds(static_cast<std::int64_t>(row.latency_us)),
          .first_reached = row.first_reached,
          .last_reached = row.last_reached};
}

}  // namespace

Result<std::pair<identity::PeerId, Entry>> Bootstrap::read_row(const store::Row& row) const {
  auto read = wire::decode<NodeRow>(row.value);
  if (!read) return corrupt("cannot be read: " + read.error().message);
  const identity::PeerId node = identity::PeerId::of(read->public_key);
  if (to_bytes(node.view()) != row.key.name) return corrupt("has the key of another node");
  const auto most = static_cast<std::uint64_t>(kMaxLatency.count());
  if (read->latency_us == 0 || read->latency_us > most || !standing_of(*read).is_sound()) {
    return corrupt("contradicts itself: " + node.text());
  }
  const auto from = read->named_by_owner ? identity::LearnedFrom::configuration : config_.listed_as;
  Entry entry{.endpoints = usable(read->endpoints, from),
              .depth = read->depth,
              .signer = read->signer,
              .standing = standing_of(*read)};
  if (entry.endpoints.size() > config_.max_endpoints) entry.endpoints.resize(config_.max_endpoints);
  if (!entry.endpoints.empty()) entry.place = place_of(entry.endpoints.front());
  entry.public_key = read->public_key;
  entry.named_by_owner = read->named_by_owner;
  entry.stored = true;
  entry.strikes = read->strikes;
  entry.list_sequence = read->list_sequence;
  return std::pair(node, std::move(entry));
}

Status Bootstrap::load(const std::vector<store::Row>& rows) {
  CHECK(!started_ && table_.size() == 0);
  std::vector<std::pair<identity::PeerId, Entry>> read;
  for (const store::Row& row : rows) {
    if (row.key.table != store::Table::bootstrap) continue;
    EKIDEN_ASSIGN(auto item, read_row(row));
    read.push_back(std::move(item));
  }
  // The best first, so that caps that have become smaller turn away the worst.
  std::ranges::sort(read, [](const auto& a, const auto& b) {
    const auto first = score_of(a.second.standing, 1);
    const auto second = score_of(b.second.standing, 1);
    return first != second ? first > second : a.first < b.first;
  });
  for (auto& [node, entry] : read) {
    const bool fits = node != self_ && entry.depth <= config_.max_depth && !entry.endpoints.empty() &&
                      table_.find(node) == nullptr && table_.room_for(entry) == NodeTable::Room::enough;
    if (fits) {
      table_.insert(node, std::move(entry));
    } else {
      erased_.insert(node);
    }
  }
  return {};
}

void Bootstrap::put_row(const identity::PeerId& node, const Entry& entry, store::Batch& batch) {
  CHECK(entry.public_key.has_value());
  const NodeRow row{.public_key = *entry.public_key,
                    .endpoints = entry.endpoints,
                    .named_by_owner = entry.named_by_owner,
                    .depth = entry.depth,
                    .signer = entry.signer,
                    .outcomes = entry.standing.outcomes,
                    .probes = entry.standing.probes,
                    .latency_us = static_cast<std::uint64_t>(entry.standing.latency.count()),
                    .first_reached = entry.standing.first_reached,
                    .last_reached = entry.standing.last_reached,
                    .strikes = entry.strikes,
                    .list_sequence = entry.list_sequence};
  batch.put(store::Table::bootstrap, node.view(), wire::encode(row));
}

void Bootstrap::touch(Now now, const identity::PeerId& node) {
  dirty_.insert(node);
  if (!flush_at_) flush_at_ = now.mono + config_.flush_interval;
}

void Bootstrap::flush(Effects& out) {
  flush_at_.reset();
  store::Batch batch;
  for (const auto& node : erased_) batch.erase(store::Table::bootstrap, node.view());
  for (const auto& node : dirty_) {
    Entry& entry = *table_.find(node);
    put_row(node, entry, batch);
    entry.stored = true;
  }
  erased_.clear();
  dirty_.clear();
  if (!batch.empty()) out.push(Write{std::move(batch)});
}

store::Batch Bootstrap::snapshot() const {
  store::Batch batch;
  for (const auto& [node, entry] : table_) {
    if (entry.standing.was_reached()) put_row(node, entry, batch);
  }
  return batch;
}

void Bootstrap::remove(Now now, const identity::PeerId& node) {
  if (table_.find(node)->stored) {
    erased_.insert(node);
    if (!flush_at_) flush_at_ = now.mono + config_.flush_interval;
  }
  dirty_.erase(node);
  schedule_.forget(node);
  table_.remove(node);
}

/// Removes a dead node and remembers where it was dead. The graves that would be forgotten first make room.
void Bootstrap::bury(Now now, const identity::PeerId& node) {
  std::erase_if(buried_, [&](const auto& item) { return item.second.until <= now.mono; });
  Grave grave{.until = now.mono + config_.burial, .endpoints = table_.find(node)->endpoints};
  remove(now, node);
  if (config_.max_buried == 0) return;
  if (buried_.size() >= config_.max_buried && !buried_.contains(node)) {
    buried_.erase(std::ranges::min_element(buried_, {}, [](const auto& item) { return item.second.until; }));
  }
  buried_.insert_or_assign(node, std::move(grave));
}

bool Bootstrap::was_dead_at(Instant now, const identity::PeerId& node, const identity::Endpoint& endpoint) const {
  const auto found = buried_.find(node);
  return found != buried_.end() && found->second.until > now &&
         std::ranges::find(found->second.endpoints, endpoint) != found->second.endpoints.end();
}

}  // namespace ekiden::bootstrap
