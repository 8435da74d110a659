// Realms, invitations, and who recognises whom by its hellos.
#include "realm/realm.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/encoding.hpp"
#include "realm/members.hpp"
#include "support/golden.hpp"
#include "support/identities.hpp"
#include "wire/message_type.hpp"

namespace ekiden::realm {
namespace {

Realm closed(const std::string& name, Byte key) {
  return {.name = name, .key = RealmKey(ByteArray<32>{key}), .tag = {key, 1}, .closed = true};
}

TEST(Realm, HasANameOfPlainLetters) {
  for (const char* name : {"a", "kitchen", "0", "a.b-c_d", "12345678901234567890123456789012"}) {
    EXPECT_TRUE(is_realm_name(name)) << name;
  }
  for (const char* name :
       {"", "Kitchen", "a b", "a/b", ".a", "-a", "ä", "ekrealm1x", "123456789012345678901234567890123"}) {
    EXPECT_FALSE(is_realm_name(name)) << name;
    EXPECT_EQ(check_realm_name(name).error().code, Errc::invalid_argument);
  }
}

TEST(Realm, IsAnotherWithAnotherNameOrKey) {
  std::set<RealmId> ids;
  for (const Realm& realm : {Realm::open("a"), Realm::open("b"), closed("a", 1), closed("a", 2), closed("b", 1)}) {
    EXPECT_TRUE(ids.insert(realm.id()).second);
    EXPECT_FALSE(crypto::equal_in_constant_time(realm.id().bytes, realm.proof_key().view()));
    EXPECT_FALSE(crypto::equal_in_constant_time(realm.id().bytes, realm.key.view()));
  }
  EXPECT_EQ(Realm::open("a").id(), Realm::open("a").id());
}

TEST(Realm, ClosedOnesAreDrawn) {
  Rng rng = test::make_rng(1);
  const Realm first = Realm::make_closed("kitchen", rng);
  const Realm second = Realm::make_closed("kitchen", rng);
  EXPECT_TRUE(first.closed && first.name == "kitchen");
  EXPECT_NE(first.tag, second.tag);
  EXPECT_NE(first.id(), second.id());
  EXPECT_EQ(Realm::open("kitchen").tag, Realm::open("kitchen").tag);
  EXPECT_NE(Realm::open("kitchen").tag, Realm::open("hall").tag);
}

TEST(Realm, AnInvitationIsNoNameAndIsNotShown) {
  for (const std::string text : {"ekrealm1qqqsecret", "EKREALM1QQQSECRET", "ekrealmqqqsecret"}) {
    EXPECT_TRUE(is_invitation(text)) << text;
    const Status checked = check_realm_name(text);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().message.find("secret"), std::string::npos);
    EXPECT_EQ(checked.error().message.find("SECRET"), std::string::npos);
  }
  EXPECT_FALSE(is_invitation("ekreal") || is_invitation("kitchen") || is_invitation(""));
}

TEST(Invitation, BringsNameKeyAndTag) {
  const Realm realm = closed("kitchen", 7);
  const std::string text = invitation_to(realm);
  EXPECT_TRUE(is_invitation(text));
  const auto read = read_invitation(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, realm);
}

TEST(Invitation, IsNotToARealmWhoseKeyAllKnow) {
  Realm realm = Realm::open("kitchen");
  realm.closed = true;
  EXPECT_FALSE(read_invitation(invitation_to(realm)));
}

TEST(Realm, WithANewKeyIsTheSameToItsRegistryAndAnotherToEverybody) {
  Rng rng = test::make_rng(1);
  const Realm first = Realm::make_closed("kitchen", rng);
  const Realm second = first.with_new_key(rng);
  EXPECT_EQ(second.generation, first.generation + 1);
  EXPECT_EQ(second.tag, first.tag);
  EXPECT_EQ(second.domain(), first.domain());
  EXPECT_NE(second.id(), first.id());
  Realm other = first;
  other.name = "hall";
  EXPECT_NE(other.domain(), first.domain()) << "although it has the tag of another";
  Realm same_key = first;
  same_key.tag = {9};
  EXPECT_NE(same_key.id(), first.id());
}

TEST(Invitation, IsRefusedWithOneWrongCharacter) {
  const std::string text = invitation_to(closed("kitchen", 7));
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = other[i] == 'q' ? 'p' : 'q';
    EXPECT_FALSE(read_invitation(other)) << i;
  }
  for (const std::string& other :
       {std::string(), text.substr(0, text.size() - 1), text + "q", std::string("kitchen")}) {
    EXPECT_FALSE(read_invitation(other)) << other;
  }
  EXPECT_FALSE(read_invitation(to_bech32m("ekrealm", ByteArray<52>{}))) << "without a name";
  EXPECT_FALSE(read_invitation(to_bech32m("ekrealm", ByteArray<53>{}))) << "with a name that is none";
}

