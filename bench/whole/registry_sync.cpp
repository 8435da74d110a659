// registry.sync.*: two replicas with a hundred thousand entries that differ in some, and what it costs to make them
// equal.
#include <cmath>
#include <memory>

#include "registry/answers.hpp"
#include "registry/comparison.hpp"
#include "whole/child.hpp"
#include "whole/figure.hpp"
#include "whole/services.hpp"

namespace ekiden::bench {
namespace {

using registry::Entry;
using registry::Replica;

struct Synced {
  std::size_t bytes = 0;    ///< of all messages
  std::size_t entries = 0;  ///< bytes of the entries in them
  std::size_t rounds = 0;
  double cpu = 0;  ///< milliseconds of both sides
};

class Compared {
 public:
  Compared() = default;

  Status fill() {
    for (std::size_t i = 0; i < kEntries; ++i) {
      EKIDEN_TRY(ours_.add(i));
      EKIDEN_TRY(theirs_.add(i));
    }
    return {};
  }

  /// A third is new here, a third there, and of a third one side has a newer version; `of` them, as no run before.
  Status differ(std::size_t of) {
    for (std::size_t i = 0; i < of; ++i) {
      ++fresh_;
      Filled& side = i % 2 == 0 ? ours_ : theirs_;
      EKIDEN_TRY(i % 3 == 2 ? side.add(fresh_ * 13 % kEntries, fresh_) : side.add(kEntries + fresh_));
    }
    return {};
  }

  Result<Synced> compare() {
    Synced synced;
    flow::TokenBucket bucket(flow::Rate{.per_second = 1, .burst = 1'000'000'000});
    const double begin = cpu_seconds();
    registry::Comparison comparison(ours_.config, ours_.replica, ++round_, {1, 2, 3});
    registry::Messages asked = comparison.begin();
    while (!asked.empty()) {
      registry::Messages next;
      std::size_t answers = 0;
      for (const auto& message : asked) {
        EKIDEN_ASSIGN(const auto said, answered(*message, synced, bucket));
        answers += said.size();
        for (const auto& answer : said) {
          EKIDEN_ASSIGN(const auto more, listened(comparison, *answer, synced));
          next.insert(next.end(), more.begin(), more.end());
        }
      }
      if (answers > 0) ++synced.rounds;
      asked = std::move(next);
    }
    synced.cpu = (cpu_seconds() - begin) * 1000;
    if (ours_.replica.trie().digest({}) != theirs_.replica.trie().digest({})) {
      return fail(Errc::internal, "the replicas still differ");
    }
    return synced;
  }

 private:
  Result<registry::Messages> answered(ByteView message, Synced& synced, flow::TokenBucket& bucket) {
    synced.bytes += message.size();
    const ByteView body = message.subspan(1);
    const registry::Budget budget{bucket, Instant(hours(1))};
    const auto type = static_cast<wire::MessageType>(message[0]);
    if (type == wire::MessageType::registry_ask) return answer_ask(theirs_.replica.trie(), body, budget);
    if (type == wire::MessageType::registry_want) return answer_want(theirs_.replica, body, budget);
    EKIDEN_TRY(take(theirs_.replica, body, synced));
    return registry::Messages{};
  }

  Result<registry::Messages> listened(registry::Comparison& comparison, ByteView message, Synced& synced) {
    synced.bytes += message.size();
    const ByteView body = message.subspan(1);
    if (message[0] == static_cast<Byte>(wire::MessageType::registry_places)) return comparison.on_places(body);
    EKIDEN_TRY(take(ours_.replica, body, synced));
    EKIDEN_ASSIGN(const auto entries, wire::decode<registry::Entries>(body));
    return comparison.on_entries(entries);
  }

  /// As a registry does, but for the signatures: what they cost registry.take.rate says.
  static Status take(Replica& replica, ByteView body, Synced& synced) {
    EKIDEN_ASSIGN(const auto message, wire::decode<registry::Entries>(body));
    for (const ByteView bytes : message.entries) {
      synced.entries += bytes.size();
      EKIDEN_ASSIGN(const Entry entry, registry::read_entry(bytes));
      EKIDEN_TRY(replica.put(kWritten, entry, to_bytes(bytes)));
    }
    return {};
  }

  Filled ours_;
  Filled theirs_;
  std::uint32_t fresh_ = 0;
  std::uint32_t round_ = 0;
};

/// One pair of replicas for all of them; each time they differ anew.
Result<Synced> sync(std::size_t differences) {
  static const Result<std::unique_ptr<Compared>> two = []() -> Result<std::unique_ptr<Compared>> {
    auto made = std::make_unique<Compared>();
    EKIDEN_TRY(made->fill());
    EKIDEN_TRY(made->compare());
    return made;
  }();
  if (!two) return std::unexpected(two.error());
  EKIDEN_TRY((*two)->differ(differences));
  return (*two)->compare();
}

template <std::size_t Differences>
Result<Pair> sync_bytes(const Options&) {
  EKIDEN_ASSIGN(const Synced synced, sync(Differences));
  return Pair{static_cast<double>(synced.bytes - synced.entries), static_cast<double>(synced.entries)};
}

template <std::size_t Differences>
Result<Pair> sync_rounds(const Options&) {
  EKIDEN_ASSIGN(const Synced synced, sync(Differences));
  return Pair{static_cast<double>(synced.rounds), std::log2(kEntries) / 4};
}

Result<Pair> sync_cpu(const Options&) {
  EKIDEN_ASSIGN(const Synced synced, sync(10));
  EKIDEN_ASSIGN(const Synced equal, sync(0));
  return Pair{synced.cpu, equal.cpu};
}

template <std::size_t Differences>
void add_sync(std::vector<Figure>& figures) {
  figures.push_back({.name = "registry.sync.bytes." + std::to_string(Differences),
                     .unit = "B",
                     .baseline = "the entries themselves",
                     .bound = "value <= " + std::to_string(2560 + 600 * Differences),
                     .measure = sync_bytes<Differences>});
  figures.push_back({.name = "registry.sync.rounds." + std::to_string(Differences),
                     .unit = "",
                     .baseline = "log16 of the entries",
                     .bound = "value <= baseline + 2",
                     .measure = sync_rounds<Differences>});
}

}  // namespace

std::vector<Figure> registry_sync_figures() {
  std::vector<Figure> figures = {{.name = "registry.sync.cpu",
                                  .unit = "ms",
                                  .baseline = "of replicas that are equal",
                                  .bound = "value <= 50",
                                  .measure = sync_cpu}};
  add_sync<1>(figures);
  add_sync<10>(figures);
  add_sync<100>(figures);
  add_sync<1000>(figures);
  return figures;
}

}  // namespace ekiden::bench
