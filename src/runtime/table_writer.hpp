// Applies gathered batches to the tables of one SQLite file, each time as one transaction, and reads rows.
//
// Not thread-safe. Statements are prepared once per table and operation. What never reaches SQLite: all but the last
// operation on a key, and the erasure of a numbered row whose number is above every number ever written to its table
// (such a row was put and erased within these batches).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "runtime/schema.hpp"
#include "runtime/sqlite.hpp"
#include "store/batch.hpp"
#include "store/reading.hpp"

namespace ekiden::runtime {

class TableWriter {
 public:
  /// Prepares the statements.
  static Result<TableWriter> make(Database database);

  /// `value` is borrowed for the call. An error ends the reading, and is its result.
  using VisitRow = std::function<Status(store::Key key, ByteView value)>;
  /// Every row of the tables that are read in this way, in the order of table and key. Errors: storage_corrupt (a name
  /// too long), storage_failed.
  Status load(store::Reading reading, const VisitRow& visit);
  /// Errors: storage_corrupt (the table, not a single value, is damaged), storage_failed.
  Result<store::Fetched> fetch(const store::Fetch& wanted);

  /// All or nothing; durable when it returns success. After an error the transaction is over and may be tried again.
  Status apply(std::span<const store::Batch> batches);

  /// Gives the write-ahead log room for so many pages in advance: see log_file.hpp.
  Status extend_log(int pages);
  /// Pages in the write-ahead log since it was last copied back.
  int log_pages() const { return *log_pages_; }
  /// Copies the log back into the file. Durable data is never at risk in it.
  Status checkpoint();
  /// The same, and overwrites the log, so that nothing that has been erased stays in it.
  Status erase_log();

 private:
  struct Table {
    Statement put;
    Statement append;  ///< of a numbered table, above all numbers: no row is looked for
    Statement erase;
    Statement get;                         ///< of a numbered table
    std::optional<std::uint64_t> highest;  ///< number ever written, of a numbered table
  };

  explicit TableWriter(Database database);
  void gather(std::span<const store::Batch> batches);
  Status write_all();
  std::size_t numbered_erasures_from(std::size_t first) const;
  Status erase(const store::Operation& first, std::size_t count);
  /// Anything but the erasure of a numbered row.
  Status write(const store::Operation& operation);
  Status check(int code, store::Table table) const;
  bool never_written(const store::Operation& operation);
  Status load_table(const TableLayout& layout, const VisitRow& visit);
  Result<std::optional<std::uint64_t>> highest_number(const std::string& table);
  Result<bool> copy_back();

  Database database_;
  Statement begin_;
  Statement commit_;
  Statement rollback_;
  std::vector<Table> tables_;                        ///< by number - 1
  std::unique_ptr<int> log_pages_;                   ///< at an address that SQLite may keep
  std::vector<const store::Operation*> operations_;  ///< of the transaction; kept for its storage
};

}  // namespace ekiden::runtime
