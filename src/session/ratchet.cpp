#include "session/ratchet.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "crypto/hash.hpp"

namespace ekiden::session {
namespace {

constexpr std::string_view kRootInfo = "ekiden ratchet root 1";
constexpr std::string_view kMessageInfo = "ekiden ratchet message 1";

/// HKDF into `out`. REQUIRES: a short output, so that it cannot fail.
void derive(ByteView salt, ByteView input, std::string_view info, MutableBytes out) {
  const crypto::ChainKey extracted = crypto::hkdf_extract(salt, input);
  const Status expanded = crypto::hkdf_expand(extracted.view(), as_bytes(info), out);
  CHECK(expanded.has_value());
}

struct RootStep {
  crypto::ChainKey root;
  crypto::ChainKey chain;
};

Result<RootStep> root_step(const crypto::ChainKey& root, const crypto::X25519SecretKey& ours,
                           const crypto::X25519PublicKey& theirs) {
  EKIDEN_ASSIGN(const crypto::SharedSecret shared, crypto::x25519(ours, theirs));
  crypto::Secret<64, struct RootOutputTag> output;
  derive(root.view(), shared.view(), kRootInfo, output.mutable_view());
  return RootStep{crypto::ChainKey(output.view().first(32)), crypto::ChainKey(output.view().subspan(32))};
}

/// The key of the chain's next message; the chain moves on.
MessageKey chain_step(crypto::ChainKey& chain) {
  constexpr Byte kMessage = 0x01;
  constexpr Byte kNext = 0x02;
  auto codes = crypto::hmac_sha256_of_two(chain.view(), {&kMessage, 1}, {&kNext, 1});
  chain = std::move(codes[1]);
  return MessageKey(codes[0].view());
}

/// Moves a receiving chain to `number`, keeping the keys that it passes.
void pass_over(ReceiveChain& chain, std::uint32_t number, Incoming& into) {
  for (; chain.next < number; ++chain.next) {
    into.skipped.emplace_back(chain.base + chain.next + 1, chain_step(chain.key));
  }
}

/// Takes the key of the message itself.
void take(ReceiveChain& chain, const Position& position, Incoming& into) {
  pass_over(chain, position.number, into);
  into.key = chain_step(chain.key);
  into.sequence = position.sequence;
  ++chain.next;
  into.chain = chain;
}

}  // namespace

Sealing sealing_of(const MessageKey& key) {
  crypto::Secret<44, struct SealingTag> output;
  derive({}, key.view(), kMessageInfo, output.mutable_view());
  return {crypto::AeadKey(output.view()), take_array<12>(output.view().subspan(32))};
}

Result<Ratchet> Ratchet::initiate(const crypto::ChainKey& shared, const crypto::X25519PublicKey& their_prekey,
                                  crypto::X25519KeyPair own, std::size_t max_skipped) {
  RatchetState state;
  state.own = std::move(own);
  state.theirs = their_prekey;
  EKIDEN_ASSIGN(RootStep stepped, root_step(shared, state.own.secret, their_prekey));
  state.root = std::move(stepped.root);
  state.send.key = std::move(stepped.chain);
  return Ratchet(std::move(state), SkippedKeys(max_skipped));
}

Result<Ratchet> Ratchet::respond(const crypto::ChainKey& shared, const crypto::X25519SecretKey& prekey,
                                 const crypto::X25519PublicKey& their_ratchet, crypto::X25519KeyPair own,
                                 std::size_t max_skipped) {
  RatchetState state;
  state.own = std::move(own);
  state.theirs = their_ratchet;
  EKIDEN_ASSIGN(RootStep received, root_step(shared, prekey, their_ratchet));
  EKIDEN_ASSIGN(RootStep answered, root_step(received.root, state.own.secret, their_ratchet));
  state.receive.emplace().key = std::move(received.chain);
  state.root = std::move(answered.root);
  state.send.key = std::move(answered.chain);
  return Ratchet(std::move(state), SkippedKeys(max_skipped));
}

std::pair<Position, MessageKey> Ratchet::next_to_send() {
  CHECK(can_send());
  SendChain& chain = state_.send;
  const Position position{.ratchet = state_.own.public_key,
                          .previous = chain.previous,
                          .number = chain.next,
                          .sequence = chain.base + chain.next + 1};
  ++chain.next;
  return {position, chain_step(chain.key)};
}

void Ratchet::skip_sending_to(std::uint32_t number) {
  for (; state_.send.next < number; ++state_.send.next) chain_step(state_.send.key);
}

Status Ratchet::step(crypto::X25519KeyPair own) {
  CHECK(state_.step_pending);
  EKIDEN_ASSIGN(RootStep stepped, root_step(state_.root, own.secret, state_.theirs));
  state_.own = std::move(own);
  state_.root = std::move(stepped.root);
  const SendChain& old = state_.send;
  state_.send =
      SendChain{.key = std::move(stepped.chain), .next = 0, .previous = old.next, .base = old.base + old.next};
  state_.step_pending = false;
  return {};
}

std::uint64_t Ratchet::next_sequence() const {
  return state_.receive ? state_.receive->base + state_.receive->next + 1 : 1;
}

std::expected<Incoming, Misfit> Ratchet::prepare(const Position& position, std::size_t max_gap) const {
  // A chain never grows to its last number, so that the one after it always fits.
  if (position.number >= position.sequence || position.number == UINT32_MAX) return std::unexpected(Misfit::impossible);
  if (position.sequence < next_sequence()) return prepare_old(position);
  if (!state_.receive || position.ratchet != state_.theirs) return prepare_new_chain(position, max_gap);

  ReceiveChain chain = *state_.receive;
  if (position.sequence - 1 - position.number != chain.base) return std::unexpected(Misfit::impossible);
  if (position.number - chain.next > max_gap) return std::unexpected(Misfit::too_far);
  Incoming incoming;
  take(chain, position, incoming);
  return incoming;
}

std::expected<Incoming, Misfit> Ratchet::prepare_old(const Position& position) const {
  const MessageKey* key = skipped_.find(position.sequence);
  if (key == nullptr) {
    return std::unexpected(skipped_.is_forgotten(position.sequence) ? Misfit::too_far : Misfit::used);
  }
  Incoming incoming;
  incoming.key = *key;
  incoming.sequence = position.sequence;
  incoming.was_skipped = true;
  return incoming;
}

std::expected<Incoming, Misfit> Ratchet::prepare_new_chain(const Position& position, std::size_t max_gap) const {
  ReceiveChain old = state_.receive.value_or(ReceiveChain{});
  if (state_.step_pending || position.previous < old.next || (!state_.receive && position.previous != 0) ||
      position.sequence - 1 - position.number != old.base + position.previous) {
    return std::unexpected(Misfit::impossible);
  }
  if (std::uint64_t{position.previous} - old.next + position.number > max_gap) return std::unexpected(Misfit::too_far);
  auto stepped = root_step(state_.root, state_.own.secret, position.ratchet);
  if (!stepped) return std::unexpected(Misfit::impossible);

  Incoming incoming;
  pass_over(old, position.previous, incoming);
  ReceiveChain chain{.key = std::move(stepped->chain), .next = 0, .base = old.base + position.previous};
  take(chain, position, incoming);
  incoming.step.emplace(std::move(stepped->root), position.ratchet);
  return incoming;
}

void Ratchet::commit(Incoming incoming) {
  if (incoming.was_skipped) {
    skipped_.erase(incoming.sequence);
    return;
  }
  for (auto& [sequence, key] : incoming.skipped) skipped_.insert(sequence, std::move(key));
  state_.receive = std::move(incoming.chain);
  if (!incoming.step) return;
  state_.root = std::move(incoming.step->first);
  state_.theirs = incoming.step->second;
  state_.step_pending = true;
}

bool Ratchet::restore_skipped(std::uint64_t sequence, MessageKey key) {
  if (!state_.receive || sequence >= next_sequence() || skipped_.is_forgotten(sequence)) return false;
  skipped_.restore(sequence, std::move(key));
  return true;
}

void Ratchet::check_invariants() const {
  CHECK(state_.send.next <= kMaxNumber);
  CHECK(state_.receive || !state_.step_pending);
  CHECK(state_.receive || skipped_.size() == 0);
  skipped_.check_invariants();
}

}  // namespace ekiden::session
