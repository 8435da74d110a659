// Both sides begin at once: whatever is overtaken or lost, they end on one session.
#include "unit/session/testing.hpp"

namespace ekiden::session {
namespace {

struct Letter {
  std::size_t from;
  Bytes body;
};

/// Both have sealed before hearing of each other; the letters arrive in an order, some never, and agents may crash.
class Beginning {
 public:
  Beginning() {
    for (int i = 0; i < 2; ++i) {
      for (std::size_t from : {0U, 1U})
        letters.push_back({from, sealed_by(at({}), side(from), side(1 - from), "early")});
    }
  }

  Agent& side(std::size_t i) { return i == 0 ? first : second; }

  void deliver(std::size_t index) {
    const Letter& letter = letters[index];
    expect_opens(at({}), side(1 - letter.from), side(letter.from), letter.body, "early");
    side(1 - letter.from).persist();
  }

  SessionId active(std::size_t i) { return side(i).active_with(side(1 - i).id()).id; }

  void expect_settles() {
    for (int i = 0; i < 2; ++i) converse(at({}), first, second);
    EXPECT_EQ(active(0), active(1));
  }

  Agent first{1}, second{2};
  std::vector<Letter> letters;
};

TEST(Settling, BothSidesSendOnTheSessionOfTheSmallerPeerId) {
  Beginning begin;
  const bool first_is_smaller = begin.first.id() < begin.second.id();
  const SessionId expected = begin.active(first_is_smaller ? 0 : 1);
  for (std::size_t i = 0; i < 4; ++i) begin.deliver(i);
  EXPECT_EQ(begin.active(0), expected);
  EXPECT_EQ(begin.active(1), expected);
  EXPECT_EQ(begin.first.engine->size(), 2U);
}

TEST(Settling, HappensWhateverTheOrderOfTheFirstMessagesAndWhicheverAreLost) {
  std::vector<std::size_t> order = {0, 1, 2, 3};
  do {
    for (std::size_t arrive = 0; arrive <= 4; ++arrive) {
      Beginning begin;
      for (std::size_t i = 0; i < arrive; ++i) begin.deliver(order[i]);
      begin.expect_settles();
    }
  } while (std::ranges::next_permutation(order).found);
}

TEST(Settling, HappensAlsoWhenTheFirstConversationsOverlap) {
  for (unsigned pattern = 0; pattern < 64; ++pattern) {
    Beginning begin;
    for (unsigned bit = 0; bit < 6; ++bit) {
      const std::size_t from = pattern >> bit & 1;
      say(at({}), begin.side(from), begin.side(1 - from));
      if (bit < 4) begin.deliver(bit);
    }
    begin.expect_settles();
  }
}

TEST(Settling, SurvivesACrashOfEitherSideAtAnyPoint) {
  for (std::size_t crash_after = 0; crash_after < 4; ++crash_after) {
    for (std::size_t who : {0U, 1U}) {
      for (const bool persisted : {false, true}) {
        Beginning begin;
        for (std::size_t i = 0; i < 4; ++i) {
          const Letter& letter = begin.letters[i];
          Agent& to = begin.side(1 - letter.from);
          expect_opens(at({}), to, begin.side(letter.from), letter.body, "early");
          if (persisted || i != crash_after) to.persist();
          if (i == crash_after) begin.side(who).crash(at({}));
          to.persist();
        }
        begin.expect_settles();
      }
    }
  }
}

TEST(Settling, MessagesOfTheOtherSessionAreStillOpened) {
  Beginning begin;
  const Bytes late_a = sealed_by(at({}), begin.first, begin.second, "late a");
  const Bytes late_b = sealed_by(at({}), begin.second, begin.first, "late b");
  begin.deliver(0);
  begin.deliver(1);
  begin.expect_settles();
  expect_opens(at({}), begin.second, begin.first, late_a, "late a");
  expect_opens(at({}), begin.first, begin.second, late_b, "late b");
}

}  // namespace
}  // namespace ekiden::session
