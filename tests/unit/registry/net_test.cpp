#include "net.hpp"

#include <gtest/gtest.h>

#include <string>

#include "samples.hpp"

namespace ekiden::registry {
namespace {

/// A ring with some chords: everybody reaches everybody.
void connect(Net& net, const std::vector<std::size_t>& nodes) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    net.link(nodes[i], nodes[(i + 1) % nodes.size()]);
    if (nodes.size() > 6) net.link(nodes[i], nodes[(i + 5) % nodes.size()]);
  }
}

Draft draft_of(const std::string& name, Byte value) {
  Draft draft;
  draft.name = name;
  draft.value = {value};
  return draft;
}

Bytes value_at(Net& net, std::size_t which, std::size_t owner, std::string_view name) {
  const auto view = net.at(which).get(net.now(which), net.id(owner), name);
  return view && !view->values.empty() ? view->values.front().value : Bytes();
}

TEST(RegistryNet, EverybodyHasWhatWasPutWithinASecond) {
  Net net(12, 1);
  connect(net, net.all());
  net.run_for(seconds(5));
  for (std::size_t i = 0; i < net.size(); ++i) net.put(i, draft_of("service/" + std::to_string(i), 7));
  net.run_for(seconds(1));
  EXPECT_TRUE(net.are_equal(net.all()));
  EXPECT_EQ(net.at(3).status().shown, 12U);
  EXPECT_EQ(net.node(3).written, 1U);
  EXPECT_EQ(net.node(3).changed, 12U);
  EXPECT_EQ(value_at(net, 5, 0, "service/0"), Bytes{7});
}

TEST(RegistryNet, TellsWhatItTookAndWhetherAComparisonBroughtWhatShouldHaveComeBefore) {
  Net net(2, 1);
  net.link(0, 1);
  net.put(0, draft_of("first", 1));
  net.run_for(seconds(20));
  ASSERT_EQ(net.node(1).taken.size(), 1U);
  const Taken& first = net.node(1).taken[0];
  EXPECT_TRUE(first.author == net.id(0) && first.from == net.id(0) && !first.opened_conflict);
  EXPECT_EQ(first.written, net.now(1).wall - seconds(20));
  const auto was_behind = [&](std::size_t which) {
    return std::ranges::count_if(net.node(which).compared, &Compared::was_behind);
  };
  EXPECT_FALSE(net.node(1).compared.empty());
  EXPECT_EQ(was_behind(1), 0);
  net.cut(0, 1);
  net.put(0, draft_of("second", 1));
  net.run_for(seconds(5));
  net.link(0, 1);  // So shortly after it was written it may well be on its way.
  net.run_for(seconds(20));
  EXPECT_EQ(net.node(1).taken.size(), 2U);
  EXPECT_EQ(was_behind(1), 0);
  net.cut(0, 1);
  net.put(0, draft_of("third", 1));
  net.run_for(seconds(15));
  net.link(0, 1);
  net.run_for(seconds(20));
  EXPECT_EQ(net.node(1).taken.size(), 3U);
  EXPECT_EQ(was_behind(1), 1);
  EXPECT_EQ(was_behind(0), 0);
  EXPECT_EQ(std::ranges::count_if(net.node(1).compared, &Compared::differs), 0);
}

TEST(RegistryNet, TellsOfADifferenceThatOneComparisonDoesNotClose) {
  Config config;
  config.max_moved = 4;
  Net net(2, 1, config);
  for (int i = 0; i < 30; ++i) net.put(0, draft_of("service/" + std::to_string(i), 1));
  net.link(0, 1);
  net.run_for(minutes(1));
  ASSERT_TRUE(net.are_equal(net.all()));
  const auto& compared = net.node(1).compared;
  ASSERT_GE(compared.size(), 8U);
  EXPECT_TRUE(compared.front().differs);
  EXPECT_FALSE(compared.back().differs);
  EXPECT_GE(std::ranges::count_if(compared, &Compared::differs), 6);
}