/// Nodes that are all linked with each other; what they say arrives when flush() is called.
class Nodes {
 public:
  explicit Nodes(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      ids_.push_back(test::make_identity(static_cast<Byte>(i + 1)).id());
      nodes_.push_back(std::make_unique<Members>(ids_.back()));
    }
  }

  void link(std::size_t a, std::size_t b) {
    Effects of_a;
    Effects of_b;
    nodes_[a]->on_link_up(ids_[b], of_a);
    nodes_[b]->on_link_up(ids_[a], of_b);
    take(a, of_a);
    take(b, of_b);
  }
  void cut(std::size_t a, std::size_t b, bool lost = true) {
    cut_one(a, b, lost);
    cut_one(b, a, lost);
  }
  /// At one end only.
  void cut_one(std::size_t at, std::size_t of, bool lost = true) {
    act(at, [&](Members& members, Effects& out) { members.on_link_down(ids_[of], lost, out); });
  }
  void link_one(std::size_t at, std::size_t to) {
    act(at, [&](Members& members, Effects& out) { members.on_link_up(ids_[to], out); });
  }
  void enter(std::size_t i, const Realm& realm) {
    act(i, [&](Members& members, Effects& out) { ASSERT_TRUE(members.enter(realm, out)); });
  }
  void leave(std::size_t i, const std::string& name) {
    act(i, [&](Members& members, Effects& out) { members.leave(name, out); });
  }
  Status receive(std::size_t to, std::size_t from, ByteView body) {
    Status status;
    act(to, [&](Members& members, Effects& out) { status = members.on_hello(ids_[from], body, out); });
    return status;
  }
  /// What one has told another last: the body.
  const Bytes& last_hello(std::size_t from, std::size_t to) const { return hellos_.at({from, to}); }
  bool has_said_hello(std::size_t from, std::size_t to) const { return hellos_.contains({from, to}); }

  bool knows(std::size_t i, std::size_t other, const Realm& realm) const {
    const bool told = up_.contains({i, other, realm.name});
    EXPECT_EQ(nodes_[i]->shared_with(ids_[other], realm.id()) != nullptr, told);
    return told;
  }
  bool was_lost = false;  ///< of the last member that went

 private:
  template <class What>
  void act(std::size_t i, What what) {
    Effects out;
    what(*nodes_[i], out);
    take(i, out);
  }
  void take(std::size_t i, Effects& out) {
    for (Effect& effect : out.take()) {
      if (const auto* up = std::get_if<MemberUp>(&effect)) {
        EXPECT_TRUE(up_.insert({i, index_of(up->peer), up->realm}).second);
      } else if (const auto* down = std::get_if<MemberDown>(&effect)) {
        EXPECT_EQ(up_.erase({i, index_of(down->peer), down->realm}), 1U);
        was_lost = down->lost;
      } else if (const auto* hello = std::get_if<Transmit>(&effect)) {
        EXPECT_EQ((*hello->message)[0], static_cast<Byte>(wire::MessageType::realm_hello));
        const std::size_t to = index_of(hello->to);
        hellos_[{i, to}] = to_bytes(ByteView(*hello->message).subspan(1));
        EXPECT_TRUE(receive(to, i, hellos_.at({i, to})));
      }
    }
    nodes_[i]->check_invariants();
  }
  std::size_t index_of(const identity::PeerId& id) const {
    return static_cast<std::size_t>(std::ranges::find(ids_, id) - ids_.begin());
  }

  std::vector<identity::PeerId> ids_;
  std::vector<std::unique_ptr<Members>> nodes_;
  std::map<std::pair<std::size_t, std::size_t>, Bytes> hellos_;
  std::set<std::tuple<std::size_t, std::size_t, std::string>> up_;
};

