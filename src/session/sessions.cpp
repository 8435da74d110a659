#include "session/sessions.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "session/header.hpp"
#include "session/impl.hpp"

namespace ekiden::session {
namespace {

/// Wall time is looked at this often even if nothing is due, because it can leap.
constexpr milliseconds kMaintenance = hours(1);
/// However the clocks stand, maintenance does not run more often than this.
constexpr milliseconds kMinMaintenance = seconds(1);

}  // namespace

std::string_view state_name(State state) {
  switch (state) {
    case State::initiated:
      return "initiated";
    case State::established:
      return "established";
    case State::renewing:
      return "renewing";
    case State::closed:
      return "closed";
  }
  return "closed";
}

Sessions::Impl::Impl(const identity::Identity& identity, const Config& cfg, Rng random)
    : self(identity),
      config(cfg),
      rng(std::move(random)),
      prekeys(std::chrono::duration_cast<milliseconds>(config.prekey_rotation),
              std::chrono::duration_cast<milliseconds>(config.prekey_horizon)),
      table(self.id(), config),
      resets(config.max_sessions),
      skips(config.max_sessions) {
  CHECK(config.max_sessions >= config.max_sessions_per_peer && config.max_sessions_per_peer >= 2);
  CHECK(config.renew_before < config.lifetime && config.flush_messages > 0);
}

bool Sessions::Impl::on_reset(Now now, const SessionKey& key, store::Batch& changes, Effects& out) {
  if (table.find(key) == nullptr) return false;
  Resets* window = resets.find(key.peer);
  if (window == nullptr || now.mono - window->since >= hours(1)) {
    window = &resets.put(key.peer, Resets{.since = now.mono});
  }
  if (window->count >= config.max_resets_per_hour) return false;
  ++window->count;
  table.close(key, "the peer cannot open it", changes, out);
  table.delay_renewal(key.peer, now.mono + hours(1));
  return true;
}

void Sessions::Impl::maintain(Now now, store::Batch& batch, Effects& out) {
  table.expire(now.wall, batch, out);
  const auto refreshed = prekeys.refresh(now.wall, rng, batch);
  for (const std::uint32_t prekey : refreshed.erased) table.forget_closed(prekey, batch);
  const WallTime due = table.next_expiry(prekeys.next_due());
  maintain_at = now.mono + std::clamp(due - now.wall, kMinMaintenance, kMaintenance);
  if (refreshed.rotated) out.push(PrekeyChanged{prekeys.current()});
}

void Sessions::Impl::on_deadline(Now now, Effects& out) {
  Effects later;  // What is said about the batch comes after it.
  store::Batch batch;
  if (flush_at && *flush_at <= now.mono) {
    flush_at.reset();
    table.flush(batch);
  }
  if (maintain_at && *maintain_at <= now.mono) maintain(now, batch, later);
  if (!batch.empty()) out.push(Flush{std::move(batch)});
  later.drain([&](Effect&& effect) { out.push(std::move(effect)); });
}

ByteView Sessions::Impl::associated_data(const Session& session, ByteView header, ByteView associated) {
  scratch.clear();
  append(scratch, session.binding);
  append(scratch, header);
  append(scratch, associated);
  return scratch;
}

// The face. -----------------------------------------------------------------------------------------------------------

Sessions::Sessions(const identity::Identity& self, Config config, Rng rng)
    : impl_(std::make_unique<Impl>(self, config, std::move(rng))) {}
Sessions::~Sessions() = default;

Status Sessions::load(const std::vector<store::Row>& rows) {
  for (const store::Row& row : rows) {
    if (row.key.table == store::Table::sessions) EKIDEN_TRY(impl_->table.load(row));
    if (row.key.table == store::Table::prekeys) EKIDEN_TRY(impl_->prekeys.load(row));
  }
  return impl_->table.finish_loading();
}

void Sessions::start(Now now, Outbox<Effect>& out) {
  impl_->maintain_at = now.mono;
  impl_->on_deadline(now, out);
}

const identity::Prekey& Sessions::prekey() const { return impl_->prekeys.current(); }

Result<Sealed> Sessions::seal(Now now, const identity::PeerRecord& to, Durability durability, ByteView associated,
                              ByteView plaintext, store::Batch& changes, Outbox<Effect>& out) {
  return impl_->seal(now, to, durability, associated, plaintext, changes, out);
}

std::expected<Opened, OpenFailure> Sessions::open(Now now, const identity::PeerId& claimed_from, Durability durability,
                                                  ByteView associated, ByteView sealed, store::Batch& changes,
                                                  Outbox<Effect>& out) {
  return impl_->open(now, claimed_from, durability, associated, sealed, changes, out);
}

std::optional<SessionId> Sessions::peek_session(ByteView sealed) {
  const auto message = parse_sealed(sealed);
  if (!message) return std::nullopt;
  return message->header.session;
}

bool Sessions::on_reset(Now now, const identity::PeerId& peer, const SessionId& session, store::Batch& changes,
                        Outbox<Effect>& out) {
  return impl_->on_reset(now, {.peer = peer, .id = session}, changes, out);
}

bool Sessions::has_reserved(Now now, const identity::PeerId& peer) { return impl_->has_reserved(now, peer); }

void Sessions::collect(store::Batch& changes) {
  impl_->table.collect(changes);
  impl_->batch_wanted = false;
}

bool Sessions::wants_batch() const { return impl_->batch_wanted; }

std::uint64_t Sessions::last_change() const { return impl_->table.last_change(); }
void Sessions::on_persisted(std::uint64_t change) { impl_->table.on_persisted(change); }

std::optional<Instant> Sessions::deadline() const { return earlier(impl_->flush_at, impl_->maintain_at); }
void Sessions::on_deadline(Now now, Outbox<Effect>& out) { impl_->on_deadline(now, out); }

std::vector<SessionStatus> Sessions::status() const { return impl_->table.status(); }
std::size_t Sessions::size() const { return impl_->table.size(); }

store::Batch Sessions::snapshot() const {
  store::Batch batch;
  impl_->prekeys.write_all(batch);
  impl_->table.write_all(batch);
  return batch;
}

void Sessions::check_invariants() const {
  impl_->prekeys.check_invariants();
  impl_->table.check_invariants();
  CHECK(impl_->flush_at.has_value() || !impl_->table.has_deferred());
}

}  // namespace ekiden::session
