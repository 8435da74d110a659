// realm: what the commands make of their arguments and of the standard input, and what they print where.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "cli/commands.hpp"
#include "realm/realm.hpp"
#include "unit/api/support/server_fixture.hpp"

namespace ekiden::cli {
namespace {

using api::test::FakeBackend;

/// What a command reads from its standard input, for as long as this lives.
class StandardInput {
 public:
  explicit StandardInput(const std::string& text) : text_(text), before_(std::cin.rdbuf(&text_)) {}
  ~StandardInput() { std::cin.rdbuf(before_); }
  StandardInput(const StandardInput&) = delete;
  StandardInput& operator=(const StandardInput&) = delete;

 private:
  std::stringbuf text_;
  std::streambuf* before_;
};

realm::Realm pantry() {
  Rng rng(Rng::Seed{7});
  return realm::Realm::make_closed("pantry", rng);
}

std::string in_upper_case(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return text;
}

class RealmCommands : public testing::Test {
 protected:
  Context context(OutputMode mode = {}) {
    output_.emplace(out_, err_, mode);
    return {server_.data_dir(), *output_};
  }
  static OutputMode json() { return {.json = true}; }
  static OutputMode quiet() { return {.quiet = true}; }

  static std::string taken(std::ostringstream& stream) {
    auto text = stream.str();
    stream.str("");
    return text;
  }
  std::string printed() { return taken(out_); }
  std::string hinted() { return taken(err_); }

  /// Those that the node is in.
  std::vector<realm::Realm> realms() {
    std::vector<realm::Realm> all;
    server_.run([&](const FakeBackend& backend) {
      for (const auto& status : backend.realms()) all.push_back(status.realm);
    });
    return all;
  }
  /// Of the only realm, as it is printed.
  std::string invitation() { return realm::invitation_to(realms().at(0)) + "\n"; }

  /// How `join` ends with this on the standard input.
  Status join_with(const std::string& input) {
    const StandardInput standard_input(input);
    return run_realm_join(context(), {.name = "-"});
  }

