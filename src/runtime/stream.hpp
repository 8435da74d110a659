// The bytes of one connection, whatever carries them: a socket alone, or a proxy, TLS and WebSocket on it, each a
// stream on the one below.
//
// A stream never blocks and never waits: it does what can be done at once on its socket and says what else would be
// needed. Whoever owns the socket (runtime/tcp.hpp) waits for it. So the rounds, their bounds and their order are
// written once, for all of them.
//
// Order of calls: open() until it asks to wait for nothing; then read() and write() in any order; at the end finish(),
// and write() until has_output() is false. After an error nothing but finish() and has_output() is called.
//
// A stream has no buffer for the bytes of the user: they are read into the buffer that the caller lends, and written
// from where the user keeps them.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ekiden::runtime {

/// What must become possible on the socket before trying again.
enum class Wait : Byte { nothing, readable, writable };

struct ReadOutcome {
  std::size_t taken = 0;  ///< bytes taken off the layer below, which is what a round counts
  ByteView bytes = {};    ///< for the user: the first bytes of the caller's buffer
  /// The connection is over, after these bytes.
  std::optional<Error> end = std::nullopt;
};

struct WriteOutcome {
  std::size_t bytes = 0;  ///< of those given
  bool blocked = false;   ///< the socket takes no more now
  std::optional<Error> end = std::nullopt;
};

class Stream {
 public:
  virtual ~Stream() = default;

  /// Shakes hands as far as it gets at once; `buffer` is for the call. Errors say which step failed, and how.
  virtual Result<Wait> open(MutableBytes buffer) = 0;
  /// What open() waits for, for the error of a deadline: "the TLS handshake".
  virtual std::string_view opening() const = 0;

  virtual ReadOutcome read(MutableBytes buffer) = 0;
  /// REQUIRES: `bytes` begin with those of the last call that were not taken. None: writes the stream's own output.
  virtual WriteOutcome write(ByteView bytes) = 0;

  /// There may be more to read although the socket is quiet.
  virtual bool has_input() const { return false; }
  /// There is something to write that is not the user's: answers of the protocol, last words.
  virtual bool has_output() const { return false; }

  /// Called at regular intervals once it is open: prepares a sign of life if nothing was sent or received since the
  /// last call. False: it needs none, now or later.
  virtual bool keep_alive() { return false; }

  /// Prepares the last words. True if the socket should be kept until they are written and the other side has closed.
  virtual bool finish() { return false; }
};

}  // namespace ekiden::runtime
