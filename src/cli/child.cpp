#include "cli/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>

namespace ekiden::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Duration kGrace = seconds(2);  // between SIGTERM and SIGKILL

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    close();
    fd_ = std::exchange(other.fd_, -1);
    return *this;
  }
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

std::unexpected<Error> system_error(const char* what, int code) {
  return fail(Errc::internal, std::string(what) + ": " + std::strerror(code));
}

struct Pipe {
  Descriptor ours;
  Descriptor theirs;
};

/// Our end does not block.
Result<Pipe> make_pipe(bool we_write) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_error("pipe", errno);
  Pipe pipe{Descriptor(ends[we_write ? 1 : 0]), Descriptor(ends[we_write ? 0 : 1])};
  ::fcntl(pipe.ours.get(), F_SETFL, O_NONBLOCK);
  return pipe;
}

std::vector<std::string> environment_of(const ChildOptions& options) {
  std::vector<std::string> all;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string_view entry = *each;
    const bool is_replaced = std::ranges::any_of(options.environment, [&](const auto& pair) {
      return entry.starts_with(pair.first) && entry.substr(pair.first.size()).starts_with('=');
    });
    if (!is_replaced) all.emplace_back(entry);
  }
  // A value ends at a zero byte; nothing of a stranger may stand behind one.
  for (const auto& [name, value] : options.environment) all.push_back(name + "=" + value.substr(0, value.find('\0')));
  return all;
}

class Child {
 public:
  explicit Child(const ChildOptions& options) : options_(options) {}

  Status start() {
    EKIDEN_ASSIGN(Pipe in, make_pipe(true));
    EKIDEN_ASSIGN(Pipe out, make_pipe(false));
    EKIDEN_ASSIGN(Pipe err, make_pipe(false));
    EKIDEN_TRY(spawn(in.theirs.get(), out.theirs.get(), err.theirs.get()));
    in_ = std::move(in.ours);
    out_ = std::move(out.ours);
    err_ = std::move(err.ours);
    exited_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    if (exited_.is_open()) return {};
    const int code = errno;
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    return system_error("pidfd_open", code);
  }

  ChildEnd run() {
    const auto until = Clock::now() + std::clamp<Duration>(options_.timeout, milliseconds(1), hours(24));
    write_input();
    for (bool ended = false; !ended;) {
      const auto deadline = kill_at_.value_or(until);
      std::array<pollfd, 5> fds = {{{in_.get(), POLLOUT, 0},
                                    {out_.get(), POLLIN, 0},
                                    {err_.get(), POLLIN, 0},
                                    {exited_.get(), POLLIN, 0},
                                    {kill_at_ ? -1 : options_.stop, POLLIN, 0}}};
      const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
      const int ready = ::poll(fds.data(), fds.size(), static_cast<int>(std::max<std::int64_t>(left, 0)));
      if (ready < 0 && errno != EINTR) break;
      if (ready == 0 && Clock::now() >= deadline) {
        on_deadline();
        continue;
      }
      if (fds[0].revents != 0) write_input();
      read_all();
      if (fds[4].revents != 0) end_it(ChildEnd::How::stopped);
      ended = fds[3].revents != 0;
    }
    read_all();
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    if (forced_) {
      result_.how = *forced_;
    } else if (WIFSIGNALED(status)) {
      result_.how = ChildEnd::How::signalled;
    }
    result_.status = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    return std::move(result_);
  }

 private:
  Status spawn(int in, int out, int err) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM}) sigaddset(&usual, signal);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

    auto environment = environment_of(options_);
    std::vector<char*> env;
    for (std::string& entry : environment) env.push_back(entry.data());
    env.push_back(nullptr);
    std::string shell = "sh";
    std::string flag = "-c";
    std::string command = options_.command;
    std::array<char*, 4> words = {shell.data(), flag.data(), command.data(), nullptr};
    const int failed = ::posix_spawn(&pid_, "/bin/sh", &actions, &attributes, words.data(), env.data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (failed != 0) return system_error("/bin/sh", failed);
    return {};
  }

  void on_deadline() {
    if (kill_at_) {
      ::kill(-pid_, SIGKILL);
      kill_at_ = Clock::now() + kGrace;
    } else {
      end_it(ChildEnd::How::timed_out);
    }
  }

  void end_it(ChildEnd::How why) {
    if (kill_at_) return;
    forced_ = why;
    kill_at_ = Clock::now() + kGrace;
    ::kill(-pid_, SIGTERM);
  }

  void write_input() {
    while (in_.is_open() && written_ < options_.input.size()) {
      const auto count = ::write(in_.get(), options_.input.data() + written_, options_.input.size() - written_);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && errno == EAGAIN) return;
      if (count < 0) break;  // It does not want to read more, which is its own business.
      written_ += static_cast<std::size_t>(count);
    }
    in_.close();
  }

  /// Calls `take` with what there is; closes at the end.
  template <class Take>
  static void read_from(Descriptor& from, Take&& take) {
    std::array<char, 4096> buffer;
    while (from.is_open()) {
      const auto count = ::read(from.get(), buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && errno == EAGAIN) return;
      if (count <= 0) return from.close();
      take(std::string_view(buffer.data(), static_cast<std::size_t>(count)));
    }
  }

  void read_all() {
    read_from(out_, [this](std::string_view text) {
      if (result_.output.size() + text.size() > options_.max_output) {
        return end_it(ChildEnd::How::too_large);
      }
      result_.output += text;
    });
    read_from(err_, [this](std::string_view text) {
      result_.error_tail += text;
      if (result_.error_tail.size() <= options_.max_error_tail) return;
      result_.error_tail.erase(0, result_.error_tail.size() - options_.max_error_tail);
    });
  }

  const ChildOptions& options_;
  pid_t pid_ = -1;
  Descriptor in_;
  Descriptor out_;
  Descriptor err_;
  Descriptor exited_;
  std::size_t written_ = 0;
  std::optional<Clock::time_point> kill_at_;
  std::optional<ChildEnd::How> forced_;
  ChildEnd result_;
};

}  // namespace

Result<ChildEnd> run_child(const ChildOptions& options) {
  Child child(options);
  EKIDEN_TRY(child.start());
  return child.run();
}

}  // namespace ekiden::cli
