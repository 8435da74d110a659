#include "runtime/http_head.hpp"

#include <gtest/gtest.h>

#include "unit/runtime/websocket_frames.hpp"

namespace ekiden::runtime {
namespace {

const std::string kGood = upgrade_request();

/// The request with a piece of it replaced.
std::string with(std::string_view what, std::string_view instead) {
  std::string text = kGood;
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), instead);
}

unsigned status_of(const std::string& head) {
  const auto read = read_upgrade_request(head);
  return read ? 101 : read.error().status;
}

TEST(HttpHeadTest, ARequestGivesItsKey) { EXPECT_EQ(read_upgrade_request(kGood), std::string(kWebSocketKey)); }

TEST(HttpHeadTest, WhatOthersSendIsUnderstood) {
  EXPECT_EQ(status_of(with("Upgrade: websocket", "upgrade: WebSocket")), 101U);
  EXPECT_EQ(status_of(with("Connection: Upgrade", "Connection: keep-alive, upgrade")), 101U);
  EXPECT_EQ(status_of(with("Connection: Upgrade", "Connection: keep-alive\r\nConnection: Upgrade")), 101U);
  // An extension that is offered is not agreed on, and an origin says nothing here.
  const std::string more = with("User-Agent: ekiden",
                                "Sec-WebSocket-Extensions: permessage-deflate\r\nOrigin: https://evil.example\r\n"
                                "Sec-WebSocket-Protocol: chat");
  EXPECT_EQ(status_of(more), 101U);
}

TEST(HttpHeadTest, WhatIsNoUpgradeIsRefusedWithItsStatus) {
  EXPECT_EQ(status_of(with("/ekiden/1", "/")), 404U);
  EXPECT_EQ(status_of(with("/ekiden/1", "/ekiden/1/")), 404U);
  EXPECT_EQ(status_of(with("/ekiden/1", "/ekiden/1?a=b")), 404U);
  EXPECT_EQ(status_of(with("/ekiden/1", "http://node.example/ekiden/1")), 404U);
  EXPECT_EQ(status_of(with("GET", "POST")), 405U);
  EXPECT_EQ(status_of(with("Upgrade: websocket\r\n", "")), 426U);
  EXPECT_EQ(status_of(with("Upgrade: websocket", "Upgrade: h2c")), 426U);
  EXPECT_EQ(status_of(with("Connection: Upgrade\r\n", "")), 426U);
  EXPECT_EQ(status_of(with("Version: 13", "Version: 8")), 426U);
  EXPECT_EQ(status_of(with(kWebSocketKey, "short")), 400U);
  EXPECT_EQ(status_of(with(kWebSocketKey, "!!!!!!!!!!!!!!!!!!!!!!==")), 400U);
  EXPECT_EQ(status_of(with("Sec-WebSocket-Key: ", "X: ")), 400U);
  EXPECT_EQ(status_of(with("HTTP/1.1", "HTTP/1.0")), 400U);
  EXPECT_EQ(status_of(with("HTTP/1.1", "HTTP/2.0")), 400U);
  EXPECT_EQ(status_of(with("Host: node.example\r\n", "")), 400U);
  EXPECT_EQ(status_of("\x16\x03\x01\r\n\r\n"), 400U);
  EXPECT_EQ(status_of("\r\n\r\n"), 400U);
}

TEST(HttpHeadTest, WhatCanBeReadInTwoWaysIsRefused) {
  for (const char* more : {
           "Content-Length: 0",
           "Content-Length: 5",
           "Content-Length: 5\r\nContent-Length: 6",
           "Content-Length: +5",
           "Content-Length: 5\r\nTransfer-Encoding: chunked",
           "Transfer-Encoding: chunked",
           "Transfer-Encoding: identity",
           "Transfer-Encoding : chunked",
           "X: y\r\n folded: line",
           "X: y\r\n\tfolded: line",
           "Host: other.example",
           "Upgrade: h2c",
           "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
           "Sec-WebSocket-Version: 8",
           "X: a\rb",
           "no colon",
           ": no name",
       }) {
    EXPECT_EQ(status_of(with("User-Agent: ekiden", more)), 400U) << more;
  }
  EXPECT_EQ(status_of(std::string("X: y\r\n") + kGood), 400U);
  EXPECT_EQ(status_of(with("Host: node.example", std::string("Host: node") + '\0' + "example")), 400U);
}

