// Which parcels are dead: no longer kept, and their rows still on the disk.
//
// Erasing a row writes the page anew that it stands on, and its body another one. The parcels that one owner confirms
// are spread over everything that is kept: each would cost two pages that hold nothing else that changes. So numbers
// are taken in segments of kSegment, and of each there is a bit for every number in one small row: what becomes dead
// sets its bit, and the bits of a million parcels are 30 pages. A segment is cleaned, which erases the rows of its dead
// and its bits, when at least half of its bytes are dead, or something in it has been for kMaxDead. Then rows that are
// erased share pages. (Cleaning segments of a log by their share of the living: Rosenblum and Ousterhout, "The Design
// and Implementation of a Log-Structured File System", 1991, §3.)
//
// Inputs: rows of Table::dead; numbers that are kept, dead, gone; time; what was cleaned is on disk. Output: what to
// write, appended to a batch. Timer: kMaxDead after the first of a segment has died.
//
// Bounds: beside each segment that is due there are fewer dead bytes than living ones. Those that are due are cleaned
// by twice as many rows as die meanwhile and kMaxCleaned more with every commit, so that nobody waits for a commit that
// is larger; a segment has about 200 bytes of memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "base/deadline_map.hpp"
#include "base/result.hpp"
#include "mailbox/rows.hpp"
#include "store/batch.hpp"

namespace ekiden::mailbox {

/// Rationale: the bodies of 1 KiB in a segment are on 37 pages; cleaning half of it is a commit of 350 KiB.
inline constexpr std::size_t kSegment = DeadRow::kNumbers;
inline constexpr std::size_t kMaxCleaned = 256;  ///< rows of parcels in one commit, beside twice what has died
inline constexpr Duration kMaxDead = days(1);    ///< then a dead parcel leaves the disk, whatever is beside it

class Segments {
 public:
  /// A row of Table::dead, before those of parcels. Errors: malformed.
  Status load_row(std::uint64_t segment, ByteView value);
  /// A row of parcels that was dead according to those. Otherwise it is false, and the row is one to be kept.
  bool load_dead(std::uint64_t number, std::size_t size);
  /// Call once after the rows.
  void start(Now now);

  /// A parcel that is kept, of `size` bytes. REQUIRES: no other has had its number.
  void add(std::uint64_t number, std::size_t size);
  /// It is no longer kept. REQUIRES: it was added, as the next.
  void bury(Now now, std::uint64_t number, std::size_t size);
  /// Its rows are erased by the caller.
  void remove(std::uint64_t number, std::size_t size);

  /// Those that have died since the last write.
  std::size_t buried() const { return buried_; }
  bool wants_write() const { return !changed_.empty() || !due_.empty(); }
  bool is_any_due() const { return !due_.empty(); }
  /// Appends what there is to write. True if rows are cleaned: on_cleaned() has to follow when that is on disk.
  bool write(store::Batch& batch);
  void on_cleaned();

  std::optional<Instant> deadline() const { return ageing_.earliest(); }
  /// True if a segment has become due.
  bool on_deadline(Now now);

  std::size_t live_bytes() const;
  void check_invariants() const;

 private:
  struct Segment {
    std::size_t live_bytes = 0;
    std::size_t dead_bytes = 0;
    DeadRow::Bits dead{};
    WallTime since{};      ///< the first of them is dead
    bool on_disk = false;  ///< its bits have a row
  };

  std::size_t clean(std::uint64_t number, store::Batch& batch);
  void put(std::uint64_t number, store::Batch& batch);

  std::map<std::uint64_t, Segment> segments_;
  std::map<std::uint64_t, DeadRow> loaded_;  ///< until start()
  std::set<std::uint64_t> changed_;          ///< since they were written
  std::set<std::uint64_t> due_;
  DeadlineMap<std::uint64_t> ageing_;  ///< segments in which something is dead
  std::size_t buried_ = 0;
  std::size_t room_ = kMaxCleaned;  ///< rows that may be cleaned until on_cleaned()
  bool cleaning_ = false;           ///< on_cleaned() has to follow
};

}  // namespace ekiden::mailbox
