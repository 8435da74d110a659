#include "api/service.hpp"

#include <gtest/gtest.h>

#include "api/base64.hpp"
#include "api/json.hpp"
#include "api/metrics.hpp"
#include "api/views.hpp"
#include "unit/api/support/service_fixture.hpp"

namespace ekiden::api {
namespace {

using Service = test::ServiceFixture;

TEST_F(Service, SendsToANameOrAnId) {
  const auto answer = ask("POST", "/v1/messages", R"({"to":"bob","body":"hi","ttl_ms":1000,"priority":"high",
    "class":"volatile","type":"chat","content_type":"text/plain",
     "in_reply_to":"6f0c5a52-5f0e-4d4b-9a57-2f9f1f2f3a77"})");
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.json.at("to"), bob_);
  ASSERT_EQ(backend_.drafts.size(), 1u);
  const auto& draft = backend_.drafts.front();
  EXPECT_EQ(draft.to.text(), bob_);
  EXPECT_EQ(as_text(draft.body), "hi");
  EXPECT_EQ(draft.ttl, seconds(1));
  EXPECT_EQ(draft.priority, wire::Priority::high);
  EXPECT_EQ(draft.delivery, router::DeliveryClass::volatile_);
  EXPECT_EQ(draft.type, "chat");
  EXPECT_EQ(draft.in_reply_to->text(), "6f0c5a52-5f0e-4d4b-9a57-2f9f1f2f3a77");
  const auto by_id = ask("POST", "/v1/messages", R"({"to":")" + bob_ + R"(","body_base64":"/w=="})");
  EXPECT_EQ(by_id.status, 202);
  EXPECT_EQ(backend_.drafts.back().body, Bytes{0xff});
  EXPECT_EQ(by_id.response.fields.front().second, "/v1/messages/" + by_id.json.at("id").get<std::string>());
}

TEST_F(Service, SendsInAConversationOrUnordered) {
  EXPECT_EQ(ask("POST", "/v1/messages", R"({"to":"bob","body":"hi","conversation":"tea"})").status, 202);
  EXPECT_EQ(backend_.drafts.back().conversation, "tea");
  EXPECT_FALSE(backend_.drafts.back().unordered);
  EXPECT_EQ(ask("POST", "/v1/messages", R"({"to":"bob","body":"hi","unordered":true})").status, 202);
  EXPECT_TRUE(backend_.drafts.back().unordered);
  EXPECT_EQ(backend_.drafts.back().conversation, "");
}

TEST_F(Service, RefusesDraftsThatMakeNoSense) {
  const std::vector<std::pair<std::string, int>> cases = {
      {"", 400},
      {"[]", 400},
      {R"({"body":"x"})", 400},
      {R"({"to":"nobody","body":"x"})", 404},
      {R"({"to":"ek1qqqq","body":"x"})", 400},
      {R"({"to":"bob","body":"x","body_base64":"eA=="})", 400},
      {R"({"to":"bob","body_base64":"x"})", 400},
      {R"({"to":"bob","ttl_ms":0})", 400},
      {R"({"to":"bob","ttl_ms":99999999999})", 400},
      {R"({"to":"bob","priority":"urgent"})", 400},
      {R"({"to":"bob","class":"lasting"})", 400},
      {R"({"to":"bob","id":"7"})", 400},
      {R"({"to":"bob","text":"x"})", 400},
      {R"({"to":"bob","unordered":1})", 400},
      {R"({"to":"bob","conversation":")" + std::string(65, 'a') + "\"}", 413},
      {R"({"to":"bob","body":")" + std::string(router::kMaxBody + 1, 'a') + "\"}", 413},
      {R"({"to":"bob","type":")" + std::string(router::kMaxTypeLength + 1, 'a') + "\"}", 413},
  };
  for (const auto& [body, status] : cases) {
    const auto answer = ask("POST", "/v1/messages", body);
    EXPECT_EQ(answer.status, status) << body.substr(0, 80);
    EXPECT_FALSE(detail(answer).empty());
  }
  EXPECT_TRUE(backend_.drafts.empty());
}

TEST_F(Service, SendsToWhoeverOffers) {
  const auto answer = ask("POST", "/v1/messages", R"({"to":"@translate","body":"hi"})");
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.json.at("to"), bob_);
  EXPECT_EQ(answer.json.at("name"), "bob");
  EXPECT_EQ(answer.json.at("capability"), "translate/ja-en");
  EXPECT_EQ(answer.json.at("linked"), true);
  ASSERT_EQ(backend_.placed.size(), 1u);
  EXPECT_EQ(backend_.placed.front().second, "translate");
  EXPECT_EQ(ask("POST", "/v1/messages", R"({"to":"@","body":"hi"})").status, 400);
  EXPECT_EQ(ask("POST", "/v1/messages", R"({"to":"@Tr","body":"hi"})").status, 400);
  EXPECT_TRUE(backend_.drafts.empty());
}

