#include "gossip/messages.hpp"

#include <gtest/gtest.h>

#include "support/golden.hpp"
#include "support/identities.hpp"

namespace ekiden::gossip {
namespace {

const TopicId kTopic = TopicId::of("weather/tokyo");
const Bytes kRecord = {1, 2, 3};

ItemId item_id(Byte first) {
  ItemId id;
  id.bytes.fill(first);
  return id;
}

Bytes sample_item() {
  const auto self = test::make_identity(1);
  return sign_item(self, {.topic = kTopic,
                          .public_key = self.public_key(),
                          .run = 1'800'000'000'000,
                          .sequence = 7,
                          .at = test::kWall,
                          .payload = as_bytes("sunny")});
}

TEST(TopicMessages, HaveTheirGoldenBytes) {
  test::check_golden(Join{kTopic});
  test::check_golden(Neighbour{.topic = kTopic, .urgent = true});
  test::check_golden(Answer{.topic = kTopic, .verdict = Verdict::busy});
  test::check_golden(Disconnect{.topic = kTopic, .leaving = true});
  test::check_golden(Announce{.topic = kTopic, .history = false, .items = {{item_id(1), 3}, {item_id(2), 4}}});
  test::check_golden(Graft{.topic = kTopic, .tree = true, .ids = {item_id(1)}});
  test::check_golden(Prune{.topic = kTopic, .publisher = test::make_identity(1).id()});
  test::check_golden(Recall{kTopic});
  test::check_golden(ForwardJoin{.topic = kTopic, .hops = 6, .record = kRecord});
  test::check_golden(Shuffle{.topic = kTopic, .walk = {}, .hops = 6, .records = {kRecord, kRecord}});
  test::check_golden(ShuffleReply{.topic = kTopic, .walk = {}, .records = {kRecord}});
}

TEST(Item, HasItsGoldenBytes) {
  const Bytes bytes = sample_item();
  test::check_golden_bytes("signed_gossip_item", bytes);
  test::check_golden(Gossiped{.topic = kTopic, .round = 2, .item = bytes});
  const auto item = verify_item(bytes);
  ASSERT_TRUE(item);
  EXPECT_EQ(item->sequence, 7u);
  EXPECT_EQ(as_text(item->payload), "sunny");
}

TEST(Item, AnyChangedByteIsRefused) {
  const Bytes bytes = sample_item();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    Bytes changed = bytes;
    changed[i] ^= 1;
    EXPECT_FALSE(verify_item(changed)) << i;
  }
}

TEST(Item, TopicsAreNamedLikeCapabilities) {
  EXPECT_TRUE(is_topic("weather/tokyo"));
  EXPECT_FALSE(is_topic(""));
  EXPECT_FALSE(is_topic("Weather"));
  EXPECT_FALSE(is_topic(std::string(kMaxTopicName + 1, 'a')));
}

}  // namespace
}  // namespace ekiden::gossip
