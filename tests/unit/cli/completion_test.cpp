#include "cli/completion.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "cli/command_line.hpp"
#include "support/temporary_directory.hpp"

namespace ekiden::cli {
namespace {

struct Ran {
  int status = -1;
  std::string output;
};

/// What a shell makes of a script; its errors are part of the output.
Ran run_script(const std::string& shell, const std::string& script) {
  const test::TemporaryDirectory directory;
  const auto file = directory.path() / "_ekiden";
  std::ofstream(file) << script;
  Ran ran;
  std::FILE* output = ::popen((shell + " " + file.string() + " 2>&1").c_str(), "r");
  std::array<char, 4096> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), output) != nullptr) ran.output += buffer.data();
  ran.status = ::pclose(output);
  if (ran.output.ends_with('\n')) ran.output.pop_back();
  return ran;
}

/// What bash offers for a line, its last word being typed.
std::string complete(const std::string& script, const std::string& words) {
  return run_script("bash", script + "\nCOMP_WORDS=(" + words +
                                ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_ekiden\necho \"${COMPREPLY[*]}\"\n")
      .output;
}

bool is_installed(const std::string& shell) { return run_script("sh", "command -v " + shell).status == 0; }

class Completion : public testing::Test {
 protected:
  const CommandNode tree_ = CommandLine().tree();
  const std::string bash_ = *completion_script(tree_, "bash");
};

TEST_F(Completion, OffersCommands) {
  EXPECT_EQ(complete(bash_, "ekiden in"), "init inbox");
  EXPECT_EQ(complete(bash_, "ekiden --json contact a"), "add accept");
  EXPECT_EQ(complete(bash_, "ekiden contact ''").substr(0, 41), "add remove trust requests accept block un");
  EXPECT_EQ(complete(bash_, "ekiden bootstrap ''").substr(0, 37), "serve list check discover sign verify");
  EXPECT_EQ(complete(bash_, "ekiden bootstrap verify --si"), "--signer");
  EXPECT_EQ(complete(bash_, "ekiden realm ''").substr(0, 40), "create join leave invite change-key list");
}

TEST_F(Completion, OffersOptionsAndTheirValues) {
  EXPECT_EQ(complete(bash_, "ekiden send bob --pri"), "--priority");
  EXPECT_EQ(complete(bash_, "ekiden send bob --priority ''"), "critical high normal low background");
  EXPECT_EQ(complete(bash_, "ekiden up --log-level d"), "debug");
  EXPECT_EQ(complete(bash_, "ekiden up --new"), "--new-store");
  EXPECT_EQ(complete(bash_, "ekiden contact add bob ek1 --tier t"), "trusted");
  EXPECT_EQ(complete(bash_, "ekiden realm create kitchen --cl"), "--closed");
  EXPECT_EQ(complete(bash_, "ekiden topic sub news --rea"), "--realm");
  EXPECT_EQ(complete(bash_, "ekiden registry put oven warm --rea"), "--realm");
  EXPECT_EQ(complete(bash_, "ekiden registry get oven --realm ''"), "");
  EXPECT_EQ(complete(bash_, "ekiden send bob --ttl ''"), "");
}

TEST_F(Completion, OffersGlobalOptionsAfterEveryCommand) {
  for (const auto* command : {"", "status", "send bob hello", "contact", "contact add bob"}) {
    const auto line = "ekiden " + std::string(command);
    EXPECT_EQ(complete(bash_, line + " --js"), "--json") << line;
    EXPECT_EQ(complete(bash_, line + " --data"), "--data-dir") << line;
    EXPECT_EQ(complete(bash_, line + " --he"), "--help") << line;
  }
}

