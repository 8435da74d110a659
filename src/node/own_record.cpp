// The record that we publish: made anew when the prekey or the time asks for it, shown to nobody before its sequence
// number is on disk. Otherwise a crash could let two different records carry the same number, and peers would keep the
// older.
//
// The time is that of the wall clock, looked at every minute, for peers judge the record by theirs. A timer of the
// monotonic clock would not do: it stands still while the machine sleeps, and it does not see a clock that is
// corrected. After either, the record would be expired or from the future until the timer comes, and every peer would
// refuse it.
#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "node/impl.hpp"
#include "reachability/rows.hpp"

namespace ekiden::node {
namespace {

constexpr Duration kLookAtClock = minutes(1);
/// Between two records that are signed because others hold a newer one. Two nodes that run with one key would otherwise
/// outbid each other as fast as the network carries it.
constexpr Duration kCatchUpPause = minutes(1);

}  // namespace

Status Node::Impl::load_meta_row(const store::Row& row) {
  const std::string_view name = as_text(row.key.name);
  if (name == reachability::kRowName) return reachability.load(row.value);
  if (name == mailbox::kOwnRowName) return collector.load_row(row.value);
  if (name == kCapabilitiesRowName) return load_capabilities_row(row);
  if (name == kRelayRowName) return load_relay_row(row);
  if (name != kRecordRowName && name != kListRowName) return {};
  const auto decoded = wire::decode<RecordRow>(row.value);
  if (!decoded) {
    return fail(Errc::storage_corrupt, "table meta, row " + std::string(name) + ": " + decoded.error().message);
  }
  (name == kRecordRowName ? own_sequence.signed_last : own_list.sequence) = decoded->sequence;
  return {};
}

std::uint64_t Node::Impl::next_sequence(Now now) {
  const std::uint64_t sequence = own_sequence.next(now.wall);
  batch.put(store::Table::meta, as_bytes(kRecordRowName), wire::encode(RecordRow{sequence}));
  return sequence;
}

void Node::Impl::renew_record(Now now) {
  identity::PeerRecord fresh;
  fresh.public_key = self.public_key();
  fresh.sequence = own_sequence.record = next_sequence(now);
  fresh.issued_at = now.wall;
  fresh.ttl_seconds = static_cast<std::uint32_t>(std::chrono::duration_cast<seconds>(config.record_ttl).count());
  own_endpoints.shown = public_endpoints();
  for (const identity::Endpoint& endpoint : own_endpoints.shown) fresh.endpoints.push_back(endpoint.text());
  fresh.features = config.link.features;
  if (relay.forwards()) fresh.features |= relay::kRelayFeature;
  fresh.prekey = sessions.prekey();
  fresh.mailboxes = collector.own();
  fresh.relays = own_relays();
  fresh.capabilities = capabilities.with(OwnCapabilities::Reason::offered);
  auto signed_record = identity::sign_record(self, fresh);
  if (!signed_record) {
    // Capabilities are announced on their own; where they find no room, the record does without.
    fresh.capabilities.clear();
    signed_record = identity::sign_record(self, fresh);
  }
  CHECK(signed_record.has_value());            // Our own endpoints are bounded by the settings.
  waiting.record = std::move(*signed_record);  // With the batch, for the next may be made before this one is on disk.
  record_issued = now.wall;
}

void Node::Impl::renew_record_in_time(Now now) {
  record_look = now.mono + kLookAtClock;
  if (ending) return;
  catch_up(now);
  if (capabilities.is_time(now.mono)) {
    announce_in_time(now);
    list_in_all(now);  // What found no room, or is over.
  }
  const auto refresh = std::chrono::duration_cast<milliseconds>(config.record_refresh);
  const bool is_current =
      record_issued && now.wall < *record_issued + refresh && *record_issued <= now.wall + kMaxAhead;
  if (!is_current) renew_record(now);
}

void Node::Impl::on_own_record(Now now, const identity::PeerRecord& held, ByteView signed_bytes) {
  if (ending || std::ranges::equal(signed_bytes, record) || !own_sequence.note_elsewhere(held.sequence)) return;
  log_limited(now, message_lines, LogLevel::warning, "record",
              "others hold a newer record of this node, number " + std::to_string(held.sequence) +
                  ": signing one above it. The data directory was restored from a backup, the clock was ahead, or "
                  "another node runs with the same key");
  catch_up(now);
}

void Node::Impl::catch_up(Now now) {
  if (!own_sequence.is_behind()) return;
  if (own_sequence.caught_up && now.mono < *own_sequence.caught_up + kCatchUpPause) return;  // With a later look.
  own_sequence.caught_up = now.mono;
  renew_record(now);
  // They were signed in the same life as the record that is behind.
  capabilities.announce_again();
  announce_in_time(now);
}

void Node::Impl::seek_own_record(Now now) {
  const auto is_own = [](const auto& lookup) { return lookup.second.own; };
  if (ending || std::ranges::any_of(lookups.running, is_own)) return;
  const dht::LookupId id = lookups.begin(LookupFor{.peer = self.id(), .own = true});
  dht.find_peer(now, id, self.id(), dht_out);
}

void Node::Impl::publish_record(Now now, Bytes persisted) {
  const bool first = record.empty();
  record = std::move(persisted);
  links.set_own_record(record);
  relay.set_own_record(record);
  list_in_all(now);
  if (takes_part()) {
    // Its own record cannot be refused but for its size, which sign_record() has bounded.
    CHECK(dht.publish(now, record, dht_out).has_value());
  }
  if (first) {
    for (const auto& [peer, by] : wanted) dial(now, peer);
    collector.start(now, mailbox_out);
    start_bootstrap(now);
    start_lan(now);
    // It is on disk, and no other run has it.
    gossip.start(now, identity::verify_record_ignoring_time(record)->sequence, gossip_out);
    for (const ProbePeer& request : std::exchange(attempts.early, {})) probe_for_request(now, request);
    return;
  }
  for (const link::LinkStatus& link : links.links()) {
    if (link.carries_traffic) send_message(now, link.peer, wire::Priority::low, wire::MessageType::record, record);
  }
}

/// At whoever keeps them, announcements that are over replace those that hold. So does a record that names no endpoint
/// but mailboxes and a prekey, for messages to be left there; without mailboxes, one that is over.
void Node::Impl::leave(Now now) {
  ending = true;
  if (!takes_part() || record.empty()) return;
  leave_by = now.mono + config.leave_max;
  identity::PeerRecord last;
  last.public_key = self.public_key();
  last.sequence = next_sequence(now);
  last.mailboxes = collector.own();
  if (last.mailboxes.empty()) {
    last.issued_at = now.wall - kEndTtl;  // It is over when it arrives.
    last.ttl_seconds = static_cast<std::uint32_t>(kEndTtl.count());
  } else {
    last.issued_at = now.wall;
    last.ttl_seconds = static_cast<std::uint32_t>(std::chrono::duration_cast<seconds>(config.record_ttl).count());
    last.prekey = sessions.prekey();
  }
  auto signed_record = identity::sign_record(self, last);
  CHECK(signed_record.has_value());
  waiting.withdrawal = std::move(*signed_record);
  for (const std::string& capability : capabilities.end()) end_announcement(now, capability);
}

/// Once nobody is left to be told.
void Node::Impl::end_leaving() {
  if (leave_by && dht.status().own_values == 0) leave_by.reset();
}

}  // namespace ekiden::node