/// Both sides write all the time, one of ten messages is lost, a node of each side crashes; afterwards all is one.
TEST(RegistryNet, IsOneAgainTenSecondsAfterASplit) {
  for (Byte seed = 1; seed <= 12; ++seed) {
    Net net(20, seed);
    net.lose_one_in(10);
    const std::vector<std::size_t> left = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    const std::vector<std::size_t> right = {10, 11, 12, 13, 14, 15, 16, 17, 18, 19};
    connect(net, net.all());
    for (std::size_t i = 0; i < net.size(); ++i) net.put(i, draft_of("kept", 1));
    for (std::size_t i = 0; i < net.size(); ++i) net.put(i, draft_of("removed", 1));
    net.run_for(seconds(20));
    ASSERT_TRUE(net.are_equal(net.all()));
    for (const std::size_t a : left) {
      for (const std::size_t b : right) net.cut(a, b);
    }
    for (int round = 0; round < 30; ++round) {
      const std::size_t writer = net.rng().below(net.size());
      net.put(writer, draft_of("split/" + std::to_string(round), static_cast<Byte>(writer)));
      if (round < 20) net.remove(static_cast<std::size_t>(round), static_cast<std::size_t>(round), "removed");
      net.run_for(seconds(2));
    }
    net.crash(3);
    net.crash(14);
    net.run_for(seconds(10));
    EXPECT_FALSE(net.are_equal(net.all()));
    connect(net, net.all());
    net.run_for(seconds(10));
    ASSERT_TRUE(net.are_equal(net.all())) << int{seed};
    EXPECT_EQ(net.at(0).status().shown, 20U + 30U);
    for (std::size_t i = 0; i < net.size(); ++i) {
      EXPECT_TRUE(net.node(i).misbehaved.empty());
      EXPECT_EQ(value_at(net, 0, i, "kept"), Bytes{1});
      EXPECT_FALSE(net.at(7).get(net.now(7), net.id(i), "removed"));
    }
  }
}

TEST(RegistryNet, WhatNobodyRenewsEndsEverywhereAndOnDisk) {
  Net net(3, 1);
  connect(net, net.all());
  Draft brief = draft_of("brief", 1);
  brief.lifetime = seconds(60);
  net.put(0, brief);
  net.run_for(seconds(50));
  net.put(1, draft_of("other", 1));
  EXPECT_TRUE(net.at(2).get(net.now(2), net.id(0), "brief"));
  net.run_for(seconds(20));
  EXPECT_FALSE(net.at(2).get(net.now(2), net.id(0), "brief"));
  net.run_for(minutes(2));
  EXPECT_EQ(net.at(2).status().entries, 1U);
  EXPECT_EQ(net.node(2).disk.size(), 1U);
}

TEST(RegistryNet, WhatIsRenewedStaysAlsoAfterARestartUntilItIsPutAnewOrRemoved) {
  Net net(3, 1);
  net.link(0, 1);
  net.link(1, 2);
  for (const char* name : {"kept", "ended", "removed"}) {
    Draft draft = draft_of(name, 1);
    draft.lifetime = seconds(60);
    draft.renew = true;
    net.put(0, draft);
  }
  net.run_for(minutes(3));
  EXPECT_EQ(net.at(0).status().renewals, 3U);
  for (const char* name : {"kept", "ended", "removed"}) EXPECT_TRUE(net.at(2).get(net.now(2), net.id(0), name));
  net.crash(0);
  net.run_for(minutes(3));
  EXPECT_TRUE(net.at(2).get(net.now(2), net.id(0), "kept"));
  Draft last = draft_of("ended", 2);
  last.lifetime = seconds(60);
  net.put(0, last);
  net.remove(0, 0, "removed");
  net.crash(0);
  net.run_for(minutes(3));
  EXPECT_TRUE(net.at(2).get(net.now(2), net.id(0), "kept"));
  EXPECT_FALSE(net.at(2).get(net.now(2), net.id(0), "ended"));
  EXPECT_FALSE(net.at(2).get(net.now(2), net.id(0), "removed"));
  EXPECT_EQ(net.at(0).status().renewals, 1U);
  EXPECT_EQ(net.node(0).disk.size(), 3U);  // The entry, its renewal and the clock.
}

