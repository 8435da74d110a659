// A session engine without cryptography: every sealed message has a key of its own that opens once, and what it keeps
// goes through the same batches as the real one's state. Loses a session on request.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "crypto/hash.hpp"
#include "identity/peer_id.hpp"
#include "store/batch.hpp"

namespace ekiden::router::test {

class FakeSession {
 public:
  enum class Failure { duplicate, unknown_session, bad };

  void load(const std::vector<store::Row>& rows, std::uint64_t boot) {
    boot_ = boot;
    for (const store::Row& row : rows) {
      if (row.key.table != store::Table::sessions) continue;
      if (row.key.name == to_bytes(as_bytes("send"))) {
        next_ = get_be<std::uint64_t>(row.value) + 1;
      } else {
        used_.insert(row.key.name);
      }
    }
  }

  /// 49 bytes of header, then the plaintext as it is.
  Bytes seal(const identity::PeerId& to, bool durable, ByteView associated, ByteView plaintext, store::Batch& changes) {
    Bytes sealed;
    sealed.push_back(durable ? 'd' : 'v');
    // Volatile keys are of this boot alone, as if from a reserved block; durable ones are persisted before they leave.
    append_be(sealed, durable ? next_++ : boot_ << 32 | next_volatile_++);
    append_be(sealed, generation(to));
    append(sealed, crypto::sha256(associated).view());
    if (durable) {
      Bytes counter;
      append_be(counter, next_ - 1);
      changes.put(store::Table::sessions, as_bytes("send"), std::move(counter));
    }
    append(sealed, plaintext);
    return sealed;
  }

  std::expected<Bytes, Failure> open(const identity::PeerId& from, bool durable, ByteView associated, ByteView sealed,
                                     store::Batch& changes) {
    if (sealed.size() < kHeader || sealed[0] != (durable ? 'd' : 'v')) return std::unexpected(Failure::bad);
    if (crypto::sha256(associated) != crypto::Digest{take_array<32>(sealed.subspan(17))}) {
      return std::unexpected(Failure::bad);
    }
    if (lost_.contains({from, generation_of(sealed)})) return std::unexpected(Failure::unknown_session);
    Bytes key(from.bytes.begin(), from.bytes.begin() + 8);
    append(key, sealed.first(9));
    if (!used_.insert(key).second) return std::unexpected(Failure::duplicate);
    if (durable) changes.put(store::Table::sessions, key, Bytes{});
    return to_bytes(sealed.subspan(kHeader));
  }

  /// Opens everything once more: replays find only what the router itself remembers.
  void forget_used() { used_.clear(); }
  /// Nothing sealed by `from` under this generation opens any more.
  void lose(const identity::PeerId& from, std::uint64_t generation) { lost_.insert({from, generation}); }
  /// True if the reset is for the session in use with that peer; a new one takes its place.
  bool on_reset(const identity::PeerId& peer, std::uint64_t lost) {
    if (lost != generation(peer)) return false;
    generations_[peer] = lost + 1;
    return true;
  }
  std::uint64_t generation(const identity::PeerId& peer) const {
    const auto found = generations_.find(peer);
    return found == generations_.end() ? 1 : found->second;
  }

  static std::uint64_t generation_of(ByteView sealed) { return get_be<std::uint64_t>(sealed.subspan(9)); }
  static constexpr std::size_t kHeader = 49;

 private:
  std::uint64_t boot_ = 0;
  std::uint64_t next_ = 1;
  std::uint64_t next_volatile_ = 1;
  std::map<identity::PeerId, std::uint64_t> generations_;  // of the session we send on
  std::set<Bytes> used_;
  std::set<std::pair<identity::PeerId, std::uint64_t>> lost_;
};

}  // namespace ekiden::router::test
