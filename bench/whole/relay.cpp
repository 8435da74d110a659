// delivery.relay.rate: what one relay takes durably and hands on, between senders and recipients that cost it nothing.
//
// The senders have signed their packets before, as many under one signature as leave together. A recipient says that it
// has a packet only when the relay has told the sender so: the relay cannot spare itself the disk.
#include <poll.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "relay/messages.hpp"
#include "relay/wire_form.hpp"
#include "whole/raw.hpp"
#include "whole/visitor.hpp"

namespace ekiden::bench {
namespace {

constexpr unsigned kWays = 4;
constexpr std::size_t kPackets = 10'000;  // of each sender …
constexpr std::size_t kOutstanding = 64;  // … of which so many wait for their acknowledgement
constexpr std::size_t kEnvelope = 1160;   // of a message of 1 KiB
constexpr unsigned kFirstSender = 300'000;
constexpr unsigned kFirstRecipient = 400'000;

/// A sender, a recipient, and the packets between them.
class Way {
 public:
  explicit Way(unsigned number) : sender_(kFirstSender + number), recipient_(kFirstRecipient + number) {}

  Status connect(const Service& relay) {
    EKIDEN_TRY(sender_.connect(relay));
    EKIDEN_TRY(recipient_.connect(relay));
    make_packets(relay.id);
    return {};
  }

  Visitor& sender() { return sender_; }
  Visitor& recipient() { return recipient_; }
  bool is_done() const { return done_ == packets_.size(); }

  Status send() {
    for (; sent_ < packets_.size() && sent_ < acknowledged_ + kOutstanding; ++sent_) {
      sender_.send(*packets_[sent_].message);
    }
    return sender_.flush();
  }

  Status read_acknowledgements() {
    EKIDEN_TRY(sender_.read());
    if (!sender_.take(wire::MessageType::not_taken).empty()) return fail(Errc::refused, "the relay takes no more");
    for (const Bytes& message : sender_.take(wire::MessageType::taken)) {
      EKIDEN_ASSIGN(const auto taken, wire::decode<relay::Taken>(ByteView(message).subspan(1)));
      for (const crypto::Digest& subject : taken.subjects) {
        Prepared& packet = packets_.at(numbers_.at(subject));
        if (std::exchange(packet.is_acknowledged, true)) continue;
        ++acknowledged_;
        if (packet.has_arrived) settled_.push_back(subject);
      }
    }
    return {};
  }

  Status read_packets() {
    EKIDEN_TRY(recipient_.read());
    for (const Bytes& message : recipient_.take(wire::MessageType::packet)) {
      EKIDEN_ASSIGN(const auto arrived, wire::decode<relay::Packet>(ByteView(message).subspan(1)));
      Prepared& packet = packets_.at(get_be<std::uint32_t>(ByteView(arrived.id.bytes)));
      if (std::exchange(packet.has_arrived, true)) continue;
      if (packet.is_acknowledged) settled_.push_back(packet.subject);
    }
    return {};
  }

  Status settle() {
    while (!settled_.empty()) {
      const std::size_t count = std::min(settled_.size(), relay::kMaxTaken);
      const relay::Taken taken{{settled_.end() - static_cast<std::ptrdiff_t>(count), settled_.end()}};
      settled_.resize(settled_.size() - count);
      done_ += count;
      recipient_.send(*relay::link_message(wire::MessageType::taken, taken));
    }
    return recipient_.flush();
  }

 private:
  struct Prepared {
    std::shared_ptr<const Bytes> message;
    crypto::Digest subject;
    bool has_arrived = false;
    bool is_acknowledged = false;
  };

  void make_packets(const identity::PeerId& relay) {
    const Bytes envelope(kEnvelope, 'x');
    relay::Packet packet{.from = sender_.identity().id(), .to = recipient_.identity().id(), .durable = true};
    packet.expires = now().wall + milliseconds(days(7));
    packet.payload = envelope;
    while (packets_.size() < kPackets) {
      const WallTime at = now().wall;
      std::vector<Uuid> ids;
      std::vector<crypto::Digest> subjects;
      std::vector<crypto::Digest> leaves;
      for (std::size_t i = packets_.size(); leaves.size() < path::kMaxLeaves && i < kPackets; ++i) {
        put_be(MutableBytes(packet.id.bytes), static_cast<std::uint32_t>(i));
        packet.id.bytes[6] = 0x40;
        packet.id.bytes[8] = 0x80;
        ids.push_back(packet.id);
        subjects.push_back(packet.subject());
        leaves.push_back(path::leaf_of(subjects.back(), {}, packet.from, relay, at));
      }
      const path::Hops hops = path::sign_hops(sender_.identity(), at, leaves);
      for (std::size_t i = 0; i < hops.size(); ++i) {
        packet.id = ids[i];
        packet.path = {hops[i]};
        numbers_.emplace(subjects[i], packets_.size());
        auto message = relay::link_message(wire::MessageType::packet, packet, relay::size_with_hop(packet));
        packets_.push_back({.message = std::move(message), .subject = subjects[i]});
      }
    }
  }

  Visitor sender_;
  Visitor recipient_;
  std::vector<Prepared> packets_;
  std::map<crypto::Digest, std::size_t> numbers_;
  std::vector<crypto::Digest> settled_;  ///< of which the recipient has to say that it has them
  std::size_t sent_ = 0;
  std::size_t acknowledged_ = 0;
  std::size_t done_ = 0;
};

/// Waits until the relay has something to say to somebody, and hears it.
Status hear(std::vector<std::unique_ptr<Way>>& ways) {
  std::vector<pollfd> ends;
  for (const auto& way : ways) {
    ends.push_back({.fd = way->sender().fd(), .events = POLLIN, .revents = 0});
    ends.push_back({.fd = way->recipient().fd(), .events = POLLIN, .revents = 0});
  }
  constexpr int kPatienceMs = 20'000;
  if (poll(ends.data(), ends.size(), kPatienceMs) <= 0) return fail(Errc::timed_out, "the relay says nothing any more");
  for (std::size_t i = 0; i < ways.size(); ++i) {
    if (ends[2 * i].revents != 0) EKIDEN_TRY(ways[i]->read_acknowledgements());
    if (ends[2 * i + 1].revents != 0) EKIDEN_TRY(ways[i]->read_packets());
  }
  return {};
}

Result<double> measure(const Service& relay) {
  std::vector<std::unique_ptr<Way>> ways;
  for (unsigned number = 0; number < kWays; ++number) {
    ways.push_back(std::make_unique<Way>(number));
    EKIDEN_TRY(ways.back()->connect(relay));
  }
  const double begin = seconds_now();
  while (!std::ranges::all_of(ways, [](const auto& way) { return way->is_done(); })) {
    for (const auto& way : ways) EKIDEN_TRY(way->send());
    EKIDEN_TRY(hear(ways));
    for (const auto& way : ways) EKIDEN_TRY(way->settle());
  }
  return kWays * kPackets / (seconds_now() - begin);
}

Result<Pair> relay_rate(const Options& options) {
  EKIDEN_ASSIGN(const double rows, raw_rows(options.directory));
  EKIDEN_ASSIGN(const auto relay, start_service(options, options.directory + "/relay"));
  EKIDEN_ASSIGN(const double rate, measure(relay));
  return Pair{rate, rows};
}

}  // namespace

std::vector<Figure> relay_figures() {
  return {{"delivery.relay.rate", "1/s", "rows SQLite inserts in batches of 100", "ratio >= 0.2", relay_rate}};
}

}  // namespace ekiden::bench
