// topic: hear what is published in a topic, and publish.
#include "api/http_target.hpp"
#include "cli/body.hpp"
#include "cli/checks.hpp"
#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/json_read.hpp"
#include "cli/text.hpp"

namespace ekiden::cli {
namespace {

void print_item(Output& output, const api::Json& item) {
  if (output.json()) return output.object(item);
  const std::string heading = output.text(peer_of(item, "from", "from_name")) + "  " + text_of(item, "at") + "  ";
  auto body = text_body(item);
  if (!body) return output.line(heading + describe_body(output, item));
  while (body->ends_with('\n')) body->pop_back();
  output.line(heading + output.lines(*body));
}

}  // namespace

Status run_topic_sub(const Context& context, const TopicArguments& arguments) {
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_ASSIGN(auto stream, client.topic(arguments.topic, arguments.realm));
  context.output.note("subscribed to " + arguments.topic);
  EKIDEN_TRY(context.output.flush());
  std::uint64_t printed = 0;
  while (arguments.limit == 0 || printed < arguments.limit) {
    auto item = stream.next(minutes(1));
    if (item) {
      item->erase("kind");
      print_item(context.output, *item);
      EKIDEN_TRY(context.output.flush());
      ++printed;
    } else if (item.error().code != Errc::timed_out) {
      return std::unexpected<Error>(item.error());
    }
  }
  return {};
}

Status run_topic_pub(const Context& context, const TopicArguments& arguments) {
  EKIDEN_ASSIGN(const auto body, read_body(arguments.text, arguments.file));
  api::Json entry = api::Json::object();
  put_body(entry, body);
  EKIDEN_ASSIGN(auto client, context.client());
  const std::string realm = arguments.realm.empty() ? "" : "?realm=" + api::escape_segment(arguments.realm);
  EKIDEN_ASSIGN(const auto published, client.post("/v1/topics/" + api::escape_segment(arguments.topic) + realm, entry));
  if (context.output.json()) {
    context.output.object(published);
    return {};
  }
  const auto neighbours = number_of(published, "neighbours");
  context.output.note(neighbours == 0
                          ? "published; no other member is there yet: whoever comes in the next minute hears it"
                          : "published, by way of " + counted(neighbours, "neighbour"));
  return {};
}

Status run_topic_list(const Context& context) {
  EKIDEN_ASSIGN(auto client, context.client());
  EKIDEN_ASSIGN(const auto answer, client.get("/v1/topics"));
  if (context.output.json()) {
    for (const auto& topic : part_of(answer, "topics")) context.output.object(topic);
    return {};
  }
  std::vector<std::vector<std::string>> rows = {
      {"TOPIC", "REALM", "SUBSCRIBERS", "NEIGHBOURS", "PUBLISHED", "DELIVERED"}};
  for (const auto& topic : part_of(answer, "topics")) {
    const auto counters = part_of(topic, "counters");
    rows.push_back({text_of(topic, "topic"), text_of(topic, "realm"), std::to_string(number_of(topic, "subscribers")),
                    std::to_string(number_of(topic, "neighbours")), std::to_string(number_of(counters, "published")),
                    std::to_string(number_of(counters, "delivered"))});
  }
  if (rows.size() == 1) {
    context.output.note("this node takes part in no topic");
  } else {
    context.output.table(rows);
  }
  return {};
}

void CommandLine::declare_topic() {
  auto* topic = declare(app_, "topic", "Hear what is published in a topic, by anybody, and publish",
                        "  ekiden topic sub weather/tokyo\n"
                        "  ekiden topic pub weather/tokyo \"sunny\"\n");
  topic->require_subcommand(1);
  auto* sub =
      declare(*topic, "sub", "Print what is published in a topic, as it comes, until Ctrl-C",
              "  ekiden topic sub weather/tokyo\n"
              "  ekiden topic sub weather/tokyo --json | my-agent    one object a line\n"
              "  ekiden topic sub weather/tokyo -n 1                 the next, and no more\n"
              "\n"
              "It begins with what other members have kept of the last ten minutes. Anybody who knows the name\n"
              "can read and publish, in a realm (--realm) any member of it; each line says who has signed it. In a\n"
              "realm it goes on when the key changes, and fails when this node leaves.\n");
  sub->add_option("topic", topic_.topic, "Its name, like weather/tokyo")->required();
  expect_realm(sub->add_option("--realm", topic_.realm, "Of this realm, which this node is in"));
  sub->add_option("-n,--limit", topic_.limit, "Stop after so many")->check(CLI::Range(1, 1'000'000'000));
  sub->callback([this] { action = [this](const Context& context) { return run_topic_sub(context, topic_); }; });

  auto* pub = declare(*topic, "pub", "Publish in a topic: all who subscribe hear it, once",
                      "  ekiden topic pub weather/tokyo \"sunny\"\n"
                      "  ekiden topic pub build/done --file report.json\n"
                      "  date | ekiden topic pub clock -\n"
                      "\n"
                      "At most 16 KiB. Whoever is away for longer than ten minutes misses it: `ekiden send` waits.\n");
  pub->add_option("topic", topic_.topic, "Its name, like weather/tokyo")->required();
  expect_realm(pub->add_option("--realm", topic_.realm, "Of this realm, which this node is in"));
  auto* text = pub->add_option("text", topic_.text, "What to publish; - reads standard input");
  auto* file = pub->add_option("--file", topic_.file, "Publish the content of this file")->type_name("FILE");
  text->excludes(file);
  paths_[file] = ValueKind::file;
  pub->callback([this, text, file] {
    if (text->empty() && file->empty()) throw CLI::RequiredError("a text, --file or -");
    action = [this](const Context& context) { return run_topic_pub(context, topic_); };
  });

  auto* list = declare(*topic, "list", "The topics that this node takes part in",
                       "  ekiden topic list\n  ekiden topic list --json\n");
  list->callback([this] { action = run_topic_list; });
}

}  // namespace ekiden::cli
