#include "api/access.hpp"

#include <gtest/gtest.h>

#include "api/http_target.hpp"
#include "api/routes.hpp"

namespace ekiden::api {
namespace {

constexpr std::uint16_t kPort = 7421;
const std::string kToken(64, 'a');

RequestHead head_with(std::vector<HttpField> fields) {
  RequestHead head;
  head.fields = std::move(fields);
  return head;
}

int status_of(std::vector<HttpField> fields) {
  const auto refused = AccessPolicy(kToken, "127.0.0.1", kPort).refuse(head_with(std::move(fields)));
  return refused ? refused->status : 200;
}

const HttpField kHost{"host", "127.0.0.1:7421"};
const HttpField kBearer{"authorization", "Bearer " + kToken};

TEST(AccessPolicy, LetsTheOwnerIn) {
  EXPECT_EQ(status_of({kHost, kBearer}), 200);
  EXPECT_EQ(status_of({{"host", "LOCALHOST:7421"}, kBearer}), 200);
  EXPECT_EQ(status_of({{"host", "[::1]:7421"}, kBearer}), 200);
  EXPECT_EQ(status_of({kHost, {"authorization", "bearer " + kToken}}), 200);
  EXPECT_EQ(status_of({kHost, kBearer, {"origin", "http://127.0.0.1:7421"}}), 200);
}

TEST(AccessPolicy, WantsTheRightToken) {
  EXPECT_EQ(status_of({kHost}), 401);
  EXPECT_EQ(status_of({kHost, {"authorization", ""}}), 401);
  EXPECT_EQ(status_of({kHost, {"authorization", "Bearer "}}), 401);
  EXPECT_EQ(status_of({kHost, {"authorization", "Basic " + kToken}}), 401);
  EXPECT_EQ(status_of({kHost, {"authorization", kToken}}), 401);
  EXPECT_EQ(status_of({kHost, {"authorization", "Bearer " + kToken + "a"}}), 401);
  EXPECT_EQ(status_of({kHost, {"authorization", "Bearer " + std::string(64, 'b')}}), 401);
  const auto refused = AccessPolicy(kToken, "127.0.0.1", kPort).refuse(head_with({kHost}));
  EXPECT_EQ(refused->fields.front().first, "WWW-Authenticate");
}

TEST(AccessPolicy, RefusesOtherNamesEvenWithTheToken) {
  EXPECT_EQ(status_of({kBearer}), 400);
  for (const auto* host : {"evil.example:7421", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:7421.evil.example", "",
                           "0.0.0.0:7421", "localhost.evil.example:7421", "127.0.0.2:7421", "user@localhost:7421"}) {
    EXPECT_EQ(status_of({{"host", host}, kBearer}), 403) << host;
  }
}

TEST(AccessPolicy, RefusesOtherOriginsEvenWithTheToken) {
  for (const auto* origin : {"http://evil.example", "null", "", "https://127.0.0.1:7421", "http://127.0.0.1", "file://",
                             "http://127.0.0.1:7421.evil.example", "http://127.0.0.1:74210"}) {
    EXPECT_EQ(status_of({kHost, kBearer, {"origin", origin}}), 403) << origin;
  }
}

TEST(AccessPolicy, KnowsTheAddressThatWasBound) {
  const auto answers = [](const std::string& bound, const std::string& host) {
    return !AccessPolicy(kToken, bound, kPort).refuse(head_with({{"host", host}, kBearer}));
  };
  EXPECT_TRUE(answers("127.0.0.2", "127.0.0.2:7421"));
  EXPECT_TRUE(answers("127.0.0.2", "127.0.0.1:7421"));
  EXPECT_FALSE(answers("127.0.0.2", "127.0.0.3:7421"));
  EXPECT_FALSE(answers("127.0.0.2", "127.0.0.2"));
  EXPECT_TRUE(answers("[::ffff:127.0.0.1]", "[::FFFF:127.0.0.1]:7421"));
  EXPECT_FALSE(answers("", ":7421")) << "nothing is bound yet";
}

TEST(AccessPolicy, KnowsTheDefaultPort) {
  const AccessPolicy policy(kToken, "127.0.0.1", 80);
  EXPECT_FALSE(policy.refuse(head_with({{"host", "localhost"}, kBearer})));
  EXPECT_FALSE(policy.refuse(head_with({{"host", "localhost:80"}, kBearer})));
}

TEST(Target, SplitsBeforeItDecodes) {
  const auto target = parse_target("/v1/contacts/a%2Fb%20c?x=1%262&y=&z");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->segments, (std::vector<std::string>{"v1", "contacts", "a/b c"}));
  EXPECT_EQ(*target->parameter("x"), "1&2");
  EXPECT_EQ(*target->parameter("y"), "");
  EXPECT_EQ(*target->parameter("z"), "");
  EXPECT_EQ(target->parameter("w"), nullptr);
}

TEST(Target, RefusesWhatCannotBeDecoded) {
  for (const auto* text : {"/%", "/%4", "/%zz", "/%00", "/%0a", "/%7f", "/%ff", "/%c3%28", "/a?x=1&x=2", "/a?%=1",
                           "/1/2/3/4/5/6/7/8/9", "/?a&b&c&d&e&f&g&h&i", "v1"}) {
    EXPECT_FALSE(parse_target(text)) << text;
  }
}

TEST(Target, ReadsBackWhatItEscaped) {
  const std::string name = "Bob / \"x\" ?&=%#+é🦉~";
  const auto target = parse_target("/" + escape_segment(name) + "?name=" + escape_segment(name));
  ASSERT_TRUE(target);
  EXPECT_EQ(target->segments.front(), name);
  EXPECT_EQ(*target->parameter("name"), name);
}

std::variant<Route, Response> route(std::string_view method, std::string_view path) {
  return find_route(method, *parse_target(path));
}

TEST(Routes, FindEndpointsAndTheirNames) {
  EXPECT_EQ(std::get<Route>(route("GET", "/v1/status")).endpoint, Endpoint::status);
  EXPECT_EQ(std::get<Route>(route("POST", "/v1/inbox/take")).endpoint, Endpoint::take_inbox);
  const auto found = std::get<Route>(route("DELETE", "/v1/contacts/bob%20b"));
  EXPECT_EQ(found.endpoint, Endpoint::remove_contact);
  EXPECT_EQ(found.name, "bob b");
  EXPECT_TRUE(std::get<Route>(route("POST", "/v1/messages")).has_body);
  EXPECT_FALSE(std::get<Route>(route("POST", "/v1/messages/x/retry")).has_body);
}

TEST(Routes, SayWhichMethodsAreAllowed) {
  const auto refused = std::get<Response>(route("PATCH", "/v1/contacts/bob"));
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.fields.front(), (std::pair<std::string, std::string>("Allow", "GET, PUT, DELETE")));
  EXPECT_EQ(std::get<Response>(route("GET", "/v1/inbox/take")).status, 405);
  EXPECT_EQ(std::get<Response>(route("HEAD", "/v1/status")).status, 405);
}

