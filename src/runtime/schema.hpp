// The layout of ekiden.db, its versions, and the checks before the file is trusted.
//
// Each store::Table is one SQLite table of two columns: `n INTEGER PRIMARY KEY, value BLOB` if its rows are numbered,
// `name BLOB PRIMARY KEY, value BLOB` without rowid if they are named. The header of the file carries our application
// id and, as user_version, the version of this layout. A migration is a list entry that leads from one version to the
// next; what stands in a released migration is never edited.
//
// Rules:
//  - A store is made once, by create_store: under another name, synced, then renamed. A crash in the middle leaves no
//    half-made ekiden.db.
//  - Opening never creates, repairs or deletes: a file that is missing, empty, damaged, of another program or of a
//    newer version is an error that names it. (A node that silently began anew would accept again what it has accepted,
//    reuse numbers that its peers remember, and lose what it had promised to keep.)
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "base/result.hpp"
#include "runtime/sqlite.hpp"
#include "store/batch.hpp"
#include "store/reading.hpp"

namespace ekiden::runtime {

inline constexpr const char* kStoreFile = "ekiden.db";
inline constexpr std::uint64_t kApplicationId = 0x656b6e64;  // "eknd"
/// Of the store and its log, in bytes.
/// Rationale: seven messages of 1 KiB fill such a page, three one of 4 KiB; with larger ones small commits write more.
inline constexpr int kPageSize = 8192;

/// Up to this size the whole file is checked when it is opened. Of a larger one, all but the tables that are read on
/// demand and what only a look at every page would show; who reads single rows of those checks what comes.
inline constexpr std::uint64_t kMaxWholeCheck = std::uint64_t{256} << 20;

struct TableLayout {
  store::Table table{};
  std::string_view name;
  bool numbered = false;
};

/// Every table, in the order of its number.
std::span<const TableLayout> table_layouts();
const TableLayout& layout_of(store::Table table);
/// Its place in table_layouts(): numbers may have gaps.
std::size_t table_index(store::Table table);

/// Scripts: entry i leads from version i to version i + 1, in one transaction.
using Migrations = std::span<const char* const>;
/// Those of this build; their number is the version that it reads and writes.
Migrations released_migrations();

/// Makes an empty store, durably. Errors: already_exists (a store, or the log of a lost one), storage_full,
/// storage_failed; then nothing of it is left. Tests give other `steps`.
Status create_store(const std::filesystem::path& path, const char* vfs = nullptr,
                    Migrations steps = released_migrations());

/// Opens a store, checks it (see kMaxWholeCheck) and brings it to this build's version. A migration that fails leaves
/// the version before it. Errors: not_found, busy, storage_corrupt, storage_full and storage_failed, unsupported (a
/// newer version).
Result<Database> open_store(const std::filesystem::path& path, const char* vfs = nullptr,
                            Migrations steps = released_migrations(), std::uint64_t max_whole_check = kMaxWholeCheck);

}  // namespace ekiden::runtime