TEST_F(Completion, OffersFoldersForTheDataDirectoryAndFilesWhereTheyAreRead) {
  const test::TemporaryDirectory directory;
  const auto base = directory.path().string() + "/";
  std::filesystem::create_directory(base + "a folder");
  std::ofstream(base + "a_file").flush();
  for (const auto* command : {"", "inbox", "contact list"}) {
    EXPECT_EQ(complete(bash_, "ekiden " + std::string(command) + " --data-dir " + base), base + "a folder");
  }
  for (const auto* command : {"send bob --file", "contact import", "contact export"}) {
    EXPECT_EQ(complete(bash_, "ekiden " + std::string(command) + " " + base + "a_"), base + "a_file") << command;
  }
  EXPECT_EQ(complete(bash_, "ekiden trace " + base + "a_"), "");
}

TEST_F(Completion, OffersShells) { EXPECT_EQ(complete(bash_, "ekiden completion f"), "fish"); }

TEST_F(Completion, NamesEveryCommandInEveryShell) {
  for (const auto* shell : {"bash", "zsh", "fish"}) {
    const auto script = *completion_script(tree_, shell);
    for (const auto& command : tree_.commands) EXPECT_NE(script.find(command.name), std::string::npos) << command.name;
    EXPECT_NE(script.find("background"), std::string::npos) << shell;
  }
  EXPECT_FALSE(completion_script(tree_, "tcsh"));
}

TEST_F(Completion, ZshCompletesAtTheFirstTabAlsoFromTheSearchPath) {
  const auto script = *completion_script(tree_, "zsh");
  EXPECT_TRUE(script.starts_with("#compdef ekiden\n"));
  EXPECT_TRUE(
      script.ends_with("if [[ ${funcstack[1]-} == _ekiden ]]; then _ekiden \"$@\"; else compdef _ekiden ekiden; fi\n"));
  EXPECT_NE(script.find("'ekiden contact add --data-dir') _files -/; return ;;"), std::string::npos);
  EXPECT_NE(script.find("'ekiden status') list='-h --help --data-dir --json -q --quiet -V --version' ;;"),
            std::string::npos)
      << script;
}

TEST_F(Completion, FishOffersGlobalOptionsAfterEveryCommand) {
  const auto script = *completion_script(tree_, "fish");
  const std::string folders = " -l data-dir -x -a '(__fish_complete_directories)'";
  EXPECT_NE(script.find("-n '__fish_seen_subcommand_from status'" + folders), std::string::npos) << script;
  EXPECT_NE(script.find("-n '__fish_seen_subcommand_from contact; and __fish_seen_subcommand_from add'" + folders),
            std::string::npos);
}

/// Where zsh and fish are installed, they read their scripts too; bash has run its own above.
TEST_F(Completion, IsUnderstoodByEveryShellThatIsHere) {
  for (const auto* shell : {"bash", "zsh", "fish"}) {
    if (!is_installed(shell)) continue;
    const auto read = run_script(std::string(shell) + " -n", *completion_script(tree_, shell));
    EXPECT_EQ(read.status, 0) << shell << ": " << read.output;
    EXPECT_EQ(read.output, "") << shell;
  }
}

TEST(CompletionScript, GivesOptionsToTheCommandsBelowAndNotAbove) {
  const CommandNode root{
      .name = "x",
      .options = {{.names = {"--all"}}},
      .commands = {
          {.name = "a", .options = {{.names = {"--all"}}, {.names = {"--own"}}}, .commands = {{.name = "b"}}}}};
  const auto script = *completion_script(root, "bash");
  EXPECT_NE(script.find("'x') list='a --all' ;;"), std::string::npos) << script;
  EXPECT_NE(script.find("'x a') list='b --all --own' ;;"), std::string::npos) << script;
  EXPECT_NE(script.find("'x a b') list='--all --own' ;;"), std::string::npos) << script;
}

TEST(CompletionScript, QuotesWhatADescriptionMayContain) {
  const CommandNode root{.name = "x", .commands = {{.name = "a", .description = "it's $(here) `now`"}}};
  EXPECT_NE(completion_script(root, "fish")->find("-d 'it'\\''s $(here) `now`'"), std::string::npos);
}

}  // namespace
}  // namespace ekiden::cli
