#include "api/metrics.hpp"

#include <prometheus/text_serializer.h>

#include <chrono>
#include <utility>
#include <vector>

#include "api/handlers.hpp"
#include "api/version.hpp"
#include "runtime/utc_text.hpp"

namespace ekiden::api {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

class Families {
 public:
  template <class Number>
  void gauge(std::string name, std::string help, Number value) {
    prometheus::ClientMetric metric;
    metric.gauge.value = static_cast<double>(value);
    add(std::move(name), std::move(help), MetricType::Gauge, std::move(metric));
  }
  template <class Number>
  void counter(std::string name, std::string help, Number value) {
    prometheus::ClientMetric metric;
    metric.counter.value = static_cast<double>(value);
    add(std::move(name), std::move(help), MetricType::Counter, std::move(metric));
  }
  void version() {
    prometheus::ClientMetric metric;
    metric.label = {{"version", std::string(api::version())}};
    metric.gauge.value = 1;
    add("build_info", "Always 1; the label says which build runs.", MetricType::Gauge, std::move(metric));
  }
  std::string text() const { return prometheus::TextSerializer().prometheus::Serializer::Serialize(families_); }

 private:
  void add(std::string name, std::string help, MetricType type, prometheus::ClientMetric metric) {
    families_.push_back({"ekiden_" + std::move(name), std::move(help), type, {std::move(metric)}});
  }

  std::vector<MetricFamily> families_;
};

void add_links(Families& out, const node::NodeStatus& status) {
  out.gauge("links", "Links to neighbours that are up.", status.links.size());
  out.gauge("links_half_open", "Handshakes under way.", status.half_open);
  out.gauge("sessions", "End-to-end sessions.", status.sessions.size());
  out.gauge("contacts", "Contacts.", status.contacts);
}

void add_messages(Families& out, const router::RouterStatus& router) {
  out.gauge("outbox_messages", "Messages accepted and not settled.", router.outbox_messages);
  out.gauge("outbox_bytes", "Their size.", router.outbox_bytes);
  out.gauge("inbox_messages", "Messages received and not taken.", router.inbox_messages);
  out.gauge("inbox_bytes", "Their size.", router.inbox_bytes);
  out.counter("messages_accepted_total", "Messages accepted from applications of this node.", router.accepted);
  out.counter("messages_delivered_total", "Of these, confirmed by the recipient.", router.delivered);
  out.counter("messages_expired_total", "Of these, expired.", router.expired);
  out.counter("messages_received_total", "Messages received for this node.", router.received);
  out.counter("messages_duplicate_total", "Messages received again.", router.duplicates);
  out.counter("messages_retransmitted_total", "Messages sent again.", router.retransmitted);
  out.counter("messages_refused_total", "Messages refused by their recipient.", router.refused);
}

void add_discovery(Families& out, const node::NodeStatus& status) {
  out.gauge("discovery", "1 if this node takes part in the DHT.", status.discovery ? 1 : 0);
  out.gauge("dht_nodes", "Nodes in the routing table.", status.dht.nodes);
  out.gauge("dht_values", "Values kept for others.", status.dht.values);
  out.gauge("dht_value_bytes", "Their size.", status.dht.value_bytes);
  out.gauge("dht_lookups", "Lookups under way.", status.dht.lookups);
  out.gauge("datagram_sessions", "Cached sessions of the datagram transport.", status.datagrams.sessions);
  out.counter("datagram_handshakes_total", "Handshakes finished, of both sides.", status.datagrams.handshakes);
  out.counter("datagram_cookies_total", "First flights that were asked for a cookie.", status.datagrams.cookies);
  out.counter("datagrams_dropped_total", "Packets that were malformed or not authentic.", status.datagrams.dropped);
}

void add_mailbox(Families& out, const node::NodeStatus& status) {
  const auto& kept = status.mailbox;
  out.gauge("mailbox_serves", "1 if this node keeps messages for others.", kept.serves ? 1 : 0);
  out.gauge("mailbox_messages", "Messages and receipts kept for others.", kept.used.parcels);
  out.gauge("mailbox_bytes", "Their size.", kept.used.bytes);
  out.gauge("mailbox_recipients", "For so many.", kept.owners);
  out.counter("mailbox_stored_total", "Taken in.", kept.stored);
  out.counter("mailbox_collected_total", "Collected by their recipients.", kept.collected);
  out.counter("mailbox_expired_total", "Not collected in their time.", kept.expired);
  out.counter("mailbox_refused_total", "Not taken in.", kept.refused);
  out.counter("mailbox_damaged_total", "Damaged on the disk, and dropped.", kept.damaged);
  out.gauge("deposits_pending", "Messages of this node that too few mailboxes keep.", status.deposits.parcels);
  out.counter("deposits_placed_total", "Copies that mailboxes have taken.", status.deposits.placed);
  out.counter("deposits_refused_total", "Copies that mailboxes have refused.", status.deposits.refused);
}

void add_relay(Families& out, const relay::RelayStatus& relay) {
  out.gauge("relay_forwards", "1 if this node hands on messages of others.", relay.forwards ? 1 : 0);
  out.gauge("relay_held_messages", "Messages of others that the next node has not taken yet.", relay.packets);
  out.gauge("relay_held_bytes", "Their size.", relay.bytes);
  out.counter("relay_taken_total", "Durable messages taken from others.", relay.taken);
  out.counter("relay_handed_on_total", "Durable messages that the next node has taken.", relay.handed_on);
  out.counter("relay_passed_total", "Volatile messages, receipts and replies passed on.", relay.passed);
  out.counter("relay_refused_total", "Messages and route requests not taken.", relay.refused);
  out.counter("relay_expired_total", "Messages that nobody took in their time.", relay.expired);
}

void add_topics(Families& out, const node::NodeStatus& status) {
  std::size_t neighbours = 0;
  for (const auto& topic : status.topics) neighbours += topic.neighbours;
  const auto& totals = status.topic_totals;
  out.gauge("topics", "Topics that this node is a member of.", status.topics.size());
  out.gauge("topic_neighbours", "Neighbours in these, together.", neighbours);
  out.counter("topic_published_total", "Items published by this node.", totals.published);
  out.counter("topic_delivered_total", "Items of others that came for the first time.", totals.delivered);
  out.counter("topic_copies_total", "Items that came, those that were here already included.", totals.copies);
  out.counter("topic_announcements_total", "Ids of items that neighbours have announced.", totals.announcements);
  out.counter("topic_refused_total", "Items that were replays, or more than the rates allow.", totals.refused);
}

void add_registry(Families& out, const registry::RegistryStatus& registry) {
  out.gauge("registry_entries", "Entries held, those included that were removed or expired.", registry.entries);
  out.gauge("registry_shown", "Of these, entries that are shown.", registry.shown);
  out.gauge("registry_bytes", "Bytes of the entries held.", registry.bytes);
  out.gauge("registry_neighbours", "Neighbours with whom the replica is compared.", registry.neighbours);
  out.gauge("registry_conflicts", "Shared names that have several values at once.", registry.conflicts);
  out.gauge("registry_renewals", "Entries of this node that it renews.", registry.renewals);
  out.counter("registry_taken_total", "Entries of others that were new.", registry.taken);
  out.counter("registry_refused_total", "Entries refused for want of room, rate or a right clock.", registry.refused);
  out.counter("registry_comparisons_total", "Comparisons with neighbours that came to an end.", registry.comparisons);
  out.counter("registry_differed_total", "Of these, those that found a difference.", registry.differed);
}

void add_partition(Families& out, const node::NetworkStatus& network) {
  if (!network.is_watched) return;
  const partition::DetectorStatus& counts = network.counts;
  out.gauge("partition_state", "0 whole, 1 suspected, 2 split, 3 healing.", static_cast<int>(counts.last.state));
  out.gauge("partition_members", "Nodes of the network that this one has heard, itself included.", counts.members + 1);
  out.gauge("partition_away", "Of these, on the other side of a split.", counts.away);
  out.gauge("partition_missing", "Of these, silent for a moment.", counts.missing);
  out.gauge("partition_neighbours_well", "Linked nodes that hear this one and are heard.", counts.well);
  out.counter("partition_statements_said_total", "Statements of this node.", counts.said);
  out.counter("partition_statements_taken_total", "Statements of others.", counts.taken);
  out.counter("partition_dropped_total", "Heartbeats and statements that did not count.", counts.dropped);
  out.counter("partition_probes_total", "Members of the other side that were dialled.", counts.probes);
}

}  // namespace