/// A machine that was off for longer than its entries live.
TEST(RegistryNet, WhatIsRenewedIsBackWhenItsOwnerIs) {
  Net net(2, 1);
  Draft draft = draft_of("service", 1);
  draft.lifetime = hours(1);
  draft.renew = true;
  net.put(0, draft);
  draft.name = "once";
  draft.renew = false;
  net.put(0, draft);
  net.node(0).ahead += days(3);
  net.node(1).ahead += days(3);
  net.crash(0);
  net.link(0, 1);
  net.run_for(seconds(10));
  EXPECT_TRUE(net.at(1).get(net.now(1), net.id(0), "service"));
  EXPECT_FALSE(net.at(1).get(net.now(1), net.id(0), "once"));
}

/// A machine that slept over the end of its entries renews all of them, however many, before it forgets any.
TEST(RegistryNet, AllThatIsRenewedOutlivesALongSleep) {
  constexpr std::size_t kMany = 150;
  Net net(2, 1);
  net.link(0, 1);
  Draft draft = draft_of("", 1);
  draft.lifetime = hours(1);
  draft.renew = true;
  for (std::size_t i = 0; i < kMany; ++i) {
    draft.name = "service-" + std::to_string(i);
    net.put(0, draft);
  }
  net.run_for(seconds(10));
  net.node(0).ahead += days(3);
  net.node(1).ahead += days(3);
  net.run_for(minutes(2));
  EXPECT_EQ(net.at(0).status().renewals, kMany);
  EXPECT_EQ(net.at(1).list(net.now(1), std::nullopt, 2 * kMany).size(), kMany);
}

/// A renewal is no new word: it takes the place of nothing that others wrote meanwhile, and of nothing that was.
TEST(RegistryNet, ARenewalOverwritesNobody) {
  Net net(2, 1);
  net.link(0, 1);
  Draft draft = draft_of("door", 1);
  draft.shape = Shape::shared;
  draft.writers = {net.id(1)};
  draft.lifetime = minutes(10);
  draft.renew = true;
  net.put(0, draft);
  net.run_for(seconds(10));
  net.cut(0, 1);
  Draft other = draft_of("door", 2);
  other.owner = net.id(0);
  other.lifetime = days(1);
  net.put(1, other);  // It has seen the owner's value.
  net.run_for(minutes(1));
  net.link(0, 1);
  net.run_for(minutes(30));
  const auto view = net.at(1).get(net.now(1), net.id(0), "door");
  ASSERT_TRUE(view);
  ASSERT_EQ(view->values.size(), 1U);
  EXPECT_EQ(view->values.front().value, Bytes{2});
  EXPECT_EQ(net.at(0).status().renewals, 1U);
}

TEST(RegistryNet, ASetThatIsRenewedKeepsItsElementsAndWhatWasTaken) {
  Net net(2, 1);
  net.link(0, 1);
  Draft draft;
  draft.name = "pool";
  draft.shape = Shape::set;
  draft.writers = {net.id(1)};
  draft.add = {Bytes{1}, Bytes{2}};
  draft.lifetime = days(1);
  draft.renew = true;
  net.put(0, draft);
  net.run_for(seconds(10));
  Draft other;
  other.name = "pool";
  other.owner = net.id(0);
  other.take = {Bytes{1}};
  other.add = {Bytes{3}};
  other.lifetime = days(30);
  net.put(1, other);
  for (int day = 0; day < 40; ++day) {
    net.node(0).ahead += days(1);
    net.node(1).ahead += days(1);
    net.run_for(minutes(3));
  }
  const auto view = net.at(1).get(net.now(1), net.id(0), "pool");
  ASSERT_TRUE(view);
  EXPECT_EQ(view->elements, (std::vector<Bytes>{Bytes{2}}));
}

