// Dispatch: which of Sender, Receiver and Answers an input is for.

#include "router/router.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "base/check.hpp"
#include "router/first_contact.hpp"
#include "router/inbox.hpp"
#include "router/journal.hpp"
#include "router/outbox.hpp"
#include "router/receipts.hpp"

namespace ekiden::router {

struct Router::Impl {
  Impl(const identity::Identity& identity, Config settings, Rng rng)
      : self(identity),
        config(settings),
        answers(identity),
        sender(identity.id(), config, std::move(rng), journal, counters),
        receiver(identity.id(), config, journal, counters, answers, standings) {}

  const identity::Identity& self;
  const Config config;
  Journal journal;
  Counters counters;
  Answers answers;
  path::Verifier paths;
  Standings standings;
  Sender sender;
  Receiver receiver;
  std::map<identity::PeerId, crypto::Ed25519PublicKey> links;  ///< peers with a link, and the keys of their receipts
  Status storage;

  /// `receipt` is verified.
  void on_receipt(Now now, const identity::PeerId& by, ByteView cose, Receipt receipt, Effects& out) {
    if (receipt.unopened) {
      sender.on_unopened(now, by, receipt.at, receipt.unopened->messages);
      if (!receipt.unopened->sessions.empty()) out.push(SessionsLost{by, std::move(receipt.unopened->sessions)});
    }
    sender.on_receipt(now, by, cose, receipt, out);
  }

