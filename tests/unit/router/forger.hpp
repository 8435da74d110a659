// Messages that no honest sender writes, on the link from station 0 to station 1.
#pragma once

#include "router/wire_form.hpp"
#include "world.hpp"

namespace ekiden::router::test {

/// A sender that writes what it likes, for what no honest one does.
struct Forger {
  World& world;
  std::uint64_t next_key = 1'000'000;

  Content content(std::uint64_t sequence, std::uint64_t floor) const {
    return {.epoch = 5,
            .sequence = sequence,
            .floor = floor,
            .sent = world.now.wall,
            .type = {},
            .content_type = {},
            .in_reply_to = std::nullopt,
            .body = as_bytes("forged")};
  }

  Envelope envelope(Byte n) const {
    MessageId id{};
    id.bytes = {n, 0, 0, 0, 0, 0, 0x40, 0, 0x80};
    return {.id = id,
            .from = world[0].id(),
            .to = world[1].id(),
            .expires = world.now.wall + hours(1),
            .priority = wire::Priority::normal,
            .delivery = DeliveryClass::durable,
            .sealed = {}};
  }

  /// Sends it from station 0 to station 1 and lets everything flow.
  MessageId send(Envelope envelope, ByteView plaintext) {
    Bytes sealed{envelope.delivery == DeliveryClass::durable ? Byte{'d'} : Byte{'v'}};
    append_be(sealed, next_key++);
    append_be(sealed, world[0].session().generation(world[1].id()));
    append(sealed, crypto::sha256(envelope.associated_data()).view());
    append(sealed, plaintext);
    envelope.sealed = sealed;
    world.mail().push_back({world[0].id(), world[1].id(), link_message(wire::MessageType::envelope, envelope)});
    world.flow();
    world.pass(milliseconds(20));
    return envelope.id;
  }

  MessageId send(Byte n, std::uint64_t sequence, std::uint64_t floor) {
    return send(envelope(n), wire::encode(content(sequence, floor)));
  }
};

}  // namespace ekiden::router::test
