#include "cli/commands.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "runtime/contacts_file.hpp"
#include "unit/api/support/server_fixture.hpp"

namespace ekiden::cli {
namespace {

using api::test::FakeBackend;

/// An output that fails, as a full disk behind a pipe does.
class FullDisk : public std::streambuf {};

class Commands : public testing::Test {
 protected:
  Context context(OutputMode mode = {}) {
    output_.emplace(out_, err_, mode);
    return {server_.data_dir(), *output_};
  }
  static OutputMode json() { return {.json = true}; }

  std::string printed() {
    auto text = out_.str();
    out_.str("");
    return text;
  }

  std::filesystem::path file(const std::string& content) {
    const auto path = server_.data_dir() / "file";
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  static std::string content_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  api::test::ServerFixture server_;
  std::ostringstream out_;
  std::ostringstream err_;
  std::optional<Output> output_;
  const std::string carol_ = api::test::identity_of(3).id().text();
};

TEST_F(Commands, AskPrintsTheAnswer) {
  ASSERT_TRUE(run_ask(context(), {.to = "bob", .text = "how are you?", .timeout = seconds(5)}));
  EXPECT_EQ(printed(), "how are you?\n");
  ASSERT_TRUE(run_ask(context(json()), {.to = "@ocr", .text = "page"}));
  EXPECT_EQ(api::parse_json(printed())->at("reply").at("body"), "page");
  server_.run([](FakeBackend& backend) {
    EXPECT_EQ(backend.questions.front().timeout, seconds(5));
    EXPECT_EQ(backend.questions.back().capability, "ocr");
    backend.accepts = false;
    backend.refusal = Error{Errc::timed_out, "it did not answer within 1 s"};
  });
  const auto late = run_ask(context(), {.to = "bob", .text = "x"});
  ASSERT_FALSE(late);
  EXPECT_EQ(exit_code_of(late.error().code), ExitCode::timed_out);
  EXPECT_EQ(late.error().message, "bob: it did not answer within 1 s");
}

TEST_F(Commands, SendSaysWhomItChoseAndWhenThereIsNoRoom) {
  ASSERT_TRUE(run_send(context(json()), {.to = "@print", .text = "page"}));
  const auto object = *api::parse_json(printed());
  EXPECT_EQ(object.at("name"), "bob");
  EXPECT_EQ(object.at("state"), "accepted");
  server_.run([](FakeBackend& backend) {
    backend.accepts = false;
    backend.refusal = Error{Errc::limit_exceeded, "the outbox is full"};
  });
  const auto full = run_send(context(), {.to = "bob", .text = "hi"});
  ASSERT_FALSE(full);
  EXPECT_EQ(exit_code_of(full.error().code), ExitCode::no_room);
  EXPECT_NE(full.error().message.find("ekiden outbox"), std::string::npos);
}

TEST_F(Commands, SendSaysWhyItWaitsForAFullDisk) {
  server_.run([](FakeBackend& backend) {
    backend.held = true;
    backend.self.storage = Error{Errc::storage_full, "ekiden.db: cannot commit: the disk is full"};
  });
  Status sent = fail(Errc::internal, "not yet");
  std::thread sender([&] { sent = run_send(context(), {.to = "bob", .text = "hi"}); });
  std::size_t asked = 0;
  for (const auto deadline = std::chrono::steady_clock::now() + seconds(20);
       asked == 0 && std::chrono::steady_clock::now() < deadline; std::this_thread::yield()) {
    server_.run([&](const FakeBackend& backend) { asked = backend.status_asked; });
  }
  server_.run([](FakeBackend& backend) {
    for (auto& done : backend.held_sends) done(api::test::message_id(7));
  });
  sender.join();
  EXPECT_TRUE(sent);
  EXPECT_EQ(printed(), api::test::message_id(7).text() + "\n");
  EXPECT_EQ(err_.str(),
            "ekiden: the node cannot write: ekiden.db: cannot commit: the disk is full. The message is in its memory "
            "until then, and accepted once it is written; waiting\n");
}

TEST_F(Commands, OutboxAndInboxFilter) {
  ASSERT_TRUE(run_send(context(), {.to = "bob", .text = "hi"}));
  printed();
  ASSERT_TRUE(run_outbox(context(json()), {.to = "bob", .state = "queued"}));
  EXPECT_NE(printed(), "");
  ASSERT_TRUE(run_outbox(context(json()), {.state = "delivered"}));
  EXPECT_EQ(printed(), "");
  server_.run([](FakeBackend& backend) { backend.be_asked("a question", "ocr"); });
  ASSERT_TRUE(run_inbox(context(json()), {.peek = true}));
  EXPECT_EQ(printed(), "");
  ASSERT_TRUE(run_inbox(context(json()), {.peek = true, .purpose = "request"}));
  EXPECT_EQ(api::parse_json(printed())->at("capability"), "ocr");
}

TEST_F(Commands, SendPrintsTheIdOfTheMessage) {
  ASSERT_TRUE(run_send(context(), {.to = "bob", .text = "hi"}));
  EXPECT_EQ(printed(), api::test::message_id(1).text() + "\n");
  ASSERT_TRUE(run_send(context(json()), {.to = "bob", .text = "hi", .priority = "high", .ttl = hours(1)}));
  const auto object = *api::parse_json(printed());
  EXPECT_EQ(object.at("state"), "accepted");
  server_.run([](FakeBackend& backend) {
    EXPECT_EQ(as_text(backend.drafts.back().body), "hi");
    EXPECT_EQ(backend.drafts.back().ttl, hours(1));
    EXPECT_EQ(backend.drafts.back().priority, wire::Priority::high);
  });
}

TEST_F(Commands, SendReadsFilesOfAnyBytes) {
  std::string everything;
  for (int i = 0; i < 256; ++i) everything.push_back(static_cast<char>(i));
  const std::string awkward(router::kMaxBody, '"');
  for (const auto& body : {everything, awkward, std::string()}) {
    ASSERT_TRUE(run_send(context(), {.to = "bob", .file = file(body).string()}));
    server_.run([&](FakeBackend& backend) { EXPECT_EQ(as_text(backend.drafts.back().body), body); });
  }
  const auto large = run_send(context(), {.to = "bob", .file = file(std::string(router::kMaxBody + 1, 'x')).string()});
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, Errc::too_large);
  EXPECT_EQ(run_send(context(), {.to = "bob", .file = "/nonexistent"}).error().code, Errc::not_found);
}

TEST_F(Commands, SendWaitsForTheReceipt) {
  server_.run([](FakeBackend& backend) { backend.delivers = true; });
  ASSERT_TRUE(run_send(context(json()), {.to = "bob", .text = "hi", .wait = "delivered"}));
  std::istringstream lines(printed());
  std::string accepted;
  std::string delivered;
  std::getline(lines, accepted);
  std::getline(lines, delivered);
  EXPECT_EQ(api::parse_json(accepted)->at("state"), "accepted");
  EXPECT_EQ(api::parse_json(delivered)->at("state"), "delivered");
}

TEST_F(Commands, SendStopsWaitingInTime) {
  const auto done = run_send(context(), {.to = "bob", .text = "hi", .wait = "delivered", .timeout = milliseconds(20)});
  ASSERT_FALSE(done);
  EXPECT_EQ(exit_code_of(done.error().code), ExitCode::timed_out);
  EXPECT_NE(done.error().message.find(api::test::message_id(1).text()), std::string::npos);
}

TEST_F(Commands, SendSaysThatNobodyHasTheName) {
  const auto done = run_send(context(), {.to = "nobody", .text = "hi"});
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("nobody"), std::string::npos);
}

TEST_F(Commands, RegistryPutsFindsAndRemoves) {
  ASSERT_TRUE(
      run_registry_put(context(), {.name = "ocr/fast", .value = "here", .capability = "ocr", .where = {"lang=ja"}}));
  EXPECT_EQ(printed(), "put; this node renews it until `ekiden registry remove ocr/fast`\n");
  ASSERT_TRUE(run_registry_put(context(), {.name = "brief", .value = "x", .ttl = minutes(10)}));
  EXPECT_EQ(printed(), "put for 10 min\n");
  ASSERT_TRUE(run_registry_find(context(json()), {.capability = "ocr", .where = {"lang=ja"}}));
  EXPECT_EQ(api::parse_json(printed())->at("name"), "ocr/fast");
  ASSERT_TRUE(run_registry_list(context(), {}));
  const auto listed = printed();
  EXPECT_NE(listed.find("lang=ja"), std::string::npos) << listed;
  EXPECT_NE(listed.find("2 entries"), std::string::npos) << listed;
  ASSERT_TRUE(run_registry_remove(context(), {.name = "brief"}));
  printed();
  EXPECT_EQ(run_registry_get(context(), {.name = "brief"}).error().code, Errc::not_found);
  EXPECT_EQ(run_registry_find(context(), {}).error().code, Errc::invalid_argument);
  EXPECT_EQ(run_registry_find(context(), {.where = {"paper"}}).error().code, Errc::invalid_argument);
  printed();
  ASSERT_TRUE(run_registry_conflicts(context(), {}));
  EXPECT_EQ(printed(), "none, as far as this node has heard\n");
}

TEST_F(Commands, TopicPublishesAndLists) {
  ASSERT_TRUE(run_topic_pub(context(), {.topic = "weather/tokyo", .text = "sunny"}));
  EXPECT_EQ(printed(), "published, by way of 3 neighbours\n");
  ASSERT_TRUE(run_topic_pub(context(json()), {.topic = "weather/tokyo", .text = "sunny"}));
  EXPECT_EQ(api::parse_json(printed())->at("sequence"), 2);
  ASSERT_TRUE(run_topic_list(context()));
  EXPECT_EQ(printed(), "this node takes part in no topic\n");
  server_.run([](FakeBackend& backend) {
    backend.self.topics = {{.name = "weather/tokyo", .neighbours = 4}, {.name = "news", .realm = "kitchen"}};
  });
  ASSERT_TRUE(run_topic_list(context()));
  const auto listed = printed();
  EXPECT_NE(listed.find("weather/tokyo           0            4"), std::string::npos) << listed;
  EXPECT_NE(listed.find("news           kitchen  0            0"), std::string::npos) << listed;
}

TEST_F(Commands, PartitionSaysWhoIsAway) {
  const auto unwatched = run_partition_status(context());
  ASSERT_FALSE(unwatched);
  EXPECT_EQ(unwatched.error().code, Errc::unsupported);
  server_.run([](FakeBackend& backend) {
    partition::Changed healed{.state = partition::State::whole, .here = 20};
    healed.healed = partition::Healed{.split_for = seconds(60), .took = seconds(4), .away_most = 10, .back = 9};
    const partition::Changed split{.state = partition::State::split, .reason = partition::Reason::members_silent};
    backend.network_status = {.is_watched = true,
                              .counts = {.last = split, .members = 19, .away = 10, .neighbours = 5, .well = 4},
                              .away = {api::test::identity_of(2).id()},
                              .history = {healed, split}};
  });
  ASSERT_TRUE(run_partition_status(context()));
  const std::string said = printed();
  EXPECT_TRUE(said.starts_with("split since ")) << said;
  EXPECT_NE(said.find("(members silent)"), std::string::npos) << said;
  EXPECT_NE(said.find("10 peers on this side, this node included; 4 of 5 neighbours answer\n"), std::string::npos)
      << said;
  EXPECT_NE(said.find("10 peers on the other side:\n"), std::string::npos) << said;
  EXPECT_NE(said.find("and 9 more\n"), std::string::npos) << said;
  ASSERT_TRUE(run_partition_history(context()));
  EXPECT_NE(printed().find("9 of 10 peers came back, split for "), std::string::npos);
  ASSERT_TRUE(run_partition_status(context(json())));
  EXPECT_EQ(api::parse_json(printed())->at("away"), 10);
}

TEST_F(Commands, TopicPrintsWhatIsPublished) {
  std::thread publisher([this] {
    bool heard = false;
    while (!heard) {
      server_.run([&](FakeBackend& backend) {
        heard = backend.subscriptions["weather/tokyo"] == 1;
        if (heard) backend.hear("weather/tokyo", "sun\x1b[2Jny\n");
      });
    }
  });
  const auto done = run_topic_sub(context({.terminal = true}), {.topic = "weather/tokyo", .limit = 1});
  publisher.join();
  ASSERT_TRUE(done) << done.error().message;
  const auto text = printed();
  EXPECT_NE(text.find("bob  1970-01-01T00:00:00.000Z  sun"), std::string::npos) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST_F(Commands, InboxPrintsAndTakes) {
  server_.run([](FakeBackend& backend) {
    for (int i = 0; i < 150; ++i) backend.arrive("message " + std::to_string(i));
  });
  ASSERT_TRUE(run_inbox(context(json()), {}));
  std::istringstream lines(printed());
  std::string line;
  int count = 0;
  while (std::getline(lines, line)) {
    EXPECT_EQ(api::parse_json(line)->at("body"), "message " + std::to_string(count));
    ++count;
  }
  EXPECT_EQ(count, 150);
  server_.run([](FakeBackend& backend) { EXPECT_TRUE(backend.waiting.empty()); });
  ASSERT_TRUE(run_inbox(context(), {}));
  EXPECT_EQ(printed(), "nothing new\n");
}

TEST_F(Commands, InboxLeavesWhatItOnlyPeeksAt) {
  server_.run([](FakeBackend& backend) { backend.arrive("hi"); });
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(run_inbox(context(), {.peek = true}));
    EXPECT_NE(printed().find("bob  "), std::string::npos);
  }
}

TEST_F(Commands, InboxTakesNoMoreThanItsLimit) {
  server_.run([](FakeBackend& backend) {
    for (int i = 0; i < 5; ++i) backend.arrive("hi");
  });
  ASSERT_TRUE(run_inbox(context(), {.limit = 2}));
  server_.run([](FakeBackend& backend) { EXPECT_EQ(backend.waiting.size(), 3u); });
}

TEST_F(Commands, InboxTakesNothingThatCouldNotBePrinted) {
  server_.run([](FakeBackend& backend) { backend.arrive("hi"); });
  FullDisk disk;
  std::ostream full(&disk);
  Output output(full, err_, {});
  EXPECT_FALSE(run_inbox({server_.data_dir(), output}, {}));
  server_.run([](FakeBackend& backend) { EXPECT_TRUE(backend.taken.empty()); });
}

TEST_F(Commands, InboxFollowsWhatComes) {
  server_.run([](FakeBackend& backend) { backend.arrive("waiting"); });
  std::thread sender([this] {
    // Messages come while the command listens, and until it has enough.
    for (int i = 0; i < 2; ++i) {
      server_.run([](FakeBackend& backend) { backend.arrive("new"); });
    }
  });
  ASSERT_TRUE(run_inbox(context(json()), {.follow = true, .limit = 3}));
  sender.join();
  EXPECT_EQ(std::ranges::count(printed(), '\n'), 3);
  server_.run([](FakeBackend& backend) { EXPECT_EQ(backend.taken, (std::vector<std::uint64_t>{1, 2, 3})); });
}

TEST_F(Commands, HostileTextDoesNotReachTheTerminal) {
  server_.run([](FakeBackend& backend) { backend.arrive("a\u202eb\nsecond line"); });
  ASSERT_TRUE(run_inbox(context({.terminal = true}), {.peek = true}));
  EXPECT_NE(printed().find("  a\\u{202e}b\n  second line\n"), std::string::npos);
  ASSERT_TRUE(run_inbox(context(), {.peek = true}));
  EXPECT_NE(printed().find("a\u202eb"), std::string::npos);
  server_.run([](FakeBackend& backend) { backend.arrive("\x1b[2Jgone"); });
  ASSERT_TRUE(run_inbox(context({.terminal = true}), {.peek = true}));
  EXPECT_NE(printed().find("  \\x1b[2Jgone\n"), std::string::npos);
  server_.run([](FakeBackend& backend) { backend.arrive("\xff\x1b"); });
  ASSERT_TRUE(run_inbox(context(), {.peek = true}));
  EXPECT_NE(printed().find("(2 bytes, not text; --json shows it)"), std::string::npos);
}

TEST_F(Commands, ContactsAreAddedChangedAndRemoved) {
  ContactArguments carol{.name = "carol", .id = carol_, .endpoints = {"tcp://192.0.2.1:7420"}};
  ASSERT_TRUE(run_contact_add(context(), carol));
  const auto again = run_contact_add(context(), carol);
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().message.find("--replace"), std::string::npos);
  carol.tier = "trusted";
  carol.replace = true;
  ASSERT_TRUE(run_contact_add(context(), carol));
  // Another id under a name that is taken stays an error.
  EXPECT_FALSE(
      run_contact_add(context(), {.name = "carol", .id = api::test::identity_of(4).id().text(), .replace = true}));
  printed();
  ASSERT_TRUE(run_contact_list(context()));
  EXPECT_NE(printed().find("carol  trusted  " + carol_ + "  tcp://192.0.2.1:7420\n"), std::string::npos);
  ASSERT_TRUE(run_contact_remove(context(), {.name = "carol"}));
  EXPECT_EQ(run_contact_remove(context(), {.name = "carol"}).error().code, Errc::not_found);
  EXPECT_FALSE(run_contact_add(context(), {.name = "dave", .id = "ek1mistyped"}));
}

