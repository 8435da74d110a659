// serve: answer the requests for a capability with a command.
//
// The main thread listens for new requests and for signals; each of `concurrency` workers takes one request at a time,
// runs the command, and answers. What nobody has taken yet waits in the inbox of the node, and a request is gone from
// there only once its reply was accepted: whatever dies in between, the request is run again.
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <set>
#include <thread>

#include "api/http_target.hpp"
#include "base/encoding.hpp"
#include "cli/body.hpp"
#include "cli/child.hpp"
#include "cli/commands.hpp"
#include "cli/json_read.hpp"
#include "cli/text.hpp"
#include "identity/peer_record.hpp"
#include "router/envelope.hpp"
#include "runtime/file_lock.hpp"
#include "runtime/utc_text.hpp"

namespace ekiden::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Duration kLook = milliseconds(200);  // for signals
constexpr Duration kRetry = seconds(1);        // while the outbox is full
constexpr std::size_t kErrorTail = 2048;

/// What is left of the time that the asker gave, by our clock: the two need not agree.
Duration time_left(const api::Json& request) {
  const auto sent = runtime::parse_utc(text_of(request, "sent"));
  const auto received = runtime::parse_utc(text_of(request, "received"));
  const auto expires = runtime::parse_utc(text_of(request, "expires"));
  if (!sent || !received || !expires) return seconds(0);
  const WallTime now(std::chrono::floor<milliseconds>(std::chrono::system_clock::now().time_since_epoch()));
  return *received + (*expires - *sent) - now;
}

/// The text of an error stream, without what is cut in the middle of a character.
std::string tail_text(std::string tail) {
  while (!tail.empty() && (static_cast<unsigned char>(tail.front()) & 0xc0) == 0x80) tail.erase(0, 1);
  while (tail.ends_with('\n')) tail.pop_back();
  return is_utf8(as_bytes(tail)) ? tail : safe_text(tail, /*keep_lines=*/true);
}

api::Json failure(const std::string& type, const std::string& what, const std::string& tail = "") {
  const auto detail = tail_text(tail);
  return {{"failed", true},
          {"type", type},
          {"content_type", "text/plain"},
          {"body", detail.empty() ? what : what + ": " + detail}};
}

api::Json response_of(const ChildEnd& end, const ServeArguments& arguments) {
  switch (end.how) {
    case ChildEnd::How::timed_out:
      return failure("timed-out", "took longer than " + human_duration(arguments.timeout), end.error_tail);
    case ChildEnd::How::too_large:
      return failure("too-large", "the answer is over " + human_size(router::kMaxBody));
    case ChildEnd::How::signalled:
    case ChildEnd::How::stopped:
      return failure("signal-" + std::to_string(end.status), "ended by signal " + std::to_string(end.status),
                     end.error_tail);
    case ChildEnd::How::exited:
      break;
  }
  if (end.status != 0) {
    return failure("exit-" + std::to_string(end.status), "exit status " + std::to_string(end.status), end.error_tail);
  }
  api::Json response = api::Json::object();
  put_body(response, end.output);
  return response;
}

