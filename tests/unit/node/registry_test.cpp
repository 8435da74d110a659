// The registry through whole nodes: members find each other in the DHT, and what one puts all hold, also after a crash.
#include <gtest/gtest.h>

#include "harness.hpp"

namespace ekiden::node {
namespace {

registry::Draft entry_of(const std::string& name, const std::string& value) {
  registry::Draft draft;
  draft.name = name;
  draft.value = to_bytes(as_bytes(value));
  return draft;
}

Status put_entry(Harness& net, std::size_t i, const registry::Draft& draft) {
  const auto request = net.request<PutEntry>(i, draft);
  net.advance(milliseconds(10));
  const auto& reply = net[i].replies.at(request);
  return reply ? Status() : std::unexpected(reply.error());
}

Status remove_entry(Harness& net, std::size_t i, std::size_t owner, const std::string& name) {
  const auto request = net.request<RemoveEntry>(i, net[owner].id, name);
  net.advance(milliseconds(10));
  const auto& reply = net[i].replies.at(request);
  return reply ? Status() : std::unexpected(reply.error());
}

std::string value_of(Harness& net, std::size_t at, std::size_t owner, const std::string& name) {
  const auto view = net[at].node->registry().get(net.now(), net[owner].id, name);
  if (!view || view->values.empty()) return "";
  return std::string(as_text(view->values.front().value));
}

TEST(RegistryOfNodes, IsHeldByAllAlsoAfterACrash) {
  Harness net = make_network(6);
  for (std::size_t i = 0; i < 6; ++i) net.feed(i, ReadRegistry{});
  net.pump();
  ASSERT_TRUE(put_entry(net, 1, entry_of("one", "1")));
  ASSERT_TRUE(put_entry(net, 4, entry_of("four", "4")));
  net.advance(minutes(3));
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(value_of(net, i, 1, "one"), "1") << i;
    EXPECT_EQ(value_of(net, i, 4, "four"), "4") << i;
  }
  EXPECT_FALSE(net[2].changed_entries.empty());
  EXPECT_TRUE(net[2].node->status().topics.empty());  // The overlay is no topic of anybody.
  net.crash(2);
  ASSERT_TRUE(remove_entry(net, 4, 4, "four"));
  net.advance(seconds(5));
  net.boot(2);
  EXPECT_EQ(value_of(net, 2, 1, "one"), "1");  // From its disk.
  net.advance(minutes(2));
  EXPECT_EQ(value_of(net, 2, 4, "four"), "");
  EXPECT_EQ(value_of(net, 2, 1, "one"), "1");
}

/// Through it the others have joined; nobody has a record that says where it is, and it remembers nobody.
TEST(RegistryOfNodes, IsHeardAgainFromTheFirstNodeThatCrashesSoon) {
  Harness net = make_young_network(3);
  net.advance(milliseconds(100));
  ASSERT_TRUE(put_entry(net, 0, entry_of("one", "1")));
  net.advance(milliseconds(200));
  for (std::size_t i = 1; i < 3; ++i) ASSERT_EQ(value_of(net, i, 0, "one"), "1") << i;
  net.crash(0);
  net.advance(seconds(1));
  net.boot(0);
  ASSERT_TRUE(put_entry(net, 0, entry_of("one", "2")));
  net.advance(seconds(10));
  for (std::size_t i = 1; i < 3; ++i) EXPECT_EQ(value_of(net, i, 0, "one"), "2") << i;
}

/// Who has found nothing to say is no member, and asks nobody.
TEST(RegistryOfNodes, CostsNothingUntilSomebodyUsesIt) {
  Harness net = make_network(4);
  net.advance(minutes(5));
  for (std::size_t i = 0; i < 4; ++i) {
    const NodeStatus status = net[i].node->status();
    EXPECT_FALSE(status.registry_member) << i;
    EXPECT_EQ(status.registry.comparisons, 0U) << i;
  }
}

/// It had no replica when its links came up, and knows its neighbours all the same.
TEST(RegistryOfNodes, ComparesWithNeighboursFromBeforeItHeldAnything) {
  Harness net = make_network(4);
  net.advance(minutes(5));
  const std::size_t links = net[1].node->status().links.size();
  ASSERT_GT(links, 0U);
  EXPECT_EQ(net[1].node->status().registry.neighbours, links);
  EXPECT_EQ(net[1].node->registry().status().neighbours, links);
  ASSERT_TRUE(put_entry(net, 0, entry_of("one", "1")));
  net.advance(seconds(2));
  EXPECT_EQ(value_of(net, 1, 0, "one"), "1");
  net.advance(seconds(30));
  EXPECT_GT(net[0].node->status().registry.comparisons, 0U);
  net.crash(0);
  net.advance(minutes(5));
  EXPECT_EQ(net[1].node->status().registry.neighbours, net[1].node->status().links.size());
}

/// Whoever reads it for the first time finds those who hold it.
TEST(RegistryOfNodes, IsFoundByOneThatReads) {
  Harness net = make_network(4);
  ASSERT_TRUE(put_entry(net, 1, entry_of("one", "1")));
  net.advance(minutes(1));
  net.feed(3, ReadRegistry{});
  net.pump();
  net.advance(minutes(3));
  EXPECT_EQ(value_of(net, 3, 1, "one"), "1");
}

TEST(RegistryOfNodes, RefusesWhatCannotBe) {
  Harness net = make_network(2);
  EXPECT_EQ(put_entry(net, 0, entry_of("No Name", "1")).error().code, Errc::invalid_argument);
  EXPECT_EQ(remove_entry(net, 0, 0, "nothing").error().code, Errc::not_found);
}

TEST(RegistryOfNodes, IsNotWrittenByOneThatHoldsNone) {
  Config config;
  config.hold_registry = false;
  Harness net(1, config);
  EXPECT_EQ(put_entry(net, 0, entry_of("one", "1")).error().code, Errc::unsupported);
  EXPECT_EQ(net[0].node->status().registry.entries, 0U);
}

}  // namespace
}  // namespace ekiden::node
