#include "link/record.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "link/frame.hpp"
#include "link/frame_queue.hpp"
#include "pair.hpp"

namespace ekiden::link {
namespace {

using test::text;
using wire::Priority;

noise::CipherState cipher() {
  static noise::CipherContexts contexts;
  return {contexts, crypto::AeadKey(ByteArray<32>{5})};
}
RecordWriter writer() { return RecordWriter(cipher()); }
RecordReader reader() { return RecordReader(cipher()); }

Bytes record_of(RecordWriter& from, ByteView plaintext) {
  Bytes buffer(kRecordHeader);
  append(buffer, plaintext);
  CHECK(from.seal(buffer));
  return buffer;
}

Result<std::vector<Frame>> read_all(ByteView bytes) {
  std::vector<Frame> frames;
  FrameReader in(bytes);
  for (;;) {
    EKIDEN_ASSIGN(auto frame, in.next());
    if (!frame) return frames;
    frames.push_back(*frame);
  }
}

TEST(Frames, ReadAsTheyWereWritten) {
  Bytes record;
  append_probe(record, FrameKind::ping, {.token = 0x0102030405060708, .keep = true});
  append_frame(record, FrameKind::message, text("abc"));
  append_close(record, CloseReason::superseded);
  const Bytes expected = {0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 1, 4, 0, 3, 'a', 'b', 'c', 3, 0, 1, 3};
  EXPECT_EQ(record, expected);
  const auto frames = read_all(record);
  ASSERT_TRUE(frames);
  ASSERT_EQ(frames->size(), 3U);
  EXPECT_EQ(read_probe((*frames)[0]), (Probe{0x0102030405060708, true}));
  EXPECT_EQ(as_text((*frames)[1].payload), "abc");
  EXPECT_EQ(read_close((*frames)[2]), CloseReason::superseded);
}

TEST(Frames, SkipKindsAndBytesThatANewerPeerAdds) {
  Bytes record = {99, 0, 2, 1, 1};
  append_frame(record, FrameKind::ping, Bytes(20));
  append_frame(record, FrameKind::message, text("x"));
  const auto frames = read_all(record);
  ASSERT_TRUE(frames);
  EXPECT_EQ(frames->size(), 2U);
}

TEST(Frames, AreRefusedWhenTheyMakeNoSense) {
  const std::map<std::string, Bytes> cases = {
      {"cut header", {4, 0}},
      {"cut payload", {4, 0, 3, 1, 2}},
      {"empty message", {4, 0, 0}},
      {"short ping", {0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0}},
      {"close without a reason", {3, 0, 0}},
      {"close before the end", {3, 0, 1, 1, 4, 0, 1, 1}},
      {"rekey before the end", {2, 0, 0, 4, 0, 1, 1}},
  };
  for (const auto& [name, bytes] : cases) {
    const auto frames = read_all(bytes);
    ASSERT_FALSE(frames) << name;
    EXPECT_EQ(frames.error().code, Errc::malformed) << name;
  }
  Bytes oversized = {4, 0xff, 0xff};
  oversized.resize(3 + 0xffff);
  EXPECT_EQ(read_all(oversized).error().code, Errc::too_large);
}

TEST(Records, ArriveWholeHoweverTheyAreCut) {
  auto out = writer();
  Bytes stream;
  std::vector<Bytes> plaintexts = {text("first"), Bytes(70, 9), {}, Bytes(3000, 1)};
  for (const auto& plaintext : plaintexts) append(stream, record_of(out, plaintext));
  for (const std::size_t piece : {1u, 2u, 3u, 17u, 18u, 19u, 88u, 1000u, 100'000u}) {
    auto in = reader();
    std::vector<Bytes> read;
    for (std::size_t from = 0; from < stream.size(); from += piece) {
      ByteView input = ByteView(stream).subspan(from, std::min(piece, stream.size() - from));
      while (!input.empty()) {
        auto record = in.next(input);
        ASSERT_TRUE(record);
        if (*record != nullptr) read.push_back(**record);
      }
    }
    EXPECT_EQ(read, plaintexts) << "in pieces of " << piece;
    EXPECT_FALSE(in.is_inside_record());
  }
}

TEST(Records, DoNotOpenWhenRepeatedLostOrSwapped) {
  auto out = writer();
  const auto first = record_of(out, text("first"));
  const auto second = record_of(out, text("second"));
  const auto opens = [](std::initializer_list<Bytes> order) {
    auto in = reader();
    for (const auto& record : order) {
      ByteView input = record;
      if (!in.next(input)) return false;
    }
    return true;
  };
  EXPECT_TRUE(opens({first, second}));
  EXPECT_FALSE(opens({first, first}));
  EXPECT_FALSE(opens({second}));
  EXPECT_FALSE(opens({second, first}));
}

TEST(Records, ShorterThanATagAreRefusedBeforeTheirBytesCome) {
  auto in = reader();
  const Bytes header = {0, 15};
  ByteView input = header;
  EXPECT_EQ(in.next(input).error().code, Errc::malformed);
}

TEST(Records, OfTheLargestSizeFit) {
  auto out = writer();
  auto in = reader();
  const auto record = record_of(out, Bytes(kMaxRecordPlaintext, 3));
  EXPECT_EQ(record.size(), kRecordHeader + 65'535);
  ByteView input = record;
  const auto opened = in.next(input);
  ASSERT_TRUE(opened);
  EXPECT_EQ(**opened, Bytes(kMaxRecordPlaintext, 3));
}

TEST(Records, HoldNoMemoryForALengthThatWasOnlyAnnounced) {
  auto in = reader();
  const Bytes start = {0xff, 0xff, 1, 2, 3};
  ByteView input = start;
  ASSERT_TRUE(in.next(input));
  EXPECT_TRUE(in.is_inside_record());
  EXPECT_EQ(in.gathered_bytes(), start.size());
}

constexpr std::size_t kPlenty = 1 << 20;

TEST(FrameQueues, ServeTheMostUrgentFirst) {
  FrameQueue queue;
  ASSERT_TRUE(queue.push(Priority::background, Bytes(kMaxMessage, 1), kPlenty));
  ASSERT_TRUE(queue.push(Priority::critical, text("now"), kPlenty));
  const auto first = queue.pop();
  const auto frames = read_all(ByteView(first).subspan(kRecordHeader));
  ASSERT_TRUE(frames);
  ASSERT_EQ(frames->size(), 1U);
  EXPECT_EQ(as_text((*frames)[0].payload), "now");
  EXPECT_EQ(queue.pop().size(), kRecordHeader + kFrameHeader + kMaxMessage);
  EXPECT_TRUE(queue.pop().empty());
}

TEST(FrameQueues, PutManySmallFramesIntoOneRecord) {
  FrameQueue queue;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(queue.push(Priority::normal, Bytes(100, 1), kPlenty));
  EXPECT_EQ(queue.pop().size(), kRecordHeader + 100 * (kFrameHeader + 100));
  for (std::size_t i = 0; i < wire::kPriorities; ++i) {
    ASSERT_TRUE(queue.push(static_cast<Priority>(i), Bytes(100, 1), kPlenty));
  }
  EXPECT_EQ(queue.pop().size(), kRecordHeader + wire::kPriorities * (kFrameHeader + 100));
}

TEST(FrameQueues, NeverMakeARecordLargerThanOneBulkFrame) {
  FrameQueue queue;
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(queue.push(Priority::low, Bytes(30'000, 1), 1 << 22));
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(queue.push(Priority::low, Bytes(900, 1), 1 << 22));
  while (!queue.empty()) {
    EXPECT_LE(queue.pop().size(), kRecordHeader + FrameQueue::kMaxBlock);
    queue.check_invariants();
  }
}

TEST(FrameQueues, RefuseWhatIsOverTheirBound) {
  FrameQueue queue;
  ASSERT_TRUE(queue.push(Priority::normal, Bytes(97, 1), 100));
  EXPECT_EQ(queue.push(Priority::critical, Bytes(1, 1), 100).error().code, Errc::limit_exceeded);
  EXPECT_EQ(queue.bytes(), 100U);
}

RC_GTEST_PROP(FrameQueues, LoseNothingAndKeepTheOrderWithinAPriority, ()) {
  FrameQueue queue;
  FrameQueue other;
  std::map<Byte, std::vector<Bytes>> sent;
  std::map<Byte, std::vector<Bytes>> received;
  const auto pop = [&] {
    const auto record = queue.pop();
    if (record.empty()) return;
    const auto frames = read_all(ByteView(record).subspan(kRecordHeader));
    RC_ASSERT(frames.has_value());
    for (const auto& frame : *frames) received[frame.payload[0]].push_back(to_bytes(frame.payload));
  };
  const auto steps = *rc::gen::container<std::vector<std::pair<Byte, std::uint16_t>>>(
      rc::gen::pair(rc::gen::inRange<Byte>(0, 8), rc::gen::inRange<std::uint16_t>(1, 34 * 1024)));
  for (const auto& [what, size] : steps) {
    if (what >= wire::kPriorities) {
      pop();
    } else {
      Bytes message(size, static_cast<Byte>(sent[what].size()));
      message[0] = what;
      RC_ASSERT(queue.push(static_cast<Priority>(what), message, kPlenty * 64).has_value());
      sent[what].push_back(message);
    }
    queue.check_invariants();
  }
  other.take_all(queue);
  RC_ASSERT(queue.empty());
  queue.take_all(other);
  while (!queue.empty()) pop();
  std::erase_if(sent, [](const auto& entry) { return entry.second.empty(); });
  RC_ASSERT(sent == received);
}

}  // namespace
}  // namespace ekiden::link
