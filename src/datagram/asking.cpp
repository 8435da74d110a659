// Queries of ours: through a session if there is one, else in or behind the first flight of a handshake.
#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "crypto/ed25519.hpp"
#include "datagram/state.hpp"

namespace ekiden::datagram {

void Datagrams::State::ask(Now now, Asked query, Out& out) {
  if (asked.size() >= config.max_queries) {
    out.push(Failed{query.id, {Errc::limit_exceeded, std::to_string(asked.size()) + " queries are under way"}});
    return;
  }
  while (asked.contains(next_number)) ++next_number;
  const Number number = next_number++;
  query.first_sent = now.mono;
  asked.emplace(number, std::move(query));
  transmit(now, number, out);
}

/// A session in which nothing came since the last attempt may be unknown to the other side by now, which cannot say so:
/// the next attempt makes a new one.
void Datagrams::State::transmit(Now now, Number number, Out& out) {
  Asked& query = asked.at(number);
  Session* session = session_for(now, query.to);
  if (session != nullptr && query.attempts > 0 && session->received < query.sent) {
    end_session(session->local);
    session = nullptr;
  }
  ++query.attempts;
  const Instant before = std::exchange(query.sent, now.mono);
  timeouts.set(number, now.mono + timeout_of(query, session));
  if (session != nullptr) return send(now, *session, Kind::query, number, query.query, out);
  const auto under_way = dialled.find(query.to.public_key);
  if (under_way == dialled.end()) return dial(now, number, out);
  Dialling& handshake = dialling.at(under_way->second);
  const bool is_younger = query.attempts == 1 || handshake.sent > before;
  if (handshake.to.at != query.to.at || !is_younger) return dial(now, number, out);
  if (query.attempts == 1) handshake.waiting.push_back(number);
}

Duration Datagrams::State::timeout_of(const Asked& query, const Session* session) const {
  Duration base = config.first_timeout;
  if (session != nullptr && session->round_trip.smoothed_us > 0) {
    const RoundTrip& trip = session->round_trip;
    base = microseconds(trip.smoothed_us) + 4 * microseconds(trip.variation_us);
  }
  base = std::max(base, config.min_timeout);
  for (unsigned i = 1; i < query.attempts; ++i) base *= 2;
  return std::min(base, config.max_timeout);
}

/// Begins a handshake with the node of this query, in the place of one under way, whose queries wait for this one.
void Datagrams::State::dial(Now now, Number number, Out& out) {
  const Asked& query = asked.at(number);
  const auto noise_key = crypto::to_x25519(query.to.public_key);
  if (!noise_key) return fail_query(number, noise_key.error(), out);

  std::vector<Number> waiting;
  if (const auto old = dialled.find(query.to.public_key); old != dialled.end()) {
    Dialling& before = dialling.at(old->second);
    waiting = std::move(before.waiting);
    if (before.riding) waiting.push_back(*before.riding);
    std::erase(waiting, number);
    dialling.erase(old->second);
    dialled.erase(old);
  }
  const Index index = fresh_index();
  const Bytes prologue = prologue_of(index);
  noise::HandshakeState noise({.pattern = noise::Pattern::ik,
                               .initiator = true,
                               .prologue = prologue,
                               .static_key = self.noise_key(),
                               .ephemeral_entropy = rng.bytes<32>(),
                               .remote_static = *noise_key});
  const bool rides = query.first_flight_allowed;
  const Bytes payload = encode_first_flight(self.public_key(), rides ? ByteView(query.query) : ByteView());
  Bytes packet = begin_initiation(index, {}, kInitiationNoise + payload.size());
  if (auto status = noise.write_message(payload, packet); !status) return fail_query(number, status.error(), out);

  Dialling handshake{.noise = std::move(noise),
                     .to = query.to,
                     .packet = packet,
                     .sent = now.mono,
                     .riding = std::nullopt,
                     .waiting = std::move(waiting)};
  if (rides) {
    handshake.riding = number;
  } else {
    handshake.waiting.push_back(number);
  }
  dialled[query.to.public_key] = index;
  out.push(Send{query.to.at, std::move(packet)});
  dialling.emplace(index, std::move(handshake));
}

void Datagrams::State::on_response(Now now, const identity::SocketAddress& from, const Response& response, Out& out) {
  const auto found = dialling.find(response.receiver);
  if (found == dialling.end() || found->second.to.at != from) {
    ++counts.dropped;
    return;
  }
  Dialling handshake = std::move(found->second);
  dialling.erase(found);
  dialled.erase(handshake.to.public_key);
  auto payload = handshake.noise.read_message(response.noise);
  const auto answer = payload ? decode_first_answer(*payload) : std::unexpected(payload.error());
  if (!answer) {  // Its queries go on by their timers, with a new handshake.
    ++counts.dropped;
    return;
  }
  // Before it is told of as confirmed: who has answered need not be asked whether he is there.
  if (handshake.riding) {
    const auto begin = static_cast<std::size_t>(answer->data() - payload->data());
    succeed(*handshake.riding, {std::move(*payload), begin}, out);
  }
  Session& session = confirm(
      now, make_session(now.mono, {response.receiver, response.sender, handshake.to, true}, handshake.noise), out);
  session.round_trip.measure(now.mono - handshake.sent);
  confirmations.set(session.local, now.mono + config.confirm_after);
  for (const Number number : handshake.waiting) {
    if (asked.contains(number)) send(now, session, Kind::query, number, asked.at(number).query, out);
  }
}

/// Once for each handshake: a cookie that is not accepted is not asked for again.
void Datagrams::State::on_cookie(const identity::SocketAddress& from, const CookieReply& reply, Out& out) {
  const auto found = dialling.find(reply.receiver);
  if (found == dialling.end() || found->second.to.at != from || found->second.had_cookie) {
    ++counts.dropped;
    return;
  }
  found->second.had_cookie = true;
  set_cookie(found->second.packet, reply.cookie);
  out.push(Send{from, found->second.packet});
}

void Datagrams::State::on_timeout(Now now, Number number, Out& out) {
  const Asked& query = asked.at(number);
  if (query.attempts < config.attempts) return transmit(now, number, out);
  const auto took = std::chrono::duration_cast<milliseconds>(now.mono - query.first_sent);
  fail_query(number,
             {Errc::timed_out, query.to.at.text() + " did not answer " + std::to_string(query.attempts) +
                                   " datagrams in " + std::to_string(took.count()) + " ms"},
             out);
}

void Datagrams::State::succeed(Number number, Body body, Out& out) {
  const auto found = asked.find(number);
  if (found == asked.end()) return;
  const QueryId id = found->second.id;
  forget(number);
  out.push(Answered{id, std::move(body)});
}

void Datagrams::State::fail_query(Number number, Error why, Out& out) {
  const QueryId id = asked.at(number).id;
  forget(number);
  out.push(Failed{id, std::move(why)});
}

/// A handshake ends with the last query that needs it.
void Datagrams::State::forget(Number number) {
  const crypto::Ed25519PublicKey node = asked.at(number).to.public_key;
  asked.erase(number);
  timeouts.cancel(number);
  const auto under_way = dialled.find(node);
  if (under_way == dialled.end()) return;
  Dialling& handshake = dialling.at(under_way->second);
  std::erase(handshake.waiting, number);
  if (handshake.riding == number) handshake.riding.reset();
  if (handshake.riding || !handshake.waiting.empty()) return;
  dialling.erase(under_way->second);
  dialled.erase(under_way);
}

}  // namespace ekiden::datagram