/// Otherwise a node that crashed, and whose clock was set back, could write again what is older than what others have.
TEST(RegistryNet, TheClockOutlivesARestart) {
  Net net(1, 1);
  Draft draft = draft_of("first", 1);
  draft.lifetime = seconds(1);
  net.put(0, draft);
  const Stamp before = net.at(0).list(net.now(0), std::nullopt, 1).front().stamp;
  net.run_for(seconds(10));
  net.node(0).ahead -= minutes(4);
  net.crash(0);
  net.put(0, draft_of("second", 1));
  EXPECT_GT(net.at(0).list(net.now(0), std::nullopt, 9).front().stamp, before);
}

TEST(RegistryNet, AnEmptyNetworkIsSilent) {
  Net net(4, 1);
  for (std::size_t i = 1; i < 4; ++i) net.link(0, i);
  net.run_for(minutes(10));
  EXPECT_EQ(net.messages, 0U);
  net.put(2, draft_of("service", 1));
  net.run_for(seconds(2));
  EXPECT_TRUE(net.are_equal(net.all()));
}

/// Both sides of a split write one value; both are shown until somebody who has seen them writes again.
TEST(RegistryNet, ASharedNameShowsWhatIsConcurrent) {
  Net net(4, 1);
  Draft draft = draft_of("on-call", 1);
  draft.shape = Shape::shared;
  draft.writers = {net.id(1), net.id(2)};
  connect(net, net.all());
  net.run_for(seconds(2));
  net.put(0, draft);
  net.run_for(seconds(1));
  for (std::size_t i = 0; i < 4; ++i) net.cut(2, i);
  const auto write = [&](std::size_t writer, Byte value) {
    Draft again = draft_of("on-call", value);
    again.owner = net.id(0);
    net.put(writer, again);
    net.run_for(seconds(1));
  };
  write(1, 11);
  EXPECT_EQ(value_at(net, 3, 0, "on-call"), Bytes{11});
  write(2, 22);
  net.run_for(seconds(5));
  net.node(2).taken.clear();
  connect(net, net.all());
  net.run_for(seconds(10));
  ASSERT_EQ(net.node(2).taken.size(), 1U);
  EXPECT_EQ(net.node(2).taken[0].author, net.id(1));
  EXPECT_TRUE(net.node(2).taken[0].opened_conflict);
  ASSERT_TRUE(net.are_equal(net.all()));
  EXPECT_EQ(net.at(3).get(net.now(3), net.id(0), "on-call")->values.size(), 2U);
  ASSERT_EQ(net.at(3).conflicts().size(), 1U);
  EXPECT_FALSE(net.at(3).conflicts()[0].settled);
  EXPECT_EQ(net.at(3).conflicts()[0].claims.size(), 2U);
  net.crash(3);
  ASSERT_EQ(net.at(3).conflicts().size(), 1U);
  net.run_for(seconds(1));
  write(1, 33);
  EXPECT_EQ(net.at(3).get(net.now(3), net.id(0), "on-call")->values.size(), 1U);
  EXPECT_EQ(value_at(net, 3, 0, "on-call"), Bytes{33});
  EXPECT_EQ(net.at(3).conflicts()[0].settled, net.id(1));
  net.remove(2, 0, "on-call");
  net.run_for(seconds(1));
  EXPECT_EQ(value_at(net, 3, 0, "on-call"), Bytes());
  EXPECT_FALSE(net.at(3).put(
      net.now(3),
      [&] {
        Draft stranger = draft_of("on-call", 9);
        stranger.owner = net.id(0);
        return stranger;
      }(),
      net.node(3).out));
}

