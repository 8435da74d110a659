#include "runtime/store_mending.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "runtime/files.hpp"
#include "runtime/schema.hpp"

namespace ekiden::runtime {
namespace {

constexpr std::uint64_t kRowsAtOnce = 512;                         ///< of one transaction
constexpr std::size_t kMaxBody = std::size_t{64} << 10;            ///< more than a parcel may have
constexpr std::uint64_t kMaxStore = std::uint64_t{64} << 30;       ///< more than the settings allow
constexpr ::off_t kPageCountAt = 28;                               ///< https://www.sqlite.org/fileformat2.html
constexpr std::array<Byte, std::size_t{64} << 10> kOverwriting{};  ///< zeros

/// A store that is about to be replaced: as long as it says to be, and overwritten in the end.
class OldStore {
 public:
  static Result<OldStore> open(const std::filesystem::path& path) {
    OldStore store;
    store.path_ = path;
    store.file_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    struct stat info{};
    if (store.file_ < 0 || ::fstat(store.file_, &info) != 0) return std::unexpected(store.error("open", errno));
    store.size_ = info.st_size;
    return store;
  }
  OldStore(OldStore&& other) noexcept
      : path_(std::move(other.path_)),
        file_(std::exchange(other.file_, -1)),
        size_(other.size_),
        may_shorten_(other.may_shorten_) {}
  OldStore& operator=(OldStore&&) = delete;
  ~OldStore() {
    if (file_ >= 0) ::close(file_);
  }

  /// SQLite reads nothing of a file whose end is missing. Zeros in its place are damage like any other.
  Status lengthen() {
    std::array<Byte, 4> pages{};
    if (::pread(file_, pages.data(), pages.size(), kPageCountAt) != static_cast<::ssize_t>(pages.size())) return {};
    const std::uint64_t wanted = std::uint64_t{get_be<std::uint32_t>(pages)} * kPageSize;
    if (wanted <= static_cast<std::uint64_t>(size_) || wanted > kMaxStore) return {};
    if (::ftruncate(file_, static_cast<::off_t>(wanted)) != 0) return std::unexpected(error("lengthen", errno));
    std::error_code ignored;
    // What a log has brought back to its place stays there.
    may_shorten_ = !std::filesystem::exists(path_.string() + "-wal", ignored);
    return {};
  }

  Status put_back() {
    if (may_shorten_ && ::ftruncate(file_, size_) != 0) return std::unexpected(error("put back the length of", errno));
    return {};
  }

  /// The erased rows of a store are overwritten; so are those of a store that has none but erased ones.
  Status overwrite() {
    struct stat info{};
    if (::fstat(file_, &info) != 0) return std::unexpected(error("overwrite", errno));
    for (::off_t at = 0; at < info.st_size;) {
      const ::ssize_t written = ::pwrite(file_, kOverwriting.data(), kOverwriting.size(), at);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return std::unexpected(error("overwrite", errno));
      at += written;
    }
    if (::fdatasync(file_) != 0) return std::unexpected(error("overwrite", errno));
    return {};
  }

 private:
  OldStore() = default;
  Error error(std::string_view what, int number) const {
    return system_error(std::string(what) + " " + path_.string(), number);
  }

