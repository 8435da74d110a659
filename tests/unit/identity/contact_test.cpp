#include "identity/contact.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <string>

#include "support/golden.hpp"
#include "support/hostile.hpp"
#include "testing.hpp"

namespace ekiden::identity {
namespace {

Contact contact(Byte number, std::string petname) {
  Contact out;
  out.id = test_identity(number).id();
  out.petname = std::move(petname);
  out.added_at = test_time();
  return out;
}

SignedRecord record_of(Byte number, std::uint64_t sequence) {
  const Identity identity = test_identity(number);
  PeerRecord record = test_record(identity);
  record.sequence = sequence;
  return verify_signed_record(sign_record(identity, record).value(), test_time()).value();
}

Contact full_contact() {
  Contact out = contact(1, "Bob's laptop");
  out.tier = TrustTier::trusted;
  out.endpoints = {Endpoint::parse("tcp://192.168.1.20:7700").value(),
                   Endpoint::parse("wss://[2001:db8::1]:443").value()};
  const SignedRecord record = record_of(1, 7);
  out.public_key = record.record.public_key;
  out.record = record.signed_bytes;
  return out;
}

TEST(Contact, HasItsGoldenBytes) { test::check_golden(full_contact()); }

TEST(Contact, SurvivesHostileInput) {
  Contact small = full_contact();
  small.record.reset();
  test::check_hostile_input(small);
}

TEST(Petname, MayBeAnyPlainText) {
  for (const char* name : {"a", "Bob", "Bob's laptop", "\xe9\xa7\x85\xe4\xbc\x9d", "ek", "ekaterina", "eK2",
                           "caf\xc3\xa9", "1", "\xf0\x9f\x9a\x80 rocket"}) {
    EXPECT_TRUE(check_petname(name)) << name << ": " << check_petname(name).error().message;
  }
  std::string longest;
  for (int i = 0; i < 64; ++i) longest += "\xf0\x9f\x9a\x80";
  EXPECT_TRUE(check_petname(longest));
  EXPECT_FALSE(check_petname(longest + "a"));
}

TEST(Petname, MayNotDisguiseItself) {
  for (const char* name : {"",
                           " ",
                           " a",
                           "a ",
                           "\xc2\xa0"
                           "a",
                           "a\xe3\x80\x80",
                           "a\tb",
                           "a\nb",
                           "\x1b[31mred",
                           "a\x7f",
                           "a\xc2\x85"
                           "b",
                           "ek1qqq",
                           "EK1QQQ",
                           "Ek1",
                           "a\xe2\x80\x8b"
                           "b",
                           "a\xe2\x80\xae"
                           "b",
                           "a\xe2\x81\xa6"
                           "b",
                           "\xef\xbb\xbf"
                           "a",
                           "a\xc2\xad"
                           "b",
                           "\xff",
                           "\xed\xa0\x80",
                           "a\xf3\xa0\x80\xa1"}) {
    const auto status = check_petname(name);
    ASSERT_FALSE(status) << to_hex(as_bytes(name));
    EXPECT_EQ(status.error().code, Errc::invalid_argument);
  }
  EXPECT_FALSE(check_petname(std::string_view("a\0b", 3)));
}

TEST(ContactBook, FindsByIdAndByName) {
  ContactBook book;
  ASSERT_TRUE(book.add(contact(1, "alice")));
  ASSERT_TRUE(book.add(contact(2, "bob")));
  ASSERT_NE(book.find_by_name("bob"), nullptr);
  EXPECT_EQ(book.find_by_name("bob")->id, test_identity(2).id());
  EXPECT_EQ(book.find(test_identity(1).id())->petname, "alice");
  EXPECT_EQ(book.find_by_name("Bob"), nullptr);
  EXPECT_EQ(book.find(test_identity(9).id()), nullptr);
  EXPECT_EQ(book.tier_of(test_identity(1).id()), TrustTier::contact);
  EXPECT_EQ(book.tier_of(test_identity(9).id()), TrustTier::stranger);
  book.check_invariants();
}

TEST(ContactBook, RefusesTheSamePeerAndTheSameNameTwice) {
  ContactBook book;
  ASSERT_TRUE(book.add(contact(1, "alice")));
  const auto same_peer = book.add(contact(1, "other"));
  EXPECT_EQ(same_peer.error().code, Errc::already_exists);
  EXPECT_NE(same_peer.error().message.find("alice"), std::string::npos);
  const auto same_name = book.add(contact(2, "alice"));
  EXPECT_EQ(same_name.error().code, Errc::already_exists);
  EXPECT_EQ(book.size(), 1U);
  book.check_invariants();
}

TEST(ContactBook, IsBounded) {
  ContactBook book(2);
  ASSERT_TRUE(book.add(contact(1, "a")));
  ASSERT_TRUE(book.add(contact(2, "b")));
  EXPECT_EQ(book.add(contact(3, "c")).error().code, Errc::limit_exceeded);
  ASSERT_TRUE(book.remove(test_identity(1).id()));
  EXPECT_TRUE(book.add(contact(3, "c")));
}

TEST(ContactBook, RefusesContactsThatContradictThemselves) {
  ContactBook book;
  Contact wrong_key = contact(1, "alice");
  wrong_key.public_key = test_identity(2).public_key();
  EXPECT_EQ(book.add(wrong_key).error().code, Errc::invalid_argument);
  Contact many = contact(1, "alice");
  many.endpoints.resize(9, Endpoint{Endpoint::Transport::tcp, "a.example", 1});
  EXPECT_EQ(book.add(many).error().code, Errc::too_large);
  Contact large = contact(1, "alice");
  large.record = Bytes(kMaxRecordSize + 1);
  EXPECT_EQ(book.add(large).error().code, Errc::too_large);
  EXPECT_EQ(book.add(contact(1, "ek1bad")).error().code, Errc::invalid_argument);
  EXPECT_EQ(book.size(), 0U);
}

TEST(ContactBook, RenamesThroughUpdate) {
  ContactBook book;
  ASSERT_TRUE(book.add(contact(1, "alice")));
  ASSERT_TRUE(book.add(contact(2, "bob")));
  EXPECT_EQ(book.update(contact(1, "bob")).error().code, Errc::already_exists);
  EXPECT_EQ(book.update(contact(3, "carol")).error().code, Errc::not_found);
  ASSERT_TRUE(book.update(contact(1, "anna")));
  EXPECT_EQ(book.find_by_name("alice"), nullptr);
  EXPECT_EQ(book.find_by_name("anna")->id, test_identity(1).id());
  ASSERT_TRUE(book.update(contact(1, "anna")));  // Its own name is not taken.
  book.check_invariants();
}

TEST(ContactBook, LearnsNewerRecordsOnly) {
  ContactBook book;
  ASSERT_TRUE(book.add(contact(1, "alice")));
  const SignedRecord older = record_of(1, 7);
  const SignedRecord newer = record_of(1, 8);
  EXPECT_TRUE(book.learn(newer));
  EXPECT_FALSE(book.learn(older));
  EXPECT_FALSE(book.learn(newer));
  EXPECT_EQ(book.find(test_identity(1).id())->record, newer.signed_bytes);
  EXPECT_EQ(book.find(test_identity(1).id())->public_key, test_identity(1).public_key());
  EXPECT_FALSE(book.learn(record_of(2, 1)));  // Not a contact.
  EXPECT_EQ(book.size(), 1U);
  book.check_invariants();
}

TEST(ContactBook, ResolvesWhatAPersonTyped) {
  ContactBook book;
  ASSERT_TRUE(book.add(contact(1, "alice")));
  const PeerId stranger = test_identity(9).id();
  EXPECT_EQ(book.resolve("alice"), test_identity(1).id());
  EXPECT_EQ(book.resolve(stranger.text()), stranger);
  EXPECT_EQ(book.resolve("alcie").error().code, Errc::not_found);
  std::string typo = stranger.text();
  typo[30] = typo[30] == 'q' ? 'p' : 'q';
  EXPECT_EQ(book.resolve(typo).error().code, Errc::malformed);
  EXPECT_NE(book.resolve(typo).error().message.find("typing error"), std::string::npos);
}

TEST(TrustTier, HasNamesAndAnOrder) {
  for (const auto tier : {TrustTier::stranger, TrustTier::contact, TrustTier::trusted}) {
    EXPECT_EQ(parse_tier(tier_name(tier)), tier);
  }
  EXPECT_NE(parse_tier("friend").error().message.find("trusted"), std::string::npos);
  EXPECT_LT(TrustTier::stranger, TrustTier::contact);
  EXPECT_LT(TrustTier::contact, TrustTier::trusted);
}

RC_GTEST_PROP(ContactBook, AgreesWithANaiveModel, ()) {
  constexpr std::size_t kRoom = 4;
  ContactBook book(kRoom);
  std::map<int, std::string> model;
  const auto taken_by_other = [&](int number, const std::string& name) {
    return std::any_of(model.begin(), model.end(),
                       [&](const auto& entry) { return entry.first != number && entry.second == name; });
  };
  const int steps = *rc::gen::inRange(0, 40);
  for (int i = 0; i < steps; ++i) {
    const int number = *rc::gen::inRange(1, 7);
    const std::string name(1, static_cast<char>(*rc::gen::inRange('a', 'g')));
    const bool known = model.contains(number);
    switch (*rc::gen::inRange(0, 3)) {
      case 0: {
        const bool expected = !known && !taken_by_other(number, name) && model.size() < kRoom;
        RC_ASSERT(book.add(contact(static_cast<Byte>(number), name)).has_value() == expected);
        if (expected) model[number] = name;
        break;
      }
      case 1: {
        const bool expected = known && !taken_by_other(number, name);
        RC_ASSERT(book.update(contact(static_cast<Byte>(number), name)).has_value() == expected);
        if (expected) model[number] = name;
        break;
      }
      default:
        RC_ASSERT(book.remove(test_identity(static_cast<Byte>(number)).id()).has_value() == known);
        model.erase(number);
    }
    book.check_invariants();
    RC_ASSERT(book.size() == model.size());
    for (const auto& [other, petname] : model) {
      const Contact* found = book.find_by_name(petname);
      RC_ASSERT(found != nullptr);
      RC_ASSERT(found->id == test_identity(static_cast<Byte>(other)).id());
    }
  }
}

}  // namespace
}  // namespace ekiden::identity
