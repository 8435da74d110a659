// Small files written so that a crash leaves the old state or the new one, readable by their owner alone.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ekiden::runtime {

/// The error of a system call. `what` is a verb phrase with its object: "create /home/a/ekiden/lock".
Error system_error(std::string_view what, int error_number);

/// Makes a directory (0700), its parents as the umask says. Errors: already_exists.
Status make_private_directory(const std::filesystem::path& path);

/// Creates (0600), writes and syncs. Never overwrites and never follows a link. Errors: already_exists, storage_full …
Status write_new_file(const std::filesystem::path& path, ByteView content);

/// Writes under another name (0600), syncs, renames over `path`, syncs the directory.
Status replace_file(const std::filesystem::path& path, ByteView content);

/// Renames and syncs the directory.
Status rename_file(const std::filesystem::path& from, const std::filesystem::path& to);

Status sync_directory(const std::filesystem::path& path);

struct FileText {
  std::string text;
  ::mode_t mode = 0;
};

/// Reads a whole regular file. Errors: not_found, too_large (over `max_size`), refused (not a regular file) …
Result<FileText> read_file(const std::filesystem::path& path, std::size_t max_size);

}  // namespace ekiden::runtime
