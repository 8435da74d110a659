// ask: put a question, wait for its answer, print it.
#include <chrono>

#include "cli/body.hpp"
#include "cli/commands.hpp"
#include "cli/json_read.hpp"
#include "cli/text.hpp"

namespace ekiden::cli {
namespace {

Result<api::Json> make_question(const AskArguments& arguments) {
  EKIDEN_ASSIGN(const auto body, read_body(arguments.text, arguments.file));
  api::Json question = {{"to", arguments.to}};
  put_body(question, body);
  const auto put = [&question](const char* key, const std::string& value) {
    if (!value.empty()) question[key] = value;
  };
  put("capability", arguments.capability);
  put("type", arguments.type);
  put("content_type", arguments.content_type);
  put("priority", arguments.priority);
  question["timeout_ms"] = std::chrono::duration_cast<milliseconds>(arguments.timeout).count();
  return question;
}

void print_answer(Output& output, const api::Json& answer) {
  if (output.json()) return output.object(answer);
  const auto reply = part_of(answer, "reply");
  if (auto text = text_body(reply)) {
    while (text->ends_with('\n')) text->pop_back();
    output.line(output.lines(*text));
  } else {
    output.line(describe_body(output, reply));
  }
}

}  // namespace

Status run_ask(const Context& context, const AskArguments& arguments) {
  EKIDEN_ASSIGN(const auto question, make_question(arguments));
  // The node ends the question in time; the rest is for its answer to come back.
  EKIDEN_ASSIGN(auto client, context.client(arguments.timeout + seconds(30)));
  context.output.progress("waiting for the answer");
  const auto answer = client.post("/v1/requests", question);
  context.output.end_progress();
  if (!answer) {
    Error error = with_remedy(answer.error());
    error.message = context.output.lines(error.message);
    return std::unexpected<Error>(std::move(error));
  }
  print_answer(context.output, *answer);
  return {};
}

}  // namespace ekiden::cli
