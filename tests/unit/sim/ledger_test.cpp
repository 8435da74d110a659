// The referee has to see what it is there to see: each rule is broken once.
#include "sim/ledger.hpp"

#include <gtest/gtest.h>

#include <map>

namespace ekiden::sim {
namespace {

class LedgerTest : public ::testing::Test {
 protected:
  SendNumber accepted_message() {
    const SendNumber number = ledger_.submit(0, 1, router::DeliveryClass::durable, 64, Instant(hours(1)), rng_);
    id_ = Uuid::random(rng_);
    ledger_.accepted(number, id_, Instant(seconds(1)));
    return number;
  }
  router::Arrived arrival_of(SendNumber number) const {
    router::Arrived arrived;
    arrived.id = id_;
    arrived.body = ledger_.body_of(number);
    return arrived;
  }
  bool broken() const { return !ledger_.breaches().empty(); }

  Rng rng_{Rng::Seed{3}};
  Ledger ledger_;
  router::MessageId id_;
};

TEST_F(LedgerTest, AnHonestLifeBreaksNothing) {
  const SendNumber number = accepted_message();
  EXPECT_TRUE(ledger_.arrived(1, 1, arrival_of(number), 0, Instant(seconds(2))));
  ledger_.state_changed(0, id_, router::MessageState::delivered, Instant(seconds(3)));
  EXPECT_FALSE(ledger_.settled(Instant(seconds(3)))) << "not taken yet";
  ledger_.taken(number);
  EXPECT_TRUE(ledger_.settled(Instant(seconds(3))));
  ledger_.check_end(Instant(seconds(3)));
  EXPECT_FALSE(broken());
}

TEST_F(LedgerTest, SeesALostMessage) {
  accepted_message();
  ledger_.check_end(Instant(seconds(9)));
  EXPECT_TRUE(broken());
}

TEST_F(LedgerTest, AnExpiredMessageIsNotLost) {
  accepted_message();
  ledger_.check_end(Instant(hours(2)));
  EXPECT_FALSE(broken());
}

TEST_F(LedgerTest, SeesASecondArrivalInOneRun) {
  const SendNumber number = accepted_message();
  ledger_.arrived(1, 1, arrival_of(number), 0, Instant(seconds(2)));
  ledger_.arrived(1, 1, arrival_of(number), 0, Instant(seconds(3)));
  EXPECT_TRUE(broken());
}

TEST_F(LedgerTest, AllowsAnArrivalAgainAfterARestartUntilItIsTaken) {
  const SendNumber number = accepted_message();
  ledger_.arrived(1, 1, arrival_of(number), 0, Instant(seconds(2)));
  ledger_.arrived(1, 2, arrival_of(number), 0, Instant(seconds(3)));
  EXPECT_FALSE(broken());
  ledger_.taken(number);
  ledger_.arrived(1, 3, arrival_of(number), 0, Instant(seconds(4)));
  EXPECT_TRUE(broken());
}

TEST_F(LedgerTest, SeesAReceiptWithoutDelivery) {
  accepted_message();
  ledger_.state_changed(0, id_, router::MessageState::delivered, Instant(seconds(3)));
  EXPECT_TRUE(broken());
}

TEST_F(LedgerTest, SeesAChangedBodyAWrongSenderAndAWrongRecipient) {
  const SendNumber number = accepted_message();
  router::Arrived changed = arrival_of(number);
  changed.body.back() ^= 1;
  ledger_.arrived(1, 1, changed, 0, Instant(seconds(2)));
  EXPECT_EQ(ledger_.breaches().size(), 1U);
  ledger_.arrived(1, 1, arrival_of(number), 2, Instant(seconds(2)));
  EXPECT_EQ(ledger_.breaches().size(), 2U);
  ledger_.arrived(2, 1, arrival_of(number), 0, Instant(seconds(2)));
  EXPECT_EQ(ledger_.breaches().size(), 3U);
}

TEST_F(LedgerTest, MeasuresFromTheReturnOfTheRecipientToTheArrival) {
  ledger_.came(0, Instant(seconds(0)));
  const SendNumber number = accepted_message();
  ledger_.came(1, Instant(seconds(20)));
  ledger_.arrived(1, 1, arrival_of(number), 0, Instant(seconds(20) + kSoon));
  const auto totals = ledger_.totals(Instant(seconds(40)));
  EXPECT_EQ(totals.awaited, 1U);
  EXPECT_EQ(totals.awaited_soon, 1U);
  EXPECT_EQ(totals.return_p99, kSoon);
}

TEST_F(LedgerTest, ALateArrivalIsNotSoonAlsoWhenTheRecipientWasAwayAgain) {
  ledger_.came(0, Instant(seconds(0)));
  const SendNumber number = accepted_message();
  ledger_.came(1, Instant(seconds(20)));
  ledger_.went(1);
  ledger_.came(1, Instant(seconds(30)));
  ledger_.arrived(1, 2, arrival_of(number), 0, Instant(seconds(31)));
  const auto totals = ledger_.totals(Instant(seconds(40)));
  EXPECT_EQ(totals.awaited, 1U);
  EXPECT_EQ(totals.awaited_soon, 0U);
  EXPECT_EQ(totals.return_median, seconds(11));
}

TEST_F(LedgerTest, WhatNobodyWhoIsThereHasIsDueWhenTheFirstMailboxComesBack) {
  ledger_.came(0, Instant(seconds(0)));
  ledger_.came(2, Instant(seconds(0)));
  const SendNumber number = accepted_message();
  ledger_.kept(2, id_, Instant(seconds(2)));
  ledger_.went(0);
  ledger_.went(2);
  ledger_.came(1, Instant(seconds(20)));
  ledger_.came(2, Instant(seconds(100)));
  ledger_.arrived(1, 1, arrival_of(number), 0, Instant(seconds(103)));
  const auto totals = ledger_.totals(Instant(seconds(200)));
  EXPECT_EQ(totals.copies, 1U);
  EXPECT_EQ(totals.awaited, 1U);
  EXPECT_EQ(totals.return_median, seconds(3));
}

TEST_F(LedgerTest, WhatArrivesWithoutAnAbsenceWaitsForNobody) {
  ledger_.came(0, Instant(seconds(0)));
  ledger_.came(1, Instant(seconds(0)));
  const SendNumber number = accepted_message();
  ledger_.arrived(1, 1, arrival_of(number), 0, Instant(seconds(50)));
  EXPECT_EQ(ledger_.totals(Instant(seconds(60))).awaited, 0U);
}

TEST_F(LedgerTest, SeesARefusedMessageArrive) {
  const SendNumber number = ledger_.submit(0, 1, router::DeliveryClass::durable, 64, Instant(hours(1)), rng_);
  ledger_.refused(number);
  ledger_.arrived(1, 1, arrival_of(number), 0, Instant(seconds(2)));
  EXPECT_TRUE(broken());
}

class LedgerOrderTest : public LedgerTest {
 protected:
  SendNumber ordered_message() {
    const SendNumber number = accepted_message();
    ledger_.order(number, "tea");
    ids_[number] = id_;
    return number;
  }
  void arrive(SendNumber number, std::uint64_t boot = 1, std::uint64_t missing = 0, bool late = false) {
    router::Arrived arrived = arrival_of(number);
    arrived.id = ids_.at(number);
    arrived.order = router::Order{.conversation = "tea", .place = 1};
    arrived.missing = missing;
    arrived.late = late;
    ledger_.arrived(1, boot, arrived, 0, Instant(seconds(2)));
  }
  std::map<SendNumber, router::MessageId> ids_;
  SendNumber first_ = ordered_message();
  SendNumber second_ = ordered_message();
};

TEST_F(LedgerOrderTest, WhatIsInOrderBreaksNothing) {
  arrive(first_);
  arrive(second_);
  arrive(first_, 2);
  arrive(second_, 2);
  EXPECT_FALSE(broken());
}

TEST_F(LedgerOrderTest, AGapAndWhatComesLateBreakNothing) {
  arrive(second_, 1, 1);
  arrive(first_, 1, 0, true);
  EXPECT_FALSE(broken());
}

TEST_F(LedgerOrderTest, SeesAWrongOrder) {
  arrive(second_);
  arrive(first_);
  EXPECT_TRUE(broken());
}

TEST_F(LedgerOrderTest, SeesAWrongOrderOverARestart) {
  arrive(second_);
  arrive(first_, 2);
  EXPECT_TRUE(broken());
}

TEST_F(LedgerOrderTest, SeesWhatIsCalledLateForNoReason) {
  arrive(first_, 1, 0, true);
  EXPECT_TRUE(broken());
}

TEST_F(LedgerOrderTest, SeesAGapThatIsNone) {
  arrive(first_);
  ledger_.state_changed(0, ids_.at(first_), router::MessageState::delivered, Instant(seconds(3)));
  arrive(second_, 1, 1);
  EXPECT_TRUE(broken());
}

TEST_F(LedgerOrderTest, SeesWhatIsUnorderedAndShouldNotBe) {
  ledger_.arrived(1, 1, arrival_of(second_), 0, Instant(seconds(2)));
  EXPECT_TRUE(broken());
}

}  // namespace
}  // namespace ekiden::sim