TEST(RegistryNet, ASetKeepsWhatOneSideAddedAndLosesWhatTheOtherRemoved) {
  Net net(3, 1);
  Draft draft;
  draft.name = "members";
  draft.shape = Shape::set;
  draft.writers = {net.id(1), net.id(2)};
  draft.add = {{1}, {2}, {3}};
  connect(net, net.all());
  net.run_for(seconds(2));
  net.put(0, draft);
  net.run_for(seconds(1));
  net.cut(2, 0);
  net.cut(2, 1);
  const auto change = [&](std::size_t writer, std::vector<Bytes> add, std::vector<Bytes> take) {
    Draft more;
    more.name = "members";
    if (writer != 0) more.owner = net.id(0);
    more.shape = Shape::set;
    more.writers = draft.writers;
    if (writer != 0) more.writers.clear();
    more.add = std::move(add);
    more.take = std::move(take);
    net.put(writer, more);
    net.run_for(seconds(1));
  };
  change(1, {{4}}, {{1}});
  change(2, {{5}}, {{2}});
  change(0, {{6}}, {});
  connect(net, net.all());
  net.run_for(seconds(10));
  ASSERT_TRUE(net.are_equal(net.all()));
  const std::vector<Bytes> expected = {{3}, {4}, {5}, {6}};
  EXPECT_EQ(net.at(1).get(net.now(1), net.id(0), "members")->elements, expected);
  change(2, {}, {{3}, {4}});
  EXPECT_EQ(net.at(0).get(net.now(0), net.id(0), "members")->elements, (std::vector<Bytes>{{5}, {6}}));
}

// Members that do harm. -----------------------------------------------------------------------------------------------

Bytes entries_message(const std::vector<Bytes>& entries) {
  Entries message;
  message.entries.assign(entries.begin(), entries.end());
  return *link_message(wire::MessageType::registry_entries, message);
}

TEST(RegistryNet, BothEntriesOfOneThatEquivocatesAreEvidenceAndOneIsTakenEverywhere) {
  Net net(6, 1);
  connect(net, net.all());
  net.run_for(seconds(2));
  Entry entry = sample_entry(net.node(5).identity, "two-faced", {to_unix_ms(net.now(0).wall), 0});
  entry.value = {1};
  const Bytes one = *sign_entry(net.node(5).identity, entry);
  entry.value = {2};
  const Bytes other = *sign_entry(net.node(5).identity, entry);
  net.say(5, 0, entries_message({one}));
  net.say(5, 4, entries_message({other}));
  net.run_for(seconds(10));
  EXPECT_TRUE(net.are_equal(net.all()));
  const Bytes& taken = digest_of(one) < digest_of(other) ? other : one;
  EXPECT_EQ(to_bytes(net.at(2).replica().find(entry.id())->signed_bytes()), taken);
  std::size_t reports = 0;
  for (std::size_t i = 0; i < net.size(); ++i) {
    for (const Equivocated& seen : net.node(i).equivocated) {
      ++reports;
      EXPECT_EQ(seen.author, net.id(5));
      EXPECT_EQ(seen.taken, taken);
      EXPECT_EQ(seen.dropped, &taken == &one ? other : one);
      EXPECT_EQ(net.at(i).conflicts()[0].kind, ConflictKind::equivocal);
    }
  }
  EXPECT_GT(reports, 0U);
}

TEST(RegistryNet, OneThatSendsWhatNobodySignedIsHeardNoMore) {
  Net net(3, 1);
  connect(net, net.all());
  net.run_for(seconds(2));
  const Entry entry = sample_entry(net.node(1).identity, "forged", {to_unix_ms(net.now(0).wall), 0});
  net.say(2, 0, entries_message({unsigned_entry(entry)}));
  ASSERT_EQ(net.node(0).misbehaved.size(), 1U);
  EXPECT_EQ(net.node(0).misbehaved[0].peer, net.id(2));
  const Bytes good = *sign_entry(net.node(1).identity, entry);
  net.say(2, 0, entries_message({good}));
  EXPECT_EQ(net.at(0).status().entries, 0U);
  net.say(1, 0, entries_message({good}));
  EXPECT_EQ(net.at(0).status().entries, 1U);
}

