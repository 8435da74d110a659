#include "sim/network.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ekiden::sim {
namespace {

constexpr std::size_t kSegment = 16 * 1024;

Duration backoff(unsigned attempt) { return milliseconds(200) * (1 << std::min(attempt, 5U)); }

}  // namespace

struct Network::End {
  HostIndex host = 0;
  link::ConnId conn{};
  bool attached = false;
};

/// One direction of a stream, from its sender's point of view.
struct Pipe {
  struct Segment {
    Bytes bytes;
    bool fin = false;
    Instant first_sent;
  };
  std::map<std::uint64_t, Segment> segments;  ///< not yet delivered in order, by offset
  std::set<std::uint64_t> arrived;            ///< out of order at the receiver
  std::uint64_t written = 0;
  std::uint64_t delivered = 0;
  bool wants_room = false;
};

struct Network::Stream {
  End ends[2];
  Pipe pipes[2];  ///< pipes[i] carries what ends[i] writes
  bool accepted = false;
  bool connected = false;
};

Network::Network(Schedule& schedule, NetworkModel model, Rng rng)
    : schedule_(schedule), model_(model), rng_(std::move(rng)) {}
Network::~Network() = default;

HostIndex Network::add_host(NetworkHost& host) {
  hosts_.push_back(&host);
  accepted_.push_back(0);
  return static_cast<HostIndex>(hosts_.size() - 1);
}

identity::IpAddress Network::address_of(HostIndex host) {
  // One host to a /24, so that limits per prefix see hosts as they would see networks.
  return identity::IpAddress::v4({10, static_cast<Byte>(host >> 8), static_cast<Byte>(host), 1});
}

identity::Endpoint Network::endpoint_of(HostIndex host) {
  return {.transport = identity::Endpoint::Transport::tcp, .host = address_of(host).text(), .port = kPort};
}

identity::Endpoint Network::udp_endpoint_of(HostIndex host) {
  return {.transport = identity::Endpoint::Transport::udp, .host = address_of(host).text(), .port = kPort};
}

std::optional<HostIndex> Network::host_at(const identity::SocketAddress& at) const {
  const HostIndex host = HostIndex{at.ip.bytes[13]} << 8 | at.ip.bytes[14];
  if (at.port != kPort || host >= hosts_.size() || address_of(host) != at.ip) return std::nullopt;
  return host;
}

void Network::send_datagram(HostIndex from, const identity::SocketAddress& to, Bytes bytes) {
  ++datagrams_sent_;
  bytes_sent_ += bytes.size();
  const auto host = host_at(to);
  if (!host || is_cut(from, *host) || chance(model_.loss)) return;
  const auto shared = std::make_shared<const Bytes>(std::move(bytes));
  for (int copies = chance(model_.duplicate) ? 2 : 1; copies > 0; --copies) {
    schedule_.after(delay(from, *host), [this, from, to = *host, shared] {
      if (hosts_[to]->is_up()) hosts_[to]->on_datagram({address_of(from), kPort}, *shared);
    });
  }
}

void Network::calm() { model_.loss = model_.duplicate = model_.reorder = 0; }

Duration Network::delay(HostIndex from, HostIndex to) {
  const auto pair = std::minmax(from, to);
  const auto [entry, fresh] = latencies_.try_emplace({pair.first, pair.second});
  if (fresh) entry->second = rng_.between(model_.latency_min, model_.latency_max);
  Duration total = entry->second + rng_.between(Duration(0), model_.jitter);
  if (chance(model_.reorder)) total += rng_.between(Duration(0), entry->second * 4);
  return total;
}

Network::StreamPtr Network::find(HostIndex host, link::ConnId conn) const {
  const auto found = streams_.find({host, conn});
  return found == streams_.end() ? nullptr : found->second;
}

void Network::attach(const StreamPtr& stream, int side, HostIndex host, link::ConnId conn) {
  stream->ends[side] = {host, conn, true};
  streams_[{host, conn}] = stream;
}

void Network::detach(Stream& stream, int side) {
  End& end = stream.ends[side];
  if (!end.attached) return;
  end.attached = false;
  streams_.erase({end.host, end.conn});
}

