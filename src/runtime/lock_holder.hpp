// Who holds a lock on a file, for errors that a person can act on.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace ekiden::runtime {

/// The process id that holds any lock on the file, from the text of /proc/locks. `inode` is "MAJOR:MINOR:NUMBER" with
/// two hexadecimal digits or more, as the kernel writes it.
std::optional<int> find_lock_holder(std::string_view proc_locks, std::string_view inode);

/// ", held by process 123" or nothing if that cannot be found out. Reads /proc/locks and never opens the file itself:
/// closing a descriptor would drop the POSIX locks that this process may hold on it.
std::string lock_holder_note(const std::filesystem::path& file);

}  // namespace ekiden::runtime