TEST(RegistryNet, AYearAheadAndTheLargestCountersChangeNothing) {
  Net net(3, 1);
  connect(net, net.all());
  net.run_for(seconds(2));
  const std::uint64_t wall = to_unix_ms(net.now(0).wall);
  const auto year = static_cast<std::uint64_t>(milliseconds(days(365)).count());
  for (const Stamp stamp : {Stamp{wall + year, 0}, Stamp{kMaxUnixMs, ~std::uint32_t{0}}}) {
    Entry entry = sample_entry(net.node(2).identity, "ahead", stamp, seconds(1));
    if (!check_form(entry)) continue;
    net.say(2, 0, entries_message({*sign_entry(net.node(2).identity, entry)}));
  }
  EXPECT_EQ(net.at(0).status().entries, 0U);
  EXPECT_GE(net.at(0).status().refused, 1U);
  Entry entry = sample_entry(net.node(2).identity, "counter", {wall, ~std::uint32_t{0}});
  net.say(2, 0, entries_message({*sign_entry(net.node(2).identity, entry)}));
  net.run_for(seconds(1));
  net.put(2, draft_of("counter", 5));
  net.put(0, draft_of("own", 1));
  net.run_for(seconds(1));
  EXPECT_EQ(value_at(net, 0, 2, "counter"), Bytes{5});
  EXPECT_LT(net.at(1).replica().find(EntryId::of(net.id(0), net.id(0), "own"))->version().stamp.ms, wall + 60'000);
}

TEST(RegistryNet, AnAuthorWhoseClockWasAYearAheadWritesOnWhenItIsRight) {
  Net net(2, 1);
  connect(net, net.all());
  net.node(0).ahead = days(365);
  net.put(0, draft_of("service", 1));
  net.run_for(seconds(10));
  EXPECT_FALSE(net.at(1).get(net.now(1), net.id(0), "service"));
  net.node(0).ahead = {};
  net.put(0, draft_of("service", 2));
  net.run_for(seconds(10));
  EXPECT_EQ(value_at(net, 1, 0, "service"), Bytes{2});
}

TEST(RegistryNet, OneThatFloodsIsTakenAtItsRate) {
  Config config;
  config.updates = {.per_second = 2, .burst = 10};
  Net net(2, 1, config);
  connect(net, net.all());
  net.run_for(seconds(1));
  for (std::uint32_t i = 0; i < 500; ++i) {
    const Entry entry = sample_entry(net.node(1).identity, "flood", {to_unix_ms(net.now(0).wall), i});
    net.say(1, 0, entries_message({*sign_entry(net.node(1).identity, entry)}));
  }
  EXPECT_LE(net.at(0).status().taken, 10U);
  EXPECT_GE(net.at(0).status().refused, 490U);
}

TEST(RegistryNet, GarbageIsRefused) {
  Net net(2, 1);
  connect(net, net.all());
  Rng rng = test::make_rng(9);
  for (int i = 0; i < 2000; ++i) {
    Bytes message(1 + rng.below(60));
    rng.fill(message);
    message[0] = static_cast<Byte>(48 + rng.below(4));
    net.say(1, 0, message);
  }
  net.run_for(seconds(10));
  EXPECT_EQ(net.at(0).status().entries, 0U);
}

/// What one side does not take is not offered again and again.
TEST(RegistryNet, WhatAWrongClockMadeCostsLittle) {
  Net net(2, 1);
  connect(net, net.all());
  net.run_for(seconds(10));
  net.node(0).ahead = minutes(30);
  for (int i = 0; i < 100; ++i) net.put(0, draft_of("service/" + std::to_string(i), 1));
  net.run_for(minutes(5));
  net.bytes = 0;
  net.run_for(minutes(10));
  EXPECT_EQ(net.at(1).status().entries, 0U);
  EXPECT_LE(net.bytes, 20U * 100 * 500);
}

TEST(RegistryNet, EqualReplicasSayLittle) {
  Net net(2, 1);
  connect(net, net.all());
  for (int i = 0; i < 200; ++i) net.put(0, draft_of("service/" + std::to_string(i), 1));
  net.run_for(seconds(10));
  ASSERT_TRUE(net.are_equal(net.all()));
  net.bytes = 0;
  net.run_for(minutes(10));
  EXPECT_LE(net.bytes, 200U * 1024);
}

}  // namespace
}  // namespace ekiden::registry
