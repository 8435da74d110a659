// SQLite in our terms: owning handles, errors as values.
//
// Private to the runtime: the store and its schema use it. One Database belongs to one thread at a time. Every error
// names the file, says what SQLite was asked to do, and carries a code that tells the store how to go on:
//   storage_full     the disk or a quota is full: nothing is damaged, trying again later is right
//   busy             another program holds the file: trying again later is right
//   storage_corrupt  the file is not what it should be: never touch it again
//   storage_failed   the disk fails: after a failed sync nothing that was written can be trusted, so the node stops
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ekiden::runtime {

/// A prepared statement. Views that a column gives are valid until the next step() or reset().
class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  void bind(int index, std::uint64_t number);
  /// The bytes must live until the statement is reset.
  void bind(int index, ByteView bytes);
  /// SQLITE_ROW, SQLITE_DONE, or an error code.
  int step();
  /// Steps once and resets, for statements that return no rows: SQLITE_OK or an error code.
  int run();
  void reset();

  std::uint64_t number(int column) const;
  ByteView blob(int column) const;
  std::string_view text(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
 public:
  /// Opens an existing file. Missing files are an error (storage_failed), never created. `vfs` is nullptr outside
  /// tests.
  static Result<Database> open(const std::filesystem::path& path, const char* vfs);

  /// Runs SQL that takes no arguments and gives no rows that matter. `what` is a verb phrase for errors, in which SQL
  /// says nothing to a person.
  Status execute(const char* sql, std::string_view what = "set up the store");
  Result<Statement> prepare(std::string_view sql);
  /// The first column of the first row of a query, as a number.
  Result<std::uint64_t> query_number(const char* sql);

  /// The error of the last call that returned `code`; `what` is a verb phrase ("commit", "read the table inbox"). The
  /// system's number for it is asked from SQLite, unless the call went around it to a file.
  Error error(int code, std::string_view what, std::optional<int> system_error = std::nullopt) const;

  /// True between BEGIN and the end of its transaction, whichever way that ended.
  bool in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }
  sqlite3* handle() const { return handle_.get(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
  std::filesystem::path path_;
};

}  // namespace ekiden::runtime
