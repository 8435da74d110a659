// Bounds, and who pays for reaching them; resets; corrupt rows.
#include "session/header.hpp"
#include "session/rows.hpp"
#include "unit/session/testing.hpp"

namespace ekiden::session {
namespace {

Config small(std::size_t sessions) {
  Config config;
  config.max_sessions = sessions;
  config.max_sessions_per_peer = 2;
  return config;
}

/// Starts a new session with `to` although there is one: the sender's memory is wiped first.
Bytes sealed_by_forgetful(Agent& from, const Agent& to, std::string_view text) {
  from.disk = {};
  from.crash(at({}));
  from.persist();
  return sealed_by(at({}), from, to, text);
}

TEST(Limits, APeerThatOpensManySessionsPushesOutOnlyItsOwn) {
  Agent alice(1), bob(2), eve(3);
  converse(at({}), alice, bob);
  const SessionId kept = bob.active_with(alice.id()).id;
  for (int i = 0; i < 100; ++i) {
    expect_opens(at({}), bob, eve, sealed_by_forgetful(eve, bob, "flood"), "flood");
    bob.persist();
  }
  EXPECT_EQ(bob.engine->size(), 1 + 4U);
  EXPECT_EQ(bob.active_with(alice.id()).id, kept);
  // Sessions, what is remembered of closed ones, and the prekey.
  EXPECT_LE(bob.disk.size(), 5 + 64 + 1U);
  say(at({}), alice, bob);
}

TEST(Limits, StrangersPushOutStrangersButNobodyWeWroteTo) {
  Agent alice(1), bob(2, small(4));
  converse(at({}), alice, bob);
  for (Byte i = 0; i < 20; ++i) {
    Agent stranger(static_cast<Byte>(50 + i));
    expect_opens(at({}), bob, stranger, sealed_by(at({}), stranger, bob, "hi"), "hi");
    bob.persist();
    EXPECT_LE(bob.engine->size(), 4U);
  }
  say(at({}), alice, bob);
  say(at({}), bob, alice);
}

TEST(Limits, WhenEverySessionIsInUseThereIsNoRoomForAnother) {
  Agent bob(2, small(2)), alice(1), carol(3), dave(4);
  converse(at({}), alice, bob);
  converse(at({}), carol, bob);
  EXPECT_EQ(bob.seal(at({}), dave.record(at({})), Durability::durable, "x").error().code, Errc::limit_exceeded);
  const Bytes body = sealed_by(at({}), dave, bob, "x");
  expect_fails(at({}), bob, dave, body, OpenFailure::full);
  bob.tick(at(days(30)));
  bob.persist();
  expect_opens(at(days(30)), bob, dave, body, "x");
}

TEST(Limits, ANewSessionIdOfAVictimDoesNotTouchTheVictim) {
  Agent alice(1), bob(2), eve(3);
  const Bytes first = sealed_by(at({}), alice, bob, "mine");
  // Eve saw the UUID on the way and uses it first, in a message of her own that verifies.
  auto eves = eve.seal(at({}), bob.record(at({})), Durability::durable, "hers");
  ASSERT_TRUE(eves.has_value());
  Bytes stolen = eves->sealed;
  std::ranges::copy(ByteView(first).subspan(1, 16), stolen.begin() + 1);
  EXPECT_FALSE(bob.open(at({}), eve.id(), stolen).has_value());
  expect_opens(at({}), bob, alice, first, "mine");
  const auto before = bob.state();
  EXPECT_FALSE(bob.open(at({}), eve.id(), stolen).has_value());
  EXPECT_FALSE(bob.reset(at({}), eve.id(), *Sessions::peek_session(first)));
  EXPECT_EQ(bob.state(), before);
  say(at({}), alice, bob);
}

TEST(Limits, AGapOverTheBoundEndsInAResetFromWhichBothRecover) {
  Agent alice(1), bob(2);
  converse(at({}), alice, bob);
  for (int i = 0; i < 1001; ++i) alice.seal(at({}), bob.record(at({})), Durability::durable, "lost");
  const Bytes body = sealed_by(at({}), alice, bob, "x");
  expect_fails(at({}), bob, alice, body, OpenFailure::too_far);
  EXPECT_TRUE(alice.reset(at({}), bob.id(), *Sessions::peek_session(body)));
  say(at({}), alice, bob);
  say(at({}), bob, alice);
}

TEST(Limits, AResetClosesTheSessionOnceAndErasesIt) {
  Agent alice(1), bob(2);
  converse(at({}), alice, bob);
  const SessionId id = alice.active_with(bob.id()).id;
  alice.effects.take();
  EXPECT_TRUE(alice.reset(at({}), bob.id(), id));
  const auto effects = alice.effects.take();
  ASSERT_EQ(effects.size(), 1U);
  EXPECT_EQ(std::get<Changed>(effects[0]).state, State::closed);
  EXPECT_FALSE(alice.reset(at({}), bob.id(), id));
  alice.persist();
  alice.crash(at({}));
  EXPECT_EQ(alice.engine->size(), 0U);
}

TEST(Limits, AResetForASessionThatIsNotWithThatPeerIsIgnored) {
  Agent alice(1), bob(2), eve(3);
  converse(at({}), alice, bob);
  const auto before = alice.state();
  EXPECT_FALSE(alice.reset(at({}), eve.id(), alice.active_with(bob.id()).id));
  Rng rng(seed_of(9));
  EXPECT_FALSE(alice.reset(at({}), bob.id(), Uuid::random(rng)));
  EXPECT_EQ(alice.state(), before);
}

/// Whatever generation a peer claims, ours stays one that peers accept.
TEST(Limits, AGenerationNeverLeavesItsRange) {
  Agent alice(1), bob(2);
  converse(at({}), alice, bob);
  store::Batch changed;
  for (const store::Row& row : alice.disk.rows()) {
    if (row.key.table != store::Table::sessions) continue;
    auto session = wire::decode<SessionRow>(row.value);
    ASSERT_TRUE(session.has_value());
    session->generation = UINT32_MAX - 1;
    changed.put(row.key.table, row.key.name, wire::encode(*session));
  }
  alice.disk.apply(changed);
  alice.crash(at({}));
  const Bytes renewed = sealed_by(at(days(24)), alice, bob, "x");
  const auto header = parse_sealed(renewed)->header;
  ASSERT_TRUE(header.initiation.has_value());
  EXPECT_EQ(header.initiation->generation, UINT32_MAX - 1);
  expect_opens(at(days(24)), bob, alice, renewed, "x");
}

TEST(Limits, AMessageOfASessionThatWasResetDoesNotStartItAgain) {
  Agent alice(1), bob(2);
  const Bytes first = sealed_by(at({}), alice, bob, "x", Durability::volatile_);
  expect_opens(at({}), bob, alice, first, "x", Durability::volatile_);
  EXPECT_TRUE(bob.reset(at({}), alice.id(), *Sessions::peek_session(first)));
  bob.persist();
  expect_fails(at({}), bob, alice, first, OpenFailure::expired, Durability::volatile_);
  bob.crash(at({}));
  expect_fails(at({}), bob, alice, first, OpenFailure::expired, Durability::volatile_);
}

TEST(Limits, OnlyTwentyResetsAnHourAreBelieved) {
  Agent alice(1), bob(2), carol(3);
  converse(at({}), alice, carol);
  int believed = 0;
  for (int i = 0; i < 50; ++i) {
    const Bytes body = sealed_by(at(minutes(1)), alice, bob, "x");
    believed += alice.reset(at(minutes(1)), bob.id(), *Sessions::peek_session(body)) ? 1 : 0;
  }
  EXPECT_EQ(believed, 20);
  const SessionId now_kept = alice.active_with(bob.id()).id;
  EXPECT_FALSE(alice.reset(at(minutes(60)), bob.id(), now_kept));
  EXPECT_TRUE(alice.reset(at(minutes(61)), bob.id(), now_kept));
  EXPECT_TRUE(alice.reset(at(minutes(1)), carol.id(), alice.active_with(carol.id()).id));
}

TEST(Limits, AResetOfARenewedSessionFallsBackToTheOldOneForAnHour) {
  Agent alice(1), bob(2);
  converse(at({}), alice, bob);
  const SessionId old = alice.active_with(bob.id()).id;
  const Bytes renewed = sealed_by(at(days(24)), alice, bob, "x");
  ASSERT_NE(Sessions::peek_session(renewed), old);
  EXPECT_TRUE(alice.reset(at(days(24)), bob.id(), *Sessions::peek_session(renewed)));
  EXPECT_EQ(Sessions::peek_session(sealed_by(at(days(24)), alice, bob, "y")), old);
  EXPECT_NE(Sessions::peek_session(sealed_by(at(days(24) + hours(1)), alice, bob, "z")), old);
}

// Rows. ---------------------------------------------------------------------------------------------------------------

Status load(const identity::Identity& self, const std::vector<store::Row>& rows) {
  Sessions engine(self, {}, Rng(seed_of(7)));
  return engine.load(rows);
}

/// Cuts off, empties, and names otherwise every row in turn.
TEST(Limits, ACorruptRowIsAnErrorThatNamesItsTable) {
  Agent alice(1), bob(2);
  converse(at({}), alice, bob);
  sealed_by(at({}), alice, bob, "lost");
  say(at({}), alice, bob);
  const SessionId closed = bob.active_with(alice.id()).id;
  EXPECT_TRUE(bob.reset(at({}), alice.id(), closed));
  EXPECT_TRUE(alice.reset(at({}), bob.id(), closed));
  converse(at({}), bob, alice);
  sealed_by(at({}), alice, bob, "lost");
  say(at({}), alice, bob);

  const auto rows = bob.disk.rows();
  ASSERT_GE(rows.size(), 4U);  // A prekey, a session, a skipped key, a closed session.
  ASSERT_TRUE(load(bob.self, rows).has_value());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto expect_corrupt = [&](auto change) {
      auto changed = rows;
      change(changed[i]);
      const Status loaded = load(bob.self, changed);
      ASSERT_FALSE(loaded.has_value());
      EXPECT_EQ(loaded.error().code, Errc::storage_corrupt);
      EXPECT_NE(loaded.error().message.find("table "), std::string::npos);
    };
    expect_corrupt([](store::Row& row) { row.value.pop_back(); });
    expect_corrupt([](store::Row& row) { row.value.clear(); });
    expect_corrupt([](store::Row& row) { row.value.push_back(0); });
    expect_corrupt([](store::Row& row) { row.value = {0xa0}; });
    if (rows[i].key.table == store::Table::sessions) {
      expect_corrupt([](store::Row& row) { row.key.name.pop_back(); });
      expect_corrupt([](store::Row& row) { row.key.name[0] = 'X'; });
    } else {
      expect_corrupt([](store::Row& row) { row.key.number |= std::uint64_t{1} << 40; });
    }
  }
}

TEST(Limits, AFieldOfALaterVersionIsSkipped) {
  Agent alice(1), bob(2);
  converse(at({}), alice, bob);
  auto rows = alice.disk.rows();
  for (auto& row : rows) {
    // One more pair at the end of the map: key 23.
    ASSERT_GE(row.value[0], 0xa1);
    ASSERT_LT(row.value[0], 0xb6);
    ++row.value[0];
    row.value.push_back(0x17);
    row.value.push_back(0xf5);
  }
  EXPECT_TRUE(load(alice.self, rows).has_value());
}

TEST(Limits, RowsOfOtherEnginesAreIgnored) {
  Agent alice(1);
  auto rows = alice.disk.rows();
  rows.push_back({{store::Table::outbox, 7, {}}, {1, 2, 3}});
  EXPECT_TRUE(load(alice.self, rows).has_value());
}

TEST(Limits, SmallerBoundsAfterARestartAreKeptByDroppingTheOldest) {
  Agent alice(1), bob(2);
  converse(at({}), alice, bob);
  Bytes oldest;
  for (int i = 0; i < 20; ++i) {
    const Bytes body = sealed_by(at({}), alice, bob, "late");
    if (i == 0) oldest = body;
  }
  say(at({}), alice, bob);
  Config config;
  config.max_skipped = 10;
  config.reserve_block = 4;
  Sessions engine(bob.self, config, Rng(seed_of(7)));
  ASSERT_TRUE(engine.load(bob.disk.rows()).has_value());
  engine.check_invariants();
  EXPECT_EQ(engine.status()[0].skipped_keys, 10U);
  store::Batch changes;
  Outbox<Sessions::Effect> effects;
  EXPECT_EQ(
      engine.open(at({}), alice.id(), Durability::durable, as_bytes(kAssociated), oldest, changes, effects).error(),
      OpenFailure::too_far);
}

}  // namespace
}  // namespace ekiden::session
