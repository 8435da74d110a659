// Records of a peer from a life of which it has no memory: its data was restored from a backup, or its clock was ahead.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unit/node/harness.hpp"

namespace ekiden::node {

inline identity::PeerRecord own_record_of(Harness& net, std::size_t i) {
  return *identity::verify_record_ignoring_time(net[i].node->own_record());
}

/// Of whom `i` knows.
inline std::uint64_t sequence_known(Harness& net, std::size_t i, std::size_t of) {
  const auto known = net[i].node->peer_record(net[of].id);
  return known ? known->record.sequence : 0;
}

inline constexpr std::string_view kFellBehind = "others hold a newer record of this node";

/// What a forgotten record says. It names no prekey.
struct Forgotten {
  std::uint64_t sequence = 0;
  std::vector<std::string> endpoints = {};
  std::uint32_t ttl_seconds = 86'400;
};

inline Bytes forgotten_record(Harness& net, std::size_t of, const Forgotten& says) {
  const identity::Identity owner(net[of].seed);
  identity::PeerRecord record;
  record.public_key = owner.public_key();
  record.sequence = says.sequence;
  record.issued_at = net.now().wall;
  record.ttl_seconds = says.ttl_seconds;
  record.endpoints = says.endpoints;
  return *identity::sign_record(owner, record);
}

/// `i` has a contact whose record it heard of in that life, and which nobody has read from the contact yet.
inline void add_forgotten(Harness& net, std::size_t i, std::size_t of, const Forgotten& says) {
  identity::Contact contact;
  contact.id = net[of].id;
  contact.petname = "restored";
  contact.endpoints = {net[of].endpoint};
  contact.record = forgotten_record(net, of, says);
  net.request<PutContact>(i, contact, false);
}

/// The same, and it was read. REQUIRES: it knows no other.
inline void know_forgotten(Harness& net, std::size_t i, std::size_t of, const Forgotten& says) {
  ASSERT_EQ(sequence_known(net, i, of), 0U);
  add_forgotten(net, i, of, says);
  ASSERT_EQ(sequence_known(net, i, of), says.sequence);
}

/// `i` has dialled this since its dials were cleared last.
inline bool has_dialled(Harness& net, std::size_t i, std::string_view endpoint) {
  return std::ranges::any_of(net[i].dials, [&](const Dial& dial) { return dial.endpoint.text() == endpoint; });
}

/// A network in which `i` has forgotten all records.
inline Harness restarted_network(std::size_t count, std::size_t i, Harness::Tune tune = {}) {
  Harness net = make_network(count, std::move(tune));
  net.crash(i);
  store::Batch batch;
  for (const store::Row& row : net[i].disk.rows()) {
    if (row.key.table == store::Table::records || row.key.table == store::Table::values) {
      batch.erase(row.key.table, row.key.name);
    }
  }
  net[i].disk.apply(batch);
  return net;
}

}  // namespace ekiden::node
