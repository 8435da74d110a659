// registry.*: a replica with a hundred thousand services. Rates are those of one core, without a disk but for the
// restart. What a signature costs stands beside.
#include "registry/registry.hpp"

#include <malloc.h>

#include <filesystem>

#include "registry/packer.hpp"
#include "runtime/schema.hpp"
#include "runtime/sqlite_store.hpp"
#include "whole/child.hpp"
#include "whole/figure.hpp"
#include "whole/services.hpp"

namespace ekiden::bench {
namespace {

using registry::Entry;

constexpr std::size_t kSigned = 4'000;   // of these a run is long enough, and one author may have as many
constexpr std::size_t kAsked = 200'000;  // questions of a run
constexpr std::size_t kPage = 16;

double per_second(std::size_t count, double seconds) { return static_cast<double>(count) / seconds; }

/// A registry of one owner that puts, signing; `count` of its services are new.
Result<double> local_put_rate(std::size_t count) {
  const identity::Identity self(seed_of(kFirstOwner));
  registry::Registry registry(self, roomy(), registry_rng(2));
  registry::Effects out;
  const double begin = cpu_seconds();
  for (std::size_t i = 0; i < count; ++i) {
    EKIDEN_TRY(registry.put({Instant(hours(1)), kWritten}, service(i), out));
    out.take();
  }
  return per_second(count, cpu_seconds() - begin);
}

Result<Pair> put_rate(const Options&) {
  std::vector<std::pair<Entry, Bytes>> entries;
  for (std::size_t i = 0; i < kEntries; ++i) {
    Entry entry = entry_of(i);
    Bytes bytes = bytes_of(entry);
    entries.emplace_back(std::move(entry), std::move(bytes));
  }
  Filled empty;
  const double begin = cpu_seconds();
  for (auto& [entry, bytes] : entries) EKIDEN_TRY(empty.replica.put(kWritten, entry, std::move(bytes)));
  const double took = cpu_seconds() - begin;
  EKIDEN_ASSIGN(const double local, local_put_rate(kSigned));
  return Pair{per_second(kEntries, took), local};
}

/// What others have signed, as it comes over a link.
Result<Pair> take_rate(const Options&) {
  const identity::Identity author(seed_of(kFirstOwner));
  const identity::Identity self(seed_of(kFirstOwner + 1));
  std::vector<Bytes> messages;
  std::vector<Bytes> all;
  for (std::size_t i = 0; i < kSigned; ++i) {
    Entry entry = entry_of(i);
    entry.owner = author.public_key();
    EKIDEN_ASSIGN(all.emplace_back(), registry::sign_entry(author, entry));
  }
  registry::Packer packer(0);
  for (const Bytes& entry : all) packer.add(entry);
  const registry::Messages packed = packer.take(false);
  registry::Registry registry(self, roomy(), registry_rng(2));
  registry::Effects out;
  const Now at{Instant(hours(1)), kWritten};
  registry.on_link_up(at, author.id(), out);
  double begin = cpu_seconds();
  for (const auto& message : packed) {
    EKIDEN_TRY(registry.on_entries(at, author.id(), ByteView(*message).subspan(1), out));
    out.take();
  }
  const double took = cpu_seconds() - begin;
  if (registry.status().shown != kSigned) return fail(Errc::internal, "not all entries were taken");
  begin = cpu_seconds();
  for (const Bytes& bytes : all) EKIDEN_TRY(registry::verify_entry(bytes, *registry::read_entry(bytes)));
  return Pair{per_second(kSigned, took), per_second(kSigned, cpu_seconds() - begin)};
}

/// Without and with decoding what was found.
Result<Pair> get_rate(const Options&) {
  EKIDEN_ASSIGN(const auto full, filled());
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kEntries; ++i) names.push_back(service(i).name);
  const auto ask = [&](auto&& use) -> double {
    const double begin = cpu_seconds();
    for (std::size_t i = 0; i < kAsked; ++i) {
      const std::size_t number = i * 7919 % kEntries;
      const identity::PeerId& owner = owners().ids[number % kOwners];
      use(full->replica.find(registry::EntryId::of(owner, owner, names[number])));
    }
    return per_second(kAsked, cpu_seconds() - begin);
  };
  std::size_t bytes = 0;
  const double found = ask([&](const registry::Held* held) { bytes += held->signed_bytes().size(); });
  const double decoded = ask([&](const registry::Held* held) { bytes += held->entry().value.size(); });
  if (bytes == 0) return fail(Errc::internal, "nothing was found");
  return Pair{found, decoded};
}

Result<Pair> find_rate(const Options&) {
  EKIDEN_ASSIGN(const auto full, filled());
  std::vector<registry::Query> queries;
  for (std::size_t i = 0; i < kEntries / kAlike; ++i) {
    queries.push_back({.name = {}, .capability = capability_of(i * kAlike), .where = {}});
  }
  const auto ask = [&](std::size_t expected) -> Result<double> {
    std::size_t hits = 0;
    const double begin = cpu_seconds();
    for (std::size_t i = 0; i < kAsked; ++i) {
      hits += full->replica.search(queries[i * 7919 % queries.size()], 0, kPage).size();
    }
    const double took = cpu_seconds() - begin;
    if (hits != kAsked * expected) return fail(Errc::internal, "another number was found than there is");
    return per_second(kAsked, took);
  };
  EKIDEN_ASSIGN(const double by_capability, ask(kAlike));
  // One of those with a capability is on this host.
  for (std::size_t i = 0; i < queries.size(); ++i) queries[i].where = {service(i * kAlike).metadata.front()};
  EKIDEN_ASSIGN(const double with_metadata, ask(1));
  return Pair{by_capability, with_metadata};
}

Result<Pair> memory(const Options&) {
  const std::size_t before = mallinfo2().uordblks;
  EKIDEN_ASSIGN(const auto full, filled());
  static_cast<void>(full->replica.trie().digest({}));
  const auto used = static_cast<double>(mallinfo2().uordblks - before);
  const auto own = static_cast<double>(full->replica.bytes());
  return Pair{(used - own) / kEntries, own / kEntries};
}

/// From opening the store until the registry answers, beside reading the rows alone.
Result<Pair> restart(const Options& options) {
  const std::filesystem::path path = options.directory + "/registry.db";
  EKIDEN_TRY(runtime::create_store(path));
  {
    EKIDEN_ASSIGN(auto store, runtime::SqliteStore::open({.path = path}));
    store->start({.on_persisted = [](store::PersistToken) {},
                  .on_fetched = [](const store::Fetched&) {},
                  .on_stalled = [](const Error&) {},
                  .on_resumed = [] {},
                  .on_mended = [](const runtime::Mended&) {},
                  .on_failed = [](const Error&) {}});
    store::Batch batch;
    for (std::size_t i = 0; i < kEntries; ++i) {
      const Entry entry = entry_of(i);
      batch.put(store::Table::registry, entry.id().bytes, bytes_of(entry));
    }
    store->persist(store::PersistToken{1}, std::move(batch));
    if (!store->drain(seconds(60))) return fail(Errc::storage_failed, "the entries are not on disk");
  }
  const auto open_with = [&](const runtime::TableWriter::VisitRow& visit) -> Result<double> {
    const double begin = seconds_now();
    EKIDEN_ASSIGN(auto store, runtime::SqliteStore::open({.path = path}));
    EKIDEN_TRY(store->load(store::Reading::streamed, visit));
    return seconds_now() - begin;
  };
  EKIDEN_ASSIGN(const double alone, open_with([](const store::Key&, ByteView) -> Status { return {}; }));
  const identity::Identity self(seed_of(kFirstOwner));
  registry::Registry registry(self, roomy(), registry_rng(2));
  EKIDEN_ASSIGN(const double loaded,
                open_with([&](const store::Key& key, ByteView value) { return registry.load_row(key.name, value); }));
  const double begin = seconds_now();
  registry::Effects out;
  registry.start({Instant(hours(1)), kWritten}, out);
  static_cast<void>(registry.replica().trie().digest({}));
  const double started = seconds_now() - begin;
  std::filesystem::remove(path);
  if (registry.status().shown != kEntries) return fail(Errc::internal, "not all entries are back");
  return Pair{loaded + started, alone};
}

}  // namespace