TEST_F(Commands, ContactsTravelInFiles) {
  ASSERT_TRUE(run_contact_add(context(),
                              {.name = "carol", .id = carol_, .tier = "trusted", .endpoints = {"tcp://a.example:1"}}));
  const auto path = (server_.data_dir() / "contacts.toml").string();
  ASSERT_TRUE(run_contact_export(context(), {.file = path}));
  EXPECT_FALSE(run_contact_export(context(), {.file = path})) << "it must not overwrite";
  ASSERT_TRUE(run_contact_remove(context(), {.name = "carol"}));
  printed();
  ASSERT_TRUE(run_contact_import(context(json()), {.file = path}));
  EXPECT_EQ(printed(), "{\"imported\":1,\"kept\":1}\n");
  server_.run([](FakeBackend& backend) {
    const auto* contact = backend.book.find_by_name("carol");
    ASSERT_NE(contact, nullptr);
    EXPECT_EQ(contact->tier, identity::TrustTier::trusted);
    EXPECT_EQ(contact->endpoints.front().text(), "tcp://a.example:1");
  });
}

TEST_F(Commands, ContactsAreExportedToTheFileAlsoForPrograms) {
  const auto path = (server_.data_dir() / "contacts.toml").string();
  ASSERT_TRUE(run_contact_export(context(json()), {.file = path}));
  EXPECT_EQ(*api::parse_json(printed()), api::Json({{"exported", 1}, {"file", path}}));
  EXPECT_EQ(runtime::parse_contacts(content_of(path), path)->front().petname, "bob");
  for (const auto* file : {"", "-"}) {
    ASSERT_TRUE(run_contact_export(context(json()), {.file = file}));
    EXPECT_EQ(api::parse_json(printed())->at("name"), "bob") << file;
  }
}

