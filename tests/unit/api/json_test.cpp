#include "api/json.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "api/base64.hpp"
#include "api/contact_entry.hpp"
#include "api/event_hub.hpp"
#include "api/views.hpp"

namespace ekiden::api {
namespace {

TEST(Json, IsStrict) {
  for (const auto* text : {"", "{", "{}x", "{\"a\":1,}", "{'a':1}", "nul", "[1 2]", "\"\xff\"", "{\"a\":1}{\"a\":1}",
                           "01", "NaN", "/**/{}", "{\"a\":\"\x01\"}"}) {
    const auto json = parse_json(text);
    ASSERT_FALSE(json) << text;
    EXPECT_EQ(json.error().code, Errc::malformed) << text;
  }
}

TEST(Json, BoundsItsDepth) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(parse_json(nested(kMaxJsonDepth)));
  const auto deep = parse_json(nested(kMaxJsonDepth + 1));
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().code, Errc::too_large);
  EXPECT_FALSE(parse_json(nested(30'000)));
}

TEST(Json, RefusesAKeyTwiceInOneObject) {
  EXPECT_FALSE(parse_json(R"({"to":"a","to":"b"})"));
  EXPECT_FALSE(parse_json(R"({"x":{"to":"a","t\u006f":"b"}})"));
  EXPECT_TRUE(parse_json(R"({"to":{"to":"a"},"x":[{"to":1},{"to":2}]})"));
}

TEST(ObjectReader, SaysWhatIsWrongWithWhichKey) {
  const auto complaint = [](std::string_view text) {
    const auto json = *parse_json(text);
    ObjectReader reader(json);
    reader.required_text("to", 5);
    reader.number("ttl_ms", 1, 10);
    reader.boolean("flag");
    reader.texts("list", 2, 3);
    reader.numbers("numbers", 2);
    const auto done = reader.finish();
    return done ? std::string() : done.error().message;
  };
  EXPECT_EQ(complaint(R"({"to":"bob","ttl_ms":10,"flag":true,"list":["a"],"numbers":[1],"ttl_ms2":null})"),
            "the key 'ttl_ms2' is not known here");
  EXPECT_EQ(complaint(R"({"to":"bob","flag":null})"), "");
  EXPECT_EQ(complaint(R"({})"), "'to' is missing");
  EXPECT_EQ(complaint(R"({"to":7})"), "'to' must be a string");
  EXPECT_EQ(complaint(R"({"to":"too long"})"), "'to' is over its limit of 5 bytes");
  for (const auto* bad : {"0", "11", "-1", "1.5", "1e1", "\"1\"", "true"}) {
    EXPECT_EQ(complaint(std::string(R"({"to":"bob","ttl_ms":)") + bad + "}"),
              "'ttl_ms' must be a whole number from 1 to 10");
  }
  EXPECT_EQ(complaint(R"({"to":"bob","flag":1})"), "'flag' must be true or false");
  EXPECT_EQ(complaint(R"({"to":"bob","list":["a","b","c"]})"), "'list' must be a list of at most 2 strings");
  EXPECT_EQ(complaint(R"({"to":"bob","list":["abcd"]})"), "'list' must be a list of strings of at most 3 bytes");
  EXPECT_EQ(complaint(R"({"to":"bob","numbers":[-1]})"), "'numbers' must be a list of whole numbers");
  EXPECT_EQ(complaint(R"([])"), "a JSON object is expected");
}

TEST(Base64, MatchesTheVectorsOfRfc4648) {
  const std::vector<std::pair<std::string, std::string>> vectors = {{"", ""},
                                                                    {"f", "Zg=="},
                                                                    {"fo", "Zm8="},
                                                                    {"foo", "Zm9v"},
                                                                    {"foob", "Zm9vYg=="},
                                                                    {"fooba", "Zm9vYmE="},
                                                                    {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : vectors) {
    EXPECT_EQ(to_base64(as_bytes(plain)), text);
    EXPECT_EQ(from_base64(text), to_bytes(as_bytes(plain)));
  }
}

TEST(Base64, HasOneTextForEachByteString) {
  for (const auto* text :
       {"Zg", "Zg=", "Zg===", "Z===", "====", "Zh==", "Zm9=", "Zg==Zg==", "Zm 9", "Zm9v\n", "Zm9-", "=Zg="}) {
    EXPECT_FALSE(from_base64(text)) << text;
  }
}

RC_GTEST_PROP(Base64, ReadsBackWhatItWrote, (const std::vector<Byte>& bytes)) {
  RC_ASSERT(from_base64(to_base64(bytes)).value() == bytes);
}

TEST(Views, WriteTimesInUtc) {
  EXPECT_EQ(iso_time(from_unix_ms(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(iso_time(from_unix_ms(951'782'400'007)), "2000-02-29T00:00:00.007Z");
  EXPECT_EQ(iso_time(from_unix_ms(kMaxUnixMs)), "9999-12-31T23:59:59.999Z");
}

TEST(Views, ReadTheNamesThatTheyWrite) {
  for (const auto name : wire::kPriorityNames) EXPECT_EQ(wire::priority_name(*parse_priority(name)), name);
  for (const auto* name : {"durable", "volatile"}) EXPECT_EQ(class_name(*parse_class(name)), name);
  EXPECT_FALSE(parse_priority("urgent"));
  EXPECT_FALSE(parse_class("volatile_"));
}

TEST(Views, ShowABodyAsTextOrAsBase64) {
  const identity::ContactBook nobody;
  router::Arrived message;
  const auto view_of = [&](std::string_view body) {
    message.body = to_bytes(as_bytes(body));
    return message_view(message, nobody);
  };
  EXPECT_EQ(view_of("line\n\ttext é").at("body"), "line\n\ttext é");
  EXPECT_FALSE(view_of("plain").contains("body_base64"));
  for (const auto* body : {"\x1b[2J", "\xff", "\xc3\x28"}) {
    EXPECT_FALSE(view_of(body).contains("body"));
    EXPECT_EQ(from_base64(view_of(body).at("body_base64").get<std::string>()), to_bytes(as_bytes(body)));
  }
}

TEST(EventKinds, AreReadFromTheirNames) {
  EXPECT_EQ(*parse_event_kinds(""), EventKinds::all);
  const auto two = *parse_event_kinds("state,message");
  EXPECT_TRUE(includes(two, EventKinds::message));
  EXPECT_TRUE(includes(two, EventKinds::state));
  EXPECT_FALSE(includes(two, EventKinds::peer));
  EXPECT_TRUE(includes(*parse_event_kinds("request,reply"), EventKinds::request));
  EXPECT_FALSE(includes(*parse_event_kinds("message"), EventKinds::request));
  EXPECT_FALSE(parse_event_kinds("messages"));
  EXPECT_FALSE(parse_event_kinds("state,,peer"));
}

}  // namespace
}  // namespace ekiden::api
