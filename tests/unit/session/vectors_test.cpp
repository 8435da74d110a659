// The first messages of a session with every secret fixed, as docs/protocol/session.md shows them. The values were
// computed by another implementation (Python, PyNaCl and cryptography), written from that page.
#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "crypto/aead.hpp"
#include "identity/identity.hpp"
#include "session/ratchet.hpp"
#include "session/x3dh.hpp"
#include "unit/session/agent.hpp"

namespace ekiden::session {
namespace {

constexpr std::string_view kShared = "da405689856adce6fcd9aa3a2857bf1aa0d0e6b2e2cf8f484dd12b43db2f0d07";
constexpr std::string_view kBinding =
    "34750f98bd59fcfc946da45aaabe933be154a4b5094e1c4abf42866505f3c97e6a3803d5f059902a1c6dafbc9ba47292"
    "12f7caac08634cc3ae76b27529f0382700112233445546778899aabbccddeeff";
constexpr std::string_view kFirst =
    "0200112233445546778899aabbccddeeff50a61409b1ddd0325e9b16b700e719e9772c07000b1bd7786e907c653d2049"
    "5d00000000000000000000000000000001ac01b2209e86354fb853237b5de0f4fab13c7fcbf433a61c019369617fecf1"
    "0b00000007000000018a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5ce6750648fbc03d"
    "08de90e2124b53317154af83d42d";
constexpr std::string_view kSecond =
    "0100112233445546778899aabbccddeefff5b2d6e60f9477e310c2982daaa6c9136c108a1777c5947e448fa37d681745"
    "57000000000000000000000000000000017d148c8525bba47ff1a5d4fb2eae68d2d9a61bcf6adaca52";
constexpr std::string_view kThird =
    "0100112233445546778899aabbccddeeff13be4feaeaf204c7fd3358fc9c00721881d174278128227ec674f37f7fe97b"
    "6d000000010000000000000000000000028021d8045cec577a12b1e8f44c805dbf9e304d2b11fdb9365f071d";

Bytes seal_at(const std::pair<Position, MessageKey>& next, Header header, const Binding& binding,
              std::string_view text) {
  header.position = next.first;
  Bytes out;
  append_header(header, out);
  Bytes data = to_bytes(binding);
  append(data, out);
  append(data, as_bytes("envelope"));
  const Sealing sealing = sealing_of(next.second);
  crypto::seal(sealing.key, sealing.nonce, data, as_bytes(text), out);
  return out;
}

std::string open_at(Ratchet& ratchet, ByteView sealed, const Binding& binding) {
  const auto message = parse_sealed(sealed);
  auto incoming = ratchet.prepare(message->header.position, 1000);
  if (!incoming) return "not prepared";
  Bytes data = to_bytes(binding);
  append(data, message->header_bytes);
  append(data, as_bytes("envelope"));
  const Sealing sealing = sealing_of(incoming->key);
  const auto plaintext = crypto::open(sealing.key, sealing.nonce, data, message->ciphertext);
  if (!plaintext) return "not verified";
  ratchet.commit(std::move(*incoming));
  return std::string(as_text(*plaintext));
}

TEST(SessionVectors, TheFirstMessagesOfASessionHaveTheDocumentedBytes) {
  const identity::Identity alice(crypto::Ed25519Seed(seed_of(1))), bob(crypto::Ed25519Seed(seed_of(2)));
  const auto prekey = pair_of(3);
  const auto ephemeral = pair_of(4);
  const Uuid id = *Uuid::parse("00112233-4455-4677-8899-aabbccddeeff");
  const Binding binding = binding_of(alice.id(), bob.id(), id);
  EXPECT_EQ(to_hex(binding), kBinding);

  const auto shared =
      x3dh_initiate(alice.noise_key().secret, ephemeral.secret, bob.noise_key().public_key, prekey.public_key);
  EXPECT_EQ(to_hex(shared->view()), kShared);
  EXPECT_EQ(x3dh_respond(bob.noise_key().secret, prekey.secret, alice.noise_key().public_key, ephemeral.public_key),
            shared);

  auto from_alice = Ratchet::initiate(*shared, prekey.public_key, pair_of(5), 1000);
  Header header{
      .session = id, .position = {}, .initiation = Initiation{ephemeral.public_key, 7, 1, alice.public_key()}};
  const Bytes first = seal_at(from_alice->next_to_send(), header, binding, "hello");
  EXPECT_EQ(to_hex(first), kFirst);
  EXPECT_EQ(parse_sealed(first)->header.initiation, header.initiation);

  auto to_bob =
      Ratchet::respond(*shared, prekey.secret, parse_sealed(first)->header.position.ratchet, pair_of(6), 1000);
  EXPECT_EQ(open_at(*to_bob, first, binding), "hello");
  header.initiation.reset();
  const Bytes second = seal_at(to_bob->next_to_send(), header, binding, "well met");
  EXPECT_EQ(to_hex(second), kSecond);

  EXPECT_EQ(open_at(*from_alice, second, binding), "well met");
  ASSERT_TRUE(from_alice->step(pair_of(7)).has_value());
  const Bytes third = seal_at(from_alice->next_to_send(), header, binding, "how are you");
  EXPECT_EQ(to_hex(third), kThird);
  EXPECT_EQ(open_at(*to_bob, third, binding), "how are you");
}

}  // namespace
}  // namespace ekiden::session