  std::filesystem::path path_;
  int file_ = -1;
  ::off_t size_ = 0;
  bool may_shorten_ = false;
};

std::string quoted(const std::string& text) {
  std::string sql = "'";
  for (const char letter : text) sql += letter == '\'' ? "''" : std::string(1, letter);
  return sql + "'";
}

/// All but the bodies is whole. It also brings back what the log has, and leaves no log.
Status check_rest(const std::filesystem::path& path, const char* vfs) {
  {
    EKIDEN_ASSIGN(Database database, Database::open(path, vfs));
    EKIDEN_TRY(database.execute("PRAGMA locking_mode = EXCLUSIVE"));
    EKIDEN_ASSIGN(const std::uint64_t version, database.query_number("PRAGMA user_version"));
    // A migration would write to it.
    if (version != released_migrations().size())
      return fail(Errc::storage_corrupt, "a damaged store of another version");
  }
  EKIDEN_ASSIGN(const Database checked, open_store(path, vfs, released_migrations(), 0));
  return {};
}

Status commit(Database& fresh) {
  EKIDEN_TRY(fresh.execute("COMMIT", "commit"));
  return fresh.execute("PRAGMA main.wal_checkpoint(TRUNCATE)", "copy the log back");
}

Status copy_table(Database& fresh, std::string_view name) {
  const std::string table{name};
  const std::string sql = "BEGIN IMMEDIATE; INSERT INTO main." + table + " SELECT * FROM damaged." + table;
  EKIDEN_TRY(fresh.execute(sql.c_str(), "copy the table " + table));
  return commit(fresh);
}

/// Nothing if it is not there, or where it is cannot be found out.
std::optional<Bytes> read_body(Statement& get, std::uint64_t number) {
  get.bind(1, number);
  std::optional<Bytes> body;
  if (get.step() == SQLITE_ROW && get.blob(0).size() <= kMaxBody) body = to_bytes(get.blob(0));
  get.reset();
  return body;
}

/// The numbers of the parcels that come next.
Result<std::vector<std::uint64_t>> read_numbers(Database& fresh, Statement& parcels, std::uint64_t last) {
  parcels.bind(1, last);
  parcels.bind(2, kRowsAtOnce);
  std::vector<std::uint64_t> numbers;
  int code = SQLITE_OK;
  while ((code = parcels.step()) == SQLITE_ROW) numbers.push_back(parcels.number(0));
  parcels.reset();
  if (code != SQLITE_DONE) return std::unexpected(fresh.error(code, "read the table parcels"));
  return numbers;
}

Result<Mended> copy_bodies(Database& fresh) {
  EKIDEN_ASSIGN(Statement parcels, fresh.prepare("SELECT n FROM main.parcels WHERE n > ?1 ORDER BY n LIMIT ?2"));
  EKIDEN_ASSIGN(Statement get, fresh.prepare("SELECT value FROM damaged.bodies WHERE n = ?1"));
  EKIDEN_ASSIGN(Statement put, fresh.prepare("INSERT INTO main.bodies (n, value) VALUES (?1, ?2)"));
  Mended mended;
  std::uint64_t last = ~std::uint64_t{0};  // Below all numbers, to SQLite.
  while (true) {
    EKIDEN_ASSIGN(const auto numbers, read_numbers(fresh, parcels, last));
    if (numbers.empty()) return mended;
    last = numbers.back();
    mended.total += numbers.size();
    // Before the transaction: SQLite writes nothing more in one that has met damage.
    std::vector<std::pair<std::uint64_t, Bytes>> bodies;
    for (const std::uint64_t number : numbers) {
      if (auto body = read_body(get, number)) bodies.emplace_back(number, std::move(*body));
    }
    mended.kept += bodies.size();
    EKIDEN_TRY(fresh.execute("BEGIN IMMEDIATE", "begin to write"));
    for (const auto& [number, body] : bodies) {
      put.bind(1, number);
      put.bind(2, body);
      if (const int code = put.run(); code != SQLITE_OK) {
        return std::unexpected(fresh.error(code, "write to the table bodies"));
      }
    }
    EKIDEN_TRY(commit(fresh));
  }
}

/// `fresh` is an empty store.
Result<Mended> copy_store(const std::filesystem::path& path, const std::filesystem::path& fresh, const char* vfs) {
  EKIDEN_ASSIGN(Database database, open_store(fresh, vfs));
  EKIDEN_TRY(database.execute(("ATTACH DATABASE " + quoted(path.string()) + " AS damaged").c_str(), "open the store"));
  for (const TableLayout& layout : table_layouts()) {
    if (store::reading_of(layout.table) != store::Reading::on_demand) EKIDEN_TRY(copy_table(database, layout.name));
  }
  return copy_bodies(database);
}

void remove_store(const std::filesystem::path& path) {
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-journal"}) std::filesystem::remove(path.string() + suffix, ignored);
}

Status check_no_log(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path.string() + "-wal", ignored)) return {};
  return fail(Errc::storage_failed, path.string() + "-wal cannot be copied back: check the disk");
}

Result<Mended> write_anew(const std::filesystem::path& path, const std::filesystem::path& fresh, const char* vfs) {
  EKIDEN_TRY(check_rest(path, vfs));
  EKIDEN_TRY(create_store(fresh, vfs));
  EKIDEN_ASSIGN(const Mended mended, copy_store(path, fresh, vfs));
  EKIDEN_TRY(check_no_log(path));
  EKIDEN_TRY(check_no_log(fresh));
  EKIDEN_TRY(rename_file(fresh, path));
  return mended;
}

}  // namespace

std::string Mended::text() const {
  return "bodies of parcels that this mailbox keeps are damaged: " + std::to_string(kept) + " of " +
         std::to_string(total) + " can be read, and the store has been written anew without the others. Check the disk";
}

Result<Mended> mend_store(const std::filesystem::path& path, const char* vfs) {
  const std::filesystem::path fresh = path.string() + ".mended";
  remove_store(fresh);
  EKIDEN_ASSIGN(OldStore old, OldStore::open(path));
  EKIDEN_TRY(old.lengthen());
  auto mended = write_anew(path, fresh, vfs);
  if (!mended) {
    remove_store(fresh);
    EKIDEN_TRY(old.put_back());
    return mended;
  }
  EKIDEN_TRY(old.overwrite());
  return mended;
}

}  // namespace ekiden::runtime
