// Buffers for received records, used again instead of given back to the allocator.
//
// A record is up to 64 KiB, and one read of the socket brings several. Freed together they let the allocator return
// memory to the system, which then gives it back page by page for the next read: at high rates that costs more than
// decrypting. Copies share one shelf. Bounds: kMaxKept buffers of at most 64 KiB wait; further ones are freed. Not
// thread-safe: a buffer is let go of on the thread that took it.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "base/bytes.hpp"

namespace ekiden::link {

class BufferPool {
 public:
  static constexpr std::size_t kMaxKept = 16;

  /// A buffer of that size, with any content. It comes back when its last owner is gone, if the pool still is there.
  std::shared_ptr<Bytes> take(std::size_t size) {
    std::unique_ptr<Bytes> buffer;
    if (shelf_->empty()) {
      buffer = std::make_unique<Bytes>();
    } else {
      buffer = std::move(shelf_->back());
      shelf_->pop_back();
    }
    buffer->resize(size);
    return {buffer.release(), [shelf = std::weak_ptr(shelf_)](Bytes* used) {
              std::unique_ptr<Bytes> back(used);
              const auto there = shelf.lock();
              if (there && there->size() < kMaxKept) there->push_back(std::move(back));
            }};
  }

  std::size_t kept() const { return shelf_->size(); }

 private:
  using Shelf = std::vector<std::unique_ptr<Bytes>>;
  std::shared_ptr<Shelf> shelf_ = std::make_shared<Shelf>();
};

}  // namespace ekiden::link
