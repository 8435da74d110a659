// A file layer (VFS) under SQLite that writes what a commit adds to the write-ahead log in one piece.
//
// SQLite writes each page of a commit in two calls, its frame header and its content. Here they gather, as long as each
// continues the one before, and go to the layer below in one call when the log is synced, read, measured or closed, or
// when kMaxGathered bytes wait. What is large already does not wait. Other files are those of the layer below,
// untouched.
//
// Why this is safe: nothing counts as committed before the sync has succeeded, and the sync writes first what has
// gathered; an error of that write is what the sync returns, and SQLite treats it as it treats an error of its own
// writes: the commit fails, and its frames are written anew. What could not be written stays, and goes first when
// anything else is asked of the log.
//
// Rationale: a commit of 28 pages takes two thirds of the time, for the file system does its bookkeeping (locks, page
// lookups, the time of the last change) once for each call.
//
// Source: https://www.sqlite.org/vfs.html (shims)
#pragma once

#include <cstddef>

namespace ekiden::runtime {

/// Twice what goes to the system in one call. More would save nothing, and memory of this size is kept.
inline constexpr std::size_t kMaxGathered = std::size_t{248} * 1024;

/// The name of this layer above the one named `below` (null: the system's own), registered with SQLite for the rest of
/// the process. Null if SQLite knows none of that name. Thread-safe.
const char* gathering_vfs(const char* below);

}  // namespace ekiden::runtime
