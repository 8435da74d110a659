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
    : schedule_(schedule), model_(model), rng_(std::move(rng)), latency_salt_(rng_.next()) {}
Network::~Network() = default;

HostIndex Network::add_host(NetworkHost& host) {
  const auto index = static_cast<HostIndex>(hosts_.size());
  const auto number = index + 1;  // 10.0.0.0 is no host.
  const auto local = identity::IpAddress::v4(
      {10, static_cast<Byte>(number >> 16), static_cast<Byte>(number >> 8), static_cast<Byte>(number)});
  return add_host(host, model_.lan ? local : address_of(index));
}

HostIndex Network::add_host(NetworkHost& host, const identity::IpAddress& at) {
  const auto index = static_cast<HostIndex>(hosts_.size());
  CHECK(at_.emplace(at, index).second);
  hosts_.push_back(&host);
  addresses_.push_back(at);
  accepted_.push_back(0);
  streams_.emplace_back();
  return index;
}

identity::IpAddress Network::address_of(HostIndex host) {
  return identity::IpAddress::v4({20, static_cast<Byte>(host >> 8), static_cast<Byte>(host), 1});
}

identity::Endpoint Network::endpoint_of(HostIndex host) {
  return {.transport = identity::Endpoint::Transport::tcp, .host = address_of(host).text(), .port = kPort};
}

identity::Endpoint Network::udp_endpoint_of(HostIndex host) {
  return {.transport = identity::Endpoint::Transport::udp, .host = address_of(host).text(), .port = kPort};
}

std::optional<HostIndex> Network::host_at(const identity::SocketAddress& at) const {
  if (at.port != kPort) return std::nullopt;
  const HostIndex usual = HostIndex{at.ip.bytes[13]} << 8 | at.ip.bytes[14];
  if (usual < addresses_.size() && addresses_[usual] == at.ip) return usual;
  const auto found = at_.find(at.ip);
  return found == at_.end() ? std::nullopt : std::optional(found->second);
}

void Network::send_datagram_as(HostIndex from, const identity::SocketAddress& source, const identity::SocketAddress& to,
                               Bytes bytes) {
  ++datagrams_sent_;
  bytes_sent_ += bytes.size();
  const auto host = host_at(to);
  if (host && closed_.contains(from)) let_in_.emplace(from, *host);
  if (host && closed_.contains(*host) && !let_in_.contains({*host, from})) return;
  if (!host || is_cut(from, *host) || chance(model_.loss)) return;
  const auto shared = std::make_shared<const Bytes>(std::move(bytes));
  for (int copies = chance(model_.duplicate) ? 2 : 1; copies > 0; --copies) {
    schedule_.after(delay(from, *host), [this, source, to = *host, shared] {
      if (hosts_[to]->is_up()) hosts_[to]->on_datagram(source, *shared);
    });
  }
}

void Network::say(HostIndex from, Bytes bytes) {
  if (!model_.lan) return;
  ++datagrams_sent_;
  bytes_sent_ += bytes.size();
  const auto shared = std::make_shared<const Bytes>(std::move(bytes));
  for (HostIndex to = 0; to < hosts_.size(); ++to) {
    if (to == from || is_cut(from, to) || chance(model_.loss)) continue;
    schedule_.after(delay(from, to), [this, from, to, shared] {
      if (hosts_[to]->is_up()) hosts_[to]->on_beacon({addresses_[from], kPort}, *shared);
    });
  }
}

void Network::calm() { model_.loss = model_.duplicate = model_.reorder = 0; }

/// Mixed from the pair (the finalizer of SplitMix64): a table of all pairs would outgrow everything else.
Duration Network::latency(HostIndex a, HostIndex b) const {
  std::uint64_t mixed = latency_salt_ + (std::uint64_t{std::min(a, b)} << 32 | std::max(a, b));
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
  mixed ^= mixed >> 31;
  const auto width = static_cast<std::uint64_t>((model_.latency_max - model_.latency_min).count()) + 1;
  return model_.latency_min + Duration(static_cast<Duration::rep>(mixed % width));
}

Duration Network::delay(HostIndex from, HostIndex to) {
  const Duration one_way = latency(from, to);
  Duration total = one_way + rng_.between(Duration(0), model_.jitter);
  if (chance(model_.reorder)) total += rng_.between(Duration(0), one_way * 4);
  return total;
}

Network::StreamPtr Network::find(HostIndex host, link::ConnId conn) const {
  const auto found = streams_[host].find(conn);
  return found == streams_[host].end() ? nullptr : found->second;
}

void Network::attach(const StreamPtr& stream, int side, HostIndex host, link::ConnId conn) {
  stream->ends[side] = {host, conn, true};
  streams_[host][conn] = stream;
}

void Network::detach(Stream& stream, int side) {
  End& end = stream.ends[side];
  if (!end.attached) return;
  end.attached = false;
  streams_[end.host].erase(end.conn);
}

void Network::dial(HostIndex from, link::ConnId conn, const identity::Endpoint& to,
                   identity::LearnedFrom learned_from) {
  auto stream = std::make_shared<Stream>();
  attach(stream, 0, from, conn);
  const auto address = to.address();
  Error why{Errc::unreachable, "no route to host"};
  if (address) {
    if (const auto watched = tries_.find(*address); watched != tries_.end()) ++watched->second;
    if (auto allowed = identity::check_dial(*address, learned_from); !allowed) why = std::move(allowed).error();
  }
  const auto host = address ? host_at({*address, to.port}) : std::nullopt;
  if (host && why.code != Errc::refused) {
    stream->ends[1].host = *host;
    syn(stream, 0);
    return;
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
  if (is_cut(from, to) || closed_.contains(to) || chance(model_.loss)) return again();
  schedule_.after(delay(from, to), [this, stream, from, to, again] {
    if (!stream->ends[0].attached || stream->connected) return;
    if (!hosts_[to]->is_up()) {
      schedule_.after(delay(to, from), [this, stream] { abort(stream, 0, {Errc::unreachable, "connection refused"}); });
      return;
    }
    if (!stream->accepted) {
      stream->accepted = true;
      attach(stream, 1, to, link::ConnId{link::kFirstAccepted + accepted_[to]++});
      hosts_[to]->on_accepted(stream->ends[1].conn, addresses_[from], 40'000);
    }
    if (is_cut(to, from) || chance(model_.loss)) return again();
    schedule_.after(delay(to, from), [this, stream, from, to] {
      if (!stream->ends[0].attached || stream->connected) return;
      stream->connected = true;
      hosts_[from]->on_connected(stream->ends[0].conn, {addresses_[to], kPort});
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
  while (pipe.arrived.contains(pipe.delivered) && hosts_[receiver.host]->may_read(receiver.conn)) {
    pipe.arrived.erase(pipe.delivered);
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

void Network::offer(HostIndex host, link::ConnId conn) {
  const StreamPtr stream = find(host, conn);
  if (stream == nullptr) return;
  const bool dialled = stream->ends[0].attached && stream->ends[0].host == host && stream->ends[0].conn == conn;
  deliver(stream, dialled ? 1 : 0);
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
  for (const auto& [conn, stream] : streams_[host]) mine.push_back(stream);
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