TEST_F(Commands, TraceShowsTheStory) {
  ASSERT_TRUE(run_send(context(), {.to = "bob", .text = "hi"}));
  const auto id = api::test::message_id(1).text();
  printed();
  ASSERT_TRUE(run_trace(context(), {.message = id, .retry = true}));
  const auto story = printed();
  EXPECT_NE(story.find("state       queued\n"), std::string::npos) << story;
  EXPECT_NE(story.find("accepted\n"), std::string::npos);
  server_.run([](FakeBackend& backend) { EXPECT_EQ(backend.retried.size(), 1u); });
  ASSERT_TRUE(run_trace(context(), {}));
  EXPECT_NE(printed().find(id + "  bob  queued"), std::string::npos);
  EXPECT_FALSE(run_trace(context(), {.message = "latest"}));
}

TEST_F(Commands, StatusShowsWhatTheNodeDoes) {
  ASSERT_TRUE(run_status(context()));
  EXPECT_NE(printed().find("running     1 min 1 s"), std::string::npos);
  ASSERT_TRUE(run_status(context(json())));
  EXPECT_EQ(api::parse_json(printed())->at("ready"), true);
}

TEST_F(Commands, HintsStandBesideTheOutputAndOnlyForPeople) {
  context().output.hint("mind the gap");
  EXPECT_EQ(err_.str(), "mind the gap\n");
  context({.quiet = true}).output.hint("mind the gap");
  context(json()).output.hint("mind the gap");
  EXPECT_EQ(err_.str(), "mind the gap\n");
  EXPECT_EQ(printed(), "");
}

TEST_F(Commands, ErrorsAreOneSentenceOrOneObject) {
  context().output.error({Errc::not_found, "nothing there"});
  context(json()).output.error({Errc::not_found, "nothing there"});
  context({.error_terminal = true}).output.error({Errc::not_found, "\x1b[2J"});
  EXPECT_EQ(err_.str(),
            "ekiden: nothing there\n{\"error\":\"nothing there\",\"code\":\"not-found\"}\nekiden: \\x1b[2J\n");
}

}  // namespace
}  // namespace ekiden::cli
