// WebSocket links under an attacker, in the ways that the first byte chooses:
//   0  a script over a client and a server with memory between them: pieces of any size, sockets that take little; all
//      that is said arrives
//   1  a server whose peer sends arbitrary bytes after its request
//   2  a client whose peer sends arbitrary bytes after its answer
//   3  arbitrary bytes as frames, in pieces, against a naive reader that has them all at once
//   4  arbitrary bytes as heads and as the value of a proxy variable
#include "runtime/websocket.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/check.hpp"
#include "runtime/proxy.hpp"
#include "tests/unit/runtime/memory_stream.hpp"

namespace {

using namespace ekiden;
using namespace ekiden::runtime;

struct Pair {
  Channel up;
  Channel down;
  WebSocket::Shared shared{.rng = Rng(Rng::Seed{1})};
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

/// Whatever comes, what goes out is well-formed, and the end is said once.
void attack(ByteView bytes, bool server_side) {
  Pair pair;
  pair.open();
  WebSocket& victim = server_side ? *pair.server : *pair.client;
  Channel& in = server_side ? pair.up : pair.down;
  Channel& out = server_side ? pair.down : pair.up;
  in.bytes = to_bytes(bytes);
  in.piece = bytes.empty() ? 1 : bytes[0] + std::size_t{1};
  bool ended = false;
  while (!in.bytes.empty() && !ended) {
    const auto outcome = victim.read(pair.buffer);
    CHECK(outcome.bytes.size() <= outcome.taken);
    ended = outcome.end.has_value();
    if (!ended) victim.write({});
  }
  if (victim.finish()) {
    while (victim.has_output()) CHECK(!victim.write({}).end);
  }
  FrameReader reader(server_side ? FrameReader::From::server : FrameReader::From::client);
  reader.take(out.bytes);
  CHECK(!reader.broken() && reader.closed());
}

void read_frames(ByteView bytes) {
  if (bytes.empty()) return;
  const auto from = bytes[0] % 2 == 0 ? FrameReader::From::client : FrameReader::From::server;
  const std::size_t piece = bytes[0] / 2 + std::size_t{1};
  FrameReader whole(from);
  FrameReader pieces(from);
  Bytes once = to_bytes(bytes.subspan(1));
  Bytes cut = once;
  once.resize(whole.take(once));
  Bytes payload;
  for (std::size_t at = 0; at < cut.size(); at += std::min(piece, cut.size() - at)) {
    const auto part = MutableBytes(cut).subspan(at, std::min(piece, cut.size() - at));
    append(payload, part.first(pieces.take(part)));
  }
  CHECK(payload == once && whole.over() == pieces.over() && whole.take_ping() == pieces.take_ping());
  CHECK(whole.closed().has_value() == pieces.closed().has_value());
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
  static_cast<void>(check_upgrade_answer(text, "dGhlIHNhbXBsZSBub25jZQ=="));
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
