// Makes a store whose bodies of parcels are damaged whole again, without those that cannot be read.
//
// What a node owes to nobody but itself (keys, messages, numbers) cannot be replaced, and damage there ends the node.
// A body of a parcel can: other mailboxes have copies of it, its sender leaves it again, and its digest, which stands
// in another table, says whether it is what was written. There are so many of them that most damage to a large file
// hits them.
//
// The store is written anew, under another name, and then takes the place of the damaged one.
// Rationale: a tree with wrong pointers must not be written to, for they may lead into other tables; nor may a list of
// free pages that is wrong. Reading both does no harm.
//
// Bounds: as much disk as the store has; the time of reading and writing all of it. Nothing is served meanwhile.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace ekiden::runtime {

struct Mended {
  std::uint64_t kept = 0;   ///< bodies that could be read; whether they are right, their digests say
  std::uint64_t total = 0;  ///< parcels
  std::string text() const;
};

/// REQUIRES: nobody has the store open. A crash in the middle leaves the damaged store or the new one. What the old one
/// held is overwritten. Errors: storage_corrupt (something else is damaged, too: the store is as it was), storage_full,
/// storage_failed, busy.
Result<Mended> mend_store(const std::filesystem::path& path, const char* vfs = nullptr);

}  // namespace ekiden::runtime
