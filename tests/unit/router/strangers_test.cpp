// Who is not a contact: what strangers can take of an inbox, alone, in a crowd and one after another.

#include <gtest/gtest.h>

#include <string>

#include "world.hpp"

namespace ekiden::router {
namespace {

using test::Mail;
using test::World;

/// A recipient, station 0, with one contact, station 1; all others are strangers to it.
struct Crowd : World {
  Crowd(std::size_t stations, Config config) : World(stations, accepting(config)) {
    for (std::size_t i = 2; i < stations; ++i) (*this)[0].set_contact((*this)[i].id(), false);
    for (std::size_t i = 1; i < stations; ++i) link(i, 0);
  }

  /// So that what they can take is seen to arrive.
  static Config accepting(Config config) {
    config.strangers = Strangers::accept;
    return config;
  }

  /// Sends `count` messages, which arrive or are refused.
  RequestId flood(std::size_t from, int count) {
    RequestId last{};
    for (int i = 0; i < count; ++i) last = send(from, 0, std::to_string(i));
    pass(milliseconds(50));
    return last;
  }

  std::size_t arrived_from(std::size_t from) {
    std::size_t count = 0;
    for (const auto& message : (*this)[0].arrivals) count += message->from == (*this)[from].id() ? 1 : 0;
    return count;
  }

  std::string last_step(std::size_t of, RequestId request) {
    return (*this)[of].router().trace((*this)[of].answer(request))->steps.back().what;
  }
};

TEST(Strangers, FillTheirPoolOfTheInboxAndLeaveTheRestToContacts) {
  Config config;
  config.max_inbox_messages = 40;
  Crowd crowd(12, config);
  for (std::size_t stranger = 2; stranger < 12; ++stranger) crowd.flood(stranger, 20);
  EXPECT_EQ(crowd[0].router().status().inbox_messages, 10u);
  EXPECT_EQ(crowd.arrived_from(2), 5u) << "one stranger has half of the pool";
  EXPECT_EQ(crowd.arrived_from(11), 0u);

  crowd.flood(1, 15);
  EXPECT_EQ(crowd.arrived_from(1), 15u) << "half of what the strangers could not take";
}

TEST(Strangers, FillTheirPoolOfBytesAndLeaveTheRestToContacts) {
  Config config;
  config.max_inbox_bytes = 8'000;
  Crowd crowd(4, config);
  Draft large;
  large.body = Bytes(1'500);
  crowd.send(2, 0, large);
  crowd.send(3, 0, large);
  crowd.pass(milliseconds(50));
  EXPECT_EQ(crowd.arrived_from(2), 1u);
  EXPECT_EQ(crowd.arrived_from(3), 0u);
  crowd.send(1, 0, large);
  crowd.send(1, 0, large);
  crowd.pass(milliseconds(50));
  EXPECT_EQ(crowd.arrived_from(1), 2u);
}

TEST(Strangers, AreToldThatItIsTheirPoolThatIsFull) {
  Config config;
  config.max_inbox_messages = 4;
  Crowd crowd(4, config);
  crowd.flood(2, 1);
  const RequestId refused = crowd.flood(3, 1);
  EXPECT_NE(crowd.last_step(3, refused).find("room for strangers is full"), std::string::npos)
      << crowd.last_step(3, refused);
  crowd.take_all(0);
  crowd.pass(minutes(1));
  EXPECT_EQ(crowd.arrived_from(3), 1u);
}

TEST(Strangers, OneAfterAnotherFindRoomAlthoughNobodyTellsAFloor) {
  Config config;
  config.max_windows = 40;
  Crowd crowd(14, config);
  std::vector<Mail> copies;
  for (std::size_t stranger = 2; stranger < 14; ++stranger) {
    crowd.send(stranger, 0, "first");
    crowd.sync(stranger);
    for (const Mail& each : crowd.mail()) copies.push_back(each);
    crowd.flood(stranger, 8);
    crowd.take_all(0);
    crowd.sync(0);
    EXPECT_GE(crowd.arrived_from(stranger), 1u);
    EXPECT_LE(crowd[0].rows_in(store::Table::inbox), 10u) << "the tombstones of strangers";
  }
  const auto replay = [&] {
    const std::size_t arrived = crowd[0].number_of.size();
    crowd[0].session().forget_used();
    for (const Mail& copy : copies) crowd.inject(copy);
    crowd.flow();
    return crowd[0].number_of.size() - arrived;
  };
  EXPECT_EQ(replay(), 0u) << "forgotten, but not new";
  crowd.crash(0);
  crowd.boot(0);
  for (std::size_t i = 1; i < 14; ++i) crowd.link(i, 0);
  crowd.flow();
  EXPECT_EQ(replay(), 0u) << "also after a restart";

  crowd.flood(1, 14);
  EXPECT_EQ(crowd.arrived_from(1), 14u) << "the contact";
}

TEST(Strangers, DoNotPushOutWhoHoldsLess) {
  Config config;
  config.max_windows = 40;
  Crowd crowd(4, config);
  crowd.send(2, 0, "modest");
  crowd.sync(2);
  const Mail copy = crowd.mail().front();
  crowd.flow();
  crowd.take_all(0);
  crowd.flood(3, 20);
  crowd.take_all(0);
  crowd.sync(0);
  const std::uint64_t before = crowd[0].router().status().duplicates;
  crowd.inject(copy);
  crowd.flow();
  EXPECT_EQ(crowd[0].router().status().duplicates, before + 1) << "the modest one is remembered";
  EXPECT_LE(crowd.arrived_from(3), 5u);
}

TEST(Strangers, TakeOnlyTheirPartOfThePlacesForSenders) {
  Config config;
  config.max_senders = 8;
  Crowd crowd(5, config);
  crowd.flood(2, 1);
  crowd.flood(3, 1);
  const RequestId refused = crowd.flood(4, 1);
  EXPECT_EQ(crowd.arrived_from(4), 0u);
  EXPECT_NE(crowd.last_step(4, refused).find("room for strangers is full"), std::string::npos);
  crowd.flood(1, 1);
  EXPECT_EQ(crowd.arrived_from(1), 1u);
}

TEST(Strangers, BecomeContactsAndBackWithAllThatTheyHold) {
  Config config;
  config.max_inbox_messages = 40;
  Crowd crowd(4, config);
  crowd.flood(2, 20);
  EXPECT_EQ(crowd.arrived_from(2), 5u);
  crowd[0].set_contact(crowd[2].id(), true);
  crowd.flood(3, 3);
  EXPECT_EQ(crowd.arrived_from(3), 3u) << "the pool is free again";
  crowd.pass(minutes(1));
  EXPECT_EQ(crowd.arrived_from(2), 19u) << "half of what is free";

  crowd[0].set_contact(crowd[2].id(), false);
  crowd.crash(0);
  crowd.boot(0);
  crowd.link(3, 0);
  crowd.flood(3, 1);
  EXPECT_EQ(crowd.arrived_from(3), 6u) << "its three announced again, and not the fourth: the pool is more than full";
  crowd.take_all(0);
  crowd.pass(minutes(1));
  EXPECT_EQ(crowd.arrived_from(3), 7u);
}

}  // namespace
}  // namespace ekiden::router
