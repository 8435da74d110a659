// The parts behind questions: the id of a reply, who is asked first, and choosing among those that can be reached.
#include <gtest/gtest.h>

#include "router/asks.hpp"

namespace ekiden::router {
namespace {

Now at(Duration time) { return {Instant(time), WallTime(milliseconds(1'767'225'600'000))}; }

identity::PeerId asked_peer(Byte first) {
  identity::PeerId id;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) id.bytes[i] = static_cast<Byte>(first + i);
  return id;
}

Candidate candidate(Byte first, identity::TrustTier tier = identity::TrustTier::stranger) {
  return {.peer = asked_peer(first), .capability = "ocr", .tier = tier};
}

TEST(ReplyId, IsThatOfTheDescription) {
  Arrived request;
  request.id = *Uuid::parse("0f8fad5b-d9cb-469f-a165-70867728950e");
  request.from = asked_peer(0x10);
  EXPECT_EQ(reply_id(request, asked_peer(0x60)).text(), "b9317bf4-9bfd-4d41-ba46-112d4aab98ad");
  EXPECT_TRUE(Uuid::from_bytes(reply_id(request, asked_peer(0x61)).bytes));
  EXPECT_NE(reply_id(request, asked_peer(0x61)), reply_id(request, asked_peer(0x60)));
}

TEST(Covers, WholePartsOfAPath) {
  EXPECT_TRUE(covers("translate/ja-en", "translate/ja-en"));
  EXPECT_TRUE(covers("translate/ja-en", "translate"));
  EXPECT_FALSE(covers("translate/ja-en", "translate/ja"));
  EXPECT_FALSE(covers("translate", "translate/ja-en"));
}

TEST(Providers, RankLinksBeforeTrustBeforeTheRest) {
  Providers providers;
  Rng rng{Rng::Seed{1}};
  std::vector<Candidate> all = {candidate(1), candidate(2, identity::TrustTier::trusted),
                                candidate(3, identity::TrustTier::contact), candidate(4)};
  providers.rank(at(seconds(1)), all, {asked_peer(4)}, rng);
  EXPECT_EQ(all[0].peer, asked_peer(4));
  EXPECT_EQ(all[1].peer, asked_peer(2));
  EXPECT_EQ(all[2].peer, asked_peer(3));
  EXPECT_EQ(all[3].peer, asked_peer(1));
}

TEST(Providers, RankWhoFailedBehindAndForget) {
  Providers providers;
  const Candidate linked = candidate(1);
  const std::int64_t fresh = providers.points(at(seconds(1)), linked, true);
  providers.on_failure(at(seconds(1)), linked.peer);
  EXPECT_TRUE(providers.has_failed(at(seconds(2)), linked.peer));
  EXPECT_LT(providers.points(at(seconds(2)), linked, true), fresh);
  EXPECT_GT(providers.points(at(seconds(2)), linked, true),
            providers.points(at(seconds(2)), candidate(2, identity::TrustTier::trusted), false));
  providers.on_failure(at(seconds(3)), linked.peer);
  EXPECT_LT(providers.points(at(seconds(4)), linked, true), providers.points(at(seconds(4)), candidate(2), false));
  providers.on_success(at(seconds(5)), linked.peer);
  EXPECT_GT(providers.points(at(seconds(6)), linked, true), fresh);
  providers.on_failure(at(seconds(7)), linked.peer);
  EXPECT_FALSE(providers.has_failed(at(seconds(7) + Providers::kForget), linked.peer));
  EXPECT_EQ(providers.points(at(seconds(7) + Providers::kForget), linked, true), fresh);
}

class Choosing : public testing::Test {
 protected:
  void begin(std::vector<Candidate> neighbours = {}) {
    chooser_.begin(at(now_), kId, "ocr", std::move(neighbours), out_);
  }
  void advance(Duration by) {
    now_ += by;
    chooser_.on_deadline(at(now_), out_);
  }
  std::set<identity::PeerId> reached() {
    for (AskEffect& effect : out_.take()) {
      const auto* reach = std::get_if<Reach>(&effect);
      if (reach == nullptr) continue;
      if (reach->wanted) {
        wanted_.insert(reach->peer);
      } else {
        wanted_.erase(reach->peer);
      }
    }
    return wanted_;
  }
  Chooser::Chosen chosen() {
    auto all = chooser_.take_chosen();
    EXPECT_EQ(all.size(), 1u);
    chooser_.check_invariants();
    return all.empty() ? Chooser::Chosen{kId, std::unexpected(Error{}), false} : all.front();
  }
  bool is_undecided() { return chooser_.take_chosen().empty(); }

