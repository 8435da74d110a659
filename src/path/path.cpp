#include "path/path.hpp"

#include <algorithm>
#include <bit>

#include "base/check.hpp"
#include "crypto/ed25519.hpp"
#include "crypto/hash.hpp"

namespace ekiden::path {
namespace {

constexpr std::string_view kLeafTag = "ekiden hop 1";
constexpr std::string_view kRootTag = "ekiden path 1";
constexpr std::size_t kHashSize = 32;

crypto::Digest parent_of(ByteView left, ByteView right) {
  constexpr Byte kInner = 1;
  return crypto::sha256({ByteView(&kInner, 1), left, right});
}

Bytes signed_part(const crypto::Digest& root) {
  Bytes message = to_bytes(as_bytes(kRootTag));
  append(message, root.view());
  return message;
}

}  // namespace

crypto::Digest leaf_of(const crypto::Digest& subject, const crypto::Digest& previous, const identity::PeerId& by,
                       const identity::PeerId& next, WallTime at) {
  ByteArray<8> time;
  std::uint64_t ms = to_unix_ms(at);
  for (std::size_t i = time.size(); i-- > 0; ms >>= 8) time[i] = static_cast<Byte>(ms & 0xff);
  return crypto::sha256({as_bytes(kLeafTag), subject.view(), previous.view(), by.view(), next.view(), time});
}

crypto::Digest last_leaf(const crypto::Digest& subject, const identity::PeerId& next, std::span<const Hop> hops) {
  crypto::Digest leaf{};
  for (std::size_t i = 0; i < hops.size(); ++i) {
    const identity::PeerId after = i + 1 < hops.size() ? identity::PeerId::of(hops[i + 1].by) : next;
    leaf = leaf_of(subject, leaf, identity::PeerId::of(hops[i].by), after, hops[i].at);
  }
  return leaf;
}

Hops sign_hops(const identity::Identity& self, WallTime at, std::span<const crypto::Digest> leaves) {
  CHECK(!leaves.empty() && leaves.size() <= kMaxLeaves);
  Hops hops(leaves.size(), Hop{.by = self.public_key(), .at = at});
  std::vector<crypto::Digest> level(leaves.begin(), leaves.end());
  level.resize(std::bit_ceil(leaves.size()));
  for (std::size_t depth = 0; level.size() > 1; ++depth) {
    for (std::size_t i = 0; i < hops.size(); ++i) append(hops[i].proof, level[(i >> depth) ^ 1].view());
    std::vector<crypto::Digest> above;
    for (std::size_t i = 0; i < level.size(); i += 2) above.push_back(parent_of(level[i].view(), level[i + 1].view()));
    level = std::move(above);
  }
  const crypto::Signature signature = self.sign(signed_part(level.front()));
  for (std::size_t i = 0; i < hops.size(); ++i) {
    hops[i].index = static_cast<std::uint32_t>(i);
    hops[i].signature = signature;
  }
  return hops;
}

Status Verifier::verify_hop(const Hop& hop, const crypto::Digest& leaf) {
  const std::size_t depth = hop.proof.size() / kHashSize;
  if (hop.proof.size() % kHashSize != 0 || hop.proof.size() > kMaxProof || hop.index >= std::size_t{1} << depth) {
    return fail(Errc::malformed, "a hop whose proof has a wrong size");
  }
  crypto::Digest root = leaf;
  for (std::size_t i = 0; i < depth; ++i) {
    const ByteView beside = ByteView(hop.proof).subspan(i * kHashSize, kHashSize);
    root = (hop.index >> i & 1) != 0 ? parent_of(beside, root.view()) : parent_of(root.view(), beside);
  }
  const crypto::Digest name = crypto::sha256({hop.by.view(), root.view(), hop.signature.view()});
  if (roots_.find(name) != nullptr) return {};
  if (!crypto::verify(hop.by, signed_part(root), hop.signature)) {
    return fail(Errc::unauthenticated, "a hop whose signature does not verify");
  }
  roots_.put(name, true);
  return {};
}

Result<crypto::Digest> Verifier::verify(const crypto::Digest& subject, const identity::PeerId& from,
                                        const identity::PeerId& next, std::span<const Hop> hops) {
  if (hops.empty() || hops.size() > kMaxHops) return fail(Errc::malformed, "a path of too few or too many hops");
  std::vector<identity::PeerId> nodes;
  for (const Hop& hop : hops) nodes.push_back(identity::PeerId::of(hop.by));
  if (nodes.front() != from) return fail(Errc::refused, "a path that does not begin at the origin");
  nodes.push_back(next);
  std::vector<identity::PeerId> sorted = nodes;
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) != sorted.end()) return fail(Errc::refused, "a path that is a loop");
  crypto::Digest leaf{};
  for (std::size_t i = 0; i < hops.size(); ++i) {
    leaf = leaf_of(subject, leaf, nodes[i], nodes[i + 1], hops[i].at);
    EKIDEN_TRY(verify_hop(hops[i], leaf));
  }
  return leaf;
}

std::vector<identity::PeerId> way_back(std::span<const Hop> hops) {
  std::vector<identity::PeerId> way;
  for (std::size_t i = hops.size(); i-- > 1;) way.push_back(identity::PeerId::of(hops[i].by));
  return way;
}

}  // namespace ekiden::path
