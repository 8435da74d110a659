// A peer of a pool that shakes hands correctly and then sends records as the test writes them, from any address.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "world.hpp"

namespace ekiden::link::test {

class RawPeer {
 public:
  RawPeer(World& world, std::size_t node, const std::string& address, Byte number)
      : world_(world), node_(node), conn_{world.accepted++}, party_(number) {
    const auto from = *identity::IpAddress::parse(address);
    world.pool(node).on_accepted(world.now(), conn_, from, 1000, world.nodes[node]->out);
    Bytes bytes;
    const auto& server = world.nodes[node]->identity;
    auto handshake =
        Handshake::dial(party_.local, server.id(), server.noise_key().public_key, make_rng(number).bytes<32>(), bytes);
    deliver(bytes);
    const Bytes answers = pull();
    ByteView answer = answers;
    bytes.clear();
    CHECK(handshake.receive(world.wall, answer, bytes) && handshake.is_finished());
    writer_.emplace(handshake.ciphers().send);
  }

  const identity::PeerId& id() const { return party_.identity.id(); }
  ConnId conn() const { return conn_; }

  /// One record.
  void send(ByteView frames) {
    Bytes record(kRecordHeader);
    append(record, frames);
    CHECK(writer_->seal(record));
    deliver(record);
  }
  void ping(bool keep) {
    Bytes frames;
    append_probe(frames, FrameKind::ping, {.token = 1, .keep = keep});
    send(frames);
  }
  void message(std::string_view text) {
    Bytes frames;
    append_frame(frames, FrameKind::message, as_bytes(text));
    send(frames);
  }

  /// Takes all that the pool has to say.
  Bytes pull() {
    Bytes all;
    auto& pool = world_.pool(node_);
    for (auto bytes = pool.to_send(world_.now(), conn_); !bytes.empty(); bytes = pool.to_send(world_.now(), conn_)) {
      append(all, bytes);
      pool.mark_sent(world_.now(), conn_, bytes.size(), world_.nodes[node_]->out);
    }
    world_.handle(node_);
    return all;
  }

 private:
  void deliver(ByteView bytes) {
    world_.pool(node_).on_bytes(world_.now(), conn_, bytes, world_.nodes[node_]->out);
    world_.handle(node_);
  }

  World& world_;
  std::size_t node_;
  ConnId conn_;
  Party party_;
  std::optional<RecordWriter> writer_;
};

}  // namespace ekiden::link::test
