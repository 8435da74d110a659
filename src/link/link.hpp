// One connection to one neighbour, from its first byte to its last: handshake, records, frames, keepalive, closing.
//
//   handshake -> confirming -> open -> closing -> over
//                     \___________________/
//
//   handshake   Noise messages go back and forth (link/handshake.hpp).
//   confirming  keys exist. The side that dialled sends a ping at once; each side waits for the first record of the
//               other and acts on nothing before it: only a record proves that the other side holds the keys now.
//   open        messages flow.
//   closing     our close frame is the last that we send, behind what was queued. A graceful close (is_graceful) goes
//               on reading until the other side closes too; any other ends when it is written.
//   over        nothing more comes or goes, once what is in the output was written.
//
// Inputs: received bytes, messages to send, whether the link is wanted, close, time. Outputs: LinkEvents; bytes, pulled
// through to_send() / mark_sent(). A record is sealed only when the one before was written, so that what is most urgent
// at that moment goes next.
//
// Timers (one deadline, recomputed from times; a spurious call is harmless): handshake and confirming end after
// handshake_timeout; a record that has begun must be complete after record_timeout (slow writers); output that does not
// move for twice keepalive_interval ends the link (slow readers); after keepalive_interval of silence a ping is sent,
// and on a busy link with a message that comes when no round trip is known that is younger than a minute; after twice
// keepalive_interval of silence the link is dead; without messages, and wanted by neither side, it closes after
// idle_timeout; closing ends after close_timeout. While we do not read (set_unread), silence says nothing, and ends the
// link only after ten minutes.
//
// Bounds: queued frame bytes (max_queued_bytes, more only through adopt()); one incomplete record or handshake message;
// one record of output; one ping and one pong that wait (of many pings the last is answered: a flood of them cannot
// make us queue).
//
// Memory: an idle open link owns no buffers, and of its ciphers only the keys.
#pragma once

#include <memory>
#include <optional>
#include <variant>

#include "base/bytes.hpp"
#include "base/outbox.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "link/config.hpp"
#include "link/events.hpp"
#include "link/frame.hpp"
#include "link/frame_queue.hpp"
#include "link/handshake.hpp"
#include "link/record.hpp"

namespace ekiden::link {

/// The first record of the other side was verified: the link is open.
struct LinkOpened {
  RemoteParty remote;
};
/// The other side says that it sends nothing more. We still may, if the reason is graceful.
struct PeerClosed {
  CloseReason reason;
};
using LinkEvent = std::variant<LinkOpened, Message, PeerClosed>;

class Link {
 public:
  enum class Stage { handshake, confirming, open, closing, over };

  /// The connection to `wanted` is made; the first bytes are ready to be pulled. `config` and `local` outlive the link.
  static std::unique_ptr<Link> dial(Now now, const Config& config, LocalParty& local, const identity::PeerId& wanted,
                                    const std::optional<crypto::X25519PublicKey>& noise_key,
                                    const ByteArray<32>& entropy);
  static std::unique_ptr<Link> accept(Now now, const Config& config, LocalParty& local, const ByteArray<32>& entropy);

  // Inputs.

  void receive(Now now, ByteView bytes, Outbox<LinkEvent>& events);
  /// REQUIRES: is_open(), 1 <= message.size() <= kMaxMessage. Errors: limit_exceeded.
  Status send(Now now, wire::Priority priority, ByteView message);
  /// Takes over what another link had queued.
  void adopt(Link& other) { queue_.take_all(other.queue_); }
  /// While true the link does not close for idling, here and there, which a ping tells at once. It may have output
  /// then.
  void set_wanted(bool wanted);
  /// Says goodbye. What is queued goes out first if the reason is graceful, and is dropped if not.
  void close(Now now, CloseReason reason, Error why);
  void on_deadline(Now now);

  // Pulled.

  /// The bytes to write, at most one record more than was pulled before. Valid until the next call that is not const.
  ByteView to_send(Now now);
  /// REQUIRES: at most what to_send() returned.
  void mark_sent(Now now, std::size_t bytes);

  // Queries.

