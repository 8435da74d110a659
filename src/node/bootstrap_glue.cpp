// Discovery meets links, datagrams and the DHT: it probes nodes, asks those that answer for their lists, and offers
// nodes through which this one joins.
#include <algorithm>
#include <utility>

#include "node/impl.hpp"

namespace ekiden::node {
namespace {

constexpr std::size_t kMaxProposed = 16;  ///< nodes offered to the DHT again while it knows nobody

LogLevel level_of(bootstrap::Notice::Kind kind) {
  switch (kind) {
    case bootstrap::Notice::Kind::source_taken:
    case bootstrap::Notice::Kind::list_taken:
    case bootstrap::Notice::Kind::list_dead:
      return LogLevel::info;
    case bootstrap::Notice::Kind::source_refused:
    case bootstrap::Notice::Kind::list_refused:
      return LogLevel::warning;
    case bootstrap::Notice::Kind::node_dead:
    case bootstrap::Notice::Kind::node_refused:
      return LogLevel::debug;
  }
  return LogLevel::warning;
}

}  // namespace

/// Once handshakes have a record to show.
void Node::Impl::start_bootstrap(Now now) {
  if (!takes_part() || ending) return;
  const bootstrap::Source& sources = config.sources;
  if (!sources.seeds.empty()) bootstrap.add_seeds(now, sources.name, sources.seeds, bootstrap_out);
  for (const auto& [file, signed_list] : sources.lists) bootstrap.add_list(now, file, signed_list, bootstrap_out);
  bootstrap.start(now, bootstrap_out);
  joining.wait = config.join_min;
  joining.look = now.mono + joining.wait;
}

void Node::Impl::on_bootstrap_effect(Now now, bootstrap::Bootstrap::Effect effect) {
  std::visit(Overloaded{
                 [&](bootstrap::Probe& probe) { begin_probe(now, std::move(probe)); },
                 [&](const bootstrap::Candidate& candidate) { propose_candidate(now, candidate); },
                 [&](bootstrap::Write& write) { batch.append(std::move(write.batch)); },
                 [&](const bootstrap::Notice& notice) { on_bootstrap_notice(now, notice); },
             },
             effect);
}

void Node::Impl::on_bootstrap_notice(Now now, const bootstrap::Notice& notice) {
  // What the owner configured is told in any case; lists of others can cause lines at will.
  const bool is_own =
      notice.kind == bootstrap::Notice::Kind::source_taken || notice.kind == bootstrap::Notice::Kind::source_refused;
  if (is_own) return log(level_of(notice.kind), "bootstrap", notice.text);
  log_limited(now, message_lines, level_of(notice.kind), "bootstrap", notice.text);
}

void Node::Impl::survey_bootstrap(Now now, const ProbeBootstrap& in) {
  if (!config.discovery) return reply(in.request, fail(Errc::unsupported, "this node listens on no udp:// endpoint"));
  bootstrap.survey_now(now, bootstrap_out);
  reply(in.request, {});
}

/// A list comes over a link alone; without that wish a ping costs one packet, and a link many.
void Node::Impl::begin_probe(Now now, bootstrap::Probe probe) {
  const bool links_first = probe.want_list;
  std::ranges::stable_partition(probe.endpoints,
                                [&](const identity::Endpoint& endpoint) { return endpoint.is_udp() != links_first; });
  const bootstrap::ProbeId id = probe.probe;
  probes.emplace(id, Probing{.probe = std::move(probe), .began = now.mono});
  probe_next(now, id);
}

void Node::Impl::probe_next(Now now, bootstrap::ProbeId id) {
  const auto found = probes.find(id);
  Probing& probing = found->second;
  const bootstrap::Probe& probe = probing.probe;
  const bool is_late = now.mono - probing.began >= config.bootstrap.probe_timeout;
  if (probing.next == probe.endpoints.size() || is_late || ending) {
    bootstrap.on_unreachable(now, id, probing.why, bootstrap_out);
    probes.erase(found);
    return;
  }
  attempt(now,
          {.purpose = id,
           .peer = probe.node,
           .endpoint = probe.endpoints[probing.next++],
           .learned_from = probe.learned_from},
          probe.public_key);
}

void Node::Impl::on_probe_answer(Now now, bootstrap::ProbeId id, const identity::Endpoint& endpoint,
                                 Result<Reachable> result) {
  Probing& probing = probes.at(id);
  if (!result) {
    probing.why = std::move(result).error();
    return probe_next(now, id);
  }
  bootstrap::Reached reached{
      .public_key = {}, .round_trip = result->round_trip, .endpoint = endpoint, .address = result->address};
  if (result->record) {
    reached.public_key = result->record->record.public_key;
    reached.own_endpoints = result->record->record.known_endpoints();
  } else {
    reached.public_key = *probing.probe.public_key;  // A ping is sealed for it.
  }
  probing.reached = std::move(reached);
  if (!probing.probe.want_list || endpoint.is_udp()) return end_probe(now, id, std::nullopt);
  list_due.set(id, now.mono + config.list_wait);
  send_message(now, probing.probe.node, wire::Priority::low, wire::MessageType::list_request, {});
}

void Node::Impl::end_probe(Now now, bootstrap::ProbeId id, std::optional<Bytes> bytes) {
  auto probing = probes.extract(id);
  list_due.cancel(id);
  bootstrap::Reached& reached = *probing.mapped().reached;
  reached.list = std::move(bytes);
  bootstrap.on_reached(now, id, reached, bootstrap_out);
}

bool Node::Impl::waits_for_list(const identity::PeerId& peer) const {
  return std::ranges::any_of(
      probes, [&](const auto& item) { return item.second.probe.node == peer && list_due.at(item.first).has_value(); });
}

/// Its list has come, or will not come.
void Node::Impl::end_list_waits(Now now, const identity::PeerId& peer, std::optional<Bytes> bytes) {
  std::vector<bootstrap::ProbeId> over;
  for (const auto& [id, probing] : probes) {
    if (probing.probe.node == peer && list_due.at(id)) over.push_back(id);
  }
  for (const bootstrap::ProbeId id : over) end_probe(now, id, bytes);
}

/// Its addresses over UDP, those that lists tell and those of its record, may be in the DHT.
void Node::Impl::propose_candidate(Now now, const bootstrap::Candidate& candidate) {
  const identity::PeerRecord* known = record_of(candidate.node);
  if (known != nullptr) propose_nodes(now, *known);
  if (!candidate.public_key) return;
  for (const identity::Endpoint& endpoint : candidate.endpoints) {
    const auto address = endpoint.address();
    if (!endpoint.is_udp() || !address || !identity::may_dial(*address, candidate.learned_from)) continue;
    dht.on_candidate(now, {*candidate.public_key, {*address, endpoint.port}}, dht_out);
  }
}

/// Of a node through which we joined. Its record may say nowhere, and the DHT nothing: it has no address in its record
/// before somebody has tried it, and when it restarts right then, nobody but those who were told knows where it is.
std::vector<identity::Endpoint> Node::Impl::bootstrap_dials(const identity::PeerId& peer) const {
  const auto known = bootstrap.find_reached(peer);
  if (!known) return {};
  std::vector<identity::Endpoint> all;
  for (const identity::Endpoint& endpoint : known->endpoints) {
    const auto address = endpoint.address();
    const bool is_allowed = !address || may_dial(*address) || identity::may_dial(*address, known->learned_from);
    if (!endpoint.is_udp() && is_allowed) all.push_back(endpoint);
  }
  return all;
}

void Node::Impl::join_again(Now now) {
  joining.look.reset();
  if (ending) return;
  if (dht.status().nodes > 0) {
    joining.wait = config.join_min;
  } else {
    const auto nodes = bootstrap.best(kMaxProposed);
    for (const bootstrap::Candidate& candidate : nodes) propose_candidate(now, candidate);
    bootstrap.retry_now(now, bootstrap_out);
    joining.wait = std::min(joining.wait * 2, config.join_max);
    if (!nodes.empty() || !config.sources.seeds.empty() || !config.sources.lists.empty()) {
      log(LogLevel::warning, "bootstrap",
          "nobody of the network has answered yet: `ekiden bootstrap discover` says what became of each bootstrap "
          "node; "
          "trying again for the next " +
              std::to_string(std::chrono::floor<std::chrono::seconds>(joining.wait).count()) + " s");
    }
  }
  joining.look = now.mono + joining.wait;
}

}  // namespace ekiden::node
