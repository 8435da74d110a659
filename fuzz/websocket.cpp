// WebSocket links under an attacker, in the ways that the first byte chooses:
//   0  a script over a client and a server with memory between them: pieces of any size, sockets that take little; all
//      that is said arrives
//   1  a server whose peer sends arbitrary bytes after its request
//   2  a client whose peer sends arbitrary bytes after its answer
//   3  arbitrary bytes as frames: in pieces and whole they mean the same
//   4  arbitrary bytes as heads and as the value of a proxy variable
#include "runtime/websocket.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/check.hpp"
#include "runtime/proxy.hpp"
#include "tests/unit/runtime/memory_stream.hpp"
#include "tests/unit/runtime/websocket_frames.hpp"

namespace {

using namespace ekiden;
using namespace ekiden::runtime;

struct Pair {
  Channel up;
  Channel down;
  WebSocket::Shared shared;
  std::unique_ptr<WebSocket> client =
      WebSocket::client(std::make_unique<MemoryStream>(down, up), shared, "node.example");
  std::unique_ptr<WebSocket> server = WebSocket::server(std::make_unique<MemoryStream>(up, down), shared);
  Bytes buffer = Bytes(1024);

  void open() {
    bool here = false;
    bool there = false;
    for (int i = 0; i < 10 && !(here && there); ++i) {
      here = client->open(buffer).value() == Wait::nothing;
      there = server->open(buffer).value() == Wait::nothing;
    }
    CHECK(here && there);
  }
};

/// One side: its next byte counts up, and so must what the other side hears.
struct User {
  WebSocket& stream;
  std::uint64_t said = 0;
  std::uint64_t heard = 0;

  void say(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<Byte>(said + i);
    said += stream.write(bytes).bytes;
  }
  void hear(Bytes& buffer) {
    const auto outcome = stream.read(buffer);
    CHECK(!outcome.end);
    for (const Byte byte : outcome.bytes) CHECK(byte == static_cast<Byte>(heard++));
  }
};

void run_script(ByteView bytes) {
  Pair pair;
  pair.open();
  User client{*pair.client};
  User server{*pair.server};
  for (; bytes.size() >= 4; bytes = bytes.subspan(4)) {
    User& who = bytes[0] % 2 == 0 ? client : server;
    pair.up.room = pair.down.room = bytes[1];
    pair.up.piece = pair.down.piece = bytes[2] + std::size_t{1};
    // What was not taken is offered again, so an offer never shrinks.
    who.say(static_cast<std::size_t>(bytes[3]) + 256);
    if (bytes[0] % 3 == 0) who.stream.keep_alive();
    client.hear(pair.buffer);
    server.hear(pair.buffer);
  }
  pair.up.room = pair.down.room = pair.up.piece = pair.down.piece = SIZE_MAX;
  client.say(512);
  server.say(512);
  while (!pair.up.bytes.empty()) server.hear(pair.buffer);
  while (!pair.down.bytes.empty()) client.hear(pair.buffer);
  CHECK(server.heard == client.said && client.heard == server.said);
}

/// What one side makes of bytes that come in pieces.
struct Outcome {
  Bytes payload;
  bool ended = false;
  std::vector<Frame> said;
};

Outcome feed(ByteView bytes, std::size_t piece, bool server_side) {
  Pair pair;
  pair.open();
  WebSocket& victim = server_side ? *pair.server : *pair.client;
  Channel& in = server_side ? pair.up : pair.down;
  Channel& out = server_side ? pair.down : pair.up;
  Outcome made;
  in.bytes = to_bytes(bytes);
  in.piece = piece;
  while (!in.bytes.empty() && !made.ended) {
    const auto outcome = victim.read(pair.buffer);
    CHECK(outcome.bytes.size() <= outcome.taken);
    append(made.payload, outcome.bytes);
    made.ended = outcome.end.has_value();
    if (!made.ended) victim.write({});
  }
  if (victim.finish()) {
    while (victim.has_output()) CHECK(!victim.write({}).end);
  }
  made.said = frames_in(out.bytes);
  std::size_t size = 0;
  for (const Frame& frame : made.said) size += frame.payload.size() + (frame.masked ? 6 : 2);
  CHECK(size == out.bytes.size());
  return made;
}

/// Whatever comes, what goes out is well-formed, and ends with the end, which is said once.
void attack(ByteView bytes, bool server_side) {
  const Outcome made = feed(bytes, bytes.empty() ? 1 : bytes[0] + std::size_t{1}, server_side);
  CHECK(!made.said.empty() && made.said.back().opcode() == Opcode::close);
  for (const Frame& frame : made.said) {
    CHECK(frame.masked != server_side);
    CHECK(frame.opcode() == Opcode::pong || &frame == &made.said.back());
  }
}

/// Text is refused as what it is, or for its first bytes if these are no text: what comes first decides.
bool is_about_text(std::optional<CloseCode> code) {
  return code == CloseCode::unsupported_data || code == CloseCode::invalid_payload;
}

void read_frames(ByteView bytes) {
  if (bytes.empty()) return;
  const bool server_side = bytes[0] % 2 == 0;
  const Outcome pieces = feed(bytes.subspan(1), bytes[0] / 2 + std::size_t{1}, server_side);
  const Outcome whole = feed(bytes.subspan(1), SIZE_MAX, server_side);
  CHECK(whole.payload == pieces.payload && whole.ended == pieces.ended);
  const auto of_whole = close_code_in(whole.said);
  const auto of_pieces = close_code_in(pieces.said);
  CHECK(of_whole == of_pieces || (is_about_text(of_whole) && is_about_text(of_pieces)));
}

/// A client that is answered with this.
void answer_with(ByteView answer) {
  Pair pair;
  static_cast<void>(pair.client->open(pair.buffer));
  pair.down.bytes = to_bytes(answer);
  for (bool going_on = true; going_on && !pair.down.bytes.empty();) {
    going_on = pair.client->open(pair.buffer) == Wait::readable;
  }
  CHECK(!pair.client->finish() || pair.client->has_output());
}

void read_heads(ByteView bytes) {
  HeadCollector collector;
  const auto used = collector.take(bytes);
  if (used && collector.whole()) {
    const auto key = read_upgrade_request(collector.text());
    if (key) CHECK(read_upgrade_request(upgrade_request("h", *key)) == *key);
    if (!key) CHECK(!refusal_answer(key.error()).empty());
  }
  const std::string text(as_text(bytes));
  static_cast<void>(read_upgrade_request(text));
  static_cast<void>(check_upgrade_answer(text));
  answer_with(bytes);
  static_cast<void>(check_connect_answer(text, false));
  if (const auto proxy = parse_proxy(text)) CHECK(parse_proxy(proxy->text())->host == proxy->host);
  const auto proxies = Proxies::from([&](const std::string&) { return std::optional(text); });
  static_cast<void>(
      proxies.find({.transport = identity::Endpoint::Transport::wss, .host = "node.example", .port = 443}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView bytes(data + 1, size - 1);
  switch (data[0] % 5) {
    case 0:
      run_script(bytes);
      break;
    case 1:
      attack(bytes, true);
      break;
    case 2:
      attack(bytes, false);
      break;
    case 3:
      read_frames(bytes);
      break;
    default:
      read_heads(bytes);
      break;
  }
  return 0;
}
