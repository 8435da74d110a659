// One end of a link without a node around it: what measures links and mailboxes talks to nodes with it.
#pragma once

#include <optional>

#include "base/outbox.hpp"
#include "link/pool.hpp"
#include "whole/child.hpp"

namespace ekiden::bench {

inline constexpr link::ConnId kDialled{1};
inline const identity::Endpoint kAnywhere{identity::Endpoint::Transport::tcp, "127.0.0.1", 1};

Now now();
crypto::Ed25519Seed seed_of(unsigned number);

/// An identity with a link pool that shows a proper record.
struct Party {
  explicit Party(unsigned number);

  identity::Identity identity;
  identity::PeerRecord record;
  link::LinkPool pool;
  Outbox<link::LinkPool::Effect> out;
};

/// Writes what the pool has to say. False when the connection is gone.
bool write_pending(Party& party, link::ConnId conn, int fd);
/// Reads once. False when the connection is gone.
bool read_some(Party& party, link::ConnId conn, int fd, Bytes& buffer);
/// Dials over `fd` and runs the handshake until the link is up.
Status bring_up(Party& party, const identity::PeerId& peer, std::optional<identity::PeerRecord> record, int fd);

}  // namespace ekiden::bench
