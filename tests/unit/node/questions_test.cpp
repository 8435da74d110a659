// Questions to peers and to whoever offers a capability, and their answers.
#include <gtest/gtest.h>

#include "harness.hpp"
#include "router/asks.hpp"

namespace ekiden::node {
namespace {

std::string text_of(const router::ArrivedPtr& message) { return std::string(as_text(message->body)); }

router::Question question_to(const identity::PeerId& to, const std::string& text, const std::string& capability = "") {
  return {.to = to, .capability = capability, .body = to_bytes(as_bytes(text))};
}

router::Question question_for(const std::string& capability, const std::string& text) {
  return {.capability = capability, .body = to_bytes(as_bytes(text))};
}

/// Returns the request, whose answer is in `answers`.
std::uint64_t ask(Harness& net, std::size_t i, router::Question question) {
  const RequestId request = net.next_request();
  net.feed(i, AskQuestion{request, std::move(question)});
  net.pump();
  return static_cast<std::uint64_t>(request);
}

std::uint64_t answer(Harness& net, std::size_t i, std::uint64_t number, const std::string& text, bool failed = false) {
  const RequestId request = net.next_request();
  net.feed(i, AnswerQuestion{request, number, {.failed = failed, .body = to_bytes(as_bytes(text))}});
  net.pump();
  return static_cast<std::uint64_t>(request);
}

Errc error_of(Harness& net, std::size_t i, std::uint64_t request) {
  const auto found = net[i].answers.find(request);
  if (found == net[i].answers.end() || found->second.result) return Errc::internal;
  return found->second.result.error().code;
}

const router::InboxFilter kRequests{.messages = false, .requests = true, .replies = false};

/// Two nodes that know each other; the second offers "echo".
Harness make_pair() {
  Harness net(2);
  net.introduce(0, 1, "bob");
  net.send(0, 1, "hello");
  offer(net, 1, "echo");
  net[1].arrivals.clear();
  return net;
}

TEST(Questions, AreAnsweredOnce) {
  Harness net = make_pair();
  const auto request = ask(net, 0, question_to(net[1].id, "ping", "echo"));
  ASSERT_EQ(net[1].arrivals.size(), 1U);
  EXPECT_EQ(net[1].arrivals[0]->exchange->capability, "echo");
  const auto waiting = net[1].node->requests("echo", 0, 10);
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_TRUE(net[1].node->requests("ocr", 0, 10).empty());
  EXPECT_TRUE(net[0].answers.empty());

  const auto done = answer(net, 1, waiting[0]->number, "pong");
  ASSERT_TRUE(net[1].replies.at(done)) << net[1].replies.at(done).error().message;
  EXPECT_EQ(*net[1].replies.at(done), router::reply_id(*waiting[0], net[1].id));
  ASSERT_TRUE(net[0].answers.contains(request));
  const Answered& answered = net[0].answers.at(request);
  ASSERT_TRUE(answered.result) << answered.result.error().message;
  EXPECT_EQ(text_of(answered.result->message), "pong");
  EXPECT_EQ(answered.to, net[1].id);
  EXPECT_TRUE(net[0].arrivals.empty()) << "a reply that somebody waits for is no message for the application";
  EXPECT_TRUE(net[0].node->inbox(0, 10).empty());
  EXPECT_TRUE(net[1].node->requests("echo", 0, 10).empty());
  EXPECT_EQ(net[1].replies.at(answer(net, 1, waiting[0]->number, "pong")).error().code, Errc::not_found);
}

TEST(Questions, NeedNoNameWhereOneThingIsOffered) {
  Harness net = make_pair();
  ask(net, 0, question_to(net[1].id, "ping"));
  EXPECT_EQ(net[1].node->requests("echo", 0, 10).size(), 1U);
  const auto below = ask(net, 0, question_to(net[1].id, "ping", "ech"));
  EXPECT_EQ(error_of(net, 0, below), Errc::failed) << "a part of a word is no part of a path";
  offer(net, 1, "ocr");
  const auto unclear = ask(net, 0, question_to(net[1].id, "ping"));
  EXPECT_EQ(error_of(net, 0, unclear), Errc::failed);
  EXPECT_NE(net[0].answers.at(unclear).result.error().message.find("echo, ocr"), std::string::npos);
}

TEST(Questions, HearWhatWentWrong) {
  Harness net = make_pair();
  const auto request = ask(net, 0, question_to(net[1].id, "ping", "echo"));
  answer(net, 1, net[1].arrivals[0]->number, "no such file", /*failed=*/true);
  EXPECT_EQ(error_of(net, 0, request), Errc::failed);
  EXPECT_EQ(net[0].answers.at(request).result.error().message, "no such file");
}

TEST(Questions, AreRefusedWhereNothingOfTheKindIsOffered) {
  Harness net = make_pair();
  const auto request = ask(net, 0, question_to(net[1].id, "ping", "ocr"));
  EXPECT_EQ(error_of(net, 0, request), Errc::failed);
  EXPECT_NE(net[0].answers.at(request).result.error().message.find("does not offer \"ocr\""), std::string::npos);
  EXPECT_TRUE(net[1].arrivals.empty());
  EXPECT_TRUE(net[1].node->inbox(0, 10, kRequests).empty());
}

TEST(Questions, AreRefusedWhenTheOfferIsWithdrawn) {
  Harness net = make_pair();
  const auto request = ask(net, 0, question_to(net[1].id, "ping", "echo"));
  EXPECT_TRUE(net[0].answers.empty());
  net.request<WithdrawCapability>(1, "echo");
  EXPECT_EQ(error_of(net, 0, request), Errc::failed);
  EXPECT_TRUE(net[1].node->inbox(0, 10, kRequests).empty());
}

TEST(Questions, EndWithTheirDeadlineAndSayHowFarTheyCame) {
  Harness net = make_pair();
  const auto delivered = ask(net, 0, question_to(net[1].id, "ping", "echo"));
  net.advance(seconds(29));
  EXPECT_TRUE(net[0].answers.empty());
  net.advance(seconds(1));
  EXPECT_EQ(error_of(net, 0, delivered), Errc::timed_out);
  EXPECT_EQ(net[0].answers.at(delivered).result.error().message, "it has the request and did not answer within 30 s");
  EXPECT_TRUE(net[1].node->inbox(0, 10, kRequests).empty()) << "what nobody waits for any more must not fill the inbox";

  net.crash(1);
  const auto lost = ask(net, 0, question_to(net[1].id, "ping", "echo"));
  net.advance(seconds(30));
  EXPECT_EQ(error_of(net, 0, lost), Errc::timed_out);
  EXPECT_EQ(net[0].answers.at(lost).result.error().message, "it was not reached within 30 s");
}

TEST(Questions, ThatMakeNoSenseAreRefused) {
  Harness net = make_pair();
  const auto refused = [&](router::Question question) { return error_of(net, 0, ask(net, 0, std::move(question))); };
  EXPECT_EQ(refused({}), Errc::invalid_argument);
  EXPECT_EQ(refused(question_to(net[0].id, "me")), Errc::invalid_argument);
  EXPECT_EQ(refused(question_for("Ocr", "x")), Errc::invalid_argument);
  auto hasty = question_to(net[1].id, "x");
  hasty.timeout = Duration(0);
  EXPECT_EQ(refused(hasty), Errc::invalid_argument);
  hasty.timeout = router::kMaxAskTimeout + seconds(1);
  EXPECT_EQ(refused(hasty), Errc::invalid_argument);
  auto large = question_to(net[1].id, "x");
  large.body.resize(router::kMaxBody + 1);
  EXPECT_EQ(refused(large), Errc::too_large);
}

TEST(Questions, AreAskedAgainAfterACrashUntilTheyAreAnswered) {
  Harness net = make_pair();
  const auto request = ask(net, 0, question_to(net[1].id, "ping", "echo"));
  net.crash(1);
  net.boot(1);
  ASSERT_EQ(net[1].node->requests("echo", 0, 10).size(), 1U);
  net.advance(seconds(5));
  answer(net, 1, net[1].arrivals.back()->number, "pong");
  net.advance(seconds(5));
  ASSERT_TRUE(net[0].answers.contains(request));
  EXPECT_TRUE(net[0].answers.at(request).result);
}

TEST(Questions, GetOneAnswerWhateverIsSaidAfterACrash) {
  Harness net = make_pair();
  const auto request = ask(net, 0, question_to(net[1].id, "ping", "echo"));
  const std::uint64_t number = net[1].arrivals[0]->number;
  // The reply is on disk, that the request is taken is not.
  net[1].disk_syncs = false;
  net.feed(1, AnswerQuestion{net.next_request(), number, {.body = to_bytes(as_bytes("first"))}});
  net.pump();
  ASSERT_FALSE(net[1].unsynced.empty());
  const Persist reply = net[1].unsynced.front();
  net[1].disk.apply(reply.batch);
  net.crash(1);
  net[1].disk_syncs = true;
  net.boot(1);
  ASSERT_EQ(net[1].node->requests("echo", 0, 10).size(), 1U);
  const auto again = answer(net, 1, number, "second");
  EXPECT_TRUE(net[1].replies.at(again)) << "the answer of before stands";
  EXPECT_TRUE(net[1].node->requests("echo", 0, 10).empty());
  net.advance(seconds(10));
  ASSERT_TRUE(net[0].answers.contains(request));
  ASSERT_TRUE(net[0].answers.at(request).result);
  EXPECT_EQ(text_of(net[0].answers.at(request).result->message), "first");
}

TEST(Questions, AreAnsweredOnlyByWhomTheyWentTo) {
  Harness net(3);
  net.introduce(0, 1, "bob");
  net.introduce(2, 0, "alice");
  net.send(0, 1, "hello");
  offer(net, 1, "echo");
  const auto request = ask(net, 0, question_to(net[1].id, "ping", "echo"));
  router::Draft forged;
  forged.to = net[0].id;
  forged.in_reply_to = net[1].arrivals.back()->id;
  forged.exchange = router::Exchange{router::Exchange::Part::reply, ""};
  net.feed(2, SendMessage{net.next_request(), forged});
  net.pump();
  EXPECT_FALSE(net[0].answers.contains(request));
  const router::InboxFilter replies{.messages = false, .requests = false};
  ASSERT_EQ(net[0].node->inbox(0, 10, replies).size(), 1U);
  answer(net, 1, net[1].arrivals.back()->number, "pong");
  ASSERT_TRUE(net[0].answers.contains(request));
  EXPECT_EQ(text_of(net[0].answers.at(request).result->message), "pong");
}

TEST(Questions, LeaveNoReplyBehindThatCameTooLate) {
  Harness net = make_pair();
  net.introduce(1, 0, "alice");
  ask(net, 0, question_to(net[1].id, "ping", "echo"));
  const std::uint64_t number = net[1].arrivals[0]->number;
  net.crash(0);
  net.boot(0);
  answer(net, 1, number, "pong");
  net.advance(seconds(5));
  ASSERT_EQ(net[0].node->inbox(0, 10).size(), 1U) << "whom the crash made forget the question can still read it";
  net.advance(minutes(1));
  EXPECT_TRUE(net[0].node->inbox(0, 10).empty());
}

TEST(Questions, AndMessagesAreApart) {
  Harness net = make_pair();
  ask(net, 0, question_to(net[1].id, "ping", "echo"));
  net.send(0, 1, "hello");
  const router::InboxFilter messages{.messages = true, .requests = false, .replies = false};
  EXPECT_EQ(text_of(net[1].node->inbox(0, 10, messages).back()), "hello");
  EXPECT_EQ(net[1].node->requests("echo", 0, 10).size(), 1U);
}

TEST(Anycast, AsksANeighbourThatOffersItWithoutASearch) {
  Harness net = make_pair();
  net.advance(seconds(1));
  const auto request = ask(net, 0, question_for("echo", "ping"));
  ASSERT_EQ(net[1].node->requests("echo", 0, 10).size(), 1U);
  answer(net, 1, net[1].arrivals.back()->number, "pong");
  ASSERT_TRUE(net[0].answers.contains(request));
  EXPECT_EQ(net[0].answers.at(request).to, net[1].id);
  const auto nobody = ask(net, 0, question_for("ocr", "x"));
  EXPECT_EQ(error_of(net, 0, nobody), Errc::not_found);
}

TEST(Anycast, FindsWhoOffersItInTheNetwork) {
  Harness net = make_network(6);
  offer(net, 4, "translate/ja-en");
  const auto request = ask(net, 5, question_for("translate", "猫"));
  net.advance(seconds(5));
  ASSERT_EQ(net[4].node->requests("translate/ja-en", 0, 10).size(), 1U);
  answer(net, 4, net[4].arrivals.back()->number, "cat");
  net.advance(seconds(1));
  ASSERT_TRUE(net[5].answers.contains(request));
  ASSERT_TRUE(net[5].answers.at(request).result) << net[5].answers.at(request).result.error().message;
  EXPECT_EQ(net[5].answers.at(request).result->capability, "translate/ja-en");
  EXPECT_EQ(net[5].answers.at(request).to, net[4].id);
}

TEST(Anycast, TurnsToTheNextWhenTheFirstIsGone) {
  Harness net = make_network(6);
  offer(net, 2, "ocr");
  offer(net, 4, "ocr");
  net.crash(4);
  std::size_t answered = 0;
  for (int i = 0; i < 4; ++i) {
    net[2].arrivals.clear();
    const auto request = ask(net, 5, question_for("ocr", "page"));
    net.advance(seconds(12));
    ASSERT_EQ(net[2].arrivals.size(), 1U) << "question " << i;
    answer(net, 2, net[2].arrivals.back()->number, "text");
    net.advance(seconds(1));
    answered += net[5].answers.contains(request) && net[5].answers.at(request).result ? 1 : 0;
  }
  EXPECT_EQ(answered, 4U);
}

TEST(Anycast, TurnsToTheNextWhenTheFirstOffersItNoLonger) {
  Harness net(3);
  for (const std::size_t other : {std::size_t{1}, std::size_t{2}}) {
    net.introduce(0, other, "peer" + std::to_string(other));
    net.send(0, other, "hello");
    offer(net, other, "ocr");
    net[other].arrivals.clear();
  }
  // Both are asked in their turn; whoever is asked withdraws, and the other one gets the question.
  const auto request = ask(net, 0, question_for("ocr", "page"));
  const std::size_t first = net[1].arrivals.empty() ? 2 : 1;
  const std::size_t second = 3 - first;
  ASSERT_EQ(net[first].arrivals.size(), 1U);
  ASSERT_TRUE(net[second].arrivals.empty());
  net.request<WithdrawCapability>(first, "ocr");
  ASSERT_EQ(net[second].arrivals.size(), 1U);
  answer(net, second, net[second].arrivals.back()->number, "text");
  ASSERT_TRUE(net[0].answers.contains(request));
  EXPECT_EQ(net[0].answers.at(request).to, net[second].id);
}

std::uint64_t place(Harness& net, std::size_t i, const std::string& capability, const std::string& text,
                    std::optional<router::MessageId> id = {}) {
  const RequestId request = net.next_request();
  router::Draft draft;
  draft.body = to_bytes(as_bytes(text));
  draft.id = id;
  net.feed(i, PlaceMessage{request, std::move(draft), capability});
  net.pump();
  return static_cast<std::uint64_t>(request);
}

TEST(Anycast, SendsAMessageToOneOfThem) {
  Harness net = make_network(6);
  offer(net, 2, "print/a4");
  const auto request = place(net, 5, "print", "page");
  net.advance(seconds(5));
  ASSERT_TRUE(net[5].placed.contains(request));
  const auto& placed = net[5].placed.at(request).result;
  ASSERT_TRUE(placed) << placed.error().message;
  EXPECT_EQ(placed->to, net[2].id);
  EXPECT_EQ(placed->capability, "print/a4");
  EXPECT_TRUE(placed->linked);
  ASSERT_EQ(net[2].arrivals.size(), 1U);
  EXPECT_FALSE(net[2].arrivals[0]->exchange);
}

TEST(Anycast, SendsARepeatedMessageWhereItWentFirst) {
  Harness net(3);
  for (const std::size_t other : {std::size_t{1}, std::size_t{2}}) {
    net.introduce(0, other, "peer" + std::to_string(other));
    net.send(0, other, "hello");
    offer(net, other, "print");
  }
  Rng rng{Rng::Seed{7}};
  const auto id = Uuid::random(rng);
  const auto first = place(net, 0, "print", "page", id);
  const auto to = net[0].placed.at(first).result->to;
  for (int i = 0; i < 5; ++i) {
    const auto again = place(net, 0, "print", "page", id);
    ASSERT_TRUE(net[0].placed.at(again).result);
    EXPECT_EQ(net[0].placed.at(again).result->to, to);
  }
  const auto other = place(net, 0, "print", "another page", id);
  EXPECT_EQ(net[0].placed.at(other).result.error().code, Errc::already_exists);
}

TEST(Anycast, KeepsTheMessageForTheBestWhenNobodyCanBeReached) {
  Harness net = make_network(6);
  offer(net, 2, "print");
  net.crash(2);
  const auto request = place(net, 5, "print", "page");
  net.advance(seconds(15));
  ASSERT_TRUE(net[5].placed.contains(request));
  ASSERT_TRUE(net[5].placed.at(request).result);
  EXPECT_FALSE(net[5].placed.at(request).result->linked);
  net.boot(2);
  net.advance(minutes(10));
  EXPECT_EQ(text_of(net[2].arrivals.back()), "page");
}

}  // namespace
}  // namespace ekiden::node
