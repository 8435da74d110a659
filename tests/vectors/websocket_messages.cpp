#include "websocket_messages.hpp"

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "websocket_server.hpp"

namespace ekiden::vectors {
namespace {

using runtime::CloseCode;
using runtime::WebSocket;

constexpr std::size_t kMaxNumber = std::size_t{64} << 20;
constexpr const char* kRefusedText = "text, 1003 or 1007";

bool says(const std::string& text, std::string_view words) { return text.find(words) != std::string::npos; }

struct Sending {
  bool is_text = false;
  std::size_t messages = 1;
  std::size_t size = 0;               ///< of each
  std::size_t fragment = kMaxNumber;  ///< at most so many bytes
  std::size_t chop = SIZE_MAX;
};

/// Nothing if it tells of no message of a certain size.
std::optional<Sending> sending_in(const std::string& text) {
  Sending sending;
  std::optional<std::size_t> size;
  for (const std::string_view words : {"payload of length ", "payload size ", " message of length ", "with payload "}) {
    if (!size && says(text, words)) size = number_behind(text, words);
  }
  sending.is_text = text.find(" text message") < text.find(" binary message");
  if (!size || (!sending.is_text && !says(text, " binary message"))) return std::nullopt;
  sending.size = *size;
  if (says(text, " messages of ")) sending.messages = number_behind(text, "Send ").value();
  for (const std::string_view words : {"fragments of ", "autoFragmentSize = "}) {
    if (const auto fragment = number_behind(text, words)) sending.fragment = *fragment;
  }
  sending.chop = number_behind(text, "chops of ").value_or(SIZE_MAX);
  if (sending.fragment == 0 || sending.chop == 0) throw std::runtime_error("pieces of no bytes");
  return sending;
}

/// Text for those who read it as such. No piece of a round size looks like the next one.
Bytes payload_of(std::size_t size) {
  Bytes payload(size);
  for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<Byte>(' ' + i % 89);
  return payload;
}

/// One message of these fragments, each in a frame.
std::vector<Bytes> frames_of(bool is_text, const std::vector<ByteView>& fragments) {
  std::vector<Bytes> frames;
  for (std::size_t i = 0; i < fragments.size(); ++i) {
    const unsigned opcode = i > 0 ? 0 : (is_text ? 1 : 2);
    const unsigned fin = i + 1 == fragments.size() ? 0x80 : 0;
    frames.push_back(client_frame(fin | opcode, fragments[i]));
  }
  return frames;
}

std::vector<ByteView> cut(ByteView bytes, std::size_t size) {
  std::vector<ByteView> pieces;
  do {
    pieces.push_back(bytes.first(std::min(size, bytes.size())));
    bytes = bytes.subspan(pieces.back().size());
  } while (!bytes.empty());
  return pieces;
}

Status expect_refused(const Heard& heard, std::initializer_list<CloseCode> codes, ByteView carried) {
  EKIDEN_TRY(expect(heard.end && heard.end->code == Errc::malformed, "not refused"));
  const auto code = heard.answered();
  EKIDEN_TRY(expect(code && std::ranges::find(codes, *code) != codes.end(), "refused with another code"));
  return expect(std::ranges::equal(heard.payload, carried), "other bytes were carried before the refusal");
}

Judgement play(const Sending& sending) {
  const Bytes payload = payload_of(sending.size);
  Bytes all;
  for (const Bytes& frame : frames_of(sending.is_text, cut(payload, sending.fragment))) append(all, frame);
  const Bytes one = all;
  for (std::size_t i = 1; i < sending.messages; ++i) append(all, one);
  append(all, client_frame(0x88, runtime::close_payload(CloseCode::normal, "")));
  const Heard heard = hear(std::span(&all, 1), sending.chop);
  const std::size_t frame = std::min(sending.size, sending.fragment);
  // The length of a frame is judged before what is in it.
  if (sending.is_text && frame <= WebSocket::kMaxMessage) {
    return {expect_refused(heard, {CloseCode::unsupported_data}, {}), kRefusedText};
  }
  if (sending.size > WebSocket::kMaxMessage) {
    const std::size_t whole = WebSocket::kMaxMessage / frame * frame;
    return {expect_refused(heard, {CloseCode::too_big}, ByteView(payload).first(whole)), "over 1 MiB, 1009"};
  }
  Bytes carried;
  for (std::size_t i = 0; i < sending.messages; ++i) append(carried, payload);
  if (heard.payload != carried) return {expect(false, "the payload is another one")};
  const std::size_t pieces = sending.chop == SIZE_MAX ? heard.pieces : (all.size() - 1) / sending.chop + 1;
  if (heard.pieces != pieces) return {expect(false, "the octets came in other chops")};
  return {expect(heard.answered() == CloseCode::normal && heard.end->code == Errc::closed, "not a clean end")};
}

/// The parts of a text, as the description or else the members of the case give them; several only if it has several.
std::vector<Bytes> parts_of(const Json& test, const std::string& text) {
  if (says(text, "fragments each of length 0")) return {{}, {}, {}};
  if (says(text, "first and last of length 0")) return {{}, payload_of(20), {}};
  std::vector<Bytes> parts;
  if (says(text, "fragments of 1 octet")) {
    for (const Byte byte : hex_at(test, "payload_hex")) parts.push_back({byte});
    return parts;
  }
  const bool is_whole = says(text, "unfragmented") || says(text, "one fragment");
  for (const char digit : {'1', '2', '3'}) {
    const std::string name = std::string("PART") + digit + " = ";
    const std::string member = std::string("payload") + digit + "_hex";
    if (is_whole) break;
    if (const auto at = text.find(name); at != std::string::npos) {
      const auto begin = at + name.size();
      parts.push_back(hex_bytes(text.substr(begin, text.find_first_not_of("0123456789abcdef", begin) - begin)));
    } else if (test.contains(member)) {
      parts.push_back(hex_at(test, member.c_str()));
    }
  }
  if (parts.empty()) parts.push_back(hex_at(test, "payload_hex"));
  return parts;
}

/// In frames, or, if the case says so, in one frame whose bytes come in parts.
Judgement play_text(const Json& test, const std::string& text) {
  const std::vector<Bytes> parts = parts_of(test, text);
  std::vector<Bytes> pieces;
  if (says(text, "chops of the same message frame")) {
    Bytes whole;
    for (const Bytes& part : parts) append(whole, part);
    Bytes frame = client_frame(0x81, whole);
    std::size_t begin = 0;
    std::size_t end = frame.size() - whole.size();
    for (const Bytes& part : parts) {
      end += part.size();
      pieces.emplace_back(frame.begin() + static_cast<std::ptrdiff_t>(begin),
                          frame.begin() + static_cast<std::ptrdiff_t>(end));
      begin = end;
    }
  } else {
    pieces = frames_of(/*is_text=*/true, {parts.begin(), parts.end()});
  }
  const Heard heard = hear(pieces);
  const bool valid = says(text_or_empty(test, "expectation"), "echo'ed");
  if (valid) return {expect_refused(heard, {CloseCode::unsupported_data}, {}), kRefusedText};
  return {expect_refused(heard, {CloseCode::unsupported_data, CloseCode::invalid_payload}, {}), kRefusedText};
}

}  // namespace

std::optional<std::size_t> number_behind(const std::string& text, std::string_view words) {
  const auto at = text.find(words);
  if (at == std::string::npos) return std::nullopt;
  const char* const end = text.data() + text.size();
  std::size_t value = 0;
  std::size_t power = 0;
  auto read = std::from_chars(text.data() + at + words.size(), end, value);
  std::string_view rest(read.ptr, end);
  bool is_number = read.ec == std::errc{};
  if (constexpr std::string_view kTimes = " * "; rest.starts_with(kTimes)) {
    constexpr std::string_view kPower = " * 2**";
    is_number = is_number && rest.starts_with(kPower);
    read = std::from_chars(read.ptr + std::min(kPower.size(), rest.size()), end, power);
    is_number = is_number && read.ec == std::errc{};
  } else if (rest.starts_with('k') || rest.starts_with('M')) {
    power = rest.starts_with('k') ? 10 : 20;
  }
  if (!is_number || power > 26 || value > kMaxNumber >> power) {
    throw std::runtime_error("no number up to 64 MiB behind \"" + std::string(words) + "\"");
  }
  return value << power;
}

std::optional<Judgement> run_message(const Json& test) {
  const std::string text = text_or_empty(test, "description");
  const std::string expectation = text_or_empty(test, "expectation");
  if (const auto sending = sending_in(text)) {
    if (!says(expectation, "echo'ed")) return Judgement{expect(false, "it does not say that there is an echo")};
    return play(*sending);
  }
  const bool has_parts = says(text, "ragments") && says(text, "of length 0");
  if (!has_parts && !test.contains("payload_hex") && !test.contains("payload1_hex")) return std::nullopt;
  if (!says(expectation, "echo'ed") && !says(expectation, "failed")) {
    return Judgement{expect(false, "it does not say what comes of it")};
  }
  return play_text(test, text);
}

}  // namespace ekiden::vectors
