#include "sim/jobs.hpp"

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <map>

namespace ekiden::sim {
namespace {

class Children {
 public:
  /// False if there is no child: the system has no room for one.
  bool start(std::size_t item, const std::function<bool(std::size_t)>& work) {
    std::fflush(nullptr);  // Or the child would print again what the parent still holds.
    const pid_t pid = ::fork();
    if (pid < 0) return false;
    if (pid == 0) std::exit(work(item) ? 0 : 1);  // exit() flushes, and looks for leaks where the build does.
    running_[pid] = item;
    return true;
  }

  std::size_t running() const { return running_.size(); }

  /// Waits for one to end. REQUIRES: running() > 0.
  void wait_for_one(std::vector<std::size_t>& failed) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, 0);
    if (pid < 0 && errno == EINTR) return;
    const auto ended = running_.find(pid);
    if (ended == running_.end()) return;
    if (status != 0) failed.push_back(ended->second);
    running_.erase(ended);
  }

 private:
  std::map<pid_t, std::size_t> running_;
};

}  // namespace

std::vector<std::size_t> run_jobs(std::size_t count, std::size_t jobs, const std::function<bool(std::size_t)>& work) {
  Children children;
  std::vector<std::size_t> failed;
  for (std::size_t item = 0; item < count && failed.empty(); ++item) {
    while (children.running() >= jobs) children.wait_for_one(failed);
    if (failed.empty() && !children.start(item, work)) failed.push_back(item);
  }
  while (children.running() > 0) children.wait_for_one(failed);
  std::sort(failed.begin(), failed.end());
  return failed;
}

}  // namespace ekiden::sim
