// One router with a disk, a fake session engine and an application, for tests and the fuzzer. It checks by itself what
// must hold at every moment; whoever breaks it gets a Violation.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/outbox.hpp"
#include "fake_session.hpp"
#include "identity/identity.hpp"
#include "router/router.hpp"
#include "router/rows.hpp"
#include "store/memory_store.hpp"
#include "wire/cose.hpp"
#include "wire/message_type.hpp"

namespace ekiden::router::test {

struct Violation : std::logic_error {
  using std::logic_error::logic_error;
};

inline void must(bool condition, const std::string& what) {
  if (!condition) throw Violation(what);
}

/// A link message on its way.
struct Mail {
  identity::PeerId from;
  identity::PeerId to;
  Bytes bytes;
};

/// Not a MessageType: the fake session's reset, a generation in eight bytes.
inline constexpr Byte kFakeReset = 200;

class Station {
 public:
  Station(std::uint8_t tag, Config config) : self_(seed_of(tag)), tag_(tag), config_(std::move(config)) {}

  // Life. -------------------------------------------------------------------------------------------------------------

  void boot(Now now) {
    ++boots_;
    Rng::Seed seed{};
    seed[0] = tag_;
    seed[1] = static_cast<Byte>(boots_);
    session_ = FakeSession();
    session_.load(disk_.rows(), boots_);
    router_ = std::make_unique<Router>(self_, config_, Rng(seed));
    for (const identity::PeerId& contact : contacts_) router_->set_tier(contact, identity::TrustTier::contact, out_);
    const auto loaded = router_->load(disk_.rows());
    must(loaded.has_value(), "rows do not load: " + (loaded ? "" : loaded.error().message));
    states_.clear();
    announced_.clear();
    for (auto& [name, stream] : streams_) stream.last_of_boot = 0;
    call([&](auto& out) { router_->start(now, out); }, now);
  }

  /// The process ends; the disk keeps the first `synced` of the batches that are under way.
  void crash(std::size_t synced) {
    for (std::size_t i = 0; i < synced && !writes_.empty(); ++i) apply_first();
    writes_.clear();
    router_.reset();
    sending_.clear();
  }

  bool is_running() const { return router_ != nullptr; }
  std::uint64_t boots() const { return boots_; }

  /// Calls a handler of the router and carries out the effects.
  template <class Handler>
  void call(Handler&& handler, Now now) {
    handler(out_);
    settle(now);
  }

  void sync(Now now, std::size_t batches = SIZE_MAX) {
    std::optional<store::PersistToken> last;
    for (std::size_t i = 0; i < batches && !writes_.empty(); ++i) last = apply_first();
    if (last) call([&](auto& out) { router_->on_persisted(now, *last, out); }, now);
  }

  // Inputs. -----------------------------------------------------------------------------------------------------------

  /// As an owner would say it; known again after each boot.
  void set_contact(const identity::PeerId& peer, bool is_contact) {
    if (is_contact) {
      contacts_.insert(peer);
      once_contacts_.insert(peer);
    } else {
      contacts_.erase(peer);
    }
    if (!is_running()) return;
    const auto tier = is_contact ? identity::TrustTier::contact : identity::TrustTier::stranger;
    router_->set_tier(peer, tier, out_);
    settle(last_now_);
  }
  void block(Now now, const identity::PeerId& peer) {
    call([&](auto& out) { must(router_->block(now, peer, out).has_value(), "cannot be blocked"); }, now);
  }
  void unblock(Now now, const identity::PeerId& peer) {
    call([&](auto& out) { must(router_->unblock(peer, out).has_value(), "was not blocked"); }, now);
  }
  /// Until the next boot.
  void trust(const identity::PeerId& peer) { router_->set_tier(peer, identity::TrustTier::trusted, out_); }

  RequestId submit(Now now, Draft draft) {
    const RequestId request{++last_request_};
    drafts_.insert_or_assign(request, draft);
    call([&](auto& out) { router_->submit(now, request, std::move(draft), out); }, now);
    return request;
  }

  void take(Now now, const std::vector<std::uint64_t>& numbers) {
    const RequestId request{++last_request_};
    takes_.insert_or_assign(request, numbers);
    call([&](auto& out) { router_->take(now, request, numbers, out); }, now);
  }

