// Two links and the wire between them. Bytes lie on the wire until a test delivers them, whole or in pieces, and can be
// changed there.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "link/link.hpp"
#include "party.hpp"

namespace ekiden::link::test {

class Pair {
 public:
  enum Side : std::size_t { client = 0, server = 1 };

  struct End {
    std::unique_ptr<Link> link;
    Bytes wire;  ///< Sent by this end, not yet delivered to the other.
    std::vector<Bytes> messages;
    std::optional<RemoteParty> opened;
    std::vector<CloseReason> closes;
  };

  explicit Pair(bool knows_key, const Config& knobs = {}) : Pair(1, 2, knows_key, knobs) {}

  Pair(Byte client_number, Byte server_number, bool knows_key, const Config& knobs = {})
      : config(knobs), parties{Party(client_number), Party(server_number)} {
    reconnect(knows_key, parties[server].identity.id());
  }

  /// A fresh pair of links, where the client wants `wanted`.
  void reconnect(bool knows_key, const identity::PeerId& wanted) {
    const auto key = knows_key ? std::optional(parties[server].identity.noise_key().public_key) : std::nullopt;
    ends[client] = {};
    ends[server] = {};
    ends[client].link = Link::dial(now(), config, parties[client].local, wanted, key, rng.bytes<32>());
    ends[server].link = Link::accept(now(), config, parties[server].local, rng.bytes<32>());
  }

  Now now() const { return {Instant(hours(1) + elapsed), parties_wall}; }

  /// Moves everything that a link has to say onto its wire.
  void pull(Side side) {
    auto& end = ends[side];
    for (auto bytes = end.link->to_send(now()); !bytes.empty(); bytes = end.link->to_send(now())) {
      append(end.wire, bytes);
      end.link->mark_sent(now(), bytes.size());
      end.link->check_invariants();
    }
  }

  /// Delivers up to `count` bytes sent by `from`, in one piece.
  std::size_t deliver(Side from, std::size_t count) {
    auto& wire = ends[from].wire;
    count = std::min(count, wire.size());
    const Bytes piece(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(count));
    wire.erase(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(count));
    if (count > 0) receive(from == client ? server : client, piece);
    return count;
  }

  void receive(Side side, ByteView bytes) {
    auto& end = ends[side];
    Outbox<LinkEvent> events;
    end.link->receive(now(), bytes, events);
    events.drain([&](LinkEvent&& event) {
      std::visit(Overloaded{
                     [&](LinkOpened& open) {
                       CHECK(!end.opened);
                       end.opened = std::move(open.remote);
                     },
                     [&](Message& message) {
                       CHECK(end.opened && message.from == end.opened->id);
                       end.messages.push_back(to_bytes(message.bytes));
                     },
                     [&](PeerClosed& closed) { end.closes.push_back(closed.reason); },
                 },
                 event);
    });
    end.link->check_invariants();
  }

  /// Until nothing moves any more.
  void run(std::size_t piece = ~std::size_t{0}) {
    do {
      pull(client);
      pull(server);
    } while (deliver(client, piece) + deliver(server, piece) > 0);
  }

  void advance(Duration by) {
    elapsed += by;
    for (auto& end : ends) end.link->on_deadline(now());
  }

  Link& link(Side side) { return *ends[side].link; }
  bool both_open() { return link(client).is_open() && link(server).is_open(); }

  Status send(Side side, wire::Priority priority, ByteView message) {
    return link(side).send(now(), priority, message);
  }

  Config config;
  std::array<Party, 2> parties;
  WallTime parties_wall = kWall;
  std::array<End, 2> ends;
  Duration elapsed{};
  Rng rng = make_rng(77);
};

inline Bytes text(std::string_view value) { return to_bytes(as_bytes(value)); }

}  // namespace ekiden::link::test