  /// Whoever is written to may write back. An answer to a request is no such letter.
  void note_recipient(Now now, const Draft& draft, Effects& out) {
    const bool answers_only = draft.exchange && draft.exchange->part != Exchange::Part::request;
    if (draft.delivery != DeliveryClass::durable || answers_only || !storage || draft.to == self.id()) return;
    store::Batch batch;
    for (const identity::PeerId& peer : standings.write_to(now, draft.to, batch)) receiver.on_standing(peer, out);
    journal.write(std::move(batch), out);
  }
};

std::string_view message_state_name(MessageState state) {
  switch (state) {
    case MessageState::queued:
      return "queued";
    case MessageState::in_flight:
      return "in-flight";
    case MessageState::delivered:
      return "delivered";
    case MessageState::expired:
      return "expired";
    case MessageState::sent:
      return "sent";
  }
  std::unreachable();
}

Router::Router(const identity::Identity& self, Config config, Rng rng)
    : impl_(std::make_unique<Impl>(self, config, std::move(rng))) {}
Router::~Router() = default;

namespace {

/// The rows of one table, by key.
std::vector<const store::Row*> rows_of(const std::vector<store::Row>& rows, store::Table table) {
  std::vector<const store::Row*> found;
  for (const store::Row& row : rows) {
    if (row.key.table == table) found.push_back(&row);
  }
  std::ranges::sort(found, {}, [](const store::Row* row) -> const store::Key& { return row->key; });
  return found;
}

template <class Load>
Status load_table(const std::vector<store::Row>& rows, store::Table table, std::string_view name, Load&& load) {
  for (const store::Row* row : rows_of(rows, table)) {
    Status status = load(*row);
    if (!status) return fail("table " + std::string(name), std::move(status).error());
  }
  return {};
}

}  // namespace

Status Router::load(const std::vector<store::Row>& rows) {
  Impl& my = *impl_;
  EKIDEN_TRY(load_table(rows, store::Table::meta, "meta", [&](const store::Row& row) -> Status {
    if (as_text(row.key.name) != kMetaName) return {};
    auto status = my.counters.load(row.value);
    if (!status) return fail(Errc::storage_corrupt, status.error().message);
    return status;
  }));
  EKIDEN_TRY(load_table(rows, store::Table::standings, "standings",
                        [&](const store::Row& row) { return my.standings.load_row(row.key.name, row.value); }));
  EKIDEN_TRY(load_table(rows, store::Table::windows, "windows",
                        [&](const store::Row& row) { return my.receiver.load_window(row.key.name, row.value); }));
  EKIDEN_TRY(load_table(rows, store::Table::inbox, "inbox",
                        [&](const store::Row& row) { return my.receiver.load_row(row.key.number, row.value); }));
  EKIDEN_TRY(load_table(rows, store::Table::outbox, "outbox",
                        [&](const store::Row& row) { return my.sender.load_outbox(row.key.number, row.value); }));
  EKIDEN_TRY(load_table(rows, store::Table::deposits, "deposits",
                        [&](const store::Row& row) { return my.sender.load_deposits(row.key.number, row.value); }));
  return load_table(rows, store::Table::history, "history",
                    [&](const store::Row& row) { return my.sender.load_history(row.key.number, row.value); });
}

void Router::start(Now now, Outbox<Effect>& out) {
  impl_->counters.start(now, impl_->journal, out);
  impl_->sender.start(now, out);
  impl_->receiver.start(now, out);
}

void Router::submit(Now now, RequestId request, Draft draft, Outbox<Effect>& out) {
  impl_->note_recipient(now, draft, out);
  impl_->sender.submit(now, request, std::move(draft), impl_->storage, out);
}

void Router::take(Now now, RequestId request, const std::vector<std::uint64_t>& numbers, Outbox<Effect>& out) {
  impl_->receiver.take(now, request, numbers, out);
}

void Router::set_tier(const identity::PeerId& peer, identity::TrustTier tier, Outbox<Effect>& out) {
  impl_->standings.set_tier(peer, tier);
  impl_->receiver.on_standing(peer, out);
}

Result<std::vector<std::uint64_t>> Router::block(Now now, const identity::PeerId& peer, Outbox<Effect>& out) {
  store::Batch batch;
  EKIDEN_TRY(impl_->standings.block(now, peer, batch));
  impl_->receiver.on_standing(peer, out);
  auto dropped = impl_->receiver.drop_messages(peer, batch);
  impl_->journal.write(std::move(batch), out);
  return dropped;
}

Status Router::unblock(const identity::PeerId& peer, Outbox<Effect>& out) {
  store::Batch batch;
  EKIDEN_TRY(impl_->standings.unblock(peer, batch));
  impl_->journal.write(std::move(batch), out);
  impl_->receiver.on_standing(peer, out);
  return {};
}

void Router::retry_now(Now now, const identity::PeerId& peer, Outbox<Effect>& out) {
  impl_->sender.retry_now(now, peer, out);
}

void Router::on_sealed(Now now, const MessageId& message, Bytes sealed, bool must_persist, store::Batch changes,
                       Outbox<Effect>& out) {
  impl_->sender.on_sealed(now, message, std::move(sealed), must_persist, std::move(changes), out);
}

void Router::on_unsealable(Now now, const MessageId& message, const Error& why) {
  impl_->sender.on_unsealable(now, message, why);
}

void Router::on_opened(Now now, const Envelope& envelope, ByteView plaintext, store::Batch changes,
                       Outbox<Effect>& out) {
  impl_->receiver.on_opened(now, envelope, plaintext, std::move(changes), out);
}

void Router::on_session_lost(Now now, const identity::PeerId& peer, Outbox<Effect>& out) {
  impl_->sender.on_session_lost(now, peer, out);
}

void Router::on_duplicate(Now now, const Envelope& envelope, Outbox<Effect>& out) {
  impl_->receiver.on_duplicate(now, envelope, out);
}

void Router::on_no_session(Now now, const Envelope& envelope, Outbox<Effect>& out) {
  impl_->receiver.on_no_session(now, envelope, out);
}

void Router::on_link_up(Now now, const identity::PeerId& peer, const crypto::Ed25519PublicKey& key,
                        Outbox<Effect>& out) {
  impl_->links.insert_or_assign(peer, key);
  impl_->answers.on_link_up(now, peer, out);
  impl_->sender.on_link_up(now, peer, out);
}

void Router::on_link_down(Now now, const identity::PeerId& peer, Outbox<Effect>&) {
  impl_->links.erase(peer);
  impl_->answers.on_link_down(peer);
  impl_->sender.on_link_down(now, peer);
}

void Router::on_unreachable(Now now, const identity::PeerId& peer, const Error& why) {
  impl_->sender.on_unreachable(now, peer, why);
}

void Router::on_transmit_failed(Now now, const identity::PeerId& peer, Outbox<Effect>&) {
  impl_->sender.on_transmit_failed(now, peer);
}

Status Router::on_envelope(Now now, const identity::PeerId& from, std::shared_ptr<const Bytes> buffer, ByteView body,
                           Outbox<Effect>& out) {
  return impl_->receiver.on_envelope(now, from, std::move(buffer), body, impl_->storage, out);
}

void Router::on_route(Now now, const identity::PeerId& peer, bool up, Outbox<Effect>& out) {
  impl_->sender.on_route(now, peer, up, out);
}

Status Router::on_routed(Now now, const identity::PeerId& from, const MessageId& id,
                         std::shared_ptr<const Bytes> buffer, ByteView body, const crypto::Digest& subject,
                         path::Hops path, Outbox<Effect>& out) {
  return impl_->receiver.on_routed(now, from, id, std::move(buffer), body,
                                   CameBy{.subject = subject, .hops = std::move(path)}, impl_->storage, out);
}

void Router::on_handed_on(Now now, const MessageId& id, const identity::PeerId& by) {
  impl_->sender.on_handed_on(now, id, by);
}

void Router::on_returned(Now now, const MessageId& id) { impl_->sender.on_returned(now, id); }

Status Router::on_receipt(Now now, const identity::PeerId& from, ByteView body, Outbox<Effect>& out) {
  const auto link = impl_->links.find(from);
  if (link == impl_->links.end()) return fail(Errc::unauthenticated, "a receipt from a peer without a link");
  EKIDEN_ASSIGN(Receipt receipt, open_receipt(body, from, link->second, impl_->self.id(), impl_->paths));
  impl_->on_receipt(now, from, body, std::move(receipt), out);
  return {};
}

Status Router::on_refusal(Now now, const identity::PeerId& from, ByteView body, Outbox<Effect>&) {
  EKIDEN_ASSIGN(const Refusal refusal, wire::decode<Refusal>(body));
  impl_->sender.on_refusal(now, from, refusal);
  return {};
}

Status Router::on_parcel(Now now, const identity::PeerId& from, const MessageId& id,
                         std::shared_ptr<const Bytes> buffer, ByteView body, Outbox<Effect>& out) {
  return impl_->receiver.on_parcel(now, from, id, std::move(buffer), body, impl_->storage, out);
}

void Router::end_parcel(const identity::PeerId& from, const MessageId& id, Outbox<Effect>& out) {
  impl_->answers.settle_parcel(from, id, true, out);
}

void Router::on_session_unknown(Now now, const identity::PeerId& from, const MessageId& id, const Uuid& session,
                                Outbox<Effect>& out) {
  impl_->answers.session_unknown(now, from, id, session, out);
}

Status Router::on_receipt_parcel(Now now, const identity::PeerId& from, const crypto::Ed25519PublicKey& key,
                                 ByteView body, Outbox<Effect>& out) {
  EKIDEN_ASSIGN(Receipt receipt, open_receipt(body, from, key, impl_->self.id(), impl_->paths));
  impl_->on_receipt(now, from, body, std::move(receipt), out);
  return {};
}

void Router::on_stored(Now now, const MessageId& id, const StoredAt& stored, Outbox<Effect>& out) {
  impl_->sender.on_stored(now, id, stored, out);
}

void Router::on_record(Now now, const identity::PeerId& peer, Outbox<Effect>& out) {
  impl_->sender.on_record(now, peer, out);
}

void Router::on_persisted(Now now, store::PersistToken token, Outbox<Effect>& out) {
  bool arrivals = false;
  const auto wake = Overloaded{
      [&](const OutgoingWaits& waits) { impl_->sender.on_persisted(now, waits.id, out); },
      [&](const ArrivalWaits& waits) {
        arrivals = true;
        impl_->receiver.on_persisted(now, waits.number, out);
      },
      [&](const ReleaseWaits& waits) { impl_->receiver.on_released(waits.number, out); },
      [&](TakeWaits&& waits) { out.push(Taken{waits.request, std::move(waits.answer)}); },
  };
  impl_->journal.on_persisted(token, [&](Waiter&& waiter) { std::visit(wake, std::move(waiter)); });
  if (arrivals) impl_->answers.flush(now, out);
}

void Router::flush(Outbox<Effect>& out) { impl_->journal.flush(out); }

void Router::set_storage(Now, Status state) { impl_->storage = std::move(state); }

std::optional<Instant> Router::deadline() const {
  return earlier(earlier(impl_->sender.deadline(), impl_->receiver.deadline()),
                 earlier(impl_->answers.deadline(), impl_->journal.deadline()));
}

void Router::on_deadline(Now now, Outbox<Effect>& out) {
  impl_->sender.on_deadline(now, out);
  impl_->receiver.on_deadline(now, out);
  impl_->answers.on_deadline(now, out);
  impl_->journal.on_deadline(now, out);
}

std::optional<Trace> Router::trace(const MessageId& id) const {
  if (auto outgoing = impl_->sender.trace(id)) return outgoing;
  return impl_->receiver.trace(id);
}

std::vector<Trace> Router::outgoing(std::size_t limit, const OutgoingFilter& filter) const {
  return impl_->sender.newest(limit, filter);
}

std::vector<ArrivedPtr> Router::inbox(std::uint64_t after, std::size_t limit, const InboxFilter& filter) const {
  return impl_->receiver.untaken(after, limit, filter);
}

std::vector<Waiting> Router::waiting() const { return impl_->receiver.waiting(); }
std::vector<Blocked> Router::blocked() const { return impl_->standings.blocked(); }
bool Router::is_blocked(const identity::PeerId& peer) const { return impl_->standings.is_blocked(peer); }

RouterStatus Router::status() const {
  RouterStatus status;
  impl_->sender.add_status(status);
  impl_->receiver.add_status(status);
  return status;
}

void Router::check_invariants() const {
  impl_->sender.check_invariants();
  impl_->standings.check_invariants();
  impl_->receiver.check_invariants();
  impl_->answers.check_invariants();
}

}  // namespace ekiden::router
