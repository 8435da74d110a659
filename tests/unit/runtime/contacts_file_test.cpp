#include "runtime/contacts_file.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace ekiden::runtime {
namespace {

identity::PeerId id_of(Byte first) {
  identity::PeerId id;
  id.bytes.fill(first);
  return id;
}

identity::Contact contact(std::string name, Byte first) {
  identity::Contact made;
  made.id = id_of(first);
  made.petname = std::move(name);
  return made;
}

void expect_malformed(const std::string& text, const std::string& words) {
  const auto contacts = parse_contacts(text, "friends.toml");
  ASSERT_FALSE(contacts) << text;
  EXPECT_EQ(contacts.error().code, Errc::malformed);
  EXPECT_NE(contacts.error().message.find(words), std::string::npos) << contacts.error().message;
}

const std::string kAlice = "[[contact]]\nname = \"alice\"\nid = \"" + id_of(1).text() + "\"\n";

TEST(ContactsFileTest, ContactsAreReadBackAsTheyWereWritten) {
  std::vector<identity::Contact> contacts = {contact("alice", 1), contact("日本 \"x\" \\ y", 2), contact("bob", 3)};
  contacts[1].endpoints = {*identity::Endpoint::parse("tcp://bob.example:7420"),
                           *identity::Endpoint::parse("tcp://[2001:db8::1]:1")};
  contacts[2].tier = identity::TrustTier::trusted;
  const auto read = parse_contacts(format_contacts(contacts), "friends.toml");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, contacts);
}

TEST(ContactsFileTest, WhatWasLearnedStaysAtHome) {
  identity::Contact known = contact("alice", 1);
  known.record = Bytes(100, 1);
  known.added_at = from_unix_ms(5);
  const auto read = parse_contacts(format_contacts(std::vector{known}), "friends.toml");
  ASSERT_TRUE(read);
  EXPECT_EQ((*read)[0], contact("alice", 1));
}

TEST(ContactsFileTest, AnEmptyFileHoldsNobody) {
  const auto read = parse_contacts("# nobody\n", "friends.toml");
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->empty());
  EXPECT_EQ(format_contacts({}), "");
}

TEST(ContactsFileTest, MistakesAreNamedWithTheirLine) {
  expect_malformed(kAlice + "tire = \"contact\"\n",
                   "friends.toml:4: a [[contact]] has no key 'tire'; did you mean 'tier'?");
  expect_malformed("[[contact]]\nname = \"alice\"\n", "friends.toml:1: a [[contact]] needs its id");
  expect_malformed("[[contact]]\nid = \"" + id_of(1).text() + "\"\n", "needs its name");
  expect_malformed("[[contact]]\nname = \"alice\"\nid = \"ek1nonsense\"\n", "friends.toml:3");
  expect_malformed(kAlice + "tier = \"friend\"\n", "friends.toml:4");
  expect_malformed(kAlice + "endpoints = [\"alice\"]\n", "friends.toml:4");
  expect_malformed(kAlice + "endpoints = \"tcp://a:1\"\n", "must be a list");
  expect_malformed("[contact]\nname = \"alice\"\n", "two brackets");
  expect_malformed("contact = [1]\n", "[[contact]] table");
  expect_malformed("people = []\n", "no key 'people'");
  expect_malformed("[[contact]\n", "friends.toml:1");
}

TEST(ContactsFileTest, NamesAndIdsAreUnique) {
  expect_malformed(kAlice + "\n" + kAlice, "friends.toml:5");
  expect_malformed(kAlice + "[[contact]]\nname = \"alice\"\nid = \"" + id_of(2).text() + "\"\n", "alice");
}

TEST(ContactsFileTest, DisguisedNamesAreRefused) {
  expect_malformed("[[contact]]\nname = \"ek1abc\"\nid = \"" + id_of(1).text() + "\"\n", "friends.toml:1");
  expect_malformed("[[contact]]\nname = \"a\\u202Eb\"\nid = \"" + id_of(1).text() + "\"\n", "friends.toml:1");
}

TEST(ContactsFileTest, ALargeFileIsRefused) {
  const auto read = parse_contacts(std::string(kMaxContactsFile + 1, '\n'), "friends.toml");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Errc::too_large);
}

RC_GTEST_PROP(ContactsFileProperty, NoTextIsAProblem, (const std::string& text)) {
  const auto contacts = parse_contacts(text, "x");
  const bool reads_back = !contacts || parse_contacts(format_contacts(*contacts), "x") == contacts;
  RC_ASSERT(reads_back);
}

}  // namespace
}  // namespace ekiden::runtime
