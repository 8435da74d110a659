#include "runtime/table_writer.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.hpp"
#include "runtime/log_file.hpp"

namespace ekiden::runtime {
namespace {

int count_log_pages(void* pages, sqlite3* /*handle*/, const char* /*schema*/, int in_log) {
  *static_cast<int*>(pages) = in_log;
  return SQLITE_OK;
}

}  // namespace

TableWriter::TableWriter(Database database) : database_(std::move(database)), log_pages_(std::make_unique<int>(0)) {
  sqlite3_wal_hook(database_.handle(), count_log_pages, log_pages_.get());
}

Result<TableWriter> TableWriter::make(Database database) {
  TableWriter writer(std::move(database));
  EKIDEN_ASSIGN(writer.begin_, writer.database_.prepare("BEGIN IMMEDIATE"));
  EKIDEN_ASSIGN(writer.commit_, writer.database_.prepare("COMMIT"));
  EKIDEN_ASSIGN(writer.rollback_, writer.database_.prepare("ROLLBACK"));
  for (const TableLayout& layout : table_layouts()) {
    const std::string key = layout.numbered ? "n" : "name";
    const std::string name{layout.name};
    Table table;
    EKIDEN_ASSIGN(table.put,
                  writer.database_.prepare("INSERT OR REPLACE INTO " + name + " (" + key + ", value) VALUES (?1, ?2)"));
    const std::string erased = layout.numbered ? " BETWEEN ?1 AND ?2" : " = ?1";
    EKIDEN_ASSIGN(table.erase, writer.database_.prepare("DELETE FROM " + name + " WHERE " + key + erased));
    if (layout.numbered) {
      EKIDEN_ASSIGN(table.append, writer.database_.prepare("INSERT INTO " + name + " (n, value) VALUES (?1, ?2)"));
      EKIDEN_ASSIGN(table.get, writer.database_.prepare("SELECT value FROM " + name + " WHERE n = ?1"));
      EKIDEN_ASSIGN(table.highest, writer.highest_number(name));
    }
    writer.tables_.push_back(std::move(table));
  }
  return writer;
}

/// Ours are unsigned: those that are negative to SQLite are above the others.
Result<std::optional<std::uint64_t>> TableWriter::highest_number(const std::string& table) {
  for (const char* part : {" WHERE n < 0", ""}) {
    EKIDEN_ASSIGN(Statement select, database_.prepare("SELECT n FROM " + table + part + " ORDER BY n DESC LIMIT 1"));
    const int code = select.step();
    if (code == SQLITE_ROW) return std::optional(select.number(0));
    if (code != SQLITE_DONE) return std::unexpected(database_.error(code, "read the table " + table));
  }
  return std::optional<std::uint64_t>();
}

Status TableWriter::load(store::Reading reading, const VisitRow& visit) {
  for (const TableLayout& layout : table_layouts()) {
    if (store::reading_of(layout.table) == reading) EKIDEN_TRY(load_table(layout, visit));
  }
  return {};
}

Status TableWriter::load_table(const TableLayout& layout, const VisitRow& visit) {
  const std::string name{layout.name};
  const std::string key = layout.numbered ? "n" : "name";
  EKIDEN_ASSIGN(Statement select, database_.prepare("SELECT " + key + ", value FROM " + name + " ORDER BY " + key));
  int code = SQLITE_OK;
  while ((code = select.step()) == SQLITE_ROW) {
    store::Key at{.table = layout.table, .number = 0, .name = {}};
    if (layout.numbered) {
      at.number = select.number(0);
    } else {
      at.name = to_bytes(select.blob(0));
      if (at.name.size() > store::kMaxName) {
        return fail(Errc::storage_corrupt, database_.path().string() + ": a row of the table " + name +
                                               " has a name of " + std::to_string(at.name.size()) + " bytes");
      }
    }
    EKIDEN_TRY(visit(std::move(at), select.blob(1)));
  }
  if (code != SQLITE_DONE) return std::unexpected(database_.error(code, "read the table " + name));
  return {};
}

Result<store::Fetched> TableWriter::fetch(const store::Fetch& wanted) {
  const TableLayout& layout = layout_of(wanted.table);
  CHECK(layout.numbered);
  Statement& get = tables_[table_index(wanted.table)].get;
  store::Fetched fetched{.table = wanted.table, .rows = {}};
  for (const std::uint64_t number : wanted.numbers) {
    get.bind(1, number);
    const int code = get.step();
    fetched.rows.push_back({number, code == SQLITE_ROW ? std::optional(to_bytes(get.blob(0))) : std::nullopt});
    get.reset();
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
      return std::unexpected(database_.error(code, "read a row of the table " + std::string(layout.name)));
    }
  }
  return fetched;
}

