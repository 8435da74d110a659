// A way through an HTTP proxy: CONNECT, and from its answer on the bytes go through untouched.
//
// Bounds: the proxy's answer is one head (kMaxHead); what comes behind it, before this side has said anything, is an
// error, for the other end of a tunnel never speaks first. The time is bounded by whoever opens the stream.
//
// Source: RFC 9110 section 9.3.6.
#pragma once

#include <memory>
#include <string>

#include "runtime/http_head.hpp"
#include "runtime/proxy.hpp"
#include "runtime/stream.hpp"

namespace ekiden::runtime {

class Tunnel final : public Stream {
 public:
  /// `authority` is where the proxy connects to, host:port.
  Tunnel(std::unique_ptr<Stream> below, const Proxy& proxy, const std::string& authority);

  Result<Wait> open(MutableBytes buffer) override;
  std::string_view opening() const override { return opening_; }
  ReadOutcome read(MutableBytes buffer) override { return below_->read(buffer); }
  WriteOutcome write(ByteView bytes) override { return below_->write(bytes); }

 private:
  Status on_answer(ByteView behind);
  std::unexpected<Error> proxy_error(Error why) const;

  std::unique_ptr<Stream> below_;
  std::string name_;  ///< "the proxy http://proxy.example:3128"
  std::string opening_;
  bool has_credentials_;
  std::string request_;
  std::size_t sent_ = 0;
  HeadCollector head_;
};

}  // namespace ekiden::runtime
