// Records and frames. The first byte chooses: a stream of good records that the input cuts, damages and rekeys, against
// a list of what was sent; or frames as a peer could make them, against a second parser written as simply as possible.
#include "link/record.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/check.hpp"
#include "link/frame.hpp"

namespace {

using namespace ekiden;
using namespace ekiden::link;

struct Stream {
  noise::CipherContexts contexts;
  RecordWriter writer{noise::CipherState(contexts, crypto::AeadKey(ByteArray<32>{7}))};
  RecordReader reader{noise::CipherState(contexts, crypto::AeadKey(ByteArray<32>{7}))};
  Bytes wire;
  std::vector<Bytes> sent;
  std::vector<std::size_t> rekeys;  ///< After so many records.
  std::size_t received = 0;
  bool damaged = false;
  bool over = false;

  void write(std::size_t size, Byte fill, bool rekey) {
    Bytes buffer(kRecordHeader + size, fill);
    CHECK(writer.seal(buffer));
    append(wire, buffer);
    sent.emplace_back(size, fill);
    if (!rekey) return;
    writer.rekey();
    rekeys.push_back(sent.size());
  }

  void deliver(std::size_t size) {
    const auto count = static_cast<std::ptrdiff_t>(std::min(size, wire.size()));
    const Bytes piece(wire.begin(), wire.begin() + count);
    wire.erase(wire.begin(), wire.begin() + count);
    ByteView input = piece;
    while (!input.empty() && !over) {
      const auto record = reader.next(input);
      over = !record;
      CHECK(!over || damaged);
      if (over || *record == nullptr) continue;
      CHECK(received < sent.size() && **record == sent[received]);
      ++received;
      for (const auto at : rekeys) {
        if (at == received) reader.rekey();
      }
    }
  }
};

void run_stream(ByteView script) {
  Stream stream;
  for (std::size_t i = 0; i + 2 < script.size() && !stream.over; i += 3) {
    const std::size_t amount = script[i + 1] * std::size_t{256} + script[i + 2];
    switch (script[i] % 5) {
      case 0:
        stream.write(amount % 3000, script[i + 1], false);
        break;
      case 1:
        stream.write(amount % (kMaxRecordPlaintext + 1), script[i + 1], true);
        break;
      case 2:
      case 3:
        stream.deliver(amount);
        break;
      case 4:
        if (stream.wire.empty()) break;
        stream.wire[amount % stream.wire.size()] ^= static_cast<Byte>(1U << script[i] / 5 % 8);
        stream.damaged = true;
        break;
    }
  }
  if (!stream.damaged) {
    stream.deliver(stream.wire.size());
    CHECK(stream.received == stream.sent.size() && !stream.reader.is_inside_record());
  }
}

/// What link.md says of frames, once more. False if the record ends the link; `frames` holds what came before.
bool read_simply(ByteView in, std::vector<Bytes>& frames) {
  while (!in.empty()) {
    if (in.size() < 3) return false;
    const std::size_t size = in[1] * 256U + in[2];
    if (size > 34'816 || in.size() - 3 < size) return false;
    const Byte kind = in[0];
    const bool last = in.size() == 3 + size;
    if ((kind == 0 || kind == 1) && size < 9) return false;
    if ((kind == 2 || kind == 3) && !last) return false;
    if ((kind == 3 || kind == 4) && size == 0) return false;
    if (kind <= 4) frames.push_back(to_bytes(in.first(3 + size)));
    in = in.subspan(3 + size);
  }
  return true;
}

void run_frames(ByteView record) {
  std::vector<Bytes> expected;
  const bool good = read_simply(record, expected);
  FrameReader reader(record);
  for (const auto& wanted : expected) {
    const auto frame = reader.next();
    CHECK(frame && *frame);
    Bytes again;
    append_frame(again, (*frame)->kind, (*frame)->payload);
    CHECK(again == wanted);
    if ((*frame)->kind == FrameKind::ping) static_cast<void>(read_probe(**frame));
    if ((*frame)->kind == FrameKind::close) CHECK(!reason_text(read_close(**frame)).empty());
  }
  const auto end = reader.next();
  CHECK(good ? end && !*end : !end);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  if (input.empty()) return 0;
  if (input[0] % 2 == 0) {
    run_stream(input.subspan(1));
  } else {
    run_frames(input.subspan(1));
  }
  return 0;
}
