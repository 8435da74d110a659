// The layout of sealed bodies.
#include "session/header.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "session/sessions.hpp"
#include "unit/session/agent.hpp"

namespace ekiden::session {
namespace {

template <class Key>
Key arbitrary_key() {
  return Key{take_array<Key::kSize>(*rc::gen::container<Bytes>(Key::kSize, rc::gen::arbitrary<Byte>()))};
}

Header arbitrary_header() {
  Rng rng(seed_of(*rc::gen::arbitrary<Byte>()));
  Header header{.session = Uuid::random(rng),
                .position = {.ratchet = arbitrary_key<crypto::X25519PublicKey>(),
                             .previous = *rc::gen::arbitrary<std::uint32_t>(),
                             .number = *rc::gen::arbitrary<std::uint32_t>(),
                             .sequence = *rc::gen::arbitrary<std::uint64_t>()},
                .initiation = {}};
  if (*rc::gen::arbitrary<bool>()) {
    header.initiation = Initiation{.ephemeral = arbitrary_key<crypto::X25519PublicKey>(),
                                   .prekey = *rc::gen::arbitrary<std::uint32_t>(),
                                   .generation = *rc::gen::arbitrary<std::uint32_t>(),
                                   .sender = arbitrary_key<crypto::Ed25519PublicKey>()};
  }
  return header;
}

RC_GTEST_PROP(Header, WhatIsWrittenIsRead, ()) {
  const Header header = arbitrary_header();
  Bytes sealed;
  append_header(header, sealed);
  RC_ASSERT(sealed.size() == (header.initiation ? kInitialHeaderSize : kOrdinaryHeaderSize));
  const Bytes ciphertext(16 + *rc::gen::inRange<std::size_t>(0, 100), Byte{7});
  append(sealed, ciphertext);
  const auto view = parse_sealed(sealed);
  RC_ASSERT(view.has_value());
  RC_ASSERT(view->header == header);
  RC_ASSERT(to_bytes(view->ciphertext) == ciphertext);
  RC_ASSERT(Sessions::peek_session(sealed) == header.session);
}

RC_GTEST_PROP(Header, ABodyThatIsCutOffIsRefused, ()) {
  Bytes sealed;
  append_header(arbitrary_header(), sealed);
  sealed.resize(sealed.size() + 16);
  sealed.resize(*rc::gen::inRange<std::size_t>(0, sealed.size()));
  RC_ASSERT(!parse_sealed(sealed).has_value());
}

TEST(Header, OtherKindsBelongToLaterVersions) {
  for (const int kind : {0, 3, 4, 127, 255}) {
    Bytes sealed(500, Byte{0x44});
    sealed[9] = 0x88;
    sealed[0] = static_cast<Byte>(kind);
    EXPECT_EQ(parse_sealed(sealed).error().code, Errc::unsupported);
    sealed[0] = 1;
    EXPECT_TRUE(parse_sealed(sealed).has_value());
  }
}

TEST(Header, ASessionIdThatIsNoUuidOfVersionFourIsRefused) {
  Bytes sealed(500, Byte{0x44});
  sealed[0] = 1;
  sealed[9] = 0x88;
  EXPECT_TRUE(parse_sealed(sealed).has_value());
  sealed[7] = 0x14;
  EXPECT_EQ(parse_sealed(sealed).error().code, Errc::malformed);
  sealed[7] = 0x44;
  sealed[9] = 0xc8;
  EXPECT_EQ(parse_sealed(sealed).error().code, Errc::malformed);
}

}  // namespace
}  // namespace ekiden::session
