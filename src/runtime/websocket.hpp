// WebSocket on a stream, by Boost.Beast: the upgrade, then the bytes of the user in binary messages.
//
// Inputs and outputs: those of Stream. Below it lies a socket or TLS. What the user writes in one call becomes one
// message of at most kMaxPayload bytes; where messages end means nothing to the other side. Beast reads and writes in
// memory (websocket_pipe.hpp), so that WebSocket links take part in the same rounds as all others.
//
// Timers: none of its own; keep_alive() is called at regular intervals, and sends a ping if nothing else was under way
// since the last call, so that proxies which cut what is silent do not. That a neighbour is gone is for the link above
// to find out.
//
// Bounds: before the upgrade one head (kMaxHead); after it 4 KiB at a server and 8 KiB at a client, most of it Beast's
// buffers; one message that the socket does not take, and kMaxOwnOutput of answers to pings.
//
// Rules beyond RFC 6455, and the attack each stops:
//   - the request is judged by http_head.hpp; bytes that come behind it, before its answer, are refused: somebody on
//     the way may take them for a second request;
//   - no extension is negotiated, and one that nobody asked for is refused;
//   - a message, with all its fragments, has at most kMaxMessage bytes;
//   - headers, empty frames, pings and pongs may outweigh what is carried by kMaxOverhead bytes and no more: a flood of
//     them, or a message in a thousand fragments, costs the flooder the connection; kForgiven bytes are forgotten with
//     every keep_alive(), or the pings of an idle connection would be a flood after some hours;
//   - text messages are refused: nothing here is text.
//
// Source: RFC 6455.
#pragma once

#include <memory>
#include <string>

#include "runtime/http_head.hpp"
#include "runtime/stream.hpp"

namespace ekiden::runtime {

class WebSocket final : public Stream {
 public:
  static constexpr std::size_t kMaxPayload = 16 * 1024;  ///< of a message that is sent; as much as a record of TLS
  static constexpr std::size_t kMaxMessage = 1 << 20;    ///< that is received
  static constexpr std::size_t kMaxOverhead = 16 * 1024;
  static constexpr std::size_t kForgiven = 256;
  static constexpr std::size_t kMaxOwnOutput = 4 * 1024;

  /// What all streams of a node share; outlives them.
  class Shared {
   public:
    Shared();
    ~Shared();

   private:
    friend class WebSocket;
    struct Impl;
    std::unique_ptr<Impl> impl_;
  };

  /// The side that asks; `host` as it stands in the Host field.
  static std::unique_ptr<WebSocket> client(std::unique_ptr<Stream> below, Shared& shared, std::string host);
  static std::unique_ptr<WebSocket> server(std::unique_ptr<Stream> below, Shared& shared);
  ~WebSocket() override;

  Result<Wait> open(MutableBytes buffer) override;
  std::string_view opening() const override;
  /// REQUIRES: a buffer of the same size each time.
  ReadOutcome read(MutableBytes buffer) override;
  WriteOutcome write(ByteView bytes) override;
  bool has_input() const override;
  bool has_output() const override;
  bool keep_alive() override;
  bool finish() override;

  /// Bytes of memory in which output waits, or has waited.
  std::size_t kept() const;

 private:
  class Beast;
  enum class Stage : Byte { below, upgrading, answering, open, over };

  WebSocket(std::unique_ptr<Stream> below, Shared& shared, std::string host);
  Result<Wait> upgrade(MutableBytes buffer);
  Result<bool> take_head(ByteView bytes);
  Result<Wait> flush();
  Status refuse(const Refusal& refusal);
  bool is_client() const { return !host_.empty(); }

  std::unique_ptr<Stream> below_;
  std::string host_;  ///< empty at a server
  std::unique_ptr<Beast> beast_;
  Stage stage_ = Stage::below;
  HeadCollector head_;
  std::size_t sent_ = 0;      ///< of the output
  std::size_t overhead_ = 0;  ///< bytes by which what came outweighs twice what it carried
  bool moved_ = true;         ///< something was sent or received since the last keep_alive()
};

}  // namespace ekiden::runtime