std::vector<Figure> registry_figures() {
  std::vector<Figure> figures = {{.name = "registry.put.rate",
                                  .unit = "/s",
                                  .baseline = "a local put, which signs",
                                  .bound = "value >= 50000",
                                  .measure = put_rate},
                                 {.name = "registry.take.rate",
                                  .unit = "/s",
                                  .baseline = "reading and verifying alone",
                                  .bound = "none",
                                  .measure = take_rate},
                                 {.name = "registry.get.rate",
                                  .unit = "/s",
                                  .baseline = "and decoding it",
                                  .bound = "value >= 500000",
                                  .measure = get_rate},
                                 {.name = "registry.find.rate",
                                  .unit = "/s",
                                  .baseline = "and by metadata",
                                  .bound = "value >= 500000",
                                  .measure = find_rate},
                                 {.name = "registry.memory",
                                  .unit = "B",
                                  .baseline = "an entry itself",
                                  .bound = "value <= 1024",
                                  .measure = memory},
                                 {.name = "registry.restart",
                                  .unit = "s",
                                  .baseline = "reading the rows alone",
                                  .bound = "value <= 3",
                                  .measure = restart}};
  for (Figure& figure : registry_sync_figures()) figures.push_back(std::move(figure));
  return figures;
}

}  // namespace ekiden::bench
