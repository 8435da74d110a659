#include "cli/command_line.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "cli/app.hpp"

namespace ekiden::cli {
namespace {

/// Runs the whole command, quietly.
int exit_of(std::vector<const char*> words) {
  words.insert(words.begin(), "ekiden");
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const auto code = run(static_cast<int>(words.size()), words.data());
  testing::internal::GetCapturedStdout();
  testing::internal::GetCapturedStderr();
  return code;
}

/// What a wrong command line is answered with.
std::string complaint_of(std::vector<const char*> words) {
  words.insert(words.begin(), "ekiden");
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  EXPECT_EQ(run(static_cast<int>(words.size()), words.data()), 2);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  return testing::internal::GetCapturedStderr();
}

std::string output_of(std::vector<const char*> words) {
  words.insert(words.begin(), "ekiden");
  testing::internal::CaptureStdout();
  EXPECT_EQ(run(static_cast<int>(words.size()), words.data()), 0);
  return testing::internal::GetCapturedStdout();
}

bool accepts(std::vector<const char*> words) {
  words.insert(words.begin(), "ekiden");
  CommandLine line;
  try {
    line.parse(static_cast<int>(words.size()), words.data());
    return line.action != nullptr;
  } catch (const CLI::ParseError&) {
    return false;
  }
}

TEST(CommandLine, TakesWhatTheHelpShows) {
  EXPECT_TRUE(
      accepts({"init", "--listen", "tcp://0.0.0.0:7421", "--endpoint", "tcp://a:1", "--endpoint", "tcp://b:1"}));
  EXPECT_TRUE(accepts({"--data-dir", "/tmp/x", "id"}));
  EXPECT_TRUE(accepts({"id", "--json", "--data-dir", "/tmp/x", "-q"}));
  EXPECT_TRUE(accepts({"up", "--listen", "tcp://127.0.0.1:7421", "--log-level", "debug", "--log-format", "json"}));
  EXPECT_TRUE(accepts({"up", "--new-store"}));
  EXPECT_TRUE(accepts({"contact", "add", "bob", "ek1", "--endpoint", "tcp://a:1", "--tier", "trusted", "--json"}));
  EXPECT_TRUE(accepts({"send", "bob", "hello", "--ttl", "7d", "--priority", "high", "--class", "volatile"}));
  EXPECT_TRUE(accepts({"send", "bob", "--file", "x", "--wait", "--timeout", "30s"}));
  EXPECT_TRUE(accepts({"send", "bob", "-"}));
  EXPECT_TRUE(accepts({"send", "bob", "--", "--not-an-option"}));
  EXPECT_TRUE(accepts({"inbox", "--follow", "--peek", "-n", "3"}));
  EXPECT_TRUE(accepts({"trace"}));
  EXPECT_TRUE(accepts({"trace", "x", "--retry"}));
  EXPECT_TRUE(accepts({"bootstrap", "list", "--bootstrap", "nodes.json", "--signer", "ek1", "--signer", "ek2"}));
  EXPECT_TRUE(accepts({"bootstrap", "sign", "-", "--output", "x", "--ttl", "90d"}));
  EXPECT_TRUE(accepts({"bootstrap", "verify", "nodes.json", "--signer", "ek1"}));
  EXPECT_TRUE(accepts({"realm", "create", "kitchen", "--closed"}));
  EXPECT_TRUE(accepts({"realm", "join", "-"}));
  EXPECT_TRUE(accepts({"realm", "join", "ekrealm1qqqqqqqq"}));
  EXPECT_TRUE(accepts({"realm", "leave", "kitchen"}));
  EXPECT_TRUE(accepts({"realm", "invite", "kitchen", "--quiet"}));
  EXPECT_TRUE(accepts({"realm", "change-key", "kitchen", "--json"}));
  EXPECT_TRUE(accepts({"realm", "list"}));
  EXPECT_TRUE(accepts({"topic", "sub", "news", "--realm", "kitchen"}));
  EXPECT_TRUE(accepts({"topic", "pub", "news", "soup", "--realm", "kitchen"}));
  for (const char* reading : {"list", "watch", "conflicts"}) {
    EXPECT_TRUE(accepts({"registry", reading, "--realm", "kitchen"})) << reading;
  }
  EXPECT_TRUE(accepts({"registry", "find", "--capability", "cook", "--realm", "kitchen"}));
  EXPECT_TRUE(accepts({"registry", "put", "oven", "warm", "--realm", "kitchen"}));
  EXPECT_TRUE(accepts({"registry", "get", "oven", "--realm", "kitchen"}));
  EXPECT_TRUE(accepts({"registry", "remove", "oven", "--realm", "kitchen"}));
  EXPECT_TRUE(accepts({"completion", "bash"}));
}

TEST(CommandLine, ReadsWaitWithItsValueOrWithout) {
  const auto wait_of = [](std::vector<const char*> words) {
    words.insert(words.begin(), "ekiden");
    CommandLine line;
    line.parse(static_cast<int>(words.size()), words.data());
    return line.send().wait + "|" + line.send().text.value_or("");
  };
  EXPECT_EQ(wait_of({"send", "bob", "hi"}), "|hi");
  EXPECT_EQ(wait_of({"send", "bob", "hi", "--wait"}), "delivered|hi");
  EXPECT_EQ(wait_of({"send", "--wait", "bob", "hi"}), "delivered|hi");
  EXPECT_EQ(wait_of({"send", "bob", "hi", "--wait=accepted"}), "accepted|hi");
  EXPECT_EQ(wait_of({"send", "bob", "hi", "--wait", "delivered"}), "delivered|hi");
  EXPECT_EQ(wait_of({"send", "bob", "--", "--wait"}), "|--wait");
}

TEST(CommandLine, RefusesWhatMakesNoSense) {
  EXPECT_FALSE(accepts({}));
  EXPECT_FALSE(accepts({"sned"}));
  EXPECT_FALSE(accepts({"send", "bob"}));
  EXPECT_FALSE(accepts({"send", "bob", "hi", "--file", "x"}));
  EXPECT_FALSE(accepts({"send", "bob", "hi", "there"}));
  EXPECT_FALSE(accepts({"send", "bob", "hi", "--ttl", "soon"}));
  EXPECT_FALSE(accepts({"send", "bob", "hi", "--priority", "urgent"}));
  EXPECT_FALSE(accepts({"send", "bob", "hi", "--wait=forever"}));
  EXPECT_FALSE(accepts({"contact"}));
  EXPECT_FALSE(accepts({"bootstrap"}));
  EXPECT_FALSE(accepts({"bootstrap", "verify"}));
  EXPECT_FALSE(accepts({"bootstrap", "sign", "x", "--ttl", "soon"}));
  EXPECT_FALSE(accepts({"contact", "add", "bob"}));
  EXPECT_FALSE(accepts({"inbox", "-n", "0"}));
  EXPECT_FALSE(accepts({"inbox", "--since", "yesterday"}));
  EXPECT_FALSE(accepts({"inbox", "--purpose", "letter"}));
  EXPECT_FALSE(accepts({"outbox", "--state", "lost"}));
  EXPECT_FALSE(accepts({"ask", "bob"}));
  EXPECT_FALSE(accepts({"ask", "bob", "hi", "--timeout", "0s"}));
  EXPECT_FALSE(accepts({"serve", "--exec", "cat"}));
  EXPECT_FALSE(accepts({"serve", "--capability", "x", "--exec", "cat", "--concurrency", "0"}));
  EXPECT_FALSE(accepts({"realm"}));
  EXPECT_FALSE(accepts({"realm", "create"}));
  EXPECT_FALSE(accepts({"realm", "join", "hall", "kitchen"}));
  EXPECT_FALSE(accepts({"realm", "join", "hall", "--closed"}));
  EXPECT_FALSE(accepts({"topic", "list", "--realm", "kitchen"}));
  EXPECT_FALSE(accepts({"topic", "pub", "news", "soup", "--realm", ""})) << "nobody means everybody by it";
  EXPECT_FALSE(accepts({"registry", "list", "--realm", "Kitchen"}));
  EXPECT_FALSE(accepts({"completion", "tcsh"}));
  EXPECT_FALSE(accepts({"status", "--verbose"}));
}

TEST(CommandLine, ExitsWithACodeForEachKindOfEnd) {
  const auto nowhere = testing::TempDir() + "ekiden-nowhere";
  EXPECT_EQ(exit_of({"version"}), 0);
  EXPECT_EQ(exit_of({"send", "--help"}), 0);
  EXPECT_EQ(exit_of({"id", "--data-dir", nowhere.c_str()}), 1);
  EXPECT_EQ(exit_of({"up", "--data-dir", nowhere.c_str()}), 1);
  EXPECT_EQ(exit_of({"sned"}), 2);
  EXPECT_EQ(exit_of({}), 2);
  EXPECT_EQ(exit_of({"status", "--data-dir", nowhere.c_str()}), 3);
  EXPECT_EQ(exit_of({"send", "bob", "hi", "--data-dir", nowhere.c_str()}), 3);
}

TEST(CommandLine, NamesTheCommandThatItDoesNotKnow) {
  const std::vector<const char*> words = {"ekiden", "--json", "sned", "bob"};
  testing::internal::CaptureStderr();
  run(static_cast<int>(words.size()), words.data());
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "{\"error\":\"there is no command 'sned'; did you mean 'send'? See `ekiden --help`.\",\"code\":\"invalid-"
            "argument\"}\n");
}

TEST(CommandLine, ATextThatLooksLikeAnOptionIsRefusedWithAdviceAndNotTakenForHelp) {
  for (const char* text : {"-hi there", "-quick note", "-Version 2", "-qh", "--hello world", "-x"}) {
    const auto said = complaint_of({"send", "bob", text});
    EXPECT_EQ(said, "ekiden: there is no option '" + std::string(text) +
                        "'; put -- before a text that begins with '-'. See `ekiden send --help`.\n");
    EXPECT_TRUE(accepts({"send", "bob", "--", text})) << text;
  }
}

TEST(CommandLine, NamesTheOptionWhoseValueIsOutOfRange) {
  const std::string see = ". See `ekiden send --help`.\n";
  for (const char* ttl : {"0s", "999ms", "31d", "30d1s"}) {
    EXPECT_EQ(complaint_of({"send", "bob", "hi", "--ttl", ttl}), "ekiden: --ttl: from 1s to 30d" + see) << ttl;
    EXPECT_EQ(complaint_of({"registry", "put", "x", "y", "--ttl", ttl}),
              "ekiden: --ttl: from 1s to 30d. See `ekiden registry put --help`.\n");
  }
  for (const char* ttl : {"1s", "30d"}) EXPECT_TRUE(accepts({"send", "bob", "hi", "--ttl", ttl})) << ttl;
  for (const char* timeout : {"0s", "61m"}) {
    EXPECT_EQ(complaint_of({"ask", "bob", "hi", "--timeout", timeout}),
              "ekiden: --timeout: from 1ms to 1h. See `ekiden ask --help`.\n");
  }
  const std::string longest(128, 'x');
  for (const char* option : {"--type", "--content-type"}) {
    EXPECT_TRUE(accepts({"send", "bob", "hi", option, longest.c_str()}));
    EXPECT_EQ(complaint_of({"send", "bob", "hi", option, (longest + "x").c_str()}),
              "ekiden: " + std::string(option) + ": at most 128 bytes" + see);
  }
  EXPECT_EQ(complaint_of({"send", "bob", "hi", "--conversation", longest.c_str()}),
            "ekiden: --conversation: at most 64 bytes" + see);
  EXPECT_EQ(complaint_of({"ask", "bob", "hi", "--capability", longest.c_str()}),
            "ekiden: --capability: at most 64 bytes. See `ekiden ask --help`.\n");
  for (const char* option : {"--id", "--reply-to"}) {
    EXPECT_EQ(complaint_of({"send", "bob", "hi", option, "seven"}),
              "ekiden: " + std::string(option) +
                  ": not a UUID of version 4, like 6f0c5a52-5f0e-4d4b-9a57-2f9f1f2f3a77" + see);
  }
}

TEST(CommandLine, SuggestsWhatWasMeant) {
  EXPECT_EQ(complaint_of({"snd", "bob"}),
            "ekiden: there is no command 'snd'; did you mean 'send'? See `ekiden --help`.\n");
  EXPECT_EQ(complaint_of({"contact", "ad"}),
            "ekiden: there is no command 'ad'; did you mean 'add'? See `ekiden contact --help`.\n");
  EXPECT_EQ(complaint_of({"realm", "chnge-key"}),
            "ekiden: there is no command 'chnge-key'; did you mean 'change-key'? See `ekiden realm --help`.\n");
  EXPECT_EQ(complaint_of({"send", "bob", "hi", "--priorty=high"}),
            "ekiden: there is no option '--priorty=high'; did you mean '--priority'? See `ekiden send --help`.\n");
  EXPECT_EQ(complaint_of({"status", "--jsn"}),
            "ekiden: there is no option '--jsn'; did you mean '--json'? See `ekiden status --help`.\n");
  EXPECT_EQ(complaint_of({"status", "--elsewhere"}),
            "ekiden: there is no option '--elsewhere'. See `ekiden status --help`.\n");
  EXPECT_EQ(complaint_of({"help", "snd"}),
            "ekiden: there is no command 'snd'; did you mean 'send'? See `ekiden help --help`.\n");
}

TEST(CommandLine, HelpAndTheVersionAreAskedForAsEverywhere) {
  EXPECT_EQ(output_of({"help"}), output_of({"--help"}));
  EXPECT_EQ(output_of({"help", "send"}), output_of({"send", "--help"}));
  EXPECT_EQ(output_of({"help", "contact", "add"}), output_of({"contact", "add", "-h"}));
  EXPECT_NE(output_of({"help", "contact", "add"}).find("ekiden contact add"), std::string::npos);
  for (const char* word : {"--version", "-V"}) EXPECT_EQ(output_of({word}), output_of({"version"}));
}

TEST(CommandLine, PrintsACompletionScriptForShellsAndForPrograms) {
  const auto printed = [](std::vector<const char*> words) {
    words.insert(words.begin(), {"ekiden", "completion", "bash"});
    testing::internal::CaptureStdout();
    EXPECT_EQ(run(static_cast<int>(words.size()), words.data()), 0);
    return testing::internal::GetCapturedStdout();
  };
  const auto script = printed({});
  EXPECT_TRUE(script.starts_with("# bash completion of ekiden"));
  const auto object = *api::parse_json(printed({"--json"}));
  EXPECT_EQ(object.at("shell"), "bash");
  EXPECT_EQ(object.at("script"), script);
}

TEST(CommandLine, TeachesByExample) {
  CommandLine line;
  const std::function<void(const CLI::App&)> visit = [&](const CLI::App& app) {
    EXPECT_NE(app.get_footer().find("Examples:\n  "), std::string::npos) << app.get_name();
    EXPECT_FALSE(app.get_description().empty()) << app.get_name();
    for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) visit(*command);
  };
  visit(line.app());
  EXPECT_NE(line.app().get_footer().find("Exit codes: 0 done"), std::string::npos);
}

}  // namespace
}  // namespace ekiden::cli
