#include "embed/mailroom.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace ekiden::embed {
namespace {

using namespace std::chrono_literals;

router::ArrivedPtr arrived(std::uint64_t number, router::DeliveryClass delivery) {
  auto message = std::make_shared<router::Arrived>();
  message->number = number;
  message->delivery = delivery;
  return message;
}

TEST(Mailroom, DropsVolatileMessagesThatNobodyReceives) {
  Mailroom room;
  for (std::size_t i = 0; i < Mailroom::kMaxWaitingVolatile + 10; ++i) {
    room.on_arrival(arrived(0, router::DeliveryClass::volatile_));
  }
  room.on_arrival(arrived(7, router::DeliveryClass::durable));
  for (std::size_t i = 0; i < Mailroom::kMaxWaitingVolatile; ++i) {
    ASSERT_EQ(room.receive(0ms)->delivery, Delivery::volatile_);
  }
  EXPECT_EQ(room.receive(0ms)->number, 7u);
  EXPECT_EQ(room.receive(0ms).error().code, Errc::timed_out);
  // What was received makes room.
  room.on_arrival(arrived(0, router::DeliveryClass::volatile_));
  EXPECT_TRUE(room.receive(0ms));
}

TEST(Mailroom, GivesWhatWaitsAndThenTheReasonWhyTheNodeEnded) {
  Mailroom room;
  room.on_arrival(arrived(1, router::DeliveryClass::durable));
  const auto seen = room.changes();
  room.end({Errc::closed, "the node has ended: the disk failed"});
  EXPECT_EQ(room.wait_for_change(seen, std::chrono::steady_clock::now() + 20s).error().code, Errc::closed);
  EXPECT_EQ(room.receive(20s)->number, 1u);
  const auto end = room.receive(20s);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().message, "the node has ended: the disk failed");
}

}  // namespace
}  // namespace ekiden::embed
