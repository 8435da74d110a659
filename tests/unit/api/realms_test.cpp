// /v1/realms, and the parameter that says in which realm a topic or an entry is.
#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "realm/realm.hpp"
#include "unit/api/support/service_fixture.hpp"

namespace ekiden::api {
namespace {

class RealmService : public test::ServiceFixture {
 protected:
  /// What lets others into a closed realm of this name, which this node is not in.
  std::string invitation_to(const std::string& name) {
    return realm::invitation_to(realm::Realm::make_closed(name, backend_.random));
  }

  static std::string joining(const std::string& invitation) { return R"({"invitation":")" + invitation + "\"}"; }

  const realm::Realm& held(const std::string& name) { return backend_.held_realms.at(name).realm; }
};

TEST_F(RealmService, ListsRealmsAndShowsInvitationsToWhoeverAsksForThem) {
  EXPECT_EQ(ask("GET", "/v1/realms").json, (Json{{"realms", Json::array()}}));
  EXPECT_EQ(ask("PUT", "/v1/realms/kitchen", R"({"closed":true})").status, 200);
  EXPECT_EQ(ask("PUT", "/v1/realms/garden", "{}").status, 200);
  const auto plain = ask("GET", "/v1/realms").json.at("realms");
  ASSERT_EQ(plain.size(), 2U);
  EXPECT_EQ(plain.at(0),
            (Json{{"name", "garden"}, {"closed", false}, {"members", 2}, {"entries", 0}, {"conflicts", 0}}));
  EXPECT_EQ(plain.at(1),
            (Json{{"name", "kitchen"}, {"closed", true}, {"members", 2}, {"entries", 0}, {"conflicts", 0}}));
  EXPECT_EQ(ask("GET", "/v1/realms?invitations=false").json.at("realms"), plain);
  const auto with = ask("GET", "/v1/realms?invitations=true").json.at("realms");
  EXPECT_FALSE(with.at(0).contains("invitation")) << "an open one has none";
  EXPECT_EQ(with.at(1).at("invitation"), realm::invitation_to(held("kitchen")));
  EXPECT_EQ(ask("GET", "/v1/realms?invitations=yes").status, 400);
}

TEST_F(RealmService, MakesAClosedOneAndAnswersWithTheInvitation) {
  const auto made = ask("PUT", "/v1/realms/kitchen", R"({"closed":true})");
  EXPECT_EQ(made.status, 200);
  EXPECT_EQ(made.json.at("name"), "kitchen");
  const auto invited = realm::read_invitation(made.json.at("invitation").get<std::string>());
  ASSERT_TRUE(invited) << invited.error().message;
  EXPECT_EQ(*invited, held("kitchen"));
  EXPECT_EQ(ask("PUT", "/v1/realms/kitchen", R"({"closed":true})").status, 409);
  EXPECT_EQ(ask("PUT", "/v1/realms/Kitchen", R"({"closed":true})").status, 400);
}

TEST_F(RealmService, JoinsWithAnInvitation) {
  const std::string invitation = invitation_to("kitchen");
  const auto joined = ask("PUT", "/v1/realms/kitchen", joining(invitation));
  EXPECT_EQ(joined.status, 200);
  EXPECT_EQ(joined.json.at("closed"), true);
  EXPECT_FALSE(joined.json.contains("invitation")) << "whoever asks has it";
  EXPECT_EQ(realm::invitation_to(held("kitchen")), invitation);
}

TEST_F(RealmService, RefusesInvitationsWithoutSayingWhatIsInThem) {
  const std::string invitation = invitation_to("kitchen");
  // Longer than the prefix and shorter than anything by which the secret could be told.
  const std::string part = invitation.substr(realm::kInvitationPrefix.size(), 12);
  const std::string mistyped = invitation.substr(0, invitation.size() - 1);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"/v1/realms/cellar", joining(invitation)},
      {"/v1/realms/kitchen", joining(mistyped)},
      {"/v1/realms/kitchen", joining("")},
      {"/v1/realms/kitchen", R"({"closed":true,"invitation":")" + invitation + "\"}"},
      {"/v1/realms/" + invitation, "{}"},
      {"/v1/realms/" + invitation, joining(invitation)},
  };
  for (const auto& [path, body] : cases) {
    const auto answer = ask("PUT", path, body);
    EXPECT_EQ(answer.status, 400) << path << ' ' << body;
    EXPECT_FALSE(detail(answer).empty());
    EXPECT_EQ(answer.response.body.find(part), std::string::npos) << answer.response.body;
  }
  EXPECT_NE(detail(ask("PUT", "/v1/realms/cellar", joining(invitation))).find("\"kitchen\", not to \"cellar\""),
            std::string::npos);
  for (const std::string path : {"/v1/registry?realm=", "/v1/registry-conflicts?realm="}) {
    const auto answer = ask("GET", path + invitation);
    EXPECT_EQ(answer.status, 400) << path;
    EXPECT_EQ(answer.response.body.find(part), std::string::npos) << answer.response.body;
  }
  EXPECT_EQ(ask("DELETE", "/v1/realms/" + invitation).response.body.find(part), std::string::npos);
  EXPECT_TRUE(backend_.held_realms.empty());
}

