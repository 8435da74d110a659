#include "whole/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ctime>
#include <fstream>
#include <utility>

namespace ekiden::bench {

Result<Child> Child::start(const std::string& program, const std::vector<std::string>& words, int cpu) {
  int to_child[2], from_child[2];
  if (pipe2(to_child, O_CLOEXEC) != 0 || pipe2(from_child, O_CLOEXEC) != 0) return fail(Errc::internal, "pipe failed");
  const pid_t pid = fork();
  if (pid < 0) return fail(Errc::internal, "fork failed");
  if (pid == 0) {
    dup2(to_child[0], STDIN_FILENO);
    dup2(from_child[1], STDOUT_FILENO);
    if (cpu >= 0) pin(cpu);
    std::vector<char*> argv{const_cast<char*>(program.c_str())};
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    execv(program.c_str(), argv.data());
    _exit(127);
  }
  close(to_child[0]);
  close(from_child[1]);
  return Child(pid, to_child[1], fdopen(from_child[0], "r"));
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      in_(std::exchange(other.in_, -1)),
      out_(std::exchange(other.out_, nullptr)) {}

Child::~Child() { (void)finish(); }

Result<std::string> Child::line() {
  std::string text;
  for (int c = std::fgetc(out_); c != EOF; c = std::fgetc(out_)) {
    if (c == '\n') return text;
    text.push_back(static_cast<char>(c));
  }
  return fail(Errc::closed, "the helper process ended early");
}

Status Child::stay_quiet(std::chrono::milliseconds time) {
  pollfd output{.fd = fileno(out_), .events = POLLIN, .revents = 0};
  if (poll(&output, 1, static_cast<int>(time.count())) == 0) return {};
  return fail(Errc::closed, "the helper process ended early, or has something to say");
}

void Child::tell(const std::string& text) {
  const std::string whole = text + "\n";
  if (write(in_, whole.data(), whole.size()) < 0) return;
}

Result<long> Child::finish() {
  if (pid_ < 0) return 0;
  close(in_);
  int status = 0;
  rusage usage{};
  wait4(pid_, &status, 0, &usage);
  std::fclose(out_);
  pid_ = -1;
  if (WIFSIGNALED(status))
    return fail(Errc::internal, "a helper process died of signal " + std::to_string(WTERMSIG(status)));
  if (WEXITSTATUS(status) != 0) {
    return fail(Errc::internal, "a helper process ended with status " + std::to_string(WEXITSTATUS(status)));
  }
  return usage.ru_maxrss;
}

void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  sched_setaffinity(0, sizeof set, &set);
}

namespace {

double read_clock(clockid_t id) {
  timespec ts{};
  clock_gettime(id, &ts);
  return static_cast<double>(ts.tv_sec) + static_cast<double>(ts.tv_nsec) * 1e-9;
}

}  // namespace

double seconds_now() { return read_clock(CLOCK_MONOTONIC); }
double cpu_seconds() { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

long resident_kib(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
  }
  return 0;
}

}  // namespace ekiden::bench
