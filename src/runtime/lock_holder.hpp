// Who holds a lock on a file, for errors that a person can act on.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace ekiden::runtime {

/// The id of another process than `self` that holds any lock on the file, from the text of /proc/locks. `inode` is
/// "MAJOR:MINOR:NUMBER" with two hexadecimal digits or more, as the kernel writes it. Rationale: who asks has met a
/// lock of somebody else, and has often taken one of its own before.
std::optional<int> find_lock_holder(std::string_view proc_locks, std::string_view inode, int self);

/// ", held by process 123" or nothing if that cannot be found out. `database` is a file of SQLite: its locks are on the
/// file itself, and while it has a write-ahead log also on the index of that, FILE-shm. Reads /proc/locks and never
/// opens the files: closing a descriptor would drop the POSIX locks that this process may hold on them.
std::string lock_holder_note(const std::filesystem::path& database);

}  // namespace ekiden::runtime
