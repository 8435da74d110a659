#include "path/path.hpp"

#include <gtest/gtest.h>

#include <array>

#include "support/golden.hpp"
#include "support/identities.hpp"

namespace ekiden::path {
namespace {

constexpr WallTime kWhen{milliseconds(1'767'830'400'000)};

class PathTest : public ::testing::Test {
 protected:
  /// As nodes 1, 2, … hand `subject` on to each other and then to node `last`.
  Hops walk(const crypto::Digest& subject, std::size_t hops, std::size_t last) {
    Hops path;
    for (std::size_t i = 0; i < hops; ++i) {
      const identity::PeerId next = i + 1 < hops ? nodes_[i + 1].id() : nodes_[last].id();
      const crypto::Digest leaf =
          leaf_of(subject, last_leaf(subject, nodes_[i].id(), path), nodes_[i].id(), next, kWhen);
      path.push_back(sign_hops(nodes_[i], kWhen, std::array{leaf}).front());
    }
    return path;
  }

  Errc verify(const Hops& path, std::size_t next) {
    const auto verified = verifier_.verify(subject_, nodes_[0].id(), nodes_[next].id(), path);
    return verified ? Errc::internal : verified.error().code;
  }

  std::vector<identity::Identity> nodes_ = [] {
    std::vector<identity::Identity> nodes;
    for (Byte i = 1; i <= 10; ++i) nodes.push_back(test::make_identity(i));
    return nodes;
  }();
  crypto::Digest subject_ = crypto::Digest(ByteArray<32>{7});
  Verifier verifier_;
};

TEST_F(PathTest, AWholePathVerifies) {
  for (std::size_t hops = 1; hops <= kMaxHops; ++hops) {
    EXPECT_EQ(verify(walk(subject_, hops, 9), 9), Errc::internal) << hops;
  }
  EXPECT_EQ(way_back(walk(subject_, 3, 9)), (std::vector{nodes_[2].id(), nodes_[1].id()}));
}

TEST_F(PathTest, HasItsGoldenBytes) { test::check_golden(walk(subject_, 1, 9).front()); }

TEST_F(PathTest, NoHopCanBeTakenOutPutInMovedOrChanged) {
  const Hops path = walk(subject_, 4, 9);
  for (std::size_t i = 0; i < path.size(); ++i) {
    Hops without = path;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_NE(verify(without, 9), Errc::internal) << i;
    Hops later = path;
    later[i].at += milliseconds(1);
    EXPECT_EQ(verify(later, 9), Errc::unauthenticated) << i;
    Hops damaged = path;
    damaged[i].signature.bytes[5] ^= 1;
    EXPECT_EQ(verify(damaged, 9), Errc::unauthenticated) << i;
  }
  Hops swapped = path;
  std::swap(swapped[1], swapped[2]);
  EXPECT_EQ(verify(swapped, 9), Errc::unauthenticated);
  Hops cut = path;
  cut.pop_back();
  EXPECT_EQ(verify(cut, 9), Errc::unauthenticated);
  EXPECT_EQ(verify(path, 8), Errc::unauthenticated);
}

TEST_F(PathTest, APathOfAnotherPacketIsWorthNothing) {
  EXPECT_EQ(verify(walk(crypto::Digest(ByteArray<32>{8}), 3, 9), 9), Errc::unauthenticated);
}

TEST_F(PathTest, ALoopAForeignOriginAndTooManyHopsAreRefused) {
  EXPECT_EQ(verify(walk(subject_, 3, 1), 1), Errc::refused);
  Hops twice = walk(subject_, 2, 9);
  twice.push_back(twice.front());
  EXPECT_EQ(verify(twice, 9), Errc::refused);
  EXPECT_EQ(verifier_.verify(subject_, nodes_[5].id(), nodes_[9].id(), walk(subject_, 2, 9)).error().code,
            Errc::refused);
  EXPECT_EQ(verify({}, 9), Errc::malformed);
  EXPECT_EQ(verify(Hops(kMaxHops + 1, walk(subject_, 1, 9).front()), 9), Errc::malformed);
}

TEST_F(PathTest, OneSignatureCoversMany) {
  for (std::size_t count = 1; count <= kMaxLeaves; ++count) {
    std::vector<crypto::Digest> subjects;
    std::vector<crypto::Digest> leaves;
    for (std::size_t i = 0; i < count; ++i) {
      subjects.push_back(crypto::Digest(ByteArray<32>{static_cast<Byte>(i), 1}));
      leaves.push_back(leaf_of(subjects.back(), {}, nodes_[0].id(), nodes_[i % 2 + 1].id(), kWhen));
    }
    const Hops hops = sign_hops(nodes_[0], kWhen, leaves);
    ASSERT_EQ(hops.size(), count);
    for (std::size_t i = 0; i < count; ++i) {
      const identity::PeerId next = nodes_[i % 2 + 1].id();
      EXPECT_TRUE(verifier_.verify(subjects[i], nodes_[0].id(), next, std::span(&hops[i], 1)));
      Hop moved = hops[i];
      moved.index ^= 1;
      if (count > 1) {
        EXPECT_FALSE(verifier_.verify(subjects[i], nodes_[0].id(), next, std::span(&moved, 1)));
      }
      Hop deeper = hops[i];
      deeper.proof.resize(deeper.proof.size() + 1);
      EXPECT_EQ(verifier_.verify(subjects[i], nodes_[0].id(), next, std::span(&deeper, 1)).error().code,
                Errc::malformed);
    }
  }
}

}  // namespace
}  // namespace ekiden::path