TEST(Members, RecogniseEachOtherWhoeverEntersFirst) {
  const Realm kitchen = closed("kitchen", 7);
  Nodes nodes(3);
  nodes.enter(0, kitchen);
  nodes.link(0, 1);
  nodes.link(0, 2);
  nodes.link(1, 2);
  EXPECT_FALSE(nodes.knows(0, 1, kitchen));
  EXPECT_FALSE(nodes.has_said_hello(1, 0)) << "who is in none says nothing";
  nodes.enter(1, kitchen);
  EXPECT_TRUE(nodes.knows(0, 1, kitchen) && nodes.knows(1, 0, kitchen));
  EXPECT_FALSE(nodes.knows(0, 2, kitchen) || nodes.knows(2, 0, kitchen));
  nodes.leave(0, "kitchen");
  EXPECT_FALSE(nodes.knows(0, 1, kitchen) || nodes.knows(1, 0, kitchen));
  nodes.enter(0, kitchen);
  EXPECT_TRUE(nodes.knows(0, 1, kitchen) && nodes.knows(1, 0, kitchen));
  nodes.cut(0, 1);
  EXPECT_FALSE(nodes.knows(0, 1, kitchen) || nodes.knows(1, 0, kitchen));
  EXPECT_TRUE(nodes.was_lost);
  nodes.link(0, 1);
  EXPECT_TRUE(nodes.knows(0, 1, kitchen));
  nodes.cut(0, 1, /*lost=*/false);
  EXPECT_FALSE(nodes.was_lost);
}

TEST(Members, RecogniseEachOtherOverALinkThatBeganAtOneEndOnly) {
  const Realm kitchen = closed("kitchen", 7);
  Nodes nodes(2);
  for (const std::size_t i : {0U, 1U}) nodes.enter(i, kitchen);
  nodes.link(0, 1);
  // The one has lost its end and made another; to the other it goes on.
  nodes.cut_one(0, 1);
  EXPECT_FALSE(nodes.knows(0, 1, kitchen));
  nodes.link_one(0, 1);
  EXPECT_TRUE(nodes.knows(0, 1, kitchen) && nodes.knows(1, 0, kitchen));
}

TEST(Members, WhoComesAndGoesIsNoneForTheRestOfTheLink) {
  const Realm kitchen = closed("kitchen", 7);
  Nodes nodes(2);
  for (const std::size_t i : {0U, 1U}) nodes.enter(i, kitchen);
  nodes.link(0, 1);
  const Bytes member = nodes.last_hello(1, 0);
  const Bytes nobody = wire::encode(Hello{});
  for (int i = 0; i < 15; ++i) {
    EXPECT_TRUE(nodes.receive(0, 1, nobody));
    EXPECT_FALSE(nodes.knows(0, 1, kitchen));
    EXPECT_TRUE(nodes.receive(0, 1, member));
    EXPECT_TRUE(nodes.knows(0, 1, kitchen));
  }
  EXPECT_EQ(nodes.receive(0, 1, nobody).error().code, Errc::refused);
  EXPECT_EQ(nodes.receive(0, 1, member).error().code, Errc::refused);
  EXPECT_FALSE(nodes.knows(0, 1, kitchen));
  nodes.cut(0, 1);
  nodes.link(0, 1);
  EXPECT_TRUE(nodes.knows(0, 1, kitchen));
}

