// What WebSocket links can be shown of others' cases: messages, frames and closes of Autobahn, and requests of llhttp
// whose length is in doubt.
#include <algorithm>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats.hpp"
#include "runtime/http_head.hpp"
#include "websocket_messages.hpp"
#include "websocket_scripts.hpp"
#include "websocket_server.hpp"

namespace ekiden::vectors {
namespace {

using runtime::CloseCode;

constexpr std::size_t kMaxReason = runtime::kMaxControlPayload - 2;

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

/// A frame with reserved bits or of a reserved kind, as the description has it: behind a message, before a ping,
/// chopped. Nothing for another case. What came before it was carried, and what comes behind it is not answered.
std::optional<Status> run_wrong_frame(const std::string& text) {
  const auto says = [&](std::string_view words) { return text.find(words) != std::string::npos; };
  const auto bits = number_behind(text, "RSV = ");
  const auto opcode = number_behind(text, "Opcode = ");
  if (!bits && !opcode) return std::nullopt;
  if (bits.value_or(0) > 7 || opcode.value_or(0) > 15) return expect(false, "there is no such frame");
  const Bytes whole = to_bytes(as_bytes("Hello, world!"));
  const bool is_second = says("message, then send");
  std::vector<Bytes> pieces;
  if (is_second) pieces.push_back(client_frame(0x82, whole));
  if (bits) {
    const unsigned kind = says("Ping with") ? 9 : (says("Close with") ? 8 : 2);
    const Bytes payload = kind == 8 ? runtime::close_payload(CloseCode::normal, "") : whole;
    pieces.push_back(client_frame(0x80U | static_cast<unsigned>(*bits) << 4U | kind, payload));
  } else {
    pieces.push_back(client_frame(0x80U | static_cast<unsigned>(*opcode), says("non-empty") ? whole : Bytes{}));
  }
  if (says("then send Ping")) pieces.push_back(client_frame(0x89, {}));
  const Heard heard = hear(pieces, says("octet-wise") ? 1 : SIZE_MAX);
  EKIDEN_TRY(expect(heard.payload == (is_second ? whole : Bytes{}), "the bytes that it carries are others"));
  const auto is_pong = [](const runtime::Frame& frame) { return frame.opcode() == runtime::Opcode::pong; };
  EKIDEN_TRY(expect(std::ranges::none_of(heard.said, is_pong), "a ping behind it was answered"));
  return expect_broken(heard);
}

/// A code of which RFC 6455 says nothing is answered like any other that may be sent.
std::optional<Status> run_undefined_code(const std::string& text) {
  const auto number = number_behind(text, "Send close with close code ");
  if (!number) return std::nullopt;
  if (*number > UINT16_MAX) return expect(false, "there is no such code");
  const auto code = static_cast<CloseCode>(*number);
  const Heard heard = hear(client_frame(0x88, runtime::close_payload(code, "")));
  return expect(heard.answered() == code && heard.end && heard.end->code == Errc::closed, "not taken as this code");
}

bool is_case_list(const VectorFile& file) {
  return is_array_with(file.json, "expectation") && is_array_with(file.json, "description");
}

/// False: nothing is known of such a case.
bool run_case(const Json& test, const std::string& id, Report& report) {
  const std::string text = text_or_empty(test, "description");
  if (test.contains("close_code")) {
    report.record(id, run_close_code(test));
  } else if (test.contains("payload_hex") && test.contains("valid_utf8")) {
    const Bytes bytes = hex_or_empty(test, "payload_hex");
    if (bytes.size() > kMaxReason) return false;
    report.record(id, run_reason(bytes, test.at("valid_utf8").get<bool>()));
  } else if (const auto played = run_script(id, text_or_empty(test, "expectation"))) {
    report.record(id, *played);
  } else if (const auto wrong = run_wrong_frame(text)) {
    report.record(id, *wrong);
  } else if (const auto code = run_undefined_code(text)) {
    report.record(id, *code);
  } else if (const auto message = run_message(test); !message) {
    return false;
  } else if (message->refused_as.empty()) {
    report.record(id, message->status);
  } else {
    report.record_refusal(id, message->refused_as, message->status);
  }
  return true;
}

void run_case_list(const VectorFile& file, Report& report) {
  for (const auto& test : file.json) {
    const std::string id = text_or_empty(test, "id");
    try {
      if (!run_case(test, id, report)) report.skip("about something else, or without data");
    } catch (const std::exception& error) {
      report.record(id, fail(Errc::malformed, error.what()));
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
