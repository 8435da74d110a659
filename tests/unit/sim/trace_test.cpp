// Two things that differ in one field have to differ in their hash: what the hash does not see, nobody sees.
#include "sim/trace.hpp"

#include <gtest/gtest.h>

#include <set>

namespace ekiden::sim {
namespace {

template <class T>
std::uint64_t hash_of(const T& what) {
  TraceHash hash;
  trace(hash, what);
  return hash.value();
}

template <class T>
void expect_all_different(const std::vector<T>& all) {
  std::set<std::uint64_t> hashes;
  for (const T& each : all) hashes.insert(hash_of(each));
  EXPECT_EQ(hashes.size(), all.size());
}

identity::PeerId peer(Byte first) {
  identity::PeerId id;
  id.bytes[0] = first;
  return id;
}

template <class T, class Member>
T with(T value, Member T::* member, Member to) {
  value.*member = std::move(to);
  return value;
}

TEST(TraceTest, SeesEveryFieldOfTheInputsOfTheNetwork) {
  using link::ConnId;
  const Error refused{Errc::refused, "no"};
  const Bytes bytes{1, 2, 3};
  const Bytes others{1, 2, 4};
  expect_all_different<node::Input>({
      node::ConnAccepted{ConnId{1}, identity::IpAddress::v4({10, 0, 0, 1}), 7},
      node::ConnAccepted{ConnId{2}, identity::IpAddress::v4({10, 0, 0, 1}), 7},
      node::ConnAccepted{ConnId{1}, identity::IpAddress::v4({10, 0, 0, 2}), 7},
      node::ConnAccepted{ConnId{1}, identity::IpAddress::v4({10, 0, 0, 1}), 8},
      node::ConnAccepted{ConnId{1}, identity::IpAddress::v4({10, 0, 0, 1}), 8, identity::Endpoint::Transport::ws},
      node::ConnConnected{ConnId{1}},
      node::ConnConnected{ConnId{2}},
      node::ConnFailed{ConnId{1}, refused},
      node::ConnFailed{ConnId{1}, {Errc::closed, "no"}},
      node::ConnFailed{ConnId{1}, {Errc::refused, "never"}},
      node::ConnBytes{ConnId{1}, bytes},
      node::ConnBytes{ConnId{2}, bytes},
      node::ConnBytes{ConnId{1}, others},
      node::ConnBytes{ConnId{1}, ByteView(bytes).first(2)},
      node::ConnClosed{ConnId{1}, refused},
      node::ConnClosed{ConnId{2}, refused},
  });
}

TEST(TraceTest, SeesEveryFieldOfADraft) {
  using router::Draft;
  const Draft draft;
  const router::RequestId one{1};
  expect_all_different<node::Input>({
      node::SendMessage{one, draft},
      node::SendMessage{router::RequestId{2}, draft},
      node::SendMessage{one, with(draft, &Draft::to, peer(2))},
      node::SendMessage{one, with(draft, &Draft::type, std::string("u"))},
      node::SendMessage{one, with(draft, &Draft::content_type, std::string("d"))},
      node::SendMessage{one, with(draft, &Draft::in_reply_to, std::optional(router::MessageId{}))},
      node::SendMessage{one, with(draft, &Draft::id, std::optional(router::MessageId{}))},
      node::SendMessage{one, with(draft, &Draft::body, Bytes{2})},
      node::SendMessage{one, with(draft, &Draft::ttl, Duration(seconds(1)))},
      node::SendMessage{one, with(draft, &Draft::priority, wire::Priority::high)},
      node::SendMessage{one, with(draft, &Draft::delivery, router::DeliveryClass::volatile_)},
  });
}

TEST(TraceTest, SeesEveryFieldOfTheOtherInputs) {
  const router::RequestId one{1};
  identity::Contact contact;
  contact.petname = "a";
  expect_all_different<node::Input>({
      node::Persisted{store::PersistToken{1}},
      node::Persisted{store::PersistToken{2}},
      node::StorageStalled{{Errc::storage_full, "full"}},
      node::StorageStalled{{Errc::storage_failed, "full"}},
      node::StorageResumed{},
      node::TakeMessages{one, {1}},
      node::TakeMessages{one, {1, 2}},
      node::TakeMessages{router::RequestId{2}, {1}},
      node::PutContact{one, contact, false},
      node::PutContact{one, contact, true},
      node::PutContact{one, with(contact, &identity::Contact::petname, std::string("b")), false},
      node::RemoveContact{one, peer(1)},
      node::RemoveContact{one, peer(2)},
      node::RetryNow{one, peer(1)},
      node::RetryNow{one, peer(2)},
      node::ProbeBootstrap{one},
      node::ProbeBootstrap{router::RequestId{2}},
      node::Tick{},
      node::ShutDown{},
  });
}

TEST(TraceTest, SeesEveryFieldOfWhatIsMadeDurable) {
  const auto batch = [](store::Table table, std::uint64_t number, Byte value) {
    store::Batch made;
    made.put(table, number, Bytes{value});
    return made;
  };
  store::Batch erased;
  erased.erase(store::Table::outbox, 1);
  store::Batch named;
  named.put(store::Table::meta, as_bytes("a"), Bytes{1});
  store::Batch empty_value;
  empty_value.put(store::Table::outbox, 1, Bytes{});
  const store::PersistToken one{1};
  expect_all_different<node::Effect>({
      node::Persist{one, batch(store::Table::outbox, 1, 1)},
      node::Persist{store::PersistToken{2}, batch(store::Table::outbox, 1, 1)},
      node::Persist{one, batch(store::Table::inbox, 1, 1)},
      node::Persist{one, batch(store::Table::outbox, 2, 1)},
      node::Persist{one, batch(store::Table::outbox, 1, 2)},
      node::Persist{one, erased},
      node::Persist{one, empty_value},
      node::Persist{one, named},
      node::Persist{one, {}},
  });
  using Rows = std::vector<store::Row>;
  const store::Row row{{store::Table::outbox, 1, {}}, Bytes{1}};
  expect_all_different<Rows>({{}, {row}, {row, row}, {{row.key, Bytes{2}}}, {{{store::Table::outbox, 2, {}}, {1}}}});
}

TEST(TraceTest, SeesEveryFieldOfTheOtherEffects) {
  const auto endpoint = [](const char* text) { return *identity::Endpoint::parse(text); };
  const router::RequestId one{1};
  router::MessageId message;
  message.bytes[0] = 1;
  router::Arrived arrived;
  arrived.id = message;
  arrived.body = Bytes{1};
  const auto arrival = [](router::Arrived made) {
    return node::Arrival{std::make_shared<const router::Arrived>(std::move(made))};
  };
  expect_all_different<node::Effect>({
      node::Dial{link::ConnId{1}, endpoint("tcp://10.0.0.1:1")},
      node::Dial{link::ConnId{2}, endpoint("tcp://10.0.0.1:1")},
      node::Dial{link::ConnId{1}, endpoint("tcp://10.0.0.1:2")},
      node::Hangup{link::ConnId{1}},
      node::Hangup{link::ConnId{2}},
      node::WantWrite{link::ConnId{1}},
      node::WantWrite{link::ConnId{2}},
      node::Resume{link::ConnId{1}},
      node::Resume{link::ConnId{2}},
      node::Reply{one, message},
      node::Reply{one, router::MessageId{}},
      node::Reply{one, fail(Errc::storage_full, "x")},
      node::Reply{one, fail(Errc::not_found, "x")},
      arrival(arrived),
      arrival(with(arrived, &router::Arrived::number, std::uint64_t{1})),
      arrival(with(arrived, &router::Arrived::body, Bytes{2})),
      arrival(with(arrived, &router::Arrived::received, WallTime(seconds(1)))),
      node::StateChanged{message, peer(1), router::MessageState::sent},
      node::StateChanged{message, peer(1), router::MessageState::expired},
      node::StateChanged{message, peer(2), router::MessageState::sent},
      node::PeerUp{peer(1), false},
      node::PeerUp{peer(1), true},
      node::PeerDown{peer(1), {Errc::closed, "x"}},
      node::PeerDown{peer(1), {Errc::closed, "y"}},
      node::Log{node::LogLevel::info, "link", "x"},
      node::Log{node::LogLevel::error, "link", "x"},
      node::Log{node::LogLevel::info, "store", "x"},
      node::Log{node::LogLevel::info, "link", "y"},
  });
}

TEST(TraceTest, SeesEveryFieldOfDiscovery) {
  const identity::SocketAddress here{identity::IpAddress::v4({203, 0, 113, 1}), 1};
  const identity::SocketAddress there{identity::IpAddress::v4({203, 0, 113, 2}), 1};
  const identity::SocketAddress other_port{here.ip, 2};
  const Bytes bytes{1, 2, 3};
  const Bytes others{1, 2, 4};
  expect_all_different(std::vector<node::Input>{
      node::DatagramArrived{here, bytes},
      node::DatagramArrived{there, bytes},
      node::DatagramArrived{other_port, bytes},
      node::DatagramArrived{here, others},
      node::BeaconHeard{here, bytes},
      node::BeaconHeard{there, bytes},
      node::BeaconHeard{here, others},
      node::FindPeer{router::RequestId{1}, peer(1)},
      node::FindPeer{router::RequestId{2}, peer(1)},
      node::FindPeer{router::RequestId{1}, peer(2)},
  });
  const node::PeerFound found{router::RequestId{1}, peer(1), identity::SignedRecord{{}, bytes}, {}};
  const dht::Step step{.node = peer(1), .at = here};
  std::vector<node::Effect> effects{
      node::SendDatagram{here, bytes},
      node::SendDatagram{there, bytes},
      node::SendDatagram{here, others},
      node::SayBeacon{bytes},
      node::SayBeacon{others},
      found,
      with(found, &node::PeerFound::request, router::RequestId{2}),
      with(found, &node::PeerFound::peer, peer(2)),
      with(found, &node::PeerFound::record, Result<identity::SignedRecord>(identity::SignedRecord{{}, others})),
      with(found, &node::PeerFound::record, Result<identity::SignedRecord>(fail(Errc::not_found, "no"))),
  };
  const dht::Trail asked_nobody;
  const auto one_step = [&](const dht::Step& only) {
    return with(asked_nobody, &dht::Trail::steps, std::vector<dht::Step>{only});
  };
  for (const dht::Trail& trail : {
           with(asked_nobody, &dht::Trail::asked, std::size_t{1}),
           with(asked_nobody, &dht::Trail::answered, std::size_t{1}),
           with(asked_nobody, &dht::Trail::failed, std::size_t{1}),
           with(asked_nobody, &dht::Trail::rounds, std::size_t{1}),
           with(asked_nobody, &dht::Trail::took, Duration(1)),
           one_step(step),
           one_step(with(step, &dht::Step::node, peer(2))),
           one_step(with(step, &dht::Step::at, there)),
           one_step(with(step, &dht::Step::path, std::uint8_t{1})),
           one_step(with(step, &dht::Step::depth, std::uint8_t{1})),
           one_step(with(step, &dht::Step::outcome, dht::StepOutcome::failed)),
           one_step(with(step, &dht::Step::had_value, true)),
           one_step(with(step, &dht::Step::took, Duration(1))),
       }) {
    effects.emplace_back(with(found, &node::PeerFound::trail, trail));
  }
  expect_all_different(effects);
}

TEST(TraceTest, SeesBothClocks) {
  expect_all_different<Now>({{Instant{}, WallTime{}}, {Instant(seconds(1)), {}}, {{}, WallTime(seconds(1))}});
}

}  // namespace
}  // namespace ekiden::sim
