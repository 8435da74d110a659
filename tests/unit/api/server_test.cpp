#include "api/server.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "unit/api/support/server_fixture.hpp"

namespace ekiden::api {
namespace {

using test::ServerFixture;
using test::status_of;

/// Short enough to wait for, in tests about deadlines only.
ServerConfig impatient() {
  ServerConfig config;
  config.head_deadline = milliseconds(50);
  config.body_deadline = milliseconds(50);
  config.answer_deadline = milliseconds(50);
  config.idle_deadline = milliseconds(50);
  config.linger = milliseconds(50);
  return config;
}

std::string post(const ServerFixture& server, const std::string& fields, const std::string& body) {
  return server.request("POST /v1/messages", "Content-Type: application/json\r\n" + fields, body);
}

std::string message(const ServerFixture& server) {
  const std::string body = R"({"to":"bob","body":"hi"})";
  return post(server, "Content-Length: " + std::to_string(body.size()) + "\r\n", body);
}

TEST(Server, AnswersOneRequestAfterTheOtherOnAConnection) {
  ServerFixture server;
  auto client = server.connect();
  for (int i = 0; i < 3; ++i) {
    client.send(server.request("GET /v1/status"));
    EXPECT_EQ(status_of(client.answer()), 200);
  }
}

TEST(Server, ShowsMonitorsNumbersWithoutAToken) {
  ServerFixture server({.audience = Audience::monitors});
  auto client = server.connect();
  client.send("GET /metrics HTTP/1.1\r\nHost: metrics.example\r\n\r\n");
  EXPECT_EQ(status_of(client.answer()), 200);
  client.send("GET /v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  EXPECT_EQ(status_of(client.answer()), 404);
  client.send("POST /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(status_of(client.answer()), 405);
}

TEST(Server, AnswersPipelinedRequestsInTheirOrder) {
  ServerFixture server;
  auto client = server.connect();
  client.send(server.request("GET /v1/status") + server.request("GET /nothing") + message(server) +
              server.request("GET /v1/inbox", "Connection: close\r\n"));
  EXPECT_EQ(status_of(client.answer()), 200);
  EXPECT_EQ(status_of(client.answer()), 404);
  EXPECT_EQ(status_of(client.answer()), 202);
  EXPECT_EQ(status_of(client.answer()), 200);
  EXPECT_TRUE(client.closed());
}

TEST(Server, WritesWhereItIsForItsOwnerAlone) {
  ServerFixture server;
  EXPECT_EQ(test::first_line(server.data_dir() / "api.address"), server.address());
  EXPECT_EQ(server.token().size(), 64u);
  for (const auto* name : {"api.token", "api.address"}) {
    struct stat info{};
    ASSERT_EQ(::stat((server.data_dir() / name).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u) << name;
  }
}

TEST(Server, MakesAnotherTokenAtEachStart) {
  ServerFixture first;
  ServerFixture second;
  EXPECT_NE(first.token(), second.token());
}

TEST(Server, TakesItsFilesAwayWhenItStops) {
  ServerFixture server;
  auto client = server.connect();
  client.send(server.request("GET /v1/status"));
  client.answer();
  server.stop_server();
  EXPECT_FALSE(std::filesystem::exists(server.data_dir() / "api.token"));
  EXPECT_FALSE(std::filesystem::exists(server.data_dir() / "api.address"));
  EXPECT_TRUE(client.closed());
  EXPECT_FALSE(server.connect().connected());
}

TEST(Server, ListensOnLoopbackOnly) {
  boost::asio::io_context loop;
  test::FakeBackend backend;
  test::TemporaryDirectory directory;
  for (const auto* listen : {"0.0.0.0:0", "[::]:0", "192.0.2.1:0", "8.8.8.8:80"}) {
    const auto server = Server::open(loop, backend, directory.path(), {.listen = listen});
    ASSERT_FALSE(server) << listen;
    EXPECT_EQ(server.error().code, Errc::refused) << listen;
  }
  for (const auto* listen : {"", "localhost:0", "127.0.0.1", "127.0.0.1:70000", "127.0.0.1:", "127.1:0"}) {
    const auto server = Server::open(loop, backend, directory.path(), {.listen = listen});
    ASSERT_FALSE(server) << listen;
    EXPECT_EQ(server.error().code, Errc::invalid_argument) << listen;
  }
}

TEST(Server, SaysThatAPortIsTaken) {
  ServerFixture first;
  boost::asio::io_context loop;
  test::FakeBackend backend;
  test::TemporaryDirectory directory;
  const auto second = Server::open(loop, backend, directory.path(), {.listen = first.address()});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::busy);
  EXPECT_NE(second.error().message.find(first.address()), std::string::npos);
  EXPECT_TRUE(second.error().message.contains("`listen` under [api]")) << second.error().message;
  const auto metrics =
      Server::open(loop, backend, directory.path(), {.listen = first.address(), .audience = Audience::monitors});
  ASSERT_FALSE(metrics);
  EXPECT_EQ(metrics.error().code, Errc::busy);
  EXPECT_TRUE(metrics.error().message.contains("on " + first.address() + ": the port is in use"));
  EXPECT_TRUE(metrics.error().message.contains("--metrics")) << metrics.error().message;
}

TEST(Server, RefusesStrangersBeforeTheirBody) {
  ServerFixture server;
  auto client = server.connect();
  // The body never comes; the answer does.
  client.send("POST /v1/messages HTTP/1.1\r\nHost: " + server.address() +
              "\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n");
  EXPECT_EQ(status_of(client.answer()), 401);
  EXPECT_TRUE(client.closed());
}

TEST(Server, ChecksHostAndOriginAlsoOnTheUpgrade) {
  ServerFixture server;
  const std::string upgrade =
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const auto ask = [&](const std::string& host, const std::string& fields) {
    auto client = server.connect();
    client.send("GET /v1/events HTTP/1.1\r\nHost: " + host + "\r\n" + upgrade + fields + "\r\n");
    return status_of(client.answer());
  };
  const auto bearer = "Authorization: Bearer " + server.token() + "\r\n";
  EXPECT_EQ(ask(server.address(), bearer), 101);
  EXPECT_EQ(ask(server.address(), bearer + "Origin: http://" + server.address() + "\r\n"), 101);
  EXPECT_EQ(ask(server.address(), ""), 401);
  EXPECT_EQ(ask(server.address(), bearer + "Origin: http://evil.example\r\n"), 403);
  EXPECT_EQ(ask("evil.example:" + std::to_string(server.port()), bearer), 403);
}

TEST(Server, WantsAWebSocketForEvents) {
  ServerFixture server;
  auto client = server.connect();
  client.send(server.request("GET /v1/events"));
  const auto answer = client.answer();
  EXPECT_EQ(status_of(answer), 426);
  EXPECT_NE(answer.find("Upgrade: websocket"), std::string::npos);
}

TEST(Server, ChangesNothingOnGet) {
  ServerFixture server;
  auto client = server.connect();
  const std::string body = R"({"numbers":[1]})";
  client.send(server.request("GET /v1/inbox/take", "Content-Type: application/json\r\nContent-Length: 15\r\n", body));
  const auto answer = client.answer();
  EXPECT_EQ(status_of(answer), 405);
  EXPECT_NE(answer.find("Allow: POST"), std::string::npos);
  server.run([](test::FakeBackend& backend) { EXPECT_TRUE(backend.taken.empty()); });
}

TEST(Server, RefusesABodyWhereThereIsNone) {
  ServerFixture server;
  auto client = server.connect();
  client.send(server.request("GET /v1/status", "Content-Length: 2\r\n", "{}"));
  EXPECT_EQ(status_of(client.answer()), 400);
  EXPECT_TRUE(client.closed());
}

TEST(Server, TakesJsonOnlyWhenItIsCalledJson) {
  ServerFixture server;
  for (const auto* type : {"", "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n"}) {
    auto client = server.connect();
    client.send(server.request("POST /v1/messages", std::string(type) + "Content-Length: 2\r\n", "{}"));
    EXPECT_EQ(status_of(client.answer()), 415) << type;
  }
  auto client = server.connect();
  client.send(server.request("POST /v1/messages",
                             "Content-Type: Application/JSON; charset=utf-8\r\nContent-Length: 2\r\n", "{}"));
  EXPECT_EQ(status_of(client.answer()), 400);
}

TEST(Server, ClosesAfterAmbiguousFraming) {
  ServerFixture server;
  const auto smuggled = server.request(
      "POST /v1/inbox/take", "Content-Type: application/json\r\nContent-Length: 15\r\n", R"({"numbers":[1]})");
  for (const std::string fields :
       {"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 0\r\nContent-Length: 4\r\n",
        "Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: chunked\r\n folded\r\n", "Content-Length : 0\r\n"}) {
    auto client = server.connect();
    client.send(post(server, fields, "0\r\n\r\n") + smuggled);
    const auto everything = client.rest();
    EXPECT_EQ(status_of(everything), 400) << fields;
    EXPECT_EQ(everything.find("HTTP/1.1", 1), std::string::npos) << "a second answer after " << fields;
  }
  server.run([](test::FakeBackend& backend) { EXPECT_TRUE(backend.taken.empty()); });
}

TEST(Server, JudgesTheChunksOfThoseWhomItRefuses) {
  ServerFixture server;
  for (const auto& [host, refused] : {std::pair{server.address(), 401}, std::pair{std::string("evil.example"), 403}}) {
    const std::string head = "POST /v1/messages HTTP/1.1\r\nHost: " + host + "\r\nTransfer-Encoding: chunked\r\n\r\n";
    auto sound = server.connect();
    sound.send(head + "2\r\n{}\r\n0\r\n\r\n" + server.request("GET /v1/status"));
    const auto everything = sound.rest();
    EXPECT_EQ(status_of(everything), refused);
    EXPECT_EQ(everything.find("HTTP/1.1", 1), std::string::npos) << "nothing behind it is answered";
    for (const std::string body : {"2 \r\n{}\r\n0\r\n\r\n", "2\r\n{}0\r\n\r\n", "2;\r\n{}\r\n"}) {
      auto client = server.connect();
      client.send(head + body);
      EXPECT_EQ(status_of(client.rest()), 400) << body;
    }
  }
}

TEST(Server, RefusesBodiesAndMissingHostsOfMonitors) {
  ServerFixture server({.audience = Audience::monitors});
  for (const std::string fields : {"Host: a\r\nContent-Length: 2\r\n", "Host: a\r\nTransfer-Encoding: chunked\r\n"}) {
    auto client = server.connect();
    client.send("GET /healthz HTTP/1.1\r\n" + fields + "\r\n0\r\n\r\n");
    EXPECT_EQ(status_of(client.rest()), 400) << fields;
  }
  auto client = server.connect();
  client.send("GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(status_of(client.rest()), 400);
}

TEST(Server, BoundsHeadAndBody) {
  ServerFixture server;
  auto head = server.connect();
  head.send("GET /v1/status HTTP/1.1\r\nX: " + std::string(20'000, 'x'));
  EXPECT_EQ(status_of(head.rest()), 431);
  auto body = server.connect();
  body.send(post(server, "Content-Length: 70000\r\n", ""));
  EXPECT_EQ(status_of(body.rest()), 413);
  auto chunks = server.connect();
  chunks.send(post(server, "Transfer-Encoding: chunked\r\n", "FFFF\r\n" + std::string(0xffff, ' ') + "\r\n2\r\n"));
  EXPECT_EQ(status_of(chunks.rest()), 413);
}

TEST(Server, AsksForTheBodyOfAClientThatWaits) {
  ServerFixture server;
  auto client = server.connect();
  client.send(post(server, "Expect: 100-continue\r\nContent-Length: 24\r\n", ""));
  EXPECT_EQ(status_of(client.answer()), 100);
  client.send(R"({"to":"bob","body":"hi"})");
  EXPECT_EQ(status_of(client.answer()), 202);
}

TEST(Server, EndsSlowHeadsAndSlowBodies) {
  ServerFixture server(impatient());
  auto head = server.connect();
  head.send("GET /v1/status HTTP/1.1\r\nHost: ");
  EXPECT_EQ(status_of(head.rest()), 408);
  auto body = server.connect();
  body.send(post(server, "Content-Length: 24\r\n", "{"));
  EXPECT_EQ(status_of(body.rest()), 408);
}

TEST(Server, EndsSilentAndIdleConnections) {
  ServerFixture server(impatient());
  auto silent = server.connect();
  EXPECT_EQ(silent.rest(), "");
  auto idle = server.connect();
  idle.send(server.request("GET /v1/status"));
  EXPECT_EQ(status_of(idle.answer()), 200);
  EXPECT_TRUE(idle.closed());
  EXPECT_TRUE(server.comes_to(0));
}

TEST(Server, SaysThatTheNodeDoesNotAnswer) {
  ServerFixture server(impatient());
  server.run([](test::FakeBackend& backend) { backend.held = true; });
  auto client = server.connect();
  client.send(message(server));
  EXPECT_EQ(status_of(client.rest()), 504);
  // The answer that comes too late is nobody's.
  server.run([](test::FakeBackend& backend) { backend.held_sends.front()(test::message_id(1)); });
  EXPECT_TRUE(server.comes_to(0));
}

TEST(Server, OutlivesClientsThatLeaveBeforeTheAnswer) {
  ServerFixture server;
  server.run([](test::FakeBackend& backend) { backend.held = true; });
  {
    auto client = server.connect();
    client.send(message(server));
    while (true) {
      bool arrived = false;
      server.run([&](test::FakeBackend& backend) { arrived = !backend.held_sends.empty(); });
      if (arrived) break;
    }
  }
  server.run([](test::FakeBackend& backend) {
    backend.held = false;
    backend.held_sends.front()(test::message_id(1));
  });
  auto next = server.connect();
  next.send(server.request("GET /v1/status"));
  EXPECT_EQ(status_of(next.answer()), 200);
}

TEST(Server, TurnsAwayTooManyConnections) {
  ServerConfig config;
  config.max_connections = 2;
  ServerFixture server(config);
  auto first = server.connect();
  auto second = server.connect();
  for (auto* client : {&first, &second}) {
    client->send(server.request("GET /v1/status"));
    EXPECT_EQ(status_of(client->answer()), 200);
  }
  auto third = server.connect();
  EXPECT_EQ(status_of(third.rest()), 503);
  EXPECT_EQ(server.connections(), 2u);
}

}  // namespace
}  // namespace ekiden::api
