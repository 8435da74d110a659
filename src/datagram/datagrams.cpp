#include "datagram/datagrams.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/check.hpp"
#include "datagram/state.hpp"

namespace ekiden::datagram {

Bytes prologue_of(Index initiator) {
  constexpr std::string_view kProtocol = "EKIDEN DATAGRAM 1";
  Bytes prologue;
  prologue.reserve(kProtocol.size() + 8);
  append(prologue, as_bytes(kProtocol));
  append_be(prologue, static_cast<std::uint64_t>(initiator));
  return prologue;
}

Datagrams::State::State(const identity::Identity& identity, Config cfg, Rng random)
    : self(identity),
      config(cfg),
      rng(std::move(random)),
      cookies(rng.split()),
      unanswered(config.max_unanswered),
      sessions(config.max_sessions),
      provisional(config.max_provisional),
      handshakes(config.handshakes),
      by_prefix(config.max_prefixes),
      recent(config.max_recent) {}

Datagrams::Datagrams(const identity::Identity& self, Config config, Rng rng)
    : state_(std::make_unique<State>(self, config, std::move(rng))) {}
Datagrams::~Datagrams() = default;

void Datagrams::ask(Now now, QueryId id, const identity::NodeInfo& to, Bytes query, bool first_flight_allowed,
                    Outbox<Effect>& out) {
  CHECK(query.size() <= (first_flight_allowed ? kMaxFirstQuery : kMaxBody));
  state_->ask(now,
              {.id = id,
               .to = to,
               .query = std::move(query),
               .first_flight_allowed = first_flight_allowed,
               .first_sent = {},
               .sent = {}},
              out);
}

void Datagrams::answer(Now now, QueryToken token, ByteView answer, Outbox<Effect>& out) {
  CHECK(answer.size() <= kMaxAnswer);
  state_->answer(now, token, answer, out);
}

void Datagrams::on_packet(Now now, const identity::SocketAddress& from, ByteView packet, Outbox<Effect>& out) {
  const auto parsed = parse(packet);
  if (!parsed) {
    ++state_->counts.dropped;
    return;
  }
  std::visit(Overloaded{
                 [&](const Initiation& initiation) { state_->on_initiation(now, from, initiation, out); },
                 [&](const Response& response) { state_->on_response(now, from, response, out); },
                 [&](const CookieReply& reply) { state_->on_cookie(from, reply, out); },
                 [&](const Data& data) { state_->on_data(now, from, data, out); },
             },
             *parsed);
}

std::optional<Instant> Datagrams::deadline() const {
  return earlier(state_->sweep_at, earlier(state_->timeouts.earliest(), state_->confirmations.earliest()));
}

void Datagrams::on_deadline(Now now, Outbox<Effect>& out) {
  while (const auto number = state_->timeouts.pop_due(now.mono)) state_->on_timeout(now, *number, out);
  while (const auto index = state_->confirmations.pop_due(now.mono)) {
    if (Session* const session = state_->sessions.find(*index)) {
      state_->send(now, *session, Kind::confirm, 0, {}, out);
    }
  }
  if (state_->sweep_at && *state_->sweep_at <= now.mono) state_->sweep(now);
}

DatagramStatus Datagrams::status() const {
  DatagramStatus status = state_->counts;
  status.sessions = state_->sessions.size();
  status.provisional = state_->provisional.size();
  status.queries = state_->asked.size();
  return status;
}

std::vector<SessionStatus> Datagrams::sessions(std::size_t count) const {
  std::vector<SessionStatus> all;
  for (const Session& session : state_->sessions) {
    if (all.size() == count) break;
    if (!state_->sessions.is_preferred(session)) continue;
    SessionStatus& shown = all.emplace_back(session.node, session.begun_by_us, session.since);
    if (const auto smoothed = session.round_trip.smoothed_us; smoothed > 0) shown.round_trip = microseconds(smoothed);
  }
  return all;
}

void Datagrams::check_invariants() const {
  const State& s = *state_;
  CHECK(s.asked.size() <= s.config.max_queries && s.timeouts.size() == s.asked.size());
  CHECK(s.dialling.size() == s.dialled.size() && s.dialling.size() <= s.asked.size());
  for (const auto& [node, index] : s.dialled) {
    const Dialling& handshake = s.dialling.at(index);
    CHECK(handshake.to.public_key == node && (handshake.riding || !handshake.waiting.empty()));
    if (handshake.riding) CHECK(s.asked.at(*handshake.riding).to.public_key == node);
    for (const Number number : handshake.waiting) CHECK(s.asked.at(number).to.public_key == node);
  }
  CHECK(s.sessions.size() <= s.config.max_sessions && s.provisional.size() <= s.config.max_provisional);
  s.sessions.check_invariants();
  s.provisional.check_invariants();
  CHECK(s.provisional.preferred_count() == 0);
  CHECK(s.confirmations.size() <= s.sessions.size());
  CHECK(s.sweep_at || (s.sessions.size() == 0 && s.provisional.size() == 0));
}

}  // namespace ekiden::datagram