class Server {
 public:
  Server(const Context& context, const ServeArguments& arguments)
      : context_(context), arguments_(arguments), stop_fd_(::eventfd(0, EFD_CLOEXEC)) {}
  ~Server() { ::close(stop_fd_); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  Status run() {
    EKIDEN_ASSIGN(auto client, context_.client());
    EKIDEN_ASSIGN(auto stream, client.events("request"));
    std::signal(SIGPIPE, SIG_IGN);
    sigset_t before;
    pthread_sigmask(SIG_BLOCK, &signals(), &before);  // Before the threads: they inherit it.
    std::vector<std::thread> workers;
    auto done = offer(client);
    if (done) {
      for (std::size_t i = 0; i < arguments_.concurrency; ++i) workers.emplace_back([this] { work(); });
      done = listen(client, std::move(stream));
    }
    stop();
    pthread_sigmask(SIG_SETMASK, &before, nullptr);  // A second signal ends at once.
    // Withdrawn first: who waits in the inbox then hears so, and can turn to somebody else.
    if (done) done = withdraw(client);
    for (std::thread& worker : workers) worker.join();
    if (!done) return done;
    const std::lock_guard lock(mutex_);
    return failed_;
  }

 private:
  static const sigset_t& signals() {
    static const sigset_t set = [] {
      sigset_t both;
      sigemptyset(&both);
      sigaddset(&both, SIGINT);
      sigaddset(&both, SIGTERM);
      return both;
    }();
    return set;
  }

  static bool is_signalled() {
    constexpr timespec kNow{};
    return ::sigtimedwait(&signals(), nullptr, &kNow) > 0;
  }

  std::string path() const { return "/v1/capabilities/" + api::escape_segment(arguments_.capability); }

  Status offer(api::Client& client) {
    EKIDEN_TRY(client.put(path()));
    if (context_.output.json()) {
      context_.output.object({{"kind", "serving"}, {"capability", arguments_.capability}});
    }
    context_.output.note("answering requests for " + arguments_.capability + ", until Ctrl-C");
    return context_.output.flush();
  }

  Status withdraw(api::Client& client) {
    const auto done = client.remove(path());
    if (done || done.error().code == Errc::not_found) return {};
    return std::unexpected<Error>(done.error());
  }

  Status listen(api::Client& client, api::EventStream stream) {
    while (!is_signalled() && !is_stopping()) {
      const auto event = stream.next(kLook);
      if (event) {
        wake();
      } else if (event.error().code == Errc::limit_exceeded) {
        EKIDEN_ASSIGN(stream, client.events("request"));
        wake();
      } else if (event.error().code != Errc::timed_out) {
        return std::unexpected<Error>(event.error());
      }
    }
    return {};
  }

  bool is_stopping() {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }

  void wake() {
    const std::lock_guard lock(mutex_);
    ++news_;
    changed_.notify_all();
  }

  void stop() {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
    [[maybe_unused]] const int written = ::eventfd_write(stop_fd_, 1);
  }

  void work() {
    auto client = context_.client();
    Status done;
    if (!client) done = std::unexpected<Error>(client.error());
    while (done) {
      const auto request = next(*client);
      if (!request) {
        done = std::unexpected<Error>(request.error());
      } else if (request->is_null()) {
        return;
      } else {
        done = answer(*client, *request);
      }
    }
    const std::lock_guard lock(mutex_);
    if (!stopping_) failed_ = std::move(done);
    stopping_ = true;
    changed_.notify_all();
  }

  /// Waits for one that nobody else has taken; null at the end.
  Result<api::Json> next(api::Client& client) {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      const auto seen = news_;
      EKIDEN_ASSIGN(auto request, look(client));
      if (!request.is_null()) {
        taken_.insert(number_of(request, "number"));
        return request;
      }
      changed_.wait(lock, [&] { return stopping_ || news_ != seen; });
    }
    return api::Json();
  }

  /// The oldest that is free, or null.
  Result<api::Json> look(api::Client& client) {
    std::uint64_t after = 0;
    for (bool more = true; more;) {
      EKIDEN_ASSIGN(const auto page,
                    client.get("/v1/requests?capability=" + api::escape_segment(arguments_.capability) +
                               "&limit=64&after=" + std::to_string(after)));
      more = flag_of(page, "more");
      for (const auto& request : part_of(page, "messages")) {
        after = number_of(request, "number");
        if (!taken_.contains(after)) return request;
      }
    }
    return api::Json();
  }

