// How rows come back from the store.
//
// What an engine needs at hand is read when the node starts. What may be larger than its memory stays on the disk, and
// single rows are fetched when they are needed: the engine names their numbers, and the driver answers later, in the
// order in which it was asked, with what was committed at some moment between question and answer.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "store/batch.hpp"

namespace ekiden::store {

enum class Reading : std::uint8_t {
  gathered,   ///< at the start, all rows with those of other tables
  streamed,   ///< at the start, after the gathered ones, one row at a time in ascending order: there may be a million
  on_demand,  ///< never but when they are asked for by their numbers
};

constexpr Reading reading_of(Table table) {
  if (table == Table::parcels || table == Table::registry || table == Table::realm_registry) return Reading::streamed;
  return table == Table::bodies ? Reading::on_demand : Reading::gathered;
}

/// These rows of a numbered table are wanted.
struct Fetch {
  Table table{};
  std::vector<std::uint64_t> numbers;
};

struct FetchedRow {
  std::uint64_t number = 0;
  std::optional<Bytes> value;  ///< nothing: there is no such row

  friend bool operator==(const FetchedRow&, const FetchedRow&) = default;
};

/// The answer to one Fetch: its rows, in its order.
struct Fetched {
  Table table{};
  std::vector<FetchedRow> rows;
};

}  // namespace ekiden::store
