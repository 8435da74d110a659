#include "api/client.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "unit/api/support/server_fixture.hpp"

namespace ekiden::api {
namespace {

using test::FakeBackend;
using test::kPatience;
using test::ServerFixture;

TEST(Client, SaysThatNoNodeRuns) {
  test::TemporaryDirectory directory;
  const auto missing = Client::open(directory.path());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::closed);
  EXPECT_EQ(missing.error().message,
            "no node is running on " + directory.path().string() + ": start one with `ekiden up`");
}

TEST(Client, SaysSoToo_WhenANodeLeftItsFilesBehind) {
  test::TemporaryDirectory directory;
  std::string address;
  std::string token;
  {
    ServerFixture server;
    address = server.address();
    token = server.token();
  }
  std::ofstream(directory.path() / "api.address") << address << '\n';
  std::ofstream(directory.path() / "api.token") << token << '\n';
  const auto gone = Client::open(directory.path());
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Errc::closed);
}

TEST(Client, NeverConnectsBeyondLoopback) {
  test::TemporaryDirectory directory;
  std::ofstream(directory.path() / "api.token") << "x\n";
  for (const auto* address : {"192.0.2.1:80", "example.com:80", "127.0.0.1", "127.0.0.1:x", ""}) {
    std::ofstream(directory.path() / "api.address") << address << '\n';
    const auto client = Client::open(directory.path());
    ASSERT_FALSE(client) << address;
    EXPECT_EQ(client.error().code, Errc::malformed) << address;
  }
}

TEST(Client, AsksAndGetsAnswersAndErrors) {
  ServerFixture server;
  auto client = *Client::open(server.data_dir());
  EXPECT_EQ(client.get("/v1/status")->at("uptime_ms"), 61'000);
  EXPECT_TRUE(client.post("/v1/messages", {{"to", "bob"}, {"body", "hi"}}));
  const auto wrong = client.post("/v1/messages", {{"to", "nobody"}});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Errc::not_found);
  EXPECT_TRUE(client.remove("/v1/contacts/bob")->is_null());
  EXPECT_FALSE(client.get("/v1/contacts/bob"));
}

TEST(Client, IsAnsweredAtTheAddressThatTheServerBound) {
  for (const auto* listen : {"127.0.0.1:0", "127.0.0.2:0"}) {
    ServerConfig config;
    config.listen = listen;
    ServerFixture server(config);
    auto client = Client::open(server.data_dir());
    ASSERT_TRUE(client) << client.error().message;
    const auto status = client->get("/v1/status");
    EXPECT_TRUE(status) << listen << ": " << status.error().message;
  }
}

TEST(Client, NoticesThatTheNodeStopped) {
  ServerFixture server;
  auto client = *Client::open(server.data_dir());
  auto events = *client.events("state");
  server.stop_server();
  EXPECT_EQ(client.get("/v1/status").error().code, Errc::closed);
  EXPECT_EQ(events.next(kPatience).error().code, Errc::closed);
}

TEST(Client, ConnectsAnewWhenTheNodeHasClosedAnIdleConnection) {
  ServerConfig config;
  config.head_deadline = milliseconds(20);
  config.idle_deadline = milliseconds(20);
  ServerFixture server(config);
  auto client = *Client::open(server.data_dir());
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(server.comes_to(0));
    const auto status = client.get("/v1/status");
    EXPECT_TRUE(status) << status.error().message;
  }
}

TEST(Events, ComeInTheirOrderAndOnlyThoseAskedFor) {
  ServerFixture server;
  auto client = *Client::open(server.data_dir());
  auto events = *client.events("message,state");
  const auto sent = client.post("/v1/messages", {{"to", "bob"}, {"body", "hi"}})->at("id").get<std::string>();
  server.run([](FakeBackend& backend) {
    if (const auto listener = backend.listener.lock()) listener->on_peer_up(test::identity_of(2).id());
    backend.arrive("one");
    backend.settle(backend.traces.begin()->first, router::MessageState::delivered);
    backend.arrive("two");
  });
  const auto first = *events.next(kPatience);
  EXPECT_EQ(first.at("kind"), "message");
  EXPECT_EQ(first.at("body"), "one");
  EXPECT_EQ(first.at("from_name"), "bob");
  const auto second = *events.next(kPatience);
  EXPECT_EQ(second.at("kind"), "state");
  EXPECT_EQ(second.at("id"), sent);
  EXPECT_EQ(second.at("state"), "delivered");
  EXPECT_EQ(events.next(kPatience)->at("body"), "two");
  EXPECT_EQ(events.next(milliseconds(1)).error().code, Errc::timed_out);
}

TEST(Events, OfATopicComeForAsLongAsSomebodyListens) {
  ServerFixture server;
  auto client = *Client::open(server.data_dir());
  const auto subscribed = [&] {
    int count = 0;
    server.run([&](FakeBackend& backend) { count = backend.subscriptions["weather/tokyo"]; });
    return count;
  };
  {
    auto events = *client.topic("weather/tokyo");
    auto other = *client.topic("weather/paris");
    EXPECT_EQ(subscribed(), 1);
    server.run([](FakeBackend& backend) {
      backend.hear("weather/tokyo", "sunny");
      backend.hear("weather/paris", "rain");
      backend.arrive("a message");
    });
    const auto item = *events.next(kPatience);
    EXPECT_EQ(item.at("kind"), "topic");
    EXPECT_EQ(item.at("topic"), "weather/tokyo");
    EXPECT_EQ(item.at("from_name"), "bob");
    EXPECT_EQ(item.at("body"), "sunny");
    EXPECT_EQ(item.at("hops"), 2);
    EXPECT_EQ(events.next(milliseconds(1)).error().code, Errc::timed_out);
    EXPECT_EQ(other.next(kPatience)->at("body"), "rain");
  }
  ASSERT_TRUE(server.comes_to(1));
  EXPECT_EQ(subscribed(), 0);
  const auto refused = client.topic("NO");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid_argument);
  auto last = client.topic("weather/tokyo");
  server.stop_server();
  EXPECT_EQ(subscribed(), 0);
}

