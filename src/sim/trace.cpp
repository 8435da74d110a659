#include "sim/trace.hpp"

#include <concepts>
#include <optional>
#include <type_traits>

#include "base/outbox.hpp"
#include "wire/message.hpp"

namespace ekiden::sim {
namespace {

/// Fields into a hash: one put() for each type that a field can have. No two sequences of fields of the same types give
/// the same words: texts and lists begin with their length, optional fields with whether they are there.
class Fields {
 public:
  explicit Fields(TraceHash& hash) : hash_(hash) {}

  template <class... Values>
  void operator()(const Values&... values) {
    (put(values), ...);
  }

 private:
  template <class Number>
    requires std::integral<Number> || std::is_enum_v<Number>
  void put(Number number) {
    hash_.add(static_cast<std::uint64_t>(number));
  }
  void put(ByteView bytes) { hash_.add(bytes); }
  void put(const Bytes& bytes) { hash_.add(bytes); }
  void put(const std::string& text) { hash_.add(as_bytes(text)); }
  void put(std::string_view text) { hash_.add(as_bytes(text)); }
  void put(Duration duration) { put(duration.count()); }
  void put(Instant at) { put(at.time_since_epoch().count()); }
  void put(WallTime at) { put(at.time_since_epoch().count()); }
  void put(const identity::PeerId& id) { put(ByteView(id.bytes)); }
  void put(const Uuid& id) { put(ByteView(id.bytes)); }
  void put(const identity::IpAddress& address) { (*this)(address.family, ByteView(address.bytes)); }
  void put(const identity::SocketAddress& at) { (*this)(at.ip, at.port); }
  void put(const crypto::Ed25519PublicKey& key) { put(key.view()); }
  void put(const node::Reachable& found) { (*this)(found.round_trip, found.record, found.version, found.address); }
  void put(const identity::SignedRecord& record) { put(record.signed_bytes); }
  void put(const identity::SignedAnnouncement& announcement) { put(announcement.signed_bytes); }
  void put(const dht::Step& step) {
    (*this)(step.node, step.at, step.path, step.depth, step.outcome, step.had_value, step.took);
  }
  void put(const dht::Trail& trail) {
    (*this)(trail.asked, trail.answered, trail.failed, trail.rounds, trail.took, trail.steps);
  }
  void put(const identity::Endpoint& endpoint) { put(endpoint.text()); }
  void put(const identity::Contact& contact) { put(wire::encode(contact)); }
  void put(const router::Exchange& exchange) { (*this)(exchange.part, exchange.capability); }
  void put(const Error& error) { (*this)(error.code, error.message); }
  void put(const store::Key& key) { (*this)(key.table, key.number, key.name); }
  void put(const store::Row& row) { (*this)(row.key, row.value); }
  void put(const store::FetchedRow& row) { (*this)(row.number, row.value); }
  void put(const store::Operation& operation) { (*this)(operation.key, operation.erase, operation.value); }
  void put(const store::Batch& batch) { put(batch.operations()); }

  template <class T>
  void put(const std::optional<T>& value) {
    put(value.has_value());
    if (value) put(*value);
  }
  template <class T>
  void put(const std::vector<T>& list) {
    put(list.size());
    for (const T& each : list) put(each);
  }
  template <class T>
  void put(const Result<T>& result) {
    put(result.has_value());
    if (result) {
      put(*result);
    } else {
      put(result.error());
    }
  }
  void put(const router::Order& order) {
    (*this)(order.conversation, order.place, order.previous, order.delivered, order.wait_ms, order.earlier_ms);
  }
  void put(const router::Draft& draft) {
    (*this)(draft.to, draft.type, draft.content_type, draft.in_reply_to, draft.id, draft.body, draft.ttl,
            draft.priority, draft.delivery, draft.exchange, draft.unordered, draft.conversation);
  }
  void put(const router::Question& question) {
    (*this)(question.to, question.capability, question.type, question.content_type, question.body, question.timeout,
            question.priority);
  }
  void put(const router::Response& response) {
    (*this)(response.failed, response.type, response.content_type, response.body);
  }
  void put(const gossip::Publication& published) { (*this)(published.sequence, published.neighbours); }
  void put(const router::Placement& placed) { (*this)(placed.id, placed.to, placed.capability, placed.linked); }
  void put(const router::Answer& answer) { (*this)(answer.request, answer.capability, *answer.message, answer.took); }
  void put(const router::Arrived& message) {
    (*this)(message.number, message.id, message.from, message.sent, message.received, message.expires, message.priority,
            message.delivery, message.type, message.content_type, message.in_reply_to, message.body, message.exchange,
            message.order, message.missing, message.late);
  }

