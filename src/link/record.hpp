// Records: the units that are encrypted. A record is a length (2 bytes, big-endian) and that many bytes of ciphertext,
// whose last 16 are the tag; inside are frames (link/frame.hpp).
//
// Both classes serve one direction of one link. The writer turns a buffer of frames into a record in place: no copy,
// no second buffer. The reader takes whatever pieces the network gives; a record that lies complete in the input is
// decrypted from there straight into the buffer that its messages share. One that does not is gathered first.
//
// Bounds: ciphertext 16 to 65,535 bytes. The reader gathers at most one record, grows with the bytes that have come
// (never with the length that a peer announces), and keeps no memory of its own between records. Invariant: the nonce
// is the number of the record in its direction, so a record that is lost, repeated or moved does not decrypt.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "link/buffer_pool.hpp"
#include "link/gather.hpp"
#include "noise/noise.hpp"

namespace ekiden::link {

/// A buffer of received bytes that several messages share: one allocation per record, not per message.
using SharedBytes = std::shared_ptr<const Bytes>;

inline constexpr std::size_t kRecordHeader = 2;
inline constexpr std::size_t kMaxRecordCiphertext = noise::kMaxNoiseMessage;
inline constexpr std::size_t kMaxRecordPlaintext = kMaxRecordCiphertext - crypto::kTagSize;
/// What a record adds to its frames.
inline constexpr std::size_t kRecordOverhead = kRecordHeader + crypto::kTagSize;

/// How much is sealed under one key is the caller's to bound (rekey()).
class RecordWriter {
 public:
  explicit RecordWriter(noise::CipherState cipher) : cipher_(std::move(cipher)) {}

  /// Makes a record of a buffer: kRecordHeader bytes of room, then frames. The buffer grows by the tag.
  /// REQUIRES: at most kMaxRecordPlaintext bytes of frames. Errors: limit_exceeded when the counter is used up.
  Status seal(Bytes& buffer);

  void rekey() { cipher_.rekey(); }
  std::uint64_t records() const { return cipher_.counter(); }

 private:
  noise::CipherState cipher_;
};

class RecordReader {
 public:
  explicit RecordReader(noise::CipherState cipher, BufferPool buffers = {})
      : cipher_(std::move(cipher)), buffers_(std::move(buffers)) {}

  /// Takes bytes off the front of `input`: a whole record, whose plaintext is returned, or all of them, when the record
  /// is not complete. Call until it returns nothing. Errors: malformed (shorter than a tag), unauthenticated,
  /// limit_exceeded; then the link is over.
  Result<SharedBytes> next(ByteView& input);

  /// True while the beginning of a record waits for its rest: its sender is slow or gone.
  bool is_inside_record() const { return !pieces_.gathered().empty(); }
  std::size_t gathered_bytes() const { return pieces_.gathered().size(); }

  void rekey() { cipher_.rekey(); }
  std::uint64_t records() const { return cipher_.counter(); }

 private:
  Result<SharedBytes> open(ByteView ciphertext);

  noise::CipherState cipher_;
  BufferPool buffers_;
  Gatherer pieces_;
};

}  // namespace ekiden::link
