// What a command prints: for people, aligned and calm, or for programs, one JSON object a line.
//
// Text of strangers goes through text() before it is printed; it is escaped when the output is a terminal, and left as
// it is for a pipe. Errors go to the other stream, one sentence or one JSON object.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "api/json.hpp"
#include "base/result.hpp"

namespace ekiden::cli {

struct OutputMode {
  bool json = false;
  bool quiet = false;
  bool terminal = false;        ///< The output is one.
  bool error_terminal = false;  ///< The error stream is one.
};

class Output {
 public:
  Output(std::ostream& out, std::ostream& err, OutputMode mode) : out_(out), err_(err), mode_(mode) {}

  bool json() const { return mode_.json; }

  /// The result of a command; printed also when quiet.
  void object(const api::Json& object);
  void line(std::string_view text);
  /// What is nice to know: not printed when quiet or in JSON.
  void note(std::string_view text);
  /// The same beside a line that goes into a file or another command: on the error stream, to leave that alone.
  void hint(std::string_view text);
  /// "name      value", the names in one column.
  void field(std::string_view name, std::string_view value);
  /// Columns as wide as their widest cell, two spaces between them; the first row is the heading.
  void table(const std::vector<std::vector<std::string>>& rows);

  /// One line that replaces itself, while waiting; only on a terminal. end_progress() removes it.
  void progress(std::string_view text);
  void end_progress();

  /// Text from outside as one line, or as several.
  std::string text(std::string_view from_outside) const;
  std::string lines(std::string_view from_outside) const;

  /// One sentence, or one JSON object.
  void error(const Error& error);
  /// The same for what goes on: {"warning"}. Another thread may call it while no other member runs.
  void warning(std::string_view text);

  /// Errors: storage_failed, if what was printed did not get out (a full disk, a closed pipe).
  Status flush();

 private:
  std::ostream& out_;
  std::ostream& err_;
  OutputMode mode_;
  bool progress_shown_ = false;
};

}  // namespace ekiden::cli
