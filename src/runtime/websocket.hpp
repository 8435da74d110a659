// WebSocket on a stream: the upgrade, then the bytes of the user in binary messages.
//
// Inputs and outputs: those of Stream. Below it lies a socket or TLS. What the user writes in one call becomes one
// message of at most kMaxPayload bytes; where messages end means nothing to the other side.
//
// Timers: none of its own; keep_alive() is called at regular intervals, and sends a ping if nothing else was under way
// since the last call, so that proxies which drop what is silent do not. That a neighbour is gone is for the link above
// to find out.
//
// Bounds: before the upgrade one head (kMaxHead); after it a header, a control frame, and the answers of the protocol
// that wait to be sent (one pong, one ping, one close). A frame on its way is made in memory that all streams share,
// and what the socket does not take is made again from the user's bytes: a slow reader costs nothing here.
//
// Rules, and the attack each stops: see ws_frame.hpp and http_head.hpp. A client's frames are masked with keys that
// nobody can foresee (RFC 6455 section 10.3: caches on the way that take bytes of an attacker for an answer). Bytes
// that come behind a request, before its answer, are refused: somebody on the way may take them for a second request.
//
// Source: RFC 6455.
#pragma once

#include <memory>
#include <string>

#include "base/rng.hpp"
#include "runtime/http_head.hpp"
#include "runtime/stream.hpp"
#include "runtime/ws_frame.hpp"

namespace ekiden::runtime {

class WebSocket final : public Stream {
 public:
  static constexpr std::size_t kMaxPayload = 64 * 1024;  ///< of a frame that is sent
  /// What frames are made in: a payload, and what goes before it.
  static constexpr std::size_t kScratchSize = kMaxPayload + 1024;

  /// What all streams of a node share; outlives them.
  struct Shared {
    Rng rng;
    std::unique_ptr<ByteArray<kScratchSize>> scratch = std::make_unique<ByteArray<kScratchSize>>();
  };

  /// The side that asks; `host` as it stands in the Host field.
  static std::unique_ptr<WebSocket> client(std::unique_ptr<Stream> below, Shared& shared, std::string host);
  static std::unique_ptr<WebSocket> server(std::unique_ptr<Stream> below, Shared& shared);

  Result<Wait> open(MutableBytes buffer) override;
  std::string_view opening() const override;
  ReadOutcome read(MutableBytes buffer) override;
  WriteOutcome write(ByteView bytes) override;
  bool has_input() const override { return !early_.empty() || below_->has_input(); }
  bool has_output() const override;
  bool keep_alive() override;
  bool finish() override;

 private:
  enum class Stage : Byte { below, asking, reading_head, answering, open, over };

  WebSocket(std::unique_ptr<Stream> below, Shared& shared, FrameReader::From from);
  Result<Wait> read_head(MutableBytes buffer);
  Status on_head(ByteView behind);
  Status on_request(ByteView behind);
  std::optional<Wait> flush_own(Status& status);
  void decode(ReadOutcome& outcome, MutableBytes bytes);
  std::optional<MaskKey> next_key();
  void queue_control();
  void begin_frame(ByteView bytes);
  std::size_t compose(ByteView bytes);
  std::size_t own_left() const { return own_.size() - own_sent_; }
  bool is_client() const { return !host_.empty(); }

  std::unique_ptr<Stream> below_;
  Shared& shared_;
  std::string host_;  ///< empty at a server
  Stage stage_ = Stage::below;
  HeadCollector head_;
  std::string key_;
  Bytes early_;  ///< came with the answer to the upgrade, not decoded yet
  FrameReader reader_;

  Bytes own_;  ///< heads, control frames and the header of the frame that is being sent
  std::size_t own_sent_ = 0;
  std::optional<MaskKey> mask_;  ///< of that frame
  std::uint64_t frame_size_ = 0;
  std::uint64_t frame_sent_ = 0;
  std::optional<Bytes> pong_;
  bool ping_ = false;
  std::optional<Bytes> close_;
  bool moved_ = true;  ///< something was sent or received since the last keep_alive()
};

}  // namespace ekiden::runtime