void Network::dial(HostIndex from, link::ConnId conn, const identity::Endpoint& to,
                   identity::LearnedFrom learned_from) {
  auto stream = std::make_shared<Stream>();
  attach(stream, 0, from, conn);
  const auto address = to.address();
  Error why{Errc::unreachable, "no route to host"};
  if (address) {
    if (auto allowed = identity::check_dial(*address, learned_from); !allowed) why = std::move(allowed).error();
  }
  for (HostIndex host = 0; host < hosts_.size() && why.code != Errc::refused; ++host) {
    if (to.port == kPort && endpoint_of(host).host == to.host) {
      stream->ends[1].host = host;
      syn(stream, 0);
      return;
    }
  }
  ++dials_lost_;
  // Later, like every answer of a network: whoever dials is in the middle of something.
  schedule_.after(Duration(0), [this, stream, why] { abort(stream, 0, why); });
}

void Network::syn(const StreamPtr& stream, unsigned attempt) {
  if (!stream->ends[0].attached) return;
  const HostIndex from = stream->ends[0].host;
  const HostIndex to = stream->ends[1].host;
  const auto again = [this, stream, attempt] {
    if (attempt >= 5) return abort(stream, 0, {Errc::timed_out, "connection timed out"});
    schedule_.after(seconds(1 << attempt), [this, stream, attempt] { syn(stream, attempt + 1); });
  };
  if (is_cut(from, to) || chance(model_.loss)) return again();
  schedule_.after(delay(from, to), [this, stream, from, to, again] {
    if (!stream->ends[0].attached || stream->connected) return;
    if (!hosts_[to]->is_up()) {
      schedule_.after(delay(to, from), [this, stream] { abort(stream, 0, {Errc::unreachable, "connection refused"}); });
      return;
    }
    if (!stream->accepted) {
      stream->accepted = true;
      attach(stream, 1, to, link::ConnId{link::kFirstAccepted + accepted_[to]++});
      hosts_[to]->on_accepted(stream->ends[1].conn, address_of(from), 40'000);
    }
    if (is_cut(to, from) || chance(model_.loss)) return again();
    schedule_.after(delay(to, from), [this, stream, from, to] {
      if (!stream->ends[0].attached || stream->connected) return;
      stream->connected = true;
      hosts_[from]->on_connected(stream->ends[0].conn, {address_of(to), kPort});
    });
  });
}

std::size_t Network::room(HostIndex host, link::ConnId conn) const {
  const StreamPtr stream = find(host, conn);
  if (stream == nullptr) return 0;
  Pipe& pipe =
      stream->pipes[stream->ends[0].attached && stream->ends[0].host == host && stream->ends[0].conn == conn ? 0 : 1];
  const std::size_t used = pipe.written - pipe.delivered;
  if (used >= model_.window) pipe.wants_room = true;
  return used >= model_.window ? 0 : model_.window - used;
}

void Network::write(HostIndex host, link::ConnId conn, ByteView bytes) {
  const StreamPtr stream = find(host, conn);
  if (stream == nullptr) return;
  const int side = stream->ends[0].host == host && stream->ends[0].conn == conn ? 0 : 1;
  Pipe& pipe = stream->pipes[side];
  bytes_sent_ += bytes.size();
  while (!bytes.empty()) {
    const std::size_t n = std::min(bytes.size(), kSegment);
    const std::uint64_t offset = pipe.written;
    pipe.segments[offset] = {.bytes = to_bytes(bytes.first(n)), .first_sent = schedule_.now()};
    pipe.written += n;
    bytes = bytes.subspan(n);
    send_segment(stream, side, offset, 0);
  }
}

void Network::close(HostIndex host, link::ConnId conn) {
  const StreamPtr stream = find(host, conn);
  if (stream == nullptr) return;
  const int side = stream->ends[0].host == host && stream->ends[0].conn == conn ? 0 : 1;
  detach(*stream, side);
  Pipe& pipe = stream->pipes[side];
  const std::uint64_t offset = pipe.written++;
  pipe.segments[offset] = {.bytes = {}, .fin = true, .first_sent = schedule_.now()};
  send_segment(stream, side, offset, 0);
}

void Network::send_segment(const StreamPtr& stream, int side, std::uint64_t offset, unsigned attempt) {
  const auto found = stream->pipes[side].segments.find(offset);
  if (found == stream->pipes[side].segments.end()) return;
  const HostIndex from = stream->ends[side].host;
  const HostIndex to = stream->ends[1 - side].host;
  ++segments_sent_;
  const bool lost = is_cut(from, to) || chance(model_.loss);
  if (!lost) {
    schedule_.after(delay(from, to), [this, stream, side, offset] { arrive(stream, side, offset); });
    if (chance(model_.duplicate)) {
      schedule_.after(delay(from, to), [this, stream, side, offset] { arrive(stream, side, offset); });
    }
    return;
  }
  ++segments_lost_;
  if (schedule_.now() - found->second.first_sent > model_.give_up) {
    abort(stream, side, {Errc::timed_out, "connection timed out"});
    return;
  }
  schedule_.after(backoff(attempt),
                  [this, stream, side, offset, attempt] { send_segment(stream, side, offset, attempt + 1); });
}

void Network::arrive(const StreamPtr& stream, int side, std::uint64_t offset) {
  const End& receiver = stream->ends[1 - side];
  if (!receiver.attached) {
    if (hosts_[receiver.host]->is_up()) return send_reset(stream, side);
    ++segments_lost_;
    schedule_.after(seconds(1), [this, stream, side, offset] { send_segment(stream, side, offset, 3); });
    return;
  }
  Pipe& pipe = stream->pipes[side];
  if (offset < pipe.delivered || !pipe.segments.contains(offset)) return;  // A duplicate.
  pipe.arrived.insert(offset);
  deliver(stream, side);
}

void Network::deliver(const StreamPtr& stream, int side) {
  Pipe& pipe = stream->pipes[side];
  const End receiver = stream->ends[1 - side];
  while (pipe.arrived.erase(pipe.delivered) != 0) {
    auto segment = pipe.segments.extract(pipe.delivered);
    if (segment.mapped().fin) {
      detach(*stream, 1 - side);
      hosts_[receiver.host]->on_closed(receiver.conn, {Errc::closed, "closed by the other side"});
      return;
    }
    pipe.delivered += segment.mapped().bytes.size();
    hosts_[receiver.host]->on_bytes(receiver.conn, segment.mapped().bytes);
    if (!stream->ends[1 - side].attached) return;  // It hung up or crashed over what it read.
  }
  const End& sender = stream->ends[side];
  if (sender.attached && std::exchange(pipe.wants_room, false)) hosts_[sender.host]->on_room(sender.conn);
}

void Network::abort(const StreamPtr& stream, int side, Error why) {
  const End end = stream->ends[side];
  stream->pipes[side].segments.clear();
  if (!end.attached) return;
  const bool failed_to_connect = side == 0 && !stream->connected;
  detach(*stream, side);
  if (failed_to_connect) {
    hosts_[end.host]->on_connect_failed(end.conn, std::move(why));
  } else {
    hosts_[end.host]->on_closed(end.conn, std::move(why));
  }
}

void Network::send_reset(const StreamPtr& stream, int to_side) {
  const HostIndex from = stream->ends[1 - to_side].host;
  const HostIndex to = stream->ends[to_side].host;
  if (is_cut(from, to) || !stream->ends[to_side].attached) return;
  schedule_.after(delay(from, to), [this, stream, to_side] {
    abort(stream, to_side, {Errc::closed, "connection reset by the other side"});
  });
}

void Network::crash(HostIndex host, bool reset) {
  std::vector<StreamPtr> mine;
  for (auto it = streams_.lower_bound({host, link::ConnId{}}); it != streams_.end() && it->first.first == host; ++it) {
    mine.push_back(it->second);
  }
  for (const StreamPtr& stream : mine) {
    const int side = stream->ends[0].attached && stream->ends[0].host == host ? 0 : 1;
    detach(*stream, side);
    stream->pipes[side].segments.clear();
    if (reset) send_reset(stream, 1 - side);
  }
}

void Network::set_cut(HostIndex from, HostIndex to, bool cut) {
  if (cut) {
    cuts_.insert({from, to});
  } else {
    cuts_.erase({from, to});
  }
}

}  // namespace ekiden::sim
