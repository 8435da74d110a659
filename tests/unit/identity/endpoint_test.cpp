#include "identity/endpoint.hpp"

#include <gtest/gtest.h>

#include <string>

namespace ekiden::identity {
namespace {

TEST(Endpoint, ReadsItsFormsAndWritesTheCanonicalOne) {
  const std::pair<const char*, const char*> cases[] = {
      {"tcp://example.org:7700", "tcp://example.org:7700"},
      {"tcp://Example.ORG:7700", "tcp://example.org:7700"},
      {"tcp://127.0.0.1:1", "tcp://127.0.0.1:1"},
      {"tcp://[::1]:65535", "tcp://[::1]:65535"},
      {"wss://[2001:DB8:0:0::1]:443", "wss://[2001:db8::1]:443"},
      {"ws://localhost:80", "ws://localhost:80"},
      {"udp://a_b.c-d.e1:9", "udp://a_b.c-d.e1:9"},
      {"tcp://xn--bcher-kva.example:5", "tcp://xn--bcher-kva.example:5"},
  };
  for (const auto& [text, canonical] : cases) {
    const auto endpoint = Endpoint::parse(text);
    ASSERT_TRUE(endpoint) << text << ": " << endpoint.error().message;
    EXPECT_EQ(endpoint->text(), canonical);
    EXPECT_EQ(Endpoint::parse(endpoint->text()), endpoint);
  }
  const auto endpoint = Endpoint::parse("wss://[2001:db8::1]:443");
  EXPECT_EQ(*endpoint, (Endpoint{Endpoint::Transport::wss, "2001:db8::1", 443}));
  EXPECT_EQ(endpoint->address(), IpAddress::parse("2001:db8::1").value());
  EXPECT_FALSE(Endpoint::parse("tcp://example.org:1")->address());
}

TEST(Endpoint, RefusesEverythingElse) {
  for (const char* text : {"",
                           "example.org:7700",
                           "tcp:example.org:7700",
                           "tcp://example.org",
                           "tcp://example.org:",
                           "tcp://example.org:0",
                           "tcp://example.org:65536",
                           "tcp://example.org:99999999999",
                           "tcp://example.org:07700",
                           "tcp://example.org:+1",
                           "tcp://example.org:1 ",
                           "tcp://example.org:1/",
                           "tcp://example.org:1/path",
                           "tcp://user@example.org:1",
                           "tcp://:7700",
                           "tcp://[]:7700",
                           "tcp://::1:7700",
                           "tcp://[::1]",
                           "tcp://[::1]7700",
                           "tcp://[::1:7700",
                           "tcp://::1]:7700",
                           "tcp://[::1]:1:2",
                           "tcp://[127.0.0.1]:1",
                           "tcp://[example.org]:1",
                           "tcp://[fe80::1%eth0]:1",
                           "tcp://exa mple.org:1",
                           "tcp://-a.org:1",
                           "tcp://a-.org:1",
                           "tcp://a..org:1",
                           "tcp://.a.org:1",
                           "tcp://a.org.:1",
                           "tcp://b\xc3\xbc"
                           "cher.example:1",
                           "tcp://a\nb:1",
                           "TCP://example.org:1"}) {
    EXPECT_FALSE(Endpoint::parse(text)) << text;
  }
}

/// Resolvers read all of these as 127.0.0.1 or another address that a filter on the text would not see.
TEST(Endpoint, RefusesNumbersInDisguise) {
  for (const char* host : {"127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "127.0.0.01",
                           "127.0.0.1.5", "1.2.3.0x4", "example.1", "256.0.0.1"}) {
    EXPECT_FALSE(Endpoint::parse("tcp://" + std::string(host) + ":1")) << host;
  }
  EXPECT_TRUE(Endpoint::parse("tcp://1.example:1"));
  EXPECT_TRUE(Endpoint::parse("tcp://0x7f.example:1"));
}

TEST(Endpoint, SaysWhichTransportsThereAre) {
  const auto endpoint = Endpoint::parse("quic://example.org:1");
  ASSERT_FALSE(endpoint);
  EXPECT_EQ(endpoint.error().code, Errc::unsupported);
  EXPECT_NE(endpoint.error().message.find("wss"), std::string::npos);
  EXPECT_NE(Endpoint::parse("tcp://example.org").error().message.find("tcp://example.org:7700"), std::string::npos);
}

TEST(Endpoint, BoundsTheHost) {
  const std::string label(63, 'a');
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'a');
  ASSERT_EQ(longest.size(), 253U);
  const auto endpoint = Endpoint::parse("tcp://" + longest + ":65535");
  ASSERT_TRUE(endpoint) << endpoint.error().message;
  EXPECT_LE(endpoint->text().size(), Endpoint::kWireTextMax);
  EXPECT_FALSE(Endpoint::parse("tcp://" + longest + "a:1"));
  EXPECT_FALSE(Endpoint::parse("tcp://" + std::string(64, 'a') + ".org:1"));
  EXPECT_FALSE(Endpoint::parse("tcp://" + std::string(100'000, 'a') + ":1"));
}

TEST(Endpoint, NamesItsTransports) {
  EXPECT_EQ(transport_name(Endpoint::Transport::tcp), "tcp");
  EXPECT_EQ(transport_name(Endpoint::Transport::ws), "ws");
  EXPECT_EQ(transport_name(Endpoint::Transport::wss), "wss");
  EXPECT_EQ(transport_name(Endpoint::Transport::udp), "udp");
}

}  // namespace
}  // namespace ekiden::identity