Status TableWriter::apply(std::span<const store::Batch> batches) {
  gather(batches);
  if (operations_.empty()) return {};
  if (const int code = begin_.run(); code != SQLITE_OK) return std::unexpected(database_.error(code, "begin to write"));
  auto written = write_all();
  if (written) {
    if (const int code = commit_.run(); code != SQLITE_OK) written = std::unexpected(database_.error(code, "commit"));
  }
  // SQLite ends the transaction by itself after some errors, but not after all.
  if (!written && database_.in_transaction()) static_cast<void>(rollback_.run());
  return written;
}

void TableWriter::gather(std::span<const store::Batch> batches) {
  operations_.clear();
  for (const store::Batch& batch : batches) {
    for (const store::Operation& operation : batch.operations()) operations_.push_back(&operation);
  }
  const auto by_key = [](const store::Operation* a, const store::Operation* b) { return a->key < b->key; };
  std::stable_sort(operations_.begin(), operations_.end(), by_key);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    const bool is_last = i + 1 == operations_.size() || operations_[i + 1]->key != operations_[i]->key;
    if (is_last && !never_written(*operations_[i])) operations_[kept++] = operations_[i];
  }
  operations_.resize(kept);
}

bool TableWriter::never_written(const store::Operation& operation) {
  if (!operation.erase || !layout_of(operation.key.table).numbered) return false;
  const auto& highest = tables_[table_index(operation.key.table)].highest;
  return !highest || operation.key.number > *highest;
}

Status TableWriter::write_all() {
  for (std::size_t i = 0; i < operations_.size();) {
    const std::size_t count = numbered_erasures_from(i);
    EKIDEN_TRY(count > 0 ? erase(*operations_[i], count) : write(*operations_[i]));
    i += std::max<std::size_t>(count, 1);
  }
  return {};
}

/// Operations from `first` on that erase rows whose numbers follow each other: queues are erased near the front, and
/// one statement for all of them costs a fraction of one for each.
std::size_t TableWriter::numbered_erasures_from(std::size_t first) const {
  const store::Key& begin = operations_[first]->key;
  if (!layout_of(begin.table).numbered) return 0;
  std::size_t count = 0;
  for (; first + count < operations_.size(); ++count) {
    const store::Operation& next = *operations_[first + count];
    const bool follows = next.key.table == begin.table && next.key.number == begin.number + count;
    // Ours are unsigned: those that are negative to SQLite are another range.
    const bool is_same_sign = next.key.number >> 63U == begin.number >> 63U;
    if (!next.erase || !follows || !is_same_sign) break;
  }
  return count;
}

Status TableWriter::erase(const store::Operation& first, std::size_t count) {
  Statement& statement = tables_[table_index(first.key.table)].erase;
  statement.bind(1, first.key.number);
  statement.bind(2, first.key.number + (count - 1));
  return check(statement.run(), first.key.table);
}

Status TableWriter::write(const store::Operation& operation) {
  const store::Key& key = operation.key;
  Table& table = tables_[table_index(key.table)];
  if (!layout_of(key.table).numbered) {
    Statement& statement = operation.erase ? table.erase : table.put;
    statement.bind(1, key.name);
    if (!operation.erase) statement.bind(2, operation.value);
    return check(statement.run(), key.table);
  }
  const bool is_new = !table.highest || key.number > *table.highest;
  Statement& statement = is_new ? table.append : table.put;
  statement.bind(1, key.number);
  statement.bind(2, operation.value);
  // Even if this transaction fails: the number only has to be at least the highest on disk.
  if (is_new) table.highest = key.number;
  return check(statement.run(), key.table);
}

Status TableWriter::check(int code, store::Table table) const {
  if (code == SQLITE_OK) return {};
  return std::unexpected(database_.error(code, "write to the table " + std::string(layout_of(table).name)));
}

Status TableWriter::extend_log(int pages) { return runtime::extend_log(database_, pages); }

Status TableWriter::checkpoint() {
  EKIDEN_TRY(copy_back());
  return {};
}

Status TableWriter::erase_log() {
  EKIDEN_ASSIGN(const bool all, copy_back());
  if (!all) return {};
  return runtime::erase_log(database_);
}

/// True if nothing in the log is still needed.
Result<bool> TableWriter::copy_back() {
  int in_log = 0;
  int copied = 0;
  const int code = sqlite3_wal_checkpoint_v2(database_.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &in_log, &copied);
  if (code != SQLITE_OK) return std::unexpected(database_.error(code, "copy the log back"));
  *log_pages_ = 0;
  return in_log == copied;
}

}  // namespace ekiden::runtime
