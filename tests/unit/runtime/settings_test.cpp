#include "runtime/settings.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "runtime/settings_table.hpp"
#include "runtime/suggest.hpp"

namespace ekiden::runtime {
namespace {

void expect_bad_settings(std::string_view text, const std::string& words) {
  const auto settings = parse_settings(text, "ekiden.toml");
  ASSERT_FALSE(settings) << text;
  EXPECT_EQ(settings.error().code, Errc::malformed);
  EXPECT_NE(settings.error().message.find(words), std::string::npos) << settings.error().message;
}

TEST(SettingsTest, AnEmptyFileGivesTheDefaults) {
  const auto settings = parse_settings("", "ekiden.toml");
  ASSERT_TRUE(settings) << settings.error().message;
  ASSERT_EQ(settings->listen.size(), 2u);
  EXPECT_EQ(settings->listen[0].text(), "tcp://0.0.0.0:7420");
  EXPECT_EQ(settings->listen[1].text(), "udp://0.0.0.0:7420");
  EXPECT_TRUE(settings->advertise.empty());
  EXPECT_EQ(settings->api_listen, "127.0.0.1:0");
  EXPECT_EQ(settings->node.link.max_links, node::Config{}.link.max_links);
}

TEST(SettingsTest, TheDefaultFileIsCommentedAndSaysTheDefaults) {
  const std::string text = settings_text(default_settings());
  const auto settings = parse_settings(text, "ekiden.toml");
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings_text(*settings), text);
  for (const Setting& setting : settings_table()) {
    EXPECT_NE(text.find("\n" + std::string(setting.key) + " = "), std::string::npos) << setting.key;
    EXPECT_NE(text.find(setting.comment), std::string::npos) << setting.key;
  }
}

TEST(SettingsTest, EveryKindOfValueIsRead) {
  const auto settings = parse_settings(
      "[network]\nlisten = [\"tcp://127.0.0.1:0\", \"tcp://[::1]:7420\"]\nadvertise = [\"tcp://me.example:7420\"]\n"
      "[api]\nlisten = \"[::1]:7421\"\n[log]\nlevel = \"debug\"\nformat = \"json\"\n"
      "[links]\nmax_links = 12\nidle_s = 7\n[outbox]\nmax_mib = 3\n[inbox]\nmax_messages = 99\n",
      "ekiden.toml");
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->listen.size(), 2u);
  ASSERT_EQ(settings->node.advertised.size(), 1u);
  EXPECT_EQ(settings->node.advertised[0].host, "me.example");
  EXPECT_EQ(settings->api_listen, "[::1]:7421");
  EXPECT_EQ(settings->log_level, "debug");
  EXPECT_EQ(settings->log_format, "json");
  EXPECT_EQ(settings->node.link.max_links, 12u);
  EXPECT_EQ(settings->node.link.idle_timeout, seconds(7));
  EXPECT_EQ(settings->node.router.max_outbox_bytes, 3u << 20);
  EXPECT_EQ(settings->node.router.max_inbox_messages, 99u);
}

TEST(SettingsTest, AnUnknownKeyIsNamedWithItsLineAndTheKeyThatWasMeant) {
  expect_bad_settings("[network]\n\nlisen = []\n",
                      "ekiden.toml:3: [network] has no key 'lisen'; did you mean 'listen'?");
  expect_bad_settings("[netwrk]\nlisten = []\n",
                      "ekiden.toml:1: the file has no key 'netwrk'; did you mean 'network'?");
  expect_bad_settings("[links]\nsomething = 1\n", "ekiden.toml:2: [links] has no key 'something'");
}