TEST(HttpHeadTest, RefusalsSayWhy) {
  const std::string answer = refusal_answer({404, "nothing here"});
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 404 Not Found\r\n")) << answer;
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
  EXPECT_NE(answer.find("Content-Length: 13\r\n"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\nnothing here\n"));
  EXPECT_NE(refusal_answer({426, ""}).find("Sec-WebSocket-Version: 13\r\n"), std::string::npos);
}

TEST(HttpHeadTest, AnswersToTheUpgradeAreChecked) {
  const std::string good = upgrade_answer();
  EXPECT_TRUE(check_upgrade_answer(good));
  const auto code_of = [&](std::string_view what, std::string_view instead) {
    std::string answer = good;
    const auto status = check_upgrade_answer(answer.replace(answer.find(what), what.size(), instead));
    EXPECT_FALSE(status) << answer;
    return status ? Errc::internal : status.error().code;
  };
  EXPECT_EQ(code_of("Upgrade: websocket", "Upgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate"),
            Errc::malformed);
  EXPECT_EQ(code_of("Upgrade: websocket", "Upgrade: websocket\r\nSec-WebSocket-Protocol: chat"), Errc::malformed);
  EXPECT_EQ(code_of("HTTP/1.1", "SSH-2.0"), Errc::malformed);
  EXPECT_EQ(code_of("101 Switching Protocols", "200 OK"), Errc::unreachable);
  const auto missing = check_upgrade_answer("HTTP/1.1 404 N\xff\x1bt Found\r\n\r\n");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message.find('\xff'), std::string::npos);
}

TEST(HttpHeadTest, TheProxyIsAskedAndItsAnswerJudged) {
  EXPECT_EQ(connect_request("node.example:443", std::nullopt).find("Proxy-Authorization"), std::string::npos);
  // The example of RFC 7617 section 2.
  const std::string request = connect_request("node.example:443", "Aladdin:open sesame");
  EXPECT_TRUE(request.starts_with("CONNECT node.example:443 HTTP/1.1\r\nHost: node.example:443\r\n")) << request;
  EXPECT_NE(request.find("Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"), std::string::npos);

  EXPECT_TRUE(check_connect_answer("HTTP/1.1 200 Connection established\r\n\r\n", false));
  EXPECT_TRUE(check_connect_answer("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false));
  const auto asks = check_connect_answer("HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=x\r\n\r\n", false);
  ASSERT_FALSE(asks);
  EXPECT_EQ(asks.error().code, Errc::refused);
  const auto wrong = check_connect_answer("HTTP/1.1 407 Who\r\n\r\n", true);
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message, asks.error().message);
  const auto forbidden = check_connect_answer("HTTP/1.1 403 Forbidden\r\n\r\n", false);
  ASSERT_FALSE(forbidden);
  EXPECT_NE(forbidden.error().message.find("403 Forbidden"), std::string::npos) << forbidden.error().message;
  EXPECT_FALSE(check_connect_answer("SSH-2.0-x\r\n\r\n", false));
}

TEST(HttpHeadTest, AHeadIsCollectedInAnyPieces) {
  const std::string stream = kGood + "behind";
  for (const std::size_t piece : {1U, 7U, 10'000U}) {
    HeadCollector collector;
    std::size_t used = 0;
    while (!collector.whole()) {
      const auto part = as_bytes(stream).subspan(used);
      const auto took = collector.take(part.first(std::min(piece, part.size())));
      ASSERT_TRUE(took);
      used += *took;
    }
    EXPECT_EQ(collector.text(), kGood);
    EXPECT_EQ(used, kGood.size());
  }
}

TEST(HttpHeadTest, LinesEndInOneWayAndHeadsAreBounded) {
  for (const char* text : {"GET / HTTP/1.1\n", "\n", "GET / HTTP/1.1\r\nX: y\n", "GET /\rX"}) {
    HeadCollector collector;
    const auto took = collector.take(as_bytes(text));
    ASSERT_FALSE(took) << text;
    EXPECT_EQ(took.error().code, Errc::malformed);
  }
  HeadCollector collector;
  const auto took = collector.take(Bytes(kMaxHead + 1, 'a'));
  ASSERT_FALSE(took);
  EXPECT_EQ(took.error().code, Errc::too_large);
}

}  // namespace
}  // namespace ekiden::runtime
