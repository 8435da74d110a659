// Whatever an attacker sends, nothing changes: the state is compared as the rows it would be stored as.
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "session/header.hpp"
#include "unit/session/testing.hpp"

namespace ekiden::session {
namespace {

void expect_untouched(Agent& agent, const identity::PeerId& from, ByteView body,
                      std::string_view associated = kAssociated) {
  for (const auto durability : {Durability::durable, Durability::volatile_}) {
    const auto before = agent.state();
    EXPECT_FALSE(agent.open(at({}), from, body, durability, associated).has_value());
    EXPECT_EQ(agent.state(), before);
    EXPECT_TRUE(agent.pending.empty());
  }
}

/// Every byte of the header, and some of the rest.
void expect_every_change_is_refused(Agent& to, const Agent& from, const Bytes& body) {
  for (std::size_t i = 0; i < body.size(); ++i) {
    for (const int flip : {0x01, 0x80}) {
      Bytes changed = body;
      changed[i] = static_cast<Byte>(changed[i] ^ flip);
      expect_untouched(to, from.id(), changed);
    }
  }
  expect_untouched(to, from.id(), ByteView(body).first(body.size() - 1));
  expect_untouched(to, from.id(), body, "another envelope");
  expect_untouched(to, from.id(), body, "");
}

TEST(Forgery, AChangedFirstMessageStartsNothing) {
  Agent alice(1), bob(2);
  const Bytes body = sealed_by(at({}), alice, bob, "good morning");
  expect_every_change_is_refused(bob, alice, body);
  EXPECT_EQ(bob.engine->size(), 0U);
  expect_opens(at({}), bob, alice, body, "good morning");
}

TEST(Forgery, AChangedMessageOfARunningSessionChangesNothing) {
  Agent alice(1), bob(2);
  converse(at({}), alice, bob);
  const Bytes body = sealed_by(at({}), alice, bob, "in the chain");
  expect_every_change_is_refused(bob, alice, body);
  expect_opens(at({}), bob, alice, body, "in the chain");
}

TEST(Forgery, AChangedMessageWithANewRatchetKeyChangesNothing) {
  Agent alice(1), bob(2);
  converse(at({}), alice, bob);
  const Bytes body = sealed_by(at(seconds(2)), alice, bob, "stepped");
  ASSERT_NE(parse_sealed(body)->header.position.previous, 0U);
  expect_every_change_is_refused(bob, alice, body);
  expect_opens(at({}), bob, alice, body, "stepped");
}

TEST(Forgery, AChangedMessageThatWasOvertakenKeepsItsKey) {
  Agent alice(1), bob(2);
  converse(at({}), alice, bob);
  const Bytes body = sealed_by(at({}), alice, bob, "overtaken");
  say(at({}), alice, bob);
  expect_every_change_is_refused(bob, alice, body);
  expect_opens(at({}), bob, alice, body, "overtaken");
}

TEST(Forgery, AMessageIsOpenedOnlyAsComingFromItsSender) {
  Agent alice(1), bob(2), eve(3);
  const Bytes body = sealed_by(at({}), alice, bob, "x");
  expect_fails(at({}), bob, eve, body, OpenFailure::bad);
  converse(at({}), alice, bob);
  const Bytes ordinary = sealed_by(at({}), alice, bob, "x");
  expect_fails(at({}), bob, eve, ordinary, OpenFailure::unknown_session);
}

TEST(Forgery, AMessageIsNotOpenedByWhoeverItWasNotSealedFor) {
  Agent alice(1), bob(2), eve(3);
  Bytes body = sealed_by(at({}), alice, bob, "x");
  // Eve hands it on as if it had been sealed with her prekey.
  put_be(MutableBytes(body).subspan(97, 4), eve.engine->prekey().id);
  expect_untouched(eve, alice.id(), body);
}

RC_GTEST_PROP(Forgery, ArbitraryBytesAreRefused, (const Bytes& tail)) {
  Agent bob(2), alice(1);
  Bytes body(*rc::gen::element<std::size_t>(0, 1, 65, 137), Byte{0});
  Rng rng(seed_of(*rc::gen::arbitrary<Byte>()));
  rng.fill(body);
  append(body, tail);
  if (!body.empty()) body[0] = *rc::gen::element<Byte>(1, 2, 3);
  if (body.size() > 9) {
    body[7] = 0x44;
    body[9] = 0x88;
  }
  RC_ASSERT(!bob.open(at({}), alice.id(), body).has_value());
  RC_ASSERT(bob.engine->size() == 0U);
}

}  // namespace
}  // namespace ekiden::session
