#include "identity/peer_id.hpp"

#include <gtest/gtest.h>

#include <string>

#include "crypto/hash.hpp"
#include "testing.hpp"

namespace ekiden::identity {
namespace {

// The public key of RFC 8032, section 7.1, test 1.
constexpr std::string_view kPublicKey = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

crypto::Ed25519PublicKey rfc_key() { return {take_array<32>(from_hex(kPublicKey).value())}; }

TEST(PeerId, IsTheHashOfThePublicKey) {
  const PeerId id = PeerId::of(rfc_key());
  EXPECT_EQ(to_hex(id.bytes), "21fe31dfa154a261626bf854046fd2271b7bed4b6abe45aa58877ef47f9721b9");
}

TEST(PeerId, GoesThroughItsTextForm) {
  const PeerId id = PeerId::of(rfc_key());
  const std::string text = id.text();
  EXPECT_EQ(text.size(), PeerId::kTextSize);
  EXPECT_TRUE(text.starts_with("ek1"));
  EXPECT_EQ(PeerId::parse(text), id);
  std::string upper = text;
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  EXPECT_EQ(PeerId::parse(upper), id);
  EXPECT_TRUE(id.short_text().starts_with(text.substr(0, 11)));
  EXPECT_LT(id.short_text().size(), 20U);
}

std::string error_of(std::string_view text) {
  const auto id = PeerId::parse(text);
  EXPECT_FALSE(id) << text;
  if (id) return "";
  EXPECT_EQ(id.error().code, Errc::malformed);
  return id.error().message;
}

TEST(PeerId, ExplainsWhatIsWrongWithAText) {
  const std::string text = test_identity(1).id().text();
  std::string typo = text;
  typo[20] = typo[20] == 'q' ? 'p' : 'q';
  EXPECT_NE(error_of(typo).find("typing error"), std::string::npos);
  std::string letter = text;
  letter[20] = 'b';  // Not in the alphabet: it looks too much like 6 and 8.
  EXPECT_NE(error_of(letter).find("typing error"), std::string::npos);
  EXPECT_NE(error_of(text.substr(0, 40)).find("40 characters, an id has 61"), std::string::npos);
  EXPECT_NE(error_of(text + "q").find("62 characters"), std::string::npos);
  EXPECT_NE(error_of("alice").find("ek1"), std::string::npos);
  EXPECT_NE(error_of("").find("ek1"), std::string::npos);
  EXPECT_NE(error_of("bc1" + text.substr(3)).find("ek1"), std::string::npos);
  error_of(text + " ");
  error_of(" " + text);
  error_of(to_bech32m("ek", Bytes(31, 1)));
  error_of(to_bech32m("ek", Bytes(33, 1)));
}

TEST(PeerId, RefusesEverySingleWrongCharacter) {
  const std::string text = test_identity(1).id().text();
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const char c : std::string_view("qpzry9x8gf2tvdw0s3jn54khce6mua7l1boi -")) {
      std::string wrong = text;
      wrong[i] = c;
      EXPECT_TRUE(wrong == text || !PeerId::parse(wrong)) << wrong;
    }
  }
}

TEST(Identity, IsOneSeedInThreePublicForms) {
  // RFC 8032, section 7.1, test 1: seed and public key.
  const auto seed = from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").value();
  const Identity identity{crypto::Ed25519Seed(ByteView(seed))};
  EXPECT_EQ(identity.public_key(), rfc_key());
  EXPECT_EQ(identity.id(), PeerId::of(rfc_key()));
  EXPECT_EQ(to_hex(identity.seed().view()), to_hex(seed));
  // What others compute from the public key is the public half of what we compute from the seed.
  EXPECT_EQ(crypto::to_x25519(identity.public_key()), identity.noise_key().public_key);
  EXPECT_EQ(crypto::x25519_public(identity.noise_key().secret), identity.noise_key().public_key);
  // And its signatures are the standard ones.
  EXPECT_EQ(
      to_hex(identity.sign({}).bytes),
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe2"
      "4655141438e7a100b");
}

TEST(Identity, AgreesOnSecretsThroughTheConvertedKeys) {
  const Identity alice = test_identity(1);
  const Identity bob = test_identity(2);
  const auto one = crypto::x25519(alice.noise_key().secret, crypto::to_x25519(bob.public_key()).value());
  const auto other = crypto::x25519(bob.noise_key().secret, crypto::to_x25519(alice.public_key()).value());
  ASSERT_TRUE(one && other);
  EXPECT_TRUE(*one == *other);
}

}  // namespace
}  // namespace ekiden::identity
