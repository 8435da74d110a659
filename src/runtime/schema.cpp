#include "runtime/schema.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "base/check.hpp"
#include "runtime/files.hpp"

namespace ekiden::runtime {
namespace {

constexpr std::array<TableLayout, 21> kTables = {{
    {store::Table::meta, "meta", false},
    {store::Table::contacts, "contacts", false},
    {store::Table::records, "records", false},
    {store::Table::prekeys, "prekeys", true},
    {store::Table::sessions, "sessions", false},
    {store::Table::outbox, "outbox", true},
    {store::Table::inbox, "inbox", true},
    {store::Table::windows, "windows", false},
    {store::Table::history, "history", true},
    {store::Table::nodes, "nodes", false},
    {store::Table::values, "dht_values", false},
    {store::Table::bootstrap, "bootstrap", false},
    {store::Table::parcels, "parcels", true},
    {store::Table::deposits, "deposits", true},
    {store::Table::packets, "packets", true},
    {store::Table::standings, "standings", false},
    {store::Table::bodies, "bodies", true},
    {store::Table::dead, "dead", true},
    {store::Table::registry, "registry", false},
    {store::Table::realms, "realms", false},
    {store::Table::realm_registry, "realm_registry", false},
}};

constexpr std::array<const char*, 10> kMigrations = {{
    "CREATE TABLE meta (name BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE contacts (name BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE records (name BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE prekeys (n INTEGER PRIMARY KEY, value BLOB NOT NULL);"
    "CREATE TABLE sessions (name BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE outbox (n INTEGER PRIMARY KEY, value BLOB NOT NULL);"
    "CREATE TABLE inbox (n INTEGER PRIMARY KEY, value BLOB NOT NULL);"
    "CREATE TABLE windows (name BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE history (n INTEGER PRIMARY KEY, value BLOB NOT NULL);",

    "CREATE TABLE nodes (name BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE dht_values (name BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;",

    "CREATE TABLE bootstrap (name BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;",

    "CREATE TABLE parcels (n INTEGER PRIMARY KEY, value BLOB NOT NULL);"
    "CREATE TABLE deposits (n INTEGER PRIMARY KEY, value BLOB NOT NULL);",

    "CREATE TABLE packets (n INTEGER PRIMARY KEY, value BLOB NOT NULL);",

    "CREATE TABLE standings (name BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;",

    // The mailbox moves what is in its rows of before (mailbox/rows.hpp).
    "CREATE TABLE bodies (n INTEGER PRIMARY KEY, value BLOB NOT NULL);",

    "CREATE TABLE dead (n INTEGER PRIMARY KEY, value BLOB NOT NULL);",

    "CREATE TABLE registry (name BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;",

    "CREATE TABLE realms (name BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE realm_registry (name BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;",
}};

std::unexpected<Error> corrupt(const std::filesystem::path& path, std::string_view what) {
  return fail(Errc::storage_corrupt,
              path.string() + " " + std::string(what) +
                  ": keep the file, check the disk, and restore the data directory from a backup; "
                  "nothing was changed");
}

/// What SQLite would take for a new database, and we must not.
Status check_present(const std::filesystem::path& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) {
      return fail(Errc::not_found,
                  path.string() +
                      " is missing: restore it from a backup; what this node had accepted and not delivered is "
                      "in it. To go on without it, start once with `ekiden up --new-store`");
    }
    return std::unexpected(system_error("look at " + path.string(), errno));
  }
  if (!S_ISREG(info.st_mode)) return corrupt(path, "is not a regular file");
  if (info.st_size == 0) return corrupt(path, "is empty");
  return {};
}

Status configure(Database& database) {
  // Exclusive: one process owns the file, so the index of the log lives in memory and a commit takes no file locks.
  EKIDEN_TRY(database.execute("PRAGMA locking_mode = EXCLUSIVE"));
  EKIDEN_TRY(database.execute("PRAGMA journal_mode = WAL"));
  EKIDEN_TRY(database.execute("PRAGMA synchronous = FULL"));
  // Checkpoints are ours to time: see sqlite_store.hpp.
  EKIDEN_TRY(database.execute("PRAGMA wal_autocheckpoint = 0"));
  EKIDEN_TRY(database.execute("PRAGMA journal_size_limit = 33554432"));
  // In KiB: the inner pages of the bodies of a million parcels, 2 MiB, stay in it while leaves pass through.
  EKIDEN_TRY(database.execute("PRAGMA cache_size = -4096"));
  EKIDEN_TRY(database.execute("PRAGMA temp_store = MEMORY"));
  EKIDEN_TRY(database.execute("PRAGMA trusted_schema = OFF"));
  // Rows are keys and messages: what is erased is overwritten.
  EKIDEN_TRY(database.execute("PRAGMA secure_delete = ON"));
  return database.execute("PRAGMA cell_size_check = ON");
}

Status migrate(Database& database, std::uint64_t from, Migrations steps) {
  for (std::uint64_t version = from; version < steps.size(); ++version) {
    const std::string script = "BEGIN IMMEDIATE;" + std::string(steps[version]) +
                               "PRAGMA application_id = " + std::to_string(kApplicationId) +
                               ";PRAGMA user_version = " + std::to_string(version + 1) + ";COMMIT";
    auto done = database.execute(script.c_str(), "bring the store to version " + std::to_string(version + 1));
    if (done) continue;
    if (database.in_transaction()) static_cast<void>(database.execute("ROLLBACK"));
    return done;
  }
  return {};
}

