#include "link/frame_queue.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.hpp"

namespace ekiden::link {
namespace {

/// Room for a record's tag and the control frames that may join it, so that sealing does not reallocate.
constexpr std::size_t kTail = crypto::kTagSize + 48;

/// A block that fills grows in few steps, one that is sent at once takes no more than it needs.
void reserve(Bytes& block, std::size_t size) {
  if (size + kTail <= block.capacity()) return;
  constexpr std::size_t kMost = kRecordHeader + FrameQueue::kMaxBlock + kTail;
  block.reserve(std::max(size + kTail, std::min(4 * block.capacity(), kMost)));
}

}  // namespace

Status FrameQueue::push(wire::Priority priority, ByteView message, std::size_t max_bytes) {
  CHECK(!message.empty() && message.size() <= kMaxMessage);
  const auto size = kFrameHeader + message.size();
  if (bytes_ + size > max_bytes) {
    return fail(Errc::limit_exceeded, "the queue of the link is full: " + std::to_string(bytes_) +
                                          " bytes wait and the other side does not take them; try again later");
  }
  auto& blocks = blocks_[static_cast<std::size_t>(priority)];
  if (blocks.empty() || blocks.back().size() + size > kRecordHeader + kMaxBlock) {
    blocks.emplace_back();
    reserve(blocks.back(), kRecordHeader + size);
    blocks.back().resize(kRecordHeader);
  }
  Bytes& block = blocks.back();
  reserve(block, block.size() + size);
  append_frame(block, FrameKind::message, message);
  bytes_ += size;
  return {};
}

FrameQueue::Blocks* FrameQueue::most_urgent() {
  for (auto& blocks : blocks_) {
    if (!blocks.empty()) return &blocks;
  }
  return nullptr;
}

Bytes FrameQueue::pop() {
  Bytes record;
  while (Blocks* blocks = most_urgent()) {
    Bytes& block = blocks->front();
    const auto frames = block.size() - kRecordHeader;
    if (record.empty()) {
      record = std::move(block);
    } else if (record.size() + frames <= kRecordHeader + kMaxJoined) {
      append(record, ByteView(block).subspan(kRecordHeader));
    } else {
      break;
    }
    blocks->pop_front();
    bytes_ -= frames;
  }
  return record;
}

void FrameQueue::take_all(FrameQueue& other) {
  for (std::size_t i = 0; i < blocks_.size(); ++i) blocks_[i].splice(blocks_[i].end(), other.blocks_[i]);
  bytes_ += std::exchange(other.bytes_, 0);
}

void FrameQueue::clear() {
  for (auto& blocks : blocks_) blocks.clear();
  bytes_ = 0;
}

void FrameQueue::check_invariants() const {
  std::size_t total = 0;
  for (const auto& blocks : blocks_) {
    for (const auto& block : blocks) {
      CHECK(block.size() > kRecordHeader && block.size() <= kRecordHeader + kMaxBlock);
      total += block.size() - kRecordHeader;
    }
  }
  CHECK(total == bytes_);
}

}  // namespace ekiden::link