  TraceHash& hash_;
};

}  // namespace

void trace(TraceHash& hash, Now now) { Fields{hash}(now.mono, now.wall); }

void trace(TraceHash& hash, const std::vector<store::Row>& rows) { Fields{hash}(rows); }

void trace(TraceHash& hash, const node::Input& input) {
  Fields add(hash);
  add(input.index());
  std::visit(
      Overloaded{
          [&](const node::ConnAccepted& in) {
            add(in.conn, in.from, in.port);
            if (in.transport != identity::Endpoint::Transport::tcp) add(in.transport);  // Of no simulation yet.
          },
          [&](const node::ConnConnected& in) { add(in.conn, in.address); },
          [&](const node::ConnFailed& in) { add(in.conn, in.why); },
          [&](const node::ConnBytes& in) { add(in.conn, in.bytes); },
          [&](const node::ConnClosed& in) { add(in.conn, in.why); },
          [&](const node::DatagramArrived& in) { add(in.from, in.bytes); },
          [&](const node::Persisted& in) { add(in.up_to); },
          [&](const node::StorageStalled& in) { add(in.why); },
          [](const node::StorageResumed&) {},
          [&](const node::SendMessage& in) { add(in.request, in.draft); },
          [&](const node::TakeMessages& in) { add(in.request, in.numbers); },
          [&](const node::PutContact& in) { add(in.request, in.contact, in.replace); },
          [&](const node::RemoveContact& in) { add(in.request, in.id); },
          [&](const node::BlockPeer& in) { add(in.request, in.id, in.blocked); },
          [&](const node::Fetched& in) { add(in.table, in.rows); },
          [&](const node::RetryNow& in) { add(in.request, in.peer); },
          [&](const node::ProbeBootstrap& in) { add(in.request); },
          [&](const node::FindPeer& in) { add(in.request, in.peer); },
          [&](const node::FindCapability& in) { add(in.request, in.capability, in.limit); },
          [&](const node::OfferCapability& in) { add(in.request, in.capability); },
          [&](const node::WithdrawCapability& in) { add(in.request, in.capability); },
          [&](const node::ProbePeer& in) { add(in.request, in.peer, in.public_key, in.endpoint, in.learned_from); },
          [&](const node::EndpointMapped& in) { add(in.endpoint); },
          [&](const node::MappingLost& in) { add(in.endpoint); },
          [](const node::Tick&) {},
          [](const node::ShutDown&) {},
          [&](const node::BeaconHeard& in) { add(in.from, in.bytes); },
          [&](const node::PlaceMessage& in) { add(in.request, in.draft, in.capability); },
          [&](const node::AskQuestion& in) { add(in.request, in.question); },
          [&](const node::AnswerQuestion& in) { add(in.request, in.number, in.response); },
          [&](const node::SwitchRelay& in) { add(in.request, in.on); },
          [&](const node::SubscribeTopic& in) { add(in.request, in.topic, in.realm); },
          [&](const node::UnsubscribeTopic& in) { add(in.request, in.topic, in.realm); },
          [&](const node::PublishInTopic& in) { add(in.request, in.topic, in.realm, in.payload); },
          [&](const node::PutEntry& in) {
            add(in.request, in.draft.name, in.draft.value, static_cast<std::uint64_t>(in.draft.lifetime.count()),
                in.realm);
          },
          [&](const node::RemoveEntry& in) { add(in.request, in.owner, in.name, in.realm); },
          [&](const node::ReadRegistry&) {},
          [&](const node::EnterRealm& in) { add(in.request, in.name, in.how); },
          [&](const node::LeaveRealm& in) { add(in.request, in.name); },
      },
      input);
}

void trace(TraceHash& hash, const node::Effect& effect) {
  Fields add(hash);
  add(effect.index());
  std::visit(Overloaded{
                 [&](const node::Dial& out) { add(out.conn, out.endpoint, out.learned_from, out.only); },
                 [&](const node::Hangup& out) { add(out.conn); },
                 [&](const node::WantWrite& out) { add(out.conn); },
                 [&](const node::Resume& out) { add(out.conn); },
                 [&](const node::SendDatagram& out) { add(out.to, out.packet); },
                 [&](const node::Persist& out) { add(out.token, out.batch); },
                 [&](const node::Reply& out) { add(out.request, out.result); },
                 [&](const node::PeerFound& out) { add(out.request, out.peer, out.record, out.trail); },
                 [&](const node::CapabilityFound& out) { add(out.request, out.capability, out.owners, out.trail); },
                 [&](const node::PeerProbed& out) { add(out.request, out.peer, out.endpoint, out.result); },
                 [&](const node::Arrival& out) { add(*out.message); },
                 [&](const node::StateChanged& out) { add(out.id, out.to, out.state); },
                 [&](const node::PeerUp& out) { add(out.peer, out.initiated_by_us); },
                 [&](const node::PeerDown& out) { add(out.peer, out.why); },
                 [&](const node::Log& out) { add(out.level, out.component, out.text); },
                 [&](const node::SayBeacon& out) { add(out.bytes); },
                 [&](const node::Placed& out) { add(out.request, out.result); },
                 [&](const node::Answered& out) { add(out.request, out.to, out.result); },
                 [&](const node::Fetch& out) { add(out.table, out.numbers); },
                 [&](const node::TopicMessage& out) { add(out.topic, out.realm, out.hops, *out.signed_bytes); },
                 [&](const node::EntryChanged& out) { add(out.realm, out.owner, out.name); },
                 [&](const node::TopicPublished& out) { add(out.request, out.result); },
                 [&](const node::RealmLeft& out) { add(out.realm); },
                 [&](const node::NetworkChanged& out) { add(out.state, out.reason, out.here, out.away); },
             },
             effect);
}

}  // namespace ekiden::sim
