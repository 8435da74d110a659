// The commands about messages: send, inbox, outbox, trace, status.
#include "cli/command_line.hpp"
#include "cli/text.hpp"
#include "identity/peer_record.hpp"
#include "router/envelope.hpp"
#include "router/question.hpp"
#include "runtime/utc_text.hpp"
#include "wire/priority.hpp"

namespace ekiden::cli {

void CommandLine::declare_messages() {
  declare_send();
  declare_questions();
  declare_inbox();
  declare_outbox();
  declare_trace();
  auto* status = declare(app_, "status", "What the running node is doing", "  ekiden status\n  ekiden status --json\n");
  status->callback([this] { action = run_status; });
}

/// A time, or how long ago it was.
void CommandLine::add_since(CLI::App* app, const std::string& description, std::string& out) {
  app->add_option_function<std::string>(
         "--since",
         [&out](const std::string& text) {
           if (const auto ago = parse_duration(text)) {
             const auto now = std::chrono::floor<milliseconds>(std::chrono::system_clock::now().time_since_epoch());
             out = runtime::utc_text(WallTime(now - std::chrono::floor<milliseconds>(*ago)));
           } else if (runtime::parse_utc(text)) {
             out = text;
           } else {
             throw CLI::ValidationError("--since", "neither a duration like 2h nor a time like 2026-01-31T09:00:00Z");
           }
         },
         description)
      ->type_name("TIME|DURATION");
}

void CommandLine::declare_send() {
  auto* send = declare(app_, "send", "Send a message to a contact, an id, or whoever offers a capability",
                       "  ekiden send bob \"hello\"\n"
                       "  ekiden send bob \"hello\" --wait --timeout 30s      until bob's node confirms it\n"
                       "  ekiden send bob --file report.json --content-type application/json --ttl 7d\n"
                       "  date | ekiden send bob - --priority high\n"
                       "  ekiden send @print/a4 --file page.txt              to one of those who offer it\n"
                       "  ekiden send bob \"step 2\" --conversation build-7    in order with the others of build-7\n");
  send->add_option("to", send_.to, "Name of a contact, an id, or @ and a capability")
      ->required()
      ->type_name("NAME|ID|@CAPABILITY");
  auto* text = send->add_option("text", send_.text, "The message; - reads standard input");
  auto* file = send->add_option("--file", send_.file, "Send the content of this file")->type_name("FILE");
  text->excludes(file);
  paths_[file] = ValueKind::file;
  add_duration(
      send, "--ttl", "Give up after this time, from 1s to 30d [7d]", [this](Duration ttl) { send_.ttl = ttl; },
      DurationRange{seconds(1), milliseconds(router::kMaxTtlMs)});
  const std::vector<std::string> priorities(wire::kPriorityNames.begin(), wire::kPriorityNames.end());
  choose(send->add_option("--priority", send_.priority, "What goes first [normal]"), priorities);
  choose(send->add_option("--class", send_.delivery, "durable survives restarts; volatile is faster and may be lost"),
         {"durable", "volatile"});
  auto* conversation = send->add_option("--conversation", send_.conversation,
                                        "What it belongs to: messages of one conversation arrive in order [unnamed]");
  at_most_bytes(conversation, router::kMaxConversationLength)->type_name("NAME");
  send->add_flag("--unordered", send_.unordered, "Wait for no message before it, and hold none back")
      ->excludes(conversation);
  // A flag with an optional value: as an option it would swallow the word after it.
  auto* wait = send->add_flag("--wait{delivered}", send_.wait, "Wait until the recipient has it");
  choose(wait, {"accepted", "delivered"});
  wait->option_text("[=accepted|delivered]");
  add_duration(send, "--timeout", "Wait at most this long, then exit with 4",
               [this](Duration timeout) { send_.timeout = timeout; });
  auto* type = send->add_option("--type", send_.type, "What the message is, for the program that reads it");
  at_most_bytes(type, router::kMaxTypeLength)->type_name("NAME");
  auto* content_type = send->add_option("--content-type", send_.content_type, "Media type of the body");
  at_most_bytes(content_type, router::kMaxTypeLength)->type_name("TYPE");
  expect_uuid(send->add_option("--reply-to", send_.reply_to, "The message that this one answers"))
      ->type_name("MESSAGE");
  expect_uuid(send->add_option("--id", send_.id, "A UUID of your choice: sending it again sends it once"))
      ->type_name("UUID");
  send->callback([this, text, file] {
    if (text->empty() && file->empty()) throw CLI::RequiredError("a text, --file or -");
    action = [this](const Context& context) { return run_send(context, send_); };
  });
}

void CommandLine::declare_inbox() {
  auto* inbox =
      declare(app_, "inbox", "Print the messages that came, and take them out of the inbox",
              "  ekiden inbox\n"
              "  ekiden inbox --peek                       look, and leave them there\n"
              "  ekiden inbox --follow --json | my-agent    one message a line, as they come\n"
              "  ekiden inbox --from bob --type order --since 2h\n"
              "\n"
              "Requests and replies are not among them: `ekiden serve` answers those. --purpose shows them. What\n"
              "strangers write comes when you accept them: `ekiden contact requests`.\n");
  inbox->add_flag("-f,--follow", inbox_.follow, "Go on printing what comes, until Ctrl-C");
  inbox->add_flag("--peek", inbox_.peek, "Leave the messages in the inbox");
  inbox->add_option("-n,--limit", inbox_.limit, "Stop after so many messages")->check(CLI::Range(1, 1'000'000'000));
  inbox->add_option("--from", inbox_.from, "Only of this sender")->type_name("NAME|ID");
  inbox->add_option("--type", inbox_.type, "Only of this type")->type_name("NAME");
  add_since(inbox, "Only what came in this time, or since: 2h, 2026-01-31T09:00:00Z", inbox_.since);
  choose(inbox->add_option("--purpose", inbox_.purpose, "What it is for [message]"),
         {"message", "request", "reply", "all"});
  inbox->callback([this] { action = [this](const Context& context) { return run_inbox(context, inbox_); }; });
}

void CommandLine::declare_trace() {
  auto* trace = declare(app_, "trace", "Where is my message? Without one: the latest that were sent",
                        "  ekiden trace\n"
                        "  ekiden trace 6f0c5a52-5f0e-4d4b-9a57-2f9f1f2f3a77\n"
                        "  ekiden trace 6f0c5a52-5f0e-4d4b-9a57-2f9f1f2f3a77 --retry    try again now\n");
  trace->add_option("message", trace_.message, "Id of the message");
  trace->add_flag("--retry", trace_.retry, "Try now to reach its recipient, instead of at the next attempt");
  trace->add_option("-n,--limit", trace_.limit, "How many to list [20]")->check(CLI::Range(1, 256));
  trace->callback([this] { action = [this](const Context& context) { return run_trace(context, trace_); }; });
}

void CommandLine::declare_outbox() {
  auto* outbox = declare(app_, "outbox", "The messages that were sent, the latest first, and what became of them",
                         "  ekiden outbox\n"
                         "  ekiden outbox --state queued --to bob\n"
                         "  ekiden outbox --since 1h --json\n"
                         "\n"
                         "`ekiden trace MESSAGE` tells the story of one of them.\n");
  outbox->add_option("--to", outbox_.to, "Only to this recipient")->type_name("NAME|ID");
  outbox->add_option("--type", outbox_.type, "Only of this type")->type_name("NAME");
  choose(outbox->add_option("--state", outbox_.state, "Only in this state"),
         {"queued", "in-flight", "delivered", "expired", "sent"});
  add_since(outbox, "Only what was accepted in this time, or since: 2h, 2026-01-31T09:00:00Z", outbox_.since);
  outbox->add_option("-n,--limit", outbox_.limit, "How many to list [20]")->check(CLI::Range(1, 256));
  outbox->callback([this] { action = [this](const Context& context) { return run_outbox(context, outbox_); }; });
}

void CommandLine::declare_questions() {
  auto* ask = declare(app_, "ask", "Ask a peer, or whoever offers a capability, and print the answer",
                      "  ekiden ask bob \"how are you?\"\n"
                      "  ekiden ask @translate/ja-en \"neko\" --timeout 10s\n"
                      "  ekiden ask bob --capability ocr --file page.png --json\n"
                      "\n"
                      "The other side answers with `ekiden serve`, or with a program of its own.\n");
  ask->add_option("to", ask_.to, "Name of a contact, an id, or @ and a capability")
      ->required()
      ->type_name("NAME|ID|@CAPABILITY");
  auto* text = ask->add_option("text", ask_.text, "The question; - reads standard input");
  auto* file = ask->add_option("--file", ask_.file, "Send the content of this file")->type_name("FILE");
  text->excludes(file);
  paths_[file] = ValueKind::file;
  at_most_bytes(ask->add_option("--capability", ask_.capability, "As what to ask a peer that offers several things"),
                identity::kMaxCapabilitySize);
  add_duration(
      ask, "--timeout", "Wait at most this long, up to 1h, then exit with 4 [30s]",
      [this](Duration timeout) { ask_.timeout = timeout; }, DurationRange{milliseconds(1), router::kMaxAskTimeout});
  const std::vector<std::string> priorities(wire::kPriorityNames.begin(), wire::kPriorityNames.end());
  choose(ask->add_option("--priority", ask_.priority, "What goes first [normal]"), priorities);
  auto* type = ask->add_option("--type", ask_.type, "What the question is, for the program that reads it");
  at_most_bytes(type, router::kMaxTypeLength)->type_name("NAME");
  auto* content_type = ask->add_option("--content-type", ask_.content_type, "Media type of the body");
  at_most_bytes(content_type, router::kMaxTypeLength)->type_name("TYPE");
  ask->callback([this, text, file] {
    if (text->empty() && file->empty()) throw CLI::RequiredError("a text, --file or -");
    action = [this](const Context& context) { return run_ask(context, ask_); };
  });

  auto* serve =
      declare(app_, "serve", "Answer the requests for a capability with a command, until Ctrl-C",
              "  ekiden serve --capability upper --exec 'tr a-z A-Z'\n"
              "  ekiden serve --capability translate/ja-en --exec ./translate.py --concurrency 4 --timeout 2m\n"
              "\n"
              "The request is on the standard input, the reply is the standard output. An exit status other\n"
              "than 0 is an error, and the asker sees the end of the error stream. The environment has\n"
              "EKIDEN_REQUEST_ID, EKIDEN_FROM, EKIDEN_FROM_NAME, EKIDEN_CAPABILITY, EKIDEN_TYPE,\n"
              "EKIDEN_CONTENT_TYPE. A request is run again if the node or this command dies before its\n"
              "reply was accepted.\n");
  serve->add_option("--capability", serve_.capability, "What to offer while this runs")->required();
  serve->add_option("--exec", serve_.command, "Shell command that answers one request")
      ->required()
      ->type_name("COMMAND");
  serve->add_option("--concurrency", serve_.concurrency, "Commands that run at once [1]; other requests wait")
      ->check(CLI::Range(1, 32));
  add_duration(serve, "--timeout", "End a command that takes longer [1m]",
               [this](Duration timeout) { serve_.timeout = timeout; });
  serve->callback([this] { action = [this](const Context& context) { return run_serve(context, serve_); }; });
}

}  // namespace ekiden::cli
