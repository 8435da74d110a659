// Queries of others: in the first flight of a handshake, which proves nothing yet, or in a session.
#include <utility>

#include "base/check.hpp"
#include "crypto/ed25519.hpp"
#include "datagram/state.hpp"

namespace ekiden::datagram {

/// Whether to compute anything for this initiation. Nothing is kept of one that is not admitted.
bool Datagrams::State::admit(Now now, const identity::SocketAddress& from, const Initiation& initiation, Out& out) {
  if (handshakes.take(now.mono)) return true;
  if (!cookies.verify(now.mono, from, initiation.sender, initiation.cookie)) {
    ++counts.cookies;
    out.push(Send{from, make_cookie_reply(initiation.sender, cookies.bake(now.mono, from, initiation.sender))});
    return false;
  }
  const auto prefix = identity::prefix_of(from.ip);
  flow::TokenBucket* bucket = by_prefix.find(prefix);
  if (bucket == nullptr) bucket = &by_prefix.put(prefix, flow::TokenBucket(config.proven_handshakes));
  return bucket->take(now.mono);
}

void Datagrams::State::on_initiation(Now now, const identity::SocketAddress& from, const Initiation& initiation,
                                     Out& out) {
  const auto mark = take_array<kCookieSize>(initiation.noise);
  if (recent.contains(mark) || !admit(now, from, initiation, out)) return;

  const Bytes prologue = prologue_of(initiation.sender);
  noise::HandshakeState noise({.pattern = noise::Pattern::ik,
                               .initiator = false,
                               .prologue = prologue,
                               .static_key = self.noise_key(),
                               .ephemeral_entropy = rng.bytes<32>()});
  auto payload = noise.read_message(initiation.noise);
  const auto flight = payload ? decode_first_flight(*payload) : std::unexpected(payload.error());
  const auto noise_key = flight ? crypto::to_x25519(flight->public_key) : std::unexpected(flight.error());
  if (!noise_key || *noise_key != noise.remote_static() || flight->public_key == self.public_key()) {
    ++counts.dropped;
    return;
  }
  recent.add(mark);
  const identity::NodeInfo node{flight->public_key, from};
  InHandshake handshake{std::move(noise), initiation.sender, node};
  if (flight->query.empty()) return respond(now, std::move(handshake), {}, out);
  const QueryToken token{next_token++};
  unanswered.put(token, std::move(handshake));
  const auto begin = static_cast<std::size_t>(flight->query.data() - payload->data());
  payload->resize(begin + flight->query.size());  // Without the padding.
  out.push(Queried{token, node, /*proven=*/false, {std::move(*payload), begin}});
}

void Datagrams::State::respond(Now now, InHandshake handshake, ByteView answer, Out& out) {
  const Index local = fresh_index();
  const Bytes payload = encode_first_answer(answer);
  Bytes packet = begin_response(local, handshake.remote, kResponseNoise + payload.size());
  if (!handshake.noise.write_message(payload, packet)) return;
  provisional.put(make_session(now.mono, {local, handshake.remote, handshake.node}, handshake.noise));
  sweep_at = earlier(sweep_at, now.mono + config.provisional_lifetime);
  out.push(Send{handshake.node.at, std::move(packet)});
}

void Datagrams::State::answer(Now now, QueryToken token, ByteView answer, Out& out) {
  Unanswered* const found = unanswered.find(token);
  if (found == nullptr) return;
  Unanswered query = std::move(*found);
  unanswered.erase(token);
  if (auto* handshake = std::get_if<InHandshake>(&query)) return respond(now, std::move(*handshake), answer, out);
  const auto& [index, number] = std::get<InSession>(query);
  if (Session* const session = sessions.find(index)) send(now, *session, Kind::answer, number, answer, out);
}

}  // namespace ekiden::datagram