std::string metrics_text(const Backend& backend) {
  const node::NodeStatus status = backend.status();
  Families out;
  out.version();
  out.gauge("uptime_seconds", "Time since the node started.", static_cast<double>(backend.uptime_ms()) / 1000);
  out.gauge("ready", "1 once links may be made.", status.ready ? 1 : 0);
  out.gauge("storage_ok", "0 while commits fail and nothing is accepted.", status.storage ? 0 : 1);
  if (const auto end = backend.certificate_end()) {
    out.gauge("tls_certificate_end_seconds", "When the certificate of wss:// ends, in seconds since 1970.",
              std::chrono::floor<seconds>(end->time_since_epoch()).count());
  }
  add_links(out, status);
  add_messages(out, status.router);
  out.gauge("questions", "Questions of this node that wait for an answer.", status.questions);
  out.gauge("requests", "Requests of others that wait for an answer.", status.requests);
  add_discovery(out, status);
  add_mailbox(out, status);
  add_relay(out, status.relay);
  add_topics(out, status);
  add_registry(out, status.registry);
  add_partition(out, backend.network());
  return out.text();
}

Response health(const Backend& backend) {
  const node::NodeStatus status = backend.status();
  const auto end = backend.certificate_end();
  const bool is_over = end && *end <= backend.now().wall;
  const bool ok = status.ready && !status.storage && !is_over;
  Json json = {{"status", ok ? "ok" : "failing"}, {"ready", status.ready}, {"storage", !status.storage.has_value()}};
  if (end) json["certificate_end"] = runtime::utc_text(*end);
  if (status.discovery) json["dht_nodes"] = status.dht.nodes;
  return json_response(ok ? 200 : 503, json);
}

}  // namespace ekiden::api