  void receive(Now now, const Mail& mail) {
    const auto buffer = std::make_shared<const Bytes>(mail.bytes);
    const ByteView body = ByteView(*buffer).subspan(1);
    Status status;
    call(
        [&](auto& out) {
          switch (mail.bytes[0]) {
            case static_cast<Byte>(wire::MessageType::envelope):
              status = router_->on_envelope(now, mail.from, buffer, body, out);
              break;
            case static_cast<Byte>(wire::MessageType::receipt):
              status = router_->on_receipt(now, mail.from, body, out);
              break;
            case static_cast<Byte>(wire::MessageType::refusal):
              status = router_->on_refusal(now, mail.from, body, out);
              break;
            case kFakeReset:
              if (session_.on_reset(mail.from, get_be<std::uint64_t>(body)))
                router_->on_session_lost(now, mail.from, out);
              break;
            default:
              must(false, "a message of an unknown type");
          }
        },
        now);
    last_status = status;
  }

  // What it shows. ----------------------------------------------------------------------------------------------------

  const identity::Identity& self() const { return self_; }
  const identity::PeerId& id() const { return self_.id(); }
  Router& router() { return *router_; }
  FakeSession& session() { return session_; }
  store::MemoryStore& disk() { return disk_; }
  const Config& config() const { return config_; }
  bool has_contact(const identity::PeerId& peer) const { return contacts_.contains(peer); }
  std::size_t unsynced() const { return writes_.size(); }
  std::vector<Mail> take_mail() { return std::exchange(sending_, {}); }
  /// Ids whose inbox row has been on the disk.
  bool has_stored(const MessageId& id) const { return stored_.contains(id); }
  std::size_t rows_in(store::Table table) const {
    std::size_t count = 0;
    for (const auto& row : disk_.rows()) count += row.key.table == table ? 1 : 0;
    return count;
  }
  MessageId answer(RequestId request) const {
    const auto found = answers.find(request);
    must(found != answers.end(), "no answer yet");
    must(found->second.has_value(), "refused: " + (found->second ? "" : found->second.error().message));
    return *found->second;
  }

  milliseconds skew{};  ///< of its wall clock
  bool can_seal = true;
  bool volatile_waits = false;  ///< volatile messages wait for the disk, as at the start of a session
  bool link_takes = true;       ///< false: every Transmit fails as with a full queue
  bool sends_numbers = false;   ///< the others do: texts that begin with ascending numbers
  Status last_status;           ///< of the last receive()
  std::map<RequestId, Result<MessageId>> answers;
  std::map<RequestId, Status> take_answers;
  std::vector<ArrivedPtr> arrivals;
  std::vector<StateChanged> changes;
  std::vector<Connect> connects;
  std::vector<Deposit> deposits;
  std::vector<DepositReceipt> receipt_deposits;
  std::vector<Forward> forwards;
  std::vector<ForwardReceipt> receipt_forwards;
  std::vector<ParcelSettled> parcels_settled;
  std::vector<SessionsLost> sessions_lost;
  std::map<MessageId, Draft> accepted;           ///< everything that submit() ever said yes to
  std::map<MessageId, WallTime> accepted_until;  ///< durable ones
  std::map<MessageId, MessageState> settled;     ///< last settled state that was reported
  std::map<MessageId, std::uint64_t> number_of;  ///< of everything that ever arrived
  std::set<std::uint64_t> taken;                 ///< persisted
  std::size_t seals = 0;
  std::size_t opens = 0;

 private:
  static crypto::Ed25519Seed seed_of(std::uint8_t tag) {
    ByteArray<32> seed{};
    seed[0] = tag;
    seed[31] = 77;
    return crypto::Ed25519Seed(seed);
  }

  store::PersistToken apply_first() {
    Persist write = std::move(writes_.front());
    writes_.pop_front();
    for (const auto& op : write.batch.operations()) {
      if (op.erase) continue;
      if (op.key.table == store::Table::inbox) stored_.insert(wire::decode<InboxRow>(op.value)->id);
      if (op.key.table == store::Table::outbox) written_.insert(wire::decode<OutboxRow>(op.value)->id);
    }
    disk_.apply(write.batch);
    return write.token;
  }

