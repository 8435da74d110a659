// Who is at the other end of a link, and what both must agree on.
#include <gtest/gtest.h>

#include "link/link.hpp"
#include "pair.hpp"

namespace ekiden::link {
namespace {

using test::kWall;
using test::Pair;
using test::text;

class LinkIdentity : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Link, LinkIdentity, testing::Bool(),
                         [](const auto& which) { return which.param ? "IK" : "XX"; });

TEST(Links, WithXxTheAnsweringIdentityMustBeTheWantedOne) {
  Pair pair(false);
  const auto wanted = test::make_identity(9).id();
  pair.reconnect(false, wanted);
  pair.run();
  const auto& why = pair.link(Pair::client).why();
  EXPECT_EQ(why.code, Errc::unauthenticated);
  EXPECT_NE(why.message.find(pair.parties[Pair::server].identity.id().text()), std::string::npos) << why.message;
  EXPECT_NE(why.message.find(wanted.text()), std::string::npos);
  // The caller did not show itself, and the other side heard why.
  EXPECT_NE(pair.link(Pair::server).why().message.find("another identity"), std::string::npos);
}

TEST(Links, WithIkAnotherNodeCannotAnswer) {
  Pair pair(true);
  const auto other = test::make_identity(9);
  pair.ends[Pair::client].link = Link::dial(pair.now(), pair.config, pair.parties[Pair::client].local, other.id(),
                                            other.noise_key().public_key, pair.rng.bytes<32>());
  pair.run();
  EXPECT_EQ(pair.link(Pair::client).why().code, Errc::refused);
  EXPECT_NE(pair.link(Pair::client).why().message.find("another identity"), std::string::npos);
  EXPECT_NE(pair.link(Pair::server).why().message.find("another node"), std::string::npos);
}

TEST_P(LinkIdentity, ANodeDoesNotConnectToItself) {
  Pair pair(3, 3, GetParam());
  pair.run();
  EXPECT_FALSE(pair.both_open());
  EXPECT_NE(pair.link(Pair::client).why().message.find("itself"), std::string::npos);
}

TEST_P(LinkIdentity, ARecordOfSomebodyElseIsRefused) {
  for (const auto liar : {Pair::client, Pair::server}) {
    Pair pair(GetParam());
    pair.parties[liar].local.record = test::make_record(test::make_identity(9));
    pair.reconnect(GetParam(), pair.parties[Pair::server].identity.id());
    pair.run();
    const auto& honest = pair.ends[liar == Pair::client ? Pair::server : Pair::client];
    EXPECT_FALSE(honest.opened);
    EXPECT_NE(honest.link->why().message.find("record of another node"), std::string::npos)
        << honest.link->why().message;
  }
}

TEST_P(LinkIdentity, ATamperedRecordIsNamed) {
  for (const auto liar : {Pair::client, Pair::server}) {
    Pair pair(GetParam());
    pair.parties[liar].local.record.back() ^= 1;
    pair.reconnect(GetParam(), pair.parties[Pair::server].identity.id());
    pair.run();
    const auto& honest = pair.ends[liar == Pair::client ? Pair::server : Pair::client];
    EXPECT_FALSE(honest.opened);
    EXPECT_EQ(honest.link->why().code, Errc::unauthenticated);
    EXPECT_NE(
        honest.link->why().message.find("its record: the peer record is not valid: the signature does not verify"),
        std::string::npos)
        << honest.link->why().message;
  }
}

TEST_P(LinkIdentity, ClocksYearsApartAreNamedOnBothSides) {
  Pair pair(GetParam());
  pair.parties[Pair::client].local.record =
      test::make_record(pair.parties[Pair::client].identity, kWall - days(2 * 365));
  pair.reconnect(GetParam(), pair.parties[Pair::server].identity.id());
  pair.run();
  EXPECT_FALSE(pair.ends[Pair::server].opened);
  EXPECT_NE(pair.link(Pair::server).why().message.find("clock"), std::string::npos);
  EXPECT_NE(pair.link(Pair::client).why().message.find("clock"), std::string::npos);
  EXPECT_FALSE(pair.ends[Pair::client].opened);
}

TEST_P(LinkIdentity, TwoNodesSpeakTheHighestVersionOfBoth) {
  Pair pair(GetParam());
  pair.parties[Pair::client].local.version_max = 7;
  pair.parties[Pair::server].local.version_max = 4;
  pair.parties[Pair::client].local.features = 0b0110;
  pair.parties[Pair::server].local.features = 0b0011;
  pair.reconnect(GetParam(), pair.parties[Pair::server].identity.id());
  pair.run();
  ASSERT_TRUE(pair.both_open());
  for (const auto& end : pair.ends) {
    EXPECT_EQ(end.opened->version, 4);
    EXPECT_EQ(end.opened->features, 0b0010U);
  }
}

TEST_P(LinkIdentity, NoCommonVersionIsNamedOnBothSides) {
  Pair pair(GetParam());
  pair.parties[Pair::client].local.version_min = 5;
  pair.parties[Pair::client].local.version_max = 7;
  pair.reconnect(GetParam(), pair.parties[Pair::server].identity.id());
  pair.run();
  for (const auto& end : pair.ends) {
    EXPECT_FALSE(end.opened);
    EXPECT_NE(end.link->why().message.find("version"), std::string::npos) << end.link->why().message;
  }
}

TEST(Links, OtherProtocolsAreRecognisedAtTheirFirstByte) {
  Pair pair(true);
  pair.receive(Pair::server, text("G"));
  EXPECT_EQ(pair.link(Pair::server).stage(), Link::Stage::over);
  EXPECT_EQ(pair.link(Pair::server).why().code, Errc::malformed);
  EXPECT_TRUE(pair.link(Pair::server).is_finished());
}

TEST(Links, AnUnknownLinkFormatIsRefusedWithAReason) {
  Pair pair(true);
  pair.receive(Pair::server, Bytes{'E', 'K', 'I', 'D', 'E', 'N', 2, 1});
  EXPECT_EQ(pair.link(Pair::server).why().code, Errc::unsupported);
  pair.pull(Pair::server);
  EXPECT_EQ(pair.ends[Pair::server].wire, (Bytes{0, 0, static_cast<Byte>(CloseReason::version)}));
  EXPECT_TRUE(pair.link(Pair::server).is_finished());
}

TEST(Links, AHandshakeMessageOverTheBoundIsRefusedAtItsLength) {
  Pair pair(true);
  pair.receive(Pair::server, Bytes{'E', 'K', 'I', 'D', 'E', 'N', 1, 1, 8, 1});
  EXPECT_EQ(pair.link(Pair::server).why().code, Errc::too_large);
}

}  // namespace
}  // namespace ekiden::link