TEST(Members, AreThoseWithTheSameKey) {
  Nodes nodes(2);
  nodes.link(0, 1);
  nodes.enter(0, closed("kitchen", 7));
  nodes.enter(1, closed("kitchen", 8));
  EXPECT_FALSE(nodes.knows(0, 1, closed("kitchen", 7)) || nodes.knows(1, 0, closed("kitchen", 8)));
  nodes.enter(1, Realm::open("kitchen"));
  EXPECT_FALSE(nodes.knows(0, 1, closed("kitchen", 7)) || nodes.knows(1, 0, Realm::open("kitchen")));
  nodes.enter(1, closed("kitchen", 7));
  EXPECT_TRUE(nodes.knows(0, 1, closed("kitchen", 7)));
  nodes.enter(0, closed("kitchen", 9));
  EXPECT_FALSE(nodes.knows(1, 0, closed("kitchen", 7))) << "whose key has changed";
}

TEST(Members, ProveNothingWithWhatOthersHaveSaid) {
  const Realm kitchen = closed("kitchen", 7);
  Nodes nodes(4);
  for (const std::size_t i : {0U, 1U}) nodes.enter(i, kitchen);
  nodes.link(0, 1);
  nodes.link(0, 2);
  nodes.link(2, 3);
  nodes.enter(3, kitchen);
  // 2 plays to 0 what 1 has told 0, what 0 has told it, and what 3 has told it.
  for (const Bytes& said : {nodes.last_hello(1, 0), nodes.last_hello(0, 2), nodes.last_hello(3, 2)}) {
    EXPECT_TRUE(nodes.receive(0, 2, said));
    EXPECT_FALSE(nodes.knows(0, 2, kitchen));
  }
}

TEST(Members, TakeBadHellosForNothing) {
  Nodes nodes(3);
  nodes.enter(0, closed("kitchen", 7));
  nodes.link(0, 1);
  EXPECT_FALSE(nodes.receive(0, 1, as_bytes("no hello")));
  EXPECT_EQ(nodes.receive(0, 2, wire::encode(Hello{})).error().code, Errc::refused) << "without a link";
  Hello many;
  many.proofs.resize(kMaxRealms);
  EXPECT_TRUE(nodes.receive(0, 1, wire::encode(many)));
  Bytes more = wire::encode(many);
  more[2] = static_cast<Byte>(more[2] + 1);  // One more than there may be, and than there are.
  EXPECT_FALSE(nodes.receive(0, 1, more));
}

TEST(Members, SayTheirHelloAgain) {
  const identity::PeerId peer = test::make_identity(2).id();
  Members members(test::make_identity(1).id());
  Effects out;
  ASSERT_TRUE(members.enter(closed("kitchen", 7), out));
  members.on_link_up(peer, out);
  const auto said = out.take();
  ASSERT_EQ(said.size(), 1U);
  members.say_again(peer, out);
  const auto again = out.take();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(*std::get<Transmit>(said[0]).message, *std::get<Transmit>(again[0]).message);
  members.say_again(test::make_identity(3).id(), out);
  EXPECT_TRUE(out.empty()) << "to who is not linked";
}

TEST(Members, AreInFewRealms) {
  Members members(test::make_identity(1).id());
  Effects out;
  for (Byte i = 0; i < kMaxRealms; ++i) ASSERT_TRUE(members.enter(closed("r" + std::to_string(i), i), out));
  EXPECT_EQ(members.enter(closed("more", 99), out).error().code, Errc::limit_exceeded);
  EXPECT_TRUE(members.enter(closed("r0", 99), out)) << "in the place of one of that name";
  members.check_invariants();
}

TEST(RealmMessages, AreWrittenAsTheyAlwaysWere) {
  test::check_golden(Hello{.proofs = {Proof{1}, Proof{2}}, .asks = true});
  const Bytes message = {48, 1, 2, 3};
  test::check_golden(Carried{.realm = {ByteArray<32>{5}}, .message = message});
}

}  // namespace
}  // namespace ekiden::realm