TEST_F(Service, AsksPeersAndWhoeverOffers) {
  const auto answer = ask("POST", "/v1/requests",
                          R"({"to":"bob","capability":"ocr","body":"page","timeout_ms":1500,"priority":"high"})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.json.at("to"), bob_);
  EXPECT_EQ(answer.json.at("capability"), "ocr");
  EXPECT_EQ(answer.json.at("took_us"), 3000);
  EXPECT_EQ(answer.json.at("reply").at("body"), "page");
  EXPECT_EQ(answer.json.at("reply").at("purpose"), "reply");
  EXPECT_EQ(ask("POST", "/v1/requests", R"({"to":"@ocr/latin"})").status, 200);
  ASSERT_EQ(backend_.questions.size(), 2u);
  EXPECT_EQ(backend_.questions[0].timeout, milliseconds(1500));
  EXPECT_EQ(backend_.questions[0].priority, wire::Priority::high);
  EXPECT_EQ(backend_.questions[1].capability, "ocr/latin");
  EXPECT_FALSE(backend_.questions[1].to);
  for (const std::string body :
       {R"({"to":"@ocr","capability":"ocr"})", R"({"to":"bob","timeout_ms":0})", R"({"to":"bob","timeout_ms":3600001})",
        R"({"body":"x"})", R"({"to":"bob","id":"x"})"}) {
    EXPECT_EQ(ask("POST", "/v1/requests", body).status, 400) << body;
  }
}

TEST_F(Service, SaysWhyThereIsNoAnswer) {
  backend_.accepts = false;
  backend_.refusal = Error{Errc::failed, "no such page"};
  const auto answer = ask("POST", "/v1/requests", R"({"to":"bob","body":"page"})");
  EXPECT_EQ(answer.status, 502);
  EXPECT_EQ(answer.json.at("code"), "failed");
  EXPECT_EQ(detail(answer), "bob: no such page");
}

TEST_F(Service, ListsAndAnswersRequests) {
  backend_.arrive("a letter");
  backend_.be_asked("a question", "ocr");
  backend_.be_asked("another", "translate");
  const auto listed = ask("GET", "/v1/requests?capability=ocr");
  ASSERT_EQ(listed.json.at("messages").size(), 1u);
  EXPECT_EQ(listed.json.at("messages").at(0).at("body"), "a question");
  EXPECT_EQ(listed.json.at("messages").at(0).at("capability"), "ocr");
  EXPECT_EQ(ask("GET", "/v1/requests").status, 400);
  EXPECT_EQ(ask("GET", "/v1/inbox").json.at("messages").size(), 1u) << "requests are not messages";
  EXPECT_EQ(ask("GET", "/v1/inbox?purpose=request").json.at("messages").size(), 2u);
  EXPECT_EQ(ask("GET", "/v1/inbox?purpose=all").json.at("messages").size(), 3u);
  EXPECT_EQ(ask("GET", "/v1/inbox?purpose=any").status, 400);
  EXPECT_EQ(ask("POST", "/v1/requests/2/answer", R"({"body":"an answer","type":"text"})").status, 200);
  EXPECT_EQ(as_text(backend_.responses.at(2).body), "an answer");
  EXPECT_EQ(ask("POST", "/v1/requests/3/answer", R"({"body":"no","failed":true})").status, 200);
  EXPECT_TRUE(backend_.responses.at(3).failed);
  EXPECT_EQ(ask("POST", "/v1/requests/3/answer", R"({})").status, 404);
  EXPECT_EQ(ask("POST", "/v1/requests/x/answer", R"({})").status, 400);
  EXPECT_EQ(ask("POST", "/v1/requests/2/answer", R"({"to":"bob"})").status, 400);
}

TEST_F(Service, FiltersTheInboxAndTheOutbox) {
  backend_.add_contact("carol", 3);
  backend_.arrive("of bob", 2);
  backend_.arrive("of carol", 3);
  const auto from = ask("GET", "/v1/inbox?from=carol");
  ASSERT_EQ(from.json.at("messages").size(), 1u);
  EXPECT_EQ(from.json.at("messages").at(0).at("body"), "of carol");
  EXPECT_EQ(ask("GET", "/v1/inbox?from=nobody").status, 404);
  EXPECT_TRUE(ask("GET", "/v1/inbox?type=order").json.at("messages").empty());
  EXPECT_EQ(ask("GET", "/v1/inbox?since=1970-01-01T00:00:00Z").json.at("messages").size(), 2u);
  EXPECT_TRUE(ask("GET", "/v1/inbox?since=2026-01-01T00:00:00.000Z").json.at("messages").empty());
  EXPECT_EQ(ask("GET", "/v1/inbox?since=yesterday").status, 400);
  ask("POST", "/v1/messages", R"({"to":"bob"})");
  EXPECT_EQ(ask("GET", "/v1/messages?state=queued&to=bob").json.at("messages").size(), 1u);
  EXPECT_TRUE(ask("GET", "/v1/messages?state=delivered").json.at("messages").empty());
  EXPECT_EQ(ask("GET", "/v1/messages?state=lost").status, 400);
}

TEST_F(Service, SaysWhenToTryAgainWhereThereIsNoRoom) {
  backend_.accepts = false;
  backend_.refusal = Error{Errc::limit_exceeded, "the outbox is full"};
  for (const std::string path : {"/v1/messages", "/v1/requests"}) {
    const auto answer = ask("POST", path, R"({"to":"bob","body":"x"})");
    EXPECT_EQ(answer.status, 429);
    ASSERT_EQ(answer.response.fields.size(), 1u) << path;
    EXPECT_EQ(answer.response.fields.front().first, "Retry-After");
  }
}

TEST_F(Service, PassesOnWhyTheNodeRefuses) {
  backend_.accepts = false;
  backend_.refusal = Error{Errc::storage_full, "the disk is full"};
  const auto answer = ask("POST", "/v1/messages", R"({"to":"bob","body":"x"})");
  EXPECT_EQ(answer.status, 507);
  EXPECT_EQ(answer.json.at("code"), "storage-full");
  EXPECT_EQ(detail(answer), "the disk is full");
}

TEST_F(Service, TracesMessages) {
  const auto id = ask("POST", "/v1/messages", R"({"to":"bob","body":"hello"})").json.at("id").get<std::string>();
  const auto trace = ask("GET", "/v1/messages/" + id);
  EXPECT_EQ(trace.status, 200);
  EXPECT_EQ(trace.json.at("state"), "queued");
  EXPECT_EQ(trace.json.at("name"), "bob");
  EXPECT_EQ(trace.json.at("steps").at(0).at("what"), "accepted");
  EXPECT_EQ(ask("GET", "/v1/messages?limit=5").json.at("messages").size(), 1u);
  EXPECT_FALSE(ask("GET", "/v1/messages").json.at("messages").at(0).contains("steps"));
  EXPECT_EQ(ask("POST", "/v1/messages/" + id + "/retry").status, 202);
  EXPECT_EQ(backend_.retried.front().text(), bob_);
  EXPECT_EQ(ask("GET", "/v1/messages/6f0c5a52-5f0e-4d4b-9a57-2f9f1f2f3a77").status, 404);
  EXPECT_EQ(ask("GET", "/v1/messages/latest").status, 400);
  EXPECT_EQ(ask("GET", "/v1/messages?limit=many").status, 400);
}

TEST_F(Service, ReadsTheInboxInPagesAndTakesFromIt) {
  for (int i = 0; i < 5; ++i) backend_.arrive("message " + std::to_string(i));
  const auto first = ask("GET", "/v1/inbox?limit=2");
  EXPECT_EQ(first.json.at("messages").size(), 2u);
  EXPECT_EQ(first.json.at("messages").at(0).at("body"), "message 0");
  EXPECT_EQ(first.json.at("messages").at(0).at("from_name"), "bob");
  EXPECT_EQ(first.json.at("more"), true);
  const auto rest = ask("GET", "/v1/inbox?after=2");
  EXPECT_EQ(rest.json.at("messages").size(), 3u);
  EXPECT_EQ(rest.json.at("more"), false);
  EXPECT_EQ(ask("POST", "/v1/inbox/take", R"({"numbers":[1,2]})").json.at("taken"), 2);
  EXPECT_EQ(backend_.taken, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(ask("POST", "/v1/inbox/take", R"({"numbers":[1]})").status, 404);
  EXPECT_EQ(ask("POST", "/v1/inbox/take", R"({})").status, 400);
  EXPECT_EQ(ask("GET", "/v1/inbox?after=-1").status, 400);
  EXPECT_EQ(ask("GET", "/v1/inbox?limit=257").status, 400);
}

TEST_F(Service, BoundsThePageInBytesButNeverToNothing) {
  for (int i = 0; i < 40; ++i) backend_.arrive(std::string(router::kMaxBody, 'x'));
  const auto page = ask("GET", "/v1/inbox?limit=256");
  EXPECT_EQ(page.json.at("messages").size(), kPageBytes / router::kMaxBody);
  EXPECT_EQ(page.json.at("more"), true);
}

TEST_F(Service, KeepsContacts) {
  const auto carol = test::identity_of(3).id().text();
  const auto added =
      ask("POST", "/v1/contacts", R"({"name":"carol","id":")" + carol + R"(","endpoints":["tcp://192.0.2.1:7420"]})");
  EXPECT_EQ(added.status, 201);
  EXPECT_EQ(added.json.at("tier"), "contact");
  EXPECT_EQ(ask("GET", "/v1/contacts").json.at("contacts").size(), 2u);
  EXPECT_EQ(ask("POST", "/v1/contacts", R"({"name":"carol","id":")" + carol + "\"}").status, 409);
  const auto changed = ask("PUT", "/v1/contacts/carol", R"({"name":"caroline","tier":"trusted"})");
  EXPECT_EQ(changed.status, 200);
  EXPECT_EQ(changed.json.at("endpoints").at(0), "tcp://192.0.2.1:7420");
  EXPECT_EQ(ask("GET", "/v1/contacts/" + carol).json.at("name"), "caroline");
  EXPECT_EQ(ask("DELETE", "/v1/contacts/caroline").status, 204);
  EXPECT_EQ(ask("GET", "/v1/contacts/caroline").status, 404);
  EXPECT_EQ(ask("DELETE", "/v1/contacts/" + carol).status, 404);
}

TEST_F(Service, RefusesContactsThatMakeNoSense) {
  const auto carol = test::identity_of(3).id().text();
  for (const auto& body : {R"({"name":"carol"})" + std::string(), std::string(R"({"name":"carol","id":"ek1wrong"})"),
                           R"({"name":"ek1carol","id":")" + carol + "\"}", R"({"name":"","id":")" + carol + "\"}",
                           R"({"name":"carol","id":")" + carol + R"(","endpoints":["carol:1"]})",
                           R"({"name":"carol","id":")" + carol + R"(","tier":"friend"})",
                           R"({"name":"carol","id":")" + carol + R"(","colour":"red"})"}) {
    EXPECT_EQ(ask("POST", "/v1/contacts", body).status, 400) << body;
  }
  EXPECT_EQ(backend_.book.size(), 1u);
}

