// One endpoint of one peer, tried once: a link with its handshake, or a ping over UDP. For discovery
// (bootstrap_glue.cpp), for people who ask whether a peer can be reached there, and for peers that ask the same of
// themselves (reachability_glue.cpp).
//
// A probe always dials, whatever links to the peer there are: that a peer came to us says nothing about its addresses.
#include <algorithm>
#include <utility>

#include "bootstrap/bootstrap.hpp"
#include "dht/messages.hpp"
#include "node/impl.hpp"

namespace ekiden::node {
namespace {

/// Queries of probes and of the DHT share one transport; those of the DHT count from 1.
constexpr std::uint64_t kFirstPing = std::uint64_t{1} << 63;

}  // namespace

void Node::Impl::probe_for_request(Now now, const ProbePeer& request) {
  if (record.empty() && !ending && attempts.early.size() < config.max_probes) {
    attempts.early.push_back(request);  // Handshakes show our record; they begin once it is on disk.
    return;
  }
  Attempt tried{.purpose = request.request,
                .peer = request.peer,
                .endpoint = request.endpoint,
                .learned_from = config.private_network ? identity::LearnedFrom::configuration : request.learned_from};
  ++attempts.requested;
  const auto refuse = [&](Errc code, std::string why) { end_attempt(now, tried, fail(code, std::move(why))); };
  if (request.peer == self.id()) return refuse(Errc::invalid_argument, "that is this node itself");
  if (record.empty() || ending)
    return refuse(Errc::busy, "this node is stopping, or starting and already asked for much");
  if (attempts.requested > config.max_probes) return refuse(Errc::limit_exceeded, "too many probes are under way");
  auto key = request.public_key;
  if (const auto* known = record_of(request.peer); known != nullptr && !key) key = known->public_key;
  attempt(now, std::move(tried), key);
}

void Node::Impl::attempt(Now now, Attempt tried, const std::optional<crypto::Ed25519PublicKey>& key) {
  const auto refuse = [&](Error why) { end_attempt(now, tried, fail(tried.endpoint.text(), std::move(why))); };
  const auto address = tried.endpoint.address();
  if (address) {
    if (auto allowed = identity::check_dial(*address, tried.learned_from); !allowed) return refuse(allowed.error());
  }
  if (!tried.endpoint.is_udp()) {
    const ConnId conn = links.probe(now, tried.peer, tried.endpoint, key, link_out);
    attempts.dials.emplace(conn, std::move(tried));
    return;
  }
  if (!config.discovery) return refuse({Errc::unsupported, "this node listens on no udp:// endpoint"});
  if (!key || identity::PeerId::of(*key) != tried.peer) {
    return refuse({Errc::invalid_argument, "over UDP the public key of the peer has to be known before"});
  }
  if (!address) return refuse({Errc::unsupported, "nodes do not resolve names for UDP: give an address"});
  const std::uint16_t port = tried.endpoint.port;
  ping(now, std::move(tried), {*key, {*address, port}});
}

void Node::Impl::ping(Now now, Attempt tried, const identity::NodeInfo& to) {
  const datagram::QueryId query{kFirstPing + ++attempts.last_ping};
  tried.began = now.mono;
  attempts.pings.emplace(query, std::move(tried));
  datagrams.ask(now, query, to, wire::encode(dht::Query{.kind = dht::QueryKind::ping}), /*first_flight_allowed=*/true,
                datagram_out);
}

bool Node::Impl::end_ping(Now now, datagram::QueryId query, Status status) {
  const auto found = attempts.pings.extract(query);
  if (!found) return false;
  const Attempt& tried = found.mapped();
  if (status) {
    const identity::SocketAddress at{*tried.endpoint.address(), tried.endpoint.port};
    end_attempt(now, tried, Reachable{.round_trip = now.mono - tried.began, .address = at});
  } else {
    Error why = std::move(status).error();
    // A person has to be told that no answer is all that a wrong key looks like; engines count failures alone.
    if (why.code == Errc::timed_out && std::holds_alternative<RequestId>(tried.purpose)) {
      why.message += ": nobody is there, UDP does not pass, or whoever is there holds another key and cannot read it";
    }
    end_attempt(now, tried, fail(tried.endpoint.text(), std::move(why)));
  }
  return true;
}

void Node::Impl::on_probed(Now now, link::Probed probed) {
  const auto found = attempts.dials.extract(probed.conn);
  if (!found) return;
  if (!probed.result) return end_attempt(now, found.mapped(), std::unexpected(std::move(probed.result).error()));
  link::ProbeAnswer& answer = *probed.result;
  end_attempt(now, found.mapped(),
              Reachable{.round_trip = answer.round_trip,
                        .record = std::move(answer.record),
                        .version = answer.version,
                        .address = answer.address});
}

void Node::Impl::end_attempt(Now now, const Attempt& tried, Result<Reachable> result) {
  std::visit(Overloaded{
                 [&](bootstrap::ProbeId probe) { on_probe_answer(now, probe, tried.endpoint, std::move(result)); },
                 [&](RequestId request) {
                   --attempts.requested;
                   out->push(PeerProbed{request, tried.peer, tried.endpoint, std::move(result)});
                 },
                 [&](const ForPeer& asked) { end_dial_back(now, asked, tried.endpoint, result); },
                 [](const ForMeeting&) {},
             },
             tried.purpose);
}

/// What an address may be is decided by the best of those who named it; of anything else a stranger did.
identity::LearnedFrom Node::Impl::dial_source(const link::Dial& dial) const {
  if (config.private_network) return identity::LearnedFrom::configuration;
  if (const auto tried = attempts.dials.find(dial.conn); tried != attempts.dials.end())
    return tried->second.learned_from;
  const identity::Contact* contact = contacts.find(dial.peer);
  const auto is_among = [&](const auto& endpoints) {
    return std::ranges::find(endpoints, dial.endpoint) != endpoints.end();
  };
  if (contact != nullptr && is_among(contact->endpoints)) return identity::LearnedFrom::configuration;
  if (is_among(lan_dials(dial.peer))) return identity::LearnedFrom::lan;
  const auto joined = bootstrap.find_reached(dial.peer);
  return joined && is_among(joined->endpoints) ? joined->learned_from : identity::LearnedFrom::remote_record;
}

}  // namespace ekiden::node
