#include "base/outbox.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace ekiden {
namespace {

struct Send {
  int id;
};
struct Tell {
  std::string text;
};
using Effect = std::variant<Send, Tell>;

TEST(Outbox, GivesEffectsFirstInFirstOut) {
  Outbox<Effect> outbox;
  EXPECT_TRUE(outbox.empty());
  outbox.push(Send{1});
  outbox.push(Tell{"two"});
  outbox.push(Send{3});
  EXPECT_EQ(outbox.size(), 3U);
  std::string story;
  outbox.drain([&](Effect&& effect) {
    std::visit(Overloaded{[&](const Send& send) { story += std::to_string(send.id) + " "; },
                          [&](const Tell& tell) { story += tell.text + " "; }},
               effect);
  });
  EXPECT_EQ(story, "1 two 3 ");
  EXPECT_TRUE(outbox.empty());
}

/// The handler of an effect may call the engine again, which pushes into the same outbox, often far enough to move its
/// storage.
void check_that_it_drains_what_is_pushed_meanwhile(Outbox<Effect>& outbox) {
  outbox.push(Send{0});
  std::vector<int> order;
  outbox.drain([&](Effect&& effect) {
    const int id = std::get<Send>(effect).id;
    order.push_back(id);
    if (id < 1000) {
      outbox.push(Send{2 * id + 1});
      if (id < 100) outbox.push(Send{2 * id + 2});
    }
    EXPECT_EQ(std::get<Send>(effect).id, id);  // Still whole although the outbox grew.
  });
  EXPECT_TRUE(outbox.empty());
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(order.front(), 0);
  EXPECT_GT(order.size(), 200U);
}

TEST(Outbox, DrainsWhatIsPushedMeanwhileAfterwards) {
  for (const OutboxUse use : {OutboxUse::often, OutboxUse::seldom}) {
    Outbox<Effect> outbox(use);
    for (int again = 0; again < 3; ++again) check_that_it_drains_what_is_pushed_meanwhile(outbox);
  }
}

TEST(Outbox, CanBeUsedAgainAfterADrainAndAfterATake) {
  Outbox<std::unique_ptr<int>> outbox;  // Effects need not be copyable.
  outbox.push(std::make_unique<int>(1));
  int sum = 0;
  outbox.drain([&](std::unique_ptr<int>&& effect) { sum += *effect; });
  outbox.push(std::make_unique<int>(10));
  const auto taken = outbox.take();
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(*taken[0], 10);
  EXPECT_TRUE(outbox.empty());
  outbox.push(std::make_unique<int>(100));
  outbox.drain([&](std::unique_ptr<int>&& effect) { sum += *effect; });
  EXPECT_EQ(sum, 101);
}

}  // namespace
}  // namespace ekiden