TEST_F(Service, LooksPeersUp) {
  identity::PeerRecord record;
  record.endpoints = {"tcp://203.0.113.9:7420"};
  record.sequence = 7;
  backend_.records[test::identity_of(2).id()] = {record, Bytes{1, 2}};
  const auto found = ask("POST", "/v1/lookups", R"({"peer":"bob"})");
  EXPECT_EQ(found.status, 200);
  EXPECT_EQ(found.json.at("found"), true);
  EXPECT_EQ(found.json.at("peer"), bob_);
  EXPECT_EQ(found.json.at("record").at("sequence"), 7);
  EXPECT_EQ(found.json.at("record").at("endpoints").at(0), "tcp://203.0.113.9:7420");

  const auto stranger = test::identity_of(3).id().text();
  const auto missing = ask("POST", "/v1/lookups", R"({"peer":")" + stranger + R"("})");
  EXPECT_EQ(missing.status, 200);
  EXPECT_EQ(missing.json.at("found"), false);
  EXPECT_EQ(missing.json.at("problem").at("code"), "not-found");
  EXPECT_EQ(backend_.searched.size(), 2U);

  EXPECT_EQ(ask("POST", "/v1/lookups", R"({"peer":"nobody"})").status, 404);
  for (const auto* bad : {"[]", "{}", R"({"peer":1})", R"({"peer":"bob","x":1})"}) {
    EXPECT_EQ(ask("POST", "/v1/lookups", bad).status, 400) << bad;
  }
}