TEST(Routes, KnowNothingElse) {
  for (const auto* path : {"/", "/v1", "/v2/status", "/v1/status/x", "/v1//status", "/v1/contacts/", "/v1/./status",
                           "/v1/contacts/../status"}) {
    EXPECT_EQ(std::get<Response>(route("GET", path)).status, 404) << path;
  }
}

TEST(Routes, ShowMonitorsNumbersAlone) {
  const auto for_monitors = [](std::string_view path) {
    return std::holds_alternative<Route>(find_route("GET", *parse_target(path), Audience::monitors));
  };
  EXPECT_TRUE(for_monitors("/metrics") && for_monitors("/healthz"));
  for (const auto* path : {"/v1/status", "/v1/identity", "/v1/contacts", "/v1/inbox", "/v1/events", "/v1/peers"}) {
    EXPECT_FALSE(for_monitors(path)) << path;
    EXPECT_TRUE(std::holds_alternative<Route>(route("GET", path))) << path;
  }
}

TEST(Responses, AreProblemDocumentsForErrors) {
  const auto text = serialize(problem(Error{Errc::not_found, "no \"x\"\x01\xff"}), /*keep_alive=*/false);
  EXPECT_TRUE(text.starts_with("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_NE(text.find("Content-Type: application/problem+json\r\n"), std::string::npos);
  EXPECT_NE(text.find("Connection: close\r\n"), std::string::npos);
  EXPECT_NE(text.find(R"("code":"not-found")"), std::string::npos);
  EXPECT_NE(text.find(R"(no \"x\"\u0001)"), std::string::npos);
  EXPECT_NE(text.find(R"("type":"urn:ekiden:problem:not-found")"), std::string::npos);
}

TEST(Responses, WithoutContentHaveNoLength) {
  Response response;
  response.status = 204;
  const auto text = serialize(response, /*keep_alive=*/true);
  EXPECT_EQ(text.find("\r\nContent-"), std::string::npos);
  EXPECT_TRUE(text.ends_with("\r\n\r\n"));
}

}  // namespace
}  // namespace ekiden::api
