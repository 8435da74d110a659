// Commands that answer: what goes in, what comes out, and how they are ended.
#include "cli/child.hpp"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>

namespace ekiden::cli {
namespace {

using How = ChildEnd::How;

class Children : public testing::Test {
 protected:
  Children() { std::signal(SIGPIPE, SIG_IGN); }

  static ChildOptions options(const std::string& command, const std::string& input = "") {
    return {.command = command,
            .environment = {},
            .input = input,
            .timeout = seconds(20),
            .max_output = 64 * 1024,
            .max_error_tail = 32};
  }
};

TEST_F(Children, ReadAndWriteMoreThanAPipeHolds) {
  const std::string large(60 * 1024, 'x');
  const auto end = run_child(options("tr x y", large));
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->how, How::exited);
  EXPECT_EQ(end->status, 0);
  EXPECT_EQ(end->output, std::string(60 * 1024, 'y'));
}

TEST_F(Children, NeedNotReadTheirInput) {
  const auto end = run_child(options("echo done", std::string(200 * 1024, 'x')));
  ASSERT_TRUE(end);
  EXPECT_EQ(end->output, "done\n");
}

TEST_F(Children, SayHowTheyEnded) {
  const auto failed = run_child(options("echo 0123456789012345678901234567890123456789 >&2; exit 7"));
  EXPECT_EQ(failed->status, 7);
  EXPECT_EQ(failed->error_tail, "9012345678901234567890123456789\n");
  const auto killed = run_child(options("kill -9 $$"));
  EXPECT_EQ(killed->how, How::signalled);
  EXPECT_EQ(killed->status, SIGKILL);
  EXPECT_EQ(run_child(options("no-such-command-anywhere"))->status, 127);
}

TEST_F(Children, GetTheirEnvironment) {
  auto asked = options("printf '%s' \"$EKIDEN_FROM|$PATH\"");
  asked.environment = {{"EKIDEN_FROM", std::string("ek1\0LD_PRELOAD=x", 16)}, {"PATH", "/bin:/usr/bin"}};
  EXPECT_EQ(run_child(asked)->output, "ek1|/bin:/usr/bin");
}

TEST_F(Children, EndWhenTheirTimeIsOver) {
  auto slow = options("trap '' TERM; sleep 60 & wait; wait");
  slow.timeout = milliseconds(50);
  const auto end = run_child(slow);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->how, How::timed_out);
}

TEST_F(Children, EndWhenTheySayTooMuch) {
  auto loud = options("yes");
  loud.max_output = 1000;
  EXPECT_EQ(run_child(loud)->how, How::too_large);
}

TEST_F(Children, EndWhenToldTo) {
  const int stop = ::eventfd(1, EFD_CLOEXEC);
  auto told = options("sleep 60");
  told.stop = stop;
  EXPECT_EQ(run_child(told)->how, How::stopped);
  ::close(stop);
}

}  // namespace
}  // namespace ekiden::cli
