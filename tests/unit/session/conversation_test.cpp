// Messages between two agents that nothing bad happens to.
#include "unit/session/testing.hpp"

namespace ekiden::session {
namespace {

TEST(Conversation, AFirstMessageIsOpenedByItsRecipientAlone) {
  Agent alice(1), bob(2), eve(3);
  const Bytes body = sealed_by(at({}), alice, bob, "good morning");
  EXPECT_EQ(eve.open(at({}), alice.id(), body).error(), OpenFailure::unknown_session);
  expect_opens(at({}), bob, alice, body, "good morning");
  EXPECT_EQ(Sessions::peek_session(body), bob.active_with(alice.id()).id);
}

TEST(Conversation, GoesOnInBothDirectionsForThousandsOfMessages) {
  Agent alice(1), bob(2);
  Now now = at({});
  for (int i = 0; i < 3000; ++i) {
    now = at(milliseconds(i * 7));
    Agent& from = i % 3 == 0 ? bob : alice;
    Agent& to = i % 3 == 0 ? alice : bob;
    const auto durability = i % 2 == 0 ? Durability::durable : Durability::volatile_;
    const std::string text = "message " + std::to_string(i);
    expect_opens(now, to, from, sealed_by(now, from, to, text, durability), text, durability);
    to.persist();
  }
  EXPECT_EQ(alice.engine->size(), 1U);
}

TEST(Conversation, TheSequenceNumbersOfADirectionCountFromOneAndSurviveRatchetSteps) {
  Agent alice(1), bob(2);
  converse(at({}), alice, bob);
  for (std::uint64_t i = 2; i < 20; ++i) {
    const Now now = at(seconds(2 * static_cast<int>(i)));
    const auto sealed = alice.seal(now, bob.record(now), Durability::durable, "x");
    EXPECT_EQ(sealed->sequence, i);
    EXPECT_EQ(bob.open(now, alice.id(), sealed->sealed)->sequence, i);
    alice.persist();
    expect_opens(now, alice, bob, sealed_by(now, bob, alice, "y"), "y");
  }
}

TEST(Conversation, TheInitiatorStopsSendingItsIntroductionOnceItWasAnswered) {
  Agent alice(1), bob(2);
  const auto size_of = [&] { return sealed_by(at({}), alice, bob, "x").size(); };
  EXPECT_EQ(size_of(), 137U + 1 + 16);
  EXPECT_EQ(size_of(), 137U + 1 + 16);
  converse(at({}), alice, bob);
  EXPECT_EQ(size_of(), 65U + 1 + 16);
}

TEST(Conversation, AnyOfTheFirstMessagesStartsTheSessionWhateverWasLostBefore) {
  Agent alice(1), bob(2);
  const Bytes first = sealed_by(at({}), alice, bob, "first");
  const Bytes second = sealed_by(at({}), alice, bob, "second");
  const Bytes third = sealed_by(at({}), alice, bob, "third");
  expect_opens(at({}), bob, alice, third, "third");
  EXPECT_EQ(bob.active_with(alice.id()).skipped_keys, 2U);
  expect_opens(at({}), bob, alice, first, "first");
  expect_opens(at({}), bob, alice, second, "second");
  EXPECT_EQ(bob.active_with(alice.id()).skipped_keys, 0U);
  EXPECT_EQ(bob.engine->size(), 1U);
}

TEST(Conversation, AMessageIsOpenedOnce) {
  Agent alice(1), bob(2);
  const Bytes first = sealed_by(at({}), alice, bob, "first");
  expect_opens(at({}), bob, alice, first, "first");
  EXPECT_EQ(bob.open(at({}), alice.id(), first).error(), OpenFailure::duplicate);
  converse(at({}), alice, bob);
  converse(at(seconds(5)), alice, bob);
  EXPECT_EQ(bob.open(at(seconds(5)), alice.id(), first).error(), OpenFailure::duplicate);
}

TEST(Conversation, ADuplicateIsKnownAsSuchManyRatchetStepsLater) {
  Agent alice(1), bob(2);
  converse(at({}), alice, bob);
  const Bytes body = sealed_by(at({}), alice, bob, "once");
  expect_opens(at({}), bob, alice, body, "once");
  for (int i = 1; i < 200; ++i) converse(at(seconds(2 * i)), alice, bob);
  EXPECT_EQ(bob.open(at(seconds(500)), alice.id(), body).error(), OpenFailure::duplicate);
}

TEST(Conversation, TheRatchetStepsAtMostOnceASecond) {
  Agent alice(1), bob(2);
  converse(at({}), alice, bob);
  std::set<ByteArray<32>> ratchets;
  for (int i = 0; i < 100; ++i) {
    const Now now = at(milliseconds(i * 50));
    const Bytes body = sealed_by(now, alice, bob, "ping");
    ratchets.insert(take_array<32>(ByteView(body).subspan(17)));
    expect_opens(now, bob, alice, body, "ping");
    expect_opens(now, alice, bob, sealed_by(now, bob, alice, "pong"), "pong");
  }
  EXPECT_GE(ratchets.size(), 4U);
  EXPECT_LE(ratchets.size(), 6U);
}

TEST(Conversation, ManyMessagesMakeTheRatchetStepBeforeTheSecondIsOver) {
  Config config;
  config.dh_step_messages = 10;
  Agent alice(1, config), bob(2, config);
  converse(at({}), alice, bob);
  std::set<ByteArray<32>> ratchets;
  for (int i = 0; i < 100; ++i) {
    const Bytes body = sealed_by(at({}), alice, bob, "ping");
    ratchets.insert(take_array<32>(ByteView(body).subspan(17)));
    expect_opens(at({}), bob, alice, body, "ping");
    expect_opens(at({}), alice, bob, sealed_by(at({}), bob, alice, "pong"), "pong");
  }
  EXPECT_GE(ratchets.size(), 9U);
  EXPECT_LE(ratchets.size(), 11U);
}

TEST(Conversation, AnEmptyMessageAndAnEmptyEnvelopeAreMessagesToo) {
  Agent alice(1), bob(2);
  store::Batch changes;
  const auto sealed =
      alice.engine->seal(at({}), bob.record(at({})), Durability::durable, {}, {}, changes, alice.effects);
  ASSERT_TRUE(sealed.has_value());
  const auto opened = bob.open(at({}), alice.id(), sealed->sealed, Durability::durable, "");
  ASSERT_TRUE(opened.has_value());
  EXPECT_TRUE(opened->plaintext.empty());
}

TEST(Conversation, ANodeDoesNotTalkToItself) {
  Agent alice(1), bob(2);
  EXPECT_EQ(alice.seal(at({}), alice.record(at({})), Durability::durable, "x").error().code, Errc::invalid_argument);
  const Bytes body = sealed_by(at({}), bob, alice, "x");
  EXPECT_EQ(alice.open(at({}), alice.id(), body).error(), OpenFailure::bad);
}

TEST(Conversation, ASessionNeedsAUsableRecord) {
  Agent alice(1), bob(2);
  auto record = bob.record(at({}));
  record.prekey.reset();
  EXPECT_EQ(alice.seal(at({}), record, Durability::durable, "x").error().code, Errc::refused);
  record = bob.record(at({}));
  record.prekey->public_key = {};  // A point of low order.
  EXPECT_EQ(alice.seal(at({}), record, Durability::durable, "x").error().code, Errc::refused);
  record = bob.record(at({}));
  EXPECT_EQ(alice.seal(at(days(8)), record, Durability::durable, "x").error().code, Errc::expired);
  EXPECT_EQ(alice.engine->size(), 0U);
  EXPECT_TRUE(alice.pending.empty());
}

}  // namespace
}  // namespace ekiden::session