TEST(SettingsTest, ValuesOfTheWrongTypeOrOutOfBoundsAreRefused) {
  expect_bad_settings("[links]\nmax_links = 0\n",
                      "ekiden.toml:2: links.max_links must be a whole number from 1 to 65536");
  expect_bad_settings("[links]\nmax_links = 65537\n", "from 1 to 65536");
  expect_bad_settings("[links]\nmax_links = -1\n", "from 1 to 65536");
  expect_bad_settings("[links]\nmax_links = 1.5\n", "from 1 to 65536");
  expect_bad_settings("[links]\nmax_links = \"many\"\n", "from 1 to 65536");
  expect_bad_settings("[log]\nlevel = 3\n", "log.level must be a text");
  expect_bad_settings("[log]\nlevel = \"loud\"\n", "must be one of: debug, info, warning, error");
  expect_bad_settings("[network]\nlisten = \"tcp://0.0.0.0:1\"\n", "network.listen must be a list");
  expect_bad_settings("[network]\nlisten = [1]\n", "each of network.listen must be a text");
  expect_bad_settings("network = 1\n", "write [network]");
}

TEST(SettingsTest, EndpointsAreChecked) {
  expect_bad_settings("[network]\nlisten = [\"tcp://my.name:7420\"]\n", "listen on an address");
  expect_bad_settings("[network]\nlisten = [\"quic://0.0.0.0:7420\"]\n", "known are tcp, ws, wss and udp");
  expect_bad_settings("[network]\nlisten = [\"0.0.0.0:7420\"]\n", "ekiden.toml:2: network.listen: ");
  expect_bad_settings("[network]\nlisten = [\"tcp://0.0.0.0:1\", \"tcp://0.0.0.0:1\"]\n", "twice");
  expect_bad_settings("[network]\nadvertise = [\"tcp://0.0.0.0:7420\"]\n", "cannot be dialled");
}

TEST(SettingsTest, TheLocalApiStaysOnThisMachine) {
  for (const char* text : {"0.0.0.0:0", "192.168.1.1:80", "localhost:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000",
                           "127.0.0.1:1x", ":80", "[::]:80", ""}) {
    expect_bad_settings("[api]\nlisten = \"" + std::string(text) + "\"\n", "loopback");
  }
}

TEST(SettingsTest, SyntaxErrorsCarryTheirLine) {
  expect_bad_settings("[network]\nlisten = [\n", "ekiden.toml:");
  expect_bad_settings("[log]\nlevel = \"info\"\nlevel = \"info\"\n", "ekiden.toml:3");
}

TEST(SettingsTest, ALargeFileIsRefused) {
  const auto settings = parse_settings(std::string(kMaxSettingsFile + 1, '#'), "ekiden.toml");
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().code, Errc::too_large);
}

RC_GTEST_PROP(SettingsProperty, WhatIsReadIsWrittenBackTheSame, ()) {
  Settings settings = default_settings();
  for (const Setting& setting : settings_table()) {
    if (setting.integer == nullptr) continue;
    setting.integer->set(settings, *rc::gen::inRange<std::uint64_t>(setting.low, setting.high + 1));
  }
  const std::string text = settings_text(settings);
  const auto again = parse_settings(text, "x");
  RC_ASSERT(again.has_value());
  RC_ASSERT(settings_text(*again) == text);
}

RC_GTEST_PROP(SettingsProperty, NoTextIsAProblem, (const std::string& text)) {
  const auto settings = parse_settings(text, "x");
  if (settings) RC_ASSERT(parse_settings(settings_text(*settings), "x").has_value());
}

TEST(SuggestionTest, FindsOneOrTwoEditsAndNothingElse) {
  const std::string_view known[] = {"listen", "advertise", "id"};
  EXPECT_EQ(suggestion("listne", known), "; did you mean 'listen'?");
  EXPECT_EQ(suggestion("advertse", known), "; did you mean 'advertise'?");
  EXPECT_EQ(suggestion("xy", known), "");
  EXPECT_EQ(suggestion("other", known), "");
  EXPECT_EQ(suggestion(std::string(1000, 'l'), known), "");
  EXPECT_EQ(suggestion("", known), "");
}

}  // namespace
}  // namespace ekiden::runtime
