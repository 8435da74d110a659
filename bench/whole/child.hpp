// A helper process: this program again, with a role. It says on its standard output that it is ready and what the
// parent has to know, and ends when its standard input does.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace ekiden::bench {

class Child {
 public:
  /// Starts `program` with `words`, on processor `cpu` (-1: any).
  static Result<Child> start(const std::string& program, const std::vector<std::string>& words, int cpu);
  Child(Child&& other) noexcept;
  Child(const Child&) = delete;
  Child& operator=(Child&&) = delete;
  ~Child();

  /// Waits so long. Errors: it ended, or printed something, which nobody expected of it.
  Status stay_quiet(std::chrono::milliseconds time);
  /// The next line that it printed.
  Result<std::string> line();
  void tell(const std::string& line);
  pid_t pid() const { return pid_; }
  /// Waits for its end; returns its peak resident memory in KiB.
  /// Errors: it ended in another way than with status 0.
  Result<long> finish();

 private:
  Child(pid_t pid, int in, FILE* out) : pid_(pid), in_(in), out_(out) {}

  pid_t pid_ = -1;
  int in_ = -1;
  FILE* out_ = nullptr;
};

/// Runs this whole process, all its threads to come, on one processor.
void pin(int cpu);

double seconds_now();
/// Processor time of this thread.
double cpu_seconds();

/// Resident memory of a process in KiB.
long resident_kib(pid_t pid);

/// The role of a child: runs it and returns the exit status, or -1 if there is no such role.
int run_role(const std::string& role, const std::vector<std::string>& words);

}  // namespace ekiden::bench