TEST(Events, OfATopicInARealmEndWhenTheNodeLeavesThat) {
  ServerFixture server;
  auto client = *Client::open(server.data_dir());
  ASSERT_TRUE(client.put("/v1/realms/kitchen", Json::object()));
  auto inside = *client.topic("news", "kitchen");
  auto outside = *client.topic("news");
  server.run([](FakeBackend& backend) { backend.hear("news", "warm", "kitchen"); });
  const auto item = *inside.next(kPatience);
  EXPECT_EQ(item.at("realm"), "kitchen");
  EXPECT_EQ(item.at("body"), "warm");
  EXPECT_EQ(outside.next(milliseconds(1)).error().code, Errc::timed_out);
  ASSERT_TRUE(client.remove("/v1/realms/kitchen"));
  EXPECT_EQ(client.topic("news", "kitchen").error().code, Errc::not_found);
  // Somebody enters it and subscribes anew, before the old connection is gone.
  ASSERT_TRUE(client.put("/v1/realms/kitchen", Json::object()));
  auto again = *client.topic("news", "kitchen");
  const auto over = inside.next(kPatience);
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error(), (Error{Errc::not_found, "this node has left the realm \"kitchen\""}));
  ASSERT_TRUE(server.comes_to(3)) << "the client, and those who listen outside and again";
  server.run([](FakeBackend& backend) {
    EXPECT_EQ(backend.subscriptions["news@kitchen"], 1);
    backend.hear("news", "cold", "kitchen");
    backend.hear("news", "elsewhere");
  });
  EXPECT_EQ(again.next(kPatience)->at("body"), "cold");
  EXPECT_EQ(outside.next(kPatience)->at("body"), "elsewhere");
}

TEST(Events, TellWhyAPeerWent) {
  ServerFixture server;
  auto client = *Client::open(server.data_dir());
  auto events = *client.events("peer");
  server.run([](FakeBackend& backend) {
    const auto listener = backend.listener.lock();
    listener->on_peer_up(test::identity_of(2).id());
    listener->on_peer_down(test::identity_of(2).id(), Error{Errc::timed_out, "no sign of life"});
  });
  EXPECT_EQ(events.next(kPatience)->at("up"), true);
  const auto down = *events.next(kPatience);
  EXPECT_EQ(down.at("name"), "bob");
  EXPECT_EQ(down.at("why"), "no sign of life");
}

TEST(Events, AreRefusedForUnknownKinds) {
  ServerFixture server;
  auto client = *Client::open(server.data_dir());
  const auto events = client.events("gossip");
  ASSERT_FALSE(events);
  EXPECT_EQ(events.error().code, Errc::invalid_argument);
}

TEST(Events, EndWithAReasonForASubscriberThatIsTooSlow) {
  ServerConfig config;
  config.max_queued_events = 8;
  config.slow_close = kPatience;
  ServerFixture server(config);
  auto client = *Client::open(server.data_dir());
  auto slow = *client.events("message");
  auto quick = *client.events("state");
  // More than the sockets' buffers hold, while nobody reads.
  server.run([](FakeBackend& backend) {
    for (int i = 0; i < 2000; ++i) backend.arrive(std::string(30'000, 'x'));
  });
  std::optional<Error> end;
  for (int i = 0; i < 2000 && !end; ++i) {
    const auto event = slow.next(kPatience);
    if (!event) end = event.error();
  }
  ASSERT_TRUE(end);
  EXPECT_EQ(end->code, Errc::limit_exceeded);
  // The others do not notice.
  const auto sent = client.post("/v1/messages", {{"to", "bob"}});
  ASSERT_TRUE(sent);
  server.run(
      [](FakeBackend& backend) { backend.settle(backend.traces.begin()->first, router::MessageState::delivered); });
  EXPECT_EQ(quick.next(kPatience)->at("state"), "delivered");
}

TEST(Events, AreGivenUpForASubscriberThatNeverReads) {
  ServerConfig config;
  config.max_queued_events = 8;
  config.slow_close = milliseconds(50);
  ServerFixture server(config);
  auto client = server.connect();
  client.send(server.request("GET /v1/events",
                             "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
  ASSERT_EQ(test::status_of(client.answer()), 101);
  server.run([](FakeBackend& backend) {
    for (int i = 0; i < 2000; ++i) backend.arrive(std::string(30'000, 'x'));
  });
  client.rest();
  EXPECT_TRUE(server.comes_to(0));
}

TEST(Events, EndWhenTheClientSendsTooMuch) {
  ServerConfig config;
  config.max_websocket_message = 16;
  ServerFixture server(config);
  std::optional client = server.connect();
  client->send(server.request("GET /v1/events",
                              "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
  const auto accepted = client->answer();
  ASSERT_EQ(test::status_of(accepted), 101);
  EXPECT_EQ(accepted.find("Sec-WebSocket-Extensions"), std::string::npos);
  // A masked text frame of 17 bytes, the mask all zeros.
  client->send(std::string("\x81\x91\0\0\0\0", 6) + std::string(17, 'x'));
  // A close frame with 1009, message too big.
  EXPECT_EQ(client->rest().substr(0, 4), std::string("\x88\x02\x03\xf1", 4));
  client.reset();
  EXPECT_TRUE(server.comes_to(0));
}

}  // namespace
}  // namespace ekiden::api
