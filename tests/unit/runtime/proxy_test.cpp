#include "runtime/proxy.hpp"

#include <gtest/gtest.h>

#include <map>

namespace ekiden::runtime {
namespace {

using Variables = std::map<std::string, std::string>;

Proxies from(const Variables& variables) {
  return Proxies::from([&](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

/// The proxy for an endpoint: "" for none, "!" for an error.
std::string found(const Variables& variables, const std::string& endpoint) {
  const auto proxy = from(variables).find(*identity::Endpoint::parse(endpoint));
  if (!proxy) return "!";
  return *proxy ? (*proxy)->text() : "";
}

TEST(ProxyTest, ValuesInEveryForm) {
  EXPECT_EQ(parse_proxy("http://proxy.example:3128"),
            (Proxy{.host = "proxy.example", .port = 3128, .credentials = {}}));
  EXPECT_EQ(parse_proxy("HTTP://Proxy.Example:3128/"),
            (Proxy{.host = "proxy.example", .port = 3128, .credentials = {}}));
  EXPECT_EQ(parse_proxy("proxy.example:3128")->port, 3128);
  EXPECT_EQ(parse_proxy("proxy.example")->port, Proxies::kDefaultPort);
  EXPECT_EQ(parse_proxy("http://[2001:db8::1]:3128")->text(), "http://[2001:db8::1]:3128");
  EXPECT_EQ(parse_proxy("http://[2001:db8::1]")->port, Proxies::kDefaultPort);
}

TEST(ProxyTest, CredentialsAreUnescapedAndNeverShown) {
  const auto proxy = parse_proxy("http://me:p%40ss%3a@word@proxy.example:3128");
  ASSERT_TRUE(proxy);
  EXPECT_EQ(proxy->credentials, "me:p@ss:@word");
  EXPECT_EQ(proxy->text(), "http://proxy.example:3128");
  EXPECT_EQ(parse_proxy("http://me@proxy.example")->credentials, "me:");
  for (const char* text : {"http://me:a%0d%0aX: y@proxy.example:1", "http://me:a%zz@proxy.example:1",
                           "http://me:a%4@proxy.example:1", "http://me:secret@:1", "http://me:secret@proxy:0"}) {
    const auto refused = parse_proxy(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, Errc::malformed);
    EXPECT_EQ(refused.error().message.find("secret"), std::string::npos);
  }
}

TEST(ProxyTest, OtherProxiesAreNotKnown) {
  for (const char* text : {"https://proxy.example:3128", "socks5://proxy.example:1080"}) {
    EXPECT_EQ(parse_proxy(text).error().code, Errc::unsupported) << text;
  }
  EXPECT_EQ(parse_proxy(std::string(5000, 'a')).error().code, Errc::malformed);
}

TEST(ProxyTest, EachTransportHasItsVariable) {
  const Variables both = {{"HTTP_PROXY", "http://plain:1"}, {"HTTPS_PROXY", "http://secure:2"}};
  EXPECT_EQ(found(both, "ws://a.example:80"), "http://plain:1");
  EXPECT_EQ(found(both, "wss://a.example:443"), "http://secure:2");
  EXPECT_EQ(found(both, "tcp://a.example:7420"), "");
  EXPECT_EQ(found({}, "wss://a.example:443"), "");
  EXPECT_EQ(found({{"HTTPS_PROXY", " "}}, "wss://a.example:443"), "");
  EXPECT_EQ(found({{"HTTPS_PROXY", "http://upper:1"}, {"https_proxy", "http://lower:2"}}, "wss://a.example:443"),
            "http://lower:2");
  // The addresses of this machine are dialled through it like others.
  EXPECT_EQ(found(both, "wss://127.0.0.1:443"), "http://secure:2");
}

TEST(ProxyTest, AValueThatCannotBeUsedFailsWhatNeedsItAlone) {
  const Variables variables = {{"HTTPS_PROXY", "socks5://proxy.example:1"}};
  EXPECT_EQ(found(variables, "wss://a.example:443"), "!");
  EXPECT_EQ(found(variables, "ws://a.example:80"), "");
  EXPECT_EQ(found(variables, "tcp://a.example:80"), "");
  const auto proxy = from(variables).find(*identity::Endpoint::parse("wss://a.example:443"));
  EXPECT_NE(proxy.error().message.find("HTTPS_PROXY"), std::string::npos) << proxy.error().message;
}

TEST(ProxyTest, WhatNoProxyListsIsReachedDirectly) {
  const auto direct = [](const std::string& list, const std::string& endpoint) {
    return found({{"HTTPS_PROXY", "http://p:1"}, {"NO_PROXY", list}}, "wss://" + endpoint).empty();
  };
  EXPECT_TRUE(direct("*", "a.example:443"));
  for (const char* list : {"a.example", ".a.example", "*.a.example", "A.Example", " x.example , a.example "}) {
    EXPECT_TRUE(direct(list, "sub.a.example:443")) << list;
    EXPECT_TRUE(direct(list, "a.example:443")) << list;
    EXPECT_FALSE(direct(list, "ba.example:443")) << list;
    EXPECT_FALSE(direct(list, "example:443")) << list;
  }
  EXPECT_TRUE(direct("a.example:8443", "a.example:8443"));
  EXPECT_FALSE(direct("a.example:8443", "a.example:443"));
  EXPECT_TRUE(direct("10.0.0.0/8,192.0.2.7", "10.255.1.2:443"));
  EXPECT_TRUE(direct("10.0.0.0/8,192.0.2.7", "192.0.2.7:443"));
  EXPECT_FALSE(direct("10.0.0.0/8,192.0.2.7", "11.0.0.1:443"));
  EXPECT_TRUE(direct("10.128.0.0/9", "10.200.0.1:443"));
  EXPECT_FALSE(direct("10.128.0.0/9", "10.100.0.1:443"));
  EXPECT_TRUE(direct("2001:db8::/32", "[2001:db8:1::1]:443"));
  EXPECT_TRUE(direct("[2001:db8::1]:443", "[2001:db8::1]:443"));
  EXPECT_FALSE(direct("[2001:db8::1]:444", "[2001:db8::1]:443"));
  EXPECT_TRUE(direct("0.0.0.0/0", "10.0.0.1:443"));
  EXPECT_FALSE(direct("0.0.0.0/0", "[2001:db8::1]:443"));
  EXPECT_FALSE(direct("0.1", "10.0.0.1:443"));
  for (const char* list : {"", ",", "10.0.0.0/33", "10.0.0.0/x", "/8", "[::1", ":443"}) {
    EXPECT_FALSE(direct(list, "10.0.0.1:443")) << list;
  }
}

}  // namespace
}  // namespace ekiden::runtime
