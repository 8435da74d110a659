// send: hand a message to the node, and wait for its receipt if asked to.
#include <algorithm>
#include <chrono>
#include <utility>

#include "cli/body.hpp"
#include "cli/commands.hpp"
#include "cli/json_read.hpp"
#include "cli/storage_watch.hpp"
#include "cli/text.hpp"

namespace ekiden::cli {
namespace {

using Clock = std::chrono::steady_clock;

Result<api::Json> make_draft(const SendArguments& arguments) {
  EKIDEN_ASSIGN(const auto body, read_body(arguments.text, arguments.file));
  api::Json draft = {{"to", arguments.to}};
  put_body(draft, body);
  const auto put = [&draft](const char* key, const std::string& value) {
    if (!value.empty()) draft[key] = value;
  };
  put("type", arguments.type);
  put("content_type", arguments.content_type);
  put("id", arguments.id);
  put("in_reply_to", arguments.reply_to);
  put("priority", arguments.priority);
  put("class", arguments.delivery);
  put("conversation", arguments.conversation);
  if (arguments.unordered) draft["unordered"] = true;
  if (arguments.ttl) draft["ttl_ms"] = std::chrono::duration_cast<milliseconds>(*arguments.ttl).count();
  return draft;
}

/// Waits for the one message, over breaks of the event stream, until it is settled or the time is over.
class Waiter {
 public:
  Waiter(const Context& context, const SendArguments& arguments) : context_(context), arguments_(arguments) {}

  /// Before the message is sent: its receipt may come faster than we could ask for events afterwards.
  Status listen(api::Client& client) {
    EKIDEN_ASSIGN(stream_, client.events("state"));
    return {};
  }

  /// The state in which it settled. Errors: timed_out, closed, expired.
  Result<std::string> wait(api::Client& client, const std::string& id) {
    auto state = ask(client, id);
    while (state && !is_settled(*state)) {
      context_.output.progress("waiting for the receipt, " + human_duration(Clock::now() - began_));
      state = next(client, id);
    }
    context_.output.end_progress();
    if (state && *state == "expired") {
      return fail(Errc::expired, "message " + id + " expired before its recipient confirmed it");
    }
    return state;
  }

  Duration elapsed() const { return Clock::now() - began_; }

 private:
  static bool is_settled(const std::string& state) {
    return state == "delivered" || state == "expired" || state == "sent";
  }

  static Result<std::string> ask(api::Client& client, const std::string& id) {
    const auto trace = client.get("/v1/messages/" + id);
    if (trace) return text_of(*trace, "state");
    // A volatile message may be gone from memory; the events tell.
    if (trace.error().code == Errc::not_found) return "queued";
    return std::unexpected<Error>(trace.error());
  }

  Result<std::string> next(api::Client& client, const std::string& id) {
    const auto event = stream_->next(step());
    if (event) return text_of(*event, "id") == id ? text_of(*event, "state") : "queued";
    if (event.error().code == Errc::closed) {
      return fail(Errc::closed, "the node stopped while we waited; message " + id +
                                    " is kept and goes on when the node runs again (`ekiden trace " + id + "`)");
    }
    if (event.error().code == Errc::limit_exceeded) {
      EKIDEN_TRY(listen(client));
      return ask(client, id);
    }
    if (event.error().code != Errc::timed_out) return std::unexpected<Error>(event.error());
    if (arguments_.timeout && elapsed() >= *arguments_.timeout) {
      return fail(Errc::timed_out, "no receipt for message " + id + " within " + human_duration(*arguments_.timeout) +
                                       "; it is still under way (`ekiden trace " + id + "`)");
    }
    return "queued";
  }

  /// A second at most, for the progress line.
  Duration step() const {
    const Duration second = seconds(1);
    if (!arguments_.timeout) return second;
    return std::clamp<Duration>(*arguments_.timeout - elapsed(), milliseconds(1), second);
  }

  const Context& context_;
  const SendArguments& arguments_;
  std::optional<api::EventStream> stream_;
  Clock::time_point began_ = Clock::now();
};

/// `answer`: of the node, with whom it chose for a message to a capability.
void print_state(Output& output, const api::Json& answer, const std::string& state, std::optional<Duration> after) {
  const auto id = text_of(answer, "id");
  if (output.json()) {
    api::Json json = answer;
    json["state"] = state;
    if (after) json["elapsed_ms"] = std::chrono::duration_cast<milliseconds>(*after).count();
    return output.object(json);
  }
  if (after) return output.note(state + " after " + human_duration(*after));
  output.line(id);
  if (!answer.contains("capability")) return;
  output.note("to " + output.text(peer_of(answer, "to", "name")) + ", who offers " + text_of(answer, "capability") +
              (flag_of(answer, "linked") ? "" : "; nobody could be reached yet, so it waits"));
}

}  // namespace

Status run_send(const Context& context, const SendArguments& arguments) {
  EKIDEN_ASSIGN(const auto draft, make_draft(arguments));
  EKIDEN_ASSIGN(auto client, context.client());
  const bool wait = arguments.wait == "delivered";
  Waiter waiter(context, arguments);
  if (wait) EKIDEN_TRY(waiter.listen(client));
  const auto posted = [&] {
    const StorageWatch watch(context);
    return client.post("/v1/messages", draft);
  }();
  if (!posted) return std::unexpected<Error>(with_remedy(posted.error()));
  const api::Json& answer = *posted;
  const auto id = text_of(answer, "id");
  print_state(context.output, answer, "accepted", std::nullopt);
  EKIDEN_TRY(context.output.flush());
  if (!wait) return {};
  EKIDEN_ASSIGN(const auto state, waiter.wait(client, id));
  print_state(context.output, answer, state, waiter.elapsed());
  return {};
}

}  // namespace ekiden::cli