TEST_F(Service, FindsOwnersOfCapabilities) {
  identity::Announcement announcement;
  announcement.public_key = test::identity_of(2).public_key();
  announcement.capability = "translate/ja-en";
  backend_.owners = {{announcement, {}}};
  const auto found = ask("POST", "/v1/lookups", R"({"capability":"translate","limit":5})");
  EXPECT_EQ(found.status, 200);
  ASSERT_EQ(found.json.at("owners").size(), 1U);
  EXPECT_EQ(found.json.at("owners").at(0).at("peer"), bob_);
  EXPECT_EQ(found.json.at("owners").at(0).at("name"), "bob");
  EXPECT_EQ(found.json.at("owners").at(0).at("capability"), "translate/ja-en");
  EXPECT_EQ(backend_.searched_capabilities.back(), std::pair(std::string("translate"), std::size_t{5}));

  backend_.owners.clear();
  const auto missing = ask("POST", "/v1/lookups", R"({"capability":"ocr"})");
  EXPECT_EQ(missing.status, 200);
  EXPECT_TRUE(missing.json.at("owners").empty());
  EXPECT_EQ(missing.json.at("problem").at("code"), "not-found");
  for (const auto* bad : {R"({"capability":"OCR"})", R"({"capability":1})", R"({"capability":"ocr","limit":0})",
                          R"({"capability":"ocr","limit":65})", R"({"capability":"ocr","limit":"5"})",
                          R"({"capability":"ocr","peer":"bob"})", R"({"capability":"ocr","limit":5,"x":1})"}) {
    EXPECT_EQ(ask("POST", "/v1/lookups", bad).status, 400) << bad;
  }
}

TEST_F(Service, OffersAndWithdrawsCapabilities) {
  EXPECT_EQ(ask("PUT", "/v1/capabilities/translate%2Fja-en").status, 204);
  EXPECT_EQ(ask("PUT", "/v1/capabilities/translate%2Fja-en").status, 204);
  const auto listed = ask("GET", "/v1/capabilities");
  ASSERT_EQ(listed.json.at("capabilities").size(), 1U);
  EXPECT_EQ(listed.json.at("capabilities").at(0).at("capability"), "translate/ja-en");
  EXPECT_EQ(listed.json.at("capabilities").at(0).at("holders"), 7);
  EXPECT_EQ(ask("PUT", "/v1/capabilities/one%2Ftoo%2Fmany").status, 429);
  EXPECT_EQ(ask("DELETE", "/v1/capabilities/translate%2Fja-en").status, 204);
  EXPECT_EQ(ask("DELETE", "/v1/capabilities/translate%2Fja-en").status, 404);
  EXPECT_EQ(ask("GET", "/v1/capabilities/ocr").status, 405);
}

