#include "sim/attack.hpp"

#include <gtest/gtest.h>

#include "dht/messages.hpp"
#include "sim/world.hpp"
#include "wire/message_codec.hpp"

namespace ekiden::sim {
namespace {

identity::IpAddress address(Byte last) { return identity::IpAddress::v4({60, 0, 0, last}); }

/// Asks what it is told to, and keeps nothing of the answers.
class Asker final : public DatagramHost {
 public:
  Asker(Schedule& schedule, Network& network, Rng rng)
      : DatagramHost(schedule, network, crypto::Ed25519Seed(rng.bytes<32>()), address(200), rng.split()) {}
  using DatagramHost::ask;

 private:
  Bytes answer_to(const datagram::Queried& /*query*/) override { return wire::encode(dht::Reply{}); }
};

struct Stage {
  void run(Duration time) {
    const Instant end = schedule.now() + time;
    while (schedule.step(end)) {
    }
    schedule.advance_to(end);
  }

  Rng rng{Rng::Seed{1}};
  Schedule schedule;
  Network network{schedule, {}, rng.split()};
};

TEST(AttackTest, SybilsTellTheClosestOfThemselves) {
  Stage stage;
  Gang gang;
  std::vector<std::unique_ptr<Sybil>> sybils;
  for (Byte i = 1; i <= 30; ++i) {
    sybils.push_back(std::make_unique<Sybil>(stage.schedule, stage.network, gang, Sybil::Kind::hides,
                                             crypto::Ed25519Seed(stage.rng.bytes<32>()), address(i),
                                             stage.rng.split()));
  }
  const dht::Key target{stage.rng.bytes<32>()};
  const auto told = gang.closest(target);
  ASSERT_EQ(told.size(), dht::kMaxNodes);
  const auto farthest_told = dht::distance(target, told.back().id());
  std::size_t closer = 0;
  for (const auto& id : gang.ids) closer += dht::distance(target, id) < farthest_told ? 1U : 0U;
  EXPECT_EQ(closer, dht::kMaxNodes - 1);
}

TEST(AttackTest, ASybilForgesWhatItWasGivenToKeep) {
  Stage stage;
  Gang gang;
  Sybil sybil(stage.schedule, stage.network, gang, Sybil::Kind::forges, crypto::Ed25519Seed(stage.rng.bytes<32>()),
              address(1), stage.rng.split());
  Asker asker(stage.schedule, stage.network, stage.rng.split());
  const identity::Identity owner(crypto::Ed25519Seed(stage.rng.bytes<32>()));
  const auto record = identity::sign_record(owner, {.public_key = owner.public_key(),
                                                    .sequence = 1,
                                                    .issued_at = kEpoch,
                                                    .ttl_seconds = 3600,
                                                    .endpoints = {"tcp://20.0.0.1:7420"},
                                                    .capabilities = {},
                                                    .prekey = {},
                                                    .relays = {},
                                                    .mailboxes = {}});
  ASSERT_TRUE(record);
  dht::Query store;
  store.kind = dht::QueryKind::store;
  store.target = dht::Key::of(owner.id());
  store.value_kind = dht::ValueKind::record;
  store.value = *record;
  asker.ask(sybil.info(), wire::encode(store), false);
  stage.run(seconds(5));
  ASSERT_TRUE(gang.kept.contains(*store.target));

  dht::Query find;
  find.kind = dht::QueryKind::find_value;
  find.target = store.target;
  find.value_kind = dht::ValueKind::record;
  asker.ask(sybil.info(), wire::encode(find), true);
  stage.run(seconds(5));
  EXPECT_EQ(gang.forgeries, 1U);
}

TEST(AttackTest, ASybilReplaysTheOldestAndThatCountsOnceItHasSeenANewer) {
  Stage stage;
  Gang gang;
  Sybil sybil(stage.schedule, stage.network, gang, Sybil::Kind::replays, crypto::Ed25519Seed(stage.rng.bytes<32>()),
              address(1), stage.rng.split());
  Asker asker(stage.schedule, stage.network, stage.rng.split());
  const identity::Identity owner(crypto::Ed25519Seed(stage.rng.bytes<32>()));
  for (const std::uint64_t sequence : {5U, 4U, 5U, 6U}) {
    identity::PeerRecord record;
    record.public_key = owner.public_key();
    record.sequence = sequence;
    record.issued_at = kEpoch;
    record.ttl_seconds = 3600;
    const auto bytes = identity::sign_record(owner, record);
    ASSERT_TRUE(bytes);
    dht::Query store;
    store.kind = dht::QueryKind::store;
    store.target = dht::Key::of(owner.id());
    store.value_kind = dht::ValueKind::record;
    store.value = *bytes;
    asker.ask(sybil.info(), wire::encode(store), false);
    stage.run(seconds(5));
    dht::Query find;
    find.kind = dht::QueryKind::find_value;
    find.target = store.target;
    find.value_kind = dht::ValueKind::record;
    asker.ask(sybil.info(), wire::encode(find), true);
    stage.run(seconds(5));
    EXPECT_EQ(gang.replays, sequence == 6 ? 1U : 0U) << sequence;
  }
}

TEST(AttackTest, ACopyInTheNameOfAnotherReachesThatOneOnly) {
  Stage stage;
  Bystander victim(stage.network, address(1));
  Bystander spoofing(stage.network, address(2));
  Asker target(stage.schedule, stage.network, stage.rng.split());
  Spoofer spoofer(stage.schedule, stage.network, spoofing.host(), victim.at(), stage.rng.split());
  spoofer.shoot(target.info());
  stage.run(minutes(2));
  EXPECT_GT(victim.bytes(), 0U);
  EXPECT_EQ(spoofing.bytes(), 0U);
  EXPECT_GE(spoofer.bytes(), 4 * datagram::kMinInitiation);
}

TEST(AttackTest, NoStrangerMayNameTheSpecialTraps) {
  for (const std::string& where : Traps::special()) {
    const auto endpoint = identity::Endpoint::parse("tcp://" + where);
    ASSERT_TRUE(endpoint && endpoint->address()) << where;
    EXPECT_FALSE(identity::may_dial(*endpoint->address(), identity::LearnedFrom::remote_record)) << where;
  }
  EXPECT_TRUE(identity::may_dial(*identity::Endpoint::parse("tcp://" + Traps::open(7))->address(),
                                 identity::LearnedFrom::remote_record));
}

TEST(AttackTest, ABoasterBreaksOneRuleAtATime) {
  Stage stage;
  Boaster boaster(stage.schedule, stage.network, stage.rng.split());
  const auto special = identity::verify_record(boaster.boast(Boast::special), kEpoch);
  ASSERT_TRUE(special) << special.error().message;
  EXPECT_EQ(special->endpoints.size(), identity::kMaxRecordEndpoints);
  for (const Boast boast : {Boast::oversized, Boast::thousand}) {
    const auto record = identity::verify_record(boaster.boast(boast), kEpoch);
    ASSERT_FALSE(record);
    EXPECT_EQ(record.error().code, Errc::too_large);
  }
  EXPECT_GT(boaster.boast(Boast::thousand).size(), 10'000U);
}

TEST(AttackTest, WhoGoesIntoATrapIsSeen) {
  for (const bool by_link : {true, false}) {
    Stage stage;
    Traps traps(stage.network);
    Bystander walker(stage.network, address(1));
    Ledger before;
    traps.check(stage.network, before);
    EXPECT_TRUE(before.breaches().empty());
    const auto trap = *identity::Endpoint::parse("tcp://" + Traps::special().front());
    if (by_link) {
      // Refused by the network, but tried.
      stage.network.dial(walker.host(), link::ConnId{1}, trap, identity::LearnedFrom::remote_record);
    } else {
      stage.network.send_datagram(walker.host(), {*trap.address(), trap.port}, Bytes{1});
    }
    stage.run(seconds(5));
    Ledger after;
    traps.check(stage.network, after);
    EXPECT_EQ(after.breaches().size(), 1U);
  }
}

TEST(AttackTest, ABystanderTellsWhatCameFromWhom) {
  Stage stage;
  Bystander victim(stage.network, address(1));
  Bystander first(stage.network, address(2));
  Bystander second(stage.network, address(3));
  std::map<identity::SocketAddress, std::uint64_t> heard;
  victim.tell([&](const identity::SocketAddress& from, std::uint64_t bytes) { heard[from] = bytes; });
  for (int i = 0; i < 2; ++i) stage.network.send_datagram(first.host(), victim.at(), Bytes(10));
  stage.network.send_datagram(second.host(), victim.at(), Bytes(5));
  stage.run(seconds(5));
  EXPECT_EQ(heard, (std::map<identity::SocketAddress, std::uint64_t>{{first.at(), 20}, {second.at(), 5}}));
}

Scenario crowd() {
  Scenario scenario;
  scenario.name = "crowd";
  scenario.nodes = 12;
  scenario.duration = minutes(5);
  scenario.network.latency_min = scenario.network.latency_max = milliseconds(20);
  scenario.discovery.bootstrap = 2;
  scenario.discovery.searches = 20;
  scenario.workload.messages = 0;
  scenario.workload.contacts = 1;
  return scenario;
}

TEST(AttackTest, WithoutLimitsForPrefixesTheRefereeSeesTablesFullOfSybils) {
  Scenario scenario = crowd();
  scenario.duration = minutes(20);
  scenario.attack.sybils = 60;
  scenario.attack.eclipse = true;
  scenario.attack.sybil_prefixes = 1;
  EXPECT_EQ(World(scenario, {.seed = 1}).run().breaches, std::vector<std::string>{});
  scenario.discovery.prefix_limits = false;
  const auto breaches = World(scenario, {.seed = 1}).run().breaches;
  EXPECT_TRUE(std::ranges::any_of(breaches, [](const std::string& what) { return what.contains("Sybils"); }));
}

TEST(AttackTest, ALieThatNoSybilToldProvesNothing) {
  Scenario scenario = crowd();
  scenario.nodes = 2;
  scenario.discovery.bootstrap = 1;
  scenario.discovery.searches = 0;
  scenario.duration = seconds(10);
  scenario.attack.sybils = 3;
  const auto breaches = World(scenario, {.seed = 1}).run().breaches;
  const auto has = [&](std::string_view what) {
    return std::ranges::any_of(breaches, [&](const std::string& breach) { return breach.contains(what); });
  };
  EXPECT_TRUE(has("no Sybil told a record with a forged signature")) << "it was given none to forge";
  EXPECT_FALSE(has("no Sybil told its own record under the key of another"));
}

TEST(AttackTest, NodesThatLeavePolitelyAndComeAgainAreFound) {
  Scenario scenario = crowd();
  scenario.duration = hours(1);
  scenario.faults.churn_session = minutes(15);
  scenario.expect.found_ppm_min = 900'000;
  const Outcome outcome = World(scenario, {.seed = 1}).run();
  EXPECT_TRUE(outcome.breaches.empty());
  EXPECT_GT(outcome.crashes, 0U);
}

}  // namespace
}  // namespace ekiden::sim