TEST_F(RealmService, ChangesTheKeyAndAnswersWithTheNewInvitation) {
  EXPECT_EQ(ask("PUT", "/v1/realms/kitchen", R"({"change_key":true})").status, 404);
  const auto old = ask("PUT", "/v1/realms/kitchen", R"({"closed":true})").json.at("invitation");
  const auto changed = ask("PUT", "/v1/realms/kitchen", R"({"change_key":true})");
  EXPECT_EQ(changed.status, 200);
  EXPECT_NE(changed.json.at("invitation"), old);
  EXPECT_EQ(changed.json.at("invitation"), realm::invitation_to(held("kitchen")));
  EXPECT_EQ(ask("PUT", "/v1/realms/kitchen", R"({"change_key":true,"closed":true})").status, 400);
  EXPECT_EQ(ask("PUT", "/v1/realms/kitchen", R"({"change_key":1})").status, 400);
  EXPECT_EQ(ask("PUT", "/v1/realms/garden", "{}").status, 200);
  EXPECT_EQ(ask("PUT", "/v1/realms/garden", R"({"change_key":true})").status, 400) << "it is open";
}

TEST_F(RealmService, Leaves) {
  ASSERT_EQ(ask("PUT", "/v1/realms/kitchen", "{}").status, 200);
  EXPECT_EQ(ask("DELETE", "/v1/realms/kitchen").status, 204);
  EXPECT_TRUE(ask("GET", "/v1/realms").json.at("realms").empty());
  EXPECT_EQ(ask("DELETE", "/v1/realms/kitchen").status, 404);
}

TEST_F(RealmService, KeepsTopicsAndEntriesOfRealmsApart) {
  ASSERT_EQ(ask("PUT", "/v1/realms/kitchen", "{}").status, 200);
  EXPECT_EQ(ask("POST", "/v1/topics/news?realm=kitchen", R"({"body":"warm"})").status, 200);
  EXPECT_EQ(backend_.published["news@kitchen"], 1U);
  EXPECT_EQ(backend_.published["news"], 0U);
  EXPECT_EQ(ask("PUT", "/v1/registry/oven%2F1?realm=kitchen", R"({"value":"warm"})").status, 200);
  const auto inside = ask("GET", "/v1/registry?realm=kitchen");
  ASSERT_EQ(inside.json.at("entries").size(), 1U);
  EXPECT_EQ(inside.json.at("entries").at(0).at("name"), "oven/1");
  EXPECT_EQ(ask("GET", "/v1/registry?realm=kitchen&name=oven%2F1").json.at("entries").size(), 1U);
  EXPECT_TRUE(ask("GET", "/v1/registry-conflicts?realm=kitchen").json.at("conflicts").empty());
  EXPECT_TRUE(ask("GET", "/v1/registry").json.at("entries").empty());
  EXPECT_EQ(ask("GET", "/v1/realms").json.at("realms").at(0).at("entries"), 1);
  EXPECT_EQ(ask("DELETE", "/v1/registry/oven%2F1").status, 404);
  EXPECT_EQ(ask("DELETE", "/v1/registry/oven%2F1?realm=kitchen").status, 204);
  EXPECT_TRUE(ask("GET", "/v1/registry?realm=kitchen").json.at("entries").empty());
}

TEST_F(RealmService, RefusesRealmsThatThisNodeIsNotIn) {
  for (const auto& [method, path, body] :
       {std::tuple{"POST", "/v1/topics/news?realm=", R"({"body":"warm"})"},
        std::tuple{"PUT", "/v1/registry/oven?realm=", R"({"value":"warm"})"},
        std::tuple{"DELETE", "/v1/registry/oven?realm=", ""}, std::tuple{"GET", "/v1/registry?realm=", ""},
        std::tuple{"GET", "/v1/registry-conflicts?realm=", ""}}) {
    EXPECT_EQ(ask(method, path + std::string("cellar"), body).status, 404) << method << ' ' << path;
    EXPECT_EQ(ask(method, path + std::string("No%20Name"), body).status, 400) << method << ' ' << path;
  }
}

}  // namespace
}  // namespace ekiden::api
