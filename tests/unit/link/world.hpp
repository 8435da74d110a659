// Several pools and the streams between them. Nothing moves by itself: each step of the network (a connection is made,
// bytes arrive, an end is seen) is an Action that a test picks, in any order, or lets run to quiescence.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "link/pool.hpp"
#include "party.hpp"

namespace ekiden::link::test {

class World {
 public:
  struct Half {
    std::size_t node = 0;
    ConnId conn{};
    bool attached = false;  ///< The node knows the connection and has not hung up.
    Bytes incoming;         ///< On its way to this half.
    bool end_incoming = false;
  };
  struct Stream {
    bool connected = false;
    bool refused = false;
    std::array<Half, 2> halves;  ///< The dialling one first.
  };
  struct Node {
    Node(World& world, Byte number, const Config& config)
        : identity(make_identity(number)), pool(std::make_unique<LinkPool>(identity, config, make_rng(number))) {
      pool->set_own_record(make_record(identity));
      static_cast<void>(world);
    }

    identity::Identity identity;
    std::unique_ptr<LinkPool> pool;
    Outbox<LinkPool::Effect> out;
    std::set<ConnId> writable;  ///< WantWrite was said.
    std::vector<ConnId> resumed;
    bool reachable = true;
    std::vector<Up> ups;
    std::vector<Down> downs;
    std::vector<std::pair<identity::PeerId, Bytes>> messages;
    std::vector<DialFailed> failures;
    std::vector<Probed> probed;
    std::vector<Notice> notices;
    std::vector<identity::Endpoint> dials;
    std::set<identity::PeerId> up;
  };

  enum class Kind { connect, pull, deliver, finish };
  struct Action {
    Kind kind;
    std::size_t stream = 0;
    std::size_t half = 0;
    std::size_t node = 0;
    ConnId conn{};
  };

  explicit World(std::size_t count, const Config& knobs = {}) : config(knobs) {
    for (std::size_t i = 0; i < count; ++i) add_node(static_cast<Byte>(i + 1));
  }

  void add_node(Byte number) { nodes.push_back(std::make_unique<Node>(*this, number, config)); }

  Now now() const { return {Instant(hours(1) + elapsed), wall}; }
  const identity::PeerId& id(std::size_t node) const { return nodes[node]->identity.id(); }
  LinkPool& pool(std::size_t node) { return *nodes[node]->pool; }
  static identity::Endpoint endpoint(std::size_t node) {
    return *identity::Endpoint::parse("tcp://10.0." + std::to_string(node) + ".1:4000");
  }
  identity::IpAddress address(std::size_t node) const { return *endpoint(node).address(); }

  void want(std::size_t who, std::size_t whom, bool knows_key = true) {
    std::optional<identity::PeerRecord> record;
    if (knows_key) record = *identity::verify_record_ignoring_time(make_record(nodes[whom]->identity));
    want(who, id(whom), {endpoint(whom)}, record);
  }
  void want(std::size_t who, const identity::PeerId& whom, std::vector<identity::Endpoint> endpoints,
            std::optional<identity::PeerRecord> record = std::nullopt) {
    pool(who).want(now(), whom, std::move(endpoints), std::move(record), nodes[who]->out);
    handle(who);
  }

  Status send(std::size_t from, std::size_t to, std::string_view text,
              wire::Priority priority = wire::Priority::normal) {
    auto status = pool(from).send(now(), id(to), priority, as_bytes(text), nodes[from]->out);
    handle(from);
    return status;
  }

  /// Everything that could happen next.
  std::vector<Action> actions() const {
    std::vector<Action> all;
    for (std::size_t i = 0; i < streams.size(); ++i) {
      const auto& stream = *streams[i];
      if (!stream.connected && !stream.refused && stream.halves[0].attached) all.push_back({Kind::connect, i});
      for (std::size_t half = 0; half < 2; ++half) {
        const auto& end = stream.halves[half];
        if (!end.attached) continue;
        if (!end.incoming.empty()) {
          all.push_back({Kind::deliver, i, half});
        } else if (end.end_incoming) {
          all.push_back({Kind::finish, i, half});
        }
      }
    }
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      for (const auto conn : nodes[i]->writable) all.push_back({Kind::pull, 0, 0, i, conn});
    }
    return all;
  }

  void perform(const Action& action, std::size_t bytes = ~std::size_t{0}) {
    switch (action.kind) {
      case Kind::connect:
        return connect(action.stream);
      case Kind::pull:
        return pull(action.node, action.conn);
      case Kind::deliver:
        return deliver(action.stream, action.half, bytes);
      case Kind::finish:
        return finish(action.stream, action.half);
    }
  }

  void run() {
    for (auto next = actions(); !next.empty(); next = actions()) perform(next.front());
  }

  /// Runs the timers that come due, in order, without letting the network move in between.
  void advance(Duration by) {
    elapsed += by;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      pool(i).on_deadline(now(), nodes[i]->out);
      handle(i);
    }
  }

  /// Time and network together, in steps.
  void run_for(Duration total, Duration step = seconds(1)) {
    for (Duration passed{}; passed < total; passed += step) {
      advance(step);
      run();
    }
  }

  /// The network between two nodes vanishes without a word.
  void cut_wires() {
    for (auto& stream : streams) {
      for (auto& half : stream->halves) {
        half.incoming.clear();
        half.end_incoming = false;
      }
      stream->refused = true;
    }
  }

  /// The node loses everything and starts again; the others are not told.
  void restart(std::size_t node) {
    for (auto& stream : streams) {
      for (auto& half : stream->halves) {
        if (half.node == node) half.attached = false;
      }
    }
    auto& old = *nodes[node];
    old.pool = std::make_unique<LinkPool>(old.identity, config, make_rng(static_cast<Byte>(100 + restarts++)));
    old.pool->set_own_record(make_record(old.identity));
    old.writable.clear();
    old.up.clear();
  }

  void handle(std::size_t node);
  void connect(std::size_t stream_index);
  void pull(std::size_t node, ConnId conn);
  void deliver(std::size_t stream_index, std::size_t half_index, std::size_t bytes);
  void finish(std::size_t stream_index, std::size_t half_index);
  Half* half_of(std::size_t node, ConnId conn, Half** other = nullptr);

  std::vector<LinkStatus> links(std::size_t node) { return pool(node).links(); }

  Config config;
  WallTime wall = kWall;
  Duration elapsed{};
  std::vector<std::unique_ptr<Node>> nodes;
  std::vector<std::unique_ptr<Stream>> streams;
  std::uint64_t accepted = kFirstAccepted;
  std::size_t restarts = 0;
};

