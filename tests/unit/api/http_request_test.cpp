#include "api/http_request.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace ekiden::api {
namespace {

using State = RequestReader::State;

/// Feeds everything in pieces of the given size and reads the body as soon as the head is there.
RequestReader read_all(std::string_view text, std::size_t piece = 7, HttpLimits limits = {}) {
  RequestReader reader(limits);
  while (!text.empty() || reader.state() == State::ready) {
    if (reader.state() == State::ready) {
      reader.read_body();
      continue;
    }
    const auto part = text.substr(0, piece);
    const auto used = reader.feed(as_bytes(part));
    text.remove_prefix(used);
    if (used == 0) break;
  }
  return reader;
}

std::string post(std::string_view fields, std::string_view body = "") {
  return "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

TEST(RequestReader, ReadsARequestWithoutABody) {
  const auto reader = read_all("GET /v1/inbox?after=3 HTTP/1.1\r\nHost:  127.0.0.1:7\t\r\nX-Empty:\r\n\r\n");
  ASSERT_EQ(reader.state(), State::done);
  EXPECT_EQ(reader.head().method, "GET");
  EXPECT_EQ(reader.head().target, "/v1/inbox?after=3");
  ASSERT_NE(reader.head().find("host"), nullptr);
  EXPECT_EQ(*reader.head().find("host"), "127.0.0.1:7");
  EXPECT_EQ(*reader.head().find("x-empty"), "");
  EXPECT_TRUE(reader.head().keep_alive);
  EXPECT_EQ(reader.body(), "");
}

TEST(RequestReader, ReadsBodiesOfKnownLengthAndInChunks) {
  EXPECT_EQ(read_all(post("Content-Length: 5\r\n", "hello")).body(), "hello");
  EXPECT_EQ(read_all(post("Content-Length: 005\r\n", "hello")).body(), "hello");
  EXPECT_EQ(read_all(post("Content-Length: 0\r\n")).state(), State::done);
  EXPECT_EQ(read_all(post("Transfer-Encoding: Chunked\r\n", "5\r\nhello\r\nA\r\n, 10 bytes\r\n0\r\n\r\n")).body(),
            "hello, 10 bytes");
}

TEST(RequestReader, DropsChunkExtensionsAndTrailers) {
  const auto reader =
      read_all(post("Transfer-Encoding: chunked\r\n",
                    "5;name;key=value;text=\"a \\\" b\"\r\nhello\r\n000\r\nHost: evil\r\nX: y\r\n\r\n"));
  ASSERT_EQ(reader.state(), State::done);
  EXPECT_EQ(reader.body(), "hello");
  EXPECT_EQ(*reader.head().find("host"), "localhost");
  EXPECT_EQ(reader.head().find("x"), nullptr);
}

TEST(RequestReader, StopsAtTheHeadUntilTheBodyIsWanted) {
  RequestReader reader{HttpLimits{}};
  const auto text = post("Content-Length: 5\r\n", "hello");
  EXPECT_EQ(reader.feed(as_bytes(text)), text.size() - 5);
  EXPECT_EQ(reader.state(), State::ready);
  EXPECT_EQ(reader.feed(as_bytes("hello")), 0u);
}

TEST(RequestReader, LeavesTheNextRequestUntouched) {
  RequestReader reader{HttpLimits{}};
  const auto first = post("Content-Length: 2\r\n", "ab");
  const auto both = first + "GET / HTTP/1.1\r\n\r\n";
  std::size_t used = reader.feed(as_bytes(both));
  reader.read_body();
  used += reader.feed(as_bytes(std::string_view(both).substr(used)));
  EXPECT_EQ(used, first.size());
  ASSERT_EQ(reader.state(), State::done);
  reader.next();
  EXPECT_TRUE(reader.idle());
  reader.feed(as_bytes(std::string_view(both).substr(used)));
  EXPECT_EQ(reader.state(), State::ready);
  EXPECT_EQ(reader.head().target, "/");
}

struct Refused {
  const char* why;
  std::string text;
  int status;
};

class RefusedRequest : public testing::TestWithParam<Refused> {};

TEST_P(RefusedRequest, FailsHoweverItIsCut) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{5}, std::size_t{100'000}}) {
    const auto reader = read_all(GetParam().text, piece);
    ASSERT_EQ(reader.state(), State::failed) << GetParam().why << ", pieces of " << piece;
    EXPECT_EQ(reader.refusal().status, GetParam().status) << reader.refusal().error.message;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Framing, RefusedRequest,
    testing::Values(
        Refused{"two lengths", post("Content-Length: 1\r\nContent-Length: 2\r\n", "ab"), 400},
        Refused{"two equal lengths", post("Content-Length: 1\r\nContent-Length: 1\r\n", "a"), 400},
        Refused{"a list of lengths", post("Content-Length: 1, 1\r\n", "a"), 400},
        Refused{"a length and chunks", post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
        Refused{"chunks and a length", post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n"), 400},
        Refused{"length and identity", post("Content-Length: 1\r\nTransfer-Encoding: identity\r\n", "a"), 400},
        Refused{"an empty coding and a length", post("Transfer-Encoding:\r\nContent-Length: 1\r\n", "a"), 400},
        Refused{"an unknown coding", post("Transfer-Encoding: pigeons\r\n", "a"), 400},
        Refused{"nearly chunked", post("Transfer-Encoding: chunkedchunked\r\n", "0\r\n\r\n"), 400},
        Refused{"chunked not last", post("Transfer-Encoding: chunked, deflate\r\n", "0\r\n\r\n"), 400},
        Refused{"coding twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
        Refused{"a folded coding", post("Transfer-Encoding: chunked\r\n abc\r\n", "0\r\n\r\n"), 400},
        Refused{"a signed length", post("Content-Length: +1\r\n", "a"), 400},
        Refused{"a negative length", post("Content-Length: -1\r\n", "a"), 400},
        Refused{"a hexadecimal length", post("Content-Length: 0x1\r\n", "a"), 400},
        Refused{"a length with a space", post("Content-Length: 4 2\r\n", "a"), 400},
        Refused{"an empty length", post("Content-Length:\r\n", "a"), 400},
        Refused{"a length over 64 bits", post("Content-Length: 1000000000000000000000\r\n"), 400},
        Refused{"a length over the limit", post("Content-Length: 65537\r\n"), 413},
        Refused{"space before the colon", post("Content-Length : 1\r\n", "a"), 400},
        Refused{"a carriage return in a name", post("Content\rLength: 1\r\n", "a"), 400},
        Refused{"an expectation", post("Expect: tea\r\n"), 417}));

INSTANTIATE_TEST_SUITE_P(
    Chunks, RefusedRequest,
    testing::Values(
        Refused{"no size", post("Transfer-Encoding: chunked\r\n", "\r\n"), 400},
        Refused{"a size with a space", post("Transfer-Encoding: chunked\r\n", "5 \r\nhello\r\n0\r\n\r\n"), 400},
        Refused{"a size that is none", post("Transfer-Encoding: chunked\r\n", "g\r\n"), 400},
        Refused{"a prefixed size", post("Transfer-Encoding: chunked\r\n", "0x5\r\nhello\r\n"), 400},
        Refused{"an enormous size", post("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\n"), 400},
        Refused{"a size over the limit", post("Transfer-Encoding: chunked\r\n", "10001\r\n"), 413},
        Refused{"a chunk longer than it said", post("Transfer-Encoding: chunked\r\n", "4\r\nhello\r\n"), 400},
        Refused{"a bare line feed after the size", post("Transfer-Encoding: chunked\r\n", "5\nhello\r\n"), 400},
        Refused{"a bare line feed after the data", post("Transfer-Encoding: chunked\r\n", "5\r\nhello\n0\r\n\r\n"),
                400},
        Refused{"an empty extension", post("Transfer-Encoding: chunked\r\n", "5;\r\nhello\r\n"), 400},
        Refused{"an open quotation", post("Transfer-Encoding: chunked\r\n", "5;a=\"b\r\nhello\r\n"), 400},
        Refused{"a trailer that is no field", post("Transfer-Encoding: chunked\r\n", "0\r\nnothing\r\n\r\n"), 400},
        Refused{"an endless line", post("Transfer-Encoding: chunked\r\n", "5;" + std::string(300, 'a')), 400}));

INSTANTIATE_TEST_SUITE_P(
    Heads, RefusedRequest,
    testing::Values(Refused{"an empty line first", "\r\nGET / HTTP/1.1\r\n\r\n", 400},
                    Refused{"two words", "GET /\r\n\r\n", 400}, Refused{"two spaces", "GET  / HTTP/1.1\r\n\r\n", 400},
                    Refused{"four words", "GET / x HTTP/1.1\r\n\r\n", 400},
                    Refused{"an old version with a coding of its own",
                            "GET / HTTP/1.0\r\nTransfer-Encoding: gzip\r\n\r\n", 400},
                    Refused{"an old version with chunks", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
                    Refused{"an old version with two lengths",
                            "GET / HTTP/1.0\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
                    Refused{"an old version", "GET / HTTP/1.0\r\n\r\n", 505},
                    Refused{"a new version", "GET / HTTP/2.0\r\n\r\n", 505},
                    Refused{"another protocol", "GET / ICE/1.1\r\n\r\n", 400},
                    Refused{"a bad method", "G(T / HTTP/1.1\r\n\r\n", 400},
                    Refused{"a proxy's target", "GET http://evil/ HTTP/1.1\r\n\r\n", 400},
                    Refused{"a fragment", "GET /a#b HTTP/1.1\r\n\r\n", 400},
                    Refused{"a target out of ASCII", "GET /\xc3\xa9 HTTP/1.1\r\n\r\n", 400},
                    Refused{"bare line feeds", "GET / HTTP/1.1\nHost: a\n\n", 400},
                    Refused{"a bare carriage return", "GET / HTTP/1.1\r\nA: b\rc\r\n\r\n", 400},
                    Refused{"a zero in a value", std::string("GET / HTTP/1.1\r\nA: b\0c\r\n\r\n", 26), 400},
                    Refused{"a field without a colon", "GET / HTTP/1.1\r\nnothing\r\n\r\n", 400},
                    Refused{"a field without a name", "GET / HTTP/1.1\r\n: x\r\n\r\n", 400},
                    Refused{"a folded field", "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 400},
                    Refused{"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", 400},
                    Refused{"two tokens", "GET / HTTP/1.1\r\nAuthorization: a\r\nAuthorization: a\r\n\r\n", 400},
                    Refused{"a long target", "GET /" + std::string(5000, 'a') + " HTTP/1.1\r\n\r\n", 414},
                    Refused{"a long head", "GET / HTTP/1.1\r\nA: " + std::string(9000, 'a') + "\r\n\r\n", 431},
                    Refused{"no end in sight", std::string(9000, 'a'), 431}));

TEST(RequestReader, BoundsTheNumberOfFields) {
  std::string many = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 65; ++i) many += "A: b\r\n";
  EXPECT_EQ(read_all(many + "\r\n").refusal().status, 431);
}

TEST(RequestReader, BoundsWhatSmallChunksMayCost) {
  std::string body;
  for (int i = 0; i < 3000; ++i) body += "1\r\na\r\n";
  const auto reader = read_all(post("Transfer-Encoding: chunked\r\n", body + "0\r\n\r\n"), 64);
  ASSERT_EQ(reader.state(), State::failed);
  EXPECT_EQ(reader.refusal().error.code, Errc::too_large);
}

TEST(RequestReader, RefusesTrailersThatCouldChangeTheRequest) {
  EXPECT_EQ(read_all(post("Transfer-Encoding: chunked\r\n", "0\r\nNote: x\r\n\r\n")).state(), State::done);
  EXPECT_EQ(read_all(post("Transfer-Encoding: chunked\r\n", "0\r\nContent-Length: 4\r\n\r\n")).state(), State::failed);
}

TEST(RequestReader, UnderstandsConnectionAndExpect) {
  EXPECT_FALSE(read_all("GET / HTTP/1.1\r\nConnection: x , Close\r\n\r\n").head().keep_alive);
  EXPECT_TRUE(read_all("GET / HTTP/1.1\r\nConnection: closed\r\n\r\n").head().keep_alive);
  EXPECT_EQ(read_all("GET / HTTP/1.1\r\nConnection: a b\r\n\r\n").state(), State::failed);
  EXPECT_TRUE(read_all(post("Expect: 100-Continue\r\nContent-Length: 1\r\n", "a")).head().expects_continue);
}

RC_GTEST_PROP(RequestReader, ReadsTheSameHoweverTheBytesAreCut, ()) {
  const auto body = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
  const auto cuts = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange(1, 40)));
  std::string chunked = "Transfer-Encoding: chunked\r\n\r\n";
  std::string_view rest = body;
  for (std::size_t i = 0; !rest.empty(); ++i) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const auto part = rest.substr(0, std::min<std::size_t>(cuts[i % cuts.size()], 15));
    chunked += std::string(1, kDigits[part.size()]) + "\r\n" + std::string(part) + "\r\n";
    rest.remove_prefix(part.size());
  }
  chunked += "0\r\n\r\n";
  const auto text = "POST / HTTP/1.1\r\n" + chunked;
  const auto reader = read_all(text, cuts.front());
  RC_ASSERT(reader.state() == State::done);
  RC_ASSERT(reader.body() == body);
}

RC_GTEST_PROP(RequestReader, NeverTakesMoreThanItIsGivenNorLeavesItsStates, ()) {
  const auto noise = *rc::gen::container<std::string>(
      rc::gen::elementOf(std::string("GET / HTTP/1.1\r\n\r\nA: b\r\nContent-Length: 3\r\n;0\x01\xff")));
  RequestReader reader{HttpLimits{}};
  auto rest = std::string_view(noise);
  for (int step = 0; step < 100 && !rest.empty(); ++step) {
    const auto used = reader.feed(as_bytes(rest));
    RC_ASSERT(used <= rest.size());
    rest.remove_prefix(used);
    if (reader.state() == State::failed) break;
    if (reader.state() == State::ready) reader.read_body();
    if (reader.state() == State::done) reader.next();
  }
}

}  // namespace
}  // namespace ekiden::api
