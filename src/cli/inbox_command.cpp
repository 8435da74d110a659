// inbox: print what has come, then tell the node that we have it.
//
// The order is the promise: a message is taken only after its text was flushed. Whoever stops the command in between,
// or fills the disk behind a pipe, finds the message in the inbox again.
#include <algorithm>
#include <set>
#include <utility>

#include "api/http_target.hpp"
#include "cli/body.hpp"
#include "cli/commands.hpp"
#include "cli/json_read.hpp"
#include "cli/text.hpp"

namespace ekiden::cli {
namespace {

constexpr std::uint64_t kPage = 64;

std::string indented(const std::string& text) {
  std::string out = "  ";
  for (const char c : text) {
    out.push_back(c);
    if (c == '\n') out += "  ";
  }
  return out;
}

void print_message(Output& output, const api::Json& message) {
  if (output.json()) return output.object(message);
  auto heading = output.text(peer_of(message, "from", "from_name")) + "  " + text_of(message, "received") + "  " +
                 text_of(message, "id");
  if (const auto purpose = text_of(message, "purpose"); !purpose.empty() && purpose != "message") {
    heading += "  " + purpose;
    if (const auto capability = text_of(message, "capability"); !capability.empty()) heading += " @" + capability;
  }
  if (const auto tier = text_of(message, "tier"); !tier.empty()) heading += "  " + tier;
  if (const auto type = text_of(message, "type"); !type.empty()) heading += "  [" + output.text(type) + "]";
  if (const auto name = text_of(message, "conversation"); !name.empty()) heading += "  in " + output.text(name);
  output.line(heading);
  if (const auto reply = text_of(message, "in_reply_to"); !reply.empty()) output.line("  in reply to " + reply);
  if (const auto missing = number_of(message, "missing"); missing > 0) {
    output.line("  " + std::to_string(missing) + (missing == 1 ? " message" : " messages") +
                " before this one did not come while it was valid");
  }
  if (flag_of(message, "late")) output.line("  late: later messages of this conversation were shown before");
  if (auto body = text_body(message)) {
    while (body->ends_with('\n')) body->pop_back();
    return output.line(indented(output.lines(*body)));
  }
  output.line("  " + describe_body(output, message));
}

class Reader {
 public:
  Reader(const Context& context, const InboxArguments& arguments) : context_(context), arguments_(arguments) {}

  bool finished() const { return arguments_.limit > 0 && printed_ >= arguments_.limit; }
  std::uint64_t printed() const { return printed_; }

  /// Prints, and takes, what waits behind the last message seen.
  Status drain(api::Client& client) {
    bool more = true;
    while (more && !finished()) {
      const auto limit = arguments_.limit > 0 ? std::min(kPage, arguments_.limit - printed_) : kPage;
      EKIDEN_ASSIGN(const auto page, client.get("/v1/inbox?after=" + std::to_string(last_) +
                                                "&limit=" + std::to_string(limit) + filter()));
      more = flag_of(page, "more");
      EKIDEN_TRY(print_page(client, part_of(page, "messages")));
    }
    return {};
  }

  /// A new message was announced. A durable one is in the inbox; a volatile one is only here.
  Status on_event(api::Client& client, const api::Json& event) {
    const auto number = number_of(event, "number");
    if (number != 0) {
      if (seen_.contains(number)) return {};
      // Of a stranger that was accepted just now: it has waited here, under the number with which it came.
      if (number <= last_) last_ = number - 1;
      return drain(client);
    }
    if (!is_wanted(event)) return {};
    auto message = event;
    message.erase("kind");
    print_message(context_.output, message);
    ++printed_;
    return context_.output.flush();
  }

  /// The kinds of events that tell of what is to be printed.
  std::string kinds() const {
    return arguments_.purpose == "all" ? std::string("message,request,reply") : arguments_.purpose;
  }

 private:
  std::string filter() const {
    std::string text;
    const auto add = [&text](const char* name, const std::string& value) {
      if (!value.empty()) text += std::string("&") + name + "=" + api::escape_segment(value);
    };
    add("purpose", arguments_.purpose);
    add("from", arguments_.from);
    add("type", arguments_.type);
    add("since", arguments_.since);
    return text;
  }

  /// A volatile message is in no inbox that could be asked with the filter.
  bool is_wanted(const api::Json& event) const {
    const bool from_whom = arguments_.from.empty() || text_of(event, "from") == arguments_.from ||
                           text_of(event, "from_name") == arguments_.from;
    return from_whom && (arguments_.type.empty() || text_of(event, "type") == arguments_.type);
  }

  Status print_page(api::Client& client, const api::Json& messages) {
    auto numbers = api::Json::array();
    for (const auto& message : messages) {
      const auto number = number_of(message, "number");
      last_ = std::max(last_, number);
      if (!seen_.insert(number).second) continue;
      if (seen_.size() > kMaxSeen) seen_.erase(seen_.begin());
      print_message(context_.output, message);
      numbers.push_back(number);
    }
    printed_ += numbers.size();
    EKIDEN_TRY(context_.output.flush());
    if (arguments_.peek || numbers.empty()) return {};
    const auto taken = client.post("/v1/inbox/take", {{"numbers", std::move(numbers)}});
    // Somebody else took one of them meanwhile; the others are ours.
    if (!taken && taken.error().code != Errc::not_found) return std::unexpected<Error>(taken.error());
    return {};
  }

  const Context& context_;
  const InboxArguments& arguments_;
  static constexpr std::size_t kMaxSeen = 100'000;
  std::uint64_t last_ = 0;
  std::set<std::uint64_t> seen_{};  ///< printed; the oldest forgotten
  std::uint64_t printed_ = 0;
};

Status follow(api::Client& client, api::EventStream stream, Reader& reader) {
  while (!reader.finished()) {
    const auto event = stream.next(minutes(1));
    if (event) {
      EKIDEN_TRY(reader.on_event(client, *event));
    } else if (event.error().code == Errc::limit_exceeded) {
      // Events were dropped. What is durable waits in the inbox; listen again first, so that nothing falls in between.
      EKIDEN_ASSIGN(stream, client.events(reader.kinds()));
      EKIDEN_TRY(reader.drain(client));
    } else if (event.error().code != Errc::timed_out) {
      return std::unexpected<Error>(event.error());
    }
  }
  return {};
}

}  // namespace

Status run_inbox(const Context& context, const InboxArguments& arguments) {
  EKIDEN_ASSIGN(auto client, context.client());
  Reader reader(context, arguments);
  std::optional<api::EventStream> stream;
  if (arguments.follow) {
    EKIDEN_ASSIGN(stream, client.events(reader.kinds()));
  }
  EKIDEN_TRY(reader.drain(client));
  if (stream) return follow(client, std::move(*stream), reader);
  if (reader.printed() == 0) context.output.note("nothing new");
  return {};
}

}  // namespace ekiden::cli
