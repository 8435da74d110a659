#include "cli/completion.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>

#include "cli/command_line.hpp"

namespace ekiden::cli {
namespace {

/// What bash offers for a line, its last word being typed.
std::string complete(const std::string& script, const std::string& words) {
  const auto program = script + "\nCOMP_WORDS=(" + words +
                       ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_ekiden\necho \"${COMPREPLY[*]}\"\n";
  const auto file = testing::TempDir() + "ekiden-completion.bash";
  if (std::FILE* out = std::fopen(file.c_str(), "w")) {
    std::fwrite(program.data(), 1, program.size(), out);
    std::fclose(out);
  }
  std::string result;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> shell(::popen(("bash " + file).c_str(), "r"), ::pclose);
  std::array<char, 4096> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), shell.get()) != nullptr) result += buffer.data();
  std::remove(file.c_str());
  if (result.ends_with('\n')) result.pop_back();
  return result;
}

class Completion : public testing::Test {
 protected:
  const CommandNode tree_ = CommandLine().tree();
  const std::string bash_ = *completion_script(tree_, "bash");
};

TEST_F(Completion, OffersCommands) {
  EXPECT_EQ(complete(bash_, "ekiden in"), "init inbox");
  EXPECT_EQ(complete(bash_, "ekiden --json contact a"), "add");
  EXPECT_EQ(complete(bash_, "ekiden contact ''").substr(0, 29), "add remove list import export");
}

TEST_F(Completion, OffersOptionsAndTheirValues) {
  EXPECT_EQ(complete(bash_, "ekiden send bob --pri"), "--priority");
  EXPECT_EQ(complete(bash_, "ekiden send bob --priority ''"), "critical high normal low background");
  EXPECT_EQ(complete(bash_, "ekiden up --log-level d"), "debug");
  EXPECT_EQ(complete(bash_, "ekiden up --new"), "--new-store");
  EXPECT_EQ(complete(bash_, "ekiden contact add bob ek1 --tier t"), "trusted");
  EXPECT_EQ(complete(bash_, "ekiden send bob --ttl ''"), "");
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

TEST(CompletionScript, QuotesWhatADescriptionMayContain) {
  const CommandNode root{.name = "x", .commands = {{.name = "a", .description = "it's $(here) `now`"}}};
  EXPECT_NE(completion_script(root, "fish")->find("-d 'it'\\''s $(here) `now`'"), std::string::npos);
}

}  // namespace
}  // namespace ekiden::cli
