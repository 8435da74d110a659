// What became of the cases of one vector file.
//
// A case passes, fails, or is skipped because it is about something that Ekiden does not do. Where Ekiden has to refuse
// what the case would have taken, because it is over one of its limits, that is asserted, and counted for itself. A
// case that cannot be judged (a missing field, hexadecimal that is none) has failed: nothing passes by accident.
#pragma once

#include <cstddef>
#include <exception>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace ekiden::vectors {

class Report {
 public:
  /// Runs one case: `judge` returns a Status, whose error says in which way the case failed. What a JSON library throws
  /// at a malformed case ends here.
  template <class Judge>
  void run(const std::string& name, Judge&& judge) {
    try {
      record(name, judge());
    } catch (const std::exception& error) {
      record(name, fail(Errc::malformed, error.what()));
    }
  }

  /// The outcome of a case that somebody else judged.
  void record(const std::string& name, const Status& status) {
    if (status) {
      ++passed_;
    } else {
      failures_.push_back(name + ": " + status.error().message);
    }
  }

  /// The outcome of a case in which something was to be refused; `why` is printed.
  void record_refusal(const std::string& name, const std::string& why, const Status& status) {
    if (!status) return record(name, status);
    ++refused_[why];
  }

  /// Counts cases that are not about us; `why` is printed.
  void skip(const std::string& why, std::size_t cases = 1) { skipped_[why] += cases; }

  std::size_t passed() const { return passed_; }
  /// One sentence for each failed case, in the order of the file.
  const std::vector<std::string>& failures() const { return failures_; }
  /// Cases that were refused as they have to be: reasons, with the number of cases of each.
  const std::map<std::string, std::size_t>& refused() const { return refused_; }
  /// Reasons, with the number of cases of each.
  const std::map<std::string, std::size_t>& skipped() const { return skipped_; }

 private:
  std::size_t passed_ = 0;
  std::vector<std::string> failures_;
  std::map<std::string, std::size_t> refused_;
  std::map<std::string, std::size_t> skipped_;
};

/// A condition of a case: passes, or fails with a sentence.
inline Status expect(bool holds, std::string otherwise) {
  if (holds) return {};
  return fail(Errc::malformed, std::move(otherwise));
}

}  // namespace ekiden::vectors
