// The sessions: what comes through them, which one a query takes, and their ends.
#include <utility>
#include <vector>

#include "datagram/state.hpp"

namespace ekiden::datagram {

Session make_session(Instant now, const Handshaken& with, const noise::HandshakeState& handshake) {
  auto keys = handshake.split_keys();
  return {.local = with.local,
          .remote = with.remote,
          .node = with.node,
          .begun_by_us = with.begun_by_us,
          .send_key = std::move(keys.send),
          .receive_key = std::move(keys.receive),
          .window = {},
          .since = now,
          .received = now,
          .used = now,
          .round_trip = {}};
}

void Datagrams::State::on_data(Now now, const identity::SocketAddress& from, const Data& data, Out& out) {
  Session* session = sessions.find(data.receiver);
  const bool is_provisional = session == nullptr;
  if (is_provisional) session = provisional.find(data.receiver);
  if (session == nullptr || session->node.at != from || data.counter >= Session::kMaxCounter ||
      !session->window.is_fresh(data.counter)) {
    ++counts.dropped;
    return;
  }
  auto content = ciphers.open(session->receive_key, data);
  if (!content) {
    ++counts.dropped;
    return;
  }
  session->window.mark(data.counter);
  session->received = now.mono;
  if (is_provisional) {
    Session proven = std::move(*session);
    provisional.erase(data.receiver);
    session = &confirm(now, std::move(proven), out);
  }
  if (content->kind == Kind::confirm) return;
  session->used = now.mono;
  if (content->kind == Kind::query) {
    const QueryToken token{next_token++};
    unanswered.put(token, InSession{session->local, content->number});
    out.push(Queried{token, session->node, /*proven=*/true, {std::move(content->buffer), kDataPrefix}});
    return;
  }
  const auto query = asked.find(content->number);
  if (query == asked.end() || query->second.to.public_key != session->node.public_key) return;
  // Only of a query that was sent once is it known which transmission was answered (Karn).
  if (query->second.attempts == 1) session->round_trip.measure(now.mono - query->second.sent);
  succeed(content->number, {std::move(content->buffer), kDataPrefix}, out);
}

/// Null if there is none to this address, or it is over.
Session* Datagrams::State::session_for(Now now, const identity::NodeInfo& node) {
  Session* const session = sessions.to(node.public_key);
  if (session == nullptr || session->node.at != node.at || is_over(now, *session)) return nullptr;
  return session;
}

/// Takes in a session whose other side is proven, as the one that queries go through from now on.
Session& Datagrams::State::confirm(Now now, Session session, Out& out) {
  if (sessions.size() == config.max_sessions) end_session(sessions.oldest().local);
  ++counts.handshakes;
  if (!sweep_at) sweep_at = now.mono + config.session_idle;
  out.push(Confirmed{session.node});
  Session& placed = sessions.put(std::move(session));
  sessions.prefer(placed);
  return placed;
}

void Datagrams::State::send(Now now, Session& session, Kind kind, Number number, ByteView body, Out& out) {
  const Content what{.kind = kind, .number = number, .buffer = {}};
  if (kind != Kind::confirm) session.used = now.mono;
  confirmations.cancel(session.local);
  out.push(Send{.to = session.node.at,
                .packet = ciphers.seal(session.send_key, session.remote, session.next_counter++, what, body),
                .in_session = true});
}

void Datagrams::State::end_session(Index index) {
  confirmations.cancel(index);
  sessions.erase(index);
}

bool Datagrams::State::is_over(Now now, const Session& session) const {
  return now.mono >= session.since + config.session_lifetime || now.mono >= session.used + config.session_idle ||
         session.next_counter >= Session::kMaxCounter - 1;
}

void Datagrams::State::sweep(Now now) {
  std::vector<Index> over;
  for (const Session& session : sessions) {
    if (is_over(now, session)) over.push_back(session.local);
  }
  for (const Index index : over) end_session(index);
  over.clear();
  for (const Session& session : provisional) {
    if (now.mono >= session.since + config.provisional_lifetime) over.push_back(session.local);
  }
  for (const Index index : over) provisional.erase(index);
  sweep_at.reset();
  if (provisional.size() > 0) {
    sweep_at = now.mono + config.provisional_lifetime;
  } else if (sessions.size() > 0) {
    sweep_at = now.mono + config.session_idle / 2;
  }
}

}  // namespace ekiden::datagram