  void settle(Now now) {
    last_now_ = now;
    out_.drain([&](Router::Effect&& effect) { visit(now, std::move(effect)); });
    router_->check_invariants();
    const RouterStatus status = router_->status();
    must(status.inbox_messages <= config_.max_inbox_messages, "the inbox has too many messages");
    must(status.inbox_bytes <= config_.max_inbox_bytes, "the inbox has too many bytes");
    must(status.outbox_messages <= config_.max_outbox_messages + config_.max_volatile, "the outbox is over its quota");
  }

  void visit(Now now, Router::Effect effect) {
    std::visit(Overloaded{
                   [&](const Seal& seal) { on_seal(now, seal); },
                   [&](const Open& open) { on_open(now, open); },
                   [&](Persist& persist) { writes_.push_back(std::move(persist)); },
                   [&](Transmit& transmit) { on_transmit(now, std::move(transmit)); },
                   [&](const Connect& connect) { connects.push_back(connect); },
                   [&](const Submitted& submitted) { on_submitted(submitted); },
                   [&](const Taken& answer) { on_taken(answer); },
                   [&](const Arrival& arrival) { on_arrival(arrival.message); },
                   [&](const StateChanged& change) { on_change(now, change); },
                   [&](Deposit& deposit) { deposits.push_back(std::move(deposit)); },
                   [&](DepositReceipt& deposit) { receipt_deposits.push_back(std::move(deposit)); },
                   [&](Forward& forward) { forwards.push_back(std::move(forward)); },
                   [&](ForwardReceipt& forward) { receipt_forwards.push_back(std::move(forward)); },
                   [&](const ParcelSettled& parcel) { parcels_settled.push_back(parcel); },
                   [&](const SessionsLost& lost) { sessions_lost.push_back(lost); },
               },
               effect);
  }

  void on_seal(Now now, const Seal& seal) {
    ++seals;
    if (!can_seal) {
      router_->on_unsealable(now, seal.message, {Errc::unreachable, "no record"});
      return;
    }
    store::Batch batch;
    const bool durable = seal.delivery == DeliveryClass::durable;
    Bytes sealed = session_.seal(seal.to, durable, seal.associated, seal.plaintext, batch);
    if (!durable && volatile_waits) batch.put(store::Table::sessions, as_bytes("a block of numbers"), Bytes{});
    const bool must_persist = durable || volatile_waits;
    router_->on_sealed(now, seal.message, std::move(sealed), must_persist, std::move(batch), out_);
  }

  void on_open(Now now, const Open& open) {
    ++opens;
    store::Batch batch;
    const Envelope& envelope = open.envelope;
    const auto opened = session_.open(envelope.from, envelope.delivery == DeliveryClass::durable,
                                      envelope.associated_data(), envelope.sealed, batch);
    if (opened) {
      router_->on_opened(now, envelope, *opened, std::move(batch), out_);
    } else if (opened.error() == FakeSession::Failure::duplicate) {
      router_->on_duplicate(now, envelope, out_);
    } else if (opened.error() == FakeSession::Failure::unknown_session) {
      Bytes reset{kFakeReset};
      append_be(reset, FakeSession::generation_of(envelope.sealed));
      sending_.push_back({id(), envelope.from, std::move(reset)});
      router_->end_parcel(envelope.from, envelope.id, out_);
    }
  }

  void on_transmit(Now now, Transmit transmit) {
    if (!link_takes) return router_->on_transmit_failed(now, transmit.to, out_);
    const Bytes& message = *transmit.message;
    if (message[0] == static_cast<Byte>(wire::MessageType::receipt)) check_receipt(message);
    sending_.push_back({id(), transmit.to, message});
  }

  /// No receipt without a row on the disk.
  void check_receipt(const Bytes& message) const {
    const auto parts = wire::parse_sign1(ByteView(message).subspan(1));
    must(parts.has_value(), "a receipt that does not parse");
    const auto receipt = wire::decode<Receipt>(parts->payload);
    must(receipt.has_value() && !receipt->delivered.empty(), "a receipt without content");
    for (const MessageId& message_id : receipt->delivered) {
      must(stored_.contains(message_id), "a receipt for a message that was not stored: " + message_id.text());
    }
  }