inline World::Half* World::half_of(std::size_t node, ConnId conn, Half** other) {
  for (auto& stream : streams) {
    for (std::size_t i = 0; i < 2; ++i) {
      auto& half = stream->halves[i];
      if (!half.attached || half.node != node || half.conn != conn) continue;
      if (other != nullptr) *other = &stream->halves[1 - i];
      return &half;
    }
  }
  return nullptr;
}

inline void World::handle(std::size_t index) {
  auto& node = *nodes[index];
  node.out.drain([&](LinkPool::Effect&& effect) {
    std::visit(Overloaded{
                   [&](Dial& dial) {
                     node.dials.push_back(dial.endpoint);
                     auto stream = std::make_unique<Stream>();
                     stream->halves[0] = {index, dial.conn, true, {}, false};
                     for (std::size_t i = 0; i < nodes.size(); ++i) {
                       if (endpoint(i) == dial.endpoint) stream->halves[1].node = i;
                     }
                     stream->refused = endpoint(stream->halves[1].node) != dial.endpoint;
                     if (stream->refused || !nodes[stream->halves[1].node]->reachable) {
                       stream->refused = false;
                       stream->halves[1].node = ~std::size_t{0};
                     }
                     streams.push_back(std::move(stream));
                   },
                   [&](Hangup& hangup) {
                     Half* other = nullptr;
                     node.writable.erase(hangup.conn);
                     if (auto* half = half_of(index, hangup.conn, &other)) {
                       half->attached = false;
                       other->end_incoming = true;
                     }
                   },
                   [&](WantWrite& want) { node.writable.insert(want.conn); },
                   [&](const Resume& resume) { node.resumed.push_back(resume.conn); },
                   [&](Up& up) {
                     node.up.insert(up.record.record.id());
                     node.ups.push_back(std::move(up));
                   },
                   [&](Down& down) {
                     CHECK(node.up.erase(down.peer) == 1);
                     node.downs.push_back(std::move(down));
                   },
                   [&](Message& message) {
                     CHECK(node.up.contains(message.from));
                     node.messages.emplace_back(message.from, to_bytes(message.bytes));
                   },
                   [&](Probed& probed) { node.probed.push_back(std::move(probed)); },
                   [&](DialFailed& failed) { node.failures.push_back(std::move(failed)); },
                   [&](Notice& notice) { node.notices.push_back(std::move(notice)); },
               },
               effect);
  });
  node.pool->check_invariants();
}

inline void World::connect(std::size_t stream_index) {
  auto& stream = *streams[stream_index];
  auto& [from, to] = stream.halves;
  stream.connected = true;
  if (to.node == ~std::size_t{0}) {
    from.attached = false;
    // The transport names the endpoint, as the pool does.
    pool(from.node).on_connect_failed(
        now(), from.conn, {Errc::unreachable, nodes[from.node]->dials.back().text() + ": connection refused"},
        nodes[from.node]->out);
    return handle(from.node);
  }
  to.conn = ConnId{accepted++};
  to.attached = true;
  pool(to.node).on_accepted(now(), to.conn, address(from.node), 5000, nodes[to.node]->out);
  handle(to.node);
  pool(from.node).on_connected(now(), from.conn, std::nullopt, nodes[from.node]->out);
  handle(from.node);
}

/// One record, as a driver does that waits for the socket between writes.
inline void World::pull(std::size_t node, ConnId conn) {
  Half* other = nullptr;
  const auto* half = half_of(node, conn, &other);
  const Bytes bytes = to_bytes(pool(node).to_send(now(), conn));
  if (bytes.empty()) {
    nodes[node]->writable.erase(conn);
    nodes[node]->pool->check_invariants();
    return;
  }
  if (half != nullptr && other->attached) append(other->incoming, bytes);
  pool(node).mark_sent(now(), conn, bytes.size(), nodes[node]->out);
  handle(node);
}

inline void World::deliver(std::size_t stream_index, std::size_t half_index, std::size_t bytes) {
  auto& half = streams[stream_index]->halves[half_index];
  const auto count = static_cast<std::ptrdiff_t>(std::min(bytes, half.incoming.size()));
  const Bytes piece(half.incoming.begin(), half.incoming.begin() + count);
  half.incoming.erase(half.incoming.begin(), half.incoming.begin() + count);
  pool(half.node).on_bytes(now(), half.conn, piece, nodes[half.node]->out);
  handle(half.node);
}

inline void World::finish(std::size_t stream_index, std::size_t half_index) {
  auto& half = streams[stream_index]->halves[half_index];
  half.attached = false;
  nodes[half.node]->writable.erase(half.conn);
  pool(half.node).on_closed(now(), half.conn, {Errc::closed, "end of stream"}, nodes[half.node]->out);
  handle(half.node);
}

}  // namespace ekiden::link::test