  static constexpr AskId kId{7};
  Chooser chooser_{Rng{Rng::Seed{3}}};
  AskEffects out_;
  Duration now_ = seconds(1);
  std::set<identity::PeerId> wanted_;
};

TEST_F(Choosing, TakesALinkedNeighbourAtOnce) {
  chooser_.on_link_up(at(now_), asked_peer(1), out_);
  begin({candidate(1)});
  EXPECT_EQ(chosen().candidate->peer, asked_peer(1));
  EXPECT_TRUE(out_.take().empty()) << "no search";
}

TEST_F(Choosing, SearchesWhenTheNeighbourFailedLately) {
  chooser_.on_link_up(at(now_), asked_peer(1), out_);
  chooser_.providers().on_failure(at(now_), asked_peer(1));
  begin({candidate(1)});
  EXPECT_TRUE(is_undecided());
  ASSERT_TRUE(std::holds_alternative<FindOwners>(out_.take().at(0)));
  chooser_.on_owners(at(now_), kId, std::vector<Candidate>{}, out_);
  EXPECT_EQ(chosen().candidate->peer, asked_peer(1)) << "still better than nobody";
}

TEST_F(Choosing, TriesTheBestFirstAndTheNextBesideIt) {
  begin();
  chooser_.on_owners(
      at(now_), kId,
      std::vector{candidate(1), candidate(2, identity::TrustTier::trusted), candidate(3, identity::TrustTier::contact)},
      out_);
  EXPECT_EQ(reached(), std::set{asked_peer(2)});
  advance(Chooser::kStep);
  EXPECT_EQ(reached(), (std::set{asked_peer(2), asked_peer(3)}));
  chooser_.on_unreachable(at(now_), asked_peer(3), out_);
  EXPECT_EQ(reached(), (std::set{asked_peer(2), asked_peer(1)}));
  chooser_.on_link_up(at(now_), asked_peer(1), out_);
  const auto who = chosen();
  EXPECT_EQ(who.candidate->peer, asked_peer(1));
  EXPECT_TRUE(who.linked);
  EXPECT_TRUE(reached().empty()) << "no link is wanted any more";
}

TEST_F(Choosing, TakesTheBestUnlinkedWhenNobodyCanBeReached) {
  begin();
  chooser_.on_owners(at(now_), kId, std::vector{candidate(1), candidate(2, identity::TrustTier::trusted)}, out_);
  chooser_.on_unreachable(at(now_), asked_peer(2), out_);
  EXPECT_TRUE(is_undecided());
  chooser_.on_unreachable(at(now_), asked_peer(1), out_);
  const auto who = chosen();
  EXPECT_EQ(who.candidate->peer, asked_peer(2));
  EXPECT_FALSE(who.linked);
}

TEST_F(Choosing, DoesNotTryForever) {
  begin();
  chooser_.on_owners(at(now_), kId, std::vector{candidate(1)}, out_);
  advance(Chooser::kStep);
  EXPECT_TRUE(is_undecided());
  advance(Chooser::kReachMax);
  EXPECT_FALSE(chosen().linked);
}

TEST_F(Choosing, SaysWhenThereIsNobody) {
  begin();
  chooser_.on_owners(at(now_), kId, std::vector<Candidate>{}, out_);
  EXPECT_EQ(chosen().candidate.error().code, Errc::not_found);
}

TEST_F(Choosing, GoesOnWithoutTheOneThatWillNotDo) {
  begin();
  chooser_.on_link_up(at(now_), asked_peer(1), out_);
  chooser_.on_link_up(at(now_), asked_peer(2), out_);
  chooser_.on_owners(at(now_), kId, std::vector{candidate(1), candidate(2)}, out_);
  const auto first = chosen().candidate->peer;
  chooser_.again(at(now_), kId, first, out_);
  const auto second = chosen().candidate->peer;
  EXPECT_NE(first, second);
  chooser_.again(at(now_), kId, second, out_);
  EXPECT_EQ(chosen().candidate.error().code, Errc::not_found);
}

TEST_F(Choosing, BoundsTheCandidates) {
  std::vector<Candidate> many;
  for (int i = 0; i < 200; ++i) many.push_back(candidate(static_cast<Byte>(i)));
  begin();
  chooser_.on_owners(at(now_), kId, std::move(many), out_);
  EXPECT_EQ(reached().size(), 1u);
  chooser_.check_invariants();
  chooser_.end(kId, out_);
  EXPECT_TRUE(reached().empty());
}

}  // namespace
}  // namespace ekiden::router