  /// Accepted means: on the disk (unless it was settled meanwhile).
  void on_submitted(const Submitted& submitted) {
    must(answers.emplace(submitted.request, submitted.result).second, "a request was answered twice");
    if (!submitted.result) return;
    const Draft& draft = drafts_.at(submitted.request);
    const MessageId message = *submitted.result;
    accepted.insert_or_assign(message, draft);
    if (draft.delivery != DeliveryClass::durable || settled.contains(message)) return;
    const auto trace = router_->trace(message);
    must(trace.has_value(), "no trace of an accepted message");
    accepted_until.insert_or_assign(message, trace->expires);
    must(written_.contains(message), "accepted before it was stored: " + message.text());
  }

  void on_taken(const Taken& answer) {
    take_answers.emplace(answer.request, answer.result);
    for (const std::uint64_t number : takes_.at(answer.request)) taken.insert(number);
  }

  void on_arrival(const ArrivedPtr& message) {
    arrivals.push_back(message);
    if (message->delivery != DeliveryClass::durable) return;
    must(stored_.contains(message->id), "announced before it was stored");
    must(announced_.insert(message->number).second, "announced twice by one process");
    must(!taken.contains(message->number), "announced after it was taken");
    if (message->order) check_order(*message);
    const auto [known, fresh] = number_of.emplace(message->id, message->number);
    must(known->second == message->number, "delivered twice: " + message->id.text());
    check_strangers();
  }

  /// Of texts that begin with a number, sent in the order of these numbers.
  void check_order(const Arrived& message) {
    const std::string text(as_text(message.body));
    if (!sends_numbers || text[0] < '0' || text[0] > '9') return;
    const std::uint64_t number = std::stoull(text);
    Stream& stream = streams_[{message.from, message.order->conversation}];
    must(message.late || number > stream.last_of_boot, "announced out of order: " + text);
    stream.last_of_boot = std::max(stream.last_of_boot, number);
    if (!stream.seen.insert(number).second) return;
    must(message.late == (number < stream.last), message.late ? "late for no reason" : "late, and not said to be");
    stream.last = std::max(stream.last, number);
  }

  /// Who was never a contact keeps to the pool of strangers.
  void check_strangers() const {
    std::size_t messages = 0;
    std::size_t bytes = 0;
    for (const auto& message : router_->inbox(0, SIZE_MAX)) {
      if (once_contacts_.contains(message->from)) continue;
      ++messages;
      bytes += message->body.size();
    }
    must(messages <= config_.max_inbox_messages / config_.stranger_share, "strangers have too many messages");
    must(bytes <= config_.max_inbox_bytes / config_.stranger_share, "strangers have too many bytes");
  }

  void on_change(Now now, const StateChanged& change) {
    changes.push_back(change);
    const auto last = states_.find(change.id);
    const int rank = change.state == MessageState::in_flight ? 1 : change.state == MessageState::queued ? 0 : 2;
    must(last == states_.end() || last->second < rank, "the state of a message went back");
    states_.insert_or_assign(change.id, rank);
    if (rank < 2) return;
    settled.insert_or_assign(change.id, change.state);
    const auto until = accepted_until.find(change.id);
    if (change.state == MessageState::expired && until != accepted_until.end()) {
      must(until->second <= now.wall, "expired too early");
    }
  }

  /// What was announced of one conversation.
  struct Stream {
    std::uint64_t last = 0;
    std::uint64_t last_of_boot = 0;
    std::set<std::uint64_t> seen;
  };

  identity::Identity self_;
  std::uint8_t tag_;
  Config config_;
  Now last_now_{};
  std::set<identity::PeerId> contacts_;
  std::set<identity::PeerId> once_contacts_;
  std::uint64_t boots_ = 0;
  std::uint64_t last_request_ = 0;
  store::MemoryStore disk_;
  std::deque<Persist> writes_;
  FakeSession session_;
  std::unique_ptr<Router> router_;
  Outbox<Router::Effect> out_;
  std::vector<Mail> sending_;
  std::map<RequestId, Draft> drafts_;
  std::map<RequestId, std::vector<std::uint64_t>> takes_;
  std::set<MessageId> stored_;         // in the inbox on the disk, at some time
  std::set<MessageId> written_;        // in the outbox on the disk, at some time
  std::map<MessageId, int> states_;    // of this boot
  std::set<std::uint64_t> announced_;  // in this boot
  std::map<std::pair<identity::PeerId, std::string>, Stream> streams_;
};

}  // namespace ekiden::router::test
