// What became of messages: the bounded memory behind trace() for everything that is settled.
//
// Inputs: add (a group of messages settled together, by one receipt or by expiry), load. Output: rows of Table::history
// in the caller's batch, one for each group, so that a thousand receipts a second do not become a thousand rows; trace
// entries on request. Bounds: `max_messages` over all groups; when it is passed, the oldest whole groups go, so that a
// row on disk is either complete or gone. Invariant: memory and Table::history hold the same groups.
//
// A second instance without a batch keeps the story of volatile messages, apart, so that they never push a durable
// message's receipt out.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/lookup_table.hpp"
#include "router/rows.hpp"
#include "store/batch.hpp"

namespace ekiden::router {

class History {
 public:
  explicit History(std::size_t max_messages) : max_messages_(max_messages) {}

  /// Call in ascending order of numbers. Errors: storage_corrupt.
  Status load_row(std::uint64_t number, ByteView value);

  /// Appends the row, and what it pushes out, to `batch` unless that is null.
  void add(HistoryRow row, store::Batch* batch);

  /// Erases the oldest groups while there are too many messages (the limit may have been lowered since they were kept).
  void trim(store::Batch* batch);

  /// The row added last. REQUIRES: there is one.
  const HistoryRow& last_row() const { return groups_.back().row; }

  const HistoryEntry* find(const MessageId& id) const;
  std::optional<Trace> trace(const MessageId& id) const;

  /// Newest first, until `out` has `limit` entries.
  void newest(std::size_t limit, const OutgoingFilter& filter, std::vector<Trace>& out) const;

  std::size_t size() const { return messages_; }
  void check_invariants() const;

 private:
  struct Group {
    std::uint64_t number = 0;
    HistoryRow row;
  };
  struct Place {
    std::uint64_t number = 0;
    std::size_t entry = 0;
  };

  void insert(std::uint64_t number, HistoryRow row);
  void pop_oldest();
  const Group& group(std::uint64_t number) const;
  static Trace describe(const HistoryRow& row, const HistoryEntry& entry);

  std::size_t max_messages_;
  std::size_t messages_ = 0;
  std::uint64_t next_number_ = 1;
  std::deque<Group> groups_;  ///< ascending numbers
  LookupTable<MessageId, Place, UuidHash> places_;
};

}  // namespace ekiden::router