  bool has_output() const;
  /// In the past when it is over, so that its owner looks.
  Instant deadline() const;
  Stage stage() const { return stage_; }
  /// Takes messages, although the other side may have said that it sends no more.
  bool is_open() const { return stage_ == Stage::open; }
  bool peer_has_closed() const { return peer_closed_; }
  /// The present record is written.
  bool is_between_records() const { return unsent() == 0; }
  /// Over and everything written: hang up.
  bool is_finished() const { return stage_ == Stage::over && unsent() == 0; }
  /// Why it closes or is over.
  const Error& why() const { return why_; }

  bool is_initiator() const { return initiator_; }
  std::optional<Duration> round_trip() const { return round_trip_; }
  std::uint64_t bytes_in() const { return bytes_in_; }
  std::uint64_t bytes_out() const { return bytes_out_; }
  /// How often our sending key was replaced.
  std::uint64_t rekeys() const { return rekeys_; }
  std::size_t queued_bytes() const { return queue_.bytes(); }
  /// Instead of Config::idle_timeout.
  void set_idle_timeout(Duration timeout) { idle_timeout_ = timeout; }
  /// Whether we leave what the other side sends unread: its silence proves nothing then.
  void set_unread(Now now, bool unread);
  Instant last_message() const { return last_message_; }
  /// The same on both sides, different for every link. REQUIRES: keys exist.
  const crypto::Digest& name() const { return name_; }

  void check_invariants() const;

 private:
  Link(Now now, const Config& config, Handshake handshake);

  // How it begins (link_open.cpp).
  void receive_handshake(Now now, ByteView& input);
  void finish_handshake(Now now);
  void confirm(Now now, Outbox<LinkEvent>& events);

  // What it receives, and how it ends (link.cpp).
  bool reads() const;
  void receive_records(Now now, ByteView& input, Outbox<LinkEvent>& events);
  Error why_unreadable(Error why) const;
  void on_record(Now now, const SharedBytes& record, Outbox<LinkEvent>& events);
  void on_frame(Now now, const Frame& frame, const SharedBytes& record, Outbox<LinkEvent>& events);
  void measure(Now now);
  void on_pong(Now now, const Probe& pong);
  void on_peer_close(Now now, CloseReason reason, Outbox<LinkEvent>& events);
  void end(Error why);
  Instant silent_until() const;
  std::optional<Error> why_dead(Now now) const;
  bool may_idle() const { return !wanted_ && !peer_wants_ && queue_.empty(); }

  // What it sends (link_send.cpp).
  bool has_to_say() const;
  bool close_is_written() const;
  void seal_next(Now now);
  bool append_control(Now now, Bytes& buffer);
  std::size_t unsent() const { return output_.size() - output_sent_; }

  const Config* config_;
  Stage stage_ = Stage::handshake;
  bool initiator_;
  bool wanted_ = false;
  bool peer_wants_ = false;
  bool peer_closed_ = false;
  bool drains_ = false;      ///< Closing, and still reading.
  bool said_close_ = false;  ///< Our close frame is sealed: nothing may follow.
  Error why_;
  crypto::Digest name_;
  identity::PeerId peer_;

  std::unique_ptr<Handshake> handshake_;  ///< Until keys exist.
  std::unique_ptr<RemoteParty> remote_;   ///< From there until the link is open.
  std::optional<RecordWriter> writer_;
  std::optional<RecordReader> reader_;

  FrameQueue queue_;
  std::optional<Probe> ping_to_send_;
  std::optional<Probe> pong_to_send_;
  std::optional<CloseReason> close_to_send_;
  Bytes output_;
  std::size_t output_sent_ = 0;

  Instant started_;
  Instant last_received_;  ///< A verified record.
  std::optional<Instant> unread_since_{};
  Duration idle_timeout_;
  Instant last_message_;
  Instant output_moved_;  ///< Output was taken, or began to wait.
  Instant record_began_;  ///< Of the incomplete record.
  Instant close_began_;
  Instant key_since_;
  std::uint64_t key_bytes_ = 0;  ///< Sealed under the present key.
  std::uint64_t rekeys_ = 0;
  std::uint64_t next_token_ = 0;
  bool is_news_to_tell_ = false;      ///< That it is wanted.
  std::optional<Instant> ping_sent_;  ///< Of the ping with next_token_ - 1, unanswered.
  std::optional<Duration> round_trip_;
  Instant measured_;  ///< The last time, if ever.
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
};

}  // namespace ekiden::link
