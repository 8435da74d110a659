#include "noise/noise.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "support/identities.hpp"

namespace ekiden::noise {
namespace {

crypto::X25519KeyPair key(Byte number) {
  ByteArray<32> entropy{};
  entropy.fill(number);
  return crypto::X25519KeyPair::from_secret(crypto::X25519SecretKey(entropy));
}

struct Sides {
  crypto::X25519KeyPair initiator_key = key(1);
  crypto::X25519KeyPair responder_key = key(2);
  HandshakeState initiator;
  HandshakeState responder;

  Sides(Pattern pattern, ByteView initiator_prologue, ByteView responder_prologue)
      : initiator({.pattern = pattern,
                   .initiator = true,
                   .prologue = initiator_prologue,
                   .static_key = initiator_key,
                   .ephemeral_entropy = test::make_rng(3).bytes<32>(),
                   .remote_static = pattern == Pattern::ik ? std::optional(responder_key.public_key) : std::nullopt}),
        responder({.pattern = pattern,
                   .initiator = false,
                   .prologue = responder_prologue,
                   .static_key = responder_key,
                   .ephemeral_entropy = test::make_rng(4).bytes<32>(),
                   .remote_static = std::nullopt}) {}

  /// Exchanges messages with these payloads until both are finished. Errors: the first failed read.
  Status run(const std::vector<Bytes>& payloads) {
    for (const auto& payload : payloads) {
      auto& from = initiator.is_my_turn() ? initiator : responder;
      auto& to = initiator.is_my_turn() ? responder : initiator;
      Bytes message;
      EKIDEN_TRY(from.write_message(payload, message));
      EKIDEN_ASSIGN(const Bytes read, to.read_message(message));
      if (read != payload) return fail(Errc::internal, "the payload changed");
    }
    return {};
  }
};

std::vector<Bytes> payloads_for(Pattern pattern) {
  std::vector<Bytes> payloads = {{1, 2}, {}, {3}};
  payloads.resize(pattern == Pattern::ik ? 2 : 3);
  return payloads;
}

class BothPatterns : public testing::TestWithParam<Pattern> {};
INSTANTIATE_TEST_SUITE_P(Noise, BothPatterns, testing::Values(Pattern::ik, Pattern::xx));

TEST_P(BothPatterns, FinishWithTheSameHashAndWithCiphersThatFit) {
  Sides sides(GetParam(), as_bytes("prologue"), as_bytes("prologue"));
  ASSERT_TRUE(sides.run(payloads_for(GetParam())));
  ASSERT_TRUE(sides.initiator.is_finished() && sides.responder.is_finished());
  EXPECT_EQ(sides.initiator.handshake_hash(), sides.responder.handshake_hash());
  EXPECT_EQ(sides.responder.remote_static(), sides.initiator_key.public_key);
  EXPECT_EQ(sides.initiator.remote_static(), sides.responder_key.public_key);

  CipherContexts contexts;
  auto left = sides.initiator.split(contexts);
  auto right = sides.responder.split(contexts);
  for (int i = 0; i < 3; ++i) {
    Bytes sealed(5 + crypto::kTagSize);
    Bytes opened(5);
    ASSERT_TRUE(left.send.encrypt(as_bytes("hello"), sealed));
    ASSERT_TRUE(right.receive.decrypt(sealed, opened));
    EXPECT_EQ(as_text(opened), "hello");
    ASSERT_TRUE(right.send.encrypt(as_bytes("olleh"), sealed));
    ASSERT_TRUE(left.receive.decrypt(sealed, opened));
    EXPECT_EQ(as_text(opened), "olleh");
    if (i == 1) {
      left.send.rekey();
      right.receive.rekey();
    }
  }
}

TEST_P(BothPatterns, FailWhenTheProloguesDiffer) {
  Sides sides(GetParam(), as_bytes("one"), as_bytes("two"));
  EXPECT_FALSE(sides.run(payloads_for(GetParam())));
}

TEST_P(BothPatterns, RefuseALowOrderEphemeralKey) {
  Sides sides(GetParam(), {}, {});
  Bytes message;
  ASSERT_TRUE(sides.initiator.write_message({}, message));
  std::fill(message.begin(), message.begin() + 32, Byte{0});
  auto status = sides.responder.read_message(message);
  if (status) {  // XX mixes nothing in before the answer.
    Bytes answer;
    const auto written = sides.responder.write_message({}, answer);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Errc::refused);
  } else {
    EXPECT_EQ(status.error().code, Errc::refused);
  }
}

TEST_P(BothPatterns, RefuseMessagesCutOffAnywhere) {
  for (std::size_t size = 0;; ++size) {
    Sides sides(GetParam(), {}, {});
    Bytes first;
    ASSERT_TRUE(sides.initiator.write_message({}, first));
    if (size >= first.size()) break;
    EXPECT_FALSE(sides.responder.read_message(ByteView(first).first(size)));
  }
}

TEST(NoiseCipher, ANonceIsFourZerosAndTheCounterBigEndian) {
  EXPECT_EQ(nonce_of(0x0102030405060708), (crypto::Nonce{0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(NoiseCipher, StopsBeforeTheCounterRepeats) {
  const crypto::AeadKey aead_key(ByteArray<32>{1});
  CipherContexts contexts;
  CipherState sender(contexts, aead_key, CipherState::kMaxCounter - 1);
  CipherState receiver(contexts, aead_key, CipherState::kMaxCounter - 1);
  Bytes sealed(1 + crypto::kTagSize);
  Bytes opened(1);
  const Bytes plaintext = {7};
  ASSERT_TRUE(sender.encrypt(plaintext, sealed));
  ASSERT_TRUE(receiver.decrypt(sealed, opened));
  EXPECT_EQ(sender.encrypt(plaintext, sealed).error().code, Errc::limit_exceeded);
  EXPECT_EQ(receiver.decrypt(sealed, opened).error().code, Errc::limit_exceeded);
}

TEST(NoiseCipher, AFailedDecryptionLeavesTheCounterWhereItWas) {
  CipherContexts contexts;
  CipherState sender(contexts, crypto::AeadKey(ByteArray<32>{1}));
  CipherState receiver(contexts, crypto::AeadKey(ByteArray<32>{1}));
  Bytes sealed(1 + crypto::kTagSize);
  Bytes opened(1);
  ASSERT_TRUE(sender.encrypt(Bytes{7}, sealed));
  sealed[0] ^= 1;
  EXPECT_EQ(receiver.decrypt(sealed, opened).error().code, Errc::unauthenticated);
  sealed[0] ^= 1;
  EXPECT_TRUE(receiver.decrypt(sealed, opened));
}

TEST(NoiseCipher, TheKeyBeforeARekeyNoLongerFits) {
  CipherContexts contexts;
  CipherState sender(contexts, crypto::AeadKey(ByteArray<32>{1}));
  CipherState receiver(contexts, crypto::AeadKey(ByteArray<32>{1}));
  Bytes sealed(1 + crypto::kTagSize);
  Bytes opened(1);
  sender.rekey();
  ASSERT_TRUE(sender.encrypt(Bytes{7}, sealed));
  EXPECT_FALSE(receiver.decrypt(sealed, opened));
  receiver.rekey();
  EXPECT_TRUE(receiver.decrypt(sealed, opened));
}

RC_GTEST_PROP(NoiseHandshake, AnyChangedBitBreaksIt, (bool is_ik)) {
  const auto pattern = is_ik ? Pattern::ik : Pattern::xx;
  Sides sides(pattern, {}, {});
  const auto payloads = payloads_for(pattern);
  const auto broken = *rc::gen::inRange<std::size_t>(0, payloads.size());
  bool failed = false;
  for (std::size_t i = 0; i < payloads.size() && !failed; ++i) {
    auto& from = sides.initiator.is_my_turn() ? sides.initiator : sides.responder;
    auto& to = sides.initiator.is_my_turn() ? sides.responder : sides.initiator;
    Bytes message;
    if (!from.write_message(payloads[i], message)) break;
    if (i == broken) {
      const auto bit = *rc::gen::inRange<std::size_t>(0, message.size() * 8);
      // X25519 ignores the top bit of a key, but the handshake hash does not.
      message[bit / 8] ^= static_cast<Byte>(1U << bit % 8);
    }
    failed = !to.read_message(message);
  }
  RC_ASSERT(failed || sides.initiator.handshake_hash() != sides.responder.handshake_hash());
}

}  // namespace
}  // namespace ekiden::noise
