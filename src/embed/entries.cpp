#include "embed/entries.hpp"

#include <algorithm>
#include <utility>

namespace ekiden::embed {
namespace {

constexpr std::size_t kEntriesAtOnce = 256;

std::chrono::system_clock::time_point entry_time(WallTime at) {
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(at.time_since_epoch()));
}

std::vector<registry::Metadata> to_metadata(const std::map<std::string, std::string>& items) {
  std::vector<registry::Metadata> metadata;
  for (const auto& [key, value] : items) metadata.push_back({.key = key, .value = value});
  return metadata;
}

RegistryEntry to_registry_entry(const registry::Registry& registry, Now now, const registry::Entry& entry) {
  RegistryEntry out{.name = entry.name,
                    .owner = PeerId{entry.owner_id().bytes},
                    .author = PeerId{entry.author_id().bytes},
                    .shape = static_cast<EntryShape>(entry.shape),
                    .capability = entry.capability,
                    .metadata = {},
                    .value = std::string(as_text(entry.value)),
                    .writers = {},
                    .elements = {},
                    .written = entry_time(from_unix_ms(entry.stamp.ms)),
                    .expires = entry_time(entry.expires)};
  for (const registry::Metadata& item : entry.metadata) out.metadata.emplace(item.key, item.value);
  for (const registry::Writer& writer : entry.writers) out.writers.push_back(PeerId{writer.id.bytes});
  if (entry.shape != registry::Shape::set) return out;
  if (const auto view = registry.get(now, entry.owner_id(), entry.name)) {
    for (const Bytes& element : view->elements) out.elements.emplace_back(as_text(element));
  }
  return out;
}

bool matches(const registry::Entry& entry, const RegistryQuery& query) {
  return !query.owner || entry.owner_id().bytes == query.owner->bytes;
}

}  // namespace

registry::Draft to_entry_draft(NewEntry entry) {
  registry::Draft draft;
  draft.name = std::move(entry.name);
  if (entry.owner) draft.owner = identity::PeerId{entry.owner->bytes};
  draft.shape = static_cast<registry::Shape>(entry.shape);
  for (const PeerId& writer : entry.writers) draft.writers.push_back(identity::PeerId{writer.bytes});
  draft.capability = std::move(entry.capability);
  draft.metadata = to_metadata(entry.metadata);
  draft.value = to_bytes(as_bytes(entry.value));
  for (const std::string& element : entry.add) draft.add.push_back(to_bytes(as_bytes(element)));
  for (const std::string& element : entry.take) draft.take.push_back(to_bytes(as_bytes(element)));
  draft.lifetime = entry.lifetime;
  draft.renew = entry.renew;
  return draft;
}

std::vector<RegistryEntry> find_entries(const registry::Registry& registry, Now now, const RegistryQuery& query) {
  std::vector<RegistryEntry> found;
  const auto take = [&](const std::vector<registry::Entry>& entries) {
    for (const registry::Entry& entry : entries) {
      if (matches(entry, query)) found.push_back(to_registry_entry(registry, now, entry));
    }
  };
  if (query.name.empty() && query.capability.empty() && query.metadata.empty()) {
    std::optional<registry::EntryId> from;
    for (;;) {
      const auto entries = registry.list(now, from, kEntriesAtOnce);
      take(entries);
      if (entries.size() < kEntriesAtOnce) return found;
      from = entries.back().id();
    }
  }
  const registry::Query wanted{
      .name = query.name, .capability = query.capability, .where = to_metadata(query.metadata)};
  for (std::optional<registry::Slot> from = 0; from;) {
    const auto page = registry.find(now, wanted, *from, kEntriesAtOnce);
    take(page.entries);
    from = page.next;
  }
  return found;
}

}  // namespace ekiden::embed