Status check_identity(Database& database, Migrations steps) {
  EKIDEN_ASSIGN(const std::uint64_t application, database.query_number("PRAGMA application_id"));
  if (application != kApplicationId) return corrupt(database.path(), "is not an Ekiden store");
  EKIDEN_ASSIGN(const std::uint64_t version, database.query_number("PRAGMA user_version"));
  if (version > steps.size()) {
    return fail(Errc::unsupported, database.path().string() + " was made by a newer ekiden (its version is " +
                                       std::to_string(version) + ", this build knows " + std::to_string(steps.size()) +
                                       "): run that one, or a newer one");
  }
  if (version == 0) return corrupt(database.path(), "has no version");
  return {};
}

/// A finding of SQLite without the heading that it puts on a line of its own, "*** in database main ***".
std::string in_one_line(std::string_view finding) {
  if (finding.starts_with("***")) finding.remove_prefix(std::min(finding.find('\n'), finding.size() - 1) + 1);
  std::string line{finding};
  std::ranges::replace(line, '\n', ' ');
  return line;
}

Status check_integrity(Database& database, const std::string& pragma) {
  EKIDEN_ASSIGN(Statement check, database.prepare(pragma));
  const int code = check.step();
  if (code != SQLITE_ROW) return std::unexpected(database.error(code, "check its integrity"));
  const std::string found{check.text(0)};
  // A page that the disk does not give is one of its findings, too.
  if (found != "ok") return corrupt(database.path(), "is damaged or cannot be read (" + in_one_line(found) + ")");
  return {};
}

/// A large file is one of a mailbox, and nearly all of it is what is read on demand.
Status check_integrity(Database& database, std::uint64_t max_whole) {
  EKIDEN_ASSIGN(const std::uint64_t pages, database.query_number("PRAGMA page_count"));
  if (pages <= max_whole / kPageSize) return check_integrity(database, "PRAGMA quick_check(1)");
  for (const TableLayout& layout : kTables) {
    if (store::reading_of(layout.table) == store::Reading::on_demand) continue;
    EKIDEN_TRY(check_integrity(database, "PRAGMA quick_check(" + std::string(layout.name) + ")"));
  }
  return {};
}

Status check_tables(Database& database) {
  for (const TableLayout& layout : kTables) {
    const std::string sql = "SELECT " + std::string(layout.numbered ? "n" : "name") + ", value FROM " +
                            std::string(layout.name) + " LIMIT 0";
    if (!database.prepare(sql)) return corrupt(database.path(), "has no table " + std::string(layout.name));
  }
  return {};
}

Status check_store_free(const std::filesystem::path& path) {
  const auto exists = [](const std::filesystem::path& file) {
    std::error_code ignored;
    return std::filesystem::exists(std::filesystem::symlink_status(file, ignored));
  };
  if (exists(path)) return fail(Errc::already_exists, path.string() + " exists already: it is never overwritten");
  // SQLite would play the log of a lost file back into the one that has its name now.
  for (const std::string& log : {path.string() + "-wal", path.string() + "-journal"}) {
    if (exists(log)) return fail(Errc::already_exists, log + " is left of a store that is gone: move it away first");
  }
  return {};
}

void remove_remains(const std::filesystem::path& fresh) {
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-journal"}) std::filesystem::remove(fresh.string() + suffix, ignored);
}

Status make_store(const std::filesystem::path& fresh, const char* vfs, Migrations steps) {
  EKIDEN_TRY(write_new_file(fresh, {}));
  EKIDEN_ASSIGN(Database database, Database::open(fresh, vfs));
  EKIDEN_TRY(database.execute(("PRAGMA page_size = " + std::to_string(kPageSize)).c_str()));
  EKIDEN_TRY(configure(database));
  EKIDEN_TRY(migrate(database, 0, steps));
  return database.execute("PRAGMA wal_checkpoint(TRUNCATE)", "copy the log back");
}

}  // namespace

std::span<const TableLayout> table_layouts() { return kTables; }

std::size_t table_index(store::Table table) {
  const auto found = std::ranges::find(kTables, table, &TableLayout::table);
  CHECK(found != kTables.end());
  return static_cast<std::size_t>(found - kTables.begin());
}

const TableLayout& layout_of(store::Table table) { return kTables[table_index(table)]; }

Migrations released_migrations() { return kMigrations; }

Status create_store(const std::filesystem::path& path, const char* vfs, Migrations steps) {
  EKIDEN_TRY(check_store_free(path));
  const std::filesystem::path fresh = path.string() + ".new";
  remove_remains(fresh);
  Status made = make_store(fresh, vfs, steps);
  if (made) made = rename_file(fresh, path);
  if (!made) remove_remains(fresh);
  return made;
}

Result<Database> open_store(const std::filesystem::path& path, const char* vfs, Migrations steps,
                            std::uint64_t max_whole_check) {
  EKIDEN_TRY(check_present(path));
  EKIDEN_ASSIGN(Database database, Database::open(path, vfs));
  EKIDEN_TRY(database.execute("PRAGMA locking_mode = EXCLUSIVE"));
  EKIDEN_TRY(check_identity(database, steps));
  EKIDEN_TRY(configure(database));
  // Takes the lock that is then kept, so that a second holder is found now and not at the first commit.
  EKIDEN_TRY(database.execute("BEGIN IMMEDIATE; COMMIT", "take the store for this node alone"));
  EKIDEN_TRY(check_integrity(database, max_whole_check));
  EKIDEN_ASSIGN(const std::uint64_t version, database.query_number("PRAGMA user_version"));
  EKIDEN_TRY(migrate(database, version, steps));
  EKIDEN_TRY(check_tables(database));
  return database;
}

}  // namespace ekiden::runtime
