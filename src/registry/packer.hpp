// Packs signed entries into as few messages as hold them, each within the bounds of a link message.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "registry/wire_form.hpp"

namespace ekiden::registry {

using Messages = std::vector<std::shared_ptr<const Bytes>>;

class Packer {
 public:
  /// `round` as in Entries.
  explicit Packer(std::uint32_t round) { pending_.round = round; }

  /// Goes with the first message.
  void want(const EntryId& id) {
    pending_.wanted.push_back(id);
    size_ += sizeof(EntryId) + 1;
  }
  /// REQUIRES: the bytes live until take().
  void add(ByteView signed_bytes) {
    if (size_ + signed_bytes.size() + 3 > kMaxBody || pending_.entries.size() == kMaxEntries) flush();
    pending_.entries.push_back(signed_bytes);
    size_ += signed_bytes.size() + 3;
  }
  /// `answer`: one message at least, and the last says that it is.
  Messages take(bool answer) {
    pending_.last = answer;
    if (answer || !pending_.entries.empty() || !pending_.wanted.empty()) flush();
    return std::exchange(done_, {});
  }

 private:
  void flush() {
    done_.push_back(link_message(wire::MessageType::registry_entries, pending_, size_ + 64));
    pending_.entries.clear();
    pending_.wanted.clear();
    size_ = 0;
  }

  Entries pending_;
  std::size_t size_ = 0;
  Messages done_;
};

}  // namespace ekiden::registry
