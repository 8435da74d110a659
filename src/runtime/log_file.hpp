// The write-ahead log of a database as a file: room for it in advance, and an end for what it keeps.
//
// The log is a header of 32 bytes and frames, each a page behind 24 bytes. A frame counts if it and all before it have
// the salt of the header and their checksum, so zeros are the end of a log, and a log that begins with zeros is empty.
// Source: https://www.sqlite.org/walformat.html
#pragma once

#include "base/result.hpp"
#include "runtime/sqlite.hpp"

namespace ekiden::runtime {

/// Gives the log room for so many pages, as zeros behind what is in it.
/// Rationale: a commit that lengthens a file also syncs the file system's books, which doubles its time.
Status extend_log(Database& database, int pages);

/// Overwrites the whole log. REQUIRES: all of it has been copied back, and no statement is under way.
/// Rationale: SQLite begins such a log anew at its next write, but behind the new frames the old ones stay, and with
/// them the keys and messages that have been erased since. Cutting the file off would free its blocks as they are.
Status erase_log(Database& database);

}  // namespace ekiden::runtime
