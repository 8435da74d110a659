// A connection that is a socket and nothing else: each read and write is one system call, without a copy.
//
// Does not own the descriptor.
#pragma once

#include "runtime/stream.hpp"

namespace ekiden::runtime {

class TcpStream final : public Stream {
 public:
  explicit TcpStream(int descriptor) : descriptor_(descriptor) {}

  Result<Wait> open(MutableBytes /*buffer*/) override { return Wait::nothing; }
  std::string_view opening() const override { return "the connection"; }
  ReadOutcome read(MutableBytes buffer) override;
  WriteOutcome write(ByteView bytes) override;

 private:
  int descriptor_;
};

/// What a failed read or write on a socket means for its connection.
Error connection_error(int error_number);

}  // namespace ekiden::runtime