  api::test::ServerFixture server_;
  std::ostringstream out_;
  std::ostringstream err_;
  std::optional<Output> output_;
};

TEST_F(RealmCommands, TheInvitationIsAloneOnTheOutput) {
  ASSERT_TRUE(run_realm_create(context(), {.name = "kitchen", .closed = true}));
  const std::string first = invitation();
  EXPECT_EQ(printed(), first);
  EXPECT_NE(hinted().find("`ekiden realm join -`"), std::string::npos);
  ASSERT_TRUE(run_realm_invite(context(), {.name = "kitchen"}));
  EXPECT_EQ(printed(), first);
  EXPECT_NE(hinted(), "");
  ASSERT_TRUE(run_realm_change_key(context(), {.name = "kitchen"}));
  EXPECT_NE(invitation(), first);
  EXPECT_EQ(printed(), invitation());
  EXPECT_NE(hinted().find("the old key"), std::string::npos);
  ASSERT_TRUE(run_realm_change_key(context(quiet()), {.name = "kitchen"}));
  EXPECT_EQ(printed(), invitation());
  EXPECT_EQ(hinted(), "");
}

TEST_F(RealmCommands, TheInvitationIsInTheObjectForPrograms) {
  const auto invitation_in = [](const std::string& text) {
    EXPECT_EQ(std::ranges::count(text, '\n'), 1);
    return api::parse_json(text)->at("invitation").get<std::string>() + "\n";
  };
  ASSERT_TRUE(run_realm_create(context(json()), {.name = "kitchen", .closed = true}));
  EXPECT_EQ(invitation_in(printed()), invitation());
  ASSERT_TRUE(run_realm_change_key(context(json()), {.name = "kitchen"}));
  EXPECT_EQ(invitation_in(printed()), invitation());
  ASSERT_TRUE(run_realm_invite(context(json()), {.name = "kitchen"}));
  EXPECT_EQ(invitation_in(printed()), invitation());
  EXPECT_EQ(hinted(), "");
}

TEST_F(RealmCommands, AnOpenOneNeedsNoInvitation) {
  ASSERT_TRUE(run_realm_create(context(), {.name = "hall"}));
  EXPECT_EQ(printed(), "others get in by `ekiden realm join hall`: it is open\n");
  EXPECT_EQ(realms(), std::vector{realm::Realm::open("hall")});
  const auto invited = run_realm_invite(context(), {.name = "hall"});
  ASSERT_FALSE(invited);
  EXPECT_EQ(invited.error().code, Errc::invalid_argument);
  EXPECT_NE(invited.error().message.find("`ekiden realm join hall`"), std::string::npos);
  EXPECT_EQ(run_realm_invite(context(), {.name = "attic"}).error().code, Errc::not_found);
  EXPECT_EQ(printed(), "");
  ASSERT_TRUE(run_realm_join(context(json()), {.name = "hall"}));
  const auto object = *api::parse_json(printed());
  EXPECT_EQ(object.at("closed"), false);
  EXPECT_FALSE(object.contains("invitation"));
}

TEST_F(RealmCommands, JoinTakesANameOrAnInvitation) {
  ASSERT_TRUE(run_realm_join(context(), {.name = "hall"}));
  EXPECT_EQ(printed(), "this node is in the realm hall, also after a restart, until `ekiden realm leave hall`\n");
  ASSERT_TRUE(run_realm_leave(context(), {.name = "hall"}));
  ASSERT_TRUE(run_realm_join(context(), {.name = realm::invitation_to(pantry())}));
  EXPECT_EQ(realms(), std::vector{pantry()});
}

TEST_F(RealmCommands, JoinTakesAnInvitationInUpperCase) {
  ASSERT_TRUE(run_realm_join(context(), {.name = in_upper_case(realm::invitation_to(pantry()))}));
  EXPECT_EQ(realms(), std::vector{pantry()});
}

TEST_F(RealmCommands, JoinReadsTheFirstLineAlone) {
  const StandardInput input(" \t" + realm::invitation_to(pantry()) + " \r\nBest wishes\n");
  ASSERT_TRUE(run_realm_join(context(), {.name = "-"}));
  EXPECT_EQ(realms(), std::vector{pantry()});
  std::string rest;
  std::getline(std::cin, rest);
  EXPECT_EQ(rest, "Best wishes");
}

TEST_F(RealmCommands, JoinSaysWhatToDoWhereThereIsNoInvitation) {
  for (const char* input : {"", "\n", " \r\n", "\nekrealm1qqqqqqqq\n"}) {
    const auto joined = join_with(input);
    ASSERT_FALSE(joined) << input;
    EXPECT_EQ(joined.error().code, Errc::invalid_argument);
    EXPECT_NE(joined.error().message.find("`ekiden realm invite`"), std::string::npos) << joined.error().message;
  }
  const auto joined = join_with(std::string(5'000, 'x'));
  ASSERT_FALSE(joined);
  EXPECT_EQ(joined.error().code, Errc::too_large);
  EXPECT_TRUE(realms().empty());
}

TEST_F(RealmCommands, AMistypedInvitationIsNotShown) {
  const std::string right = realm::invitation_to(pantry());
  std::string mistyped = right;
  mistyped.back() = mistyped.back() == 'q' ? 'p' : 'q';
  for (const std::string& wrong :
       {mistyped, in_upper_case(mistyped), "E" + right.substr(1), right + "q", right.substr(0, 40),
        std::string("ekrealm1qqqqqqqq"), std::string("EKREALM1QQQQQQQQ")}) {
    for (const auto& joined : {run_realm_join(context(), {.name = wrong}), join_with(wrong + "\n")}) {
      ASSERT_FALSE(joined) << wrong;
      EXPECT_TRUE(joined.error().message.starts_with("the invitation is not valid: ")) << joined.error().message;
      EXPECT_EQ(joined.error().message.find(wrong.substr(8, 8)), std::string::npos) << joined.error().message;
    }
  }
  // The beginning is missing: it is no name, and must not be taken for one.
  const auto cut = run_realm_join(context(), {.name = right.substr(1)});
  ASSERT_FALSE(cut);
  EXPECT_NE(cut.error().message.find("no invitation"), std::string::npos);
  EXPECT_EQ(cut.error().message.find(right.substr(8, 8)), std::string::npos);
  EXPECT_TRUE(realms().empty());
  EXPECT_EQ(printed() + hinted(), "");
}

TEST_F(RealmCommands, AnInvitationInThePlaceOfANameIsNotShown) {
  const std::string secret = realm::invitation_to(pantry());
  for (const auto run : {run_realm_create, run_realm_leave, run_realm_invite, run_realm_change_key}) {
    const auto done = run(context(), {.name = secret});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Errc::invalid_argument);
    EXPECT_EQ(done.error().message.find(secret.substr(8, 8)), std::string::npos) << done.error().message;
  }
  EXPECT_TRUE(realms().empty());
}

TEST_F(RealmCommands, LeavesWhatItIsIn) {
  EXPECT_EQ(run_realm_leave(context(), {.name = "hall"}).error().code, Errc::not_found);
  for (const OutputMode& mode : {OutputMode{}, json()}) {
    ASSERT_TRUE(run_realm_join(context(quiet()), {.name = "hall"}));
    printed();
    ASSERT_TRUE(run_realm_leave(context(mode), {.name = "hall"}));
    EXPECT_TRUE(realms().empty());
    const auto text = printed();
    if (mode.json) {
      EXPECT_EQ(*api::parse_json(text), api::Json({{"name", "hall"}, {"left", true}}));
    } else {
      EXPECT_EQ(text, "left; what this node put in its registry stays with the other members until it expires\n");
    }
  }
}

TEST_F(RealmCommands, ListsWithoutSecrets) {
  ASSERT_TRUE(run_realm_list(context()));
  EXPECT_EQ(printed(), "this node is in no realm\n");
  ASSERT_TRUE(run_realm_create(context(), {.name = "kitchen", .closed = true}));
  const std::string secret = printed();
  ASSERT_TRUE(run_realm_list(context()));
  const auto listed = printed();
  EXPECT_NE(listed.find("\nkitchen  closed  "), std::string::npos) << listed;
  EXPECT_EQ(listed.find(secret.substr(8, 8)), std::string::npos) << listed;
  ASSERT_TRUE(run_realm_list(context(json())));
  const auto object = *api::parse_json(printed());
  EXPECT_EQ(object.at("name"), "kitchen");
  EXPECT_FALSE(object.contains("invitation"));
}

TEST_F(RealmCommands, TheRegistryOfARealmIsForMembers) {
  for (const auto run : {run_registry_list, run_registry_conflicts, run_registry_watch}) {
    const auto done = run(context(), {.realm = "attic"});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Errc::not_found);
    EXPECT_NE(done.error().message.find("not in the realm \"attic\""), std::string::npos) << done.error().message;
  }
}

TEST_F(RealmCommands, WhatIsSaidInARealmGoesThereAlone) {
  ASSERT_TRUE(run_realm_join(context(), {.name = "hall"}));
  ASSERT_TRUE(run_topic_pub(context(), {.topic = "news", .realm = "hall", .text = "soup"}));
  server_.run([](FakeBackend& backend) {
    EXPECT_EQ(backend.published, (std::map<std::string, std::uint64_t>{{"news@hall", 1}}));
  });
  ASSERT_TRUE(run_registry_put(context(), {.name = "oven", .realm = "hall", .value = "warm"}));
  printed();
  ASSERT_TRUE(run_registry_get(context(json()), {.name = "oven", .realm = "hall"}));
  EXPECT_EQ(api::parse_json(printed())->at("value"), "warm");
  EXPECT_EQ(run_registry_get(context(), {.name = "oven"}).error().code, Errc::not_found);
  ASSERT_TRUE(run_registry_remove(context(), {.name = "oven", .realm = "hall"}));
  EXPECT_EQ(run_registry_get(context(), {.name = "oven", .realm = "hall"}).error().code, Errc::not_found);
}

/// Leaves the realm once this holds of the node, or after half a minute all the same: then a test fails and does not
/// hang.
void leave_when(api::test::ServerFixture& server, const std::function<bool(const FakeBackend&)>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  for (bool left = false; !left;) {
    server.run([&](FakeBackend& backend) {
      left = holds(backend) || std::chrono::steady_clock::now() > deadline;
      if (left) backend.leave_realm("hall", [](const Status&) {});
    });
  }
}

TEST_F(RealmCommands, ASubscriberIsToldThatTheNodeHasLeft) {
  ASSERT_TRUE(run_realm_join(context(), {.name = "hall"}));
  std::thread leaver([this] {
    leave_when(server_, [](const FakeBackend& backend) { return backend.subscriptions.contains("news@hall"); });
  });
  const auto done = run_topic_sub(context(), {.topic = "news", .realm = "hall"});
  leaver.join();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "this node has left the realm \"hall\"");
  EXPECT_EQ(exit_code_of(done.error().code), ExitCode::failure);
}

TEST_F(RealmCommands, WhoWatchesARegistryIsToldThatTheNodeHasLeft) {
  ASSERT_TRUE(run_realm_join(context(), {.name = "hall"}));
  std::thread leaver(
      [this] { leave_when(server_, [](const FakeBackend& backend) { return backend.realm_reads > 0; }); });
  const auto done = run_registry_watch(context(), {.name = "oven", .realm = "hall"});
  leaver.join();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::closed);
  EXPECT_EQ(done.error().message, "this node has left the realm \"hall\"");
}

}  // namespace
}  // namespace ekiden::cli
