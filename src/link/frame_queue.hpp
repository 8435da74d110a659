// What waits to be sent on one link: five queues of message frames, one per priority.
//
// Frames lie one after another in blocks, with room for the record header in front, so that a block becomes a record
// without being copied: a message is copied once on its way out. A block holds at most one frame of the largest size,
// or many small ones of together no more.
//
// Latency rule: a critical frame waits for at most one block. So records are made only when the one before was pulled
// (the caller's part), a record is one block, and only small blocks of different priorities are put together.
//
// Serving is strictly by priority. Rationale: bulk classes may starve while urgent traffic fills a link, and that is
// what their names ask for; nothing is lost, for a queue that does not move fills up and its senders are told.
//
// Bounds: kept bytes (with frame headers) at most max_bytes; push refuses more. An empty queue owns no heap memory.
#pragma once

#include <array>
#include <list>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "link/frame.hpp"
#include "link/record.hpp"
#include "wire/priority.hpp"

namespace ekiden::link {

class FrameQueue {
 public:
  /// Frames of one record: the largest message and its header.
  static constexpr std::size_t kMaxBlock = kFrameHeader + kMaxMessage;
  /// Blocks are put together in one record only up to this size: two or three network packets.
  static constexpr std::size_t kMaxJoined = 4 * 1024;

  /// REQUIRES: 1 <= message.size() <= kMaxMessage. Errors: limit_exceeded.
  Status push(wire::Priority priority, ByteView message, std::size_t max_bytes);

  /// The next record's buffer: kRecordHeader bytes of room and the most urgent frames; empty if nothing waits.
  Bytes pop();

  /// Takes over everything that waits in another queue, behind what is here. The sum may exceed max_bytes: nothing that
  /// was accepted is dropped.
  void take_all(FrameQueue& other);

  void clear();

  bool empty() const { return bytes_ == 0; }
  /// Frame bytes that wait.
  std::size_t bytes() const { return bytes_; }

  void check_invariants() const;

 private:
  using Blocks = std::list<Bytes>;
  Blocks* most_urgent();

  std::array<Blocks, wire::kPriorities> blocks_;
  std::size_t bytes_ = 0;
};

}  // namespace ekiden::link