TEST_F(Service, SwitchesRelayingOnAndOff) {
  EXPECT_EQ(ask("PUT", "/v1/relay").status, 204);
  EXPECT_EQ(backend_.relay_on, true);
  EXPECT_EQ(ask("DELETE", "/v1/relay").status, 204);
  EXPECT_EQ(backend_.relay_on, false);
  EXPECT_TRUE(ask("GET", "/v1/status").json.at("relay").contains("counters"));
}

TEST_F(Service, ShowsWhetherTheNetworkIsWhole) {
  EXPECT_EQ(ask("GET", "/v1/partition").json, (Json{{"watched", false}}));
  EXPECT_EQ(metrics_text(backend_).find("ekiden_partition"), std::string::npos);
  partition::Changed healed{.state = partition::State::whole, .reason = partition::Reason::members_back, .here = 20};
  healed.healed = partition::Healed{.split_for = seconds(60), .took = seconds(4), .away_most = 10, .back = 9};
  const partition::Changed split{.state = partition::State::split,
                                 .reason = partition::Reason::members_silent,
                                 .here = 12,
                                 .away = 8,
                                 .listed = {test::identity_of(2).id()}};
  backend_.network_status = {.is_watched = true,
                             .counts = {.last = split, .members = 19, .away = 10, .neighbours = 5, .well = 4},
                             .away = {test::identity_of(2).id()},
                             .history = {healed, split}};
  const Json json = ask("GET", "/v1/partition").json;
  EXPECT_EQ(json.at("state"), "split");
  EXPECT_EQ(json.at("reason"), "members-silent");
  EXPECT_EQ(json.at("here"), 10);
  EXPECT_EQ(json.at("away"), 10);
  EXPECT_EQ(json.at("neighbours_well"), 4);
  EXPECT_EQ(json.at("other_side").at(0).at("peer"), test::identity_of(2).id().text());
  ASSERT_EQ(json.at("history").size(), 2U);
  EXPECT_EQ(json.at("history").at(0).at("healed").at("back"), 9);
  EXPECT_EQ(json.at("history").at(0).at("healed").at("split_for_ms"), 60'000);
  EXPECT_FALSE(json.at("history").at(1).contains("healed"));
  EXPECT_EQ(ask("PUT", "/v1/partition", "").status, 405);
  EXPECT_NE(metrics_text(backend_).find("ekiden_partition_state 2\n"), std::string::npos);
  EXPECT_NE(metrics_text(backend_).find("ekiden_partition_away 10\n"), std::string::npos);
}

TEST_F(Service, PublishesAndListsTopics) {
  const auto answer = ask("POST", "/v1/topics/weather%2Ftokyo", R"({"body":"sunny"})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.json, (Json{{"topic", "weather/tokyo"}, {"sequence", 1}, {"neighbours", 3}}));
  EXPECT_EQ(ask("POST", "/v1/topics/weather%2Ftokyo", R"({"body":"cloudy","to":"bob"})").status, 400);
  EXPECT_EQ(ask("POST", "/v1/topics/t", "{\"body\":\"" + std::string(16'385, 'x') + "\"}").status, 413);
  EXPECT_EQ(ask("PUT", "/v1/topics/weather", "").status, 405);
  backend_.self.topics = {{.name = "weather/tokyo", .subscribers = 1, .neighbours = 4, .passive = 9, .delivered = 7}};
  const auto listed = ask("GET", "/v1/topics").json.at("topics");
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed.at(0).at("known_members"), 13);
  EXPECT_EQ(listed.at(0).at("counters").at("delivered"), 7);
  backend_.self.topic_totals.copies = 9;
  EXPECT_NE(metrics_text(backend_).find("ekiden_topic_copies_total 9\n"), std::string::npos);
}

TEST_F(Service, PutsFindsAndRemovesEntries) {
  const auto put = ask("PUT", "/v1/registry/printers%2Fthird-floor",
                       R"({"value":"tcp://10.0.3.9:631","capability":"print/colour","metadata":{"paper":"a4"}})");
  EXPECT_EQ(put.status, 200);
  EXPECT_EQ(put.json, (Json{{"name", "printers/third-floor"}, {"owner", test::identity_of(1).id().text()}}));
  EXPECT_EQ(ask("PUT", "/v1/registry/brief", R"({"value_base64":"/w==","ttl_ms":60000})").status, 200);
  EXPECT_EQ(backend_.entries.status().renewals, 1U);  // What has no end of its own.
  const auto found = ask("GET", "/v1/registry?capability=print&where=%7B%22paper%22%3A%22a4%22%7D");
  ASSERT_EQ(found.json.at("entries").size(), 1U);
  EXPECT_EQ(found.json.at("entries").at(0).at("value"), "tcp://10.0.3.9:631");
  EXPECT_EQ(found.json.at("entries").at(0).at("metadata"), (Json{{"paper", "a4"}}));
  EXPECT_EQ(ask("GET", "/v1/registry?name=brief").json.at("entries").at(0).at("value_base64"), "/w==");
  EXPECT_TRUE(ask("GET", "/v1/registry?name=brief&owner=bob").json.at("entries").empty());
  EXPECT_EQ(backend_.registry_reads, 3U);
  const auto page = ask("GET", "/v1/registry?limit=1");
  ASSERT_EQ(page.json.at("entries").size(), 1U);
  const auto next = ask("GET", "/v1/registry?limit=1&after=" + page.json.at("next").get<std::string>());
  ASSERT_EQ(next.json.at("entries").size(), 1U);
  EXPECT_NE(next.json.at("entries").at(0).at("name"), page.json.at("entries").at(0).at("name"));
  EXPECT_EQ(ask("DELETE", "/v1/registry/brief").status, 204);
  EXPECT_EQ(ask("DELETE", "/v1/registry/brief").status, 404);
  EXPECT_EQ(ask("GET", "/v1/registry").json.at("entries").size(), 1U);
  EXPECT_NE(metrics_text(backend_).find("ekiden_registry_neighbours 0\n"), std::string::npos);
}

TEST_F(Service, RefusesEntriesThatCannotBe) {
  EXPECT_EQ(ask("PUT", "/v1/registry/No%20Name", R"({"value":"x"})").status, 400);
  EXPECT_EQ(ask("PUT", "/v1/registry/n", R"({"value":"x","shape":"ring"})").status, 400);
  EXPECT_EQ(ask("PUT", "/v1/registry/n", R"({"value":"x","value_base64":"eA=="})").status, 400);
  EXPECT_EQ(ask("PUT", "/v1/registry/n", R"({"metadata":{"paper":4}})").status, 400);
  EXPECT_EQ(ask("PUT", "/v1/registry/n", R"({"ttl_ms":5})").status, 400);
  EXPECT_EQ(ask("PUT", "/v1/registry/n", R"({"value":"x","owner":"bob"})").status, 404);
  EXPECT_EQ(ask("PUT", "/v1/registry/n", R"({"valeu":"x"})").status, 400);
  EXPECT_EQ(ask("GET", "/v1/registry?where=paper").status, 400);
  EXPECT_EQ(ask("GET", "/v1/registry?limit=0").status, 400);
  EXPECT_EQ(ask("GET", "/v1/registry?after=x").status, 400);
}

TEST_F(Service, ShowsSetsAndConflicts) {
  EXPECT_EQ(ask("PUT", "/v1/registry/pool", R"({"shape":"set","add":["n1","n2"],"writers":["bob"]})").status, 200);
  const auto pool = ask("GET", "/v1/registry?name=pool").json.at("entries").at(0);
  EXPECT_EQ(pool.at("elements"), (Json{"n1", "n2"}));
  EXPECT_EQ(pool.at("writers"), (Json{bob_}));
  EXPECT_EQ(ask("PUT", "/v1/registry/pool", R"({"shape":"set","take":["n1"],"writers":["bob"]})").status, 200);
  EXPECT_EQ(ask("GET", "/v1/registry?name=pool").json.at("entries").at(0).at("elements"), (Json{"n2"}));
  EXPECT_TRUE(ask("GET", "/v1/registry-conflicts").json.at("conflicts").empty());
}

TEST_F(Service, IsHealthyWhileItTakesMessages) {
  EXPECT_EQ(ask("GET", "/healthz").status, 200);
  backend_.self.storage = Error{Errc::storage_full, "no space left on device"};
  const auto failing = ask("GET", "/healthz");
  EXPECT_EQ(failing.status, 503);
  EXPECT_EQ(failing.json.at("storage"), false);
  backend_.self.storage.reset();
  backend_.self.ready = false;
  EXPECT_EQ(ask("GET", "/healthz").status, 503);
}

TEST_F(Service, IsNotHealthyWithACertificateThatHasEnded) {
  EXPECT_EQ(metrics_text(backend_).find("tls_certificate"), std::string::npos);
  EXPECT_FALSE(ask("GET", "/healthz").json.contains("certificate_end"));
  backend_.certificate = backend_.now().wall + seconds(1);
  EXPECT_EQ(ask("GET", "/healthz").status, 200);
  backend_.certificate = backend_.now().wall;
  const auto over = ask("GET", "/healthz");
  EXPECT_EQ(over.status, 503);
  EXPECT_EQ(over.json.at("certificate_end"), "1970-01-01T00:00:00Z");
  EXPECT_NE(metrics_text(backend_).find("ekiden_tls_certificate_end_seconds 0\n"), std::string::npos);
}

TEST_F(Service, CountsForPrometheus) {
  backend_.self.dht.nodes = 42;
  backend_.self.router.delivered = 7;
  const std::string text = metrics_text(backend_);
  EXPECT_NE(text.find("# TYPE ekiden_dht_nodes gauge\nekiden_dht_nodes 42\n"), std::string::npos) << text;
  EXPECT_NE(text.find("# TYPE ekiden_messages_delivered_total counter\nekiden_messages_delivered_total 7\n"),
            std::string::npos);
  EXPECT_NE(text.find("ekiden_build_info{version=\""), std::string::npos);
  EXPECT_EQ(text.find(bob_), std::string::npos);
  EXPECT_EQ(text.find("ek1"), std::string::npos);
}

TEST_F(Service, TriesOneEndpointOfAPeer) {
  backend_.answers["tcp://203.0.113.9:7420"] = {.round_trip = milliseconds(12), .version = 1};
  const auto found = ask("POST", "/v1/probes", R"({"peer":"bob","endpoint":"tcp://203.0.113.9:7420"})");
  EXPECT_EQ(found.status, 200);
  EXPECT_EQ(found.json.at("reachable"), true);
  EXPECT_EQ(found.json.at("round_trip_us"), 12'000);
  EXPECT_EQ(found.json.at("name"), "bob");
  const auto not_there =
      ask("POST", "/v1/probes", R"({"peer":"bob","endpoint":"tcp://203.0.113.9:1","from":"record"})");
  EXPECT_EQ(not_there.status, 200);
  EXPECT_EQ(not_there.json.at("reachable"), false);
  EXPECT_EQ(not_there.json.at("problem").at("code"), "unreachable");
  ASSERT_EQ(backend_.probes.size(), 2U);
  EXPECT_EQ(backend_.probes[0].learned_from, identity::LearnedFrom::configuration);
  EXPECT_EQ(backend_.probes[1].learned_from, identity::LearnedFrom::remote_record);
  EXPECT_EQ(ask("POST", "/v1/probes", R"({"peer":"nobody","endpoint":"tcp://203.0.113.9:1"})").status, 404);
  for (const auto* bad : {"[]", "{}", R"({"peer":"bob"})", R"({"peer":"bob","endpoint":7})",
                          R"({"peer":"bob","endpoint":"tcp://a:1","from":"me"})",
                          R"({"peer":"bob","endpoint":"tcp://a:1","x":1})", R"({"peer":"bob","endpoint":"a:1"})"}) {
    EXPECT_EQ(ask("POST", "/v1/probes", bad).status, 400) << bad;
  }
}

TEST_F(Service, ShowsHowAPeerCanBeReached) {
  identity::PeerRecord record;
  record.sequence = 7;
  backend_.held_records[test::identity_of(2).id()] = {record, Bytes{1, 2}};
  const auto bob = ask("GET", "/v1/peers/bob");
  EXPECT_EQ(bob.status, 200);
  EXPECT_EQ(bob.json.at("peer"), bob_);
  EXPECT_EQ(bob.json.at("record").at("sequence"), 7);
  EXPECT_EQ(bob.json.at("linked"), false);
  EXPECT_EQ(bob.json.at("self"), false);
  EXPECT_EQ(ask("GET", "/v1/peers/" + backend_.self.id.text()).json.at("self"), true);
  EXPECT_EQ(ask("GET", "/v1/peers/nobody").status, 404);
}

TEST_F(Service, ShowsWhatDiscoveryHasFound) {
  backend_.discovered = {{.node = test::identity_of(2).id(),
                          .endpoints = {*identity::Endpoint::parse("tcp://203.0.113.9:7420")},
                          .source = {},
                          .signer = test::identity_of(3).id(),
                          .depth = 2,
                          .score = 5000,
                          .up = true,
                          .latency = milliseconds(30),
                          .last_reached = {},
                          .next_probe = {},
                          .last_error = {}}};
  const auto shown = ask("GET", "/v1/bootstrap");
  EXPECT_EQ(shown.status, 200);
  EXPECT_EQ(shown.json.at("nodes_total"), 1);
  const auto& node = shown.json.at("nodes").at(0);
  EXPECT_EQ(node.at("name"), "bob");
  EXPECT_EQ(node.at("signer"), test::identity_of(3).id().text());
  EXPECT_EQ(node.at("depth"), 2);
  EXPECT_EQ(node.at("latency_us"), 30'000);
  EXPECT_FALSE(node.contains("source"));
  EXPECT_FALSE(node.contains("last_error"));
}

TEST_F(Service, ProbesBootstrapNodesWhenAsked) {
  EXPECT_EQ(ask("POST", "/v1/bootstrap/probe").status, 202);
  EXPECT_EQ(backend_.bootstrap_probes, 1U);
  EXPECT_EQ(ask("GET", "/v1/bootstrap/probe").status, 405);
}

TEST_F(Service, ListsTheNodesThatItKnows) {
  backend_.nodes = {{test::identity_of(2).public_key(), {identity::IpAddress::v4({203, 0, 113, 9}), 7420}}};
  const auto answer = ask("GET", "/v1/peers");
  EXPECT_EQ(answer.status, 200);
  ASSERT_EQ(answer.json.at("nodes").size(), 1U);
  EXPECT_EQ(answer.json.at("nodes").at(0).at("name"), "bob");
  EXPECT_EQ(answer.json.at("nodes").at(0).at("at"), "udp://203.0.113.9:7420");
}

TEST_F(Service, ListsThePeersThatItIsLinkedTo) {
  EXPECT_TRUE(ask("GET", "/v1/peers").json.at("links").empty());
  link::LinkStatus link;
  link.peer = test::identity_of(2).id();
  link.remote = "203.0.113.9:7420";
  link.transport = identity::Endpoint::Transport::wss;
  link.since = backend_.now().mono - milliseconds(61'500);
  link.round_trip = microseconds(2'100);
  backend_.self.links = {link, link};
  backend_.self.links.front().carries_traffic = true;
  const auto links = ask("GET", "/v1/peers").json.at("links");
  ASSERT_EQ(links.size(), 1U) << "one for each peer";
  EXPECT_EQ(links.at(0).at("name"), "bob");
  EXPECT_EQ(links.at(0).at("remote"), "203.0.113.9:7420");
  EXPECT_EQ(links.at(0).at("direction"), "in");
  EXPECT_EQ(links.at(0).at("transport"), "wss");
  EXPECT_EQ(links.at(0).at("age_ms"), 61'500);
  EXPECT_EQ(links.at(0).at("since"), iso_time(backend_.now().wall - milliseconds(61'500)));
  EXPECT_EQ(links.at(0).at("round_trip_us"), 2'100);
  EXPECT_EQ(ask("GET", "/v1/status").json.at("links").at(0), links.at(0)) << "as the status shows it";
}

TEST_F(Service, ListsItsSessionsOfDatagrams) {
  EXPECT_TRUE(ask("GET", "/v1/peers").json.at("datagram_sessions").empty());
  const identity::NodeInfo bob{test::identity_of(2).public_key(), {identity::IpAddress::v4({203, 0, 113, 9}), 7420}};
  const Instant since = backend_.now().mono - seconds(5);
  backend_.over_udp = {{bob, /*begun_by_us=*/true, since, microseconds(900)}, {bob, /*begun_by_us=*/false, since, {}}};
  const auto sessions = ask("GET", "/v1/peers").json.at("datagram_sessions");
  ASSERT_EQ(sessions.size(), 2U);
  EXPECT_EQ(sessions.at(0), api::Json({{"peer", bob.id().text()},
                                       {"name", "bob"},
                                       {"remote", "udp://203.0.113.9:7420"},
                                       {"transport", "udp"},
                                       {"direction", "out"},
                                       {"since", iso_time(backend_.now().wall - seconds(5))},
                                       {"age_ms", 5000},
                                       {"round_trip_us", 900}}));
  EXPECT_EQ(sessions.at(1).at("direction"), "in");
  EXPECT_FALSE(sessions.at(1).contains("round_trip_us"));
}

TEST_F(Service, ListsThePeersThatItHearsOnTheLocalNetwork) {
  EXPECT_TRUE(ask("GET", "/v1/peers").json.at("lan").empty());
  EXPECT_FALSE(ask("GET", "/v1/peers/bob").json.contains("lan"));
  backend_.lan = {
      {.peer = test::identity_of(2).id(), .endpoints = {*identity::Endpoint::parse("tcp://10.0.0.9:7420")}}};
  backend_.self.lan.on = true;
  backend_.self.lan.peers = 1;
  const auto peers = ask("GET", "/v1/peers").json.at("lan");
  ASSERT_EQ(peers.size(), 1U);
  EXPECT_EQ(peers.at(0).at("name"), "bob");
  EXPECT_EQ(peers.at(0).at("endpoints").at(0), "tcp://10.0.0.9:7420");
  EXPECT_EQ(ask("GET", "/v1/peers/bob").json.at("lan").at(0), "tcp://10.0.0.9:7420");
  const auto lan = ask("GET", "/v1/status").json.at("discovery").at("lan");
  EXPECT_EQ(lan.at("on"), true);
  EXPECT_EQ(lan.at("peers"), 1);
}

TEST_F(Service, TellsAboutItself) {
  backend_.self.storage = Error{Errc::storage_full, "the disk is full"};
  const auto status = ask("GET", "/v1/status");
  EXPECT_EQ(status.json.at("id"), backend_.self.id.text());
  EXPECT_EQ(status.json.at("uptime_ms"), 61'000);
  EXPECT_EQ(status.json.at("storage_problem").at("code"), "storage-full");
  EXPECT_EQ(ask("GET", "/v1/identity").json.at("id"), backend_.self.id.text());
}

}  // namespace
}  // namespace ekiden::api
