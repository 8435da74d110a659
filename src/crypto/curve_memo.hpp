// Remembered results of Curve25519, for a process in which all parties live: a simulation.
//
// A shared secret is computed by its two ends, and a signature is checked by everybody who sees it; in one process all
// but the first repeat what was done. With a memo they are looked up. And where the secrets of both ends are known,
// their product times the base point is the shared secret: that takes less than half the time of a multiplication of
// somebody else's point. The results are the same bits, so a run with a memo is the run without it, sooner.
//
// Never for a node: a memo keeps secrets longer than they are needed, and the time of an operation tells whether its
// result was known.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

#include "base/lookup_table.hpp"
#include "crypto/keys.hpp"

namespace ekiden::crypto {

class CurveMemo {
 public:
  /// Remembers at least the last `entries` of each kind and at most twice as many. REQUIRES: entries > 0.
  explicit CurveMemo(std::size_t entries);
  ~CurveMemo();
  CurveMemo(const CurveMemo&) = delete;
  CurveMemo& operator=(const CurveMemo&) = delete;

  /// From now until the memo is destroyed, x25519_public(), x25519(), to_x25519(), is_acceptable() and verify() of this
  /// process use it. It must not be installed beside another one, nor while another thread runs.
  void install();

  /// The memo that is installed, or nullptr.
  static CurveMemo* installed();
  /// The same, for one of the functions that use it: it is counted.
  static CurveMemo* count_operation();

  /// How often one of these functions was called, or sign(), whether its result was known or not: what a process
  /// without a memo would have computed.
  std::uint64_t operations() const { return operations_; }

  /// nullptr: not known. Valid until the next call.
  const X25519PublicKey* find_public(const X25519SecretKey& secret) { return publics_.find(name_of(secret)); }
  void note_public(const X25519SecretKey& secret, const X25519PublicKey& key);

  const X25519PublicKey* find_image(const Ed25519PublicKey& key) { return images_.find(key.bytes); }
  void note_image(const Ed25519PublicKey& key, const X25519PublicKey& image) { images_.put(key.bytes, image); }

  /// The secret of `mine` and the owner of `theirs`. Nothing if it is not known and does not follow from what is.
  std::optional<SharedSecret> find_shared(const X25519SecretKey& mine, const X25519PublicKey& theirs);
  void note_shared(const X25519SecretKey& mine, const X25519PublicKey& theirs, const SharedSecret& shared);

  /// Whether this signature of this message has been found to be good.
  bool is_verified(const Ed25519PublicKey& key, ByteView message, const Signature& signature);
  void note_verified(const Ed25519PublicKey& key, ByteView message, const Signature& signature);

 private:
  using Name = ByteArray<32>;
  /// Keys, secrets and digests are as random as any hash of them.
  struct NameHash {
    std::size_t operator()(const Name& name) const {
      std::size_t hash = 0;
      std::memcpy(&hash, name.data(), sizeof hash);
      return hash;
    }
  };

  /// The last entries, in two generations: when the younger one is full, the older one goes.
  template <class Value>
  class Recent {
   public:
    explicit Recent(std::size_t entries) : entries_(entries) {}

    const Value* find(const Name& name) {
      if (const Value* found = young_.find(name)) return found;
      const Value* found = old_.find(name);
      if (found == nullptr) return nullptr;
      put(name, Value(*found));
      return young_.find(name);
    }

    void put(const Name& name, Value value) {
      if (young_.size() == entries_) old_ = std::exchange(young_, {});
      young_.insert_or_assign(name, std::move(value));
    }

   private:
    using Table = LookupTable<Name, Value, NameHash>;
    std::size_t entries_;
    Table young_;
    Table old_;
  };

  struct Known {};

  X25519PublicKey public_of(const X25519SecretKey& secret);

  static Name name_of(const X25519SecretKey& secret);
  static Name name_of(const X25519PublicKey& a, const X25519PublicKey& b);
  static Name name_of(const Ed25519PublicKey& key, ByteView message, const Signature& signature);

  std::uint64_t operations_ = 0;
  Recent<X25519PublicKey> publics_;  ///< By the secret.
  Recent<X25519SecretKey> secrets_;  ///< By the public key.
  Recent<SharedSecret> shared_;      ///< By the digest of both public keys, the lesser first.
  Recent<X25519PublicKey> images_;   ///< By the Ed25519 key.
  Recent<Known> verified_;           ///< By the digest of key, signature and message.
};

}  // namespace ekiden::crypto
