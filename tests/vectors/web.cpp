// What WebSocket links can be shown of others' cases: frames and closes of Autobahn, and requests of llhttp whose
// length is in doubt.
#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "formats.hpp"
#include "runtime/http_head.hpp"
#include "websocket_scripts.hpp"
#include "websocket_server.hpp"

namespace ekiden::vectors {
namespace {

using runtime::CloseCode;

constexpr std::size_t kMaxReason = runtime::kMaxControlPayload - 2;

std::optional<unsigned> number_behind(const std::string& text, std::string_view words) {
  const auto at = text.find(words);
  unsigned value = 0;
  if (at == std::string::npos) return std::nullopt;
  const char* const begin = text.data() + at + words.size();
  if (std::from_chars(begin, text.data() + text.size(), value).ec != std::errc{}) return std::nullopt;
  return value;
}

Status run_close_code(const Json& test) {
  const auto code = static_cast<CloseCode>(test.at("close_code").get<unsigned>());
  const bool valid = text_or_empty(test, "description").find("invalid") == std::string::npos;
  const auto heard = hear(client_frame(0x88, runtime::close_payload(code, "")));
  if (!valid) return expect_broken(heard);
  return expect(heard.answered() == code && heard.end->code == Errc::closed, "not taken as this code");
}

/// Nothing but the reason of a close is text on a link.
Status run_reason(const Bytes& text, bool valid) {
  const auto heard = hear(client_frame(0x88, runtime::close_payload(CloseCode::normal, as_text(text))));
  if (!valid) return expect_broken(heard);
  const bool is_told = text.empty() || (heard.end && heard.end->message.ends_with(as_text(text)));
  return expect(heard.answered() == CloseCode::normal && is_told, "not taken as a reason");
}

/// The frame of a case whose description says what is special about it; nothing for another case.
std::optional<Status> run_described(const std::string& text) {
  const bool control = text.find("Ping with") != std::string::npos || text.find("Close with") != std::string::npos;
  if (const auto bits = number_behind(text, "RSV = ")) {
    return expect_broken(hear(client_frame(0x80 | *bits << 4 | (control ? 9U : 2U), {})));
  }
  if (const auto opcode = number_behind(text, "Opcode = ")) {
    return expect_broken(hear(client_frame(0x80 | *opcode, Bytes{1})));
  }
  const auto length = number_behind(text, "payload of length ");
  if (!length || !text.starts_with("Send binary message")) return std::nullopt;
  const auto heard = hear(client_frame(0x82, Bytes(*length, 0xfe)));
  return expect(!heard.end && heard.payload == Bytes(*length, 0xfe), "the payload is another one");
}

bool is_case_list(const VectorFile& file) {
  return is_array_with(file.json, "expectation") && is_array_with(file.json, "description");
}

void run_case_list(const VectorFile& file, Report& report) {
  for (const auto& test : file.json) {
    const std::string id = text_or_empty(test, "id");
    if (test.contains("close_code")) {
      report.run(id, [&] { return run_close_code(test); });
    } else if (test.contains("payload_hex") && test.contains("valid_utf8")) {
      const Bytes text = hex_or_empty(test, "payload_hex");
      if (text.size() > kMaxReason) {
        report.skip("longer than any text on a link");
      } else {
        report.run(id, [&] { return run_reason(text, test.at("valid_utf8").get<bool>()); });
      }
    } else if (const auto played = run_script(id, text_or_empty(test, "expectation"))) {
      report.record(id, *played);
    } else if (const auto outcome = run_described(text_or_empty(test, "description"))) {
      report.record(id, *outcome);
    } else {
      report.skip("about text, an endpoint that echoes, or without data");
    }
  }
}

bool is_request_list(const VectorFile& file) {
  return file.text.find("<!-- meta={\"type\":") != std::string::npos &&
         file.text.find("```http\n") != std::string::npos;
}

/// The fields of a request as they stand in it, up to its empty line.
std::string fields_of(std::string_view request) {
  std::string fields;
  std::string_view rest = request.substr(std::min(request.find('\n'), request.size() - 1) + 1);
  while (!rest.empty() && rest.front() != '\n') {
    const auto end = std::min(rest.find('\n'), rest.size());
    fields.append(rest.substr(0, end)).append("\r\n");
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return fields;
}

bool frames(std::string fields) {
  std::ranges::transform(fields, fields.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return fields.find("content-length") != std::string::npos || fields.find("transfer-encoding") != std::string::npos;
}

/// Whatever says how long a request is, in whatever way, keeps it from becoming a WebSocket.
Status run_fields(const std::string& fields) {
  const std::string good = runtime::upgrade_request();
  std::string request = good;
  request.insert(request.size() - 2, fields);
  const auto read = runtime::read_upgrade_request(request);
  EKIDEN_TRY(expect(runtime::read_upgrade_request(good).has_value(), "without the fields it is no upgrade either"));
  return expect(!read && read.error().status == 400, "not answered with 400");
}

void run_request_list(const VectorFile& file, Report& report) {
  constexpr std::string_view kBegin = "```http\n";
  std::size_t number = 0;
  for (auto at = file.text.find(kBegin); at != std::string::npos; at = file.text.find(kBegin, at)) {
    at += kBegin.size();
    const auto end = std::min(file.text.find("```", at), file.text.size());
    const std::string fields = fields_of(std::string_view(file.text).substr(at, end - at));
    ++number;
    if (frames(fields)) {
      report.record("request " + std::to_string(number), run_fields(fields));
    } else {
      report.skip("says nothing about its length");
    }
  }
}

}  // namespace

const Format kWebSocketCases{is_case_list, run_case_list};
const Format kHttpRequests{is_request_list, run_request_list};

}  // namespace ekiden::vectors