  Status answer(api::Client& client, const api::Json& request) {
    const auto began = Clock::now();
    const auto number = number_of(request, "number");
    if (time_left(request) <= Duration::zero()) return {};  // It is about to leave the inbox.
    EKIDEN_ASSIGN(const auto end, run_child({.command = arguments_.command,
                                             .environment = environment_of(request),
                                             .input = bytes_of(request),
                                             .timeout = std::min(arguments_.timeout, time_left(request)),
                                             .max_output = router::kMaxBody,
                                             .max_error_tail = kErrorTail,
                                             .stop = stop_fd_}));
    if (end.how == ChildEnd::How::stopped) return {};
    const auto response = response_of(end, arguments_);
    const auto done = post(client, request, response);
    report(request, response, done, Clock::now() - began);
    const std::lock_guard lock(mutex_);
    taken_.erase(number);
    if (!done && done.error().code == Errc::closed) return done;
    return {};
  }

  /// Again while the node has no room for it, as long as somebody waits for the answer.
  Status post(api::Client& client, const api::Json& request, const api::Json& response) {
    const auto path = "/v1/requests/" + std::to_string(number_of(request, "number")) + "/answer";
    for (;;) {
      const auto done = client.post(path, response);
      if (done) return {};
      const bool is_full = done.error().code == Errc::limit_exceeded || done.error().code == Errc::storage_full;
      std::unique_lock lock(mutex_);
      if (!is_full || stopping_ || time_left(request) <= Duration::zero()) {
        return std::unexpected<Error>(done.error());
      }
      changed_.wait_for(lock, kRetry, [this] { return stopping_; });
    }
  }

  std::vector<std::pair<std::string, std::string>> environment_of(const api::Json& request) const {
    return {
        {"EKIDEN_REQUEST_ID", text_of(request, "id")},       {"EKIDEN_FROM", text_of(request, "from")},
        {"EKIDEN_FROM_NAME", text_of(request, "from_name")}, {"EKIDEN_CAPABILITY", arguments_.capability},
        {"EKIDEN_TYPE", text_of(request, "type")},           {"EKIDEN_CONTENT_TYPE", text_of(request, "content_type")}};
  }

  void report(const api::Json& request, const api::Json& response, const Status& done, Duration took) {
    const std::lock_guard lock(mutex_);
    const bool failed = flag_of(response, "failed");
    Output& output = context_.output;
    if (output.json()) {
      api::Json line = {{"kind", "answered"}, {"id", text_of(request, "id")}, {"from", text_of(request, "from")}};
      line["failed"] = failed;
      line["took_us"] = std::chrono::duration_cast<microseconds>(took).count();
      if (!done) line["problem"] = {{"code", errc_name(done.error().code)}, {"detail", done.error().message}};
      output.object(line);
    } else {
      std::string text = output.text(peer_of(request, "from", "from_name")) + "  " + text_of(request, "id") + "  " +
                         (failed ? "failed: " + output.text(text_of(response, "body")) : "answered") + " in " +
                         human_duration(took);
      if (!done) text += ", but the answer was not accepted: " + done.error().message;
      output.note(text);
    }
    static_cast<void>(output.flush());
  }

  const Context& context_;
  const ServeArguments& arguments_;
  const int stop_fd_;

  std::mutex mutex_;  ///< of everything below, and of the output
  std::condition_variable changed_;
  std::uint64_t news_ = 0;
  std::set<std::uint64_t> taken_;  ///< numbers of requests that a worker has
  bool stopping_ = false;
  Status failed_;
};

}  // namespace

Status run_serve(const Context& context, const ServeArguments& arguments) {
  if (!identity::is_capability(arguments.capability)) {
    return fail(Errc::invalid_argument, "'" + arguments.capability + "' is no capability: one is like translate/ja-en");
  }
  // Two would each run every request, and only one of the answers counts.
  const auto file = "serve-" + api::escape_segment(arguments.capability) + ".lock";
  EKIDEN_ASSIGN([[maybe_unused]] const auto lock,
                runtime::FileLock::acquire(context.data_dir / file, "another `ekiden serve`",
                                           "answers requests for " + arguments.capability +
                                               ": end it first, or give it more workers with --concurrency"));
  return Server(context, arguments).run();
}

}  // namespace ekiden::cli
